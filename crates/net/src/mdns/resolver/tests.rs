use super::*;
use crate::mdns::{GROUP_V4, wire::Response};
use pc_proto::Batch;

const FROM: &str = "192.168.1.20:5353";

fn name(number: usize) -> Name {
    format!("{number:08x}-bb2e-49bb-bb78-21c41c499900.local")
        .parse()
        .unwrap()
}

fn from(remote: &str) -> Route {
    Route::new(Some(2), remote.parse().unwrap())
}

fn says(name: &Name, ip: &str, ttl: u32) -> Vec<u8> {
    let response = Response {
        name,
        ip: ip.parse().unwrap(),
        ttl,
        address: true,
        absence: false,
        legacy: None,
    };
    let mut bytes = vec![0; 200];
    let mut writer = Writer::new(&mut bytes);
    response.write(&mut writer).unwrap();
    let len = writer.len();
    bytes.truncate(len);
    bytes
}

/// What is asked now: where to, of whom, and whether for us alone.
fn sent(resolver: &mut Resolver, now: Instant) -> Vec<(Route, String, bool)> {
    let mut found = Vec::new();
    let mut batch = Batch::new();
    while let Some(route) = resolver.poll_transmit(now, &mut batch.transmit_buf(1_200, 64)) {
        let bytes = batch.datagrams().next().unwrap();
        let view = MessageView::parse(bytes).unwrap();
        let question = view.questions().next().unwrap();
        found.push((route, format!("{:?}", question.name), question.unicast));
    }
    found
}

#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    Instant::now() // the origin of virtual time
}

#[test]
fn a_question_is_asked_again_after_1_3_and_7_seconds_and_given_up_after_10() {
    let (mut resolver, start) = (Resolver::new(), start());
    resolver.resolve(start, &name(1)).unwrap();
    let mut asked = Vec::new();
    while let Some(at) = resolver.poll_timeout() {
        resolver.handle_timeout(at);
        let messages = sent(&mut resolver, at);
        if !messages.is_empty() {
            let groups: Vec<_> = messages.iter().map(|(route, ..)| route.remote).collect();
            assert_eq!(groups, Route::groups(None).map(|route| route.remote));
            assert!(messages.iter().all(|(route, ..)| route.link.is_none()));
            assert!(
                messages
                    .iter()
                    .all(|(route, _, alone)| route.one_shot == *alone)
            );
            asked.push(((at - start).as_secs(), messages[0].2));
        }
        assert!(at - start <= Resolver::TIMEOUT);
    }
    assert_eq!(asked, [(0, true), (1, false), (3, false), (7, false)]);
    let outcome = Err(ResolveError::TimedOut);
    let resolution = resolver.poll_event().unwrap();
    assert_eq!(
        resolution,
        Resolution {
            name: name(1),
            outcome
        }
    );
    assert_eq!(
        (resolver.poll_event(), resolver.poll_timeout()),
        (None, None)
    );
}

#[test]
fn an_answer_ends_the_question() {
    let (mut resolver, now) = (Resolver::new(), start());
    resolver.resolve(now, &name(1)).unwrap();
    resolver.resolve(now, &name(2)).unwrap();
    resolver.resolve(now, &name(1)).unwrap(); // once is enough
    assert_eq!(sent(&mut resolver, now).len(), 4);
    for ip in ["192.168.1.20", "2001:db8::20"] {
        let number = if ip.contains(':') { 2 } else { 1 };
        let mut bytes = says(&name(number), ip, 120);
        assert_eq!(resolver.handle_input(now, from(FROM), &mut bytes), Ok(()));
        let outcome = Ok(ip.parse().unwrap());
        let name = name(number);
        assert_eq!(resolver.poll_event(), Some(Resolution { name, outcome }));
        // It was asked for once, and is not believed again.
        let again = resolver.handle_input(now, from(FROM), &mut bytes);
        assert_eq!(again, Err(Rejected::OtherName));
    }
    assert_eq!(resolver.poll_timeout(), None);
}

#[test]
fn nothing_else_is_believed() {
    let (mut resolver, now) = (Resolver::new(), start());
    resolver.resolve(now, &name(1)).unwrap();
    let good = says(&name(1), "192.168.1.20", 120);
    let mut query = good.clone();
    query[2] = 0;
    let (mut refused, mut update) = (good.clone(), good.clone());
    refused[3] = 3; // no such name
    update[2] |= 5 << 3;
    let mut other_class = good.clone();
    let at = other_class.len() - 12;
    other_class[at] = 3; // CHAOS
    let mut probe = good.clone();
    probe.swap(7, 9); // an authority
    let unusable = |ip: &str| Rejected::Unusable(ip.parse().unwrap());
    for (mut bytes, remote, wanted) in [
        (
            says(&name(2), "192.168.1.20", 120),
            FROM,
            Rejected::OtherName,
        ),
        (says(&name(1), "192.168.1.20", 0), FROM, Rejected::OtherName),
        (good.clone(), "192.168.1.20:5354", Rejected::WrongPort(5354)),
        (query, FROM, Rejected::OtherKind),
        (refused, FROM, Rejected::NotMulticastDns),
        (update, FROM, Rejected::NotMulticastDns),
        (other_class, FROM, Rejected::OtherName),
        (probe, FROM, Rejected::OtherName),
        (says(&name(1), "0.0.0.0", 120), FROM, unusable("0.0.0.0")),
        (
            says(&name(1), "224.0.0.251", 120),
            FROM,
            unusable("224.0.0.251"),
        ),
        (says(&name(1), "fe80::1", 120), FROM, unusable("fe80::1")),
        (
            says(&name(1), "::ffff:1.2.3.4", 120),
            FROM,
            unusable("::ffff:1.2.3.4"),
        ),
    ] {
        let got = resolver.handle_input(now, from(remote), &mut bytes);
        assert_eq!(got, Err(wanted));
        let cut = bytes.len() - 1;
        let got = resolver.handle_input(now, from(remote), &mut bytes[..cut]);
        assert!(matches!(got, Err(Rejected::Malformed(_))));
    }
    assert_eq!(resolver.poll_event(), None);
    assert_eq!(
        resolver.handle_input(now, from(FROM), &mut good.clone()),
        Ok(())
    );
}

#[test]
fn several_addresses_are_no_address() {
    let (mut resolver, now) = (Resolver::new(), start());
    let (v4, v6) = (
        says(&name(1), "10.0.0.1", 120),
        says(&name(1), "2001:db8::1", 120),
    );
    let mut both = [&v4[..], &v6[12..]].concat();
    both[7] = 2;
    resolver.resolve(now, &name(1)).unwrap();
    resolver.handle_input(now, from(FROM), &mut both).unwrap();
    let outcome = resolver.poll_event().unwrap().outcome;
    assert_eq!(outcome, Err(ResolveError::SeveralAddresses));

    // The same one twice is one.
    let mut twice = [&v4[..], &v4[12..]].concat();
    twice[7] = 2;
    resolver.resolve(now, &name(1)).unwrap();
    resolver.handle_input(now, from(FROM), &mut twice).unwrap();
    assert!(resolver.poll_event().unwrap().outcome.is_ok());
}

#[test]
fn no_more_names_than_allowed_are_asked_for() {
    let (mut resolver, now) = (Resolver::new(), start());
    for number in 0..MAX_QUERIES {
        resolver.resolve(now, &name(number)).unwrap();
    }
    let full = Err(Full(MAX_QUERIES));
    assert_eq!(resolver.resolve(now, &name(100)), full);
    resolver.cancel(&name(3));
    assert_eq!(resolver.resolve(now, &name(100)), Ok(()));
    // Whoever does not take the events does not get to ask for more.
    resolver.handle_timeout(now + Resolver::TIMEOUT);
    assert_eq!(resolver.resolve(now, &name(101)), full);
    assert_eq!(
        std::iter::from_fn(|| resolver.poll_event()).count(),
        MAX_QUERIES
    );
    assert_eq!(resolver.resolve(now, &name(101)), Ok(()));
}

#[test]
fn one_response_can_answer_for_several_names() {
    let (mut resolver, now) = (Resolver::new(), start());
    let mut all = says(&name(0), "10.0.0.0", 120);
    for number in 1..5 {
        resolver.resolve(now, &name(number)).unwrap();
        let one = says(&name(number), &format!("10.0.0.{number}"), 120);
        all.extend_from_slice(&one[12..]);
    }
    all[7] = 5;
    resolver.handle_input(now, from(FROM), &mut all).unwrap();
    let mut found: Vec<_> = std::iter::from_fn(|| resolver.poll_event())
        .map(|resolution| resolution.outcome.unwrap().to_string())
        .collect();
    found.sort();
    assert_eq!(found, ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    assert_eq!(GROUP_V4.to_string(), "224.0.0.251");
}

#[test]
fn what_everybody_was_told_of_late_is_not_asked_for() {
    let (mut resolver, now) = (Resolver::new(), start());
    let hear = |resolver: &mut Resolver, bytes: &[u8], one_shot| {
        let route = Route {
            one_shot,
            ..from(FROM)
        };
        let heard = resolver.handle_input(now, route, &mut bytes.to_vec());
        assert_eq!(heard, Err(Rejected::OtherName));
    };
    let is_known = |resolver: &mut Resolver, name: &Name, seconds| {
        let now = now + Duration::from_secs(seconds);
        resolver.resolve(now, name).unwrap();
        resolver.cancel(name);
        resolver
            .poll_event()
            .map(|resolution| resolution.outcome.unwrap().to_string())
    };
    hear(&mut resolver, &says(&name(1), "10.0.0.1", 120), false);
    hear(&mut resolver, &says(&name(2), "10.0.0.2", 60), false);
    hear(&mut resolver, &says(&name(3), "10.0.0.3", 120), true);
    let printer: Name = "printer.local".parse().unwrap();
    hear(&mut resolver, &says(&printer, "10.0.0.4", 120), false);
    assert_eq!(
        is_known(&mut resolver, &name(1), 119).as_deref(),
        Some("10.0.0.1")
    );
    assert_eq!(is_known(&mut resolver, &name(1), 120), None, "no longer");
    assert_eq!(is_known(&mut resolver, &name(2), 60), None, "not so long");
    assert_eq!(
        is_known(&mut resolver, &name(3), 0),
        None,
        "told to us alone, unasked"
    );
    assert_eq!(
        is_known(&mut resolver, &printer, 0),
        None,
        "not a candidate's"
    );

    hear(&mut resolver, &says(&name(1), "10.0.0.9", 120), false);
    assert_eq!(
        is_known(&mut resolver, &name(1), 0).as_deref(),
        Some("10.0.0.9")
    );
    hear(&mut resolver, &says(&name(1), "2001:db8::1", 120), false);
    assert_eq!(
        is_known(&mut resolver, &name(1), 0),
        None,
        "which of the two?"
    );
    hear(&mut resolver, &says(&name(1), "2001:db8::1", 0), false);
    assert_eq!(
        is_known(&mut resolver, &name(1), 0).as_deref(),
        Some("10.0.0.9")
    );
    hear(&mut resolver, &says(&name(1), "10.0.0.9", 0), false);
    assert_eq!(is_known(&mut resolver, &name(1), 0), None, "taken back");
    hear(&mut resolver, &says(&name(1), "224.0.0.1", 120), false);
    assert_eq!(is_known(&mut resolver, &name(1), 0), None, "no host's");

    for number in 0..10_000 {
        hear(&mut resolver, &says(&name(number), "10.0.0.1", 120), false);
    }
    let known = (0..10_000).filter(|n| is_known(&mut resolver, &name(*n), 0).is_some());
    assert_eq!(known.count(), 128);
}
