//! The one place where this crate reads a clock and the system's randomness: for devices.

use std::time::Instant;

use super::MediaError;

/// The clock that devices run by.
#[allow(clippy::disallowed_methods)]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// What an id is made of.
#[allow(clippy::disallowed_methods)]
pub(super) fn random() -> Result<[u8; 16], MediaError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| MediaError::NotReadable(format!("no randomness: {error}")))?;
    Ok(bytes)
}
