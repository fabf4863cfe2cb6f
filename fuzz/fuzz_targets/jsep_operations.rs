//! Any order of operations on two sessions that negotiate with each other, under glare, with
//! rollbacks and provisional answers, and with descriptions that were changed on their way.
#![no_main]

#[path = "jsep_operations/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model::run(data));
