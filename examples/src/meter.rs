//! What the other side's sound and picture are like.

use std::time::Duration;

use peerconnection::{
    AudioFrame, MediaFrame, MediaKind, MediaStreamTrack, PeerConnection, VideoFrame,
    sink::{self, LevelMeter, ToneMeter},
    stats::Stats,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

/// After how much sound each is measured anew.
const INTERVAL: Duration = Duration::from_millis(200);

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
    /// Samples a channel so far.
    pub samples: u64,
    /// Pictures so far.
    pub pictures: u64,
    /// Pictures that were not like the one before.
    pub changes: u64,
    /// The time that the clock in a picture showed last.
    pub clock: Option<Duration>,
    /// Pictures whose clock could be read.
    pub clocks: u64,
    /// The longest time between two pictures.
    pub freeze: Duration,
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
    level: LevelMeter,
    tone: ToneMeter,
    heard: Duration,
}

impl Ear {
    fn hear(&mut self, frame: &AudioFrame, reading: &watch::Sender<Reading>) {
        self.level.push(frame);
        self.tone.push(frame);
        self.heard += frame.duration();
        let samples = frame.samples_per_channel() as u64;
        reading.send_modify(|it| it.samples += samples);
        if self.heard >= INTERVAL {
            self.heard = Duration::ZERO;
            let (level, note) = (self.level.take(), self.tone.note());
            reading.send_modify(|it| {
                it.level = level.map(|it| it.rms);
                it.frequency = note.map(|it| it.frequency);
            });
        }
    }
}

#[derive(Default)]
struct Eye {
    last: Option<VideoFrame>,
    seen: Option<Instant>,
}

impl Eye {
    fn see(&mut self, frame: VideoFrame, reading: &watch::Sender<Reading>) {
        let last = self.last.as_ref();
        let changed = last.is_none_or(|last| last.data() != frame.data());
        let clock = sink::read_clock(&frame);
        let now = Instant::now();
        let gap = self.seen.replace(now).map(|seen| now - seen);
        reading.send_modify(|it| {
            it.began.get_or_insert(now);
            it.pictures += 1;
            it.changes += u64::from(changed);
            it.freeze = it.freeze.max(gap.unwrap_or_default());
            it.clock = clock.or(it.clock);
            it.clocks += u64::from(clock.is_some());
            it.size = Some((frame.width(), frame.height()));
        });
        self.last = Some(frame);
    }
}

impl Reading {
    /// What has come, in a few words.
    pub fn short_line(&self) -> String {
        let level = self
            .level
            .map_or("silence".into(), |it| format!("{it:.1} dB"));
        format!("{level}, {} pictures of {:?}", self.pictures, self.size)
    }

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
                    Stats::CandidatePair(it) if it.nominated => rtt = it.current_round_trip_time,
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
                let clock = match self.clock {
                    Some(clock) => format!(", its clock at {:.1} s", clock.as_secs_f64()),
                    None => String::new(),
                };
                format!("{width}×{height}, {rate:.1} pictures/s{clock}")
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
