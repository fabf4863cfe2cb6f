//! Media from a source to those who read its tracks.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::Duration,
};

use bytes::Bytes;

use super::executor::{Count, Watch, block_on};
use crate::{
    AudioFrame, EncodedFrame, MediaFrame, MediaKind, MediaStreamTrack, Request, TrackFrames,
    TrackSource, VideoFrame, WrongKind,
};

fn audio() -> (MediaStreamTrack, TrackSource) {
    MediaStreamTrack::new(MediaKind::Audio, "id", "")
}

fn video() -> (MediaStreamTrack, TrackSource) {
    MediaStreamTrack::new(MediaKind::Video, "id", "")
}

/// 10 ms of samples that tell which they are.
fn sound(number: u64) -> AudioFrame {
    let samples = vec![number as i16 + 1; 960];
    AudioFrame::new(48_000, 2, samples, Duration::from_millis(number * 10)).expect("a frame")
}

fn picture(number: u64) -> VideoFrame {
    let data = vec![number as u8 + 20; 6];
    VideoFrame::new(2, 2, data, Duration::from_millis(number)).expect("a frame")
}

fn encoded(number: u64, is_key_frame: bool) -> EncodedFrame {
    EncodedFrame {
        mime_type: "video/VP8".into(),
        data: Bytes::from(vec![number as u8]),
        timestamp: Duration::from_millis(number),
        is_key_frame,
        duration: None,
        size: None,
        encoding: 0,
    }
}

fn write(source: &TrackSource, frame: impl Into<MediaFrame>) {
    source.write(frame).expect("of the right kind");
}

/// The milliseconds of all that waits.
fn times(frames: &mut TrackFrames) -> Vec<u128> {
    let frames = std::iter::from_fn(|| frames.try_next());
    frames.map(|it| it.timestamp().as_millis()).collect()
}

fn is_over(frames: &mut TrackFrames) -> bool {
    let (_, waker) = Count::waker();
    match frames.poll_next(&mut Context::from_waker(&waker)) {
        Poll::Ready(frame) => frame.is_none(),
        Poll::Pending => false,
    }
}

#[test]
fn every_reader_of_every_track_gets_the_frames_of_its_time() {
    let (track, source) = audio();
    write(&source, sound(0));
    assert!(!source.is_read());
    let mut first = track.frames();
    assert!(source.is_read());
    write(&source, sound(1));
    let mut of_clone = track.clone_track("clone").frames();
    write(&source, sound(2));
    assert_eq!(first.try_next(), Some(sound(1).into()));
    assert_eq!(first.try_next(), Some(sound(2).into()));
    assert_eq!(first.try_next(), None);
    assert_eq!(of_clone.try_next(), Some(sound(2).into()));
    assert_eq!((first.lost(), of_clone.lost()), (0, 0));
    drop((first, of_clone));
    assert!(!source.is_read());
}

#[test]
fn frames_are_shared_not_copied() {
    let (track, source) = audio();
    let mut readers = [track.frames(), track.frames()];
    let frame = sound(1);
    write(&source, frame.clone());
    for reader in &mut readers {
        let Some(MediaFrame::Audio(got)) = reader.try_next() else {
            panic!("a frame of audio")
        };
        assert_eq!(got.samples().as_ptr(), frame.samples().as_ptr());
    }
}

#[test]
fn a_frame_of_another_kind_is_refused() {
    let (track, source) = audio();
    let mut frames = track.frames();
    let refused = Err(WrongKind {
        track: MediaKind::Audio,
    });
    let of = |mime: &str| EncodedFrame {
        mime_type: mime.into(),
        ..encoded(0, true)
    };
    assert_eq!(source.write(picture(0)), refused);
    assert_eq!(source.write(of("video/VP8")), refused);
    assert_eq!(source.write(of("opus")), refused);
    assert_eq!(frames.try_next(), None);
    assert_eq!(source.write(of("Audio/OPUS")), Ok(()));
    assert_eq!(frames.try_next(), Some(of("Audio/OPUS").into()));
}

#[test]
fn a_slow_reader_loses_the_oldest_and_is_told_how_many() {
    let (track, source) = video();
    let (mut usual, mut roomy) = (track.frames(), track.frames_buffered(10));
    let mut least = track.frames_buffered(0);
    for number in 0..12 {
        write(&source, picture(number));
    }
    assert_eq!((usual.lost(), roomy.lost(), least.lost()), (8, 2, 11));
    assert_eq!(times(&mut usual), [8, 9, 10, 11]);
    assert_eq!(times(&mut roomy), (2..12).collect::<Vec<_>>());
    assert_eq!(times(&mut least), [11]);
    write(&source, picture(12));
    assert_eq!(times(&mut usual), [12]);
    assert_eq!(usual.lost(), 8);
}

#[test]
fn a_disabled_track_is_silent_and_black() {
    let (track, source) = audio();
    let clone = track.clone_track("clone");
    let mut frames = [track.frames(), clone.frames()];
    track.set_enabled(false);
    write(&source, sound(5));
    assert_eq!(frames[0].try_next(), Some(sound(5).silenced().into()));
    assert_eq!(frames[1].try_next(), Some(sound(5).into()));
    assert!(sound(5).silenced().samples().iter().all(|it| *it == 0));
    assert_eq!(sound(5).silenced().duration(), Duration::from_millis(10));

    let (track, source) = video();
    let mut frames = track.frames();
    track.set_enabled(false);
    write(&source, picture(7));
    let black = VideoFrame::black(2, 2, Duration::from_millis(7)).expect("black");
    assert_eq!(frames.try_next(), Some(black.into()));
}

/// What is captured while nobody is to hear it is not heard later, and what was captured before is
/// not heard once that is said.
#[test]
fn a_frame_counts_only_if_the_track_is_enabled_when_it_comes_and_when_it_is_read() {
    let (track, source) = audio();
    let mut frames = track.frames();
    track.set_enabled(false);
    write(&source, sound(1));
    track.set_enabled(true);
    write(&source, sound(2));
    write(&source, sound(3));
    assert_eq!(frames.try_next(), Some(sound(1).silenced().into()));
    assert_eq!(frames.try_next(), Some(sound(2).into()));
    track.set_enabled(false);
    assert_eq!(frames.try_next(), Some(sound(3).silenced().into()));
}

#[test]
fn a_muted_source_gives_nothing() {
    let (track, source) = MediaStreamTrack::remote(MediaKind::Audio, "id");
    let mut frames = track.frames();
    write(&source, sound(1));
    assert_eq!(frames.try_next(), None);
    source.set_muted(false);
    write(&source, sound(2));
    source.set_muted(true);
    write(&source, sound(3));
    assert_eq!(times(&mut frames), [20]);
    assert!(!is_over(&mut frames));
}

#[test]
fn after_the_end_comes_what_was_written_before() {
    for end in [
        |_: &MediaStreamTrack, source: TrackSource| drop(source),
        |track: &MediaStreamTrack, source: TrackSource| {
            track.stop();
            write(&source, sound(9));
        },
        |_: &MediaStreamTrack, source: TrackSource| {
            source.end();
            write(&source, sound(9));
        },
    ] {
        let (track, source) = audio();
        let mut frames = track.frames();
        write(&source, sound(1));
        write(&source, sound(2));
        end(&track, source);
        assert_eq!(times(&mut frames), [10, 20]);
        assert!(is_over(&mut frames));
        assert!(is_over(&mut track.frames()));
    }
}

#[test]
fn a_stopped_track_gets_nothing_while_its_clone_goes_on() {
    let (track, source) = audio();
    let clone = track.clone_track("clone");
    let (mut of_track, mut of_clone) = (track.frames(), clone.frames());
    track.stop();
    write(&source, sound(1));
    assert!(is_over(&mut of_track));
    assert_eq!(times(&mut of_clone), [10]);
    assert!(source.is_read());
    clone.stop();
    assert!(!source.is_read());
}

#[test]
fn encoded_frames_begin_with_a_key_frame_and_go_on_with_one_after_a_loss() {
    let (track, source) = video();
    let mut frames = track.frames_buffered(3);
    for number in 0..3 {
        write(&source, encoded(number, false));
    }
    // Asked for once, not for each frame that is of no use.
    assert_eq!(source.try_request(), Some(Request::KeyFrame));
    assert_eq!(source.try_request(), None);
    assert_eq!(frames.lost(), 3);
    for number in 3..6 {
        write(&source, encoded(number, number == 3));
    }
    // The fourth has no room, so all are lost that build on each other.
    write(&source, encoded(6, false));
    write(&source, encoded(7, false));
    assert_eq!(frames.lost(), 8);
    assert_eq!(times(&mut frames), []);
    assert_eq!(source.try_request(), Some(Request::KeyFrame));
    write(&source, encoded(8, true));
    write(&source, encoded(9, false));
    assert_eq!(times(&mut frames), [8, 9]);
    assert_eq!((source.try_request(), frames.lost()), (None, 8));
}

#[test]
fn encoded_frames_of_a_disabled_track_are_left_out() {
    let (track, source) = video();
    let mut frames = track.frames();
    write(&source, encoded(0, true));
    write(&source, encoded(1, false));
    track.set_enabled(false);
    write(&source, encoded(2, false));
    assert_eq!(times(&mut frames), []);
    track.set_enabled(true);
    // It builds on what was not seen.
    write(&source, encoded(3, false));
    assert_eq!(times(&mut frames), []);
    assert_eq!(source.try_request(), Some(Request::KeyFrame));
    write(&source, encoded(4, true));
    assert_eq!(times(&mut frames), [4]);
}

#[test]
fn requests_reach_the_source_once() {
    let (track, source) = video();
    let (first, second) = (track.frames(), track.frames());
    assert_eq!(source.try_request(), None);
    first.request_key_frame();
    track.request_key_frame();
    assert_eq!(source.try_request(), Some(Request::KeyFrame));
    assert_eq!(source.try_request(), None);
    first.request_bitrate(500_000);
    second.request_bitrate(800_000);
    assert_eq!(source.try_request(), Some(Request::Bitrate(500_000)));
    second.request_bitrate(300_000);
    second.request_bitrate(300_000);
    assert_eq!(source.try_request(), Some(Request::Bitrate(300_000)));
    assert_eq!(source.try_request(), None);
    // The least that any reader wants is more when one goes.
    drop(second);
    assert_eq!(source.try_request(), Some(Request::Bitrate(500_000)));
    track.stop();
    track.request_key_frame();
    assert_eq!(source.try_request(), None);
}

#[test]
fn who_waits_for_requests_is_woken() {
    let (track, source) = video();
    let frames = track.frames();
    thread::scope(|scope| {
        let requests = scope.spawn(|| {
            let mut heard = Vec::new();
            while let Some(request) = block_on(source.next_request()) {
                heard.push(request);
            }
            heard
        });
        frames.request_bitrate(100_000);
        frames.request_key_frame();
        // Whatever of it was heard by then, the end is.
        track.stop();
        let heard = requests.join().expect("the source");
        assert!(heard.len() <= 2, "{heard:?}");
    });
    let (count, waker) = Count::waker();
    let mut context = Context::from_waker(&waker);
    let (track, source) = video();
    let mut request = Box::pin(source.next_request());
    assert!(request.as_mut().poll(&mut context).is_pending());
    track.request_key_frame();
    assert_eq!(count.get(), 1);
    let key_frame = Poll::Ready(Some(Request::KeyFrame));
    assert_eq!(request.as_mut().poll(&mut context), key_frame);
    let mut request = Box::pin(source.next_request());
    assert!(request.as_mut().poll(&mut context).is_pending());
    track.stop();
    assert_eq!(count.get(), 2);
    assert_eq!(request.as_mut().poll(&mut context), Poll::Ready(None));
}

#[test]
fn readers_on_threads_get_all_in_order_or_know_what_they_lost() {
    const FRAMES: u64 = 5_000;
    let (track, source) = audio();
    let keeps_up = track.frames_buffered(FRAMES as usize);
    let slow = track.clone_track("clone").frames_buffered(2);
    let count = |mut frames: TrackFrames| {
        let (mut seen, mut last) = (0, None);
        while let Some(frame) = frames.blocking_next() {
            let time = Some(frame.timestamp());
            assert!(time > last, "in order");
            (seen, last) = (seen + 1, time);
        }
        assert_eq!(last, Some(Duration::from_millis((FRAMES - 1) * 10)));
        (seen, frames.lost())
    };
    thread::scope(|scope| {
        let readers = [keeps_up, slow].map(|frames| scope.spawn(move || count(frames)));
        for number in 0..FRAMES {
            write(&source, sound(number));
        }
        source.end();
        let [all, some] = readers.map(|thread| thread.join().expect("a reader"));
        assert_eq!(all, (FRAMES, 0));
        assert_eq!(some.0 + some.1, FRAMES);
    });
}

#[test]
fn nothing_of_the_callers_runs_under_the_lock() {
    /// Bytes that look, when they are dropped, whether the lock is held.
    struct Looking(std::task::Waker);
    impl AsRef<[u8]> for Looking {
        fn as_ref(&self) -> &[u8] {
            &[0]
        }
    }
    impl Drop for Looking {
        fn drop(&mut self) {
            self.0.wake_by_ref();
        }
    }
    let (track, source) = video();
    let shared = Arc::downgrade(&source.shared);
    let watch = Watch::over(move || shared.upgrade().is_some_and(|it| it.is_locked()));
    let looking = |is_key_frame| EncodedFrame {
        data: Bytes::from_owner(Looking(watch.waker())),
        ..encoded(0, is_key_frame)
    };
    // A waker of its own looks when it is woken and when it is dropped, so two each.
    let mut frames = track.frames_buffered(2);
    watch.park(pin!(frames.next()));
    write(&source, looking(true));
    assert_eq!(watch.seen(), (2, 0));
    write(&source, looking(false));
    assert_eq!(watch.seen(), (0, 0));
    // No room: all three go.
    write(&source, looking(false));
    assert_eq!(watch.seen(), (6, 0));
    write(&source, looking(true));
    track.set_enabled(false);
    assert_eq!(frames.try_next(), None);
    assert_eq!(watch.seen(), (2, 0));
    track.set_enabled(true);
    write(&source, looking(true));
    drop(frames);
    assert_eq!(watch.seen(), (2, 0));
}

#[test]
fn a_reader_that_is_dropped_leaves_nothing_behind() {
    let (track, source) = audio();
    let (count, waker) = Count::waker();
    let mut context = Context::from_waker(&waker);
    for _ in 0..10 {
        let mut frames = track.frames();
        let mut request = Box::pin(source.next_request());
        for _ in 0..3 {
            assert!(frames.poll_next(&mut context).is_pending());
            assert!(request.as_mut().poll(&mut context).is_pending());
        }
    }
    drop(waker);
    let state = source.shared.lock();
    assert!(!state.readers.any_live());
    assert_eq!(state.requests.waiters.len(), 0);
    drop(state);
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
fn a_reader_keeps_its_track() {
    let (track, source) = audio();
    let mut frames = track.frames();
    drop(track);
    write(&source, sound(1));
    assert_eq!(times(&mut frames), [10]);
    assert!(!source.is_stopped());
    assert_eq!(frames.track().id(), "id");
    drop(frames);
    assert!(source.is_stopped());
}
