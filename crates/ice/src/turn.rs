//! A TURN client as a value (RFC 8656): one allocation, its permissions and its channels.
//!
//! ```
//! use pc_ice::{ServerTransport, turn};
//! use pc_proto::{Batch, FiveTuple, Protocol};
//!
//! # #[allow(clippy::disallowed_methods)]
//! let now = std::time::Instant::now();
//! let path = FiveTuple::udp("10.0.0.1:4000".parse()?, "192.0.2.1:3478".parse()?);
//! let credentials = turn::Credentials::new("user", "secret");
//! let config = turn::Config::new(path, ServerTransport::Udp, credentials, [7; 32]);
//! let mut client = turn::Client::new(config)?;
//! let peer = "198.51.100.2:5000".parse()?;
//! client.permit(now, peer)?; // asked for as soon as there is an allocation
//!
//! // The driver: sends what is to be sent to `path`, hands over what comes from there …
//! let mut batch = Batch::new();
//! while client.poll_transmit(now, &mut batch.transmit_buf(1200, 8)).is_some() {
//!     for _datagram in batch.datagrams() { /* send it */ }
//! }
//! // … and what the layer above has for a peer leaves through the allocation.
//! let sent = client.wrap(&mut batch.transmit_buf(1200, 8), peer, |inner| {
//!     inner.datagram(5, |bytes| bytes.copy_from_slice(b"check"));
//! });
//! assert_eq!(sent, Err(pc_ice::Error::NotPermitted)); // until `turn::Event::Permitted`
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How the parts fit
//!
//! - [`Client`] is a [`Protocol`](pc_proto::Protocol) whose route is the path to the server. What it
//!   relays comes out of `handle_input` as [`PeerData`], borrowed from the datagram; what is to be
//!   relayed goes through [`Client::wrap`], which runs the layer above with room for the header and
//!   fills that in: nothing is copied.
//! - Over TCP and TLS, `pc_net::Decoder` cuts the stream into what `handle_input` takes
//!   (`Framing::Turn`), and what `poll_transmit` and `wrap` write goes out back to back.
//! - An ICE agent asks for a permission for each remote candidate of the relayed address's family
//!   ([`Client::permit`]), sends its checks once [`Event::Permitted`] has come, and asks for a
//!   channel ([`Client::bind_channel`]) for the pairs that carry data.
//! - After [`Event::Redirected`] another client is made, for that server; after any event that ends
//!   the client it is inert.
//!
//! # What is believed
//!
//! A response counts when it has the transaction id of an open request, comes on the client's path
//! and is signed with the key with which the request was (RFC 8489 §9.2.5); 401 and 438 cannot be
//! signed, and only change what the next request says, a few times. Data count when they come
//! through a channel that was asked for, or from an address that has a permission; they prove
//! nothing, as data of a datagram do not.
//!
//! Permissions, channels, open requests, redirections and events have limits.

mod allocation;
mod auth;
mod channels;
mod client;
mod config;
mod connection;
mod data;
mod event;
mod permissions;
mod request;
mod response;
mod transactions;
mod verdict;
mod wishes;

pub use allocation::Allocation;
pub use client::Client;
pub use config::{Config, Conflict, Credentials, Families, RelayedPort, RelayedTransport};
pub use connection::{DataConnection, DataConnectionState};
pub use data::PeerData;
pub use event::{ConnectionId, Event};
