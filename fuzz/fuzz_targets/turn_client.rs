//! Any order of operations on a TURN client whose server answers well, badly, forged or not at all.
#![no_main]

#[path = "turn_client/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model::run(data));
