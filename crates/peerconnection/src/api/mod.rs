//! The W3C interface on tokio: handles, events, and the driver between engine and sockets.
//!
//! ```text
//!   PeerConnection, DataChannel         Endpoint (one or many connections)
//!        │ lock, call, wake                   │
//!        ▼                                    ▼
//!   Shared { Mutex<engine::Connection> } ◀── Driver task ──▶ pc_net::UdpSocket
//!        │ publish                            ▲
//!        ▼                                    │ Inbox: attach, wake, learn
//!   Events, DataChannel::next ────────────────┘
//! ```

mod data_channel;
mod driver;
mod endpoint;
mod event;
mod inbox;
mod operation;
mod peer_connection;
mod shared;

pub use data_channel::DataChannel;
pub use endpoint::Endpoint;
pub use event::{DataChannelEvent, Event, Events, Message};
pub use operation::Operation;
pub use peer_connection::PeerConnection;
