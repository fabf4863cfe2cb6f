//! Any order of operations, on two sessions, between which datagrams are lost, repeated, corrupted,
//! replayed and forged.
#![no_main]

#[path = "rtp_session/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model::run(data));
