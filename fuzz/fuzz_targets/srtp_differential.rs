//! SRTP and SRTCP of this project and of `webrtc-srtp` under the same keys: both write the same bytes,
//! open each other's, and refuse what is forged or repeated. The body is the crate's, which replays the
//! corpus in its tests and names where the oracle is known to differ.
#![no_main]

#[path = "../../crates/srtp/tests/differential/mod.rs"]
mod differential;

libfuzzer_sys::fuzz_target!(|data: &[u8]| differential::run(data));
