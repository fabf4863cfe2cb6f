use super::*;
use crate::mdns::{Resolver, wire::Query};
use pc_proto::Batch;

const IP: &str = "192.168.1.20";
const LINK: Option<u32> = Some(2);

#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    Instant::now() // the origin of virtual time
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn from(remote: &str) -> Route {
    Route::new(LINK, remote.parse().unwrap())
}

struct Sent {
    route: Route,
    bytes: Vec<u8>,
}

impl Sent {
    fn is_multicast(&self) -> bool {
        self.route.is_multicast()
    }

    /// Types, times to live, and whether they replace what was known.
    fn records(&self) -> Vec<(RecordType, u32, bool)> {
        let view = MessageView::parse(&self.bytes).unwrap();
        assert!(view.is_response() && view.is_plain());
        view.records().map(|r| (r.kind, r.ttl, r.flush)).collect()
    }
}

fn sent(responder: &mut Responder, now: Instant) -> Vec<Sent> {
    let mut batch = Batch::new();
    let mut found = Vec::new();
    while let Some(route) = responder.poll_transmit(now, &mut batch.transmit_buf(1_200, 64)) {
        let bytes = batch.datagrams().next().unwrap().to_vec();
        found.push(Sent { route, bytes });
    }
    found
}

fn query(name: &Name, unicast: bool) -> Vec<u8> {
    let mut bytes = vec![0; 200];
    let mut writer = Writer::new(&mut bytes);
    Query { name, unicast }.write(&mut writer).unwrap();
    let len = writer.len();
    bytes.truncate(len);
    bytes
}

/// A query for one type alone.
fn query_for(name: &Name, kind: RecordType) -> Vec<u8> {
    let mut bytes = query(name, false);
    bytes.truncate(bytes.len() - 6);
    bytes[5] = 1;
    let at = bytes.len() - 4;
    bytes[at..at + 2].copy_from_slice(&kind.0.to_be_bytes());
    bytes
}

/// A responder that has announced one name.
fn announced(ip: &str) -> (Responder, Name, Instant) {
    let (mut responder, start) = (Responder::new([3; 32]), start());
    let name = responder
        .register(start, ip.parse().unwrap(), LINK)
        .unwrap();
    for at in [start + seconds(1), start + seconds(2)] {
        assert_eq!(responder.poll_timeout(), Some(at));
        let announcements = sent(&mut responder, at);
        let routes: Vec<_> = announcements.iter().map(|sent| sent.route).collect();
        assert_eq!(routes, Route::groups(LINK));
        let kind = RecordType::of(ip.parse().unwrap());
        assert_eq!(announcements[0].records(), [(kind, 120, true)]);
    }
    assert_eq!(responder.poll_timeout(), None);
    (responder, name, start + seconds(2))
}

#[test]
fn a_name_is_announced_twice_and_taken_back() {
    for ip in [IP, "2001:db8::20"] {
        let (mut responder, name, now) = announced(ip);
        assert_eq!(
            responder.names().collect::<Vec<_>>(),
            [(&name, ip.parse().unwrap())]
        );
        assert!(responder.unregister(now, &name));
        let goodbyes = sent(&mut responder, now);
        assert_eq!(goodbyes.len(), 2);
        assert!(goodbyes.iter().all(|sent| sent.records()[0].1 == 0));
        assert!(!responder.unregister(now, &name));
        let late = responder.handle_input(now, from("192.168.1.9:5353"), &mut query(&name, true));
        assert_eq!(late, Err(Rejected::OtherName));
    }
}

#[test]
fn nobody_hears_of_a_name_that_was_never_told() {
    let (mut responder, now) = (Responder::new([3; 32]), start());
    let ip = IP.parse().unwrap();
    let name = responder.register(now, ip, LINK).unwrap();
    let told = responder.register(now, ip, LINK).unwrap();
    let asker = from("192.168.1.9:5353");
    let mut ask = query(&told, false);
    responder.handle_input(now, asker, &mut ask).unwrap();
    assert_eq!(sent(&mut responder, now).len(), 1);
    assert!(responder.unregister(now, &name));
    responder.unregister_all(now);
    let goodbyes = sent(&mut responder, now);
    assert_eq!(goodbyes.len(), 1, "over IPv6 it was not told");
    assert_eq!(goodbyes[0].records(), [(RecordType::A, 0, true)]);
    assert_eq!(goodbyes[0].route, asker.group());
    assert_eq!(
        (responder.poll_timeout(), responder.names().count()),
        (None, 0)
    );
}

#[test]
fn who_asks_before_it_is_announced_is_answered_at_once() {
    let (mut responder, start) = (Responder::new([3; 32]), start());
    let name = responder
        .register(start, IP.parse().unwrap(), LINK)
        .unwrap();
    let now = start + Duration::from_millis(100);
    let asker = from("192.168.1.9:5353");
    responder
        .handle_input(now, asker, &mut query(&name, false))
        .unwrap();
    let answers = sent(&mut responder, now);
    assert_eq!(answers[0].route, asker.group());
    // Over IPv4 everybody has just been told when the first announcement is due.
    let routes = |millis, responder: &mut Responder| {
        let at = start + Duration::from_millis(millis);
        let sent = sent(responder, at).into_iter();
        sent.map(|sent| sent.route).collect::<Vec<_>>()
    };
    let [v4, v6] = Route::groups(LINK);
    assert_eq!(routes(1_000, &mut responder), [v6]);
    assert_eq!(routes(2_000, &mut responder), [v4, v6]);
}

#[test]
fn an_answer_is_not_lost_where_an_announcement_would_be() {
    let (mut responder, start) = (Responder::new([3; 32]), start());
    let name = responder
        .register(start, IP.parse().unwrap(), LINK)
        .unwrap();
    let asker = from("192.168.1.9:5353");
    let mut all = Vec::new();
    for millis in [100, 300, 1_000, 1_099, 1_100] {
        let now = start + Duration::from_millis(millis);
        if millis < 1_000 {
            responder
                .handle_input(now, asker, &mut query(&name, false))
                .unwrap();
        }
        let sent = sent(&mut responder, now).into_iter();
        all.extend(sent.filter(|s| s.route.remote.is_ipv4()).map(|_| millis));
    }
    assert_eq!(all, [100, 1_100]);
}

#[test]
fn who_asks_for_it_alone_is_answered_alone_while_the_others_know() {
    let (mut responder, name, told) = announced(IP);
    let asker = from("192.168.1.9:5353");
    let mut ask = |now| {
        let asked = responder.handle_input(now, asker, &mut query(&name, true));
        assert_eq!(asked, Ok(()));
        let answers = sent(&mut responder, now);
        assert_eq!(answers.len(), 1);
        let nsec = (RecordType::NSEC, 120, true); // there is no IPv6 address
        assert_eq!(answers[0].records(), [(RecordType::A, 120, true), nsec]);
        answers[0].route
    };
    assert_eq!(ask(told), asker);
    assert_eq!(ask(told + seconds(29)), asker);
    // RFC 6762 §5.4: a quarter of the time to live later, all are told again.
    assert_eq!(ask(told + seconds(30)), asker.group());
    assert_eq!(ask(told + seconds(31)), asker);
}

#[test]
fn everybody_is_told_once_a_second_at_most() {
    let (mut responder, name, told) = announced(IP);
    let asker = from("192.168.1.9:5353");
    for millis in [100, 200, 900] {
        let now = told + Duration::from_millis(millis);
        let mut ask = query(&name, false);
        responder.handle_input(now, asker, &mut ask).unwrap();
        assert!(sent(&mut responder, now).is_empty());
    }
    assert_eq!(responder.poll_timeout(), Some(told + seconds(1)));
    let answers = sent(&mut responder, told + seconds(1));
    assert_eq!(answers.len(), 1);
    assert!(answers[0].is_multicast());
    // Another interface, and another version of IP, are other readers.
    let now = told + seconds(1);
    let elsewhere = Route {
        link: Some(3),
        ..asker
    };
    for route in [elsewhere, from("[2001:db8::9]:5353")] {
        responder
            .handle_input(now, route, &mut query(&name, false))
            .unwrap();
        let answers = sent(&mut responder, now);
        assert_eq!(answers[0].route, route.group());
    }
}

#[test]
fn what_is_known_is_not_told_again() {
    let (mut responder, name, told) = announced(IP);
    let now = told + seconds(5);
    let known = |ip: &str, ttl| {
        let record = Response {
            name: &name,
            ip: ip.parse().unwrap(),
            ttl,
            address: true,
            absence: false,
            legacy: None,
        };
        let mut bytes = [0; 200];
        let mut writer = Writer::new(&mut bytes);
        record.write(&mut writer).unwrap();
        let mut all = query_for(&name, RecordType::A);
        all.extend_from_slice(&writer.written()[12..]);
        all[7] = 1;
        all
    };
    let asker = from("192.168.1.9:5353");
    let mut answers = |mut bytes: Vec<u8>| {
        responder.handle_input(now, asker, &mut bytes).unwrap();
        sent(&mut responder, now).len()
    };
    assert_eq!(answers(known(IP, 60)), 0);
    assert_eq!(answers(known("192.168.1.21", 60)), 1);
    responder = announced(IP).0; // the same seed, the same name
    let mut bytes = known(IP, 59);
    responder.handle_input(now, asker, &mut bytes).unwrap();
    assert_eq!(sent(&mut responder, now).len(), 1);
}

#[test]
fn what_there_is_not_is_said() {
    let (mut responder, name, told) = announced(IP);
    let asker = from("192.168.1.9:5353");
    for (number, (kind, answer)) in [
        (RecordType::AAAA, RecordType::NSEC),
        (RecordType(16), RecordType::NSEC),
        (RecordType::ANY, RecordType::A),
    ]
    .into_iter()
    .enumerate()
    {
        let now = told + seconds(2 + 2 * number as u64);
        let asked = responder.handle_input(now, asker, &mut query_for(&name, kind));
        assert_eq!(asked, Ok(()));
        assert_eq!(
            sent(&mut responder, now)[0].records(),
            [(answer, 120, true)]
        );
    }
}

#[test]
fn an_ordinary_resolver_gets_an_ordinary_answer() {
    let (mut responder, name, now) = announced(IP);
    let asker = from("192.168.1.9:40000");
    let mut ask = query_for(&name, RecordType::A);
    ask[..2].copy_from_slice(&[0x12, 0x34]);
    responder.handle_input(now, asker, &mut ask).unwrap();
    let answers = sent(&mut responder, now);
    assert_eq!(answers[0].route, asker);
    assert_eq!(answers[0].records(), [(RecordType::A, 10, false)]);
    let view = MessageView::parse(&answers[0].bytes).unwrap();
    assert_eq!(view.id(), 0x1234);
    let question = view.questions().next().unwrap();
    assert!(question.name.is(&name) && question.kind == RecordType::A);
}

#[test]
fn others_names_and_responses_are_none_of_its_business() {
    let (mut responder, name, now) = announced(IP);
    let asker = from("192.168.1.9:5353");
    let other: Name = "printer.local".parse().unwrap();
    let mut response = query(&name, false);
    response[2] |= 0x80;
    let mut update = query(&name, false);
    update[2] |= 5 << 3;
    for (mut bytes, wanted) in [
        (query(&other, true), Rejected::OtherName),
        (response, Rejected::OtherKind),
        (update, Rejected::NotMulticastDns),
    ] {
        assert_eq!(responder.handle_input(now, asker, &mut bytes), Err(wanted));
    }
    assert_eq!(responder.poll_timeout(), None);
}

#[test]
fn a_flood_of_questions_is_bounded() {
    let (mut responder, name, now) = announced(IP);
    let mut busy = 0;
    for number in 0..10_000_u16 {
        let asker = from(&format!("10.0.{}.{}:5353", number >> 8, number & 255));
        let asked = responder.handle_input(now, asker, &mut query(&name, true));
        busy += usize::from(asked == Err(Rejected::Busy));
    }
    assert_eq!(busy, 10_000 - MAX_ANSWERS);
    assert_eq!(sent(&mut responder, now).len(), MAX_ANSWERS);
    let ip = IP.parse().unwrap();
    for _ in 1..MAX_NAMES {
        responder.register(now, ip, LINK).unwrap();
    }
    assert_eq!(responder.register(now, ip, LINK), Err(Full(MAX_NAMES)));
}

#[test]
fn a_resolver_and_a_responder_understand_each_other() {
    let (mut responder, name, now) = announced(IP);
    let mut resolver = Resolver::new();
    resolver
        .resolve(now, &name.as_str().to_uppercase().parse().unwrap())
        .unwrap();
    let mut batch = Batch::new();
    while resolver
        .poll_transmit(now, &mut batch.transmit_buf(1_200, 1))
        .is_some()
    {
        let mut asked = batch.datagrams().next().unwrap().to_vec();
        responder
            .handle_input(now, from("192.168.1.9:5353"), &mut asked)
            .unwrap();
    }
    for mut answer in sent(&mut responder, now) {
        let _ = resolver.handle_input(now, from("192.168.1.20:5353"), &mut answer.bytes);
    }
    let resolution = resolver.poll_event().unwrap();
    assert_eq!(resolution.outcome, Ok(IP.parse().unwrap()));
}
