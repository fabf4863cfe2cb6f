//! The crate `webrtc-sdp`, which types the attributes that it knows and drops the others.

use pc_sdp::{
    Attribute, Candidate, CandidateKind, Direction, Format, Host, Lines, MediaDescription, Rid,
    SessionDescription, SimulcastStreams, TcpType, Transport,
};
use webrtc_sdp::SdpSession;
use webrtc_sdp::address::Address;
use webrtc_sdp::attribute_type::{
    SdpAttribute, SdpAttributeCandidate, SdpAttributeCandidateTcpType,
    SdpAttributeCandidateTransport, SdpAttributeCandidateType, SdpAttributePayloadType,
    SdpAttributeRid, SdpAttributeSetup, SdpAttributeSimulcastVersion, SdpSingleDirection,
};
use webrtc_sdp::media_type::{SdpFormatList, SdpMedia};

/// The attributes that it drops, of those that are generated.
const DROPPED: [&str; 2] = ["tool", "tls-id"];

pub(super) fn takes(text: &str) -> bool {
    webrtc_sdp::parse_sdp(text, false).is_ok()
}

/// It takes the text, and has of each line what we have.
pub(super) fn agrees(ours: &SessionDescription, text: &str) {
    compare(ours, text, |ours, theirs| {
        let known: Vec<_> = ours
            .attributes()
            .filter(|own| !own.name().starts_with("x-") && !DROPPED.contains(&own.name()))
            .collect();
        assert_eq!(known.len(), theirs.len(), "{text}");
        for (own, theirs) in known.iter().zip(theirs) {
            assert!(same(own, theirs), "{own:?}\n{theirs:?}");
        }
    });
}

/// It takes the text, and what it has of it we have too, in the same order.
pub(super) fn has_no_more(ours: &SessionDescription, text: &str) {
    compare(ours, text, |ours, theirs| {
        let mut own = ours.attributes();
        for theirs in theirs {
            assert!(own.any(|own| same(own, theirs)), "{theirs:?} in\n{text}");
        }
    });
}

fn compare(ours: &SessionDescription, text: &str, attributes: impl Fn(&Lines, &[SdpAttribute])) {
    let theirs: SdpSession = webrtc_sdp::parse_sdp(text, false)
        .unwrap_or_else(|error| panic!("webrtc-sdp: {error}\n{text}"));
    assert_eq!(ours.origin.username, *theirs.origin.username);
    assert_eq!(ours.origin.session_id, theirs.origin.session_id);
    assert_eq!(ours.origin.session_version, theirs.origin.session_version);
    attributes(&ours.lines, &theirs.attribute);
    assert_eq!(ours.media.len(), theirs.media.len());
    for (ours, theirs) in ours.media.iter().zip(&theirs.media) {
        same_head(ours, theirs);
        attributes(&ours.lines, theirs.get_attributes());
    }
}

fn same_head(ours: &MediaDescription, theirs: &SdpMedia) {
    assert_eq!(ours.kind().as_str(), theirs.get_type().to_string());
    assert_eq!(u32::from(ours.port()), theirs.get_port());
    let count = ours.head.port_count.unwrap_or_default();
    assert_eq!(u32::from(count), theirs.get_port_count());
    assert_eq!(ours.protocol().as_str(), theirs.get_proto().to_string());
    let formats = match theirs.get_formats() {
        SdpFormatList::Integers(theirs) => super::grammar::joined(theirs, " "),
        SdpFormatList::Strings(theirs) => theirs.join(" "),
        SdpFormatList::Unknown(theirs) => theirs.clone(),
    };
    assert_eq!(super::formats(ours), formats);
}

/// Whether both are one attribute with one meaning.
fn same(ours: &Attribute, theirs: &SdpAttribute) -> bool {
    match (ours, theirs) {
        (Attribute::IceLite, SdpAttribute::IceLite)
        | (Attribute::EndOfCandidates, SdpAttribute::EndOfCandidates)
        | (Attribute::ExtmapAllowMixed, SdpAttribute::ExtmapAllowMixed)
        | (Attribute::RtcpMux, SdpAttribute::RtcpMux)
        | (Attribute::RtcpMuxOnly, SdpAttribute::RtcpMuxOnly)
        | (Attribute::RtcpRsize, SdpAttribute::RtcpRsize)
        | (Attribute::BundleOnly, SdpAttribute::BundleOnly)
        | (Attribute::Direction(Direction::SendRecv), SdpAttribute::Sendrecv)
        | (Attribute::Direction(Direction::SendOnly), SdpAttribute::Sendonly)
        | (Attribute::Direction(Direction::RecvOnly), SdpAttribute::Recvonly)
        | (Attribute::Direction(Direction::Inactive), SdpAttribute::Inactive) => true,
        (Attribute::Group(own), SdpAttribute::Group(it)) => {
            own.semantics.to_string() == it.semantics.to_string()
                && own.mids.iter().eq(it.tags.iter().map(String::as_str))
        }
        (Attribute::Mid(own), SdpAttribute::Mid(it))
        | (Attribute::IceUfrag(own), SdpAttribute::IceUfrag(it)) => *own == **it,
        (Attribute::IcePwd(own), SdpAttribute::IcePwd(it)) => own.as_str() == it,
        (Attribute::IceOptions(own), SdpAttribute::IceOptions(it)) => {
            // libdatachannel writes commas, which this crate takes too.
            own.iter().eq(it.iter().flat_map(|it| it.split(',')))
        }
        (Attribute::IcePacing(own), SdpAttribute::IcePacing(it)) => u64::from(*own) == *it,
        (Attribute::Candidate(own), SdpAttribute::Candidate(it)) => same_candidate(own, it),
        (Attribute::RemoteCandidates(own), SdpAttribute::RemoteCandidate(it)) => {
            own.0.first().is_some_and(|own| {
                u32::from(own.component) == it.component
                    && same_host(&own.address, &it.address)
                    && u32::from(own.port) == it.port
            })
        }
        (Attribute::Fingerprint(own), SdpAttribute::Fingerprint(it)) => {
            own.hash.as_str() == it.hash_algorithm.to_string() && *own.value == it.fingerprint[..]
        }
        (Attribute::Setup(own), SdpAttribute::Setup(it)) => own.as_str() == setup_name(it),
        (Attribute::SctpPort(own), SdpAttribute::SctpPort(it)) => u64::from(*own) == *it,
        (Attribute::MaxMessageSize(own), SdpAttribute::MaxMessageSize(it)) => own == it,
        (Attribute::SctpMap(own), SdpAttribute::Sctpmap(it)) => {
            own.port == it.port && own.streams == Some(it.channels)
        }
        _ => same_of_rtp(ours, theirs) || same_text(ours, theirs),
    }
}

fn same_of_rtp(ours: &Attribute, theirs: &SdpAttribute) -> bool {
    match (ours, theirs) {
        (Attribute::Rtpmap(own), SdpAttribute::Rtpmap(it)) => {
            own.payload_type.value() == it.payload_type
                && own.encoding == *it.codec_name
                && own.clock_rate == it.frequency
                && own.channels() == it.channels.unwrap_or(1)
        }
        (Attribute::Fmtp(own), SdpAttribute::Fmtp(it)) => {
            let apt = it.parameters.rtx.map(|rtx| rtx.apt.to_string());
            own.format.to_string() == it.payload_type.to_string()
                && own.parameter("apt").map(str::to_owned) == apt
        }
        (Attribute::Extmap(own), SdpAttribute::Extmap(it)) => {
            own.id.value() == it.id
                && own.uri == *it.url
                && own.direction.map(|own| own.to_string())
                    == it.direction.as_ref().map(ToString::to_string)
                && own.attributes.as_deref() == it.extension_attributes.as_deref()
        }
        (Attribute::RtcpFb(own), SdpAttribute::Rtcpfb(it)) => {
            let parts = [&it.feedback_type.to_string(), &it.parameter, &it.extra];
            let parts: Vec<_> = parts.into_iter().filter(|it| !it.is_empty()).collect();
            let words: Vec<_> = own.feedback.as_str().split(' ').collect();
            let format = match (&own.format, &it.payload_type) {
                (Format::Any, SdpAttributePayloadType::Wildcard) => true,
                (own, SdpAttributePayloadType::PayloadType(it)) => {
                    own.to_string() == it.to_string()
                }
                _ => false,
            };
            format && words == parts
        }
        (Attribute::Rtcp(own), SdpAttribute::Rtcp(it)) => {
            own.port == it.port && own.address.is_some() == it.unicast_addr.is_some()
        }
        (Attribute::Msid(own), SdpAttribute::Msid(it)) => {
            own.stream == *it.id && own.track.as_deref() == it.appdata.as_deref()
        }
        (Attribute::MsidSemantic(own), SdpAttribute::MsidSemantic(it)) => {
            own.semantic == *it.semantic
                && own.streams.iter().eq(it.msids.iter().map(String::as_str))
        }
        (Attribute::Ssrc(own), SdpAttribute::Ssrc(it)) => {
            own.ssrc.0 == it.id
                && it.attribute.as_deref() == Some(&*own.name)
                && own.value.as_deref() == it.value.as_deref()
        }
        (Attribute::SsrcGroup(own), SdpAttribute::SsrcGroup(semantics, ssrcs)) => {
            own.semantics.to_string() == semantics.to_string()
                && own
                    .ssrcs
                    .iter()
                    .map(|own| own.0)
                    .eq(ssrcs.iter().map(|it| it.id))
        }
        (Attribute::Rid(own), SdpAttribute::Rid(it)) => same_rid(own, it),
        (Attribute::Simulcast(own), SdpAttribute::Simulcast(it)) => {
            same_streams(own.send.as_ref(), &it.send)
                && same_streams(own.recv.as_ref(), &it.receive)
        }
        _ => false,
    }
}

/// Of these one of the two keeps the text.
fn same_text(ours: &Attribute, theirs: &SdpAttribute) -> bool {
    let text = match theirs {
        SdpAttribute::Identity(it) => format!("identity:{it}"),
        SdpAttribute::Label(it) => format!("label:{it}"),
        SdpAttribute::Ptime(it) => format!("ptime:{it}"),
        SdpAttribute::MaxPtime(it) => format!("maxptime:{it}"),
        SdpAttribute::FrameRate(it) => format!("framerate:{it}"),
        _ => return false,
    };
    ours.to_string() == text
}

fn setup_name(setup: &SdpAttributeSetup) -> &'static str {
    match setup {
        SdpAttributeSetup::Active => "active",
        SdpAttributeSetup::Actpass => "actpass",
        SdpAttributeSetup::Holdconn => "holdconn",
        SdpAttributeSetup::Passive => "passive",
    }
}

fn same_candidate(ours: &Candidate, theirs: &SdpAttributeCandidate) -> bool {
    let transport = match theirs.transport {
        SdpAttributeCandidateTransport::Udp => Transport::Udp,
        SdpAttributeCandidateTransport::Tcp => Transport::Tcp,
    };
    let kind = match theirs.c_type {
        SdpAttributeCandidateType::Host => CandidateKind::Host,
        SdpAttributeCandidateType::Srflx => CandidateKind::ServerReflexive,
        SdpAttributeCandidateType::Prflx => CandidateKind::PeerReflexive,
        SdpAttributeCandidateType::Relay => CandidateKind::Relay,
    };
    let tcp_type = theirs.tcp_type.as_ref().map(|it| match it {
        SdpAttributeCandidateTcpType::Active => TcpType::Active,
        SdpAttributeCandidateTcpType::Passive => TcpType::Passive,
        SdpAttributeCandidateTcpType::Simultaneous => TcpType::SimultaneousOpen,
    });
    // It has no field for the first of ours.
    let network_id = ours.network_id.map(|it| format!("network-id {it}"));
    let others = ours.extensions.as_str();
    let extensions: Vec<_> = network_id
        .as_deref()
        .into_iter()
        .chain((!others.is_empty()).then_some(others))
        .collect();
    let unknown: Vec<_> = theirs
        .unknown_extensions
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let related = match (&ours.related_address, &theirs.raddr) {
        (Some(ours), Some(theirs)) => same_host(ours, theirs),
        (ours, theirs) => ours.is_none() && theirs.is_none(),
    };
    ours.foundation == *theirs.foundation
        && u32::from(ours.component) == theirs.component
        && (ours.transport == transport && ours.kind == kind && ours.tcp_type == tcp_type)
        && u64::from(ours.priority) == theirs.priority
        && same_host(&ours.address, &theirs.address)
        && u32::from(ours.port) == theirs.port
        && related
        && ours.related_port.map(u32::from) == theirs.rport
        && ours.generation == theirs.generation
        && ours.ufrag.as_deref() == theirs.ufrag.as_deref()
        && ours.network_cost.map(u32::from) == theirs.networkcost
        && extensions.join(" ") == unknown.join(" ")
}

fn same_host(ours: &Host, theirs: &Address) -> bool {
    match (ours, theirs) {
        (Host::Ip(ours), Address::Ip(theirs)) => ours == theirs,
        (Host::Name(ours), Address::Fqdn(theirs)) => *ours == **theirs,
        _ => false,
    }
}

fn same_rid(ours: &Rid, theirs: &SdpAttributeRid) -> bool {
    let direction = match theirs.direction {
        SdpSingleDirection::Send => "send",
        SdpSingleDirection::Recv => "recv",
    };
    let number = |name: &str| {
        let mut all = ours.restrictions();
        let found = all
            .find(|(own, _)| *own == name)
            .and_then(|(_, value)| value);
        found.map_or(0, |value| value.parse().expect("a number"))
    };
    let types = ours.payload_types().map(|it| u16::from(it.value()));
    ours.id == *theirs.id
        && ours.direction.as_str() == direction
        && types.eq(theirs.formats.iter().copied())
        && number("max-width") == theirs.params.max_width
        && number("max-height") == theirs.params.max_height
        && number("max-fps") == theirs.params.max_fps
        && number("max-br") == theirs.params.max_br
}

fn same_streams(ours: Option<&SimulcastStreams>, theirs: &[SdpAttributeSimulcastVersion]) -> bool {
    let ours: Vec<Vec<_>> = ours
        .into_iter()
        .flat_map(SimulcastStreams::iter)
        .map(|it| it.map(|it| (it.rid.to_owned(), it.paused)).collect())
        .collect();
    let theirs: Vec<Vec<_>> = theirs
        .iter()
        .map(|it| it.ids.iter().map(|it| (it.id.clone(), it.paused)).collect())
        .collect();
    ours == theirs
}
