//! Nobody is connected to before its certificate is known to be the announced one.

use super::*;

fn wrong() -> Vec<Fingerprint> {
    vec![Fingerprint::of(HashAlgorithm::Sha256, b"somebody else")]
}

/// No event but the failure, no data, no keys, no certificate.
fn assert_refused(connection: &mut Connection) {
    assert_eq!(
        events(connection),
        [Event::Failed(Error::FingerprintMismatch)]
    );
    assert_eq!(connection.state(), State::Failed);
    assert_eq!(data(connection), Vec::<Vec<u8>>::new());
    assert_eq!(connection.srtp_keying_material(), None);
    assert_eq!(connection.remote_certificate(), None);
    assert_eq!(connection.send(epoch(), b"x"), Err(SendError::NotConnected));
    assert_eq!(connection.poll_timeout(), None);
}

#[test]
fn a_client_refuses_a_server_and_does_not_complete_the_handshake() {
    for version in [V12, V13] {
        let [mut client, server] = configs(version);
        client.remote_fingerprints = wrong();
        let mut duo = Duo::new([client, server]);
        duo.settle();
        assert_refused(&mut duo.client);
        assert_eq!(events(&mut duo.server), []);
        assert_eq!(duo.server.state(), State::Connecting);
    }
}

#[test]
fn a_server_refuses_a_client() {
    for version in [V12, V13] {
        let [client, mut server] = configs(version);
        server.remote_fingerprints = wrong();
        let mut duo = Duo::new([client, server]);
        // The client of DTLS 1.3 is done first, and talks at once.
        while duo.client.state() != State::Connected && duo.server.state() != State::Failed {
            duo.pass(Role::Client);
            duo.pass(Role::Server);
        }
        let _ = duo.client.send(duo.now, b"early");
        duo.settle();
        assert_refused(&mut duo.server);
        let expected: &[Event] = match version {
            V12 => &[],
            _ => &[Event::Connected, Event::Closed],
        };
        assert_eq!(events(&mut duo.client), expected);
    }
}

#[test]
fn the_peer_of_dtls_1_2_gets_an_alert() {
    let [mut client, server] = configs(V12);
    client.remote_fingerprints = wrong();
    let mut duo = Duo::new([client, server]);
    duo.pass(Role::Client);
    duo.pass(Role::Server);
    let answer = sent(duo.now, &mut duo.client);
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0][..5], [21, 0xFE, 0xFD, 0, 0]);
    assert_eq!(answer[0][11..], [0, 2, 2, 42], "fatal, bad_certificate");
}

#[test]
fn any_fingerprint_of_the_strongest_hash_will_do() {
    for algorithm in [
        HashAlgorithm::Sha1,
        HashAlgorithm::Sha224,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
    ] {
        let [mut client, server] = configs(Versions::All);
        let right = server.certificate.fingerprint(algorithm);
        client.remote_fingerprints = vec![Fingerprint::of(algorithm, b"other"), right];
        let mut duo = Duo::new([client, server]);
        duo.settle();
        assert_eq!(events(&mut duo.client), [Event::Connected]);
    }
    let [mut client, server] = configs(Versions::All);
    let weak = server.certificate.fingerprint(HashAlgorithm::Sha1);
    client.remote_fingerprints = vec![weak, wrong().remove(0)];
    let mut duo = Duo::new([client, server]);
    duo.settle();
    assert_refused(&mut duo.client);
}

/// A duo in which one side has no fingerprint yet, after as much of a handshake as there can be.
fn waiting(version: Versions, role: Role) -> (Duo, Vec<Fingerprint>) {
    let mut configs = configs(version);
    let config = &mut configs[usize::from(role == Role::Server)];
    let fingerprints = std::mem::take(&mut config.remote_fingerprints);
    let mut duo = Duo::new(configs);
    duo.settle();
    let now = duo.now;
    assert_eq!(events(duo.side(other(role))), [Event::Connected]);
    for n in 0..20u8 {
        duo.side(other(role)).send(now, &[n; 1000]).unwrap();
    }
    let results: Vec<_> = sent(now, duo.side(other(role)))
        .iter()
        .map(|datagram| duo.give(role, datagram))
        .collect();
    assert_eq!(results[..16], [Ok(()); 16]);
    assert_eq!(results[16..], [Err(Rejected::QueueFull); 4]);
    let side = duo.side(role);
    assert_eq!(side.state(), State::Connecting);
    assert_eq!(events(side), []);
    assert_eq!(data(side), Vec::<Vec<u8>>::new());
    assert_eq!(side.srtp_keying_material(), None);
    assert_eq!(side.remote_certificate(), None);
    assert_eq!(side.send(now, b"x"), Err(SendError::NotConnected));
    (duo, fingerprints)
}

#[test]
fn a_fingerprint_may_come_late() {
    for version in [V12, V13] {
        for role in [Role::Client, Role::Server] {
            let (mut duo, fingerprints) = waiting(version, role);
            let now = duo.now;
            duo.side(role).set_remote_fingerprints(now, Vec::new());
            assert_eq!(events(duo.side(role)), []);
            duo.side(role).set_remote_fingerprints(now, fingerprints);
            assert_eq!(events(duo.side(role)), [Event::Connected]);
            let held: Vec<_> = (0..16u8).map(|n| vec![n; 1000]).collect();
            assert_eq!(data(duo.side(role)), held);
            assert!(duo.side(role).srtp_keying_material().is_some());
            duo.assert_alive();
        }
    }
}

#[test]
fn a_late_fingerprint_may_be_another() {
    for version in [V12, V13] {
        for role in [Role::Client, Role::Server] {
            let (mut duo, _) = waiting(version, role);
            let now = duo.now;
            duo.side(role).set_remote_fingerprints(now, wrong());
            assert_refused(duo.side(role));
            duo.settle();
            assert_eq!(events(duo.side(other(role))), [Event::Closed]);
        }
    }
}

#[test]
fn a_new_fingerprint_is_held_against_a_connected_peer() {
    let mut duo = Duo::connected(Versions::All);
    let same = duo.client.remote_certificate().unwrap().to_vec();
    let same = vec![Fingerprint::of(HashAlgorithm::Sha512, &same)];
    duo.client.set_remote_fingerprints(duo.now, same);
    duo.assert_alive();
    duo.client.set_remote_fingerprints(duo.now, wrong());
    assert_refused(&mut duo.client);
    duo.settle();
    assert_eq!(events(&mut duo.server), [Event::Closed]);
}
