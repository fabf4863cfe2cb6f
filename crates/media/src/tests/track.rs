use std::{collections::HashSet, task::Context};

use super::executor::{Count, block_on};
use crate::{
    MediaKind::{Audio, Video},
    MediaStreamTrack,
    MediaStreamTrackState::{Ended, Live},
    TrackEvent, TrackEvents, TrackSource,
};

fn track() -> (MediaStreamTrack, TrackSource) {
    MediaStreamTrack::new(Video, "id", "camera")
}

fn all(events: &mut TrackEvents) -> Vec<TrackEvent> {
    std::iter::from_fn(|| events.try_next()).collect()
}

/// No more will come, rather than none yet.
fn is_over(events: &mut TrackEvents) -> bool {
    let (_, waker) = Count::waker();
    let next = events.poll_next(&mut Context::from_waker(&waker));
    assert!(!matches!(next, std::task::Poll::Ready(Some(_))), "{next:?}");
    next.is_ready()
}

#[test]
fn a_local_track_begins_live_enabled_and_unmuted() {
    let (track, source) = track();
    assert_eq!(
        (track.kind(), track.id(), track.label()),
        (Video, "id", "camera")
    );
    assert_eq!(track.ready_state(), Live);
    assert!(track.enabled() && !track.muted());
    assert_eq!(source.kind(), Video);
    assert!(!source.muted() && !source.is_stopped());
}

#[test]
fn a_remote_track_begins_muted() {
    for (kind, label) in [(Audio, "remote audio"), (Video, "remote video")] {
        let (track, source) = MediaStreamTrack::remote(kind, "id");
        assert_eq!(
            (track.kind(), track.id(), track.label()),
            (kind, "id", label)
        );
        assert_eq!(track.ready_state(), Live);
        assert!(track.enabled() && track.muted() && source.muted());
        let mut events = track.events();
        source.set_muted(false);
        assert!(!track.muted());
        assert_eq!(all(&mut events), [TrackEvent::Unmute]);
    }
}

#[test]
fn the_words_are_those_of_the_w3c() {
    assert_eq!([Audio, Video].map(|it| it.to_string()), ["audio", "video"]);
    assert_eq!([Live, Ended].map(|it| it.to_string()), ["live", "ended"]);
}

#[test]
fn muting_fires_on_change_only() {
    let (track, source) = track();
    let mut events = track.events();
    for muted in [false, true, true, false, false, true] {
        source.set_muted(muted);
        assert_eq!((track.muted(), source.muted()), (muted, muted));
    }
    assert_eq!(
        all(&mut events),
        [TrackEvent::Mute, TrackEvent::Unmute, TrackEvent::Mute]
    );
    assert!(!is_over(&mut events));
}

#[test]
fn enabling_fires_nothing_and_works_after_the_end() {
    let (track, source) = track();
    let mut events = track.events();
    track.set_enabled(false);
    assert!(!track.enabled() && !track.muted());
    assert_eq!(all(&mut events), []);
    source.end();
    track.set_enabled(true);
    assert!(track.enabled());
    assert_eq!(all(&mut events), [TrackEvent::Ended]);
}

#[test]
fn the_end_of_the_source_fires_once() {
    let (track, source) = track();
    let mut events = track.events();
    source.end();
    source.end();
    track.stop();
    drop(source);
    assert_eq!(track.ready_state(), Ended);
    assert_eq!(all(&mut events), [TrackEvent::Ended]);
    assert!(is_over(&mut events));
}

#[test]
fn stopping_fires_nothing_and_ends_the_events() {
    let (track, source) = track();
    let mut events = track.events();
    track.stop();
    assert_eq!(track.ready_state(), Ended);
    source.end();
    assert_eq!(all(&mut events), []);
    assert!(is_over(&mut events));
}

#[test]
fn an_ended_track_is_not_muted_any_more() {
    let (track, source) = track();
    source.end();
    let mut events = track.events();
    source.set_muted(true);
    assert!(!track.muted());
    assert!(is_over(&mut events));
}

#[test]
fn a_stopped_track_keeps_its_muted_while_its_clone_goes_on() {
    let (track, source) = track();
    let clone = track.clone_track("clone");
    let (mut of_track, mut of_clone) = (track.events(), clone.events());
    source.set_muted(true);
    track.stop();
    source.set_muted(false);
    assert!(track.muted() && !clone.muted());
    assert_eq!(all(&mut of_track), [TrackEvent::Mute]);
    assert!(is_over(&mut of_track));
    assert_eq!(all(&mut of_clone), [TrackEvent::Mute, TrackEvent::Unmute]);
    assert!(!is_over(&mut of_clone));
}

#[test]
fn a_clone_begins_as_the_track_is() {
    let (track, source) = track();
    source.set_muted(true);
    track.set_enabled(false);
    let clone = track.clone_track("clone");
    assert_ne!(clone, track);
    assert_eq!(
        (clone.kind(), clone.id(), clone.label()),
        (Video, "clone", "camera")
    );
    assert_eq!(clone.ready_state(), Live);
    assert!(clone.muted() && !clone.enabled());

    clone.set_enabled(true);
    assert!(!track.enabled());
    clone.stop();
    assert_eq!((track.ready_state(), clone.ready_state()), (Live, Ended));
    source.set_muted(false);
    assert!(clone.clone_track("again").muted());
    assert_eq!(clone.clone_track("again").ready_state(), Ended);
}

#[test]
fn the_source_acts_on_all_clones() {
    let (track, source) = track();
    let clone = track.clone_track("clone");
    let mut events = [track.events(), clone.events()];
    source.set_muted(true);
    source.end();
    for events in &mut events {
        assert_eq!(all(events), [TrackEvent::Mute, TrackEvent::Ended]);
    }
    let late = track.clone_track("late");
    assert_eq!(late.ready_state(), Ended);
    assert!(is_over(&mut late.events()));
}

#[test]
fn a_listener_hears_what_is_fired_from_then_on() {
    let (track, source) = track();
    source.set_muted(true);
    let mut late = track.events();
    source.set_muted(false);
    assert_eq!(all(&mut late), [TrackEvent::Unmute]);
    source.end();
    assert!(is_over(&mut track.events()));
    assert_eq!(all(&mut late), [TrackEvent::Ended]);
}

#[test]
fn a_slow_listener_loses_nothing() {
    let (track, source) = track();
    let mut events = track.events();
    for at in 0..10_000 {
        source.set_muted(at % 2 == 0);
    }
    source.end();
    for _ in 0..5_000 {
        assert_eq!(events.try_next(), Some(TrackEvent::Mute));
        assert_eq!(events.try_next(), Some(TrackEvent::Unmute));
    }
    assert_eq!(all(&mut events), [TrackEvent::Ended]);
}

#[test]
#[expect(clippy::mutable_key_type, reason = "the hash is of the identity")]
fn handles_are_equal_when_their_track_is_one() {
    let (track, _source) = track();
    let (other, _other_source) = self::track();
    assert!(track.is_same(&track.clone()));
    assert_eq!(track, track.clone());
    assert_ne!(track, other);
    let set: HashSet<_> = [track.clone(), other, track].into();
    assert_eq!(set.len(), 2);
}

#[test]
fn a_source_is_stopped_when_its_last_live_track_is() {
    let (track, source) = track();
    let clone = track.clone_track("clone");
    track.stop();
    track.stop();
    assert!(!source.is_stopped());
    clone.stop();
    assert!(source.is_stopped());
    // What is ended has no live clone.
    let _ended = clone.clone_track("late");
    assert!(source.is_stopped());
    block_on(source.stopped());
}

#[test]
fn a_source_is_stopped_when_nobody_has_a_track() {
    let (track, source) = track();
    let (handle, clone) = (track.clone(), track.clone_track("clone"));
    clone.stop();
    drop((track, clone));
    assert!(!source.is_stopped());
    drop(handle);
    assert!(source.is_stopped());
}

#[test]
fn an_ended_source_is_stopped() {
    let (_track, source) = track();
    source.end();
    assert!(source.is_stopped());
    block_on(source.stopped());
}

#[test]
fn a_waiting_listener_is_woken_by_each_event_and_by_the_stop() {
    let (track, source) = track();
    let mut events = track.events();
    let (count, waker) = Count::waker();
    let mut poll = |woken| {
        assert_eq!(count.get(), woken);
        events.poll_next(&mut Context::from_waker(&waker))
    };
    assert!(poll(0).is_pending());
    source.set_muted(true);
    assert_eq!(poll(1), Some(TrackEvent::Mute).into());
    assert!(poll(1).is_pending());
    source.set_muted(true);
    assert!(poll(1).is_pending());
    track.stop();
    assert_eq!(poll(2), None.into());
}
