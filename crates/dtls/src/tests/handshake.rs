//! Versions, what is negotiated, and an unmodified `dimpl` as the peer.

use std::sync::Arc;

use super::*;

#[test]
fn every_combination_of_versions_meets_at_the_newest_common_one() {
    use Version::{Dtls12, Dtls13};
    let all = Versions::All;
    for (client, server, expected) in [
        (all, all, Dtls13),
        (all, V12, Dtls12),
        (all, V13, Dtls13),
        (V12, all, Dtls12),
        (V13, all, Dtls13),
        (V12, V12, Dtls12),
        (V13, V13, Dtls13),
    ] {
        let [mut a, mut b] = configs(all);
        (a.versions, b.versions) = (client, server);
        let mut duo = Duo::new([a, b]);
        duo.settle();
        for side in [&mut duo.client, &mut duo.server] {
            assert_eq!(events(side), [Event::Connected], "{client:?} {server:?}");
            assert_eq!(side.version(), Some(expected));
            assert_eq!(
                side.poll_timeout(),
                None,
                "nothing is pending once connected"
            );
        }
        duo.assert_alive();
    }
}

#[test]
fn both_sides_agree_on_what_was_negotiated() {
    for (version, id, name) in [
        (V12, 0xFEFD, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        (V13, 0xFEFC, "TLS_AES_128_GCM_SHA256"),
    ] {
        let duo = Duo::connected(version);
        let [client, server] = certificates();
        assert_eq!(duo.client.remote_certificate(), Some(server.der()));
        assert_eq!(duo.server.remote_certificate(), Some(client.der()));
        for side in [&duo.client, &duo.server] {
            assert_eq!(side.version().unwrap().id(), id);
            assert_eq!(side.cipher_suite().unwrap().to_string(), name);
        }
        let keys = duo.client.srtp_keying_material().unwrap();
        assert_eq!(Some(keys), duo.server.srtp_keying_material());
        assert_eq!(keys.profile(), SrtpProfile::AeadAes256Gcm);
        assert_ne!(keys.client_key(), keys.server_key());
        assert_ne!(keys.client_salt(), keys.server_salt());
    }
}

#[test]
fn a_record_adds_no_more_than_it_says() {
    for (version, from, overhead) in [
        (V12, Role::Client, 37),
        (V12, Role::Server, 37),
        (V13, Role::Client, 22),
        (V13, Role::Server, 24),
    ] {
        assert!(overhead <= Connection::RECORD_OVERHEAD);
        let mut duo = Duo::connected(version);
        for len in [0, 1, 1000, 1 << 14] {
            let (now, plaintext) = (duo.now, vec![7; len]);
            duo.side(from).send(now, &plaintext).unwrap();
            let datagrams = sent(now, duo.side(from));
            assert_eq!(datagrams[0].len(), len + overhead);
            assert_eq!(duo.give(other(from), &datagrams[0]), Ok(()));
            assert_eq!(data(duo.side(other(from))), [plaintext]);
        }
    }
}

/// RFC 9325 §7.2.1: in DTLS 1.2 the nonce of AES-GCM must never repeat under a key, so it counts.
#[test]
fn the_nonces_of_dtls_1_2_count() {
    let mut duo = Duo::connected(V12);
    for side in [Role::Client, Role::Server] {
        for _ in 0..5 {
            let now = duo.now;
            duo.side(side).send(now, b"data").unwrap();
            let datagram = &sent(now, duo.side(side))[0];
            assert_eq!(
                datagram[13..21],
                datagram[3..11],
                "nonce = epoch and sequence number"
            );
        }
    }
}

/// A peer that shares none of this crate's changes to the cryptography.
struct Plain {
    dtls: dimpl::Dtls,
    data: Vec<Vec<u8>>,
    connected: bool,
}

impl Plain {
    fn new(config: dimpl::ConfigBuilder, version: Versions, client: bool) -> Self {
        let [a, b] = certificates();
        let own = if client { a } else { b };
        let certificate = dimpl::DtlsCertificate {
            certificate: own.der().to_vec(),
            private_key: own.private_key_der().to_vec(),
        };
        let config = Arc::new(config.build().unwrap());
        let mut dtls = match version {
            V12 => dimpl::Dtls::new_12(config, certificate, epoch()),
            V13 => dimpl::Dtls::new_13(config, certificate, epoch()),
            _ => dimpl::Dtls::new_auto(config, certificate, epoch()),
        };
        dtls.set_active(client);
        dtls.handle_timeout(epoch()).unwrap();
        Self {
            dtls,
            data: Vec::new(),
            connected: false,
        }
    }

    fn sent(&mut self) -> Vec<Vec<u8>> {
        let (mut buf, mut all) = (vec![0; 20_000], Vec::new());
        loop {
            match self.dtls.poll_output(&mut buf) {
                dimpl::Output::Packet(bytes) => all.push(bytes.to_vec()),
                dimpl::Output::ApplicationData(bytes) => self.data.push(bytes.to_vec()),
                dimpl::Output::Connected => self.connected = true,
                dimpl::Output::Timeout(_) => return all,
                _ => {}
            }
        }
    }

    /// Exchanges datagrams with `ours` until there are none.
    fn settle(&mut self, ours: &mut Connection) {
        loop {
            let (from_us, from_them) = (sent(epoch(), ours), self.sent());
            if from_us.is_empty() && from_them.is_empty() {
                return;
            }
            for datagram in from_us {
                self.dtls.handle_packet(&datagram).unwrap();
            }
            for mut datagram in from_them {
                let _ = ours.handle_input(epoch(), (), &mut datagram);
            }
        }
    }

    fn assert_talks_to(mut self, mut ours: Connection) {
        self.settle(&mut ours);
        assert!(self.connected);
        assert_eq!(events(&mut ours), [Event::Connected]);
        ours.send(epoch(), b"to them").unwrap();
        self.dtls.send_application_data(b"to us").unwrap();
        self.settle(&mut ours);
        assert_eq!(self.data, [b"to them"]);
        assert_eq!(data(&mut ours), [b"to us"]);
    }
}

#[test]
fn an_unmodified_peer_understands_us() {
    for version in [V12, V13] {
        let [client, server] = configs(Versions::All);
        let builder = dimpl::Config::builder;
        Plain::new(builder(), version, false).assert_talks_to(connection(client));
        Plain::new(builder(), version, true).assert_talks_to(connection(server));
    }
}

/// A server that wants another group answers with a HelloRetryRequest, RFC 8446 §4.1.4; an old one
/// may ask for a cookie, RFC 6347 §4.2.1, and the default of `dimpl` does both.
#[test]
fn a_client_follows_a_retry_request() {
    for version in [V12, V13] {
        for groups in [dimpl::NamedGroup::Secp256r1, dimpl::NamedGroup::Secp384r1] {
            let [client, _] = configs(Versions::All);
            let builder = dimpl::Config::builder().kx_groups(&[groups]);
            Plain::new(builder, version, false).assert_talks_to(connection(client));
        }
    }
}

#[test]
fn a_small_mtu_holds_for_every_datagram_of_the_handshake() {
    for version in [V12, V13, Versions::All] {
        let [mut client, mut server] = configs(version);
        (client.mtu, server.mtu) = (MIN_MTU, MIN_MTU);
        let mut duo = Duo::new([client, server]);
        loop {
            let datagrams = [
                sent(duo.now, &mut duo.client),
                sent(duo.now, &mut duo.server),
            ];
            if datagrams.iter().all(Vec::is_empty) {
                break;
            }
            for (to, datagrams) in [Role::Server, Role::Client].into_iter().zip(&datagrams) {
                for datagram in datagrams {
                    assert!(datagram.len() <= MIN_MTU);
                    assert_eq!(duo.give(to, datagram), Ok(()));
                }
            }
        }
        assert_eq!(events(&mut duo.client), [Event::Connected]);
        assert_eq!(events(&mut duo.server), [Event::Connected]);
    }
    let [mut client, _] = configs(V12);
    client.mtu = MIN_MTU - 1;
    let error = Connection::new(epoch(), client).unwrap_err();
    assert_eq!(error, Error::MtuTooSmall { mtu: 527 });
}
