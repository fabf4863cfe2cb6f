//! Frames that are encoded already: they go through as they are.

use std::sync::Arc;

use pc_jsep::CodecParameters;
use pc_media::{EncodedFrame, TrackFrames};
use pc_rtp::PayloadType;

use super::{
    outbound::{Encoded, Moment, Plan, Signals},
    rate,
};

/// Passes encoded frames through, and the peer's wishes back to their source.
#[derive(Default)]
pub(super) struct PassingSender {
    /// What the source was last asked for.
    bitrate: Option<u64>,
    /// Frames whose codec was not negotiated have been told of.
    warned: bool,
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
        if signals.take_key_frames() != 0 {
            frames.request_key_frame();
        }
        let shares = rate::share(signals.bitrate(), &plan.encodings, |_| u64::MAX >> 8);
        let bitrate = shares
            .first()
            .copied()
            .filter(|_| signals.bitrate().is_some());
        if bitrate != self.bitrate {
            self.bitrate = bitrate;
            if let Some(Ok(bitrate)) = bitrate.map(u32::try_from) {
                frames.request_bitrate(bitrate);
            }
        }
        let fits =
            |it: &&CodecParameters| it.codec.mime_type.eq_ignore_ascii_case(&frame.mime_type);
        let Some(codec) = plan.codecs.iter().find(fits) else {
            if !std::mem::replace(&mut self.warned, true) {
                tracing::warn!(
                    mime_type = %frame.mime_type,
                    "frames of a codec that was not negotiated are not sent"
                );
            }
            return Vec::new();
        };
        let Some(payload_type) = PayloadType::new(codec.payload_type.value()) else {
            return Vec::new();
        };
        let active = plan.encodings.iter().position(|it| it.active);
        let packet = active.map(|encoding| Encoded {
            encoding,
            payload_type,
            data: frame.data.to_vec(),
            timestamp: at.ticks(codec.codec.clock_rate),
            capture: at.clock,
            is_key_frame: frame.is_key_frame,
            size: None,
            audio_level: None,
            layer: None,
        });
        packet.into_iter().collect()
    }
}
