//! What pc-stun and `stun_codec` both accept, both read the same: class, method, transaction id,
//! the attributes with their values, and the verdicts on FINGERPRINT and MESSAGE-INTEGRITY.
//!
//! Exceptions, each checked for below:
//! - `stun_codec` also gives the attributes after an integrity attribute, which RFC 8489
//!   §14.5–14.6 has a receiver ignore: only those before it are compared.
//! - It computes check values over the message as it would write it, not over what came: the
//!   verdicts are compared where the two are the same bytes.
//! - It writes methods from 0x080 on with their upper bits shifted out of the type field.
#![no_main]

use bytecodec::{DecodeExt, EncodeExt};
use libfuzzer_sys::fuzz_target;
use pc_stun::{
    AddressFamily, Attribute, AttributeType, Class, IntegrityAlgorithm, IntegrityKey, MessageView,
};
use stun_codec::rfc5245::attributes::*;
use stun_codec::rfc5389::attributes::*;
use stun_codec::rfc5766::attributes::*;
use stun_codec::rfc8656::attributes::{
    AdditionalAddressFamily, AddressFamily as Family, RequestedAddressFamily,
};
use stun_codec::{
    Attribute as _, Message, MessageClass, MessageDecoder, MessageEncoder, define_attribute_enums,
};

define_attribute_enums!(
    Known,
    KnownDecoder,
    KnownEncoder,
    [
        MappedAddress,
        XorMappedAddress,
        AlternateServer,
        Username,
        MessageIntegrity,
        Fingerprint,
        ErrorCode,
        UnknownAttributes,
        Realm,
        Nonce,
        Software,
        Priority,
        UseCandidate,
        IceControlled,
        IceControlling,
        ChannelNumber,
        Lifetime,
        XorPeerAddress,
        Data,
        XorRelayAddress,
        EvenPort,
        RequestedTransport,
        DontFragment,
        ReservationToken,
        RequestedAddressFamily,
        AdditionalAddressFamily
    ]
);

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

fuzz_target!(|data: &[u8]| {
    let Ok(ours) = MessageView::parse(data) else {
        return;
    };
    let Ok(Ok(theirs)) = MessageDecoder::<Known>::new().decode_from_bytes(data) else {
        return;
    };
    compare_headers(&ours, &theirs);
    compare_attributes(&ours, &theirs);
    let Ok(rewritten) = MessageEncoder::new().encode_into_bytes(theirs.clone()) else {
        return;
    };
    if rewritten == data {
        compare_verdicts(&ours, &theirs);
    } else if ours.method().number() < 0x80 {
        let again = MessageView::parse(&rewritten).expect("what an oracle writes is a message");
        assert!(again.attributes().eq(ours.attributes()));
    }
});

fn compare_headers(ours: &MessageView<'_>, theirs: &Message<Known>) {
    let class = match theirs.class() {
        MessageClass::Request => Class::Request,
        MessageClass::Indication => Class::Indication,
        MessageClass::SuccessResponse => Class::Success,
        MessageClass::ErrorResponse => Class::Error,
    };
    assert_eq!(ours.class(), class);
    assert_eq!(ours.method().number(), theirs.method().as_u16());
    assert_eq!(ours.transaction_id().0, *theirs.transaction_id().as_bytes());
}

fn compare_attributes(ours: &MessageView<'_>, theirs: &Message<Known>) {
    let (mut known, mut unknown) = (theirs.attributes(), theirs.unknown_attributes());
    let mut whole = true;
    for attribute in ours.attributes() {
        let kind = attribute.kind();
        if is_known(kind) {
            let theirs = known.next().expect("they have it too");
            assert!(same(&attribute, theirs), "{attribute:?} {theirs:?}");
        } else {
            let theirs = unknown.next().expect("they have it too");
            assert_eq!(theirs.get_type().as_u16(), kind.0);
            if let Attribute::Unknown { value, .. } = attribute {
                assert_eq!(theirs.value(), value);
            }
        }
        if kind == AttributeType::MESSAGE_INTEGRITY
            || kind == AttributeType::MESSAGE_INTEGRITY_SHA256
        {
            whole = false;
            break;
        }
    }
    if whole {
        assert!(known.next().is_none() && unknown.next().is_none());
    }
}

fn compare_verdicts(ours: &MessageView<'_>, theirs: &Message<Known>) {
    if ours.attribute(AttributeType::FINGERPRINT).is_some() {
        // They refuse a message whose FINGERPRINT is wrong.
        assert_eq!(ours.verify_fingerprint(), Ok(()));
    }
    if ours.has_integrity(IntegrityAlgorithm::Sha1) {
        let integrity = theirs
            .get_attribute::<MessageIntegrity>()
            .expect("they have it too");
        let key = IntegrityKey::short_term(PASSWORD);
        assert_eq!(
            ours.verify_integrity_with(&key, IntegrityAlgorithm::Sha1)
                .is_ok(),
            integrity.check_short_term_credential(PASSWORD).is_ok()
        );
    }
}

/// Whether the oracle types it in [`Known`].
fn is_known(kind: AttributeType) -> bool {
    matches!(
        kind.0,
        MappedAddress::CODEPOINT
            | XorMappedAddress::CODEPOINT
            | AlternateServer::CODEPOINT
            | Username::CODEPOINT
            | MessageIntegrity::CODEPOINT
            | Fingerprint::CODEPOINT
            | ErrorCode::CODEPOINT
            | UnknownAttributes::CODEPOINT
            | Realm::CODEPOINT
            | Nonce::CODEPOINT
            | Software::CODEPOINT
            | Priority::CODEPOINT
            | UseCandidate::CODEPOINT
            | IceControlled::CODEPOINT
            | IceControlling::CODEPOINT
            | ChannelNumber::CODEPOINT
            | Lifetime::CODEPOINT
            | XorPeerAddress::CODEPOINT
            | Data::CODEPOINT
            | XorRelayAddress::CODEPOINT
            | EvenPort::CODEPOINT
            | RequestedTransport::CODEPOINT
            | DontFragment::CODEPOINT
            | ReservationToken::CODEPOINT
            | RequestedAddressFamily::CODEPOINT
            | AdditionalAddressFamily::CODEPOINT
    )
}

fn same(ours: &Attribute<'_>, theirs: &Known) -> bool {
    match (ours, theirs) {
        (Attribute::MappedAddress(a), Known::MappedAddress(b)) => *a == b.address(),
        (Attribute::XorMappedAddress(a), Known::XorMappedAddress(b)) => *a == b.address(),
        (Attribute::AlternateServer(a), Known::AlternateServer(b)) => *a == b.address(),
        (Attribute::Username(a), Known::Username(b)) => *a == b.name(),
        (Attribute::MessageIntegrity(a), Known::MessageIntegrity(b)) => **a == b.hmac_sha1(),
        (Attribute::Fingerprint(a), Known::Fingerprint(b)) => *a == (b.crc32()),
        (Attribute::ErrorCode(a), Known::ErrorCode(b)) => {
            a.code == b.code() && a.reason == b.reason_phrase()
        }
        (Attribute::UnknownAttributes(a), Known::UnknownAttributes(b)) => a
            .iter()
            .map(|kind| kind.0)
            .eq(b.unknowns().iter().map(|kind| kind.as_u16())),
        (Attribute::Realm(a), Known::Realm(b)) => *a == b.text(),
        (Attribute::Nonce(a), Known::Nonce(b)) => *a == b.value(),
        (Attribute::Software(a), Known::Software(b)) => *a == b.description(),
        (Attribute::Priority(a), Known::Priority(b)) => *a == b.prio(),
        (Attribute::UseCandidate, Known::UseCandidate(_)) => true,
        (Attribute::IceControlled(a), Known::IceControlled(b)) => *a == b.prio(),
        (Attribute::IceControlling(a), Known::IceControlling(b)) => *a == b.prio(),
        (Attribute::ChannelNumber(a), Known::ChannelNumber(b)) => *a == b.clone().value(),
        (Attribute::Lifetime(a), Known::Lifetime(b)) => u64::from(*a) == b.lifetime().as_secs(),
        (Attribute::XorPeerAddress(a), Known::XorPeerAddress(b)) => *a == b.address(),
        (Attribute::Data(a), Known::Data(b)) => *a == b.data(),
        (Attribute::XorRelayedAddress(a), Known::XorRelayAddress(b)) => *a == b.address(),
        (Attribute::EvenPort { reserve }, Known::EvenPort(b)) => *reserve == b.is_requested(),
        (Attribute::RequestedTransport(a), Known::RequestedTransport(b)) => *a == b.protocol(),
        (Attribute::DontFragment, Known::DontFragment(_)) => true,
        (Attribute::ReservationToken(a), Known::ReservationToken(b)) => {
            u64::from_be_bytes(**a) == b.token()
        }
        (Attribute::RequestedAddressFamily(a), Known::RequestedAddressFamily(b)) => {
            same_family(*a, b.address_family())
        }
        (Attribute::AdditionalAddressFamily(a), Known::AdditionalAddressFamily(b)) => {
            same_family(*a, b.address_family())
        }
        _ => false,
    }
}

fn same_family(ours: AddressFamily, theirs: Family) -> bool {
    match theirs {
        Family::V4 => ours == AddressFamily::V4,
        Family::V6 => ours == AddressFamily::V6,
    }
}
