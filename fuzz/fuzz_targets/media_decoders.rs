//! Arbitrary bytes are decoded or refused; the body is the crate's, which replays the corpus in its tests.
//!
//! A decoder may panic within, as it is contained there: only what gets out of it is a find.
#![no_main]

#[path = "../../crates/media/tests/decoders/mod.rs"]
mod decoders;

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    // The hook that is there by default aborts before anything can catch the panic.
    init: std::panic::set_hook(Box::new(|_| ())),
    |data: &[u8]| decoders::run(data)
);
