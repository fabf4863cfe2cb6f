//! What a sender sends: its encodings, and how simulcast is written in a description.
//!
//! | file | does |
//! |---|---|
//! | `parameters` | the dictionaries of `getParameters` and `setParameters` |
//! | `send` | a sender's encodings through calls, offers, answers and rollback |
//! | `validate`, `scalability` | the checks of both calls, each with its error |
//! | `restrictions` | what the peer takes of a stream |
//! | `simulcast` | `a=rid` (RFC 8851) and `a=simulcast` (RFC 8853), read and written |

mod parameters;
mod restrictions;
mod scalability;
mod send;
mod simulcast;
mod validate;
mod wanted;

#[cfg(test)]
mod tests;

pub use parameters::{
    DegradationPreference, EncodingParameters, Priority, ReceiveParameters, ResolutionRestriction,
    RtcpParameters, SendParameters,
};
pub use restrictions::RidRestrictions;
pub(crate) use scalability::scalability_modes;
pub(crate) use send::{SendEncodings, is_same};
pub(crate) use simulcast::{
    RemoteSimulcast, RidAlternatives, read_simulcast, write_answer_simulcast, write_offer_simulcast,
};
pub(crate) use wanted::wanted_streams;
