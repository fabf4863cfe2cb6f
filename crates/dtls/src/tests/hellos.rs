//! A ClientHello in pieces, with a post-quantum key share, garbled, forged.

use pc_proto::Writer;

use super::*;
use crate::{
    hello::{Fragment, fragments, message_type},
    record,
};

/// A record with one piece of a handshake message.
fn piece(sequence: u64, message: &Fragment<'_>, from: usize, to: usize) -> Vec<u8> {
    let mut header = [0; 12];
    let mut writer = Writer::new(&mut header);
    writer.u8(message.message_type).unwrap();
    writer.u24(message.length as u32).unwrap();
    writer.u16(message.message_seq).unwrap();
    writer.u24(from as u32).unwrap();
    writer.u24((to - from) as u32).unwrap();
    record::plaintext(22, sequence, &[&header, &message.body[from..to]])
}

/// Offers DTLS 1.3 and 1.2 as a browser does that has a post-quantum key share: X25519MLKEM768 with
/// 1,216 bytes first, then X25519 if `x25519`, and which versions it speaks at the very end.
fn post_quantum_hello(x25519: bool) -> Vec<u8> {
    let extension = |id: u16, parts: &[&[u8]]| {
        let content = parts.concat();
        [
            &id.to_be_bytes()[..],
            &(content.len() as u16).to_be_bytes(),
            &content,
        ]
        .concat()
    };
    let mut shares = [&[0x11, 0xEC, 0x04, 0xC0][..], &[0x5A; 1216]].concat();
    if x25519 {
        // The base point: a valid public key.
        shares.extend([0, 29, 0, 32, 9]);
        shares.extend([0; 31]);
    }
    let extensions = [
        extension(0x000A, &[&[0, 8, 0x11, 0xEC, 0, 29, 0, 23, 0, 24]]),
        extension(0x000D, &[&[0, 4, 4, 3, 5, 3]]),
        extension(0x000E, &[&[0, 4, 0, 7, 0, 1, 0]]),
        extension(0x0017, &[]),
        extension(0xFF01, &[&[0]]),
        extension(0x0033, &[&(shares.len() as u16).to_be_bytes(), &shares]),
        extension(0x2A2A, &[&[0]]), // GREASE, RFC 8701
        extension(0x002B, &[&[4, 0xFE, 0xFC, 0xFE, 0xFD]]),
    ]
    .concat();
    let suites = [0x1A, 0x1A, 0x13, 0x01, 0x13, 0x02, 0xC0, 0x2B];
    [
        &[0xFE, 0xFD][..],
        &[0xC3; 32],
        &[0, 0],
        &[0, suites.len() as u8],
        &suites,
        &[1, 0],
        &(extensions.len() as u16).to_be_bytes(),
        &extensions,
    ]
    .concat()
}

fn client_hello(body: &[u8]) -> Fragment<'_> {
    Fragment {
        message_type: message_type::CLIENT_HELLO,
        length: body.len(),
        message_seq: 0,
        offset: 0,
        body,
    }
}

/// The random of the ServerHello that a server answers with, and whether it chooses DTLS 1.3.
fn server_hello(server: &mut Connection) -> ([u8; 32], bool) {
    let answer = sent(epoch(), server).concat();
    let first = record::Records::new(&answer).next().unwrap().unwrap();
    let hello = fragments(first.fragment).unwrap()[0];
    assert_eq!(hello.message_type, message_type::SERVER_HELLO);
    let random = hello.body[2..34].try_into().unwrap();
    let selects_13 = [0, 0x2B, 0, 2, 0xFE, 0xFC];
    (
        random,
        hello.body.windows(6).any(|bytes| bytes == selects_13),
    )
}

/// As Firefox and Chromium send it: the extension that offers DTLS 1.3 is in the second datagram,
/// and the first alone must not be taken for DTLS 1.2, whichever comes first.
#[test]
fn a_post_quantum_hello_in_two_datagrams_is_dtls_1_3_in_either_order() {
    let body = post_quantum_hello(true);
    assert!(body.len() > 1350);
    let hello = client_hello(&body);
    let (first, second) = (
        piece(0, &hello, 0, 1100),
        piece(1, &hello, 1100, body.len()),
    );
    for order in [[&first, &second], [&second, &first]] {
        let [_, config] = configs(Versions::All);
        let mut server = connection(config);
        assert_eq!(
            server.handle_input(epoch(), (), &mut order[0].clone()),
            Ok(())
        );
        assert!(sent(epoch(), &mut server).is_empty());
        assert_eq!(server.version(), None, "too early to tell");
        // The link repeats what came.
        assert_eq!(
            server.handle_input(epoch(), (), &mut order[0].clone()),
            Ok(())
        );
        assert_eq!(
            server.handle_input(epoch(), (), &mut order[1].clone()),
            Ok(())
        );
        assert_eq!(server.version(), Some(Version::Dtls13));
        assert!(server_hello(&mut server).1);
    }
}

/// What Chromium 156 and Firefox 153 sent to a peer on the same machine.
const CAPTURED: [[&[u8]; 2]; 2] = [
    [
        include_bytes!("../testdata/chromium-156-client-hello-1.bin"),
        include_bytes!("../testdata/chromium-156-client-hello-2.bin"),
    ],
    [
        include_bytes!("../testdata/firefox-153-client-hello-1.bin"),
        include_bytes!("../testdata/firefox-153-client-hello-2.bin"),
    ],
];

#[test]
fn the_hellos_of_browsers_are_understood_in_either_order() {
    for [first, second] in CAPTURED {
        for order in [[first, second], [second, first]] {
            let [_, config] = configs(Versions::All);
            let mut server = connection(config);
            for datagram in order {
                assert_eq!(server.version(), None);
                assert!(sent(epoch(), &mut server).is_empty());
                let verdict = server.handle_input(epoch(), (), &mut datagram.to_vec());
                assert_eq!(verdict, Ok(()));
            }
            assert_eq!(server.version(), Some(Version::Dtls13));
            let (random, is_13) = server_hello(&mut server);
            assert!(is_13);
            assert_ne!(
                random[..4],
                [0xCF, 0x21, 0xAD, 0x74],
                "no round trip is wasted"
            );
        }
    }
}

#[test]
fn a_hello_with_a_post_quantum_share_alone_is_asked_for_another() {
    let body = post_quantum_hello(false);
    let hello = client_hello(&body);
    let [_, config] = configs(Versions::All);
    let mut server = connection(config);
    let mut datagram = piece(0, &hello, 0, body.len());
    assert_eq!(server.handle_input(epoch(), (), &mut datagram), Ok(()));
    let (random, is_13) = server_hello(&mut server);
    // RFC 8446 §4.1.3: the random of a HelloRetryRequest.
    assert_eq!(random[..4], [0xCF, 0x21, 0xAD, 0x74]);
    assert!(is_13);
}

#[test]
fn a_hello_in_pieces_leads_to_a_connection() {
    for (client, version) in [(Versions::All, Version::Dtls13), (V12, Version::Dtls12)] {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let [mut a, b] = configs(Versions::All);
            a.versions = client;
            let mut duo = Duo::new([a, b]);
            let datagram = sent(duo.now, &mut duo.client).concat();
            let record = record::Records::new(&datagram).next().unwrap().unwrap();
            let hello = fragments(record.fragment).unwrap()[0];
            let (third, end) = (hello.length / 3, hello.length);
            let cuts = [(0, third + 9), (third, 2 * third), (2 * third, end)];
            for index in order {
                let (from, to) = cuts[index];
                let datagram = piece(index as u64, &hello, from, to);
                assert_eq!(duo.give(Role::Server, &datagram), Ok(()));
            }
            duo.settle();
            duo.assert_connected();
            assert_eq!(duo.server.version(), Some(version));
            duo.assert_alive();
        }
    }
}

/// A hello that no handshake can begin with is forgotten, and the genuine one is served.
#[test]
fn bad_hellos_leave_no_trace() {
    let good = post_quantum_hello(true);
    let mut bad: Vec<Vec<u8>> = vec![vec![], vec![0; 3], vec![0xFF; 300]];
    bad.extend((0..good.len()).step_by(97).map(|len| good[..len].to_vec()));
    bad.push(good.iter().map(|byte| byte.wrapping_add(1)).collect());
    let mut no_common_suite = good.clone();
    no_common_suite[38..46].copy_from_slice(&[0, 1, 0, 2, 0, 3, 0, 4]);
    bad.push(no_common_suite);
    for versions in [Versions::All, V12, V13] {
        let mut duo = Duo::new(configs(versions));
        for body in &bad {
            let datagram = piece(0, &client_hello(body), 0, body.len());
            let expected = Err(Rejected::UnacceptableClientHello);
            assert_eq!(duo.give(Role::Server, &datagram), expected);
            assert_eq!(duo.server.state(), State::New);
            assert_eq!(duo.server.version(), None.or(versions_alone(versions)));
            assert!(sent(duo.now, &mut duo.server).is_empty());
            assert_eq!(duo.server.poll_timeout(), None);
        }
        duo.settle();
        duo.assert_connected();
        duo.assert_alive();
    }
}

fn versions_alone(versions: Versions) -> Option<Version> {
    match versions {
        Versions::Only(version) => Some(version),
        Versions::All => None,
    }
}

/// Facts, attack 2: a forger races the genuine client with a hello of its own.
#[test]
fn a_second_hello_changes_nothing() {
    let forged = post_quantum_hello(true);
    let forged = piece(7, &client_hello(&forged), 0, forged.len());
    for version in [V12, V13] {
        let mut duo = Duo::new(configs(version));
        duo.pass(Role::Client);
        let different = Err(Rejected::DifferentClientHello);
        assert_eq!(duo.give(Role::Server, &forged), different);
        duo.pass(Role::Server);
        assert_eq!(duo.give(Role::Server, &forged), different);
        duo.settle();
        duo.assert_connected();
        assert_eq!(duo.give(Role::Server, &forged), after_handshake(version));
        duo.assert_alive();
    }
}

fn after_handshake(version: Versions) -> Result<(), Rejected> {
    Err(match version {
        V12 => Rejected::UnexpectedMessage,
        _ => Rejected::Plaintext,
    })
}

/// The same hello again is a retransmission: the server repeats its flight, but not without limit.
#[test]
fn a_repeated_hello_is_answered_now_and_then() {
    for version in [V12, V13] {
        let mut duo = Duo::new(configs(version));
        let hello = sent(duo.now, &mut duo.client).remove(0);
        assert_eq!(duo.give(Role::Server, &hello), Ok(()));
        let flight: usize = sent(duo.now, &mut duo.server).iter().map(Vec::len).sum();
        let mut again = 0;
        for _ in 0..100 {
            let _ = duo.give(Role::Server, &hello);
            again += sent(duo.now, &mut duo.server)
                .iter()
                .map(Vec::len)
                .sum::<usize>();
        }
        assert!(again > 0, "never answered");
        assert!(again < 30 * flight, "{again} bytes for 100 repetitions");
    }
}
