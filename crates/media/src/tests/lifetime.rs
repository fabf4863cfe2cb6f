//! What is dropped is gone.

use std::{
    sync::{Arc, Weak},
    task::Context,
};

use super::executor::Count;
use crate::{
    MediaKind, MediaStream, MediaStreamTrack, MediaStreamTrackState::Ended, TrackEvent, TrackSource,
};

fn is_gone<T>(it: &Weak<T>) -> bool {
    it.strong_count() == 0
}

#[test]
fn nothing_leaks_in_a_cycle() {
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "id", "");
    let clone = track.clone_track("clone");
    let (stream, control) = MediaStream::controlled("stream");
    control.add_track(&track);
    stream.add_track(&clone);
    let copy = stream.clone_stream("copy", || "track".into());
    let (track_events, stream_events) = (track.events(), stream.events());
    let tracks = [
        track.downgrade(),
        clone.downgrade(),
        copy.tracks()[0].downgrade(),
    ];
    let streams = [stream.downgrade(), copy.downgrade()];
    let shared = Arc::downgrade(&source.shared);

    drop((track, clone, stream, copy, source, control));
    assert!(!is_gone(&tracks[0]) && !is_gone(&streams[0]) && !is_gone(&shared));
    drop(stream_events);
    assert!(streams.iter().all(is_gone));
    assert!(!is_gone(&tracks[0]) && is_gone(&tracks[1]) && is_gone(&tracks[2]));
    drop(track_events);
    assert!(is_gone(&tracks[0]) && is_gone(&shared));
}

#[test]
fn a_source_holds_no_track_and_a_track_no_stream() {
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "id", "");
    let stream = MediaStream::new("stream", [track.clone()]);
    let (weak_track, weak_stream) = (track.downgrade(), stream.downgrade());
    drop(stream);
    assert!(is_gone(&weak_stream));
    drop(track);
    assert!(is_gone(&weak_track));
    assert!(source.is_stopped());
}

#[test]
fn the_drop_of_the_source_is_the_end() {
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "id", "");
    let mut events = track.events();
    let (count, waker) = Count::waker();
    let polled = events.poll_next(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    drop(source);
    assert_eq!(count.get(), 1);
    assert_eq!(track.ready_state(), Ended);
    assert_eq!(events.try_next(), Some(TrackEvent::Ended));
    assert_eq!(events.try_next(), None);
}

#[test]
fn listeners_that_are_dropped_leave_nothing_behind() {
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "id", "");
    let (stream, _control) = MediaStream::controlled("stream");
    let (count, waker) = Count::waker();
    let mut context = Context::from_waker(&waker);
    for _ in 0..100 {
        let (mut of_track, mut of_stream) = (track.events(), stream.events());
        let mut stopped = Box::pin(source.stopped());
        for _ in 0..3 {
            assert!(of_track.poll_next(&mut context).is_pending());
            assert!(of_stream.poll_next(&mut context).is_pending());
            assert!(stopped.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(waiting(&source, &stream), ([1, 1], [1, 1]));
    }
    assert_eq!(waiting(&source, &stream), ([0, 0], [0, 0]));
    drop(waker);
    assert_eq!((Arc::strong_count(&count), count.get()), (1, 0));
}

#[test]
fn unread_events_go_with_their_listener() {
    let (stream, control) = MediaStream::controlled("stream");
    let events = stream.events();
    let (track, source) = MediaStreamTrack::remote(MediaKind::Audio, "id");
    control.add_track(&track);
    control.remove_track(&track);
    drop(track);
    assert!(!source.is_stopped());
    drop(events);
    assert!(source.is_stopped());
}

/// The wakers of listeners and of those who wait for the source's stop; a stream's listeners and
/// their wakers.
fn waiting(source: &TrackSource, stream: &MediaStream) -> ([usize; 2], [usize; 2]) {
    let (of_source, of_stream) = (source.shared.lock(), stream.lock());
    (
        [of_source.listeners.len(), of_source.stop_waiters.len()],
        [of_stream.listeners.len(), of_stream.listeners.wakers.len()],
    )
}
