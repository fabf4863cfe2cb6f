//! Tracks whose frames come in several encodings.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    EncodedFrame, MediaFrame, MediaKind, MediaStreamTrack, Request, TrackFrames, TrackSource,
};

fn write(source: &TrackSource, encoding: usize, number: u64, is_key_frame: bool) {
    let frame = EncodedFrame {
        mime_type: "video/VP8".into(),
        data: Bytes::from_static(&[1]),
        timestamp: Duration::from_millis(number),
        is_key_frame,
        duration: None,
        size: None,
        encoding,
    };
    source.write(frame).expect("of the right kind");
}

fn read(frames: &mut TrackFrames) -> Vec<(usize, u64)> {
    let mut read = Vec::new();
    while let Some(MediaFrame::Encoded(frame)) = frames.try_next() {
        read.push((frame.encoding, frame.timestamp.as_millis() as u64));
    }
    read
}

fn track() -> (MediaStreamTrack, TrackSource) {
    MediaStreamTrack::new(MediaKind::Video, "layers", "")
}

#[test]
fn each_encoding_begins_with_a_key_frame_of_its_own() {
    let (track, source) = track();
    let mut frames = track.frames();
    for encoding in 0..3 {
        write(&source, encoding, 0, encoding == 1);
        write(&source, encoding, 1, false);
    }
    assert_eq!(read(&mut frames), [(1, 0), (1, 1)]);
    assert_eq!(source.try_request(), Some(Request::KeyFrameOf(0)));
    assert_eq!(source.try_request(), Some(Request::KeyFrameOf(2)));
    assert_eq!(source.try_request(), None);
    write(&source, 2, 2, true);
    write(&source, 0, 2, false);
    write(&source, 1, 2, false);
    assert_eq!(read(&mut frames), [(2, 2), (1, 2)]);
}

#[test]
fn wishes_are_of_one_encoding_or_of_all() {
    let (track, source) = track();
    let (first, second) = (track.frames(), track.frames());
    for encoding in 0..3 {
        write(&source, encoding, 0, true);
    }
    first.request_key_frame_of(1);
    second.request_key_frame_of(1);
    assert_eq!(source.try_request(), Some(Request::KeyFrameOf(1)));
    assert_eq!(source.try_request(), None);
    for encoding in [2, 0, 1, 8, usize::MAX] {
        first.request_key_frame_of(encoding);
    }
    assert_eq!(source.try_request(), Some(Request::KeyFrame));
    first.request_key_frame();
    assert_eq!(source.try_request(), Some(Request::KeyFrame));
    assert_eq!(source.try_request(), None);

    first.request_bitrates(&[150_000, 500_000, 0]);
    second.request_bitrates(&[200_000, 300_000, 900_000]);
    assert_eq!(source.try_request(), Some(Request::BitrateOf(0, 150_000)));
    assert_eq!(source.try_request(), Some(Request::BitrateOf(1, 300_000)));
    assert_eq!(source.try_request(), Some(Request::BitrateOf(2, 0)));
    assert_eq!(source.try_request(), None);
    drop(first);
    assert_eq!(source.try_request(), Some(Request::BitrateOf(0, 200_000)));
    assert_eq!(source.try_request(), Some(Request::BitrateOf(2, 900_000)));
    assert_eq!(source.try_request(), None);
}

#[test]
fn more_encodings_than_anyone_sends_are_left_out() {
    let (track, source) = track();
    let mut frames = track.frames();
    for encoding in [7, 8, usize::MAX] {
        write(&source, encoding, 0, true);
    }
    assert_eq!(read(&mut frames), [(7, 0)]);
    assert_eq!(frames.lost(), 2);
    frames.request_bitrates(&[1; 9]);
    let requests = std::iter::from_fn(|| source.try_request());
    assert_eq!(requests.count(), 8);
}

#[test]
fn three_encodings_may_wait_as_long_as_one() {
    let (track, source) = track();
    let mut frames = track.frames();
    for number in 0..64 {
        for encoding in 0..3 {
            write(&source, encoding, number, number == 0);
        }
    }
    assert_eq!(frames.lost(), 0);
    assert_eq!(read(&mut frames).len(), 3 * 64);
}
