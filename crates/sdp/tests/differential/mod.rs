//! The same description read by this crate, by `sdp` and by `webrtc-sdp`. Shared with the fuzz
//! target `sdp_differential`.
//!
//! Text is given to all three; where this crate and an oracle both take it, they must agree. Any
//! other bytes choose a description such as WebRTC peers write, made with this crate: both oracles
//! must take it, and agree.
//!
//! Known differences, and why:
//! - `webrtc-sdp` knows no `a=sctp-init`, `a=cryptex`, `a=crypto`, `a=tls-id`, `a=rtcp-xr`, and no
//!   hash, transport or candidate type but the usual: it drops the line. So its list may be shorter.
//!   It drops an `m=` line of an unknown protocol or kind too, and gives what follows to the section
//!   before: such descriptions are not compared.
//! - `webrtc-sdp` wants what WebRTC wants (`c=` for every section, no extmap at both levels, rids
//!   declared before use, sizes of hashes), `sdp` wants the lines in RFC 8866's order and of its own
//!   list of protocols and kinds. This crate leaves the first to JSEP and does not insist on the second.
//! - `sdp` looks into no attribute; this crate refuses a known one that breaks its grammar.
//! - `webrtc-sdp` folds the case of attribute names, which is significant (RFC 8866 §5), of the names of
//!   a candidate's extensions, of kinds of media, and of `typ` and host names: descriptions with such names are not given to it.
//! - Both take every white space of Unicode for a separator, such as the tab, where RFC 8866 §9 has the
//!   space alone: descriptions with such are not given to them.

mod generate;

use std::io::Cursor;

use pc_sdp::{Attribute, Candidate, Direction, Host, Lines, MediaDescription, SessionDescription};
use webrtc_sdp::SdpSession;
use webrtc_sdp::address::Address;
use webrtc_sdp::attribute_type::{
    SdpAttribute, SdpAttributeCandidate, SdpAttributeSetup, SdpAttributeType as Type,
};
use webrtc_sdp::media_type::{SdpFormatList, SdpMedia};

pub(crate) fn check(bytes: &[u8]) {
    match core::str::from_utf8(bytes) {
        Ok(text) if text.starts_with("v=0") => compare(text),
        _ => must_agree(&generate::description(bytes)),
    }
}

/// What this crate and an oracle both take, they must agree on.
fn compare(text: &str) {
    let Ok(ours) = SessionDescription::parse(text) else {
        return;
    };
    if text.contains(is_other_white_space) {
        return;
    }
    if let Ok(theirs) = sdp::SessionDescription::unmarshal(&mut Cursor::new(text)) {
        agree_with_sdp(&ours, &theirs);
    }
    if has_names_in_capitals(&ours) {
        return;
    }
    match webrtc_sdp::parse_sdp(text, false) {
        Ok(theirs) if theirs.media.len() == ours.media.len() => {
            agree_with_webrtc_sdp(&ours, &theirs);
        }
        _ => {}
    }
}

fn is_other_white_space(char: char) -> bool {
    char.is_whitespace() && !matches!(char, ' ' | '\r' | '\n')
}

fn has_names_in_capitals(session: &SessionDescription) -> bool {
    let mut kinds = session.media.iter().map(|media| media.kind().as_str());
    if kinds.any(|kind| kind.contains(char::is_uppercase)) {
        return true;
    }
    let sections = session.media.iter().map(|media| &media.lines);
    let has_capital = |attribute: &Attribute| match attribute {
        Attribute::Candidate(it) => it.extensions.as_str().contains(char::is_uppercase),
        other => other.name().contains(char::is_uppercase),
    };
    sections
        .chain([&session.lines])
        .any(|lines| lines.attributes().any(has_capital))
}

/// Both oracles must take what `ours` writes and agree with it.
pub(crate) fn must_agree(ours: &SessionDescription) {
    let text = ours.to_string();
    let again = SessionDescription::parse(&text).expect("our own output");
    assert_eq!(&again, ours, "{text}");
    let theirs = sdp::SessionDescription::unmarshal(&mut Cursor::new(&text))
        .unwrap_or_else(|error| panic!("sdp: {error}\n{text}"));
    agree_with_sdp(ours, &theirs);
    let theirs = webrtc_sdp::parse_sdp(&text, false)
        .unwrap_or_else(|error| panic!("webrtc-sdp: {error}\n{text}"));
    agree_with_webrtc_sdp(ours, &theirs);
}

/// `sdp` keeps names and values as text.
fn agree_with_sdp(ours: &SessionDescription, theirs: &sdp::SessionDescription) {
    assert_eq!(ours.origin.session_id, theirs.origin.session_id);
    assert_eq!(ours.origin.session_version, theirs.origin.session_version);
    assert_eq!(ours.origin.username, *theirs.origin.username);
    assert_eq!(ours.name, *theirs.session_name);
    same_attributes(&ours.lines, &theirs.attributes);
    assert_eq!(ours.media.len(), theirs.media_descriptions.len());
    for (ours, theirs) in ours.media.iter().zip(&theirs.media_descriptions) {
        assert_eq!(ours.kind().as_str(), theirs.media_name.media);
        assert_eq!(
            isize::try_from(ours.port()),
            Ok(theirs.media_name.port.value)
        );
        assert_eq!(ours.protocol().as_str(), theirs.media_name.protos.join("/"));
        same_attributes(&ours.lines, &theirs.attributes);
    }
}

fn same_attributes(ours: &Lines, theirs: &[sdp::description::common::Attribute]) {
    assert_eq!(ours.attributes().count(), theirs.len());
    let lines = ours.iter().filter(|line| line.attribute().is_some());
    for (line, theirs) in lines.zip(theirs) {
        let written = match (line.spelling(), line.attribute()) {
            (Some(spelling), _) => spelling.to_owned(),
            (None, attribute) => format!("a={}", attribute.expect("filtered")),
        };
        let theirs = match &theirs.value {
            Some(value) => format!("a={}:{value}", theirs.key),
            None => format!("a={}", theirs.key),
        };
        assert_eq!(written.trim(), theirs.trim());
    }
}

fn agree_with_webrtc_sdp(ours: &SessionDescription, theirs: &SdpSession) {
    assert_eq!(ours.origin.session_id, theirs.get_origin().session_id);
    assert_eq!(ours.media.len(), theirs.media.len());
    let group = theirs.get_attribute(Type::Group);
    if let Some(SdpAttribute::Group(theirs)) = group {
        // Its first, but not ours where it dropped one.
        let tags = || theirs.tags.iter().map(String::as_str);
        assert!(
            ours.groups().any(|own| own.mids.iter().eq(tags())),
            "{theirs:?}"
        );
    }
    for (ours, theirs) in ours.media.iter().zip(&theirs.media) {
        assert_eq!(ours.kind().as_str(), theirs.get_type().to_string());
        assert_eq!(u32::from(ours.port()), theirs.get_port());
        same_formats(ours, theirs.get_formats());
        same_single_attributes(ours, theirs);
        same_repeated_attributes(ours, theirs);
    }
}

fn same_formats(ours: &MediaDescription, theirs: &SdpFormatList) {
    let types = ours.head.formats.payload_types();
    match theirs {
        SdpFormatList::Integers(theirs) => {
            let types = types.iter().map(|own| u32::from(own.value()));
            assert!(types.eq(theirs.iter().copied()));
        }
        SdpFormatList::Strings(_) => assert!(types.is_empty()),
        SdpFormatList::Unknown(_) => {}
    }
}

/// Attributes that stand once: where they have one, it is our first.
fn same_single_attributes(ours: &MediaDescription, theirs: &SdpMedia) {
    for theirs in theirs.get_attributes() {
        match theirs {
            SdpAttribute::Mid(mid) => assert!(ours.contains_value("mid", mid)),
            SdpAttribute::IceUfrag(ufrag) => assert!(ours.contains_value("ice-ufrag", ufrag)),
            SdpAttribute::IcePwd(pwd) => assert!(ours.contains_value("ice-pwd", pwd)),
            SdpAttribute::SctpPort(port) => {
                assert!(ours.attributes().any(|own| {
                    matches!(own, Attribute::SctpPort(own) if u64::from(*own) == *port)
                }));
            }
            SdpAttribute::MaxMessageSize(size) => {
                assert!(ours.has(&Attribute::MaxMessageSize(*size)));
            }
            SdpAttribute::Setup(setup) => assert!(ours.attributes().any(|own| {
                matches!(own, Attribute::Setup(own) if own.as_str() == setup_name(setup))
            })),
            SdpAttribute::EndOfCandidates => assert!(ours.end_of_candidates()),
            SdpAttribute::BundleOnly => assert!(ours.has(&Attribute::BundleOnly)),
            SdpAttribute::RtcpMux => assert!(ours.has(&Attribute::RtcpMux)),
            SdpAttribute::RtcpRsize => assert!(ours.has(&Attribute::RtcpRsize)),
            SdpAttribute::Sendrecv => has_direction(ours, Direction::SendRecv),
            SdpAttribute::Sendonly => has_direction(ours, Direction::SendOnly),
            SdpAttribute::Recvonly => has_direction(ours, Direction::RecvOnly),
            SdpAttribute::Inactive => has_direction(ours, Direction::Inactive),
            _ => {}
        }
    }
}

fn has_direction(ours: &Lines, direction: Direction) {
    let is_it = |own: &Attribute| own.name().eq_ignore_ascii_case(direction.as_str());
    assert!(ours.attributes().any(is_it));
}

fn setup_name(setup: &SdpAttributeSetup) -> &'static str {
    match setup {
        SdpAttributeSetup::Active => "active",
        SdpAttributeSetup::Actpass => "actpass",
        SdpAttributeSetup::Holdconn => "holdconn",
        SdpAttributeSetup::Passive => "passive",
    }
}

trait ContainsValue {
    fn contains_value(&self, name: &str, value: &str) -> bool;
}

impl ContainsValue for Lines {
    fn contains_value(&self, name: &str, value: &str) -> bool {
        let expected = format!("{name}:{value}");
        self.attributes().any(|own| own.to_string() == expected)
    }
}

/// Attributes that may stand often: theirs are ours, in order, perhaps fewer.
fn same_repeated_attributes(ours: &MediaDescription, theirs: &SdpMedia) {
    let mut candidates = ours.candidates();
    let mut fingerprints = ours.fingerprints();
    let mut rtpmaps = ours.rtpmaps();
    let mut extmaps = ours.extmaps();
    let mut msids = ours.msids();
    for theirs in theirs.get_attributes() {
        let found = match theirs {
            SdpAttribute::Candidate(theirs) => candidates.any(|own| same_candidate(own, theirs)),
            SdpAttribute::Fingerprint(theirs) => {
                fingerprints.any(|own| *own.value == theirs.fingerprint[..])
            }
            SdpAttribute::Rtpmap(theirs) => rtpmaps.any(|own| {
                own.payload_type.value() == theirs.payload_type
                    && own.encoding == *theirs.codec_name
                    && own.clock_rate == theirs.frequency
                    && own.channels() == theirs.channels.unwrap_or(1)
            }),
            SdpAttribute::Extmap(theirs) => {
                extmaps.any(|own| own.id.value() == theirs.id && own.uri == *theirs.url)
            }
            SdpAttribute::Msid(theirs) => msids.any(|own| {
                own.stream == *theirs.id && own.track.as_deref() == theirs.appdata.as_deref()
            }),
            _ => true,
        };
        assert!(found, "{theirs:?} is not in\n{ours:?}");
    }
}

fn same_candidate(ours: &Candidate, theirs: &SdpAttributeCandidate) -> bool {
    ours.foundation == *theirs.foundation
        && u32::from(ours.component) == theirs.component
        && u64::from(ours.priority) == theirs.priority
        && same_host(&ours.address, &theirs.address)
        && u32::from(ours.port) == theirs.port
        && ours.transport.as_str() == theirs.transport.to_string().to_lowercase()
        && ours
            .kind
            .as_str()
            .eq_ignore_ascii_case(&theirs.c_type.to_string())
        && ours.related_port.map(u32::from) == theirs.rport
        && ours.generation == theirs.generation
        && ours.ufrag.as_deref() == theirs.ufrag.as_deref()
        && ours.network_cost.map(u32::from) == theirs.networkcost
        && ours.tcp_type.is_some() == theirs.tcp_type.is_some()
}

/// `webrtc-sdp` reads hosts as a URL does: `0x7f.1` is an address to it, and names are folded.
fn same_host(ours: &Host, theirs: &Address) -> bool {
    match (ours, theirs) {
        (Host::Ip(ours), Address::Ip(theirs)) => ours == theirs,
        (Host::Name(_), _) => true,
        (Host::Ip(_), Address::Fqdn(_)) => false,
    }
}
