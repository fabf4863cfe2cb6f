//! What a forger can put on the wire after the handshake, and during it.

use super::*;
use crate::record::plaintext;

/// A fixed header with any epoch.
fn fixed(content_type: u8, epoch: u16, sequence: u64, fragment: &[u8]) -> Vec<u8> {
    let mut bytes = plaintext(content_type, sequence, &[fragment]);
    bytes[3..5].copy_from_slice(&epoch.to_be_bytes());
    bytes
}

/// A whole handshake message with a body of zeros.
fn message(message_type: u8, sequence: u16, len: u8) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    let mut bytes = vec![message_type, 0, 0, len, high, low, 0, 0, 0, 0, 0, len];
    bytes.resize(12 + usize::from(len), 0);
    bytes
}

fn forgeries() -> Vec<Vec<u8>> {
    let mut all = vec![
        vec![],
        vec![0],
        vec![22],
        vec![0x2F],
        vec![0x3F; 50],
        vec![0xFF; 1500],
        vec![0; 65_000],
        plaintext(21, 99, &[&[2, 40]]), // fatal handshake_failure
        plaintext(21, 99, &[&[1, 0]]),  // close_notify
        plaintext(21, 99, &[&[]]),
        plaintext(20, 99, &[&[1]]), // ChangeCipherSpec
        plaintext(23, 99, &[b"plain data"]),
        plaintext(26, 99, &[&[0; 18]]),   // ACK
        plaintext(24, 99, &[&[1, 0, 9]]), // heartbeat
        plaintext(22, 99, &[&[]]),
        plaintext(22, 99, &[&[22; 11]]),
    ];
    for message_type in 0..=26 {
        for sequence in [0, 1, 5, 9, 100, 65_535] {
            all.push(plaintext(22, 99, &[&message(message_type, sequence, 40)]));
        }
    }
    for content_type in 20..=26 {
        for epoch in [1, 2, 3, 65_535] {
            for sequence in [0, 1, 2, 1000, (1 << 48) - 1] {
                for len in [0, 1, 16, 24, 25, 1000] {
                    all.push(fixed(content_type, epoch, sequence, &vec![0x5A; len]));
                }
            }
        }
    }
    for flags in 0x20..=0x3F {
        for len in [0, 3, 16, 17, 40, 1400] {
            all.push([&[flags][..], &vec![0xA5; len]].concat());
            let [high, low] = (len as u16).to_be_bytes();
            all.push([&[flags, 0, 1, high, low][..], &vec![0xA5; len]].concat());
        }
    }
    all
}

#[test]
fn no_forgery_touches_an_established_connection() {
    for version in [V12, V13] {
        let mut duo = Duo::connected(version);
        duo.assert_alive();
        for round in 0..3 {
            for forged in forgeries() {
                for role in [Role::Client, Role::Server] {
                    let verdict = duo.give(role, &forged);
                    assert!(
                        verdict.is_err(),
                        "{version:?} {role:?} {:02X?}",
                        &forged[..forged.len().min(30)]
                    );
                    let now = duo.now;
                    assert!(sent(now, duo.side(role)).is_empty());
                }
            }
            duo.assert_alive();
            duo.wait(Duration::from_secs(round));
        }
    }
}

/// Until the client of DTLS 1.2 has sent data, the server cannot know that its last flight arrived:
/// whatever looks like the client's own, repeated, may ask for it, but not without limit.
#[test]
fn a_server_repeats_its_last_flight_sparingly() {
    let mut duo = Duo::connected(V12);
    let forged = plaintext(22, 99, &[&message(16, 2, 40)]);
    let mut repeated = 0;
    for _ in 0..1000 {
        let _ = duo.give(Role::Server, &forged);
        repeated += sent(duo.now, &mut duo.server).len();
        duo.wait(Duration::from_millis(1));
    }
    assert!((1..10).contains(&repeated), "{repeated}");
    duo.assert_alive();
    assert_eq!(duo.give(Role::Server, &forged), Err(Rejected::Plaintext));
}

#[test]
fn rejections_are_named() {
    let name = |version, role, datagram: &[u8]| {
        let mut duo = Duo::connected(version);
        duo.give(role, datagram).unwrap_err()
    };
    let alert = plaintext(21, 9, &[&[2, 40]]);
    let server = Role::Server;
    assert_eq!(name(V13, server, &[]), Rejected::Empty);
    assert_eq!(name(V13, server, &[22, 0xFE]), Rejected::Truncated);
    assert_eq!(name(V13, server, &[0x80; 9]), Rejected::NotDtls);
    assert_eq!(
        name(V13, server, &alert),
        Rejected::UnauthenticatedAlert(Alert(40))
    );
    assert_eq!(
        name(V12, server, &alert),
        Rejected::UnauthenticatedAlert(Alert(40))
    );
    assert_eq!(
        name(V12, server, &plaintext(23, 9, &[b"data"])),
        Rejected::Plaintext
    );
    assert_eq!(
        name(V12, server, &plaintext(20, 9, &[&[1]])),
        Rejected::Plaintext
    );
    assert_eq!(
        name(V12, server, &fixed(23, 2, 9, &[0; 40])),
        Rejected::Epoch
    );
    assert_eq!(name(V12, server, &[0x2F; 40]), Rejected::Truncated);
    assert_eq!(name(V12, server, &[0x22; 40]), Rejected::Epoch);
    assert_eq!(name(V13, server, &[0x23; 40]), Rejected::Protected);
    assert_eq!(
        name(V13, server, &fixed(23, 1, 9, &[0; 40])),
        Rejected::Epoch
    );
    assert_eq!(
        name(V12, server, &fixed(23, 1, 9, &[0; 40])),
        Rejected::Protected
    );
    let hello_request = plaintext(22, 9, &[&message(0, 0, 0)]);
    assert_eq!(name(V12, Role::Client, &hello_request), Rejected::Plaintext);
    assert_eq!(name(V13, Role::Client, &hello_request), Rejected::Plaintext);
}

#[test]
fn a_replayed_record_is_rejected() {
    for version in [V12, V13] {
        let mut duo = Duo::connected(version);
        let mut old = Vec::new();
        for n in 0..100u8 {
            duo.client.send(duo.now, &[n]).unwrap();
            old.extend(sent(duo.now, &mut duo.client));
            assert_eq!(duo.give(Role::Server, old.last().unwrap()), Ok(()));
            for datagram in old.iter().rev().step_by(7) {
                assert_eq!(duo.give(Role::Server, datagram), Err(Rejected::Protected));
            }
        }
        let expected: Vec<_> = (0..100u8).map(|n| vec![n]).collect();
        assert_eq!(data(&mut duo.server), expected);
        duo.assert_alive();
    }
}

/// Every bit of a record counts: a record with one of them flipped is not delivered.
#[test]
fn an_altered_record_is_rejected() {
    for version in [V12, V13] {
        let mut duo = Duo::connected(version);
        duo.client.send(duo.now, b"genuine").unwrap();
        let datagram = sent(duo.now, &mut duo.client).remove(0);
        for bit in 0..8 * datagram.len() {
            let mut altered = datagram.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(duo.give(Role::Server, &altered).is_err(), "bit {bit}");
        }
        assert_eq!(data(&mut duo.server), Vec::<Vec<u8>>::new());
        assert_eq!(duo.give(Role::Server, &datagram), Ok(()));
        assert_eq!(data(&mut duo.server), [b"genuine"]);
        duo.assert_alive();
    }
}

/// Facts, attack 6: what is not authentic cannot end a handshake that is under way either.
#[test]
fn alerts_and_strays_in_the_clear_do_not_stop_a_handshake() {
    let strays = [
        plaintext(21, 99, &[&[2, 40]]),
        plaintext(21, 99, &[&[1, 0]]),
        plaintext(20, 99, &[&[1]]),
        plaintext(23, 99, &[b"data"]),
        plaintext(
            26,
            99,
            &[&[0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
        ),
        fixed(23, 1, 5, &[7; 60]),
        fixed(22, 1, 0, &[7; 60]),
        fixed(21, 1, 0, &[7; 60]),
        vec![0x2E; 60],
        [&[0x2E, 0, 0, 0, 40][..], &[9; 40]].concat(),
        [&[0x2F, 0, 0, 0, 40][..], &[9; 40]].concat(),
        vec![0xFF; 60],
        plaintext(22, 99, &[&message(0, 0, 0)]),
        plaintext(22, 99, &[&message(20, 2, 12)]),
    ];
    for versions in [V12, V13, Versions::All] {
        let mut duo = Duo::new(configs(versions));
        let mut steps = 0;
        loop {
            let mut passed = false;
            for from in [Role::Client, Role::Server] {
                let now = duo.now;
                for datagram in sent(now, duo.side(from)) {
                    for to in [Role::Client, Role::Server] {
                        for stray in &strays {
                            let _ = duo.give(to, stray);
                        }
                    }
                    passed = true;
                    steps += 1;
                    let _ = duo.give(other(from), &datagram);
                }
            }
            if !passed {
                break;
            }
        }
        assert!(steps >= 3);
        duo.assert_connected();
        duo.assert_alive();
    }
}

#[test]
fn an_alert_in_the_clear_is_remembered_as_a_hint() {
    let mut duo = Duo::new(configs(Versions::All));
    sent(duo.now, &mut duo.client);
    let verdict = duo.give(Role::Client, &plaintext(21, 0, &[&[2, 70]]));
    assert_eq!(verdict, Err(Rejected::UnauthenticatedAlert(Alert(70))));
    assert_eq!(duo.client.state(), State::Connecting);
    duo.wait(Duration::from_secs(30));
    let alert = Some(Alert(70));
    let error = Error::HandshakeTimeout { alert };
    assert_eq!(
        error.to_string(),
        "the handshake timed out, the peer said: protocol_version"
    );
    assert_eq!(events(&mut duo.client), [Event::Failed(error)]);
}

/// Facts, attack 4.
#[test]
fn bad_fragments_are_rejected_and_the_handshake_goes_on() {
    let fragment = |length: u32, offset: u32, len: u32, message_type: u8| {
        let mut bytes = vec![message_type];
        bytes.extend(&length.to_be_bytes()[1..]);
        bytes.extend([0, 0]);
        bytes.extend(&offset.to_be_bytes()[1..]);
        bytes.extend(&len.to_be_bytes()[1..]);
        bytes.resize(12 + len as usize, 0);
        plaintext(22, 1, &[&bytes])
    };
    for versions in [V12, V13, Versions::All] {
        let mut duo = Duo::new(configs(versions));
        let hello = sent(duo.now, &mut duo.client).remove(0);
        for message_type in [1, 11, 16] {
            for bad in [
                fragment(0xFF_FFFF, 0, 100, message_type),
                fragment(100, 0, 0, message_type),
                fragment(100, 90, 20, message_type),
                fragment(100, 0xFF_FFFF, 1, message_type),
            ] {
                assert_eq!(duo.give(Role::Server, &bad), Err(Rejected::Fragment));
            }
        }
        for offset in 0..10_000 {
            let _ = duo.give(Role::Server, &fragment(16_000, offset, 1, 1));
        }
        assert_eq!(
            duo.give(Role::Server, &vec![22; 5000]),
            Err(Rejected::Oversize)
        );
        assert_eq!(duo.give(Role::Server, &hello), Ok(()));
        duo.settle();
        duo.assert_connected();
        duo.assert_alive();
    }
}
