//! Devices that need no hardware: a [tone](Tone) and a [moving picture](TestPicture) that tells the
//! time to people and to programs.
//!
//! Both are pure functions of time. What is sent at a moment can so be told from what arrives,
//! without a word between the two sides: [`sink`](crate::sink) reads it back.
//!
//! ```
//! use std::time::Duration;
//! use pc_media::{devices::TestPicture, sink};
//!
//! let at = Duration::from_millis(83_250);
//! let picture = TestPicture::frame(at, 320, 180)?;
//! assert_eq!(sink::read_clock(&picture.scaled_to(160, 90)?), Some(at));
//! # Ok::<(), pc_media::InvalidFrame>(())
//! ```

pub mod clock;
mod digits;
mod picture;
mod tone;

pub use picture::TestPicture;
pub use tone::Tone;
