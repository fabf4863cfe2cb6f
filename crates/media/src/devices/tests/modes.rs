use crate::devices::{
    AudioConstraints, Constraint, MediaError, VideoConstraints,
    modes::{CameraMode, MicrophoneMode, choose_camera, choose_device, choose_microphone},
};

/// What a webcam has: format 0 is raw and slow where it is large, 1 is compressed.
fn webcam() -> Vec<CameraMode<u8>> {
    let mode = |format, width, height, rate| CameraMode {
        format,
        width,
        height,
        rate,
    };
    vec![
        mode(1, 1_920, 1_080, 30.0),
        mode(1, 1_280, 720, 60.0),
        mode(1, 1_280, 720, 30.0),
        mode(1, 640, 480, 30.0),
        mode(0, 1_280, 720, 10.0),
        mode(0, 640, 480, 30_000.0 / 1_001.0),
        mode(0, 320, 240, 30.0),
    ]
}

fn chosen(wish: VideoConstraints) -> Result<(u8, u32, u32, u32), MediaError> {
    let modes = webcam();
    let (mode, _) = choose_camera(&modes, &wish)?;
    Ok((
        mode.format,
        mode.width,
        mode.height,
        mode.rate.round() as u32,
    ))
}

fn wish() -> VideoConstraints {
    VideoConstraints::default()
}

fn overconstrained<T>(constraint: &'static str) -> Result<T, MediaError> {
    Err(MediaError::Overconstrained { constraint })
}

#[test]
fn what_is_asked_decides_and_then_what_is_usual() {
    // 29.97 is as good as 30, and what is not compressed better.
    assert_eq!(chosen(wish()), Ok((0, 640, 480, 30)));
    let width = |width| VideoConstraints { width, ..wish() };
    assert_eq!(chosen(width(1_280.into())), Ok((1, 1_280, 720, 30)));
    assert_eq!(chosen(width(Constraint::exact(320))), Ok((0, 320, 240, 30)));
    assert_eq!(
        chosen(width(Constraint::between(700, 1_300))),
        Ok((1, 1_280, 720, 30))
    );
    assert_eq!(chosen(width(4_000.into())), Ok((1, 1_920, 1_080, 30)));
    let fast = VideoConstraints {
        frame_rate: Constraint::exact(60.0),
        ..wish()
    };
    assert_eq!(chosen(fast), Ok((1, 1_280, 720, 60)));
    let both = VideoConstraints {
        frame_rate: Constraint::exact(10.0),
        height: 480.into(),
        ..wish()
    };
    assert_eq!(chosen(both), Ok((0, 1_280, 720, 10)));
}

#[test]
fn the_constraint_that_cannot_be_satisfied_is_named() {
    let exact = |width, height, rate| VideoConstraints {
        width: Constraint::exact(width),
        height: Constraint::exact(height),
        frame_rate: Constraint::exact(rate),
        ..wish()
    };
    assert_eq!(chosen(exact(641, 480, 30.0)), overconstrained("width"));
    assert_eq!(chosen(exact(640, 481, 30.0)), overconstrained("height"));
    assert_eq!(chosen(exact(640, 480, 31.0)), overconstrained("frameRate"));
    assert_eq!(
        chosen(exact(640, 480, f64::NAN)),
        overconstrained("frameRate")
    );
    // Each alone would do.
    assert_eq!(chosen(exact(320, 720, 30.0)), overconstrained("width"));
    assert_eq!(chosen(exact(640, 480, 29.97)).map(|it| it.0), Ok(0));
    let none: [CameraMode<u8>; 0] = [];
    assert!(choose_camera(&none, &wish()).is_err());
}

#[test]
fn a_microphone_has_the_rate_of_the_codecs_if_it_can() {
    let mode = |format, channels, rates| MicrophoneMode {
        format,
        channels,
        rates,
    };
    let modes = [
        mode(1, 2, (8_000, 96_000)),
        mode(0, 2, (44_100, 44_100)),
        mode(0, 2, (8_000, 96_000)),
        mode(0, 1, (16_000, 16_000)),
    ];
    let chosen = |sample_rate, channel_count| {
        let wish = AudioConstraints {
            sample_rate,
            channel_count,
            ..Default::default()
        };
        let (mode, rate, _) = choose_microphone(&modes, &wish)?;
        Ok((mode.format, mode.channels, rate))
    };
    let any = Constraint::<u32>::default;
    assert_eq!(chosen(any(), any()), Ok((0, 2, 48_000)));
    assert_eq!(chosen(44_100.into(), any()), Ok((0, 2, 44_100)));
    assert_eq!(chosen(any(), 1.into()), Ok((0, 1, 16_000)));
    assert_eq!(chosen(Constraint::exact(12_000), any()), Ok((0, 2, 12_000)));
    assert_eq!(
        chosen(Constraint::exact(192_000), any()),
        overconstrained("sampleRate")
    );
    assert_eq!(
        chosen(any(), Constraint::exact(6)),
        overconstrained("channelCount")
    );
}

#[test]
fn of_several_devices_the_closest_is_taken_and_an_exact_id_decides() {
    let choose = |device_id: Constraint<String>, distances: [Option<f64>; 3]| {
        let devices: Vec<_> = ["front", "back", "desk"]
            .into_iter()
            .zip(distances)
            .collect();
        let distance = |(_, distance): &(&str, Option<f64>)| {
            let distance = distance.ok_or(MediaError::Overconstrained {
                constraint: "width",
            })?;
            Ok(((), distance))
        };
        let id = |(id, _): &(&str, _)| (*id).to_owned();
        choose_device(devices, &device_id, id, distance).map(|((id, _), ())| id)
    };
    let any = Constraint::default;
    assert_eq!(choose(any(), [Some(0.5), Some(0.2), Some(0.2)]), Ok("back"));
    assert_eq!(choose(any(), [Some(0.0); 3]), Ok("front"));
    assert_eq!(choose(any(), [None, None, Some(3.0)]), Ok("desk"));
    assert_eq!(choose(any(), [None; 3]), overconstrained("width"));
    let desk = || String::from("desk");
    assert_eq!(
        choose(Constraint::ideal(desk()), [Some(0.0); 3]),
        Ok("desk")
    );
    assert_eq!(
        choose(Constraint::exact(desk()), [Some(0.0), None, Some(9.0)]),
        Ok("desk")
    );
    assert_eq!(
        choose(Constraint::exact(desk()), [Some(0.0), None, None]),
        overconstrained("width")
    );
    let other = Constraint::exact("other".into());
    assert_eq!(choose(other, [Some(0.0); 3]), overconstrained("deviceId"));
}
