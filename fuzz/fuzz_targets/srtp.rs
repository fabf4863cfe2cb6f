//! Protected packets come back once, and nothing else does; the body is the crate's, which replays the
//! corpus in its tests.
#![no_main]

#[path = "../../crates/srtp/tests/operations/mod.rs"]
mod operations;

libfuzzer_sys::fuzz_target!(|data: &[u8]| operations::run(data));
