//! A sans-IO DTLS connection for WebRTC (RFC 6347, 9147, 5764): handshake, certificates, exporter.
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
mod error;
mod fingerprint;
mod gate;
mod hello;
mod provider;
mod queue;
mod record;
mod srtp;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, CertificateError};
pub use config::{CipherSuite, Config, MIN_MTU, Role, Version, Versions};
pub use connection::{Connection, Event, State};
pub use error::{Alert, Error, Rejected, SendError};
pub use fingerprint::{Fingerprint, FingerprintError, HashAlgorithm};
pub use srtp::{SrtpKeyingMaterial, SrtpProfile};
