//! Each translation by itself, cut at every byte; `crate::tests::rsa` has whole handshakes.

use dimpl::crypto::{Aad, Buf, Nonce, SupportedDtls13CipherSuite as _, TmpBuf};
use proptest::prelude::*;

use super::{
    hellos::{CERTIFICATE_REQUEST_12, CERTIFICATE_REQUEST_13},
    *,
};
use crate::{
    Certificate, Role,
    hello::{Fragment, HEADER_LEN, fragments, message_type as msg},
    record::Records,
    tests::{certificates, configs, connection, rsa_certificates, sent},
};

const ALL: [Dialect; 4] = [
    Dialect::of(true, false),
    Dialect::of(true, true),
    Dialect::of(false, false),
    Dialect::of(false, true),
];

fn part(message_type: u8, body: &[u8], from: usize, to: usize) -> Fragment<'_> {
    Fragment {
        message_type,
        length: body.len(),
        message_seq: 3,
        offset: from,
        body: &body[from..to],
    }
}

/// The body of a DTLS 1.3 Certificate.
fn certificate_message(certificate: &Certificate) -> Vec<u8> {
    let u24 = |len: usize| (len as u32).to_be_bytes()[1..].to_vec();
    let der = certificate.der();
    [&[0][..], &u24(der.len() + 5), &u24(der.len()), der, &[0, 0]].concat()
}

/// What `dimpl` would read of records with these handshake messages.
struct Received {
    cipher: Box<dyn dimpl::crypto::Cipher>,
}

impl Received {
    fn new() -> Self {
        let suite = protected::Suite {
            dialect: ALL[0],
            suite: dimpl::crypto::Dtls13CipherSuite::AES_128_GCM_SHA256,
        };
        let cipher = suite.create_cipher(&[7; 16]).unwrap();
        Self { cipher }
    }

    fn record(&mut self, content: &[u8]) -> Option<Vec<u8>> {
        let (mut sealed, nonce) = (Buf::new(), Nonce([9; 12]));
        sealed.extend_from_slice(content);
        sealed.push(22);
        let aad = Aad(Default::default());
        // What a peer sealed is not translated on its way out.
        let plain = dimpl::crypto::aws_lc_rs::default_provider().dtls13_cipher_suites[0];
        let mut peer = plain.create_cipher(&[7; 16]).unwrap();
        peer.encrypt(&mut sealed, aad.clone(), nonce).unwrap();
        let mut sealed = sealed.into_vec();
        let mut opened = TmpBuf::new(&mut sealed);
        self.cipher.decrypt(&mut opened, aad, nonce).ok()?;
        Some(opened.as_ref()[..content.len()].to_vec())
    }

    fn body(&mut self, fragment: &Fragment<'_>) -> Option<Vec<u8>> {
        Some(self.record(&fragment.to_vec())?[HEADER_LEN..].to_vec())
    }
}

#[test]
fn an_rsa_certificate_is_marked_wherever_it_is_cut() {
    let wire = certificate_message(&rsa_certificates()[0]);
    let whole = part(msg::CERTIFICATE, &wire, 0, wire.len());
    let marked = Received::new().body(&whole).unwrap();
    assert_ne!(marked, wire);
    let differ = marked.iter().zip(&wire).filter(|(a, b)| a != b).count();
    assert!(differ <= MARKED.len(), "{differ} bytes");
    let mut back = marked[7..].to_vec();
    unmark(&mut back);
    assert_eq!(back, wire[7..]);

    for cut in 1..wire.len() {
        let mut received = Received::new();
        let first = part(msg::CERTIFICATE, &wire, 0, cut);
        let second = part(msg::CERTIFICATE, &wire, cut, wire.len());
        assert_eq!(received.body(&second), None, "as good as lost");
        let parts = [received.body(&first), received.body(&second)];
        let parts = parts.map(Option::unwrap);
        assert_eq!(parts.concat(), marked, "cut at {cut}");
        // Sent again, and cut otherwise.
        assert_eq!(received.body(&whole).unwrap(), marked);
    }
    let mut received = Received::new();
    let single = |at| part(msg::CERTIFICATE, &wire, at, at + 1);
    let bytes: Vec<u8> = (0..wire.len())
        .flat_map(|at| received.body(&single(at)).unwrap())
        .collect();
    assert_eq!(bytes, marked);
}

#[test]
fn other_certificates_stay_as_they_are() {
    let wire = certificate_message(&certificates()[0]);
    for cut in 1..wire.len() {
        let mut received = Received::new();
        for (from, to) in [(0, cut), (cut, wire.len())] {
            let fragment = part(msg::CERTIFICATE, &wire, from, to);
            assert_eq!(received.body(&fragment).unwrap(), fragment.body);
        }
    }
}

#[test]
fn a_scheme_is_carried_wherever_it_is_cut() {
    for (wire, carried) in [
        ([8, 4], [5, 3]),
        ([4, 3], [4, 3]),
        ([5, 3], [5, 3]),
        ([8, 7], [8, 7]),
    ] {
        let body = [&wire[..], &[1, 0], &[8; 256]].concat();
        let expected = [&carried[..], &body[2..]].concat();
        // A scheme cut in two that begins like RSA is taken for RSA; any other fails anyway.
        let cuts = if wire == [8, 7] { 2..9 } else { 1..9 };
        for cut in cuts {
            let mut received = Received::new();
            let parts = [(cut, body.len()), (0, cut)].map(|(from, to)| {
                let fragment = part(msg::CERTIFICATE_VERIFY, &body, from, to);
                received.body(&fragment).unwrap()
            });
            assert_eq!([&parts[1][..], &parts[0]].concat(), expected);
        }
    }
}

#[test]
fn a_certificate_request_grows_wherever_it_is_cut() {
    let carried_12 = [1, 64, 0, 4, 4, 3, 5, 3, 0, 0];
    let carried_13 = [0, 0, 10, 0, 13, 0, 6, 0, 4, 4, 3, 5, 3];
    for (carried, wire) in [
        (&carried_12[..], CERTIFICATE_REQUEST_12),
        (&carried_13, CERTIFICATE_REQUEST_13),
    ] {
        for cut in 0..carried.len() {
            let mut whole = Vec::new();
            for (from, to) in [(0, cut), (cut, carried.len())] {
                let fragment = part(msg::CERTIFICATE_REQUEST, carried, from, to);
                let translated = protected::replaced(&fragment, &wire);
                let header = &translated[..HEADER_LEN];
                assert_eq!(header[3], 15, "the length");
                assert_eq!(usize::from(header[8]), whole.len(), "the offset");
                whole.extend_from_slice(&translated[HEADER_LEN..]);
            }
            assert_eq!(whole, wire);
        }
    }
}

/// What Chromium 156 offers, swapped for a server with an RSA key.
#[test]
fn a_client_hello_swaps_and_swaps_back() {
    let datagrams: [&[u8]; 2] = [
        include_bytes!("../testdata/chromium-156-client-hello-1.bin"),
        include_bytes!("../testdata/chromium-156-client-hello-2.bin"),
    ];
    let body: Vec<u8> = datagrams
        .iter()
        .flat_map(|datagram| Records::new(datagram).map(Result::unwrap))
        .flat_map(|record| fragments(record.fragment).unwrap()[0].body.to_vec())
        .collect();
    let position = |body: &[u8], bytes: &[u8]| {
        let at = body.windows(bytes.len()).position(|at| at == bytes);
        at.unwrap_or_else(|| panic!("{bytes:02X?} is missing"))
    };
    let mut swapped = body.clone();
    hellos::swap_client_hello(&mut swapped);
    let schemes = [4, 3, 8, 4, 4, 1, 5, 3];
    let at = position(&body, &schemes);
    assert_eq!(swapped[at..at + 8], [4, 1, 8, 4, 4, 3, 5, 3]);
    let at = position(&body, &[0xC0, 0x2B, 0xC0, 0x2F]);
    assert_eq!(swapped[at..at + 4], [0xC0, 0x2F, 0xC0, 0x2B]);
    hellos::swap_client_hello(&mut swapped);
    assert_eq!(swapped, body);
}

#[test]
fn our_own_hello_offers_ecdsa_first_and_rsa_too() {
    let [config, _] = configs(crate::Versions::All);
    let mtu = config.mtu;
    let datagram = sent(pc_simnet::epoch(), &mut connection(config)).remove(0);
    assert_eq!(datagram.len(), mtu, "padded to a datagram, not beyond");
    let record = Records::new(&datagram).next().unwrap().unwrap();
    let hello = fragments(record.fragment).unwrap()[0];
    assert!(hello.is_whole());
    let contains = |bytes: &[u8]| hello.body.windows(bytes.len()).any(|at| at == bytes);
    assert!(contains(&[
        0, 14, 0x13, 1, 0x13, 2, 0x13, 3, 0xC0, 0x2B, 0xC0, 0x2C, 0xC0, 0x2F, 0xC0, 0x30
    ]));
    assert!(contains(&[0, 13, 0, 10, 0, 8, 4, 3, 5, 3, 8, 4, 4, 1]));
}

#[test]
fn a_certificate_request_swaps_and_swaps_back() {
    let wire = [2, 1, 64, 0, 6, 4, 1, 4, 3, 8, 4, 0, 0];
    let mut body = wire;
    hellos::swap_certificate_request(&mut body);
    assert_eq!(body, [2, 64, 1, 0, 6, 4, 3, 4, 1, 8, 4, 0, 0]);
    hellos::swap_certificate_request(&mut body);
    assert_eq!(body, wire);
}

/// A DTLS 1.2 transcript: one message of this type and body after another.
fn transcript_12(messages: &[(u8, &[u8])]) -> Vec<u8> {
    let mut transcript = Vec::new();
    for (number, (message_type, body)) in messages.iter().enumerate() {
        let fragment = Fragment {
            message_seq: number as u16,
            ..part(*message_type, body, 0, body.len())
        };
        transcript.extend(fragment.to_vec());
    }
    transcript
}

/// Only the server's certificate decides whether a suite was one for RSA.
#[test]
fn the_transcript_follows_the_certificates() {
    let certificate = |certificate: &Certificate| {
        let len = |len: usize| (len as u32).to_be_bytes()[1..].to_vec();
        let der = certificate.der();
        [len(der.len() + 3), len(der.len()), der.to_vec()].concat()
    };
    let hello = [&[0xFE, 0xFD][..], &[7; 32], &[0, 0xC0, 0x2B, 0, 0, 0]].concat();
    let key_exchange = [&[3, 0, 29, 32][..], &[9; 32], &[4, 3, 0, 1, 5]].concat();
    for (server, is_rsa) in [(&certificates()[0], false), (&rsa_certificates()[0], true)] {
        for client in [&certificates()[1], &rsa_certificates()[1]] {
            let (server, client) = (certificate(server), certificate(client));
            let carried = transcript_12(&[
                (msg::CLIENT_HELLO, &[0xFE, 0xFD]),
                (msg::SERVER_HELLO, &hello),
                (msg::CERTIFICATE, &server),
                (msg::SERVER_KEY_EXCHANGE, &key_exchange),
                (msg::CERTIFICATE, &client),
            ]);
            let mut wire_hello = hello.clone();
            let mut wire_key_exchange = key_exchange.clone();
            if is_rsa {
                wire_hello[36] = 0x2F;
                wire_key_exchange[37] = 1;
            }
            let wire = transcript_12(&[
                (msg::CLIENT_HELLO, &[0xFE, 0xFD]),
                (msg::SERVER_HELLO, &wire_hello),
                (msg::CERTIFICATE, &server),
                (msg::SERVER_KEY_EXCHANGE, &wire_key_exchange),
                (msg::CERTIFICATE, &client),
            ]);
            for dialect in ALL {
                assert_eq!(*transcript::wire(dialect, &carried), wire);
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_no_transcript_stays_as_it_is(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        prop_assume!(!matches!(bytes.first(), Some(1 | 254)));
        for dialect in ALL {
            prop_assert_eq!(&*transcript::wire(dialect, &bytes), &bytes[..]);
        }
    }

    /// Messages of every type with bodies that are none.
    #[test]
    fn no_body_is_too_strange(
        bodies in proptest::collection::vec((0..21u8, proptest::collection::vec(any::<u8>(), 0..60)), 0..8),
        is_12: bool,
    ) {
        let messages: Vec<(u8, &[u8])> = [(msg::CLIENT_HELLO, &[0xFE, 0xFD, 0][..])]
            .into_iter()
            .chain(bodies.iter().map(|(kind, body)| (*kind, &body[..])))
            .collect();
        let mut carried = transcript_12(&messages);
        if !is_12 {
            carried = messages
                .iter()
                .flat_map(|(kind, body)| [&[*kind, 0, 0, body.len() as u8][..], body].concat())
                .collect();
        }
        for dialect in ALL {
            let requests = messages.iter().filter(|(kind, _)| *kind == msg::CERTIFICATE_REQUEST);
            let room = if dialect.role == Role::Client { 0 } else { 15 * requests.count() };
            prop_assert!(transcript::wire(dialect, &carried).len() <= carried.len() + room);
        }
        let mut received = Received::new();
        for (kind, body) in &messages {
            let _ = received.body(&part(*kind, body, 0, body.len()));
            let _ = received.record(body);
        }
    }
}
