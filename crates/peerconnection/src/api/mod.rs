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

mod bells;
mod data_channel;
mod driver;
mod dtmf;
mod endpoint;
mod event;
mod flow;
mod forwarder;
mod inbox;
mod layers;
mod media;
mod operation;
mod packets;
mod peer_connection;
mod reach;
mod receiver;
mod sender;
mod shared;
mod slots;
mod streams;
mod transceiver;
mod transceivers;
mod transports;

pub use data_channel::DataChannel;
pub use dtmf::{DtmfSender, ToneChangeEvent};
pub use endpoint::Endpoint;
pub use event::{DataChannelEvent, Event, Events, Message, TrackEvent};
pub use forwarder::{Forwarder, NotForwarded};
pub use layers::RtpLayer;
pub use operation::Operation;
pub use packets::{RtpPacket, RtpPackets};
pub use peer_connection::PeerConnection;
pub use receiver::{RtpReceiver, RtpSource};
pub use sender::RtpSender;
pub use transceiver::RtpTransceiver;
pub use transceivers::TrackOrKind;
pub(crate) use transceivers::engine_kind;
pub use transports::{
    DtlsTransport, IceCandidatePair, IceComponent, IceParameters, IceRole, IceTransport,
    SctpTransport,
};
