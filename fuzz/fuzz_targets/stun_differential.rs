//! One message, made of attributes that RFC 8489, 8445 and 8656 define, written and read by pc-stun
//! and by `stun_codec`: both write the same bytes, each reads what the other has written, and both
//! agree on FINGERPRINT and MESSAGE-INTEGRITY. No change of what is written gets past our checks.
//!
//! The bytes choose the message, they are not the message: a reader may do with a malformed one what
//! it likes, and the two like different things. Methods stay below 0x10, as all that are defined do:
//! `stun_codec` puts the upper bits of others into the class's place (RFC 8489 §5).
#![no_main]

use bytecodec::{DecodeExt, EncodeExt};
use libfuzzer_sys::fuzz_target;
use pc_stun::{
    AddressFamily, Attribute, Class, IntegrityAlgorithm, IntegrityKey, MessageBuilder, MessageView,
    Method, TransactionId,
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

#[path = "stun_differential/attributes.rs"]
mod attributes;

use attributes::{Dice, Item};

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
    let mut dice = Dice::new(data);
    let (class, their_class) = dice.pick(&[
        (Class::Request, MessageClass::Request),
        (Class::Indication, MessageClass::Indication),
        (Class::Success, MessageClass::SuccessResponse),
        (Class::Error, MessageClass::ErrorResponse),
    ]);
    let method = u16::from(dice.byte() & 0xF);
    let id: [u8; 12] = std::array::from_fn(|_| dice.byte());
    let checks = dice.byte();
    let change = (dice.u16(), 1 << (dice.byte() % 8));
    let strange = dice.strange();
    let items: Vec<Item> = (0..dice.byte() % 12)
        .map(|_| Item::choose(&mut dice))
        .collect();

    let head = (
        class,
        Method::new(method).expect("12 bits"),
        TransactionId(id),
    );
    let ours = written_by_us(head, &items, checks, None);
    let theirs = written_by_them((their_class, method, id), &items, checks);
    assert_eq!(ours, theirs);
    read_by_us(&theirs, head, &items, checks);
    read_by_them(&ours, (their_class, method, id), &items, None);
    // What they cannot write, because they do not know it, they read.
    let ours = written_by_us(head, &items, checks, Some(&strange));
    read_by_them(&ours, (their_class, method, id), &items, Some(&strange));
    changed(&theirs, change, checks);
});

const INTEGRITY: u8 = 1;
const FINGERPRINT: u8 = 2;

type Head = (Class, Method, TransactionId);
type TheirHead = (MessageClass, u16, [u8; 12]);

fn written_by_us(
    (class, method, id): Head,
    items: &[Item],
    checks: u8,
    strange: Option<&(u16, Vec<u8>)>,
) -> Vec<u8> {
    let mut bytes = vec![0; 8192];
    let mut builder = MessageBuilder::new(&mut bytes, class, method, id);
    for item in items {
        builder.attribute(item.ours());
    }
    if let Some((kind, value)) = strange {
        let kind = pc_stun::AttributeType(*kind);
        builder.attribute(Attribute::Unknown { kind, value });
    }
    if checks & INTEGRITY != 0 {
        builder.integrity(&IntegrityKey::short_term(PASSWORD));
    }
    if checks & FINGERPRINT != 0 {
        builder.fingerprint();
    }
    let len = builder.finish().expect("it fits");
    bytes.truncate(len);
    bytes
}

fn written_by_them((class, method, id): TheirHead, items: &[Item], checks: u8) -> Vec<u8> {
    let method = stun_codec::Method::new(method).expect("12 bits");
    let mut message = Message::<Known>::new(class, method, stun_codec::TransactionId::new(id));
    for item in items {
        message.add_attribute(item.theirs.clone());
    }
    if checks & INTEGRITY != 0 {
        let integrity = MessageIntegrity::new_short_term_credential(&message, PASSWORD);
        message.add_attribute(integrity.expect("it is valid"));
    }
    if checks & FINGERPRINT != 0 {
        let fingerprint = Fingerprint::new(&message).expect("it is valid");
        message.add_attribute(fingerprint);
    }
    let bytes = MessageEncoder::new().encode_into_bytes(message);
    bytes.expect("it is valid")
}

fn read_by_us(bytes: &[u8], (class, method, id): Head, items: &[Item], checks: u8) {
    let view = MessageView::parse(bytes).expect("what an oracle writes is a message");
    assert_eq!((view.class(), view.method()), (class, method));
    assert_eq!(view.transaction_id(), id);
    let mut attributes = view.attributes();
    for item in items {
        assert_eq!(attributes.next(), Some(item.ours()));
    }
    let count = (checks & INTEGRITY) + (checks & FINGERPRINT) / FINGERPRINT;
    assert_eq!(attributes.count(), usize::from(count));
    for (password, right) in [(PASSWORD, true), ("VOkJxbRl1RmTxUk/WvJxBs", false)] {
        let verified = view.verify_integrity(&IntegrityKey::short_term(password));
        assert_eq!(verified.is_ok(), right && checks & INTEGRITY != 0);
    }
    assert_eq!(view.verify_fingerprint().is_ok(), checks & FINGERPRINT != 0);
}

fn read_by_them(
    bytes: &[u8],
    (class, method, id): TheirHead,
    items: &[Item],
    strange: Option<&(u16, Vec<u8>)>,
) {
    let message = MessageDecoder::<Known>::new().decode_from_bytes(bytes);
    let message = message.expect("it is whole").expect("it is valid");
    assert_eq!(
        (message.class(), message.method().as_u16()),
        (class, method)
    );
    assert_eq!(*message.transaction_id().as_bytes(), id);
    let mut attributes = message.attributes();
    for item in items {
        let theirs = attributes.next().expect("we have written it");
        assert!(same(&item.ours(), theirs), "{theirs:?}");
    }
    let unknown = message.unknown_attributes();
    let unknown = unknown.map(|it| (it.get_type().as_u16(), it.value().to_vec()));
    assert!(unknown.eq(strange.cloned()));
    if let Some(integrity) = message.get_attribute::<MessageIntegrity>() {
        let checked = integrity.check_short_term_credential(PASSWORD);
        assert!(checked.is_ok());
    }
}

/// Whatever bit is changed, a check value or the parser sees it.
fn changed(bytes: &[u8], (at, bit): (u16, u8), checks: u8) {
    let mut bytes = bytes.to_vec();
    let at = usize::from(at) % bytes.len();
    bytes[at] ^= bit;
    let Ok(view) = MessageView::parse(&bytes) else {
        return;
    };
    let key = IntegrityKey::short_term(PASSWORD);
    // RFC 8489 §14.5: the FINGERPRINT behind it is not covered.
    let is_covered = checks & FINGERPRINT == 0 || at < bytes.len() - 8;
    let verified = view.verify_integrity_with(&key, IntegrityAlgorithm::Sha1);
    assert!(verified.is_err() || !is_covered);
    assert!(view.verify_fingerprint().is_err());
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
            *a == attributes::family(b.address_family())
        }
        (Attribute::AdditionalAddressFamily(a), Known::AdditionalAddressFamily(b)) => {
            *a == attributes::family(b.address_family())
        }
        _ => false,
    }
}
