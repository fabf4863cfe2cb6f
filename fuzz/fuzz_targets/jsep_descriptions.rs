//! Any text as a description, in every signaling state.
#![no_main]

#[path = "jsep_descriptions/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model::run(data));
