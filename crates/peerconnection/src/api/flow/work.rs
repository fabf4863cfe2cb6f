//! From the frames of a track to packets.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pc_media::{MediaFrame, MediaKind, TrackFrames};

use super::{
    audio::AudioSender,
    counts::Setting,
    outbound::{Encoded, Moment, Plan, Signals},
    passing::PassingSender,
    video::VideoSender,
};
use crate::clock;

/// What turns the frames of one track into packets, while nothing about the track changes.
pub(super) struct Work {
    kind: MediaKind,
    plan: Plan,
    epoch: Instant,
    /// What to add to the track's own clock, once its first frame has come.
    offset: Option<Offset>,
    audio: Option<Box<AudioSender>>,
    video: Option<Box<VideoSender>>,
    passing: PassingSender,
    /// The rate that the engine was told last.
    pub(super) told_step: u64,
}

/// From a track's clock to the sender's time line.
#[derive(Debug, Clone, Copy)]
struct Offset {
    track: Duration,
    media: Duration,
}

impl Work {
    pub(super) fn new(kind: MediaKind, plan: Plan, epoch: Instant) -> Self {
        Self {
            kind,
            epoch,
            offset: None,
            audio: None,
            video: None,
            passing: PassingSender::default(),
            told_step: 0,
            plan,
        }
    }

    /// The same track, sent otherwise.
    pub(super) fn update(&mut self, plan: Plan) {
        let codecs = |plan: &Plan| -> Vec<_> {
            plan.codecs
                .iter()
                .map(|it| (it.payload_type, it.codec.clone()))
                .collect()
        };
        // What an encoder of sound is made for and keeps.
        let asked = |plan: &Plan| {
            let encoding = plan.encodings.first();
            encoding.map(|it| (it.codec.clone(), it.ptime))
        };
        if codecs(&plan) != codecs(&self.plan) || asked(&plan) != asked(&self.plan) {
            self.audio = None;
        } else if let Some(audio) = &mut self.audio {
            audio.update(&plan);
        }
        if let Some(video) = &mut self.video {
            video.update(&plan);
        }
        self.plan = plan;
    }

    /// `None` when the runtime ends.
    pub(super) async fn encode(
        mut self,
        frame: MediaFrame,
        signals: &Arc<Signals>,
        frames: &TrackFrames,
    ) -> Option<(Self, Vec<Encoded>)> {
        let at = self.place(frame.timestamp());
        match (frame, self.kind) {
            (MediaFrame::Audio(frame), MediaKind::Audio) => {
                let plan = &self.plan;
                if self.audio.is_none() {
                    self.audio = AudioSender::new(plan).map(Box::new);
                }
                let packets = match &mut self.audio {
                    Some(audio) => audio.encode(&frame, at),
                    None => Vec::new(),
                };
                Some((self, packets))
            }
            (MediaFrame::Video(frame), MediaKind::Video) => {
                let mut video = match self.video.take() {
                    Some(video) => video,
                    None => Box::new(VideoSender::new(&self.plan)),
                };
                let signals = signals.clone();
                // A picture takes an encoder milliseconds: not on the tasks' own threads.
                let encoding = tokio::task::spawn_blocking(move || {
                    let packets = video.encode(&frame, at, &signals);
                    (video, packets)
                });
                let (video, packets) = encoding.await.ok()?;
                self.video = Some(video);
                Some((self, packets))
            }
            (MediaFrame::Encoded(frame), _) => {
                self.video = None;
                let packets = self.passing.pass(&self.plan, frame, at, signals, frames);
                Some((self, packets))
            }
            _ => Some((self, Vec::new())),
        }
    }

    /// How each encoding of a picture is sent.
    pub(super) fn settings(&self) -> Vec<Setting> {
        match &self.video {
            Some(video) => video.settings(),
            None => self.passing.settings(),
        }
    }

    pub(super) fn next_step(&self) -> u64 {
        match &self.video {
            Some(video) => video.next_step(),
            None => self.passing.next_step(),
        }
    }

    /// Where a frame of the track is on the sender's time line, which goes on when tracks change.
    fn place(&mut self, timestamp: Duration) -> Moment {
        let now = clock::now();
        let fresh = Offset {
            track: timestamp,
            media: now.saturating_duration_since(self.epoch),
        };
        let offset = *self.offset.get_or_insert(fresh);
        let media = (offset.media + timestamp).saturating_sub(offset.track);
        Moment {
            media,
            clock: self.epoch + media,
        }
    }
}
