//! What forged, damaged and surprising datagrams do: nothing.

use pc_ice::{Rejected, ServerError, turn};
use pc_proto::{Batch, FiveTuple, Protocol};
use pc_simnet::ms;
use pc_stun::{
    Attribute, AttributeType, Class, ErrorCode, IntegrityKey, MessageBuilder, MessageView, Method,
    PasswordAlgorithm, TransactionId,
};

use crate::{
    server::{Policy, REALM},
    world::{PEERS, World, address},
};

fn message(
    class: Class,
    method: Method,
    id: TransactionId,
    build: impl FnOnce(&mut MessageBuilder<'_>),
) -> Vec<u8> {
    let mut bytes = vec![0; 1500];
    let mut builder = MessageBuilder::new(&mut bytes, class, method, id);
    build(&mut builder);
    let len = builder.finish().unwrap();
    bytes.truncate(len);
    bytes
}

/// A client with a permission and a channel, whose next request is under way; and that request.
fn waiting() -> (World, MessageView<'static>) {
    let mut world = World::new(Policy::default()).allocate();
    world.bind(PEERS[0]);
    let now = world.now();
    let mut batch = Batch::new();
    let client = &mut world.app().client;
    client.permit(now, address(PEERS[1])).unwrap();
    client
        .poll_transmit(now, &mut batch.transmit_buf(1200, 8))
        .unwrap();
    let request = batch.datagrams().next().unwrap().to_vec();
    (world, MessageView::parse(request.leak()).unwrap())
}

fn state(world: &mut World) -> String {
    format!("{:?}", world.app().client)
}

/// RFC 8489 §9.2.5, facts about what counts: transaction, path, signature.
#[test]
fn forged_responses_change_nothing() {
    let (mut world, request) = waiting();
    let before = state(&mut world);
    let (id, method) = (request.transaction_id(), request.method());
    let wrong = IntegrityKey::long_term("user", REALM, "guess", PasswordAlgorithm::Md5);
    let right = IntegrityKey::long_term("user", REALM, "secret", PasswordAlgorithm::Md5);
    let mut other = id;
    other.0[11] ^= 1;
    let signed = |id, key: &IntegrityKey| {
        message(Class::Success, method, id, |it| {
            it.integrity(key);
        })
    };
    for (forged, rejected) in [
        (signed(other, &right), Rejected::UnmatchedResponse),
        (
            message(Class::Success, Method::REFRESH, id, |it| {
                it.integrity(&right);
            }),
            Rejected::UnmatchedResponse,
        ),
        (
            message(Class::Request, method, id, |it| {
                it.integrity(&right);
            }),
            Rejected::UnexpectedMethod,
        ),
        (
            // RFC 8489 §9.2.5: a 400 without a signature is as if it had never come.
            message(Class::Error, method, id, |it| {
                it.attribute(Attribute::ErrorCode(ErrorCode::BAD_REQUEST));
            }),
            Rejected::Unauthenticated,
        ),
        (
            // The nonce promises a list that is not there.
            message(Class::Success, method, id, |it| {
                it.attribute(Attribute::Nonce("obMatJos2gAAAx"))
                    .integrity(&right);
            }),
            Rejected::Unauthenticated,
        ),
    ] {
        assert_eq!(world.inject(&forged), Err(rejected));
        assert_eq!(state(&mut world), before);
    }
    let elsewhere = FiveTuple::udp(address("10.0.0.1:4000"), address("192.0.2.66:3478"));
    let now = world.now();
    let mut genuine = signed(id, &right);
    let client = &mut world.app().client;
    assert_eq!(
        client.handle_input(now, elsewhere, &mut genuine),
        Err(Rejected::UnknownPath)
    );
    assert_eq!(state(&mut world), before);
    // Wrongly signed or not at all: only the reason that would be told in the end is remembered.
    let bare = message(Class::Success, method, id, |_| {});
    let refusal = message(Class::Error, method, id, |it| {
        it.attribute(Attribute::ErrorCode(ErrorCode::FORBIDDEN));
    });
    let sha256 = message(Class::Success, method, id, |it| {
        it.integrity_sha256(&right);
    });
    for forged in [signed(id, &wrong), bare, refusal, sha256] {
        assert_eq!(world.inject(&forged), Err(Rejected::Unauthenticated));
    }
    assert!(!world.app().client.is_permitted(address(PEERS[1]).ip()));
    assert!(world.app().client.poll_event().is_none());
    // The genuine one still counts.
    assert_eq!(world.inject(&signed(id, &right)), Ok(false));
    assert!(world.app().client.is_permitted(address(PEERS[1]).ip()));
}

/// RFC 8656 §11.4, §12.6: data come from peers with a permission, through known channels.
#[test]
fn data_of_strangers_are_dropped() {
    let (mut world, _) = waiting();
    let before = state(&mut world);
    let id = TransactionId([5; 12]);
    let (indication, data) = (Class::Indication, Method::DATA);
    let from = |peer: &'static str| Attribute::XorPeerAddress(address(peer));
    let with = |peer| {
        message(indication, data, id, |it| {
            it.attribute(from(peer)).attribute(Attribute::Data(b"hi"));
        })
    };
    assert_eq!(world.inject(&with("198.51.100.1:77")), Ok(true), "any port");
    for (forged, rejected) in [
        (with(PEERS[1]), Rejected::NotPermitted),
        (with("203.0.113.6:5"), Rejected::NotPermitted),
        (
            message(indication, data, id, |it| {
                it.attribute(Attribute::Data(b"hi"));
            }),
            Rejected::BadRequest,
        ),
        (
            message(indication, Method::SEND, id, |it| {
                it.attribute(from(PEERS[0]));
            }),
            Rejected::UnexpectedMethod,
        ),
        (
            message(indication, data, id, |it| {
                it.attribute(from(PEERS[0])).attribute(Attribute::Unknown {
                    kind: AttributeType(0x7777),
                    value: b"",
                });
            }),
            Rejected::UnknownAttribute(0x7777),
        ),
        (
            // RFC 6062 §4.4: not on an allocation for datagrams.
            message(indication, Method::CONNECTION_ATTEMPT, id, |it| {
                it.attribute(from(PEERS[0]))
                    .attribute(Attribute::ConnectionId(1));
            }),
            Rejected::UnexpectedMethod,
        ),
        (
            b"\x40\x01\0\x01x".to_vec(),
            Rejected::UnknownChannel(0x4001),
        ),
    ] {
        assert_eq!(world.inject(&forged), Err(rejected));
    }
    for garbage in [
        &b"\x40\x00\0\x09short"[..],
        b"\x40\x00\0\x01x----",
        b"\x40",
        b"",
        b"\x80",
    ] {
        let result = world.inject(garbage);
        assert!(
            matches!(result, Err(Rejected::Malformed(_))),
            "{garbage:?}: {result:?}"
        );
    }
    // An ICMP error has no data.
    let icmp = message(indication, data, id, |it| {
        it.attribute(from(PEERS[0])).attribute(Attribute::Icmp {
            kind: 3,
            code: 3,
            data: [0; 4],
        });
    });
    assert_eq!(world.inject(&icmp), Ok(false));
    assert_eq!(world.inject(b"\x40\x00\0\x01x"), Ok(true));
    assert_eq!(state(&mut world), before);
}

/// RFC 8489 §9.2.5: in a stream the wrong signature ends the request at once.
#[test]
fn in_a_stream_a_wrong_signature_is_told_at_once() {
    let mut world = World::with(
        1.into(),
        Policy {
            signs_wrongly: true,
            ..Policy::default()
        },
        |config| config.transport = pc_ice::ServerTransport::Tls,
    );
    let failed = turn::Event::Failed(ServerError::Integrity(None));
    assert_eq!(world.end(), failed);
    assert_eq!(world.network.elapsed(), ms(40));
}

/// Allocations that are of no use are given back (RFC 8656 §7.3).
#[test]
fn useless_allocations_are_given_back() {
    let key = IntegrityKey::long_term("user", REALM, "secret", PasswordAlgorithm::Md5);
    let relayed = |text: &str| Attribute::XorRelayedAddress(address(text));
    let good = relayed("192.0.2.1:49152");
    let unknown = Attribute::Unknown {
        kind: AttributeType(0x7777),
        value: b"",
    };
    let no_address = || ServerError::BadResponse("XOR-RELAYED-ADDRESS");
    for (attributes, error) in [
        (vec![], no_address()),
        (vec![relayed("0.0.0.0:49152")], no_address()),
        (vec![relayed("192.0.2.1:0")], no_address()),
        (vec![relayed("[2001:db8::1]:4")], no_address()),
        (vec![good, relayed("[2001:db8::1]:4")], no_address()),
        (
            vec![good, Attribute::Lifetime(0)],
            ServerError::BadResponse("LIFETIME"),
        ),
        // RFC 8489 §6.3.3
        (vec![good, unknown], ServerError::UnknownAttribute(0x7777)),
    ] {
        let mut world = World::new(Policy::default());
        world.network.run_for(ms(20));
        let now = world.now();
        let mut batch = Batch::new();
        let client = &mut world.app().client;
        // The signed request, which this test answers in the server's stead.
        let mut sent = None;
        for millis in 0..600 {
            let at = now + ms(millis);
            if client
                .poll_transmit(at, &mut batch.transmit_buf(1200, 8))
                .is_some()
            {
                sent = batch.datagrams().next().map(<[u8]>::to_vec);
            }
        }
        let request = sent.unwrap();
        let request = MessageView::parse(&request).unwrap();
        let answer = message(
            Class::Success,
            Method::ALLOCATE,
            request.transaction_id(),
            |it| {
                for attribute in &attributes {
                    it.attribute(*attribute);
                }
                it.integrity(&key);
            },
        );
        assert_eq!(world.inject(&answer), Ok(false));
        let client = &mut world.app().client;
        assert!(client.allocation().is_none());
        client
            .poll_transmit(now + ms(600), &mut batch.transmit_buf(1200, 8))
            .unwrap();
        let release = batch.datagrams().last().unwrap();
        let release = MessageView::parse(release).unwrap();
        assert_eq!(release.method(), Method::REFRESH);
        let zero = release.attribute(AttributeType::LIFETIME);
        assert_eq!(zero, Some(Attribute::Lifetime(0)));
        let bad = turn::Event::Failed(error);
        let mut sent = 1;
        while let Some(at) = client.poll_timeout() {
            client.handle_timeout(at);
            let mut out = batch.transmit_buf(1200, 8);
            sent += usize::from(client.poll_transmit(at, &mut out).is_some());
        }
        assert_eq!(sent, 3, "transmissions of the release");
        assert_eq!(client.poll_event(), Some(bad));
    }
}

/// No password in any log.
#[test]
fn debug_keeps_the_password() {
    let (mut world, _) = waiting();
    let shown = state(&mut world) + &format!("{:?}", crate::world::config(1.into()));
    assert!(
        shown.contains("\"user\"") && !shown.contains("secret"),
        "{shown}"
    );
}
