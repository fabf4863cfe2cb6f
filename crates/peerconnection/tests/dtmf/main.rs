//! `RTCDTMFSender`, [webrtc-pc §7](https://www.w3.org/TR/webrtc/#peer-to-peer-dtmf), on virtual time:
//! what is told when, what is on the wire, and what the other side hears.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../common/pair.rs"]
mod pair;
mod phone;
mod redundancy;
mod timing;
mod wire;

use pc_simnet::ms;
use phone::{A, B, Call};

/// What [`Call::listen`] should say.
fn told(expected: &[(u64, &str, &str)]) -> Vec<phone::Told> {
    let all = expected.iter();
    all.map(|(at, tone, buffer)| (*at, (*tone).to_owned(), (*buffer).to_owned()))
        .collect()
}

fn good() -> pc_simnet::Link {
    pc_simnet::Link::new().delay(ms(20))
}
