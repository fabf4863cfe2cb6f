//! Session descriptions read by this project, by `sdp` and by `webrtc-sdp`: what several take must
//! mean the same. The corpus is replayed by `cargo test -p pc-sdp`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/sdp/tests/differential/mod.rs"]
mod differential;

fuzz_target!(|data: &[u8]| differential::check(data));
