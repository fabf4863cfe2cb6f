//! Protecting and unprotecting RTP of 160 and 1,200 bytes, for 1 and for 100 sources, beside
//! `webrtc-srtp` and beside the cryptography alone. Only ratios within one run hold.
//!
//! The limit of GCM is AWS-LC's seal or open of the same bytes in place; that of counter mode is its
//! AES-CTR and RustCrypto's HMAC-SHA-1 from a cached key.

use std::{hint::black_box, time::Duration};

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey},
};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use pc_srtp::{Options, Profile, Receiver, Sender};
use sha1::Sha1;
use webrtc_srtp::{
    context::Context, option::srtp_no_replay_protection, protection_profile::ProtectionProfile,
};

const HEADER: usize = 12;
const SIZES: [usize; 2] = [160, 1200];
const PROFILES: [Profile; 2] = [Profile::AeadAes128Gcm, Profile::Aes128CmSha1_80];

fn name(profile: Profile) -> &'static str {
    match profile {
        Profile::AeadAes128Gcm => "gcm",
        _ => "sha1_80",
    }
}

fn keys(profile: Profile) -> (Vec<u8>, Vec<u8>) {
    (vec![1; profile.key_len()], vec![2; profile.salt_len()])
}

/// A packet of `len` bytes, with room behind.
fn packet(len: usize) -> Vec<u8> {
    let mut packet = vec![0x55; len + 20];
    packet[..HEADER].copy_from_slice(&[0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    packet
}

fn number(packet: &mut [u8], sequence: u32, sources: u32) {
    let (number, source) = (sequence / sources, sequence % sources);
    packet[2..4].copy_from_slice(&(number as u16).to_be_bytes());
    packet[8..12].copy_from_slice(&source.to_be_bytes());
}

fn ours(profile: Profile) -> (Sender, Receiver) {
    let (key, salt) = keys(profile);
    (
        Sender::new(profile, &key, &salt, Options::default()).unwrap(),
        Receiver::new(profile, &key, &salt, Options::default()).unwrap(),
    )
}

fn theirs(profile: Profile) -> Context {
    let (key, salt) = keys(profile);
    let profile = match profile {
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        _ => ProtectionProfile::Aes128CmHmacSha1_80,
    };
    Context::new(
        &key,
        &salt,
        profile,
        Some(srtp_no_replay_protection()),
        None,
    )
    .unwrap()
}

fn protect(c: &mut Criterion) {
    for profile in PROFILES {
        let mut group = c.benchmark_group(format!("protect/{}", name(profile)));
        group
            .measurement_time(Duration::from_secs(2))
            .warm_up_time(Duration::from_millis(500));
        for len in SIZES {
            let mut bytes = packet(len);
            group.bench_function(BenchmarkId::new("limit", len), |b| match profile {
                Profile::AeadAes128Gcm => {
                    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[1; 16]).unwrap());
                    b.iter(|| {
                        let nonce = Nonce::assume_unique_for_key([3; 12]);
                        let (header, body) = bytes.split_at_mut(HEADER);
                        let payload = &mut body[..len - HEADER];
                        black_box(
                            key.seal_in_place_separate_tag(nonce, Aad::from(header), payload)
                                .unwrap(),
                        )
                    });
                }
                _ => {
                    let key = UnboundCipherKey::new(&AES_128, &[1; 16]).unwrap();
                    let key = EncryptingKey::ctr(key).unwrap();
                    let mac = Hmac::<Sha1>::new_from_slice(&[4; 20]).unwrap();
                    b.iter(|| {
                        let iv = EncryptionContext::Iv128((&[3; 16]).into());
                        key.less_safe_encrypt(&mut bytes[HEADER..len], iv).unwrap();
                        let mut mac = mac.clone();
                        mac.update(&bytes[..len]);
                        mac.update(&[0; 4]);
                        black_box(mac.finalize().into_bytes())
                    });
                }
            });
            for sources in [1, 100] {
                let (mut sender, _) = ours(profile);
                let mut sequence = 0;
                let id = BenchmarkId::new(format!("pc-srtp, {sources} sources"), len);
                group.bench_function(id, |b| {
                    b.iter(|| {
                        sequence += 1;
                        number(&mut bytes, sequence, sources);
                        black_box(sender.protect_rtp(&mut bytes, len).unwrap())
                    });
                });
            }
            let mut oracle = theirs(profile);
            let mut sequence = 0;
            group.bench_function(BenchmarkId::new("webrtc-srtp", len), |b| {
                b.iter(|| {
                    sequence += 1;
                    number(&mut bytes, sequence, 1);
                    black_box(oracle.encrypt_rtp(&bytes[..len]).unwrap())
                });
            });
        }
    }
}

fn unprotect(c: &mut Criterion) {
    for profile in PROFILES {
        let mut group = c.benchmark_group(format!("unprotect/{}", name(profile)));
        group
            .measurement_time(Duration::from_secs(2))
            .warm_up_time(Duration::from_millis(500));
        for len in SIZES {
            for sources in [1, 100] {
                let (mut sender, mut receiver) = ours(profile);
                let mut sequence = 0;
                let id = BenchmarkId::new(format!("pc-srtp, {sources} sources"), len);
                group.bench_function(id, |b| {
                    b.iter_batched_ref(
                        || {
                            sequence += 1;
                            let mut bytes = packet(len);
                            number(&mut bytes, sequence, sources);
                            let len = sender.protect_rtp(&mut bytes, len).unwrap();
                            bytes.truncate(len);
                            bytes
                        },
                        |bytes| black_box(receiver.unprotect_rtp(bytes).unwrap().len()),
                        BatchSize::SmallInput,
                    );
                });
            }
            limit_of_unprotect(&mut group, profile, len);
            let (mut sender, _) = ours(profile);
            let mut oracle = theirs(profile);
            let mut sequence = 0;
            group.bench_function(BenchmarkId::new("webrtc-srtp", len), |b| {
                b.iter_batched_ref(
                    || {
                        sequence += 1;
                        let mut bytes = packet(len);
                        number(&mut bytes, sequence, 1);
                        let len = sender.protect_rtp(&mut bytes, len).unwrap();
                        bytes.truncate(len);
                        bytes
                    },
                    |bytes| black_box(oracle.decrypt_rtp(bytes).unwrap().len()),
                    BatchSize::SmallInput,
                );
            });
        }
    }
}

/// Opening what has been sealed, each in its own memory, as the packets are.
fn limit_of_unprotect(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    profile: Profile,
    len: usize,
) {
    let id = BenchmarkId::new("limit", len);
    match profile {
        Profile::AeadAes128Gcm => {
            let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[1; 16]).unwrap());
            let nonce = || Nonce::assume_unique_for_key([3; 12]);
            group.bench_function(id, |b| {
                b.iter_batched_ref(
                    || {
                        let mut bytes = packet(len);
                        bytes.truncate(len);
                        let (header, payload) = bytes.split_at_mut(HEADER);
                        let tag =
                            key.seal_in_place_separate_tag(nonce(), Aad::from(header), payload);
                        bytes.extend_from_slice(tag.unwrap().as_ref());
                        bytes
                    },
                    |bytes| {
                        let (header, body) = bytes.split_at_mut(HEADER);
                        black_box(
                            key.open_in_place(nonce(), Aad::from(header), body)
                                .unwrap()
                                .len(),
                        )
                    },
                    BatchSize::SmallInput,
                );
            });
        }
        _ => {
            let key = UnboundCipherKey::new(&AES_128, &[1; 16]).unwrap();
            let key = EncryptingKey::ctr(key).unwrap();
            let mac = Hmac::<Sha1>::new_from_slice(&[4; 20]).unwrap();
            group.bench_function(id, |b| {
                b.iter_batched_ref(
                    || packet(len),
                    |bytes| {
                        let mut mac = mac.clone();
                        mac.update(&bytes[..len]);
                        mac.update(&[0; 4]);
                        let tag = mac.finalize().into_bytes();
                        let iv = EncryptionContext::Iv128((&[3; 16]).into());
                        key.less_safe_encrypt(&mut bytes[HEADER..len], iv).unwrap();
                        black_box(tag)
                    },
                    BatchSize::SmallInput,
                );
            });
        }
    }
}

criterion_group!(benches, protect, unprotect);
criterion_main!(benches);
