//! What the clients of STUN and TURN servers have in common: when a request is sent again, and what
//! becomes of it.

mod error;
mod redirect;
mod schedule;
mod stun;

pub use error::{ErrorResponse, ServerError};
pub use redirect::{Alternate, Redirects};
pub use schedule::RequestTiming;
pub(crate) use schedule::Schedule;
pub use stun::{StunClient, StunConfig, StunEvent};
