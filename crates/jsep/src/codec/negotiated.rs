//! What an exchange of descriptions leaves to be sent and received.

use super::CodecParameters;
use super::answer::common;
use super::identity::{Identity, identities_of};

/// What we may send: the codecs of `theirs` that are also in `ours`, in their order, which is what
/// they want most first (RFC 3264 §5.1), by their numbers and with their parameters: both
/// describe what they receive. The feedback is what both have.
pub(crate) fn sendable(
    ours: &[CodecParameters],
    theirs: &[CodecParameters],
) -> Vec<CodecParameters> {
    let own_identities = identities_of(ours);
    let mut sendable = Vec::new();
    for (codec, identity) in theirs.iter().zip(identities_of(theirs)) {
        let same = own_identities
            .iter()
            .position(|own| own.is_some() && *own == identity);
        if let Some(own) = same.and_then(|index| ours.get(index)) {
            let mut codec = codec.clone();
            codec.codec.mime_type.clone_from(&own.codec.mime_type);
            codec.feedback = common(&own.feedback, &codec.feedback);
            sendable.push(codec);
        }
    }
    sendable
}

/// What we may receive: the codecs of `ours` that are also in `theirs`, by our numbers and with our
/// parameters. Their order and feedback are what the exchange has agreed upon, so that this is
/// also what the next offer starts from (RFC 9429 §5.2.2).
pub(crate) fn receivable(
    ours: &[CodecParameters],
    theirs: &[CodecParameters],
) -> Vec<CodecParameters> {
    let identities = identities_of(theirs);
    let rank = |own: &Option<Identity>| {
        let known = identities.iter().position(|other| other == own);
        known.filter(|_| own.is_some())
    };
    let mut receivable = Vec::new();
    for (codec, identity) in ours.iter().zip(identities_of(ours)) {
        if let Some(rank) = rank(&identity)
            && let Some(theirs) = theirs.get(rank)
        {
            let mut codec = codec.clone();
            codec.feedback = common(&codec.feedback, &theirs.feedback);
            receivable.push((rank, codec));
        }
    }
    receivable.sort_by_key(|(rank, _)| *rank);
    receivable.into_iter().map(|(_, codec)| codec).collect()
}
