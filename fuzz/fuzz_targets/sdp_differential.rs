//! A session description made of the bytes, read by this project, by `sdp` and by `webrtc-sdp`: if it
//! is well-formed, all take it and see the same in it; if it is broken, none takes it. The corpus is
//! replayed by `cargo test -p pc-sdp`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/sdp/tests/differential/mod.rs"]
#[expect(dead_code, reason = "the tests have more to compare")]
mod differential;

fuzz_target!(|data: &[u8]| differential::check(data));
