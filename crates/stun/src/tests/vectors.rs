//! The published messages: [RFC 5769](https://www.rfc-editor.org/rfc/rfc5769) and RFC 8489
//! appendix B.1 as corrected by erratum 6268, read, verified and written byte for byte.

use crate::{
    Attribute, AttributeType, Class, IntegrityAlgorithm, IntegrityError, IntegrityKey,
    MessageBuilder, MessageView, Method, PasswordAlgorithm, TransactionId, userhash,
};

pub(crate) const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
const SHORT_TERM_ID: TransactionId = TransactionId([
    0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
]);
const LONG_TERM_ID: TransactionId = TransactionId([
    0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e,
]);

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|d| (d[0] * 16 + d[1]) as u8).collect()
}

/// RFC 5769 §2.1, padded with spaces.
pub(crate) fn sample_request() -> Vec<u8> {
    unhex(
        "00010058 2112a442 b7e7a701bc34d686fa87dfae
         80220010 5354554e207465737420636c69656e74
         00240004 6e0001ff
         80290008 932ff9b151263b36
         00060009 6576746a3a68367659 202020
         00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
         80280004 e57a3bcf",
    )
}

/// RFC 5769 §2.2, padded with a space.
fn ipv4_response() -> Vec<u8> {
    unhex(
        "0101003c 2112a442 b7e7a701bc34d686fa87dfae
         8022000b 7465737420766563746f72 20
         00200008 0001a147e112a643
         00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
         80280004 c07d4c96",
    )
}

/// RFC 5769 §2.3, padded with a space.
fn ipv6_response() -> Vec<u8> {
    unhex(
        "01010048 2112a442 b7e7a701bc34d686fa87dfae
         8022000b 7465737420766563746f72 20
         00200014 0002a147 0113a9faa5d3f179bc25f4b5bed2b9d9
         00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
         80280004 c8fb0b4c",
    )
}

/// RFC 5769 §2.4, padded with zeros.
fn long_term_request() -> Vec<u8> {
    unhex(
        "00010060 2112a442 78ad3433c6ad72c029da412e
         00060012 e3839ee38388e383aae38383e382afe382b9 0000
         0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341
         0014000b 6578616d706c652e6f7267 00
         00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666",
    )
}

const USER: &str = "マトリックス";
const REALM: &str = "example.org";
/// As it is after preparation.
const LONG_TERM_PASSWORD: &str = "TheMatrIX";

#[test]
fn sample_request_is_read_and_written() {
    let bytes = sample_request();
    let key = IntegrityKey::short_term(PASSWORD);
    let view = MessageView::parse(&bytes).unwrap();
    assert!(MessageView::is_stun(&bytes));
    assert_eq!(
        (view.class(), view.method(), view.transaction_id()),
        (Class::Request, Method::BINDING, SHORT_TERM_ID)
    );
    assert_eq!(view.username(), Some("evtj:h6vY"));
    assert_eq!(view.priority(), Some(0x6e00_01ff));
    assert_eq!(view.ice_controlled(), Some(0x932f_f9b1_5126_3b36));
    assert_eq!(view.ice_controlling(), None);
    assert!(!view.use_candidate());
    assert_eq!(view.verify_integrity(&key), Ok(()));
    assert_eq!(view.verify_fingerprint(), Ok(()));
    assert_eq!(
        view.verify_integrity(&IntegrityKey::short_term("VOkJxbRl1RmTxUk/WvJxBu")),
        Err(IntegrityError::Mismatch)
    );

    let mut written = [0xAA; 200];
    let len = MessageBuilder::new(&mut written, Class::Request, Method::BINDING, SHORT_TERM_ID)
        .pad_with(b' ')
        .attribute(Attribute::Software("STUN test client"))
        .attribute(Attribute::Priority(0x6e00_01ff))
        .attribute(Attribute::IceControlled(0x932f_f9b1_5126_3b36))
        .attribute(Attribute::Username("evtj:h6vY"))
        .integrity(&key)
        .fingerprint()
        .finish();
    assert_eq!(&written[..len.unwrap()], bytes);
}

#[test]
fn responses_are_read_and_written() {
    let key = IntegrityKey::short_term(PASSWORD);
    for (bytes, address) in [
        (ipv4_response(), "192.0.2.1:32853"),
        (
            ipv6_response(),
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
        ),
    ] {
        let address = address.parse().unwrap();
        let view = MessageView::parse(&bytes).unwrap();
        assert_eq!(view.class(), Class::Success);
        assert_eq!(view.xor_mapped_address(), Some(address));
        assert_eq!(view.verify_integrity(&key), Ok(()));
        assert_eq!(view.verify_fingerprint(), Ok(()));

        let mut written = [0; 200];
        let len = MessageBuilder::new(&mut written, Class::Success, Method::BINDING, SHORT_TERM_ID)
            .pad_with(b' ')
            .attribute(Attribute::Software("test vector"))
            .attribute(Attribute::XorMappedAddress(address))
            .integrity(&key)
            .fingerprint()
            .finish();
        assert_eq!(&written[..len.unwrap()], bytes);
    }
}

#[test]
fn long_term_request_is_read_and_written() {
    let bytes = long_term_request();
    let key = IntegrityKey::long_term(USER, REALM, LONG_TERM_PASSWORD, PasswordAlgorithm::Md5);
    let view = MessageView::parse(&bytes).unwrap();
    assert_eq!(view.username(), Some(USER));
    assert_eq!(view.realm(), Some(REALM));
    assert_eq!(view.nonce(), Some("f//499k954d6OL34oL9FSTvy64sA"));
    assert_eq!(view.verify_integrity(&key), Ok(()));
    assert_eq!(view.verify_fingerprint(), Err(IntegrityError::Missing));
    assert_eq!(
        view.verify_integrity_with(&key, IntegrityAlgorithm::Sha256),
        Err(IntegrityError::Missing)
    );

    let mut written = [0; 200];
    let len = MessageBuilder::new(&mut written, Class::Request, Method::BINDING, LONG_TERM_ID)
        .attribute(Attribute::Username(USER))
        .attribute(Attribute::Nonce("f//499k954d6OL34oL9FSTvy64sA"))
        .attribute(Attribute::Realm(REALM))
        .integrity(&key)
        .finish();
    assert_eq!(&written[..len.unwrap()], bytes);
}

/// RFC 8489 appendix B.1 as corrected by erratum 6268.
fn sha256_request() -> Vec<u8> {
    unhex(
        "00010090 2112a442 78ad3433c6ad72c029da412e
         001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
         00150029 6f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c394653547679363473
                  41 000000
         0014000b 6578616d706c652e6f7267 00
         001d0004 00020000
         001c0020 b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65",
    )
}

#[test]
fn sha256_request_is_read_and_written() {
    let nonce = "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA";
    let bytes = sha256_request();
    let key = IntegrityKey::long_term(USER, REALM, LONG_TERM_PASSWORD, PasswordAlgorithm::Sha256);
    let view = MessageView::parse(&bytes).unwrap();
    let hash = userhash(USER, REALM);
    assert_eq!(
        view.attribute(AttributeType::USERHASH),
        Some(Attribute::UserHash(&hash))
    );
    assert_eq!(
        view.attribute(AttributeType::PASSWORD_ALGORITHM),
        Some(Attribute::PasswordAlgorithm(
            PasswordAlgorithm::Sha256.into()
        ))
    );
    assert_eq!((view.realm(), view.nonce()), (Some(REALM), Some(nonce)));
    assert_eq!(view.verify_integrity(&key), Ok(()));
    assert_eq!(
        view.verify_integrity_with(&key, IntegrityAlgorithm::Sha1),
        Err(IntegrityError::Missing)
    );

    let mut written = [0; 200];
    let len = MessageBuilder::new(&mut written, Class::Request, Method::BINDING, LONG_TERM_ID)
        .attribute(Attribute::UserHash(&hash))
        .attribute(Attribute::Nonce(nonce))
        .attribute(Attribute::Realm(REALM))
        .attribute(Attribute::PasswordAlgorithm(
            PasswordAlgorithm::Sha256.into(),
        ))
        .integrity_sha256(&key)
        .finish();
    assert_eq!(&written[..len.unwrap()], bytes);
}
