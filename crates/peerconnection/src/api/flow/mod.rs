//! Media between tracks and the engine: one task for what a transceiver sends, one for what it
//! receives. Codecs run here, and never under the engine's lock.
//!
//! ```text
//!   track ──frames──▶ outbound task: encoders ──▶ engine.send_frame
//!   track ◀──frames── inbound task:  decoder  ◀── engine.poll_frame (by the driver)
//! ```

mod audio;
mod counts;
mod inbound;
mod layers;
mod outbound;
mod passing;
mod rate;
mod timeline;
mod video;
mod work;

pub(crate) use counts::{Encodings, Setting};
pub(crate) use inbound::Inbound;
pub(crate) use layers::{LayerChoice, Verdict};
pub(crate) use outbound::{Outbound, Signals};

use crate::engine::Sound;

/// How much sound a frame is.
fn sound_of(frame: &pc_media::AudioFrame) -> Sound {
    let duration = frame.duration().as_secs_f64();
    let loudest = frame.samples().iter().map(|it| it.unsigned_abs()).max();
    let level = f64::from(loudest.unwrap_or(0)) / 32_768.0;
    Sound {
        energy: level * level * duration,
        duration,
    }
}
