//! Telephone events of anybody's are heard or refused, each begins and ends once, and what is played
//! leaves when it is due; the body is the crate's, which replays the corpus in its tests.
#![no_main]

#[path = "../../crates/rtp/tests/telephone_events/mod.rs"]
mod telephone_events;

libfuzzer_sys::fuzz_target!(|data: &[u8]| telephone_events::run(data));
