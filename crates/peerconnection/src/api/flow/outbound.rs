//! What one sender sends: the frames of its track, encoded as negotiation and parameters say.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use pc_jsep::{CodecParameters, EncodingParameters, RidRestrictions, TransceiverId};
use pc_media::{MediaFrame, MediaKind, MediaStreamTrack, TrackFrames};
use pc_proto::Serial32;
use pc_rtp::{AudioLevel, PayloadType, payload::TemporalLayer};
use tokio::{sync::Notify, task::AbortHandle};

use super::work::Work;
use crate::{
    api::{media::Tracks, shared::Shared},
    clock,
};

/// The task of a sender. It ends when this is dropped.
pub(crate) struct Outbound {
    task: AbortHandle,
}

/// What the connection tells the task.
#[derive(Default)]
pub(crate) struct Signals {
    /// The track, what was negotiated, or the parameters: the task looks for itself.
    changed: Notify,
    /// A bit for each encoding of which a key frame is wanted.
    key_frames: AtomicU64,
    /// The most bits a second the network takes; 0: not known.
    bitrate: AtomicU64,
}

impl Signals {
    /// Something that the task looks at has changed.
    pub(crate) fn change(&self) {
        self.changed.notify_one();
    }

    /// The peer wants a key frame of an encoding.
    pub(crate) fn want_key_frame(&self, encoding: usize) {
        let shift = u32::try_from(encoding).ok();
        let bit = shift.and_then(|shift| 1_u64.checked_shl(shift));
        self.key_frames.fetch_or(bit.unwrap_or(0), Ordering::AcqRel);
    }

    /// The network takes no more than this.
    pub(crate) fn set_bitrate(&self, bits_per_second: u64) {
        self.bitrate.store(bits_per_second, Ordering::Relaxed);
    }

    /// The encodings that a key frame is wanted of, once.
    pub(crate) fn take_key_frames(&self) -> u64 {
        self.key_frames.swap(0, Ordering::AcqRel)
    }

    /// The most bits a second the network takes, if that is known.
    pub(crate) fn bitrate(&self) -> Option<u64> {
        Some(self.bitrate.load(Ordering::Relaxed)).filter(|&known| known > 0)
    }
}

impl Outbound {
    /// Starts the task of a sender.
    pub(crate) fn spawn(
        shared: &Arc<Shared>,
        id: TransceiverId,
        kind: MediaKind,
        tracks: &Arc<Tracks>,
    ) -> Self {
        let sender = Sender {
            shared: Arc::downgrade(shared),
            tracks: Arc::downgrade(tracks),
            id,
            kind,
            epoch: clock::now(),
            signals: tracks.signals().clone(),
        };
        let task = shared.runtime().spawn(sender.run()).abort_handle();
        Self { task }
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is to be sent now.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) codecs: Vec<CodecParameters>,
    pub(super) encodings: Vec<EncodingParameters>,
    /// What the peer takes of each.
    pub(super) restrictions: Vec<RidRestrictions>,
}

impl Plan {
    /// The rates are what the application and the peer both allow.
    fn restricted(mut self) -> Self {
        for (encoding, own) in self.encodings.iter_mut().zip(&self.restrictions) {
            let bitrate = own.max_bitrate.map(|it| it as u64);
            encoding.max_bitrate = least(encoding.max_bitrate, bitrate);
            encoding.max_framerate = least(encoding.max_framerate, own.max_framerate);
        }
        self
    }
}

fn least<T: PartialOrd + Copy>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) if other < one => Some(other),
        (one, other) => one.or(other),
    }
}

/// A moment on a sender's time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Since the sender began.
    pub(super) media: Duration,
    /// The same on the clock.
    pub(super) clock: Instant,
}

impl Moment {
    /// The RTP timestamp, without its random offset.
    pub(super) fn ticks(self, clock_rate: u32) -> Serial32 {
        let ticks = self.media.as_nanos() * u128::from(clock_rate) / 1_000_000_000;
        Serial32((ticks & u128::from(u32::MAX)) as u32)
    }

    /// Another moment of the same line.
    pub(super) fn moved_to(self, media: Duration) -> Self {
        let clock = match media.checked_sub(self.media) {
            Some(later) => self.clock + later,
            None => self
                .clock
                .checked_sub(self.media - media)
                .unwrap_or(self.clock),
        };
        Self { media, clock }
    }
}

/// An encoded frame, for the engine.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) encoding: usize,
    pub(super) payload_type: PayloadType,
    pub(super) data: Vec<u8>,
    pub(super) timestamp: Serial32,
    pub(super) capture: Instant,
    pub(super) is_key_frame: bool,
    pub(super) size: Option<(u16, u16)>,
    pub(super) audio_level: Option<AudioLevel>,
    pub(super) layer: Option<TemporalLayer>,
}

impl Encoded {
    fn as_rtp(&self) -> pc_rtp_session::Frame<'_> {
        pc_rtp_session::Frame {
            payload_type: self.payload_type,
            data: &self.data,
            timestamp: self.timestamp,
            capture: self.capture,
            is_key_frame: self.is_key_frame,
            size: self.size,
            audio_level: self.audio_level,
            orientation: None,
            layer: self.layer,
        }
    }
}

/// The task itself. It keeps neither the connection nor the track.
struct Sender {
    shared: Weak<Shared>,
    tracks: Weak<Tracks>,
    id: TransceiverId,
    kind: MediaKind,
    epoch: Instant,
    signals: Arc<Signals>,
}

impl Sender {
    async fn run(self) {
        loop {
            let Some((track, plan)) = self.look() else {
                // Nothing to send, or nobody to send it to.
                self.signals.changed.notified().await;
                continue;
            };
            let mut frames = track.frames();
            drop(track);
            let work = Work::new(self.kind, plan, self.epoch);
            if !self.send_frames(&mut frames, work).await {
                return;
            }
        }
    }

    /// The track and how to send it, if it can be sent.
    fn look(&self) -> Option<(MediaStreamTrack, Plan)> {
        let (shared, tracks) = (self.shared.upgrade()?, self.tracks.upgrade()?);
        let inner = shared.lock();
        let view = inner.engine.send_view(self.id);
        let view = view.filter(|view| view.is_ready)?;
        let restrictions = view.restrictions.into_iter();
        let plan = Plan {
            codecs: view.codecs.to_vec(),
            encodings: view.encodings.to_vec(),
            restrictions: restrictions
                .map(|it| it.cloned().unwrap_or_default())
                .collect(),
        };
        let plan = plan.restricted();
        drop(inner);
        Some((tracks.sent()?, plan))
    }

    /// Sends until something has changed; whether there is a connection left.
    async fn send_frames(&self, frames: &mut TrackFrames, mut work: Work) -> bool {
        loop {
            let frame = tokio::select! {
                biased;
                () = self.signals.changed.notified() => match self.look() {
                    Some((track, plan)) if track == *frames.track() => {
                        work.update(plan);
                        continue;
                    }
                    _ => return true,
                },
                frame = frames.next() => frame,
            };
            let Some(frame) = frame else {
                // The track has ended: until there is another one.
                self.signals.changed.notified().await;
                return true;
            };
            let Some(tracks) = self.tracks.upgrade() else {
                return false;
            };
            count(&tracks, &frame);
            let Some((next, packets)) = work.encode(frame, &self.signals, frames).await else {
                return false;
            };
            work = next;
            if self.kind == MediaKind::Video {
                tracks.note_settings(work.settings());
                let now = clock::now();
                for packet in &packets {
                    tracks.note_encoded(now, packet.encoding, packet.size);
                }
                self.tell_next_step(&mut work);
            }
            for packet in packets {
                if !self.send(&packet) {
                    return false;
                }
            }
        }
    }

    /// Tells the engine what rate it is worth to find out whether the network takes it.
    fn tell_next_step(&self, work: &mut Work) {
        let step = work.next_step();
        if std::mem::replace(&mut work.told_step, step) != step
            && let Some(shared) = self.shared.upgrade()
        {
            shared.lock().engine.set_wanted_bitrate(self.id, step);
        }
    }

    /// Gives one encoded frame to the engine; whether there is a connection left.
    fn send(&self, frame: &Encoded) -> bool {
        let Some(shared) = self.shared.upgrade() else {
            return false;
        };
        let (now, rtp) = (clock::now(), frame.as_rtp());
        let mut inner = shared.lock();
        let sent = inner.engine.send_frame(now, self.id, frame.encoding, rtp);
        drop(inner);
        if let Err(error) = sent {
            tracing::debug!(%error, "a frame was not sent");
        }
        shared.wake_driver();
        true
    }
}

/// What a track has given, for statistics.
fn count(tracks: &Tracks, frame: &MediaFrame) {
    match frame {
        MediaFrame::Audio(frame) => {
            let sound = super::sound_of(frame);
            tracks.count(|counts| counts.sent.add(sound));
        }
        MediaFrame::Video(frame) => {
            tracks.note_picture(clock::now());
            tracks.count(|counts| {
                counts.frames += 1;
                counts.size = Some((frame.width(), frame.height()));
            });
        }
        _ => {
            tracks.note_picture(clock::now());
            tracks.count(|counts| counts.frames += 1);
        }
    }
}
