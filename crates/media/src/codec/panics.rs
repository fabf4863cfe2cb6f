//! Codecs are large, and what they decode comes from a stranger: one that panics must not take its
//! caller along.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::CodecError;

/// Runs `codec`. An error `Internal` means that it panicked: whatever it worked on is in no state
/// to be used any more.
pub(super) fn contained<T>(codec: impl FnOnce() -> Result<T, CodecError>) -> Result<T, CodecError> {
    catch_unwind(AssertUnwindSafe(codec)).unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied());
        Err(CodecError::Internal(text.unwrap_or("a panic").into()))
    })
}
