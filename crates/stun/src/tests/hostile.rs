//! What a stranger may send: lengths that lie, check values in the wrong place, forged codes.

use super::vectors::{PASSWORD, sample_request, unhex};
use crate::{
    Attribute, AttributeType, Class, IntegrityAlgorithm, IntegrityError, IntegrityKey,
    MessageBuilder, MessageView, Method, ParseError, TransactionId,
};

const ID: TransactionId = TransactionId([9; 12]);

fn key() -> IntegrityKey {
    IntegrityKey::short_term(PASSWORD)
}

fn build(steps: impl FnOnce(&mut MessageBuilder<'_>)) -> Vec<u8> {
    let mut bytes = vec![0; 600];
    let mut builder = MessageBuilder::new(&mut bytes, Class::Request, Method::BINDING, ID);
    steps(&mut builder);
    let len = builder.finish().unwrap();
    bytes.truncate(len);
    bytes
}

/// Appends attributes as they are and makes the header's length fit.
fn append(message: &mut Vec<u8>, attributes: &[u8]) {
    message.extend_from_slice(attributes);
    let len = (message.len() - 20) as u16;
    message[2..4].copy_from_slice(&len.to_be_bytes());
}

/// A message of that one attribute, padded.
fn with(kind: AttributeType, value: &[u8]) -> Vec<u8> {
    let mut message = build(|_| {});
    let mut attribute = kind.0.to_be_bytes().to_vec();
    attribute.extend_from_slice(&(value.len() as u16).to_be_bytes());
    attribute.extend_from_slice(value);
    attribute.resize(4 + value.len().next_multiple_of(4), 0);
    append(&mut message, &attribute);
    message
}

fn error(bytes: &[u8]) -> ParseError {
    MessageView::parse(bytes).unwrap_err()
}

#[test]
fn every_cut_and_every_lie_about_the_length_is_refused() {
    let bytes = sample_request();
    for len in 0..bytes.len() {
        assert!(MessageView::parse(&bytes[..len]).is_err(), "{len} bytes");
        assert!(!MessageView::is_stun(&bytes[..len]), "{len} bytes");
    }
    for length in 0..=u16::MAX {
        let mut bytes = bytes.clone();
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        let fits = usize::from(length) + 20 == bytes.len();
        assert_eq!(MessageView::parse(&bytes).is_ok(), fits, "length {length}");
        assert_eq!(MessageView::is_stun(&bytes), fits, "length {length}");
    }
}

#[test]
fn errors_name_the_part_and_its_place() {
    let mut bytes = sample_request();
    bytes[0] = 0x40;
    assert_eq!(error(&bytes).to_string(), "message type at byte 0");
    bytes[0] = 0;
    bytes[4] = 0;
    assert_eq!(error(&bytes).to_string(), "magic cookie at byte 4");
    bytes[4] = 0x21;
    bytes.push(0);
    assert_eq!(error(&bytes).to_string(), "message length at byte 2");
    // SOFTWARE says it is longer than the message.
    let mut bytes = sample_request();
    bytes[22..24].copy_from_slice(&89_u16.to_be_bytes());
    assert_eq!(error(&bytes).to_string(), "attribute value at byte 24");
    // An attribute's header is cut by the end.
    let mut bytes = build(|_| {});
    append(&mut bytes, &[0x80, 0x22, 0, 1]);
    assert_eq!(error(&bytes).to_string(), "attribute value at byte 24");
}

#[test]
fn every_flipped_bit_fails_integrity_or_fingerprint() {
    let good = sample_request();
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(view) = MessageView::parse(&bytes) else {
            continue;
        };
        assert!(view.verify_fingerprint().is_err(), "bit {bit}");
        // What follows MESSAGE-INTEGRITY is not under it.
        if bit / 8 < good.len() - 8 {
            assert!(view.verify_integrity(&key()).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn fingerprint_must_be_last() {
    let mut bytes = build(|b| {
        b.fingerprint();
    });
    append(&mut bytes, &unhex("80220004 74657374"));
    assert_eq!(
        error(&bytes).to_string(),
        "attribute after FINGERPRINT at byte 28"
    );

    // MESSAGE-INTEGRITY after FINGERPRINT, and a second FINGERPRINT.
    let mut bytes = build(|b| {
        b.fingerprint();
    });
    append(&mut bytes, &[&[0, 8, 0, 20][..], &[0; 20]].concat());
    assert_eq!(error(&bytes).what, "attribute after FINGERPRINT");
    let mut bytes = sample_request();
    append(&mut bytes, &unhex("80280004 00000000"));
    assert_eq!(error(&bytes).what, "attribute after FINGERPRINT");
}

#[test]
fn attributes_after_integrity_are_ignored() {
    let mut bytes = build(|b| {
        b.attribute(Attribute::Priority(1)).integrity(&key());
    });
    // An attacker adds USE-CANDIDATE, a type to stumble over, a bad value and another integrity.
    append(
        &mut bytes,
        &unhex("00250000 7fff0000 00240000 0009000400000000"),
    );
    append(&mut bytes, &[&[0, 8, 0, 20][..], &[0; 20]].concat());
    let view = MessageView::parse(&bytes).unwrap();
    assert!(!view.use_candidate());
    assert_eq!(view.priority(), Some(1));
    assert_eq!(view.error_code(), None);
    assert_eq!(view.unknown_comprehension_required().count(), 0);
    assert_eq!(view.attributes().count(), 2);
    assert_eq!(view.verify_integrity(&key()), Ok(()));
}

#[test]
fn only_sha256_and_fingerprint_count_after_integrity() {
    let bytes = build(|b| {
        b.attribute(Attribute::UseCandidate)
            .integrity(&key())
            .integrity_sha256_truncated(&key(), 16)
            .fingerprint();
    });
    let kinds = |bytes: &[u8]| {
        let view = MessageView::parse(bytes).unwrap();
        view.attributes().map(|a| a.kind()).collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(&bytes),
        [
            AttributeType::USE_CANDIDATE,
            AttributeType::MESSAGE_INTEGRITY,
            AttributeType::MESSAGE_INTEGRITY_SHA256,
            AttributeType::FINGERPRINT
        ]
    );
    let view = MessageView::parse(&bytes).unwrap();
    for algorithm in [IntegrityAlgorithm::Sha1, IntegrityAlgorithm::Sha256] {
        assert!(view.has_integrity(algorithm));
        assert_eq!(view.verify_integrity_with(&key(), algorithm), Ok(()));
    }

    // After MESSAGE-INTEGRITY-SHA256, MESSAGE-INTEGRITY does not count.
    let mut bytes = build(|b| {
        b.integrity_sha256(&key());
    });
    append(&mut bytes, &[&[0, 8, 0, 20][..], &[0; 20]].concat());
    assert_eq!(kinds(&bytes), [AttributeType::MESSAGE_INTEGRITY_SHA256]);
    let view = MessageView::parse(&bytes).unwrap();
    assert!(!view.has_integrity(IntegrityAlgorithm::Sha1));
    assert_eq!(view.verify_integrity(&key()), Ok(()));
}

#[test]
fn the_stronger_integrity_decides() {
    let good = build(|b| {
        b.integrity(&key()).integrity_sha256(&key());
    });
    let view = MessageView::parse(&good).unwrap();
    assert_eq!(view.verify_integrity(&key()), Ok(()));
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    let view = MessageView::parse(&bad).unwrap();
    assert_eq!(view.verify_integrity(&key()), Err(IntegrityError::Mismatch));

    // Bidding down: without SHA-256 the SHA-1 code still holds, unless SHA-256 was agreed.
    let mut stripped = good[..44].to_vec();
    append(&mut stripped, &[]);
    let view = MessageView::parse(&stripped).unwrap();
    assert_eq!(view.verify_integrity(&key()), Ok(()));
    assert_eq!(
        view.verify_integrity_with(&key(), IntegrityAlgorithm::Sha256),
        Err(IntegrityError::Missing)
    );
}

#[test]
fn integrity_is_cut_to_no_other_length() {
    for len in 0..40 {
        let ok = [16, 20, 24, 28, 32].contains(&len);
        let bytes = with(AttributeType::MESSAGE_INTEGRITY_SHA256, &vec![0; len]);
        assert_eq!(MessageView::parse(&bytes).is_ok(), ok, "{len} bytes");
        let bytes = with(AttributeType::MESSAGE_INTEGRITY, &vec![0; len]);
        assert_eq!(MessageView::parse(&bytes).is_ok(), len == 20, "{len} bytes");
        let bytes = with(AttributeType::FINGERPRINT, &vec![0; len]);
        assert_eq!(MessageView::parse(&bytes).is_ok(), len == 4, "{len} bytes");
        if ok {
            let bytes = build(|b| {
                b.integrity_sha256_truncated(&key(), len).fingerprint();
            });
            let view = MessageView::parse(&bytes).unwrap();
            assert_eq!(view.verify_integrity(&key()), Ok(()));
        }
    }
}

#[test]
fn the_first_of_several_is_meant() {
    let bytes = build(|b| {
        b.attribute(Attribute::Username("first"))
            .attribute(Attribute::Username("second"))
            .attribute(Attribute::Priority(1))
            .attribute(Attribute::Priority(2))
            .attribute(Attribute::IceControlling(1))
            .attribute(Attribute::IceControlling(2));
    });
    let view = MessageView::parse(&bytes).unwrap();
    assert_eq!(view.username(), Some("first"));
    assert_eq!(view.priority(), Some(1));
    assert_eq!(view.ice_controlling(), Some(1));
    assert_eq!(view.attributes().count(), 6);
}

#[test]
fn bad_values_refuse_the_message_or_are_kept_unknown() {
    for (kind, value) in [
        (AttributeType::USERNAME, &[0xFF][..]),
        (AttributeType::PRIORITY, &[1, 2, 3]),
        (AttributeType::USE_CANDIDATE, &[1]),
        (AttributeType::XOR_MAPPED_ADDRESS, &[0, 1, 0, 80, 127, 0, 0]),
        (
            AttributeType::XOR_MAPPED_ADDRESS,
            &[0, 2, 0, 80, 127, 0, 0, 1],
        ),
        (AttributeType::MAPPED_ADDRESS, &[0, 3, 0, 80, 127, 0, 0, 1]),
        (AttributeType::ERROR_CODE, &[0, 0, 4]),
        (AttributeType::ERROR_CODE, &[0, 0, 2, 0]),
        (AttributeType::ERROR_CODE, &[0, 0, 4, 100]),
        (AttributeType::UNKNOWN_ATTRIBUTES, &[1]),
        (AttributeType::PASSWORD_ALGORITHM, &[0, 1, 0, 1]),
        (AttributeType::EVEN_PORT, &[]),
        (AttributeType::REQUESTED_ADDRESS_FAMILY, &[3, 0, 0, 0]),
        (AttributeType::RESERVATION_TOKEN, &[0; 7]),
    ] {
        assert_eq!(
            error(&with(kind, value)).to_string(),
            "attribute value at byte 20"
        );
    }
    for (kind, value) in [
        (AttributeType::SOFTWARE, &[0xFF][..]),
        (AttributeType::ICE_CONTROLLING, &[1, 2, 3]),
        (AttributeType::NOMINATION, &[]),
        (AttributeType::GOOG_NETWORK_INFO, &[1]),
        (AttributeType::META_DTLS_IN_STUN_ACK, &[1, 2, 3, 4, 5]),
        (AttributeType::PASSWORD_ALGORITHMS, &[0, 1, 0, 9]),
        (AttributeType::ICMP, &[0; 4]),
        (AttributeType(0xC999), b"something"),
    ] {
        let bytes = with(kind, value);
        let view = MessageView::parse(&bytes).unwrap();
        let unknown = Attribute::Unknown { kind, value };
        assert_eq!(view.attributes().collect::<Vec<_>>(), [unknown]);
        assert_eq!(view.unknown_comprehension_required().count(), 0);
    }
}

#[test]
fn what_must_be_understood_is_listed() {
    let bytes = build(|b| {
        for kind in [0x7FFE, 0x8FFF, 0x0002] {
            let kind = AttributeType(kind);
            b.attribute(Attribute::Unknown {
                kind,
                value: b"abc",
            });
        }
    });
    let view = MessageView::parse(&bytes).unwrap();
    let unknown: Vec<_> = view.unknown_comprehension_required().collect();
    assert_eq!(unknown, [0x7FFE, 0x0002]);
}

#[test]
fn a_reason_that_is_not_text_does_not_hide_the_code() {
    let bytes = with(AttributeType::ERROR_CODE, b"\0\0\x04\x57Role\xFFx");
    let error = MessageView::parse(&bytes).unwrap().error_code().unwrap();
    assert_eq!((error.code, error.reason), (487, "Role"));
}

#[test]
fn a_stream_says_how_long_its_message_is() {
    let bytes = sample_request();
    assert_eq!(MessageView::stream_len(&bytes[..8]), Some(bytes.len()));
    assert_eq!(MessageView::stream_len(&bytes[..7]), None);
    assert_eq!(
        MessageView::stream_len(&[0x16, 0xFE, 0xFD, 0, 0, 0, 0, 0]),
        None
    );
}

/// The header alone tells which transaction a response ends, and agrees with the whole message.
#[test]
fn what_a_response_ends_is_read_off_its_header() {
    let mut bytes = vec![0; 100];
    for class in [
        Class::Request,
        Class::Indication,
        Class::Success,
        Class::Error,
    ] {
        let len = MessageBuilder::new(&mut bytes, class, Method::BINDING, ID)
            .attribute(Attribute::Username("a:b"))
            .finish()
            .unwrap();
        let message = &mut bytes[..len];
        let ends = matches!(class, Class::Success | Class::Error).then_some(ID);
        assert_eq!(MessageView::response_to(message), ends, "{class:?}");
        for cut in 0..len {
            assert_eq!(MessageView::response_to(&message[..cut]), None);
        }
        // Without the cookie it is something else.
        message[4] ^= 1;
        assert_eq!(MessageView::response_to(message), None);
    }
    // RTP and DTLS are none, whatever follows their first byte.
    for first in [20, 63, 128, 191] {
        let mut other = bytes[..28].to_vec();
        other[0] = first;
        assert_eq!(MessageView::response_to(&other), None);
    }
}
