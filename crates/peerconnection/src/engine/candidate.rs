//! Candidates between their form in SDP and that of the ICE agent.

use std::net::SocketAddr;

use pc_ice::{COMPONENT, Candidate, CandidateKind};
use pc_sdp::Word;

/// The SDP form of a candidate; `None` for one that cannot be written.
pub(super) fn to_sdp(candidate: &Candidate, ufrag: Option<&Word>) -> Option<pc_sdp::Candidate> {
    let kind = match candidate.kind {
        CandidateKind::Host => pc_sdp::CandidateKind::Host,
        CandidateKind::ServerReflexive => pc_sdp::CandidateKind::ServerReflexive,
        CandidateKind::PeerReflexive => pc_sdp::CandidateKind::PeerReflexive,
        _ => pc_sdp::CandidateKind::Relay,
    };
    let address = (candidate.address.ip().into(), candidate.address.port());
    let mut sdp = pc_sdp::Candidate::new(
        Word::new(candidate.foundation.as_str()).ok()?,
        candidate.component,
        pc_sdp::Transport::Udp,
        candidate.priority,
        address,
        kind,
    );
    sdp.related_address = candidate.related_address.map(|related| related.ip().into());
    sdp.related_port = candidate.related_address.map(|related| related.port());
    sdp.ufrag = ufrag.cloned();
    Some(sdp)
}

/// The agent's form of a remote candidate; `None` for one that this side has no use for: TCP, a
/// name to be resolved (mDNS), RTCP's component, a kind it does not know (RFC 8839 §5.1).
pub(super) fn from_sdp(sdp: &pc_sdp::Candidate) -> Option<Candidate> {
    let kind = match sdp.kind {
        pc_sdp::CandidateKind::Host => CandidateKind::Host,
        pc_sdp::CandidateKind::ServerReflexive => CandidateKind::ServerReflexive,
        pc_sdp::CandidateKind::PeerReflexive => CandidateKind::PeerReflexive,
        pc_sdp::CandidateKind::Relay => CandidateKind::Relayed,
        _ => return None,
    };
    if sdp.component != COMPONENT || sdp.transport != pc_sdp::Transport::Udp {
        return None;
    }
    let address = SocketAddr::new(sdp.address.ip()?, sdp.port);
    let mut candidate = Candidate::new(kind, address);
    candidate.foundation = sdp.foundation.as_str().to_owned();
    candidate.priority = sdp.priority;
    Some(candidate)
}
