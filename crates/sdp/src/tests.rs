//! Sections, inheritance, editing, and what errors say.

use crate::*;

const OFFER: &str = "v=0\r\n\
    o=- 1 2 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0 1\r\n\
    a=ice-options:ice2\r\n\
    a=fingerprint:sha-256 0A:0B\r\n\
    a=setup:actpass\r\n\
    a=ice-ufrag:sess\r\n\
    a=ice-pwd:session\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=mid:0\r\n\
    a=rtpmap:111 opus/48000/2\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP6 ::\r\n\
    a=mid:1\r\n\
    a=sendonly\r\n\
    a=setup:passive\r\n\
    a=fingerprint:sha-1 0C\r\n\
    a=fingerprint:sha-1 0D\r\n\
    a=ice-ufrag:medi\r\n\
    a=ice-pwd:media\r\n\
    a=ice-options:trickle\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:262144\r\n\
    a=end-of-candidates\r\n";

fn offer() -> SessionDescription {
    SessionDescription::parse(OFFER).unwrap()
}

/// The error for `OFFER` with its line `number` replaced.
fn error_of(number: usize, line: &str) -> String {
    let mut lines: Vec<&str> = OFFER.lines().collect();
    lines[number - 1] = line;
    let error = SessionDescription::parse(&lines.join("\r\n")).unwrap_err();
    error.to_string()
}

#[test]
fn a_line_is_at_most_72_bytes_in_memory() {
    assert!(size_of::<Spelled<Line>>() <= 72);
}

#[test]
fn a_media_section_overrides_the_session() {
    let session = offer();
    let [audio, data] = &session.media[..] else {
        panic!()
    };
    let bytes = |media| -> Vec<u8> {
        let fingerprints = session.fingerprints_for(media);
        fingerprints
            .map(|fingerprint| fingerprint.value[0])
            .collect()
    };
    assert_eq!(bytes(audio), [0x0A]); // RFC 8122 §5
    assert_eq!(bytes(data), [0x0C, 0x0D]);
    assert_eq!(session.setup_for(audio), Some(Setup::Actpass));
    assert_eq!(session.setup_for(data), Some(Setup::Passive));
    assert_eq!(session.ice_ufrag_for(audio).unwrap(), &"sess"); // RFC 8839 §5.4
    assert_eq!(session.ice_ufrag_for(data).unwrap(), &"medi");
    assert_eq!(session.ice_pwd_for(audio).unwrap().as_str(), "session");
    assert_eq!(session.ice_pwd_for(data).unwrap().as_str(), "media");
    let options: Vec<&str> = session.ice_options_for(data).collect();
    assert_eq!(options, ["trickle", "ice2"]);
    assert_eq!(session.direction_for(audio), Direction::SendRecv); // RFC 8866 §6.7
    assert_eq!(session.direction_for(data), Direction::SendOnly);
    assert!(!session.end_of_candidates_for(audio));
    assert!(session.end_of_candidates_for(data));
    assert_eq!(
        session.connection_for(data).unwrap().to_string(),
        "IN IP6 ::"
    );
}

#[test]
fn media_sections_answer_what_a_data_session_asks() {
    let session = offer();
    let bundle = session.bundle_groups().next().unwrap();
    assert_eq!(bundle.mids.iter().collect::<Vec<_>>(), ["0", "1"]);
    let data = session.media_by_mid("1").unwrap();
    assert!(data.is_data_channel() && !data.is_rejected());
    assert_eq!(data.sctp_port(), Some(5000));
    assert_eq!(data.max_message_size(), Some(262_144));
    assert!(!session.media[0].is_data_channel());
    assert_eq!(session.media[0].kind(), &MediaKind::Audio);
    assert_eq!(session.media[0].head.formats.payload_types().len(), 2);
    assert!(session.media_by_mid("2").is_none());
}

/// The form of SCTP sections before RFC 8841.
#[test]
fn the_older_data_channel_section_is_understood() {
    let text = "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n\
        m=application 9 DTLS/SCTP 5000\na=sctpmap:5000 webrtc-datachannel 1024\n";
    let session = SessionDescription::parse(text).unwrap();
    assert!(session.media[0].is_data_channel());
    assert_eq!(session.media[0].sctp_port(), Some(5000));
}

#[test]
fn a_section_built_from_nothing_is_in_the_order_of_rfc_8866() {
    let mut media = MediaDescription::data_channel(9);
    media.push(Attribute::Mid(Word::from(0u8)));
    media.push(Connection::from(NetworkAddress::UNSPECIFIED));
    media.push(Line::Information(Text::new("chat").unwrap()));
    media.push(Attribute::SctpPort(5000));
    let mut session = SessionDescription::new(Origin::new(1, 2));
    session.push(Attribute::Group(Group::bundle([Word::from(0u8)])));
    session.media.push(media);
    let text = session.to_string();
    let expected = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\ni=chat\r\nc=IN IP4 0.0.0.0\r\n\
        a=mid:0\r\na=sctp-port:5000\r\n";
    assert_eq!(text, expected);
    assert_eq!(SessionDescription::parse(&text).unwrap(), session);
}

#[test]
fn an_edit_is_written_and_the_rest_stays_as_spelled() {
    let odd = OFFER
        .replace("a=setup:passive", "a=setup:  passive ")
        .replace("a=mid:1", "a=mid: 1");
    let mut session = SessionDescription::parse(&odd).unwrap();
    assert_eq!(session.to_string(), odd);

    let data = &mut session.media[1];
    data.set(Attribute::Direction(Direction::Inactive));
    data.set(Attribute::Fingerprint("sha-1 EE".parse().unwrap()));
    data.set(Attribute::TlsId(Word::new("new").unwrap()));
    data.remove("end-of-candidates");
    data.head.port = 0;
    let expected = odd
        .replace("a=sendonly", "a=inactive")
        .replace(
            "a=fingerprint:sha-1 0C\r\na=fingerprint:sha-1 0D",
            "a=fingerprint:sha-1 EE",
        )
        .replace("a=end-of-candidates", "a=tls-id:new")
        .replace("m=application 9", "m=application 0");
    assert_eq!(session.to_string(), expected);
    assert!(session.media[1].is_rejected());

    session.canonicalize();
    let canonical = session.to_string();
    assert!(canonical.contains("a=setup:passive\r\n") && canonical.contains("a=mid:1\r\n"));
}

#[test]
fn a_mutable_borrow_drops_the_spelling_of_that_line_alone() {
    let odd = OFFER.replace("a=mid:", "a=mid: ");
    let mut session = SessionDescription::parse(&odd).unwrap();
    for line in session.media[0].iter_mut() {
        if let Line::Attribute(Attribute::Mid(mid)) = &mut **line {
            *mid = Word::new("x").unwrap();
        }
    }
    assert_eq!(session.to_string(), odd.replace("a=mid: 0", "a=mid:x"));
}

/// RFC 9143 §6: port 0 together with bundle-only is no rejection.
#[test]
fn a_bundle_only_section_is_not_rejected() {
    let mut media = MediaDescription::data_channel(0);
    assert!(media.is_rejected());
    media.push(Attribute::BundleOnly);
    assert!(!media.is_rejected());
}

#[test]
fn every_line_type_is_kept_in_its_place() {
    let text = "v=0\r\no=alice 1 2 IN IP6 2001:db8::1\r\ns= \r\ni=info\r\nu=http://a\r\n\
        e=a@b\r\np=+1\r\nc=IN IP4 224.2.1.1/127/3\r\nb=AS:128\r\nb=X-YZ:9\r\nt=1 2\r\nr=7d 1h 0\r\n\
        z=0 -1h\r\nk=clear:secret\r\na=foo\r\nm=audio 49170/2 RTP/AVP 0\r\ni=mic\r\n\
        c=IN IP6 ff15::101/3\r\nb=TIAS:5\r\nk=prompt\r\na=bar:\r\n";
    let mut session = SessionDescription::parse(text).unwrap();
    assert_eq!(session.to_string(), text);
    assert!(
        session
            .iter()
            .chain(&session.media[0].lines)
            .all(|line| line.spelling().is_none())
    );
    assert_eq!(session.media[0].head.port_count, Some(2));
    assert_eq!(session.connection().unwrap().ttl, Some(127));
    assert_eq!(session.media[0].connection().unwrap().count, Some(3));
    assert!(!format!("{session:?}").contains("secret"));
    session.canonicalize();
    assert_eq!(session.to_string(), text);
}

#[test]
fn errors_name_the_line_and_the_culprit() {
    assert_eq!(error_of(1, "v=1"), "line 1: v=: the version is not 0");
    assert_eq!(error_of(1, "o=-"), "line 1: v= is missing");
    assert_eq!(
        error_of(2, "o=- x 2 IN IP4 ::1"),
        "line 2: o=: the session id is not a 64-bit number"
    );
    assert_eq!(error_of(2, "o=- 1 2 IN IP4"), "line 2: o=: no address");
    assert_eq!(error_of(3, "t=0 0"), "line 3: s= is missing");
    assert_eq!(error_of(4, "a=x"), "line 11: t= is missing");
    assert_eq!(error_of(4, "t=0"), "line 4: t=: no stop time");
    assert_eq!(error_of(5, "v=0"), "line 5: v= may not stand here");
    assert_eq!(error_of(5, "x=0"), "line 5: unknown line type 'x'");
    assert_eq!(error_of(5, ""), "line 5: not of the form <letter>=<value>");
    assert_eq!(
        error_of(5, "ab=0"),
        "line 5: not of the form <letter>=<value>"
    );
    assert_eq!(
        error_of(5, " a=x"),
        "line 5: not of the form <letter>=<value>"
    );
    assert_eq!(
        error_of(11, "m=audio 9 RTP/AVP 128"),
        "line 11: m=: not a payload type (0 to 127)"
    );
    assert_eq!(
        error_of(11, "m=audio 65536 RTP/AVP 0"),
        "line 11: m=: not a port number (0 to 65535)"
    );
    assert_eq!(error_of(11, "m=audio 9 RTP/AVP"), "line 11: m=: no format");
    assert_eq!(
        error_of(12, "c=TN IP4 0.0.0.0"),
        "line 12: c=: the network type is not IN"
    );
    assert_eq!(error_of(12, "t=0 0"), "line 12: t= may not stand here");
    assert_eq!(error_of(13, "a=mid:0\r1"), "line 13: a NUL or a stray CR");
    assert_eq!(error_of(13, "a=mid:\0"), "line 13: a NUL or a stray CR");
    assert_eq!(
        error_of(14, "a=rtpmap:200 opus/48000/2"),
        "line 14: a=rtpmap: not a payload type (0 to 127)"
    );
    assert_eq!(
        error_of(19, "a=setup:maybe"),
        "line 19: a=setup: not active, passive, actpass or holdconn"
    );
    let nothing = SessionDescription::parse("").unwrap_err();
    assert_eq!(
        nothing.to_string(),
        "line 1: not of the form <letter>=<value>"
    );
    let head = SessionDescription::parse("v=0\no=- 1 2 IN IP4 a.b\n").unwrap_err();
    assert_eq!(head.to_string(), "line 3: s= is missing");
}

/// A malformed line may hold a password or a key: errors do not repeat it.
#[test]
fn errors_do_not_repeat_the_input() {
    let error = error_of(23, "a=ice-pwd:hush hush");
    assert_eq!(error, "line 23: a=ice-pwd: too many fields");
}

#[test]
fn bytes_that_are_not_utf_8_are_located() {
    let mut bytes = OFFER.as_bytes().to_vec();
    assert_eq!(SessionDescription::parse_bytes(&bytes).unwrap(), offer());
    let at = OFFER.find("a=mid:1").unwrap() + 6;
    bytes[at] = 0xFF;
    let error = SessionDescription::parse_bytes(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "line 17: not UTF-8");
}
