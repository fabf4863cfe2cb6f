//! A sans-IO SCTP association for WebRTC data channels (RFC 9260, 8261, 3758, 6525).
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod association;
mod carrier;
mod config;
mod error;
mod flight;
mod handshake;
mod inbound;
mod inbox;
mod init;
mod outbound;
mod outbox;
mod reconfig;
mod shutdown;
mod types;
mod wire;

pub use association::Association;
pub use config::{Config, DEFAULT_PORT};
pub use error::{Error, Rejected, SendError};
pub use types::{Event, Limit, Ppid, Reliability, State, StreamId};

#[cfg(test)]
mod tests;
