//! Any order of operations, on two agents, between which datagrams are lost, repeated, corrupted,
//! replayed and forged.
#![no_main]

#[path = "ice_operations/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model::run(data));
