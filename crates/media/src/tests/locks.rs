//! No lock is held while code of the caller's runs: a waker may use the handles that wake it.

use std::{pin::pin, sync::Arc};

use super::executor::{Count, Watch};
use crate::{MediaKind, MediaStream, MediaStreamTrack, StreamControl, StreamEvents, TrackSource};

fn track() -> (MediaStreamTrack, TrackSource, Watch) {
    let (track, source) = MediaStreamTrack::new(MediaKind::Video, "id", "");
    let shared = Arc::downgrade(&source.shared);
    let watch = Watch::over(move || shared.upgrade().is_some_and(|it| it.is_locked()));
    (track, source, watch)
}

fn stream() -> (MediaStream, StreamControl, Watch) {
    let (stream, control) = MediaStream::controlled("id");
    let weak = stream.downgrade();
    let watch = Watch::over(move || weak.upgrade().is_some_and(|it| it.is_locked()));
    (stream, control, watch)
}

/// Does `act` while `events` and the source's stop are waited for. Each waker that is woken looks
/// twice, then and when it is dropped.
fn while_waiting(act: impl FnOnce(MediaStreamTrack, &TrackSource), looks: usize) {
    let (track, source, watch) = track();
    let mut events = track.clone_track("clone").events();
    let mut stopped = Box::pin(source.stopped());
    watch.park(pin!(events.next()));
    watch.park(stopped.as_mut());
    assert_eq!(watch.seen(), (0, 0));
    // Only `events` has the other track.
    act(track, &source);
    assert_eq!(watch.seen(), (looks, 0));
}

#[test]
fn the_watch_sees_a_lock_that_is_held() {
    let (_track, source, watch) = track();
    let state = source.shared.lock();
    watch.waker().wake();
    assert_eq!(watch.seen(), (2, 2));
    drop(state);
    drop(watch.waker());
    assert_eq!(watch.seen(), (1, 0));
    let (stream, _control, watch) = stream();
    let state = stream.lock();
    drop(watch.waker());
    assert_eq!(watch.seen(), (1, 1));
    drop(state);
}

#[test]
fn a_source_wakes_without_its_lock() {
    while_waiting(|_, source| source.set_muted(true), 2);
    while_waiting(|_, source| source.end(), 4);
    while_waiting(|track, _| track.stop(), 2);
    while_waiting(|track, _| drop(track), 0);
}

#[test]
fn the_last_track_wakes_without_the_sources_lock() {
    for last in [|track: MediaStreamTrack| track.stop(), drop] {
        let (track, source, watch) = track();
        let mut stopped = Box::pin(source.stopped());
        watch.park(stopped.as_mut());
        last(track);
        assert_eq!(watch.seen(), (2, 0));
    }
}

#[test]
fn wakers_of_a_track_are_replaced_and_dropped_without_its_lock() {
    let (track, source, watch) = track();
    let mut events = track.events();
    let mut stopped = Box::pin(source.stopped());
    for looks in [0, 1, 1] {
        watch.park(pin!(events.next()));
        assert_eq!(watch.seen(), (looks, 0));
        watch.park(stopped.as_mut());
        assert_eq!(watch.seen(), (looks, 0));
    }
    drop(events);
    assert_eq!(watch.seen(), (1, 0));
    drop(stopped);
    assert_eq!(watch.seen(), (1, 0));
}

#[test]
fn a_stream_wakes_without_its_lock() {
    let (track, _source, _) = track();
    let (stream, control, watch) = stream();
    let mut events = stream.events();
    watch.park(pin!(events.next()));
    control.add_track(&track);
    assert_eq!(watch.seen(), (2, 0));
    assert!(events.try_next().is_some());
    watch.park(pin!(events.next()));
    control.remove_track(&track);
    assert_eq!(watch.seen(), (2, 0));
    assert!(events.try_next().is_some());
    watch.park(pin!(events.next()));
    drop(control);
    assert_eq!(watch.seen(), (2, 0));
}

#[test]
fn wakers_of_a_stream_are_replaced_and_dropped_without_its_lock() {
    let (stream, _control, watch) = stream();
    let mut events = stream.events();
    for looks in [0, 1, 1] {
        watch.park(pin!(events.next()));
        assert_eq!(watch.seen(), (looks, 0));
    }
    drop(events);
    assert_eq!(watch.seen(), (1, 0));
}

#[test]
fn the_last_handle_of_a_track_is_not_dropped_under_the_streams_lock() {
    let (stream, control, watch) = stream();
    let mut events = stream.events();
    let (passing, source, _) = track();
    for _ in 0..StreamEvents::LOSSLESS {
        control.add_track(&passing);
        control.remove_track(&passing);
    }
    drop(passing);
    // Only unread events have the track.
    let mut stopped = Box::pin(source.stopped());
    watch.park(stopped.as_mut());
    drop(events.try_next());
    assert!(!source.is_stopped());
    drop(events);
    assert!(source.is_stopped());
    assert_eq!(watch.seen(), (2, 0));
}

#[test]
fn a_waker_may_use_what_woke_it() {
    let (count, waker) = Count::waker();
    let (track, source, _) = track();
    let mut events = track.events();
    let (again, inner) = (track.clone(), waker.clone());
    // It does whatever a handle can do, from within the source's `set_muted`.
    let watch = Watch::over(move || {
        again.stop();
        drop(again.clone_track("clone").events());
        inner.wake_by_ref();
        false
    });
    watch.park(pin!(events.next()));
    source.set_muted(true);
    assert_eq!(count.get(), 2);
    assert!(track.muted() && source.is_stopped());
}
