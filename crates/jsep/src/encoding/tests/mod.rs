mod init;
mod negotiation;
mod set_parameters;
mod simulcast;

use pc_sdp::PayloadType;

use super::*;
use crate::codec::{Codec, CodecParameters};
use crate::{Error, ErrorKind, MediaKind};

fn codec(mime_type: &str) -> Codec {
    let is_audio = mime_type.starts_with("audio/");
    Codec {
        mime_type: mime_type.into(),
        clock_rate: if is_audio { 48_000 } else { 90_000 },
        channels: is_audio.then_some(2),
        sdp_fmtp_line: None,
    }
}

fn video_codecs() -> Vec<Codec> {
    ["video/VP8", "video/rtx", "video/H264", "video/VP9"]
        .map(codec)
        .to_vec()
}

/// All that webrtc-svc has.
fn can(codec: &Codec, mode: &str) -> bool {
    scalability_modes(codec.name()).any(|own| own == mode)
}

fn negotiated(mime_types: &[&str]) -> Vec<CodecParameters> {
    let numbers = (96..).map(|number| PayloadType::new(number).unwrap());
    let codecs = mime_types.iter().zip(numbers);
    codecs
        .map(|(mime_type, payload_type)| CodecParameters {
            payload_type,
            codec: codec(mime_type),
            feedback: Vec::new(),
        })
        .collect()
}

fn rid(rid: &str) -> EncodingParameters {
    EncodingParameters {
        rid: Some(rid.into()),
        ..EncodingParameters::default()
    }
}

/// One encoding with what `set` changes.
fn one(set: impl FnOnce(&mut EncodingParameters)) -> Vec<EncodingParameters> {
    let mut own = EncodingParameters::default();
    set(&mut own);
    vec![own]
}

fn video(init: Vec<EncodingParameters>) -> Result<SendEncodings, Error> {
    SendEncodings::new(MediaKind::Video, init, &video_codecs(), can)
}

fn simulcast(rids: &[&str]) -> SendEncodings {
    video(rids.iter().map(|own| rid(own)).collect()).unwrap()
}

fn rids(encodings: &SendEncodings) -> Vec<&str> {
    encodings.rids().collect()
}

fn scales(encodings: &SendEncodings) -> Vec<Option<f64>> {
    let all = encodings.encodings().iter();
    all.map(|own| own.scale_resolution_down_by).collect()
}

fn names(rids: &[&str]) -> Vec<String> {
    rids.iter().map(|rid| (*rid).to_owned()).collect()
}

fn parameters(encodings: &mut SendEncodings, id: &str) -> SendParameters {
    encodings.parameters(|| id.into(), &[], &[], &RtcpParameters::default())
}

#[track_caller]
fn refused<T>(result: Result<T, Error>, kind: ErrorKind, culprit: &str) {
    let error = result.err().expect("it was accepted");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(culprit), "{error}");
}
