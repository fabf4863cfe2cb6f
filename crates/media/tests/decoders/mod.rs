//! What the fuzz target `media_decoders` runs.
//!
//! The first byte chooses the decoder. The rest are packets or frames, each behind its length in two
//! bytes; an empty one is a loss.

use std::time::Duration;

use pc_media::codec::{self, AudioDecoder, VideoDecoder};

pub fn run(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    match choice % 8 {
        0 => audio(codec::audio_decoder("audio/opus", 48_000, 2, None), data),
        1 => audio(codec::audio_decoder("audio/PCMU", 8_000, 1, None), data),
        2 => audio(codec::audio_decoder("audio/PCMA", 8_000, 1, None), data),
        3 => video(codec::video_decoder("video/VP8", None), data),
        4 => video(codec::video_decoder("video/VP9", None), data),
        5 => video(codec::video_decoder("video/AV1", None), data),
        6 => audio(codec::audio_decoder("audio/G722", 8_000, 1, None), data),
        _ => {}
    }
}

fn packets(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (packet, rest) = rest.split_at(length);
        data = rest;
        Some(packet)
    })
}

fn audio(decoder: Option<Box<dyn AudioDecoder>>, data: &[u8]) {
    let mut decoder = decoder.expect("a decoder");
    let channels = usize::from(decoder.channels());
    // A second, which no packet has more of.
    let most = decoder.sample_rate() as usize * channels;
    let mut out = Vec::new();
    for packet in packets(data) {
        if packet.is_empty() {
            decoder.conceal(&mut out);
            assert!(!out.is_empty());
        } else if decoder.decode(packet, &mut out).is_err() {
            assert!(out.is_empty());
            decoder.recover(packet, &mut out);
        }
        assert!(out.len() <= most && out.len() % channels == 0);
    }
}

fn video(decoder: Option<Box<dyn VideoDecoder>>, data: &[u8]) {
    // Not every build has AV1.
    let Some(mut decoder) = decoder else { return };
    for (at, frame) in packets(data).enumerate() {
        let time = Duration::from_millis(at as u64);
        if let Ok(Some(picture)) = decoder.decode(frame, time) {
            assert_eq!(picture.timestamp(), time);
            assert!(u64::from(picture.width()) * u64::from(picture.height()) <= 4_096 * 2_304);
        }
    }
}
