//! Whatever messages come: what is read can be read again without compression, a resolver tells
//! only of names that it asks for, and what is sent is short, well-formed and bounded.
//!
//! Each message follows two bytes: how much time passes before it, and its length.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use pc_net::mdns::{MessageView, Name, NameView, PORT, Resolver, Responder, Route};
use pc_proto::{Batch, Protocol};

const NAMES: [&str; 2] = ["a.local", "1f4712db-ea17-4bcf-a596-105139dfd8bf.local"];

#[allow(clippy::disallowed_methods)]
pub(crate) fn run(mut data: &[u8]) {
    let mut now = Instant::now(); // the origin of virtual time
    let (mut resolver, mut responder) = (Resolver::new(), Responder::new([7; 32]));
    let asked = NAMES.map(|name| name.parse::<Name>().unwrap());
    let mine = ["192.0.2.7", "2001:db8::7"].map(|ip| {
        let ip: IpAddr = ip.parse().unwrap();
        responder.register(now, ip, Some(1)).unwrap()
    });
    while let [pause, len, rest @ ..] = data {
        let (message, rest) = rest.split_at(rest.len().min(usize::from(*len)));
        data = rest;
        now += Duration::from_millis(u64::from(*pause) * 16);
        for name in &asked {
            resolver
                .resolve(now, name)
                .expect("two names are not too many");
        }
        let mut message = with_names(message, &mine);
        read_everything(&message);
        let route = route(*pause);
        let _ = resolver.handle_input(now, route, &mut message.clone());
        let _ = responder.handle_input(now, route, &mut message);
        while let Some(resolution) = resolver.poll_event() {
            assert!(asked.contains(&resolution.name));
        }
        send(&mut resolver, now);
        send(&mut responder, now);
    }
}

/// The names are random: where a message says `#0` or `#1`, it means one of them.
fn with_names(message: &[u8], mine: &[Name; 2]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = message;
    while let [first, after @ ..] = rest {
        match (first, after.first()) {
            (b'#', Some(which @ (b'0' | b'1'))) => {
                let label = mine[usize::from(which - b'0')].label();
                found.push(label.len() as u8);
                found.extend_from_slice(label.as_bytes());
                rest = &after[1..];
            }
            _ => {
                found.push(*first);
                rest = after;
            }
        }
    }
    found
}

fn route(choice: u8) -> Route {
    let port = if choice & 1 == 0 { PORT } else { 40_000 };
    let ip: IpAddr = match choice & 2 {
        0 => [192, 0, 2, 9].into(),
        _ => [0x2001, 0xDB8, 0, 0, 0, 0, 0, 9].into(),
    };
    Route::new((choice & 4 == 0).then_some(1), (ip, port).into())
}

fn read_everything(bytes: &[u8]) {
    let view = match MessageView::parse(bytes) {
        Ok(view) => view,
        Err(error) => return assert!(error.at <= bytes.len()),
    };
    let counts = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    assert_eq!(view.questions().count(), usize::from(counts(4)));
    let records: usize = [6, 8, 10].map(|at| usize::from(counts(at))).iter().sum();
    assert_eq!(view.records().count(), records);

    let mut plain = bytes[..12].to_vec();
    for question in view.questions() {
        write_name(&question.name, &mut plain);
        plain.extend_from_slice(&question.kind.0.to_be_bytes());
        plain.extend_from_slice(&[0, 1]);
    }
    for record in view.records() {
        write_name(&record.name, &mut plain);
        plain.extend_from_slice(&record.kind.0.to_be_bytes());
        plain.extend_from_slice(&[0, 1]);
        plain.extend_from_slice(&record.ttl.to_be_bytes());
        plain.extend_from_slice(&(record.data.len() as u16).to_be_bytes());
        plain.extend_from_slice(record.data);
    }
    if plain.len() > 8_000 {
        return; // longer than a message may be
    }
    let again = MessageView::parse(&plain).expect("a message without compression");
    for (one, other) in view.records().zip(again.records()) {
        assert!(one.name.labels().eq(other.name.labels()));
        assert_eq!((one.ttl, one.section), (other.ttl, other.section));
        assert!(!one.internet || one.address() == other.address());
    }
    for (one, other) in view.questions().zip(again.questions()) {
        assert!(one.name.labels().eq(other.name.labels()));
        assert_eq!(one.kind, other.kind);
    }
}

fn write_name(name: &NameView<'_>, to: &mut Vec<u8>) {
    let start = to.len();
    for label in name.labels() {
        to.push(label.len() as u8);
        to.extend_from_slice(label);
    }
    to.push(0);
    assert!(to.len() - start <= 255);
}

fn send(engine: &mut impl Protocol<Route = Route>, now: Instant) {
    let mut batch = Batch::new();
    let mut count = 0;
    engine.handle_timeout(now);
    while let Some(route) = engine.poll_transmit(now, &mut batch.transmit_buf(1_200, 64)) {
        assert_ne!(route.remote.port(), 0);
        for datagram in batch.datagrams() {
            assert!(datagram.len() <= 300);
            let view = MessageView::parse(datagram).expect("what is sent is a message");
            assert!(view.is_plain());
            count += 1;
        }
    }
    assert!(count <= 100, "{count} messages at once");
    assert!(engine.poll_timeout().is_none_or(|at| at > now));
}
