//! What the clients of STUN and TURN servers have in common: when a request is sent again, what
//! becomes of it, and how messages are told apart in a stream.

mod error;
mod frames;
mod redirect;
mod schedule;
mod stun;

pub use error::{ErrorResponse, ServerError};
pub use frames::{FrameError, StreamFrames};
pub use redirect::{Alternate, Redirects};
pub use schedule::RequestTiming;
pub(crate) use schedule::Schedule;
pub use stun::{StunClient, StunConfig, StunEvent};
