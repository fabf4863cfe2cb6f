//! The codecs of an answer (RFC 9429 §5.3.1).

use pc_sdp::Feedback;

use super::identity::identities_of;
use super::select::{Selected, select};
use super::{Codec, CodecParameters, KindCapabilities, fmtp, h264};

/// What an answer lists: the offer's payload types that mean what we also have, in the offer's
/// order, or that of our preferences if there are any (RFC 9429 §5.3.1), with our own parameters
/// where they describe what we receive and the feedback that both have.
///
/// Empty where nothing is left that carries media: the section is to be rejected.
pub(crate) fn answer_codecs(
    all: &KindCapabilities,
    preferences: Option<&[Codec]>,
    sends: bool,
    receives: bool,
    offered: &[CodecParameters],
) -> Vec<CodecParameters> {
    let selected = select(all, preferences, sends, receives);
    let identities = identities_of(offered);
    let mut matches: Vec<(usize, CodecParameters)> = Vec::new();
    for (offered, identity) in offered.iter().zip(identities) {
        let same = |own: &Selected<'_>| identity.as_ref() == Some(&own.identity);
        if let Some(rank) = selected.iter().position(same)
            && let Some(ours) = selected.get(rank)
        {
            matches.push((rank, answered(ours, offered)));
        }
    }
    if preferences.is_some() {
        matches.sort_by_key(|(rank, _)| *rank);
    }
    if !matches.iter().any(|(_, own)| own.codec.is_media()) {
        return Vec::new();
    }
    matches.into_iter().map(|(_, own)| own).collect()
}

fn answered(ours: &Selected<'_>, offered: &CodecParameters) -> CodecParameters {
    let ours = ours.capability;
    CodecParameters {
        payload_type: offered.payload_type,
        codec: Codec {
            sdp_fmtp_line: answered_line(&ours.codec, &offered.codec),
            ..ours.codec.clone()
        },
        feedback: common(&ours.feedback, &offered.feedback),
    }
}

/// Payload types are referred to by the offer's numbers; H.264's profile is the offer's; all else
/// describes what we receive.
fn answered_line(ours: &Codec, offered: &Codec) -> Option<String> {
    let (own, theirs) = (
        ours.sdp_fmtp_line.as_deref(),
        offered.sdp_fmtp_line.as_deref(),
    );
    if ours.is_rtx() {
        let apt = fmtp::apt(theirs)?.to_string();
        return Some(fmtp::with_parameter(own, "apt", &apt));
    }
    if ours.is_red() {
        return offered.sdp_fmtp_line.clone();
    }
    if ours.is_named("H264") {
        return h264::answer(own, theirs);
    }
    ours.sdp_fmtp_line.clone()
}

/// The feedback that both sides have, in our order (RFC 4585 §4.2: an answer only removes).
pub(super) fn common(ours: &[Feedback], theirs: &[Feedback]) -> Vec<Feedback> {
    let both = ours.iter().filter(|own| theirs.contains(own));
    both.cloned().collect()
}
