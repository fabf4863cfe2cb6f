//! Media between tracks and the engine: one task for what a transceiver sends, one for what it
//! receives. Codecs run here, and never under the engine's lock.
//!
//! ```text
//!   track ──frames──▶ outbound task: encoders ──▶ engine.send_frame
//!   track ◀──frames── inbound task:  decoder  ◀── engine.poll_frame (by the driver)
//! ```

mod audio;
mod inbound;
mod outbound;
mod passing;
mod rate;
mod timeline;
mod video;

pub(crate) use inbound::Inbound;
pub(crate) use outbound::{Outbound, Signals};
