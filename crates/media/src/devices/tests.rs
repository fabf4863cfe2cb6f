//! Pace, in times of our own; how the thread ends; and what makes frames of a device's bytes, without
//! a device.

mod modes;
mod pixels;
mod sound;

use std::time::Duration;

use super::{
    AudioConstraints, Constraint, VideoConstraints,
    run::{Camera, Device, Microphone, next, run},
    system,
};
use crate::{MediaKind, MediaStreamTrack};

fn camera(frame_rate: f64) -> Camera {
    Camera::choose(&VideoConstraints {
        frame_rate: Constraint::exact(frame_rate),
        ..Default::default()
    })
    .expect("a camera")
}

#[test]
fn frames_do_not_drift() {
    // A week at the frame rate of NTSC, whose period is no whole number of nanoseconds.
    let camera = camera(30_000.0 / 1_001.0);
    let frames = 604_800 * 30_000 / 1_001;
    let week = camera.time(frames);
    let exact = Duration::from_nanos(frames * 1_001 * 1_000_000 / 30);
    assert!(week.abs_diff(exact) < Duration::from_micros(1), "{week:?}");
}

#[test]
fn who_is_a_little_late_gives_all_and_who_slept_goes_on_with_now() {
    let microphone = Microphone::choose(&AudioConstraints::default()).expect("a microphone");
    let at = |millis| next(&microphone, 7, Duration::from_millis(millis));
    assert_eq!(at(70), 8);
    assert_eq!(at(80), 8);
    assert_eq!(at(280), 8);
    assert_eq!(at(281), 28);
    assert_eq!(at(3_600_000), 360_000);
    let camera = camera(25.0);
    assert_eq!(next(&camera, 0, Duration::from_millis(239)), 1);
    assert_eq!(next(&camera, 0, Duration::from_millis(1_010)), 25);
}

#[test]
fn the_thread_ends_with_the_last_track_at_once() {
    for drops in [false, true] {
        // One picture a second: to wait for the next would be noticed.
        let (track, source) = MediaStreamTrack::new(MediaKind::Video, "id", "");
        let copy = track.clone_track("copy");
        let begin = system::now();
        let start = begin + Duration::from_secs(3_600);
        let thread = run(source, start, camera(1.0)).expect("a thread");
        track.stop();
        assert!(!thread.is_finished());
        if drops {
            drop(copy);
        } else {
            copy.stop();
        }
        thread.join().expect("no panic");
        assert!(system::now() - begin < Duration::from_secs(60));
    }
}
