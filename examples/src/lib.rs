//! What the example programs share: signaling, and the server of their pages.
//!
//! The W3C leaves open how descriptions and candidates get from one peer to the other. Two ways are
//! here, both as small as they can be:
//!
//! | module | used by | how |
//! |---|---|---|
//! | [`signaling`] | `chat`, `perfect_negotiation`, `simple_call`, `warm_up`, `early_media`, `dtmf`, `simulcast` | a live channel: JSON messages over a WebSocket, candidates trickle |
//! | [`mailbox`] | `peer` | HTTP, one message a box: one offer, one answer, candidates inside |
//!
//! And [`page`]: what serves a page and the WebSocket of its signaling; [`program`]: the flags of a program
//! that has one, and its course; [`servers`], the flags about STUN and TURN; [`devices`], which make sound and pictures, [`meter`], which measures what
//! comes, and [`recording`], which keeps it.

pub mod devices;
pub mod mailbox;
pub mod meter;
pub mod page;
pub mod program;
pub mod recording;
pub mod servers;
pub mod signaling;

/// Logs to stderr as `RUST_LOG` says, such as `RUST_LOG=pc_ice=debug`; warnings alone without it.
pub fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
