//! What an exchange of descriptions leaves to be sent and received.

use super::CodecParameters;
use super::answer::common;
use super::identity::identities_of;

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

/// What we may receive: the codecs of `ours` that are also in `theirs`, in our order.
pub(crate) fn receivable(
    ours: &[CodecParameters],
    theirs: &[CodecParameters],
) -> Vec<CodecParameters> {
    let identities = identities_of(theirs);
    let own = ours.iter().zip(identities_of(ours));
    let common = own.filter(|(_, own)| own.is_some() && identities.contains(own));
    common.map(|(codec, _)| codec.clone()).collect()
}
