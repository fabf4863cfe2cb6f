//! Candidates between their form in SDP and that of the ICE agent.

use std::net::SocketAddr;

use pc_ice::{COMPONENT, Candidate, CandidateKind, Network, NetworkCost, TcpType};
use pc_proto::Transport;
use pc_sdp::Word;

/// The SDP form of a candidate; `None` for one that cannot be written.
pub(super) fn to_sdp(candidate: &Candidate, ufrag: Option<&Word>) -> Option<pc_sdp::Candidate> {
    let kind = match candidate.kind {
        CandidateKind::Host => pc_sdp::CandidateKind::Host,
        CandidateKind::ServerReflexive => pc_sdp::CandidateKind::ServerReflexive,
        CandidateKind::PeerReflexive => pc_sdp::CandidateKind::PeerReflexive,
        _ => pc_sdp::CandidateKind::Relay,
    };
    let transport = match candidate.transport {
        Transport::Tcp => pc_sdp::Transport::Tcp,
        _ => pc_sdp::Transport::Udp,
    };
    let address = (candidate.address.ip().into(), candidate.address.port());
    let mut sdp = pc_sdp::Candidate::new(
        Word::new(candidate.foundation.as_str()).ok()?,
        candidate.component,
        transport,
        candidate.priority,
        address,
        kind,
    );
    sdp.related_address = candidate.related_address.map(|related| related.ip().into());
    sdp.related_port = candidate.related_address.map(|related| related.port());
    sdp.tcp_type = candidate.tcp_type.map(|tcp_type| match tcp_type {
        TcpType::Active => pc_sdp::TcpType::Active,
        TcpType::Passive => pc_sdp::TcpType::Passive,
        TcpType::SimultaneousOpen => pc_sdp::TcpType::SimultaneousOpen,
    });
    sdp.ufrag = ufrag.cloned();
    // As browsers write them, of relayed candidates too: a number that means nothing elsewhere, and what
    // kind of network there is, which every check says as well. A zero is left out.
    let Network { id, cost } = candidate.network;
    sdp.network_id = Some(id).filter(|id| *id > 0);
    sdp.network_cost = Some(cost.value()).filter(|cost| *cost > 0);
    Some(sdp)
}

/// Whether a candidate is for the peer's connections alone: nobody connects to it.
pub(super) fn is_active(sdp: &pc_sdp::Candidate) -> bool {
    sdp.transport == pc_sdp::Transport::Tcp && sdp.tcp_type == Some(pc_sdp::TcpType::Active)
}

/// The agent's form of a remote candidate; `None` for one that this side has no use for: TCP without
/// a type (RFC 6544 §4.5), a name to be resolved (mDNS), RTCP's component, a kind or a transport it
/// does not know (RFC 8839 §5.1).
pub(super) fn from_sdp(sdp: &pc_sdp::Candidate) -> Option<Candidate> {
    let kind = match sdp.kind {
        pc_sdp::CandidateKind::Host => CandidateKind::Host,
        pc_sdp::CandidateKind::ServerReflexive => CandidateKind::ServerReflexive,
        pc_sdp::CandidateKind::PeerReflexive => CandidateKind::PeerReflexive,
        pc_sdp::CandidateKind::Relay => CandidateKind::Relayed,
        _ => return None,
    };
    if sdp.component != COMPONENT {
        return None;
    }
    let address = SocketAddr::new(sdp.address.ip()?, sdp.port);
    let mut candidate = match (&sdp.transport, sdp.tcp_type) {
        (pc_sdp::Transport::Udp, _) => Candidate::new(kind, address),
        (pc_sdp::Transport::Tcp, Some(tcp_type)) => Candidate::tcp(kind, address, typed(tcp_type)),
        _ => return None,
    };
    candidate.foundation = sdp.foundation.as_str().to_owned();
    candidate.priority = sdp.priority;
    candidate.network = Network {
        id: sdp.network_id.unwrap_or(0),
        cost: NetworkCost::new(sdp.network_cost.unwrap_or(0)),
    };
    Some(candidate)
}

fn typed(tcp_type: pc_sdp::TcpType) -> TcpType {
    match tcp_type {
        pc_sdp::TcpType::Active => TcpType::Active,
        pc_sdp::TcpType::Passive => TcpType::Passive,
        pc_sdp::TcpType::SimultaneousOpen => TcpType::SimultaneousOpen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Chromium writes them: neither is zero. What a peer claims is bounded.
    #[test]
    fn networks_go_both_ways() {
        let plain = "candidate:1 1 udp 2122260223 192.0.2.1 9 typ host";
        for (said, written, id, cost) in [
            (" network-id 1 network-cost 10", None, 1, 10),
            (" network-id 2", None, 2, 0),
            (" network-cost 900", None, 0, 900),
            ("", None, 0, 0),
            (
                " network-id 3 network-cost 65535",
                Some(" network-id 3 network-cost 999"),
                3,
                999,
            ),
            (" network-id 0 network-cost 0", Some(""), 0, 0),
            (" network-id x network-cost -1", Some(""), 0, 0),
        ] {
            let sdp: pc_sdp::Candidate = format!("{plain}{said}").parse().unwrap();
            let ours = from_sdp(&sdp).unwrap();
            assert_eq!((ours.network.id, ours.network.cost.value()), (id, cost));
            let again = to_sdp(&ours, None).unwrap().to_string();
            assert_eq!(again, format!("{plain}{}", written.unwrap_or(said)));
        }
    }

    /// As Chromium and RFC 6544 §4.5 write them.
    #[test]
    fn candidates_of_tcp_go_both_ways() {
        for line in [
            "candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
            "candidate:1 1 tcp 1518214911 192.0.2.1 4711 typ host tcptype passive",
            "candidate:1 1 tcp 1518149375 192.0.2.1 4711 typ host tcptype so",
        ] {
            let sdp: pc_sdp::Candidate = line.parse().unwrap();
            let ours = from_sdp(&sdp).unwrap();
            assert_eq!(ours.transport, Transport::Tcp, "{line}");
            assert_eq!(to_sdp(&ours, None).unwrap().to_string(), line);
            assert_eq!(is_active(&sdp), line.ends_with("active"));
        }
        let unsaid = "candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host";
        assert_eq!(from_sdp(&unsaid.parse().unwrap()), None);
    }
}
