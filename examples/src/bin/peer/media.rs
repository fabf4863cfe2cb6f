//! Sound and pictures: what is sent, and what is told of those that come.

use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use examples::{
    devices::camera_mic,
    meter::{Meter, Reading},
    recording::Recording,
};
use peerconnection::{
    MediaKind, MediaStream, PeerConnection, RtpReceiver, RtpTransceiver,
    rtp::{Codec, TransceiverDirection},
    sink::FileFormat,
    stats::Stats,
};
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    flags::Flags,
    lines::{Line, Lines},
};

/// The tracks of a run, both ways.
pub(crate) struct Media {
    flags: Arc<Flags>,
    /// Our devices run as long as this is held.
    ours: Option<MediaStream>,
    meter: Meter,
    watched: HashSet<String>,
    recordings: Vec<Recording>,
    /// Files that no track has been found for.
    paths: Vec<PathBuf>,
}

/// What came of one kind. Its members are as they are printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Came {
    /// `tone` is the loudest note in Hz, `level` is in dBov.
    Audio {
        codec: Option<String>,
        samples: u64,
        level: Option<f64>,
        tone: Option<f64>,
    },
    /// `clock` is what the picture's clock showed last, in ms, and `clocks` how often it could be
    /// read; `freeze` is the longest time between two pictures, in ms.
    Video {
        codec: Option<String>,
        frames: u64,
        width: Option<u32>,
        height: Option<u32>,
        clock: Option<u64>,
        clocks: u64,
        freeze: u64,
    },
}

impl Media {
    pub(crate) fn new(flags: Arc<Flags>) -> Self {
        Self {
            paths: flags.record.clone(),
            flags,
            ours: None,
            meter: Meter::default(),
            watched: HashSet::new(),
            recordings: Vec::new(),
        }
    }

    /// Adds what we send, as the flags say; with a remote offer this is for what that offers. An
    /// echo sends back the very track that comes.
    pub(crate) fn add_tracks(&mut self, pc: &PeerConnection) -> Result<()> {
        if self.flags.echo {
            for transceiver in pc.transceivers() {
                let is_ours = self.flags.sends(transceiver.kind());
                if !is_ours && transceiver.sender().track().is_none() {
                    transceiver.set_direction(TransceiverDirection::SendRecv)?;
                    // Takes effect with the answer; there is nothing to wait for before that.
                    drop(
                        transceiver
                            .sender()
                            .replace_track(transceiver.receiver().track()),
                    );
                }
            }
        }
        if self.flags.audio || self.flags.video {
            let stream = camera_mic()?;
            for track in stream.tracks() {
                if self.flags.sends(track.kind()) {
                    pc.add_track(&track, &[&stream])?;
                }
            }
            self.ours = Some(stream);
        }
        pc.transceivers().iter().try_for_each(|it| self.prefer(it))
    }

    /// The codecs of `--codec` alone, with what retransmits them.
    fn prefer(&self, transceiver: &RtpTransceiver) -> Result<()> {
        let all = RtpReceiver::capabilities(transceiver.kind()).codecs;
        let is_named = |it: &Codec| {
            let mut names = self.flags.codec.iter();
            names.any(|name| it.name().eq_ignore_ascii_case(name))
        };
        let wanted: Vec<_> = all
            .into_iter()
            .filter(|it| is_named(it) || it.is_rtx())
            .collect();
        if wanted.iter().any(Codec::is_media) {
            transceiver.set_codec_preferences(wanted)?;
        }
        Ok(())
    }

    /// Whether every `--codec` is one that we have.
    pub(crate) fn check_codecs(&self) -> Result<()> {
        let all = [MediaKind::Audio, MediaKind::Video];
        let all = all
            .map(|kind| RtpReceiver::capabilities(kind).codecs)
            .concat();
        for name in &self.flags.codec {
            let is_it = |it: &&Codec| it.is_media() && it.name().eq_ignore_ascii_case(name);
            let names = || all.iter().filter(|it| it.is_media()).map(Codec::name);
            ensure!(
                all.iter().any(|it| is_it(&it)),
                "no codec is called {name}; there are {}",
                names().collect::<Vec<_>>().join(", ")
            );
        }
        Ok(())
    }

    /// Watches, and records, what a transceiver receives. Once is enough, and it may be early.
    pub(crate) fn receive(&mut self, receiver: &RtpReceiver, lines: &Lines) -> Result<()> {
        let track = receiver.track();
        if !self.watched.insert(track.id().to_owned()) {
            return Ok(());
        }
        lines.print(&Line::Track {
            kind: track.kind().as_str().to_owned(),
            id: track.id().to_owned(),
        });
        self.meter.watch(&track);
        let is_for =
            |path: &PathBuf| FileFormat::of(path).is_none_or(|it| it.kind() == track.kind());
        for path in self.paths.extract_if(.., |path| is_for(path)) {
            self.recordings.push(Recording::start(receiver, path)?);
        }
        Ok(())
    }

    /// Waits for the first of each kind that is to come, and then as long as the flags say.
    pub(crate) fn look(&self, pc: &PeerConnection) -> impl Future<Output = Vec<Came>> + use<> {
        let kinds: Vec<_> = [MediaKind::Audio, MediaKind::Video]
            .into_iter()
            .filter(|kind| is_received(pc, *kind))
            .collect();
        let readings = self.meter.readings();
        let time = Duration::from_secs(self.flags.media_seconds);
        let pc = pc.clone();
        async move { look(&pc, &kinds, readings, time).await }
    }

    /// Waits until the recordings are whole; the connection is closed by then.
    ///
    /// # Errors
    ///
    /// A recording failed, or a file was to be recorded to and nothing came.
    pub(crate) async fn finish(self, lines: &Lines) -> Result<()> {
        drop(self.meter);
        for recording in self.recordings {
            let (path, frames) = recording.finish().await?;
            let path = path.display().to_string();
            lines.print(&Line::Recorded { path, frames });
        }
        let left: Vec<_> = self
            .paths
            .iter()
            .map(|it| it.display().to_string())
            .collect();
        ensure!(
            left.is_empty(),
            "no track came to record to {}: the other side sent none of that kind",
            left.join(", ")
        );
        Ok(())
    }
}

fn is_received(pc: &PeerConnection, kind: MediaKind) -> bool {
    use TransceiverDirection::{RecvOnly, SendRecv};
    pc.transceivers()
        .iter()
        .any(|it| it.kind() == kind && matches!(it.current_direction(), Some(SendRecv | RecvOnly)))
}

async fn look(
    pc: &PeerConnection,
    kinds: &[MediaKind],
    mut readings: watch::Receiver<Reading>,
    time: Duration,
) -> Vec<Came> {
    if pc.transceivers().is_empty() {
        return Vec::new();
    }
    if kinds.is_empty() {
        // The other peer is given the time to look at ours, once it is connected.
        tokio::time::sleep(time + Duration::from_secs(1)).await;
        return Vec::new();
    }
    let has_begun = |reading: &Reading| {
        kinds.iter().all(|kind| match kind {
            MediaKind::Audio => reading.samples > 0,
            MediaKind::Video => reading.pictures > 0,
        })
    };
    let _ = readings.wait_for(has_begun).await;
    tokio::time::sleep(time).await;
    let reading = readings.borrow().clone();
    kinds.iter().map(|kind| came(pc, *kind, &reading)).collect()
}

fn came(pc: &PeerConnection, kind: MediaKind, reading: &Reading) -> Came {
    let codec = codec(pc, kind);
    match kind {
        MediaKind::Audio => Came::Audio {
            codec,
            samples: reading.samples,
            level: reading.level.map(tenths),
            tone: reading.frequency.map(tenths),
        },
        MediaKind::Video => Came::Video {
            codec,
            frames: reading.pictures,
            width: reading.size.map(|it| it.0),
            height: reading.size.map(|it| it.1),
            clock: reading.clock.map(millis),
            clocks: reading.clocks,
            freeze: millis(reading.freeze),
        },
    }
}

/// The codec in use, as the statistics tell it.
fn codec(pc: &PeerConnection, kind: MediaKind) -> Option<String> {
    let report = pc.stats(None).ok()?;
    let id = report.iter().find_map(|stats| match stats {
        Stats::InboundRtp(it) if it.kind == kind.as_str() => it.codec_id.clone(),
        _ => None,
    })?;
    report.iter().find_map(|stats| match stats {
        Stats::Codec(it) if it.id == id => Some(it.mime_type.clone()),
        _ => None,
    })
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What a line says of it.
impl std::fmt::Display for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = |it: &Option<String>| it.clone().unwrap_or_else(|| "a codec".to_owned());
        match self {
            Self::Audio {
                codec,
                samples,
                level,
                tone,
            } => {
                write!(f, "{}: {samples} samples", known(codec))?;
                if let Some(level) = level {
                    write!(f, ", {level} dB")?;
                }
                tone.map_or(Ok(()), |tone| write!(f, ", {tone} Hz"))
            }
            Self::Video {
                codec,
                frames,
                width,
                height,
                clock,
                freeze,
                ..
            } => {
                write!(f, "{}: {frames} pictures", known(codec))?;
                if let (Some(width), Some(height)) = (width, height) {
                    write!(f, " of {width}×{height}")?;
                }
                if let Some(clock) = clock {
                    write!(f, ", the clock at {clock} ms")?;
                }
                write!(f, ", {freeze} ms between two at most")
            }
        }
    }
}
