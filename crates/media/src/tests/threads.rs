//! Handles are used from several threads at once: nothing is lost and nobody waits for ever.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::mpsc,
    thread,
};

use super::executor::block_on;
use crate::{
    MediaKind, MediaStream, MediaStreamTrack, StreamControl, StreamEvent, StreamEvents, TrackEvent,
    TrackEvents, TrackSource,
};

const CHANGES: usize = 2_000;

const fn may_cross_threads<T: Send + Sync>() {}
const _: () = {
    may_cross_threads::<MediaStreamTrack>();
    may_cross_threads::<TrackSource>();
    may_cross_threads::<TrackEvents>();
    may_cross_threads::<MediaStream>();
    may_cross_threads::<StreamControl>();
    may_cross_threads::<StreamEvents>();
};

/// So may what waits, as an executor of several threads demands.
#[test]
fn waiting_may_cross_threads() {
    fn may_move<T: Send>(_: T) {}
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "id", "");
    may_move(track.events().next());
    may_move(MediaStream::new("id", [track]).events().next());
    may_move(source.stopped());
}

async fn collect(mut events: TrackEvents) -> Vec<TrackEvent> {
    let mut heard = Vec::new();
    while let Some(event) = events.next().await {
        heard.push(event);
    }
    heard
}

#[test]
fn two_threads_that_wait_hear_everything() {
    let (track, source) = MediaStreamTrack::remote(MediaKind::Audio, "id");
    let listeners = [track.events(), track.clone_track("clone").events()];
    thread::scope(|scope| {
        let waiting = listeners.map(|events| scope.spawn(|| block_on(collect(events))));
        for at in 0..CHANGES {
            source.set_muted(at % 2 == 1);
        }
        source.end();
        let mut wanted = [TrackEvent::Unmute, TrackEvent::Mute].repeat(CHANGES / 2);
        wanted.push(TrackEvent::Ended);
        for thread in waiting {
            assert_eq!(thread.join().expect("a listener"), wanted);
        }
    });
}

#[test]
fn a_stop_from_elsewhere_releases_who_waits() {
    let (track, source) = MediaStreamTrack::new(MediaKind::Video, "id", "");
    let events = track.events();
    thread::scope(|scope| {
        let listener = scope.spawn(|| block_on(collect(events)));
        let feeder = scope.spawn(|| block_on(source.stopped()));
        track.stop();
        assert_eq!(listener.join().expect("the listener"), []);
        feeder.join().expect("the feeder");
    });
}

#[test]
fn an_end_from_elsewhere_releases_who_waits_for_the_source() {
    let (_track, source) = MediaStreamTrack::new(MediaKind::Video, "id", "");
    let (polled, waits) = mpsc::channel();
    thread::scope(|scope| {
        let feeder = scope.spawn(|| {
            let mut stopped = pin!(source.stopped());
            block_on(poll_fn(|context| {
                let poll = stopped.as_mut().poll(context);
                let _ = polled.send(());
                poll
            }));
        });
        waits.recv().expect("it waits");
        source.end();
        feeder.join().expect("the feeder");
    });
}

#[test]
fn the_last_handle_that_goes_releases_who_waits_for_the_source() {
    let (track, source) = MediaStreamTrack::new(MediaKind::Video, "id", "");
    thread::scope(|scope| {
        let feeder = scope.spawn(|| block_on(source.stopped()));
        let copies: Vec<_> = (0..8).map(|at| track.clone_track(at.to_string())).collect();
        drop(track);
        for copy in copies {
            scope.spawn(move || drop(copy));
        }
        feeder.join().expect("the feeder");
    });
    assert!(source.is_stopped());
}

#[test]
fn clones_made_while_the_source_changes_end_as_it_is() {
    let (track, source) = MediaStreamTrack::new(MediaKind::Video, "id", "");
    let clones = thread::scope(|scope| {
        let cloner = scope.spawn(|| {
            let clones = (0..CHANGES).map(|_| track.clone_track("clone"));
            clones
                .map(|clone| (clone.muted(), clone.events(), clone))
                .collect::<Vec<_>>()
        });
        for at in 0..=CHANGES {
            source.set_muted(at % 2 == 0);
        }
        cloner.join().expect("the cloner")
    });
    source.end();
    for (_, mut events, clone) in clones {
        assert!(clone.muted());
        let mut last = None;
        while let Some(event) = events.try_next() {
            if let Some(before) = last {
                assert_ne!(before, event, "they alternate");
            }
            last = Some(event);
        }
        assert_eq!(last, Some(TrackEvent::Ended));
    }
}

#[test]
fn two_threads_that_wait_hear_of_every_track() {
    let (stream, control) = MediaStream::controlled("id");
    let (tracks, _sources): (Vec<_>, Vec<_>) = (0..StreamEvents::LOSSLESS)
        .map(|at| MediaStreamTrack::remote(MediaKind::Audio, at.to_string()))
        .unzip();
    let listeners = [stream.events(), stream.events()];
    thread::scope(|scope| {
        let waiting = listeners.map(|mut events| {
            scope.spawn(move || {
                let mut heard = Vec::new();
                while let Some(event) = block_on(events.next()) {
                    heard.push(event);
                }
                heard
            })
        });
        for track in &tracks {
            control.add_track(track);
        }
        drop(control);
        let wanted: Vec<_> = tracks.iter().cloned().map(StreamEvent::AddTrack).collect();
        for thread in waiting {
            assert_eq!(thread.join().expect("a listener"), wanted);
        }
    });
}
