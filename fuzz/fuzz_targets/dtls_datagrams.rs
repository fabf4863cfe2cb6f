//! Two DTLS connections and someone in between who injects, alters, loses and replays datagrams.

#![no_main]

#[path = "../../crates/dtls/tests/operations/mod.rs"]
mod operations;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| operations::run(bytes));
