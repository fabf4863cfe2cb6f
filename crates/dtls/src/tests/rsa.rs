//! RSA keys on one side or both.

use pc_simnet::{Link, for_each_seed, secs};

use super::{
    lossy::{connected, exchange, pair_of},
    *,
};
use crate::{
    hello::{fragments, message_type as msg},
    record::Records,
};

/// Client and server, by whether each has an RSA key; the last with RSA on neither side.
fn combinations() -> [[&'static Certificate; 2]; 4] {
    let ([ecdsa_a, ecdsa_b], [rsa_a, rsa_b]) = (certificates(), rsa_certificates());
    [
        [ecdsa_a, rsa_b],
        [rsa_a, ecdsa_b],
        [rsa_a, rsa_b],
        [ecdsa_a, ecdsa_b],
    ]
}

fn has_rsa(certificate: &Certificate) -> bool {
    rsa_certificates().contains(certificate)
}

#[test]
fn every_combination_of_keys_connects_in_every_version() {
    let mixed = [[Versions::All, V12], [V12, Versions::All]];
    let same = [Versions::All, V12, V13].map(|versions| [versions, versions]);
    for [client, server] in combinations() {
        for [client_speaks, server_speaks] in mixed.into_iter().chain(same) {
            let [mut a, mut b] = configs_with(Versions::All, client, server);
            (a.versions, b.versions) = (client_speaks, server_speaks);
            let mut duo = Duo::new([a, b]);
            duo.settle();
            duo.assert_connected();
            assert_eq!(duo.client.remote_certificate(), Some(server.der()));
            assert_eq!(duo.server.remote_certificate(), Some(client.der()));
            let suite = match duo.client.version() {
                Some(Version::Dtls13) => "TLS_AES_128_GCM_SHA256",
                _ if has_rsa(server) => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                _ => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            };
            for side in [&duo.client, &duo.server] {
                assert_eq!(side.cipher_suite().unwrap().to_string(), suite);
            }
            let keys = duo.client.srtp_keying_material();
            assert!(keys.is_some());
            assert_eq!(keys, duo.server.srtp_keying_material());
            duo.assert_alive();
        }
    }
}

/// P-384, which has a part in how RSA is carried, and RSA of the greatest size.
#[test]
fn less_common_keys_connect_too() {
    let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let sizes = (&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_4096);
    let rsa4096 = rcgen::KeyPair::generate_rsa_for(sizes.0, sizes.1).unwrap();
    let [p384, rsa4096] = [p384, rsa4096].map(|key| {
        let params = rcgen::CertificateParams::default();
        let made = params.self_signed(&key).unwrap();
        Certificate::from_der(made.der(), key.serialized_der()).unwrap()
    });
    let rsa2048 = &rsa_certificates()[0];
    for [client, server] in [
        [&p384, rsa2048],
        [rsa2048, &p384],
        [&p384, &rsa4096],
        [&rsa4096, &p384],
        [&rsa4096, rsa2048],
    ] {
        for versions in [V12, V13] {
            let mut duo = Duo::new(configs_with(versions, client, server));
            duo.settle();
            duo.assert_connected();
            duo.assert_alive();
        }
    }
}

/// The least MTU cuts every Certificate with an RSA key, and the messages after it, into parts.
#[test]
fn a_small_mtu_holds_with_rsa_too() {
    for [client, server] in combinations() {
        for versions in [V12, V13, Versions::All] {
            let [mut a, mut b] = configs_with(versions, client, server);
            (a.mtu, b.mtu) = (MIN_MTU, MIN_MTU);
            let mut duo = Duo::new([a, b]);
            let mut longest = 0;
            loop {
                let datagrams = [Role::Client, Role::Server].map(|role| {
                    let now = duo.now;
                    sent(now, duo.side(role))
                });
                if datagrams.iter().all(Vec::is_empty) {
                    break;
                }
                for (to, datagrams) in [Role::Server, Role::Client].into_iter().zip(&datagrams) {
                    for datagram in datagrams {
                        longest = longest.max(datagram.len());
                        assert_eq!(duo.give(to, datagram), Ok(()));
                    }
                }
            }
            assert!(longest <= MIN_MTU, "{longest} bytes");
            duo.assert_connected();
            duo.assert_alive();
        }
    }
}

/// Every MTU of a range puts the ends of records at other places of the messages: inside of what is
/// translated too.
#[test]
fn no_end_of_a_record_is_in_the_way_of_a_translation() {
    for [client, server] in combinations().into_iter().take(3) {
        for mtu in (MIN_MTU..MIN_MTU + 330).step_by(5) {
            for versions in [V12, V13] {
                let [mut a, mut b] = configs_with(versions, client, server);
                (a.mtu, b.mtu) = (mtu, mtu + 1);
                let mut duo = Duo::new([a, b]);
                duo.settle();
                duo.assert_connected();
            }
        }
    }
}

#[test]
fn rsa_survives_loss_and_reordering() {
    for_each_seed(24, |seed| {
        let at = seed.0 as usize;
        let [client, server] = combinations()[at % 3];
        let versions = [Versions::All, V12][at / 3 % 2];
        let [mut client, mut server] = configs_with(versions, client, server);
        if at.is_multiple_of(4) {
            (client.mtu, server.mtu) = (MIN_MTU, MIN_MTU);
        }
        let link = Link::new()
            .delay(ms(20))
            .jitter(ms(10))
            .loss(0.2)
            .reorder(0.2, ms(50))
            .duplicate(0.1);
        let mut pair = pair_of(seed, client, server).with_link(link);
        pair.run(connected);
        exchange(&mut pair, 20);
    });
}

/// A signature that was altered on its way, in the clear messages of DTLS 1.2.
#[test]
fn an_altered_signature_is_refused() {
    for message in [msg::SERVER_KEY_EXCHANGE, msg::CERTIFICATE_VERIFY] {
        let [_, _, [client, server], _] = combinations();
        let mut duo = Duo::new(configs_with(V12, client, server));
        let mut altered = 0;
        for _ in 0..10 {
            for from in [Role::Client, Role::Server] {
                let now = duo.now;
                for mut datagram in sent(now, duo.side(from)) {
                    altered += usize::from(alter(&mut datagram, message));
                    let _ = duo.give(other(from), &datagram);
                }
            }
        }
        assert_eq!(altered, 1);
        let victim = match message {
            msg::CERTIFICATE_VERIFY => &mut duo.server,
            _ => &mut duo.client,
        };
        let [Event::Failed(Error::Handshake(reason))] = &events(victim)[..] else {
            panic!("not refused");
        };
        assert!(reason.contains("signature"), "{reason}");
    }
}

/// A certificate for a curve that is not supported, made on the way out of one for P-256.
#[test]
fn a_key_that_is_not_supported_is_named() {
    let p256 = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7];
    let mut duo = Duo::new(configs(V12));
    duo.pass(Role::Client);
    for mut datagram in sent(duo.now, &mut duo.server) {
        if let Some(at) = datagram.windows(8).position(|bytes| bytes == p256) {
            datagram[at + 7] = 1;
        }
        let _ = duo.give(Role::Client, &datagram);
    }
    let expected = Event::Failed(Error::UnsupportedPeerKey);
    assert_eq!(events(&mut duo.client), [expected]);
    duo.pass(Role::Client);
    duo.wait(secs(31));
    let alert = Some(Alert::UNSUPPORTED_CERTIFICATE);
    let expected = Event::Failed(Error::HandshakeTimeout { alert });
    assert_eq!(events(&mut duo.server), [expected]);
}

/// Flips a bit in the last byte of a message of this type.
fn alter(datagram: &mut [u8], message_type: u8) -> bool {
    let (mut at, mut last) = (0, None);
    for record in Records::new(datagram).flatten() {
        at += record.bytes.len();
        let matches = fragments(record.fragment)
            .is_ok_and(|parts| parts.iter().any(|part| part.message_type == message_type));
        if record.bytes[0] == 22 && record.bytes[4] == 0 && matches {
            last = Some(at - 1);
        }
    }
    if let Some(last) = last {
        datagram[last] ^= 1;
    }
    last.is_some()
}

/// Whoever shows the announced certificate without having its key gets nowhere, in either role and
/// with a key of either kind.
#[test]
fn an_impostor_with_the_announced_certificate_is_refused() {
    let ([ecdsa, own_ecdsa], [rsa, own_rsa]) = (certificates(), rsa_certificates());
    for versions in [V12, V13] {
        for shown in [ecdsa, rsa] {
            for own in [own_ecdsa, own_rsa] {
                let impostor = Certificate::of_impostor(shown, own);
                let honest = Certificate::generate(Duration::from_secs(1_790_000_000)).unwrap();
                for role in [Role::Client, Role::Server] {
                    let [client, server] = match role {
                        Role::Client => [&honest, &impostor],
                        Role::Server => [&impostor, &honest],
                    };
                    let mut duo = Duo::new(configs_with(versions, client, server));
                    duo.settle();
                    let context = format!("{versions:?} {role:?} {shown:?} {own:?}");
                    let victim = duo.side(role);
                    assert_ne!(victim.state(), State::Connected, "{context}");
                    assert!(victim.srtp_keying_material().is_none());
                    match &events(victim)[..] {
                        [Event::Failed(Error::Handshake(_))] => {}
                        other => panic!("{other:?}: {context}"),
                    }
                }
            }
        }
    }
}

#[test]
fn an_rsa_certificate_that_was_not_announced_is_refused() {
    let [rsa, other_rsa] = rsa_certificates();
    for versions in [V12, V13] {
        let [mut client, server] = configs_with(versions, &certificates()[0], rsa);
        client.remote_fingerprints = vec![other_rsa.fingerprint(HashAlgorithm::Sha256)];
        let mut duo = Duo::new([client, server]);
        duo.settle();
        let expected = Event::Failed(Error::FingerprintMismatch);
        assert_eq!(events(&mut duo.client), [expected]);
    }
}
