//! What the other side's sound and picture are like.

use std::time::Duration;

use peerconnection::{
    AudioFrame, MediaFrame, MediaKind, MediaStreamTrack, PeerConnection, VideoFrame, stats::Stats,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

/// Over how much sound the tone is measured.
const WINDOW: Duration = Duration::from_millis(500);

/// Listens to tracks and looks at them, until it is dropped.
#[derive(Default)]
pub struct Meter {
    reading: watch::Sender<Reading>,
    tasks: Vec<JoinHandle<()>>,
}

/// What was measured last.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// In dBFS; none before sound has come.
    pub level: Option<f64>,
    /// Of the loudest tone, in Hz.
    pub frequency: Option<f64>,
    /// Pictures so far.
    pub pictures: u64,
    /// Pictures that were not like the one before.
    pub changes: u64,
    /// Width and height of the last one.
    pub size: Option<(u32, u32)>,
    /// When the first one came.
    pub began: Option<Instant>,
}

impl Meter {
    /// What was measured last, as it changes.
    pub fn readings(&self) -> watch::Receiver<Reading> {
        self.reading.subscribe()
    }

    /// Listens to, or looks at, this track, too.
    pub fn watch(&mut self, track: &MediaStreamTrack) {
        let (mut frames, reading) = (track.frames(), self.reading.clone());
        let kind = track.kind();
        self.tasks.push(tokio::spawn(async move {
            let (mut ear, mut eye) = (Ear::default(), Eye::default());
            while let Some(frame) = frames.next().await {
                match (frame, kind) {
                    (MediaFrame::Audio(frame), MediaKind::Audio) => ear.hear(&frame, &reading),
                    (MediaFrame::Video(frame), MediaKind::Video) => eye.see(frame, &reading),
                    _ => {}
                }
            }
        }));
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

#[derive(Default)]
struct Ear {
    samples: Vec<f64>,
}

impl Ear {
    fn hear(&mut self, frame: &AudioFrame, reading: &watch::Sender<Reading>) {
        let channels = usize::from(frame.channels());
        let first = frame.samples().iter().step_by(channels);
        self.samples
            .extend(first.map(|it| f64::from(*it) / 32_768.0));
        let rate = f64::from(frame.sample_rate());
        if self.samples.len() as f64 / rate < WINDOW.as_secs_f64() {
            return;
        }
        let power: f64 = self.samples.iter().map(|it| it * it).sum();
        let level = 10.0 * (power / self.samples.len() as f64).max(1e-10).log10();
        let frequency = (level > -60.0)
            .then(|| frequency(&self.samples, rate))
            .flatten();
        reading.send_modify(|it| (it.level, it.frequency) = (Some(level), frequency));
        self.samples.clear();
    }
}

/// By the first and last time that a tone rises through zero, and how often it does between.
fn frequency(samples: &[f64], rate: f64) -> Option<f64> {
    let rises = samples.windows(2).enumerate().filter_map(|(at, pair)| {
        let &[before, after] = pair else { return None };
        (before < 0.0 && after >= 0.0).then(|| at as f64 + before / (before - after))
    });
    let rises: Vec<f64> = rises.collect();
    let (first, last) = (rises.first()?, rises.last()?);
    (rises.len() > 1).then(|| (rises.len() - 1) as f64 * rate / (last - first))
}

#[derive(Default)]
struct Eye {
    last: Option<VideoFrame>,
}

impl Eye {
    fn see(&mut self, frame: VideoFrame, reading: &watch::Sender<Reading>) {
        let changed = self
            .last
            .as_ref()
            .is_none_or(|last| last.data() != frame.data());
        reading.send_modify(|it| {
            it.began.get_or_insert_with(Instant::now);
            it.pictures += 1;
            it.changes += u64::from(changed);
            it.size = Some((frame.width(), frame.height()));
        });
        self.last = Some(frame);
    }
}

impl Reading {
    /// A line for people, and how many bytes have come so far.
    pub fn line(&self, pc: &PeerConnection, bytes_before: u64) -> (String, u64) {
        let mut bytes = 0;
        let (mut lost, mut rtt) = (0, None);
        if let Ok(report) = pc.stats(None) {
            for stats in report.iter() {
                match stats {
                    Stats::InboundRtp(it) => {
                        bytes += it.bytes_received;
                        lost += it.packets_lost;
                    }
                    Stats::CandidatePair(it) => rtt = it.current_round_trip_time,
                    _ => {}
                }
            }
        }
        let sound = match self.level {
            Some(level) => {
                let bars = ((level + 60.0) / 4.0).clamp(0.0, 15.0) as usize;
                let tone = self.frequency.map(|it| format!("{it:.0} Hz"));
                format!(
                    "{:<15} {level:>5.1} dB {}",
                    "#".repeat(bars),
                    tone.unwrap_or_default()
                )
            }
            None => "no sound yet".to_owned(),
        };
        let picture = match self.size {
            Some((width, height)) => {
                let time = self
                    .began
                    .map_or(1.0, |it| it.elapsed().as_secs_f64().max(0.1));
                let rate = self.pictures as f64 / time;
                format!("{width}×{height}, {rate:.1} pictures/s")
            }
            None => "no picture yet".to_owned(),
        };
        let kilobits = bytes.saturating_sub(bytes_before) * 8 / 1000;
        let rtt = rtt.map_or_else(String::new, |rtt| format!(", RTT {:.1} ms", rtt * 1000.0));
        let state = pc.connection_state();
        let line = format!("{state}: {sound} | {picture} | {kilobits} kbit/s, {lost} lost{rtt}");
        (line, bytes)
    }
}
