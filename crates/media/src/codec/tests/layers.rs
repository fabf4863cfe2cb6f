//! Layers in time: streams from which the upper ones are left out.

use std::time::Duration;

use super::{picture, psnr};
use crate::{
    VideoFrame,
    codec::{self, Encoded, VideoEncoder, VideoEncoderConfig},
};

const CONFIG: VideoEncoderConfig = VideoEncoderConfig {
    width: 174,
    height: 134,
    bitrate: 600_000,
    frame_rate: 30.0,
};

fn encoder(mode: &str) -> Box<dyn VideoEncoder> {
    let mut encoder = codec::video_encoder("video/VP8", None, CONFIG).expect("an encoder");
    assert!(encoder.set_scalability_mode(mode), "{mode}");
    encoder
}

/// A stream of so many pictures, with a key frame at 10.
fn stream(mode: &str, pictures: u32) -> Vec<(Encoded, Vec<u8>, VideoFrame)> {
    let mut encoder = encoder(mode);
    let mut stream = Vec::new();
    for at in 0..pictures {
        let time = Duration::from_millis((at * 33).into());
        let frame = picture(174, 134, at).with_timestamp(time);
        let mut data = Vec::new();
        let encoded = encoder
            .encode(&frame, at == 10, &mut data)
            .expect("it encodes");
        assert_eq!(encoded.is_key_frame, at == 0 || at == 10, "{mode} {at}");
        stream.push((encoded, data, frame));
    }
    stream
}

/// What a decoder shows of the layers up to `highest`, by the number of the picture.
fn decoded(stream: &[(Encoded, Vec<u8>, VideoFrame)], highest: u8) -> Vec<Option<VideoFrame>> {
    let mut decoder = codec::video_decoder("video/VP8", None).expect("a decoder");
    let of = |(encoded, data, frame): &(Encoded, Vec<u8>, VideoFrame)| {
        if encoded.layer.expect("layers").id > highest {
            return None;
        }
        let shown = decoder.decode(data, frame.timestamp()).expect("it decodes");
        let shown = shown.expect("it is shown");
        let quality = psnr(frame, &shown);
        assert!(quality > 28.0, "{quality} dB in {encoded:?}");
        Some(shown)
    };
    stream.iter().map(of).collect()
}

#[test]
fn upper_layers_can_be_left_out() {
    for (mode, layers) in [("L1T2", 2), ("L1T3", 3)] {
        let stream = stream(mode, 20);
        let all = decoded(&stream, 2);
        for highest in 0..layers {
            let some = decoded(&stream, highest);
            for (at, (some, all)) in some.iter().zip(&all).enumerate() {
                // To the last bit: nothing below has looked at what was left out.
                assert!(
                    some.is_none() || some == all,
                    "{mode} {at}, up to {highest}"
                );
            }
        }
    }
}

#[test]
fn the_layers_are_those_of_the_mode() {
    let ids = |mode| -> Vec<u8> {
        let stream = stream(mode, 14);
        let ids = stream.iter().map(|(it, ..)| it.layer.expect("layers").id);
        ids.collect()
    };
    // A key frame begins anew.
    assert_eq!(ids("L1T2"), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    assert_eq!(ids("L1T3"), [0, 2, 1, 2, 0, 2, 1, 2, 0, 2, 0, 2, 1, 2]);
    for (encoded, ..) in stream("L1T3", 9) {
        let layer = encoded.layer.expect("layers");
        assert!(layer.id != 0 || !layer.is_discardable);
        assert_eq!(layer.is_discardable, layer.id == 2);
    }
}

/// A decoder that lacks a picture which a sync point does not build on shows the rest as it is.
#[test]
fn a_sync_point_needs_the_base_layer_alone() {
    let stream = stream("L1T3", 9);
    let all = decoded(&stream, 2);
    let syncs = stream.iter().enumerate().filter(|(_, (it, ..))| {
        let layer = it.layer.expect("layers");
        layer.is_sync && layer.id > 0
    });
    let mut tried = 0;
    for (at, (_, data, frame)) in syncs {
        let mut decoder = codec::video_decoder("video/VP8", None).expect("a decoder");
        for (encoded, data, frame) in &stream[..at] {
            if encoded.layer.expect("layers").id == 0 {
                decoder.decode(data, frame.timestamp()).expect("it decodes");
            }
        }
        let shown = decoder.decode(data, frame.timestamp()).expect("it decodes");
        assert_eq!(shown, all[at], "{at}");
        tried += 1;
    }
    assert_eq!(tried, 4);
}

#[test]
fn a_mode_that_cannot_be_made_changes_nothing() {
    let mut encoder = encoder("L1T2");
    for mode in ["L1T4", "L2T1", "S2T1", "", "l1t2"] {
        assert!(!encoder.set_scalability_mode(mode), "{mode}");
    }
    let mut data = Vec::new();
    for at in 0..2 {
        let encoded = encoder.encode(&picture(174, 134, at), false, &mut data);
        assert_eq!(
            encoded.expect("it encodes").layer.map(|it| it.id),
            Some(at as u8)
        );
    }
    // Without layers none is told of.
    assert!(encoder.set_scalability_mode("L1T1"));
    let encoded = encoder.encode(&picture(174, 134, 2), false, &mut data);
    assert_eq!(encoded.expect("it encodes").layer, None);
}

#[test]
fn every_mode_that_is_named_can_be_made() {
    let mut some = 0;
    for mime in [
        "video/VP8",
        "video/VP9",
        "video/H264",
        "video/AV1",
        "audio/opus",
    ] {
        for mode in codec::scalability_modes(mime, None) {
            let mut encoder = codec::video_encoder(mime, None, CONFIG).expect("an encoder");
            assert!(encoder.set_scalability_mode(mode), "{mime} {mode}");
            some += 1;
        }
    }
    assert!(some >= 4, "{some}");
    assert!(codec::scalability_modes("audio/opus", None).is_empty());
}
