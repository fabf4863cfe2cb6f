//! What to do with media that arrives: measure it, and read what a
//! [synthetic device](crate::devices) said in it.

mod clock;
mod fft;
mod level;
mod tone;

pub use clock::read_clock;
pub use level::{Level, LevelMeter};
pub use tone::{Note, ToneMeter};
