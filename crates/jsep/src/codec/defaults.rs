//! What we can do unless told otherwise.
//!
//! The payload types and ids are those that Chrome habitually ends up with; none is ever relied
//! on. Left out is what this project cannot use: forward error correction and H.265.

use pc_sdp::Feedback;

use super::{Capabilities, Codec, CodecCapability, HeaderExtensionCapability, KindCapabilities};
use crate::TransceiverDirection::{self, SendRecv, Stopped};
use crate::encoding::scalability_modes;
use crate::extension::uri;

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            audio: KindCapabilities {
                codecs: audio_codecs(),
                header_extensions: extensions(&AUDIO_EXTENSIONS),
            },
            video: KindCapabilities {
                codecs: video_codecs(),
                header_extensions: extensions(&VIDEO_EXTENSIONS),
            },
        }
    }
}

fn audio_codecs() -> Vec<CodecCapability> {
    const OPUS: &str = "minptime=10;useinbandfec=1";
    let audio = |payload_type, name: &str, clock_rate, channels, line: &str| CodecCapability {
        codec: Codec {
            mime_type: format!("audio/{name}"),
            clock_rate,
            channels: Some(channels),
            sdp_fmtp_line: (!line.is_empty()).then(|| line.to_owned()),
        },
        payload_type,
        feedback: match name {
            "opus" => vec![Feedback::TransportCc],
            _ => Vec::new(),
        },
        send: true,
        receive: true,
        scalability_modes: Vec::new(),
    };
    vec![
        audio(111, "opus", 48_000, 2, OPUS),
        audio(63, "red", 48_000, 2, "111/111"),
        audio(9, "G722", 8_000, 1, ""),
        audio(0, "PCMU", 8_000, 1, ""),
        audio(8, "PCMA", 8_000, 1, ""),
        audio(13, "CN", 8_000, 1, ""),
        audio(110, "telephone-event", 48_000, 1, ""),
        audio(126, "telephone-event", 8_000, 1, ""),
    ]
}

/// Payload type, that of its rtx, name, parameters.
const VIDEO_CODECS: [(u8, u8, &str, &str); 12] = [
    (96, 97, "VP8", ""),
    (98, 99, "VP9", "profile-id=0"),
    (100, 101, "VP9", "profile-id=2"),
    (
        102,
        103,
        "H264",
        "packetization-mode=1;profile-level-id=42001f",
    ),
    (
        104,
        107,
        "H264",
        "packetization-mode=0;profile-level-id=42001f",
    ),
    (
        108,
        109,
        "H264",
        "packetization-mode=1;profile-level-id=42e01f",
    ),
    (
        114,
        115,
        "H264",
        "packetization-mode=0;profile-level-id=42e01f",
    ),
    (
        116,
        117,
        "H264",
        "packetization-mode=1;profile-level-id=4d001f",
    ),
    (
        39,
        40,
        "H264",
        "packetization-mode=0;profile-level-id=4d001f",
    ),
    (
        118,
        119,
        "H264",
        "packetization-mode=1;profile-level-id=64001f",
    ),
    (
        41,
        42,
        "H264",
        "packetization-mode=0;profile-level-id=64001f",
    ),
    (45, 46, "AV1", "level-idx=5;profile=0;tier=0"),
];

fn video_codecs() -> Vec<CodecCapability> {
    let video = |payload_type, name: &str, line: Option<String>, feedback| CodecCapability {
        codec: Codec {
            mime_type: format!("video/{name}"),
            clock_rate: 90_000,
            channels: None,
            sdp_fmtp_line: line,
        },
        payload_type,
        feedback,
        send: true,
        receive: true,
        scalability_modes: scalability_modes(name).map(str::to_owned).collect(),
    };
    let with_rtx = |(payload_type, rtx, name, line): (u8, u8, &str, &str)| {
        let line = match name {
            "H264" => Some(format!("level-asymmetry-allowed=1;{line}")),
            _ => Some(line.to_owned()).filter(|line| !line.is_empty()),
        };
        let apt = Some(format!("apt={payload_type}"));
        [
            video(payload_type, name, line, VIDEO_FEEDBACK.to_vec()),
            video(rtx, "rtx", apt, Vec::new()),
        ]
    };
    VIDEO_CODECS.into_iter().flat_map(with_rtx).collect()
}

pub(super) const VIDEO_FEEDBACK: [Feedback; 5] = [
    Feedback::GoogRemb,
    Feedback::TransportCc,
    Feedback::CcmFir,
    Feedback::Nack,
    Feedback::NackPli,
];

type Extensions<const N: usize> = [(u8, TransceiverDirection, &'static str); N];

const AUDIO_EXTENSIONS: Extensions<6> = [
    (1, SendRecv, uri::SSRC_AUDIO_LEVEL),
    (2, SendRecv, uri::ABS_SEND_TIME),
    (3, SendRecv, uri::TRANSPORT_CC),
    (4, SendRecv, uri::MID),
    (9, Stopped, uri::ABS_CAPTURE_TIME),
    (12, Stopped, uri::CSRC_AUDIO_LEVEL),
];

const VIDEO_EXTENSIONS: Extensions<13> = [
    (14, SendRecv, uri::TRANSMISSION_OFFSET),
    (2, SendRecv, uri::ABS_SEND_TIME),
    (13, SendRecv, uri::VIDEO_ORIENTATION),
    (3, SendRecv, uri::TRANSPORT_CC),
    (5, SendRecv, uri::PLAYOUT_DELAY),
    (6, SendRecv, uri::VIDEO_CONTENT_TYPE),
    (7, SendRecv, uri::VIDEO_TIMING),
    (8, SendRecv, uri::COLOR_SPACE),
    (4, SendRecv, uri::MID),
    (10, SendRecv, uri::RID),
    (11, SendRecv, uri::REPAIRED_RID),
    (9, Stopped, uri::ABS_CAPTURE_TIME),
    (16, Stopped, uri::DEPENDENCY_DESCRIPTOR),
];

fn extensions(table: &[(u8, TransceiverDirection, &str)]) -> Vec<HeaderExtensionCapability> {
    let extension = |(preferred_id, direction, uri): &(u8, TransceiverDirection, &str)| {
        HeaderExtensionCapability {
            uri: (*uri).to_owned(),
            direction: *direction,
            preferred_id: *preferred_id,
        }
    };
    table.iter().map(extension).collect()
}
