//! Edges of a connection: input that is legal and rare, moments that are awkward, and what they may cost.

#[path = "../common/mod.rs"]
mod common;
mod costs;
mod endings;
mod options;
mod sections;
mod sharing;
#[path = "../common/sockets.rs"]
mod sockets;
mod timers;

use std::time::{Duration, Instant};

use pc_proto::Protocol;
use peerconnection::{
    Certificate,
    engine::{Config, Connection, Event},
};

pub(crate) fn engine(seed: u8) -> Connection {
    let certificate = Certificate::generate(Duration::from_secs(1_795_000_000)).unwrap();
    Connection::new(Config::new(certificate, [seed; 32]))
}

#[allow(clippy::disallowed_methods)]
pub(crate) fn start() -> Instant {
    Instant::now()
}

pub(crate) fn events(engine: &mut Connection) -> Vec<Event> {
    std::iter::from_fn(|| engine.poll_event()).collect()
}
