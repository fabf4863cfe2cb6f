//! What the builder refuses, and that everything it writes is read back.

use std::net::SocketAddr;

use proptest::prelude::*;

use crate::{
    Acks, AddressFamily, Attribute, AttributeType, BuildError, Class, ErrorCode,
    IntegrityAlgorithm, IntegrityKey, Message, MessageBuilder, MessageView, Method,
    PasswordAlgorithm, PasswordAlgorithmEntry, PasswordAlgorithms, TransactionId,
    UnknownAttributes, WriteError, Writer,
};

const ID: TransactionId = TransactionId([9; 12]);

fn finish(steps: impl FnOnce(&mut MessageBuilder<'_>)) -> Result<usize, BuildError> {
    let mut bytes = vec![0; 70_000];
    let mut builder = MessageBuilder::new(&mut bytes, Class::Error, Method::BINDING, ID);
    steps(&mut builder);
    builder.finish()
}

#[test]
fn nothing_is_written_past_the_end() {
    let key = IntegrityKey::short_term("pwd");
    let build = |bytes: &mut [u8]| {
        MessageBuilder::new(bytes, Class::Request, Method::BINDING, ID)
            .attribute(Attribute::Username("a:b"))
            .integrity(&key)
            .fingerprint()
            .finish()
    };
    let len = build(&mut [0; 100]).unwrap();
    for short in 0..len {
        let result = build(&mut vec![0; short]);
        assert!(
            matches!(result, Err(BuildError::NoRoom(_))),
            "{short} bytes"
        );
    }
    assert_eq!(build(&mut vec![0; len]), Ok(len));
}

#[test]
fn what_receivers_would_not_see_is_refused() {
    let key = IntegrityKey::short_term("pwd");
    let misplaced = |kind| Err(BuildError::Misplaced(kind));
    assert_eq!(
        finish(|b| {
            b.integrity(&key).attribute(Attribute::UseCandidate);
        }),
        misplaced(AttributeType::USE_CANDIDATE)
    );
    assert_eq!(
        finish(|b| {
            b.integrity_sha256(&key).integrity(&key);
        }),
        misplaced(AttributeType::MESSAGE_INTEGRITY)
    );
    assert_eq!(
        finish(|b| {
            b.fingerprint().integrity_sha256(&key);
        }),
        misplaced(AttributeType::MESSAGE_INTEGRITY_SHA256)
    );
    assert_eq!(
        finish(|b| {
            b.fingerprint().fingerprint();
        }),
        misplaced(AttributeType::FINGERPRINT)
    );
    assert_eq!(
        finish(|b| {
            b.attribute(Attribute::Fingerprint(1));
        }),
        misplaced(AttributeType::FINGERPRINT)
    );
}

#[test]
fn values_over_their_limits_are_refused() {
    let long = "x".repeat(800);
    for (attribute, limit) in [
        (Attribute::Username(&long), 508),
        (Attribute::Realm(&long), 763),
        (Attribute::Nonce(&long), 763),
        (Attribute::Software(&long), 763),
        (Attribute::AlternateDomain(&long), 255),
    ] {
        assert_eq!(
            finish(|b| {
                b.attribute(attribute);
            }),
            Err(BuildError::TooLong {
                kind: attribute.kind(),
                len: 800,
                limit
            })
        );
    }
    let reason = &long[..764];
    let error = ErrorCode { code: 487, reason };
    assert!(matches!(
        finish(|b| {
            b.attribute(Attribute::ErrorCode(error));
        }),
        Err(BuildError::TooLong { limit: 767, .. })
    ));
    for code in [0, 299, 700, 65535] {
        let error = ErrorCode { code, reason: "" };
        assert_eq!(
            finish(|b| {
                b.attribute(Attribute::ErrorCode(error));
            }),
            Err(BuildError::ErrorCode(code))
        );
    }
    for len in [0, 12, 15, 17, 30, 36] {
        let key = IntegrityKey::short_term("pwd");
        assert_eq!(
            finish(|b| {
                b.integrity_sha256_truncated(&key, len);
            }),
            Err(BuildError::Truncation(len))
        );
    }
    // One value of 65,536 bytes, and a sum that the header cannot count.
    let data = vec![0; 65_536];
    assert!(matches!(
        finish(|b| {
            b.attribute(Attribute::Data(&data));
        }),
        Err(BuildError::TooLong { limit: 65_535, .. })
    ));
    assert!(matches!(
        finish(|b| {
            b.attribute(Attribute::Data(&data[1..]))
                .attribute(Attribute::UseCandidate);
        }),
        Err(BuildError::NoRoom(_))
    ));
}

#[test]
fn a_message_writes_as_many_bytes_as_it_says() {
    let key = IntegrityKey::short_term("pwd");
    let attributes = [Attribute::Username("a:bc"), Attribute::UseCandidate];
    for integrity in [
        None,
        Some((&key, IntegrityAlgorithm::Sha1)),
        Some((&key, IntegrityAlgorithm::Sha256)),
    ] {
        for fingerprint in [false, true] {
            let message = Message {
                class: Class::Request,
                method: Method::BINDING,
                transaction_id: ID,
                attributes: &attributes,
                integrity,
                fingerprint,
            };
            let mut bytes = [0xAA; 256];
            let mut writer = Writer::new(&mut bytes);
            // Not at the start: what is covered is the message alone.
            writer.bytes(b"before").unwrap();
            message.write(&mut writer).unwrap();
            assert_eq!(writer.len(), 6 + message.wire_len());
            let view = MessageView::parse(&writer.written()[6..]).unwrap();
            assert_eq!(view.username(), Some("a:bc"));
            assert_eq!(view.verify_integrity(&key).is_ok(), integrity.is_some());
            assert_eq!(view.verify_fingerprint().is_ok(), fingerprint);
            let error = WriteError {
                needed: message.wire_len(),
                remaining: 1,
            };
            assert_eq!(
                message.write(&mut Writer::new(&mut [0])),
                Err(BuildError::NoRoom(error))
            );
        }
    }
}

/// One of each kind, from random parts.
fn every_attribute(
    f: impl FnOnce(&[Attribute<'_>]),
    (number, short, address, text, data): (u64, u16, SocketAddr, &str, &[u8]),
) {
    let word = number as u32;
    let (types, acks) = ([AttributeType(short), AttributeType::USERNAME], [word, 7]);
    let entries = [
        PasswordAlgorithmEntry {
            number: short,
            parameters: data,
        },
        PasswordAlgorithm::Md5.into(),
    ];
    let family = AddressFamily::from_number(1 + (short & 1) as u8).unwrap();
    let error = ErrorCode {
        code: 300 + short % 400,
        reason: text,
    };
    let (hash, token) = ([short as u8; 32], number.to_be_bytes());
    let kind = AttributeType(0xF000 | short);
    f(&[
        Attribute::MappedAddress(address),
        Attribute::XorMappedAddress(address),
        Attribute::Username(text),
        Attribute::UserHash(&hash),
        Attribute::ErrorCode(error),
        Attribute::Realm(text),
        Attribute::Nonce(text),
        Attribute::PasswordAlgorithms(PasswordAlgorithms::new(&entries)),
        Attribute::PasswordAlgorithm(entries[0]),
        Attribute::UnknownAttributes(UnknownAttributes::new(&types)),
        Attribute::Software(text),
        Attribute::AlternateServer(address),
        Attribute::AlternateDomain(text),
        Attribute::Priority(word),
        Attribute::UseCandidate,
        Attribute::IceControlled(number),
        Attribute::IceControlling(number),
        Attribute::Nomination(word),
        Attribute::GoogNetworkInfo { id: short, cost: 9 },
        Attribute::MetaDtlsInStun(data),
        Attribute::MetaDtlsInStunAck(Acks::new(&acks)),
        Attribute::ChannelNumber(short),
        Attribute::Lifetime(word),
        Attribute::XorPeerAddress(address),
        Attribute::Data(data),
        Attribute::XorRelayedAddress(address),
        Attribute::RequestedAddressFamily(family),
        Attribute::EvenPort {
            reserve: short & 1 == 1,
        },
        Attribute::RequestedTransport(17),
        Attribute::DontFragment,
        Attribute::ReservationToken(&token),
        Attribute::AdditionalAddressFamily(family),
        Attribute::AddressErrorCode(family, error),
        Attribute::Icmp {
            kind: (short & 0x7F) as u8,
            code: short >> 7,
            data: word.to_be_bytes(),
        },
        Attribute::ConnectionId(word),
        Attribute::MobilityTicket(data),
        Attribute::AccessToken(data),
        Attribute::ThirdPartyAuthorization(text),
        Attribute::Unknown { kind, value: data },
    ]);
}

proptest! {
    #[test]
    fn every_attribute_is_read_as_it_was_written(
        number: u64,
        short: u16,
        address: SocketAddr,
        id: [u8; 12],
        text in "\\PC{0,60}",
        data in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        // Flow label and scope do not travel.
        let address = SocketAddr::new(address.ip(), address.port());
        every_attribute(|attributes| {
            let mut bytes = [0xAA; 6000];
            let id = TransactionId(id);
            let mut builder = MessageBuilder::new(&mut bytes, Class::Success, Method::REFRESH, id);
            for attribute in attributes {
                builder.attribute(*attribute);
            }
            let len = builder.fingerprint().finish().unwrap();
            let view = MessageView::parse(&bytes[..len]).unwrap();
            view.verify_fingerprint().unwrap();
            let read: Vec<_> = view.attributes().collect();
            assert_eq!(read[..attributes.len()], *attributes);
            let sizes: usize = attributes.iter().map(Attribute::wire_len).sum();
            assert_eq!(len, 20 + sizes + 8);
        }, (number, short, address, &text, &data));
    }

    #[test]
    fn bytes_of_any_kind_do_no_harm(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        header: bool,
    ) {
        if header && bytes.len() >= 20 {
            bytes.truncate(bytes.len() / 4 * 4);
            let length = (bytes.len() - 20) as u16;
            bytes[0] &= 0x3F;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&crate::MAGIC_COOKIE.to_be_bytes());
        }
        if let Ok(view) = MessageView::parse(&bytes) {
            prop_assert_eq!(MessageView::is_stun(&bytes), bytes[0] < 4);
            let debug = format!("{view:?}");
            prop_assert!(!debug.is_empty());
        }
    }
}

/// RFC 8656 §11.6: who relays data goes on with them where they are.
#[test]
fn values_are_found_in_place() {
    let mut bytes = [0; 100];
    let len = MessageBuilder::new(&mut bytes, Class::Indication, Method::DATA, ID)
        .attribute(Attribute::XorPeerAddress(([192, 0, 2, 1], 9).into()))
        .attribute(Attribute::Data(b"hello"))
        .attribute(Attribute::Data(b"not this"))
        .finish()
        .unwrap();
    let view = MessageView::parse(&bytes[..len]).unwrap();
    assert_eq!(view.value(AttributeType::DATA), Some(&b"hello"[..]));
    let range = view.value_range(AttributeType::DATA).unwrap();
    assert_eq!(&bytes[range], b"hello");
    assert_eq!(view.value_range(AttributeType::SOFTWARE), None);
}
