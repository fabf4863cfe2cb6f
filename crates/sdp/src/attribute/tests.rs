//! One table a family: what is read from the wire means this, and is written back so.

use std::net::IpAddr;

use super::*;
use crate::{AddressFamily, ExtmapId, Host, NetworkAddress, PayloadType, Ssrc};

fn parse(text: &str) -> Attribute {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The reason why `text` is refused.
fn refusal(text: &str) -> String {
    match text.parse::<Attribute>() {
        Ok(attribute) => panic!("{text} is taken as {attribute:?}"),
        Err(error) => error.to_string(),
    }
}

/// `text` means `attribute`, which is written as `text`.
fn same(text: &str, attribute: Attribute) {
    assert_eq!(parse(text), attribute, "{text}");
    assert_eq!(attribute.to_string(), text);
}

fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

fn words(list: &[&str]) -> WordList {
    list.iter().map(|text| word(text)).collect()
}

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn payload_type(value: u8) -> PayloadType {
    PayloadType::new(value).unwrap()
}

fn ip(text: &str) -> Host {
    Host::Ip(text.parse().unwrap())
}

#[test]
fn flags_take_no_value() {
    for (name, flag) in [
        ("ice-lite", Attribute::IceLite),                    // RFC 8839 §5.3
        ("end-of-candidates", Attribute::EndOfCandidates),   // RFC 8840 §4.2
        ("extmap-allow-mixed", Attribute::ExtmapAllowMixed), // RFC 8285 §6
        ("rtcp-mux", Attribute::RtcpMux),                    // RFC 5761 §5.1.1
        ("rtcp-mux-only", Attribute::RtcpMuxOnly),           // RFC 8858 §3
        ("rtcp-rsize", Attribute::RtcpRsize),                // RFC 5506 §5
        ("bundle-only", Attribute::BundleOnly),              // RFC 9143 §6
        ("cryptex", Attribute::Cryptex),                     // RFC 9335 §4
        ("sendrecv", Attribute::Direction(Direction::SendRecv)), // RFC 8866 §6.7
        ("sendonly", Attribute::Direction(Direction::SendOnly)),
        ("recvonly", Attribute::Direction(Direction::RecvOnly)),
        ("inactive", Attribute::Direction(Direction::Inactive)),
    ] {
        same(name, flag.clone());
        assert_eq!(parse(&format!("a={name} ")), flag);
        assert!(refusal(&format!("{name}:1")).ends_with("takes no value"));
    }
}

#[test]
fn values_are_not_optional() {
    for name in ["mid", "candidate", "fingerprint", "sctp-port", "rtpmap"] {
        assert_eq!(refusal(name), format!("a={name}: no value"));
    }
    for name in ["mid", "ice-ufrag", "ice-pwd", "tls-id", "msid", "group"] {
        refusal(&format!("{name}:"));
        refusal(&format!("{name}: "));
    }
    assert!(refusal("mid:0 1").contains("too many fields"));
}

/// RFC 8866 §5.13: what is not known is ignored, here kept.
#[test]
fn unknown_attributes_are_kept_as_they_are() {
    for line in [
        "x-google-flag:conference",
        "foo",
        "foo:",
        "foo: a:b  c ",
        "imageattr:97 *",
    ] {
        assert_eq!(parse(line).to_string(), line);
        assert!(matches!(parse(line), Attribute::Other { .. }));
    }
    refusal("");
    refusal(":0");
    refusal("foo bar");
    refusal("foo\r\na=ice-lite");
}

/// RFC 5888 §5, RFC 9143 §4.
#[test]
fn groups() {
    let bundle = Group::bundle([word("0"), word("audio1")]);
    same("group:BUNDLE 0 audio1", Attribute::Group(bundle));
    let none = Group::bundle([]);
    same("group:BUNDLE", Attribute::Group(none));
    let Attribute::Group(group) = parse("group:FOO  a") else {
        panic!()
    };
    assert_eq!(group.semantics, GroupSemantics::Other(word("FOO")));
    assert!(group.mids.contains("a"));
}

/// RFC 8830 §2, with the braces of Firefox and the trailing space of a stream without track.
#[test]
fn msids() {
    let msid = |stream, track: Option<&str>| {
        let (stream, track) = (word(stream), track.map(word));
        Attribute::Msid(Msid { stream, track })
    };
    same("msid:{7-a} {b}", msid("{7-a}", Some("{b}")));
    same("msid:stream", msid("stream", None));
    assert_eq!(parse("msid:- "), msid("-", None));
    assert_eq!("- t".parse::<Msid>().unwrap().stream_id(), None);

    let semantic = |streams: &[&str]| {
        let (semantic, streams) = (word("WMS"), words(streams));
        Attribute::MsidSemantic(MsidSemantic { semantic, streams })
    };
    same("msid-semantic:WMS *", semantic(&["*"]));
    assert_eq!(parse("msid-semantic: WMS"), semantic(&[]));
    assert_eq!(parse("msid-semantic:  WMS a b"), semantic(&["a", "b"]));
}

/// RFC 8839 §5.4: 4 to 256 and 22 to 256 ice-chars; the parser itself takes any word.
#[test]
fn ice_credentials() {
    same("ice-ufrag:8hhY", Attribute::IceUfrag(word("8hhY")));
    let pwd = IcePwd::new("asd88fgpdd777uzjYhagZg").unwrap();
    same(
        "ice-pwd:asd88fgpdd777uzjYhagZg",
        Attribute::IcePwd(pwd.clone()),
    );
    assert_eq!(
        format!("{:?}", Attribute::IcePwd(pwd)),
        "IcePwd(IcePwd(..))"
    );

    assert!(is_ice_ufrag("a+/9") && !is_ice_ufrag("abc") && !is_ice_ufrag("ab-d"));
    assert!(is_ice_ufrag(&"a".repeat(256)) && !is_ice_ufrag(&"a".repeat(257)));
    assert!(is_ice_pwd(&"a".repeat(22)) && !is_ice_pwd(&"a".repeat(21)));
    assert!(is_ice_pwd(&"a".repeat(256)) && !is_ice_pwd(&"a".repeat(257)));
}

/// RFC 8839 §5.6, and the commas of libdatachannel.
#[test]
fn ice_options() {
    same(
        "ice-options:trickle",
        Attribute::IceOptions(IceOptions::trickle()),
    );
    let both: IceOptions = [word("ice2"), word("trickle")].into_iter().collect();
    same(
        "ice-options:ice2 trickle",
        Attribute::IceOptions(both.clone()),
    );
    assert_eq!(
        parse("ice-options:ice2,trickle"),
        Attribute::IceOptions(both)
    );
    same("ice-pacing:50", Attribute::IcePacing(50)); // RFC 8839 §5.5
}

/// RFC 8839 §5.2.
#[test]
fn remote_candidates() {
    let candidate = |component, address, port| RemoteCandidate {
        component,
        address: ip(address),
        port,
    };
    same(
        "remote-candidates:1 192.0.2.3 45664 2 ::1 45665",
        Attribute::RemoteCandidates(RemoteCandidates(vec![
            candidate(1, "192.0.2.3", 45664),
            candidate(2, "::1", 45665),
        ])),
    );
    refusal("remote-candidates:");
    refusal("remote-candidates:1 192.0.2.3");
    refusal("remote-candidates:0 192.0.2.3 1");
}

/// RFC 8839 §5.1.
#[test]
fn a_candidate_of_chromium() {
    let line = "candidate:2896278100 1 tcp 1518280447 192.0.2.7 9 typ srflx raddr 10.0.0.1 \
                rport 50000 tcptype passive generation 0 ufrag Aydr network-id 1 network-cost 50";
    let candidate: Candidate = line.parse().unwrap();
    assert_eq!(candidate.foundation, "2896278100");
    assert_eq!(candidate.component, 1);
    assert_eq!(candidate.transport, Transport::Tcp);
    assert_eq!(candidate.priority, 1_518_280_447);
    assert_eq!(candidate.address.ip(), Some(IpAddr::from([192, 0, 2, 7])));
    assert_eq!(candidate.port, 9);
    assert_eq!(candidate.kind, CandidateKind::ServerReflexive);
    assert_eq!(candidate.related_address, Some(ip("10.0.0.1")));
    assert_eq!(candidate.related_port, Some(50000));
    assert_eq!(candidate.tcp_type, Some(TcpType::Passive));
    assert_eq!(candidate.generation, Some(0));
    assert_eq!(candidate.ufrag, Some(word("Aydr")));
    assert_eq!(candidate.network_id, Some(1));
    assert_eq!(candidate.network_cost, Some(50));
    assert!(candidate.extensions.is_empty());
    assert_eq!(candidate.to_string(), line);
    let with_a: Candidate = format!("a={line}").parse().unwrap();
    assert_eq!(with_a, candidate);
    same(line, Attribute::Candidate(Box::new(candidate)));
}

/// RFC 8839 §5.1 has extensions ignored that mean nothing: those of networks are of no standard, and no
/// reason to lose a candidate.
#[test]
fn malformed_networks_do_not_cost_the_candidate() {
    let typed = "candidate:1 1 udp 7 192.0.2.7 9 typ host";
    for value in ["65536", "-1", "+5", "ten", "99999999999999999999"] {
        let line = format!("{typed} network-id {value} network-cost {value}");
        let candidate: Candidate = line.parse().unwrap();
        assert_eq!((candidate.network_id, candidate.network_cost), (None, None));
        assert_eq!(candidate.extension("network-cost"), Some(value));
        assert_eq!(candidate.to_string(), line);
    }
    let most: Candidate = format!("{typed} network-id 65535 network-cost 65535")
        .parse()
        .unwrap();
    assert_eq!(most.network_cost, Some(65_535));
    refusal(&format!("{typed} network-cost"));
}

/// RFC 8839 §5.1: unknown extensions, types and transports are to be ignored, not refused.
#[test]
fn candidates_hold_what_is_not_known() {
    let line = "candidate:1 1 sctp 1 4f0e-a5e1.local 5 typ odd b 2 a 1";
    let candidate: Candidate = line.parse().unwrap();
    assert_eq!(candidate.transport, Transport::Other(word("sctp")));
    assert_eq!(candidate.kind, CandidateKind::Other(word("odd")));
    assert_eq!(candidate.address, Host::Name(word("4f0e-a5e1.local")));
    assert_eq!(candidate.extension("a"), Some("1"));
    assert_eq!(candidate.extension("2"), None, "a value is no name");
    assert_eq!(candidate.to_string(), line);

    let firefox: Candidate = "candidate:0 1 UDP 2122187007 ::1 1 typ host"
        .parse()
        .unwrap();
    assert_eq!(firefox.transport, Transport::Udp);
    assert_eq!(firefox.address, ip("::1"));
}

#[test]
fn malformed_candidates_say_what_is_wrong() {
    let cases = [
        ("", "does not begin with candidate:"),
        ("1 1 udp 1 ::1 1 typ host", "does not begin with candidate:"),
        ("candidate:", "no foundation"),
        ("candidate:1", "no component"),
        (
            "candidate:1 0 udp 1 ::1 1 typ host",
            "not a component (1 to 256)",
        ),
        (
            "candidate:1 257 udp 1 ::1 1 typ host",
            "not a component (1 to 256)",
        ),
        (
            "candidate:1 1 udp 4294967296 ::1 1 typ host",
            "not a priority (32 bits)",
        ),
        (
            "candidate:1 1 udp -1 ::1 1 typ host",
            "not a priority (32 bits)",
        ),
        (
            "candidate:1 1 udp 1 ::1 65536 typ host",
            "not a port number (0 to 65535)",
        ),
        (
            "candidate:1 1 udp 1 ::1 +1 typ host",
            "not a port number (0 to 65535)",
        ),
        ("candidate:1 1 udp 1 ::1 1", "no typ"),
        ("candidate:1 1 udp 1 ::1 1 typ", "no type"),
        (
            "candidate:1 1 udp 1 ::1 1 typ host ufrag",
            "an extension has no value",
        ),
        (
            "candidate:1 1 udp 1 ::1 1 typ host\r\na=x",
            "NUL, CR and LF are not allowed",
        ),
        (
            "candidate:1 1 tcp 1 ::1 1 typ host tcptype up",
            "the tcptype is not active, passive or so",
        ),
    ];
    for (line, why) in cases {
        let error = line.parse::<Candidate>().unwrap_err();
        assert_eq!(error.why, why, "{line}");
    }
}

/// RFC 8122 §5.
#[test]
fn fingerprints() {
    let sha1 = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
    let fingerprint: Fingerprint = sha1.parse().unwrap();
    assert_eq!(fingerprint.hash, HashFunction::Sha1);
    assert_eq!(fingerprint.value.len(), 20);
    assert_eq!(fingerprint.value[..2], [0x4A, 0xAD]);
    assert!(fingerprint.has_valid_len());
    assert_eq!(fingerprint.to_string(), sha1);
    same(
        &format!("fingerprint:{sha1}"),
        Attribute::Fingerprint(fingerprint),
    );

    let short: Fingerprint = "SHA-256 0a:ff".parse().unwrap();
    assert_eq!(short.hash, HashFunction::Sha256);
    assert_eq!(short.to_string(), "sha-256 0A:FF");
    assert!(!short.has_valid_len());
    let md5: Fingerprint = "md5 00".parse().unwrap();
    assert_eq!(md5.hash.digest_len(), None);
    for bad in [
        "sha-256",
        "sha-256 ",
        "sha-256 A",
        "sha-256 +A",
        "sha-256 00:",
        "sha-256 0G",
        "sha-256 00 00",
    ] {
        assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
    }
}

/// RFC 4145 §4, RFC 8842 §4 and §5.2.
#[test]
fn dtls_roles_and_ids() {
    for (name, setup) in [
        ("active", Setup::Active),
        ("passive", Setup::Passive),
        ("actpass", Setup::Actpass),
        ("holdconn", Setup::Holdconn),
    ] {
        same(&format!("setup:{name}"), Attribute::Setup(setup));
    }
    assert_eq!(
        refusal("setup:ACTIVE"),
        "a=setup: not active, passive, actpass or holdconn"
    );
    same(
        "tls-id:abc3de65cddef001be82",
        Attribute::TlsId(word("abc3de65cddef001be82")),
    );
}

/// RFC 4568 §4: typed so that it can be refused, and its keys are not shown.
#[test]
fn sdes_keys_are_read_and_hidden() {
    let line =
        "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20";
    let attribute = parse(line);
    assert!(matches!(&attribute, Attribute::Crypto(crypto) if crypto.tag == 1));
    assert_eq!(attribute.to_string(), line);
    assert!(!format!("{attribute:?}").contains("PS1uQ"));
}

/// RFC 8841 §5 and §6.
#[test]
fn sctp() {
    same("sctp-port:5000", Attribute::SctpPort(5000));
    assert_eq!(
        refusal("sctp-port:65536"),
        "a=sctp-port: not a port number (0 to 65535)"
    );
    same("max-message-size:0", Attribute::MaxMessageSize(0));
    same(
        "max-message-size:1073741823",
        Attribute::MaxMessageSize(1_073_741_823),
    );
    let two_to_the_64 = parse("max-message-size:18446744073709551616");
    assert_eq!(two_to_the_64, Attribute::MaxMessageSize(u64::MAX));
    refusal("max-message-size:-1");
    refusal("max-message-size:1e9");
    same(
        "sctpmap:5000 webrtc-datachannel 1024",
        Attribute::SctpMap(SctpMap {
            port: 5000,
            protocol: word("webrtc-datachannel"),
            streams: Some(1024),
        }),
    );
}

/// The example of draft-hancke-tsvwg-snap.
#[test]
fn an_sctp_init_chunk_travels_in_base64() {
    let line = "sctp-init:AQAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA";
    let Attribute::SctpInit(SctpInit(chunk)) = parse(line) else {
        panic!()
    };
    assert_eq!(chunk[..4], [1, 0, 0, 30], "INIT, 30 bytes long");
    assert_eq!(chunk[4..8], 0x896c_dd1d_u32.to_be_bytes(), "initiate tag");
    assert_eq!(chunk.len(), 30);
    same(line, Attribute::SctpInit(SctpInit(chunk)));
    assert_eq!(refusal("sctp-init:AQA%"), "a=sctp-init: not base64");
    refusal("sctp-init:");
}

/// RFC 8866 §6.6, with the channel count that Firefox writes for G722.
#[test]
fn rtpmaps() {
    let rtpmap = |parameters: Option<&str>| {
        Attribute::Rtpmap(Rtpmap {
            payload_type: payload_type(9),
            encoding: word("G722"),
            clock_rate: 8000,
            parameters: parameters.map(word),
        })
    };
    same("rtpmap:9 G722/8000", rtpmap(None));
    same("rtpmap:9 G722/8000/1", rtpmap(Some("1")));
    let opus: Rtpmap = "111 opus/48000/2".parse().unwrap();
    assert_eq!(opus.channels(), 2);
    assert_eq!("0 PCMU/8000".parse::<Rtpmap>().unwrap().channels(), 1);
    assert_eq!(
        refusal("rtpmap:128 VP8/90000"),
        "a=rtpmap: not a payload type (0 to 127)"
    );
    for bad in [
        "96",
        "96 VP8",
        "96 /90000",
        "96 VP8/x",
        "96 VP8/90000/",
        "256 VP8/90000",
        "-1 VP8/1",
    ] {
        refusal(&format!("rtpmap:{bad}"));
    }
}

/// RFC 8866 §6.15.
#[test]
fn fmtps() {
    let h264: Fmtp = "102 level-asymmetry-allowed=1; packetization-mode=1;;profile-level-id=42e01f"
        .parse()
        .unwrap();
    assert_eq!(h264.format, Format::PayloadType(payload_type(102)));
    assert_eq!(h264.parameters().count(), 3);
    assert_eq!(h264.parameter("Packetization-Mode"), Some("1"));
    assert_eq!(h264.parameter("apt"), None);
    let events: Fmtp = "110 0-15".parse().unwrap();
    assert_eq!(events.parameters().collect::<Vec<_>>(), [("0-15", None)]);
    same(
        "fmtp:63 111/111",
        Attribute::Fmtp(Fmtp {
            format: payload_type(63).into(),
            parameters: text("111/111"),
        }),
    );
    assert_eq!(parse("fmtp:96 ").to_string(), "fmtp:96");
    refusal("fmtp:128 apt=1");
}

/// RFC 8285 §5: ids of one- and two-byte headers, and those only proposed.
#[test]
fn extmaps() {
    let extmap = |id, direction, attributes: Option<&str>| {
        Attribute::Extmap(Extmap {
            id: ExtmapId::new(id).unwrap(),
            direction,
            uri: word("urn:x"),
            attributes: attributes.map(text),
        })
    };
    same("extmap:1 urn:x", extmap(1, None, None));
    same("extmap:15 urn:x", extmap(15, None, None));
    same("extmap:255 urn:x", extmap(255, None, None));
    same("extmap:4096 urn:x", extmap(4096, None, None));
    same(
        "extmap:2/recvonly urn:x a b",
        extmap(2, Some(Direction::RecvOnly), Some("a b")),
    );
    for bad in [
        "0 urn:x",
        "256 urn:x",
        "4352 urn:x",
        "65536 urn:x",
        "1",
        "1/up urn:x",
    ] {
        refusal(&format!("extmap:{bad}"));
    }
}

/// RFC 4585 §4.2, RFC 5104 §7.1.
#[test]
fn rtcp_feedback() {
    let fb = |format, feedback| Attribute::RtcpFb(RtcpFb { format, feedback });
    let vp8 = Format::PayloadType(payload_type(96));
    same("rtcp-fb:96 nack", fb(vp8.clone(), Feedback::Nack));
    same("rtcp-fb:96 nack pli", fb(vp8.clone(), Feedback::NackPli));
    same("rtcp-fb:96 ccm fir", fb(vp8.clone(), Feedback::CcmFir));
    same("rtcp-fb:96 goog-remb", fb(vp8.clone(), Feedback::GoogRemb));
    same(
        "rtcp-fb:* transport-cc",
        fb(Format::Any, Feedback::TransportCc),
    );
    same("rtcp-fb:96 ack ccfb", fb(vp8.clone(), Feedback::AckCcfb));
    let other = Feedback::Other(text("trr-int 100"));
    same("rtcp-fb:96 trr-int 100", fb(vp8, other));
    assert!(Format::Any.covers(payload_type(3)));
    refusal("rtcp-fb:96");
    refusal("rtcp-fb:200 nack");
}

/// RFC 3605 §2.1.
#[test]
fn rtcp_addresses() {
    let rtcp = |address| Attribute::Rtcp(Rtcp { port: 9, address });
    let address = NetworkAddress {
        family: AddressFamily::Ip6,
        host: ip("2001:db8::1"),
    };
    same("rtcp:9", rtcp(None));
    same("rtcp:9 IN IP6 2001:db8::1", rtcp(Some(address)));
    refusal("rtcp:9 IN IP5 ::1");
    refusal("rtcp:9 ATM IP4 ::1");
    same(
        "rtcp-xr:rcvr-rtt=all",
        Attribute::RtcpXr(words(&["rcvr-rtt=all"])),
    ); // RFC 3611 §5.1
}

/// RFC 5576 §4.1 and §4.2.
#[test]
fn sources() {
    let cname: SsrcAttribute = "461685783 cname:{521227d3}".parse().unwrap();
    assert_eq!(cname.cname().map(Text::as_str), Some("{521227d3}"));
    assert_eq!(cname.ssrc, Ssrc(461_685_783));
    let msid: SsrcAttribute = "1 msid:- track".parse().unwrap();
    assert_eq!((msid.name.as_str(), msid.cname()), ("msid", None));
    assert_eq!(msid.value, Some(text("- track")));
    same("ssrc:1 flag", Attribute::Ssrc("1 flag".parse().unwrap()));
    refusal("ssrc:4294967296 cname:a");
    refusal("ssrc:1");
    same(
        "ssrc-group:FID 1 4294967295",
        Attribute::SsrcGroup(SsrcGroup {
            semantics: SsrcGroupSemantics::FlowIdentification,
            ssrcs: vec![Ssrc(1), Ssrc(u32::MAX)],
        }),
    );
    refusal("ssrc-group:FID x");
}

/// RFC 8851 §10.
#[test]
fn rids() {
    let rid: Rid = "hi-res_1 send pt=97,98;max-width=1280".parse().unwrap();
    assert_eq!(rid.direction, RidDirection::Send);
    let types: Vec<u8> = rid.payload_types().map(PayloadType::value).collect();
    assert_eq!(types, [97, 98]);
    assert_eq!(rid.restrictions().last(), Some(("max-width", Some("1280"))));
    assert_eq!(rid.to_string(), "hi-res_1 send pt=97,98;max-width=1280");
    let bare = Rid {
        id: word("q"),
        direction: RidDirection::Recv,
        restrictions: None,
    };
    same("rid:q recv", Attribute::Rid(bare));
    refusal("rid:q both");
    refusal("rid:q");
    refusal("rid:q;r send");
}

/// RFC 8853 §5.1.
#[test]
fn simulcast() {
    let line = "send 1,~4;2;3 recv c";
    let simulcast: Simulcast = line.parse().unwrap();
    assert_eq!(simulcast.to_string(), line);
    let id = |rid, paused| SimulcastId { rid, paused };
    let send = simulcast.send.as_ref().unwrap();
    let streams: Vec<Vec<SimulcastId<'_>>> = send.iter().map(Iterator::collect).collect();
    let expected = vec![
        vec![id("1", false), id("4", true)],
        vec![id("2", false)],
        vec![id("3", false)],
    ];
    assert_eq!(streams, expected);
    assert_eq!(SimulcastStreams::new(expected).unwrap(), *send);
    assert_eq!(
        "recv c send 1,~4;2;3".parse::<Simulcast>().unwrap(),
        simulcast
    );
    for bad in [
        "",
        "send",
        "send a send b",
        "send a;",
        "send a,,b",
        "send ~",
        "both a",
        "send a b",
    ] {
        refusal(&format!("simulcast:{bad}"));
    }
    assert!(SimulcastStreams::new([[id("a b", false)]]).is_err());
    assert!(SimulcastStreams::new([[id("a;b", false)]]).is_err());
    assert!(SimulcastStreams::new(Vec::<Vec<SimulcastId<'_>>>::new()).is_err());
}

/// RFC 8866 §6.4, §6.5 and §6.13.
#[test]
fn packet_times_and_rates() {
    same("ptime:20", Attribute::Ptime(Decimal::from(20)));
    same("maxptime:60", Attribute::Maxptime(Decimal::from(60)));
    let rate = Decimal::new("29.97").unwrap();
    assert!((rate.as_f64() - 29.97).abs() < 1e-9);
    same("framerate:29.97", Attribute::Framerate(rate));
    for bad in ["", "-1", "1.", ".5", "1.2.3", "inf", "1e3"] {
        refusal(&format!("ptime:{bad}"));
    }
}
