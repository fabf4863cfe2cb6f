//! Microphones, by the `cpal` crate: ALSA, WASAPI, CoreAudio.

use std::{sync::Arc, thread, time::Instant};

use cpal::{
    BufferSize, ErrorKind, FromSample, Sample, SampleFormat, SizedSample, StreamConfig,
    SupportedStreamConfigRange,
    traits::{DeviceTrait, HostTrait, StreamTrait},
};

use super::{
    AudioConstraints, MediaDeviceInfo, MediaError, error::overconstrained, modes,
    modes::MicrophoneMode, run::wait, sound::SoundFramer, system,
};
use crate::{MediaKind, MediaStreamTrack, TrackSource, uuid_v4};

/// How often the thread that keeps a microphone open looks whether that is still wanted, beside
/// being told.
const LOOK: std::time::Duration = std::time::Duration::from_secs(3_600);

/// Sample formats that are understood, the best first.
const FORMATS: [SampleFormat; 7] = [
    SampleFormat::I16,
    SampleFormat::F32,
    SampleFormat::I32,
    SampleFormat::U16,
    SampleFormat::F64,
    SampleFormat::U8,
    SampleFormat::I8,
];

/// What ALSA has in place of a device, on every machine: nothing is heard through it.
const NULL: &str = "null";

/// A microphone that there is.
pub(super) struct Microphone {
    device: cpal::Device,
    info: MediaDeviceInfo,
    /// The format is a place in [`FORMATS`]. An error where somebody else has the microphone, or it may
    /// not be used: it is there all the same.
    modes: Result<Vec<MicrophoneMode<usize>>, MediaError>,
}

/// One that was chosen, and how it is to be opened.
pub(super) struct Chosen {
    microphone: Microphone,
    format: SampleFormat,
    config: StreamConfig,
}

/// All that there are, that of the system's settings first.
pub(super) fn list() -> Vec<MediaDeviceInfo> {
    devices().into_iter().map(|it| it.info).collect()
}

/// The one that comes closest to what is asked.
pub(super) fn choose(wish: &AudioConstraints) -> Result<Chosen, MediaError> {
    let kind = MediaKind::Audio;
    let devices = devices();
    if devices.is_empty() {
        return Err(MediaError::NotFound { kind });
    }
    let tone = &wish.frequency;
    if tone.exact.is_some() || tone.min.is_some() || tone.max.is_some() {
        // Nobody can tell a microphone what to hear.
        return Err(overconstrained("frequency"));
    }
    let mode = |microphone: &Microphone| {
        let modes = microphone.modes.as_ref().map_err(Clone::clone)?;
        let (mode, rate, distance) = modes::choose_microphone(modes, wish)?;
        Ok(((mode.format, mode.channels, rate), distance))
    };
    let id = |it: &Microphone| it.info.device_id.clone();
    let (microphone, (format, channels, sample_rate)) =
        modes::choose_device(devices, &wish.device_id, id, mode)?;
    let format = FORMATS.get(format).copied().unwrap_or(SampleFormat::I16);
    let config = StreamConfig {
        channels: u16::try_from(channels).unwrap_or(u16::MAX),
        sample_rate,
        buffer_size: BufferSize::Default,
    };
    Ok(Chosen {
        microphone,
        format,
        config,
    })
}

fn devices() -> Vec<Microphone> {
    let host = cpal::default_host();
    let usual = host.default_input_device();
    let all = host.input_devices().into_iter().flatten();
    let mut found: Vec<Microphone> = Vec::new();
    for device in usual.into_iter().chain(all) {
        let Some(microphone) = Microphone::of(device) else {
            continue;
        };
        let id = &microphone.info.device_id;
        if found.iter().all(|it| it.info.device_id != *id) {
            found.push(microphone);
        }
    }
    found
}

impl Microphone {
    /// `None` for what cannot be asked, or gives nothing that is understood.
    fn of(device: cpal::Device) -> Option<Self> {
        let modes = match device.supported_input_configs() {
            Ok(configs) => Ok(configs.filter_map(|it| mode(&it)).collect::<Vec<_>>()),
            Err(error) => match error.kind() {
                ErrorKind::DeviceBusy | ErrorKind::PermissionDenied => Err(refused(error)),
                _ => return None,
            },
        };
        let id = device.id().ok().filter(|it| it.id() != NULL)?.to_string();
        let label = match device.description() {
            Ok(description) => description.name().to_owned(),
            Err(_) => id.clone(),
        };
        let info = MediaDeviceInfo {
            group_id: id.clone(),
            device_id: id,
            kind: MediaKind::Audio,
            label,
        };
        let is_of_use = modes.as_ref().map_or(true, |modes| !modes.is_empty());
        is_of_use.then_some(Self {
            device,
            info,
            modes,
        })
    }
}

/// `None` where the samples are of a format that is not understood.
fn mode(config: &SupportedStreamConfigRange) -> Option<MicrophoneMode<usize>> {
    let format = config.sample_format();
    Some(MicrophoneMode {
        format: FORMATS.iter().position(|known| *known == format)?,
        channels: config.channels().into(),
        rates: (config.min_sample_rate(), config.max_sample_rate()),
    })
}

/// Opens it. It is closed when all its tracks are stopped or gone.
pub(super) fn open(chosen: Chosen, start: Instant) -> Result<MediaStreamTrack, MediaError> {
    let id = uuid_v4(system::random()?);
    let label = chosen.microphone.info.label.clone();
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, id, &label);
    let source = Arc::new(source);
    let stream = match chosen.format {
        SampleFormat::F32 => build::<f32>(&chosen, &source, start),
        SampleFormat::I32 => build::<i32>(&chosen, &source, start),
        SampleFormat::U16 => build::<u16>(&chosen, &source, start),
        SampleFormat::F64 => build::<f64>(&chosen, &source, start),
        SampleFormat::U8 => build::<u8>(&chosen, &source, start),
        SampleFormat::I8 => build::<i8>(&chosen, &source, start),
        _ => build::<i16>(&chosen, &source, start),
    };
    let stream = stream.map_err(refused)?;
    stream.play().map_err(refused)?;
    let thread = thread::Builder::new().name("microphone".into());
    let spawned = thread.spawn(move || {
        while wait(&source, system::now() + LOOK) {}
        drop(stream);
    });
    match spawned {
        Ok(_) => Ok(track),
        Err(error) => Err(MediaError::NotReadable(error.to_string())),
    }
}

fn build<T>(
    chosen: &Chosen,
    source: &Arc<TrackSource>,
    start: Instant,
) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample,
    i16: FromSample<T>,
{
    let mut framer = SoundFramer::new(chosen.config.sample_rate, chosen.config.channels);
    let (heard, failing) = (source.clone(), source.clone());
    chosen.microphone.device.build_input_stream(
        chosen.config,
        move |samples: &[T], _: &cpal::InputCallbackInfo| {
            let now = system::now().duration_since(start);
            let samples = samples.iter().map(|it| i16::from_sample(*it));
            framer.push(samples, now, |frame| {
                // It is of the source's kind.
                let _ = heard.write(frame);
            });
        },
        move |error: cpal::Error| {
            if matches!(
                error.kind(),
                ErrorKind::DeviceNotAvailable
                    | ErrorKind::HostUnavailable
                    | ErrorKind::StreamInvalidated
            ) {
                // Unplugged (mediacapture-streams §4.3.1, "ended").
                failing.end();
            }
        },
        None,
    )
}

fn refused(error: cpal::Error) -> MediaError {
    match error.kind() {
        ErrorKind::PermissionDenied => MediaError::NotAllowed(error.to_string()),
        _ => MediaError::NotReadable(error.to_string()),
    }
}
