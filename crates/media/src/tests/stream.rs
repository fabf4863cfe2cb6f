use std::{
    collections::HashSet,
    slice,
    task::{Context, Poll},
};

use super::executor::Count;
use crate::{
    MediaKind::{Audio, Video},
    MediaStream, MediaStreamTrack,
    MediaStreamTrackState::{Ended, Live},
    StreamEvent::{self, AddTrack, RemoveTrack},
    StreamEvents, TrackSource,
};

fn audio(id: &str) -> (MediaStreamTrack, TrackSource) {
    MediaStreamTrack::new(Audio, id, "")
}

fn video(id: &str) -> (MediaStreamTrack, TrackSource) {
    MediaStreamTrack::new(Video, id, "")
}

fn all(events: &mut StreamEvents) -> Vec<StreamEvent> {
    std::iter::from_fn(|| events.try_next()).collect()
}

fn poll(events: &mut StreamEvents) -> Poll<Option<StreamEvent>> {
    let (_, waker) = Count::waker();
    events.poll_next(&mut Context::from_waker(&waker))
}

#[test]
fn the_tracks_are_a_set_in_order_of_addition() {
    let ((a, _s1), (b, _s2), (c, _s3)) = (video("a"), audio("b"), video("c"));
    let stream = MediaStream::new("id", [b.clone(), a.clone(), b.clone()]);
    assert_eq!(stream.id(), "id");
    assert_eq!(stream.tracks(), [b.clone(), a.clone()]);
    assert!(!stream.add_track(&a));
    assert!(stream.add_track(&c));
    assert_eq!(stream.tracks(), [b.clone(), a.clone(), c.clone()]);
    assert_eq!(stream.audio_tracks(), slice::from_ref(&b));
    assert_eq!(stream.video_tracks(), [a.clone(), c.clone()]);
    assert_eq!(stream.track_by_id("c"), Some(c.clone()));
    assert_eq!(stream.track_by_id("d"), None);

    assert!(stream.remove_track(&b));
    assert!(!stream.remove_track(&b));
    assert_eq!(b.ready_state(), Live);
    assert!(stream.add_track(&b));
    assert_eq!(stream.tracks(), [a, c, b]);
}

#[test]
fn two_tracks_with_one_id_are_two() {
    let ((a, _s1), (b, _s2)) = (video("same"), video("same"));
    let stream = MediaStream::new("id", [a.clone(), b.clone()]);
    assert_eq!(stream.tracks(), [a.clone(), b.clone()]);
    assert_eq!(stream.track_by_id("same"), Some(a.clone()));
    stream.remove_track(&a);
    assert_eq!(stream.track_by_id("same"), Some(b));
}

#[test]
fn a_stream_is_active_while_a_track_is_live() {
    let stream = MediaStream::new("id", []);
    assert!(!stream.active());
    let ((a, _s1), (b, s2)) = (audio("a"), video("b"));
    stream.add_track(&a);
    stream.add_track(&b);
    assert!(stream.active());
    a.stop();
    assert!(stream.active());
    s2.end();
    assert!(!stream.active());
    let (c, _s3) = audio("c");
    stream.add_track(&c);
    assert!(stream.active());
    stream.remove_track(&c);
    assert!(!stream.active());
}

#[test]
fn an_ended_track_may_be_added() {
    let (a, source) = audio("a");
    source.end();
    let stream = MediaStream::new("id", []);
    assert!(stream.add_track(&a));
    assert_eq!(stream.tracks(), [a]);
}

#[test]
fn a_clone_has_clones_of_the_tracks() {
    let ((a, _s1), (b, _s2)) = (audio("a"), video("b"));
    b.stop();
    let stream = MediaStream::new("id", [a.clone(), b]);
    let mut ids = ["x", "y"].into_iter().map(String::from);
    let clone = stream.clone_stream("clone", || ids.next().expect("one id for each track"));
    assert_ne!(clone, stream);
    assert_eq!(clone.id(), "clone");
    let tracks = clone.tracks();
    let states = tracks
        .iter()
        .map(|it| (it.id(), it.kind(), it.ready_state()));
    assert_eq!(
        states.collect::<Vec<_>>(),
        [("x", Audio, Live), ("y", Video, Ended)]
    );
    clone.remove_track(&tracks[0]);
    tracks[0].stop();
    assert_eq!(stream.tracks().len(), 2);
    assert_eq!(a.ready_state(), Live);
}

#[test]
fn the_application_fires_nothing() {
    let (a, _s1) = audio("a");
    let (stream, control) = MediaStream::controlled("id");
    let mut events = stream.events();
    stream.add_track(&a);
    stream.remove_track(&a);
    assert!(poll(&mut events).is_pending());
    drop(control);
    assert_eq!(poll(&mut events), None.into());
}

#[test]
fn a_stream_of_the_applications_own_has_no_events() {
    let mut events = MediaStream::new("id", []).events();
    assert_eq!(poll(&mut events), None.into());
}

#[test]
fn the_peer_fires_on_change_only() {
    let ((a, _s1), (b, _s2)) = (audio("a"), video("b"));
    let (stream, control) = MediaStream::controlled("id");
    assert_eq!(control.stream(), &stream);
    let mut events = stream.events();
    let mut other = stream.events();
    stream.add_track(&b);
    assert!(control.add_track(&a));
    assert!(!control.add_track(&a));
    assert!(!control.add_track(&b));
    assert!(control.remove_track(&b));
    assert!(!control.remove_track(&b));
    assert_eq!(stream.tracks(), slice::from_ref(&a));
    let fired = [AddTrack(a.clone()), RemoveTrack(b)];
    assert_eq!(all(&mut events), fired);
    assert_eq!(all(&mut other), fired);
    assert_eq!(all(&mut stream.events()), []);
    assert_eq!(fired[0].track(), &a);
}

#[test]
fn events_outlive_the_control() {
    let (a, _s1) = audio("a");
    let (stream, control) = MediaStream::controlled("id");
    let mut events = stream.events();
    control.add_track(&a);
    drop(control);
    assert_eq!(poll(&mut events), Some(AddTrack(a.clone())).into());
    assert_eq!(poll(&mut events), None.into());
    assert_eq!(stream.tracks(), [a]);
}

#[test]
fn a_waiting_listener_is_woken() {
    let (a, _s1) = audio("a");
    let (stream, control) = MediaStream::controlled("id");
    let mut events = stream.events();
    let (count, waker) = Count::waker();
    let mut poll = |woken| {
        assert_eq!(count.get(), woken);
        events.poll_next(&mut Context::from_waker(&waker))
    };
    assert!(poll(0).is_pending());
    control.add_track(&a);
    assert_eq!(poll(1), Some(AddTrack(a.clone())).into());
    assert!(poll(1).is_pending());
    control.remove_track(&a);
    assert_eq!(poll(2), Some(RemoveTrack(a)).into());
    assert!(poll(2).is_pending());
    drop(control);
    assert_eq!(poll(3), None.into());
}

#[test]
fn a_listener_within_the_limit_loses_nothing() {
    let (a, _s1) = audio("a");
    let (stream, control) = MediaStream::controlled("id");
    let mut events = stream.events();
    for _ in 0..StreamEvents::LOSSLESS / 2 {
        control.add_track(&a);
        control.remove_track(&a);
    }
    let told = all(&mut events);
    assert_eq!(told.len(), StreamEvents::LOSSLESS);
    for pair in told.chunks(2) {
        assert_eq!(pair, [AddTrack(a.clone()), RemoveTrack(a.clone())]);
    }
}

#[test]
fn a_peer_that_adds_and_removes_for_ever_makes_nothing_grow() {
    let (stream, control) = MediaStream::controlled("id");
    let (known, _s1) = audio("known");
    control.add_track(&known);
    let mut events = stream.events();
    let mut last = None;
    for round in 0..1_000 {
        let (passing, source) = video(&round.to_string());
        control.add_track(&passing);
        if round < 999 {
            control.remove_track(&passing);
        }
        last = Some((passing, source));
    }
    control.remove_track(&known);
    let (passing, _source) = last.expect("there were rounds");
    let told = all(&mut events);
    assert_eq!(told.len(), StreamEvents::LOSSLESS + 2);
    assert_eq!(
        told[told.len() - 2..],
        [AddTrack(passing.clone()), RemoveTrack(known.clone())]
    );

    let mut tracks = vec![known];
    for event in told {
        match event {
            AddTrack(track) => tracks.push(track),
            RemoveTrack(track) => tracks.retain(|it| *it != track),
        }
    }
    assert_eq!(tracks, stream.tracks());
    assert_eq!(tracks, [passing]);
}

#[test]
fn beyond_the_limit_the_last_event_of_a_track_is_undone_not_the_first() {
    let (a, _s1) = audio("a");
    let (stream, control) = MediaStream::controlled("id");
    let mut events = stream.events();
    for _ in 0..StreamEvents::LOSSLESS / 2 {
        control.add_track(&a);
        control.remove_track(&a);
    }
    control.add_track(&a);
    let told = all(&mut events);
    assert_eq!(told.len(), StreamEvents::LOSSLESS - 1);
    assert_eq!(told.last(), Some(&AddTrack(a)));
}

#[test]
fn an_addition_is_told_once_when_the_application_undid_it() {
    let (a, _s1) = audio("a");
    let (stream, control) = MediaStream::controlled("id");
    let mut events = stream.events();
    for _ in 0..10 * StreamEvents::LOSSLESS + 1 {
        control.add_track(&a);
        stream.remove_track(&a);
    }
    assert_eq!(all(&mut events), vec![AddTrack(a); StreamEvents::LOSSLESS]);
}

#[test]
#[expect(clippy::mutable_key_type, reason = "the hash is of the identity")]
fn handles_are_equal_when_their_stream_is_one() {
    let (stream, other) = (MediaStream::new("id", []), MediaStream::new("id", []));
    assert!(stream.is_same(&stream.clone()));
    assert_ne!(stream, other);
    let set: HashSet<_> = [stream.clone(), other, stream].into();
    assert_eq!(set.len(), 2);
}
