//! An ICE check of the kind a browser sends: reading and verifying one, and building one, beside
//! `stun_codec` and beside the cryptography alone.
//!
//! The limit is RustCrypto's HMAC-SHA1 from a cached key over the bytes that MESSAGE-INTEGRITY
//! covers, and the CRC-32 over those that FINGERPRINT covers. Only ratios within one run hold.

use std::hint::black_box;

use bytecodec::{DecodeExt, EncodeExt};
use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use pc_stun::{Attribute, Class, IntegrityKey, MessageBuilder, MessageView, Method, TransactionId};
use sha1::Sha1;
use stun_codec::rfc5245::attributes::{IceControlling, Priority, UseCandidate};
use stun_codec::rfc5389::attributes::{Fingerprint, MessageIntegrity, Username};
use stun_codec::rfc5389::methods::BINDING;
use stun_codec::{Message, MessageClass, MessageDecoder, MessageEncoder, define_attribute_enums};

const USERNAME: &str = "evtj:h6vY";
const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBtab";
const ID: [u8; 12] = [7; 12];
const TIE_BREAKER: u64 = 0x932F_F9B1_5126_3B36;
const PRIORITY: u32 = 0x6E00_01FF;

define_attribute_enums!(
    Known,
    KnownDecoder,
    KnownEncoder,
    [
        Username,
        IceControlling,
        UseCandidate,
        Priority,
        MessageIntegrity,
        Fingerprint
    ]
);

/// A check of 92 bytes, or of 100 with the network's cost, which `stun_codec` cannot build.
fn build(bytes: &mut [u8], key: &IntegrityKey, with_cost: bool) -> usize {
    let mut builder =
        MessageBuilder::new(bytes, Class::Request, Method::BINDING, TransactionId(ID));
    builder.attribute(Attribute::Username(USERNAME));
    if with_cost {
        builder.attribute(Attribute::GoogNetworkInfo { id: 1, cost: 10 });
    }
    builder
        .attribute(Attribute::IceControlling(TIE_BREAKER))
        .attribute(Attribute::UseCandidate)
        .attribute(Attribute::Priority(PRIORITY))
        .integrity(key)
        .fingerprint()
        .finish()
        .unwrap()
}

fn oracle_build() -> Vec<u8> {
    let id = stun_codec::TransactionId::new(ID);
    let mut message = Message::<Known>::new(MessageClass::Request, BINDING, id);
    message.add_attribute(Username::new(USERNAME.to_owned()).unwrap());
    message.add_attribute(IceControlling::new(TIE_BREAKER));
    message.add_attribute(UseCandidate::new());
    message.add_attribute(Priority::new(PRIORITY));
    let integrity = MessageIntegrity::new_short_term_credential(&message, PASSWORD).unwrap();
    message.add_attribute(integrity);
    let fingerprint = Fingerprint::new(&message).unwrap();
    message.add_attribute(fingerprint);
    MessageEncoder::new().encode_into_bytes(message).unwrap()
}

/// Decoding checks FINGERPRINT already.
fn oracle_verify(bytes: &[u8]) -> u32 {
    let message = MessageDecoder::<Known>::new()
        .decode_from_bytes(bytes)
        .unwrap()
        .unwrap();
    let integrity = message.get_attribute::<MessageIntegrity>().unwrap();
    integrity.check_short_term_credential(PASSWORD).unwrap();
    message.get_attribute::<Priority>().unwrap().prio()
}

fn verify(bytes: &[u8], key: &IntegrityKey) -> u32 {
    let message = MessageView::parse(bytes).unwrap();
    message.verify_fingerprint().unwrap();
    message.verify_integrity(key).unwrap();
    message.priority().unwrap()
}

/// The cryptography of a message alone.
fn limit(bytes: &[u8], mac: &Hmac<Sha1>) -> (u8, u32) {
    let (covered, fingerprinted) = (bytes.len() - 32, bytes.len() - 8);
    let mut mac = mac.clone();
    mac.update(&bytes[..covered]);
    let code = mac.finalize().into_bytes();
    (code[0], crc32fast::hash(&bytes[..fingerprinted]))
}

fn stun(criterion: &mut Criterion) {
    let key = IntegrityKey::short_term(PASSWORD);
    let mac = Hmac::<Sha1>::new_from_slice(PASSWORD.as_bytes()).unwrap();
    let mut buffer = [0; 128];
    let len = build(&mut buffer, &key, true);
    let check = buffer[..len].to_vec();
    assert_eq!(verify(&check, &key), oracle_verify(&check));

    let mut group = criterion.benchmark_group("stun/verify");
    group.bench_function("limit", |b| b.iter(|| limit(black_box(&check), &mac)));
    group.bench_function("pc-stun", |b| b.iter(|| verify(black_box(&check), &key)));
    group.bench_function("parse-only", |b| {
        b.iter(|| MessageView::parse(black_box(&check)).is_ok())
    });
    group.bench_function("stun_codec", |b| {
        b.iter(|| oracle_verify(black_box(&check)))
    });
    group.finish();

    let len = build(&mut buffer, &key, false);
    let built = buffer[..len].to_vec();
    assert_eq!(built, oracle_build());

    let mut group = criterion.benchmark_group("stun/build");
    group.bench_function("limit", |b| b.iter(|| limit(black_box(&built), &mac)));
    group.bench_function("pc-stun", |b| {
        b.iter(|| build(black_box(&mut buffer), &key, false))
    });
    group.bench_function("stun_codec", |b| b.iter(oracle_build));
    group.finish();
}

criterion_group!(benches, stun);
criterion_main!(benches);
