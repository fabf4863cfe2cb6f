//! What to do with media that arrives: measure it, read what a
//! [synthetic device](crate::devices) said in it, and [record](Recorder) it.

mod clock;
mod fft;
mod file;
mod level;
mod tone;

pub use clock::read_clock;
pub use file::{FileFormat, RecordError, Recorder};
pub use level::{Level, LevelMeter};
pub use tone::{Note, ToneMeter};
