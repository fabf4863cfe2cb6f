//! Frames that are encoded already: they go through as they are.

use std::sync::Arc;

use pc_jsep::{CodecParameters, EncodingParameters};
use pc_media::{EncodedFrame, TrackFrames};
use pc_rtp::PayloadType;

use super::{
    counts::Setting,
    outbound::{Encoded, Moment, Plan, Signals},
    rate::Sharing,
};

/// Passes encoded frames through, each as the encoding that it is of, and the peer's wishes back to
/// their source.
#[derive(Default)]
pub(super) struct PassingSender {
    sharing: Sharing,
    shares: Vec<u64>,
    /// What the source was last asked for.
    asked: Vec<u64>,
    passages: Vec<Passage>,
    /// How large the pictures of each encoding are, as far as frames have told.
    sizes: Vec<Option<(u16, u16)>>,
    /// Frames whose codec was not negotiated have been told of.
    warned: bool,
}

/// Whether frames of an encoding go through.
///
/// ```text
///           a delta frame comes, a key frame is asked for
///   Closed ───────────────────────────────────────────────▶ Asked
///    ▲  └──────────────── a key frame comes ─────────┐        │ a key frame comes
///    │                                               ▼        ▼
///    └──────── there are no bits for it ◀──────────── Open ◀──┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Passage {
    #[default]
    Closed,
    Asked,
    Open,
}

impl PassingSender {
    pub(super) fn pass(
        &mut self,
        plan: &Plan,
        frame: EncodedFrame,
        at: Moment,
        signals: &Arc<Signals>,
        frames: &TrackFrames,
    ) -> Vec<Encoded> {
        self.ask_for_key_frames(signals, frames, plan.encodings.len());
        self.sizes.resize(plan.encodings.len(), None);
        if let Some(size) = self.sizes.get_mut(frame.encoding) {
            *size = frame.size.or(*size);
        }
        self.share(plan, signals.bitrate(), frames);
        let Some(codec) = self.codec(plan, &frame) else {
            return Vec::new();
        };
        let Some(payload_type) = PayloadType::new(codec.payload_type.value()) else {
            return Vec::new();
        };
        if !self.may_pass(&frame, frames) {
            return Vec::new();
        }
        let packet = Encoded {
            encoding: frame.encoding,
            payload_type,
            data: frame.data.to_vec(),
            timestamp: at.ticks(codec.codec.clock_rate),
            capture: at.clock,
            is_key_frame: frame.is_key_frame,
            size: frame.size,
            audio_level: None,
            layer: None,
        };
        vec![packet]
    }

    fn ask_for_key_frames(&self, signals: &Signals, frames: &TrackFrames, encodings: usize) {
        let wanted = signals.take_key_frames();
        if encodings < 2 && wanted != 0 {
            frames.request_key_frame();
            return;
        }
        for encoding in (0..encodings.min(64)).filter(|it| wanted >> it & 1 == 1) {
            frames.request_key_frame_of(encoding);
        }
    }

    /// Shares the bit rate out, and tells the source.
    fn share(&mut self, plan: &Plan, network: Option<u64>, frames: &TrackFrames) {
        let encodings = &plan.encodings;
        let sizes = &self.sizes;
        let pixels = |index: usize| match sizes.get(index) {
            Some(Some((width, height))) => u64::from(*width) * u64::from(*height),
            _ => encodings.get(index).map_or(0, supposed_pixels),
        };
        self.shares = match encodings.len() {
            // How large the one is does not matter.
            0 | 1 => self.sharing.share(network, encodings, |_| u64::MAX >> 8),
            _ => self.sharing.share(network, encodings, pixels),
        };
        self.passages.resize(self.shares.len(), Passage::Closed);
        let unsent = self.passages.iter_mut().zip(&self.shares);
        for (passage, _) in unsent.filter(|(_, share)| **share == 0) {
            *passage = Passage::Closed;
        }
        if network.is_none() || self.shares == self.asked {
            return;
        }
        self.asked.clone_from(&self.shares);
        let rates = self.shares.iter().map(|it| u32::try_from(*it));
        let rates: Vec<u32> = rates.map(|it| it.unwrap_or(u32::MAX)).collect();
        match rates.as_slice() {
            [one] => frames.request_bitrate(*one),
            all => frames.request_bitrates(all),
        }
    }

    /// What a frame is encoded with, if that was negotiated.
    fn codec<'a>(&mut self, plan: &'a Plan, frame: &EncodedFrame) -> Option<&'a CodecParameters> {
        let mime_type = &frame.mime_type;
        let fits = |it: &&CodecParameters| it.codec.mime_type.eq_ignore_ascii_case(mime_type);
        let found = plan.codecs.iter().find(fits);
        if found.is_none() && !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(%mime_type, "frames of a codec that was not negotiated are not sent");
        }
        found
    }

    /// Whether the frame's encoding is sent, and has begun with a key frame or does with this one.
    fn may_pass(&mut self, frame: &EncodedFrame, frames: &TrackFrames) -> bool {
        let is_sent = self.shares.get(frame.encoding).is_some_and(|it| *it > 0);
        let Some(passage) = self.passages.get_mut(frame.encoding).filter(|_| is_sent) else {
            return false;
        };
        if frame.is_key_frame {
            *passage = Passage::Open;
        } else if *passage == Passage::Closed {
            *passage = Passage::Asked;
            frames.request_key_frame_of(frame.encoding);
        }
        *passage == Passage::Open
    }

    /// How each encoding is sent.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let setting = |bitrate: &u64| Setting {
            bitrate: *bitrate,
            scalability_mode: None,
        };
        self.shares.iter().map(setting).collect()
    }

    /// See [`Sharing::next_step`].
    pub(super) fn next_step(&self) -> u64 {
        self.sharing.next_step()
    }
}

/// How large the pictures of one of several encodings are taken to be as long as no frame has told:
/// as if they had been made of 1280×720 pixels.
fn supposed_pixels(encoding: &EncodingParameters) -> u64 {
    let by = encoding.scale_resolution_down_by.unwrap_or(1.0).max(1.0);
    (1_280.0 * 720.0 / (by * by)) as u64
}
