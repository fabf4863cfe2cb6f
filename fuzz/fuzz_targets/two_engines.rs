//! Any order of operations on two connections, between which datagrams are lost, repeated, held
//! back, corrupted, replayed and forged.
#![no_main]

#[path = "two_engines/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model::run(data));
