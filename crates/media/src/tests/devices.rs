//! Asking for devices, and what they give.

use std::time::{Duration, Instant};

use crate::{
    MediaFrame, MediaKind, MediaStream, MediaStreamTrack, MediaStreamTrackState, TrackFrames,
    devices::{
        AudioConstraints, Constraint, MediaError, MediaStreamConstraints, SYNTHETIC_PICTURE,
        SYNTHETIC_TONE, VideoConstraints, enumerate_devices, get_user_media,
    },
    sink::{ToneMeter, read_clock},
};

fn synthetic(
    audio: Option<AudioConstraints>,
    video: Option<VideoConstraints>,
) -> Result<MediaStream, MediaError> {
    get_user_media(&MediaStreamConstraints {
        audio,
        video,
        synthetic: true,
    })
}

fn size(video: VideoConstraints) -> Result<(u32, u32), MediaError> {
    let stream = synthetic(None, Some(video))?;
    let mut frames = stream.video_tracks()[0].frames();
    let Some(MediaFrame::Video(picture)) = frames.blocking_next() else {
        panic!("no picture");
    };
    Ok((picture.width(), picture.height()))
}

fn overconstrained(constraint: &'static str) -> MediaError {
    MediaError::Overconstrained { constraint }
}

fn time_of_next(frames: &mut TrackFrames) -> Duration {
    frames.blocking_next().expect("a frame").timestamp()
}

#[test]
fn nothing_synthetic_is_given_unasked() {
    let ask = |audio: bool, video: bool| {
        get_user_media(&MediaStreamConstraints {
            audio: audio.then(AudioConstraints::default),
            video: video.then(VideoConstraints::default),
            synthetic: false,
        })
        .expect_err("an error")
    };
    assert_eq!(ask(false, false).name(), "TypeError");
    if enumerate_devices().iter().any(|it| !it.is_synthetic()) {
        // A machine with hardware gives that.
        return;
    }
    let kind = MediaKind::Audio;
    assert_eq!(ask(true, false), MediaError::NotFound { kind });
    let error = ask(false, true);
    assert_eq!(error.name(), "NotFoundError");
    assert!(error.to_string().contains("synthetic: true"), "{error}");
    // An id of the one kind does not ask for the other.
    let error = get_user_media(&MediaStreamConstraints {
        audio: Some(AudioConstraints {
            device_id: Constraint::exact(SYNTHETIC_TONE.into()),
            ..Default::default()
        }),
        video: Some(VideoConstraints::default()),
        synthetic: false,
    })
    .expect_err("an error");
    let kind = MediaKind::Video;
    assert_eq!(error, MediaError::NotFound { kind });
}

#[test]
fn a_device_that_is_listed_is_given_by_its_id() {
    let mut devices = enumerate_devices();
    // Those of hardware come first, where there are any.
    assert!(devices.is_sorted_by_key(|it| it.is_synthetic()));
    devices.retain(|it| it.is_synthetic());
    let ids: Vec<_> = devices.iter().map(|it| it.device_id.as_str()).collect();
    assert_eq!(ids, [SYNTHETIC_TONE, SYNTHETIC_PICTURE]);
    let ask = |device_id| {
        get_user_media(&MediaStreamConstraints {
            audio: Some(AudioConstraints {
                device_id,
                ..Default::default()
            }),
            ..Default::default()
        })
    };
    for device_id in [Constraint::exact, Constraint::ideal].map(|it| it(SYNTHETIC_TONE.into())) {
        let stream = ask(device_id).expect("a stream");
        let tracks = stream.tracks();
        assert_eq!(tracks.len(), 1);
        assert_eq!(tracks[0].kind(), MediaKind::Audio);
        assert_eq!(tracks[0].label(), devices[0].label);
        assert!(!tracks[0].muted());
        assert_ne!(tracks[0].id(), stream.id());
    }
    for other in ["synthetic-other", SYNTHETIC_PICTURE] {
        let error = ask(Constraint::exact(other.into())).expect_err("an error");
        assert_eq!(error, overconstrained("deviceId"));
        assert_eq!(error.name(), "OverconstrainedError");
    }
    // What is only ideal is not demanded.
    assert!(ask(Constraint::ideal("synthetic-other".into())).is_ok());
}

#[test]
fn constraints_are_acted_on() {
    let video = VideoConstraints::default;
    let width = |width| VideoConstraints { width, ..video() };
    let height = |height| VideoConstraints { height, ..video() };
    assert_eq!(size(video()), Ok((640, 360)));
    assert_eq!(size(width(320.into())), Ok((320, 180)));
    assert_eq!(size(height(720.into())), Ok((1_280, 720)));
    assert_eq!(size(height(Constraint::between(100, 200))), Ok((354, 200)));
    assert_eq!(
        size(width(Constraint::exact(100_000))),
        Err(overconstrained("width"))
    );
    assert_eq!(size(width(8.into())), Ok((16, 16)));
    assert_eq!(
        size(height(Constraint::between(200, 100))),
        Err(overconstrained("height"))
    );
    let both = VideoConstraints {
        width: Constraint::exact(176),
        height: Constraint::exact(144),
        ..video()
    };
    assert_eq!(size(both), Ok((176, 144)));
    for frame_rate in [
        Constraint::exact(1_000.0),
        Constraint::between(f64::NAN, 30.0),
    ] {
        let error = size(VideoConstraints {
            frame_rate,
            ..video()
        });
        assert_eq!(error, Err(overconstrained("frameRate")));
    }
    let audio = AudioConstraints::default;
    for (constraint, audio) in [
        (
            "sampleRate",
            AudioConstraints {
                sample_rate: Constraint::exact(44_100),
                ..audio()
            },
        ),
        (
            "channelCount",
            AudioConstraints {
                channel_count: Constraint::exact(6),
                ..audio()
            },
        ),
        (
            "frequency",
            AudioConstraints {
                frequency: Constraint::exact(30_000.0),
                ..audio()
            },
        ),
    ] {
        let error = synthetic(Some(audio), None).expect_err("an error");
        assert_eq!(error, overconstrained(constraint));
    }
}

#[test]
fn a_tone_is_heard_that_was_asked_for() {
    let audio = AudioConstraints {
        frequency: Constraint::exact(1_000.0),
        channel_count: Constraint::exact(2),
        ..Default::default()
    };
    let stream = synthetic(Some(audio), None).expect("a stream");
    let mut frames = stream.audio_tracks()[0].frames();
    let mut meter = ToneMeter::new();
    let mut before = None;
    let note = loop {
        let Some(MediaFrame::Audio(frame)) = frames.blocking_next() else {
            panic!("no sound");
        };
        assert_eq!((frame.sample_rate(), frame.channels()), (48_000, 2));
        if let Some(before) = before {
            assert_eq!(frame.timestamp() - before, frame.duration());
        }
        before = Some(frame.timestamp());
        meter.push(&frame);
        if let Some(note) = meter.note() {
            break note;
        }
    };
    assert!(
        (note.frequency - 1_000.0).abs() < 1.0 && note.purity > 0.98,
        "{note:?}"
    );
}

#[test]
fn pictures_come_at_their_rate_and_tell_their_time() {
    let video = VideoConstraints {
        width: Constraint::exact(160),
        frame_rate: Constraint::exact(50.0),
        ..Default::default()
    };
    #[allow(clippy::disallowed_methods)]
    let begin = Instant::now();
    let stream = synthetic(None, Some(video)).expect("a stream");
    let mut frames = stream.video_tracks()[0].frames();
    let mut times = Vec::new();
    while times.len() < 10 {
        let Some(MediaFrame::Video(picture)) = frames.blocking_next() else {
            panic!("no picture");
        };
        let time = read_clock(&picture).expect("a time");
        assert_eq!(time.as_millis(), picture.timestamp().as_millis());
        // Never before it was there to be seen.
        assert!(time <= begin.elapsed());
        times.push(picture.timestamp());
    }
    // Whole periods, all of them unless the machine was away.
    for pair in times.windows(2) {
        let periods = (pair[1] - pair[0]).as_secs_f64() * 50.0;
        assert!(
            periods > 0.5 && (periods - periods.round()).abs() < 1e-3,
            "{times:?}"
        );
    }
}

#[test]
fn sound_and_picture_have_one_clock() {
    let stream = synthetic(Some(Default::default()), Some(Default::default())).expect("a stream");
    let mut sound = stream.audio_tracks()[0].frames();
    let mut picture = stream.video_tracks()[0].frames();
    for _ in 0..5 {
        let (sound, picture) = (time_of_next(&mut sound), time_of_next(&mut picture));
        assert!(sound.abs_diff(picture) < Duration::from_millis(500));
    }
}

#[test]
fn a_clone_keeps_the_device() {
    let stream = synthetic(Some(Default::default()), None).expect("a stream");
    let track: MediaStreamTrack = stream.tracks().remove(0);
    let copy = track.clone_track("copy");
    let mut frames = copy.frames();
    track.stop();
    drop((track, stream));
    assert!(frames.blocking_next().is_some());
    copy.stop();
    assert_eq!(copy.ready_state(), MediaStreamTrackState::Ended);
    while frames.blocking_next().is_some() {}
}
