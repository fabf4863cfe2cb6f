//! WebRTC data channels (RFC 8831, 8832) over a sans-IO SCTP association.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod channel;
mod dcep;
mod error;
mod event;
mod incoming;
mod session;

pub use channel::{Channel, ChannelId, ChannelInit, DEFAULT_PRIORITY, State};
pub use dcep::{DataChannelOpen, Dcep, ReliabilityParameter};
pub use error::{ChannelError, CreateError, Refusal, SendError};
pub use event::{Event, Message, MessageKind};
pub use pc_sctp::{Rejected, State as SessionState};
pub use session::{Config, MAX_BUFFERED_AMOUNT, Role, Session};
