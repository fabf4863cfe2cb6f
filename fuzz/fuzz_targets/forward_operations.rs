//! Any order of packets, of any encodings, and of what a server decides about them.
#![no_main]

#[path = "forward_operations/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model::run(data));
