use pc_stun::{Class, MessageView};

use super::auth::{Proof, is_bid_down};
use crate::{ErrorResponse, ServerError};

/// What an answer to an open request is worth (RFC 8489 §9.2.5, §6.3.3–6.3.4).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// 401 or 438, which are not signed: they make another request at most.
    Challenge(ErrorResponse),
    /// As if it had never come.
    Discarded,
    /// It is not signed as its request was, and what it claims.
    Unsigned(Option<ErrorResponse>),
    /// It is the server's, and of no use.
    Useless(ServerError),
    /// The server refuses.
    Refused(ErrorResponse),
    /// The server has done it.
    Success,
}

impl Verdict {
    /// On the answer to a request that was signed with `proof`, or not at all.
    pub(super) fn on(answer: &MessageView<'_>, proof: Option<&Proof>) -> Self {
        let error = match answer.class() {
            Class::Error => Some(ErrorResponse::of(answer)),
            _ => None,
        };
        if let Some(Some(error)) = &error
            && matches!(error.code, 401 | 438)
        {
            return Self::Challenge(error.clone());
        }
        if is_bid_down(answer) {
            return Self::Discarded;
        }
        if proof.is_some_and(|proof| proof.verify(answer).is_err()) {
            return match error.flatten() {
                Some(error) if error.code == 400 => Self::Discarded,
                claimed => Self::Unsigned(claimed),
            };
        }
        if let Some(kind) = answer.unknown_comprehension_required().next() {
            return Self::Useless(ServerError::UnknownAttribute(kind));
        }
        match error {
            None => Self::Success,
            Some(None) => Self::Useless(ServerError::BadResponse("ERROR-CODE")),
            Some(Some(error)) => Self::Refused(error),
        }
    }
}
