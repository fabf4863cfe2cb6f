//! A sans-IO DTLS connection for WebRTC: handshake, certificates, fingerprints, records, and the
//! keys of SRTP.
//!
//! Datagrams and time go in, datagrams, plaintext and events come out: a [`Connection`] is an engine
//! as [`pc_proto::Protocol`] has it. It speaks DTLS 1.2 and 1.3 in both roles, and finds out which.
//!
//! ```
//! use pc_dtls::{Certificate, Config, Connection, Event, HashAlgorithm, Role};
//! use pc_proto::{Batch, Protocol};
//! use std::time::{Duration, Instant};
//!
//! // An application takes the date from `SystemTime`, and sends fingerprints through its signaling.
//! let date = Duration::from_secs(1_790_000_000);
//! let (ours, theirs) = (Certificate::generate(date)?, Certificate::generate(date)?);
//! # #[allow(clippy::disallowed_methods)]
//! let now = Instant::now();
//! let mut config = Config::new(Role::Client, ours.clone());
//! config.remote_fingerprints = vec![theirs.fingerprint(HashAlgorithm::Sha256)];
//! let mut client = Connection::new(now, config)?;
//! let mut config = Config::new(Role::Server, theirs);
//! config.remote_fingerprints = vec![ours.fingerprint(HashAlgorithm::Sha256)];
//! let mut server = Connection::new(now, config)?;
//!
//! // A driver sends what `poll_transmit` gives, feeds what arrives, and calls `handle_timeout` at
//! // `poll_timeout`. Here the network is a vector.
//! let (mut batch, mut idle) = (Batch::new(), 0);
//! while idle < 2 {
//!     idle += 1;
//!     while client.poll_transmit(now, &mut batch.transmit_buf(1200, 64)).is_some() {
//!         for datagram in batch.datagrams() {
//!             server.handle_input(now, (), &mut datagram.to_vec())?;
//!             idle = 0;
//!         }
//!     }
//!     std::mem::swap(&mut client, &mut server);
//! }
//! assert_eq!(client.poll_event(), Some(Event::Connected));
//! assert_eq!(server.poll_event(), Some(Event::Connected));
//!
//! client.send(now, b"hello")?;
//! client.poll_transmit(now, &mut batch.transmit_buf(1200, 64));
//! server.handle_input(now, (), &mut batch.datagrams().next().unwrap().to_vec())?;
//! assert_eq!(server.poll_data().as_deref(), Some(&b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises
//!
//! - **Nobody is connected to before its certificate is known to be the announced one.** Until then
//!   there is no [`Event::Connected`], no plaintext, no key. Fingerprints may come after the
//!   handshake; up to 16 records wait for them.
//! - **A forged, altered or replayed datagram is [`Rejected`] once the handshake is complete**, and
//!   changes nothing. Records in the clear are dropped by their headers, alerts among them, before
//!   anything else sees them; the one exception is what a DTLS 1.2 client repeats to get the last
//!   flight again, which is answered a few times at most.
//! - **Memory is bounded**: 64 ranges of each of four handshake messages of 16 KiB, 48 handshake records in
//!   datagrams of 4 KiB, 1 MiB of unread data, 1,024 unsent datagrams.
//! - A handshake takes at most 30 seconds from the first ClientHello on. No timer runs before it, nor
//!   on an idle connection.
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`Connection`], [`Config`], [`Event`], [`State`] | the engine |
//! | [`Certificate`], [`CertificateOptions`], [`KeyAlgorithm`] | making, keeping, expiry |
//! | [`Fingerprint`], [`HashAlgorithm`] | `a=fingerprint`, RFC 8122 |
//! | [`SrtpKeyingMaterial`], [`SrtpProfile`] | what media are encrypted with, RFC 5764 |
//! | [`Error`], [`Rejected`], [`SendError`], [`Alert`] | a terminal failure; a dropped datagram; the caller's; the peer's words |
//!
//! # Design decision
//!
//! The handshake and the record protection are those of the `dimpl` crate; nothing of it shows, so
//! that it can be replaced. What is put around it:
//!
//! - Each datagram is split into records, and each record is judged by its header, role, version and
//!   state. `dimpl` gets one record at a time, and of its errors, all of which it calls fatal, those
//!   that it returns before it changes anything end only the record.
//! - A ClientHello is reassembled here before `dimpl` sees it: a post-quantum one comes in two
//!   datagrams, in any order, and says which versions it speaks in either of them. One that leads
//!   nowhere leaves nothing behind, and one that differs from the first of its handshake is dropped.
//! - In DTLS 1.2 the AES-GCM nonces count; `dimpl` draws them at random, which repeats them.
//! - RSA keys, on either side, are ECDSA keys to `dimpl`, which knows no others: the few bytes of a
//!   handshake that name an algorithm are translated on their way in and out, and back again before
//!   anything is hashed, signed or verified. Signatures are made and verified here.
//! - Its timers run at most every 20 ms; when a record is missing it would send ACKs in a busy loop.
//!
//! # Limits
//!
//! - Whoever can inject datagrams into the verified path *during* a handshake can make it fail, as
//!   the messages in the clear are not authenticated: all but the last of each side in DTLS 1.2, the
//!   hellos in DTLS 1.3. It fails by a named [`Error`], and never connects to the wrong peer.
//! - An authentic alert is sent only as `close_notify`, and as `bad_certificate` in DTLS 1.2. A
//!   DTLS 1.3 client that refuses a certificate falls silent, and so does a server that has nothing
//!   in common with a client. A renegotiation is ignored and not answered.
//! - Whether a protected record was refused is seen from its having had no effect: a DTLS 1.3 record
//!   that is authentic but of no use, such as a late ACK, counts as [`Rejected::Protected`] too.
//! - Key exchange with X25519, P-256 and P-384 (a post-quantum share is skipped in favour of another),
//!   certificates with ECDSA on P-256 and P-384, and with RSA of 2,048 to 4,096 bits and SHA-256
//!   (PKCS #1 and PSS padding in DTLS 1.2, PSS in DTLS 1.3): a peer with any other fails. DTLS 1.2
//!   with AES-GCM and ECDHE. A client always offers all three SRTP profiles, and the server's order decides:
//!   AES-256-GCM, AES-128-GCM, AES-128-CM with SHA-1. Only keys for SRTP are exported.
//! - Randomness comes from the cryptographic library, not from a seed; see [`Config::seed`]. A DTLS
//!   1.2 hello also carries the time of day that `dimpl` reads when the process first needs it.
//!
//! # Specifications
//!
//! RFC 6347 (DTLS 1.2), RFC 9147 (DTLS 1.3), RFC 5764 (DTLS-SRTP), RFC 7627 (extended master secret,
//! required), RFC 5746 (secure renegotiation, signalled only), RFC 8122 (fingerprints), RFC 8827
//! (WebRTC security), RFC 8842 (roles), RFC 5288 and 9325 (AES-GCM nonces).
//!
//! # Non-goals
//!
//! Cookies (ICE has verified the path), session resumption, connection IDs, pre-shared keys,
//! renegotiation, DTLS 1.0.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod carrier;
mod certificate;
mod config;
mod connection;
mod der;
mod dialect;
mod error;
mod fingerprint;
mod gate;
mod hello;
mod pem;
mod provider;
mod queue;
mod record;
mod rsa;
mod srtp;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, CertificateError, CertificateOptions, KeyAlgorithm};
pub use config::{CipherSuite, Config, MIN_MTU, Role, Version, Versions};
pub use connection::{Connection, Event, State};
pub use error::{Alert, Error, Rejected, SendError};
pub use fingerprint::{Fingerprint, FingerprintError, HashAlgorithm};
pub use srtp::{SrtpKeyingMaterial, SrtpProfile};
