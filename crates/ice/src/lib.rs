//! A sans-IO ICE agent (RFC 8445, 8838, 7675, 8863).
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod agent;
mod candidate;
mod checklist;
mod config;
mod consent;
mod credentials;
mod early;
mod error;
mod generation;
mod locals;
mod pacing;
mod pair;
mod paths;
mod remotes;
mod reply;
mod requests;
mod state;
mod transaction;

pub use agent::Agent;
pub use candidate::{COMPONENT, Candidate, CandidateKind, CandidatePair, candidate_priority};
pub use config::{Config, Timing};
pub use credentials::Credentials;
pub use error::{Error, Rejected};
pub use state::{Event, Role, State};

#[cfg(test)]
mod tests;
