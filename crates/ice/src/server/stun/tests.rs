use pc_proto::Batch;
use pc_simnet::ms;
use pc_stun::{AddressFamily, ErrorCode};

use super::*;

const MAPPED: &str = "198.51.100.7:61000";

fn path() -> FiveTuple {
    FiveTuple::udp(
        "10.0.0.1:4000".parse().unwrap(),
        "192.0.2.1:3478".parse().unwrap(),
    )
}

struct Bench {
    client: StunClient,
    now: Instant,
    batch: Batch,
}

impl Bench {
    fn new(transport: ServerTransport) -> Self {
        Self::with(StunConfig::new(path(), transport, [7; 32]))
    }

    fn with(config: StunConfig) -> Self {
        Self {
            client: StunClient::new(config),
            now: pc_simnet::epoch(),
            batch: Batch::new(),
        }
    }

    /// The transaction of the request that leaves, if one does.
    fn request(&mut self) -> Option<TransactionId> {
        let mut out = self.batch.transmit_buf(1200, 8);
        let route = self.client.poll_transmit(self.now, &mut out)?;
        assert_eq!(route, path());
        let request = MessageView::parse(self.batch.datagrams().next().unwrap()).unwrap();
        assert_eq!(
            (request.class(), request.method()),
            (Class::Request, Method::BINDING)
        );
        Some(request.transaction_id())
    }

    fn answer(
        &mut self,
        class: Class,
        id: TransactionId,
        attributes: &[Attribute<'_>],
    ) -> Result<(), Rejected> {
        self.answer_from(path(), class, id, attributes)
    }

    fn answer_from(
        &mut self,
        route: FiveTuple,
        class: Class,
        id: TransactionId,
        attributes: &[Attribute<'_>],
    ) -> Result<(), Rejected> {
        let mut bytes = message(class, id, attributes);
        self.client.handle_input(self.now, route, &mut bytes)
    }

    /// Lets time pass until something happens.
    fn step(&mut self) -> bool {
        let Some(at) = self.client.poll_timeout() else {
            return false;
        };
        assert!(at > self.now);
        self.now = at;
        self.client.handle_timeout(self.now);
        true
    }
}

fn message(class: Class, id: TransactionId, attributes: &[Attribute<'_>]) -> Vec<u8> {
    let mut bytes = vec![0; 600];
    let mut builder = MessageBuilder::new(&mut bytes, class, Method::BINDING, id);
    for attribute in attributes {
        builder.attribute(*attribute);
    }
    let len = builder.finish().unwrap();
    bytes.truncate(len);
    bytes
}

fn mapped(text: &str) -> Attribute<'static> {
    Attribute::XorMappedAddress(text.parse().unwrap())
}

/// RFC 8489 §6.2.1: the same request seven times, then the end; W3C: error 701.
#[test]
fn silence_ends_after_39_5_seconds() {
    for (transport, count) in [(ServerTransport::Udp, 7), (ServerTransport::Tls, 1)] {
        let mut bench = Bench::new(transport);
        let (start, mut requests) = (bench.now, Vec::new());
        requests.extend(bench.request());
        while bench.step() {
            requests.extend(bench.request());
        }
        assert_eq!(requests.len(), count, "{transport}");
        assert!(requests.iter().all(|id| *id == requests[0]));
        assert_eq!(bench.now - start, ms(39_500));
        let failed = StunEvent::Failed(ServerError::Timeout);
        assert_eq!(bench.client.poll_event(), Some(failed));
        assert_eq!(ServerError::Timeout.code(), 701);
        assert!(bench.client.is_ended());
    }
}

/// RFC 8445 §11: another request every 15 s; a NAT that gives another address is told.
#[test]
fn the_binding_is_kept_alive() {
    let mut bench = Bench::new(ServerTransport::Udp);
    let first = bench.request().unwrap();
    bench.now += ms(30);
    bench
        .answer(Class::Success, first, &[mapped(MAPPED)])
        .unwrap();
    let event = |text: &str| Some(StunEvent::Mapped(text.parse().unwrap()));
    assert_eq!(bench.client.poll_event(), event(MAPPED));
    let answered = bench.now;
    for other in [MAPPED, "198.51.100.7:62000"] {
        assert!(bench.step());
        let id = bench.request().unwrap();
        assert_ne!(id, first, "a new transaction");
        bench.answer(Class::Success, id, &[mapped(other)]).unwrap();
    }
    assert_eq!(bench.now - answered, ms(30_000));
    assert_eq!(bench.client.poll_event(), event("198.51.100.7:62000"));
    assert_eq!(
        bench.client.poll_event(),
        None,
        "no event for the same address"
    );
    // Without keepalives nothing is pending.
    let mut once = Bench::with(StunConfig {
        keepalive: None,
        ..StunConfig::new(path(), ServerTransport::Udp, [1; 32])
    });
    let id = once.request().unwrap();
    once.answer(Class::Success, id, &[mapped(MAPPED)]).unwrap();
    assert_eq!(once.client.poll_timeout(), None);
}

/// RFC 8489 §14.1: servers of RFC 3489 know MAPPED-ADDRESS alone.
#[test]
fn an_address_in_the_clear_is_taken() {
    let mut bench = Bench::new(ServerTransport::Udp);
    let id = bench.request().unwrap();
    let address = MAPPED.parse().unwrap();
    bench
        .answer(Class::Success, id, &[Attribute::MappedAddress(address)])
        .unwrap();
    assert_eq!(bench.client.mapped_address(), Some(address));
}

/// RFC 8489 §6.3: what is not the answer changes nothing.
#[test]
fn forged_answers_change_nothing() {
    let mut bench = Bench::new(ServerTransport::Udp);
    let id = bench.request().unwrap();
    let other = TransactionId([1; 12]);
    let before = format!("{:?}", bench.client);
    let forged = [mapped("203.0.113.66:6")];
    let elsewhere = FiveTuple::udp(path().local, "192.0.2.66:3478".parse().unwrap());
    assert_eq!(
        bench.answer(Class::Success, other, &forged),
        Err(Rejected::UnmatchedResponse)
    );
    assert_eq!(
        bench.answer_from(elsewhere, Class::Success, id, &forged),
        Err(Rejected::UnknownPath)
    );
    assert_eq!(
        bench.answer(Class::Indication, id, &forged),
        Err(Rejected::UnexpectedMethod)
    );
    let mut bytes = message(Class::Success, id, &forged);
    bytes.pop();
    let cut = bench.client.handle_input(bench.now, path(), &mut bytes);
    assert!(matches!(cut, Err(Rejected::Malformed(_))), "{cut:?}");
    assert_eq!(format!("{:?}", bench.client), before);
    bench.answer(Class::Success, id, &[mapped(MAPPED)]).unwrap();
    assert_eq!(
        bench.answer(Class::Success, id, &forged),
        Err(Rejected::UnmatchedResponse),
        "a second answer"
    );
    assert_eq!(bench.client.mapped_address(), MAPPED.parse().ok());
}

/// RFC 8489 §6.3.3–6.3.4: errors with code and text, and answers that are of no use.
#[test]
fn errors_are_told() {
    let unusable = ["0.0.0.0:5", "10.0.0.1:0", "224.0.0.1:9"].map(mapped);
    let unknown = Attribute::Unknown {
        kind: AttributeType(0x7777),
        value: &[],
    };
    let padded = ErrorCode {
        code: 420,
        reason: "no, \"thank\" you\0\0",
    };
    let refused = ErrorCode {
        reason: "no, \"thank\" you",
        ..padded
    };
    let text = "the server refuses: 420 no, \"thank\" you";
    let bad = |what| ServerError::BadResponse(what);
    for (class, attribute, expected) in [
        (Class::Success, unusable[0], bad("XOR-MAPPED-ADDRESS")),
        (Class::Success, unusable[1], bad("XOR-MAPPED-ADDRESS")),
        (Class::Success, unusable[2], bad("XOR-MAPPED-ADDRESS")),
        (
            Class::Success,
            unknown,
            ServerError::UnknownAttribute(0x7777),
        ),
        (Class::Error, unknown, ServerError::UnknownAttribute(0x7777)),
        (
            Class::Error,
            Attribute::RequestedAddressFamily(AddressFamily::V4),
            bad("ERROR-CODE"),
        ),
        (
            Class::Error,
            Attribute::ErrorCode(padded),
            ServerError::Refused(refused.into()),
        ),
    ] {
        let mut bench = Bench::new(ServerTransport::Udp);
        let id = bench.request().unwrap();
        bench.answer(class, id, &[attribute]).unwrap();
        let Some(StunEvent::Failed(error)) = bench.client.poll_event() else {
            panic!("{attribute:?} is taken");
        };
        assert_eq!(error, expected);
        assert!(error.code() == 701 || (error.code() == 420 && error.to_string() == text));
        assert_eq!(bench.client.poll_timeout(), None);
        assert_eq!(bench.request(), None, "an ended client is inert");
    }
}

/// RFC 8489 §10: 300 names another server, of the same family, and not in a circle.
#[test]
fn redirections_are_followed_and_not_in_circles() {
    let alternate = |text: &str| Attribute::AlternateServer(text.parse().unwrap());
    let try_alternate = Attribute::ErrorCode(ErrorCode::TRY_ALTERNATE);
    let redirect = |redirects: Redirects, attributes: &[Attribute<'_>]| {
        let mut bench = Bench::with(StunConfig {
            redirects,
            ..StunConfig::new(path(), ServerTransport::Udp, [2; 32])
        });
        let id = bench.request().unwrap();
        bench.answer(Class::Error, id, attributes).unwrap();
        bench.client.poll_event().unwrap()
    };
    let domain = Attribute::AlternateDomain("b.example.org");
    let event = redirect(
        Redirects::new(),
        &[try_alternate, alternate("192.0.2.2:3478"), domain],
    );
    let StunEvent::Redirected(second) = event else {
        panic!("{event:?}");
    };
    assert_eq!(second.server, "192.0.2.2:3478".parse().unwrap());
    assert_eq!(second.domain.as_deref(), Some("b.example.org"));
    // The chain knows the first server, which is this bench's again.
    for (redirects, to) in [
        (second.redirects, "192.0.2.1:3478"),
        (Redirects::new(), "192.0.2.1:3478"),
    ] {
        let event = redirect(redirects, &[try_alternate, alternate(to)]);
        let circle = ServerError::RedirectLoop(to.parse().unwrap());
        assert_eq!(event, StunEvent::Failed(circle));
    }
    for wrong in [
        alternate("[2001:db8::1]:3478"),
        alternate("127.0.0.1:25"),
        alternate("0.0.0.0:1"),
        domain,
    ] {
        let event = redirect(Redirects::new(), &[try_alternate, wrong]);
        let bad = ServerError::BadResponse("ALTERNATE-SERVER");
        assert_eq!(event, StunEvent::Failed(bad));
    }
}

/// A chain of servers that always know another one ends.
#[test]
fn long_chains_end() {
    let mut redirects = Redirects::new();
    let mut hops = 0;
    let end = loop {
        let mut config = StunConfig::new(path(), ServerTransport::Udp, [hops; 32]);
        config.redirects = redirects;
        let mut bench = Bench::with(config);
        let id = bench.request().unwrap();
        let to = SocketAddr::from(([192, 0, 2, 100 + hops], 3478));
        let code = Attribute::ErrorCode(ErrorCode::TRY_ALTERNATE);
        bench
            .answer(Class::Error, id, &[code, Attribute::AlternateServer(to)])
            .unwrap();
        match bench.client.poll_event() {
            Some(StunEvent::Redirected(next)) => redirects = next.redirects,
            other => break other,
        }
        hops += 1;
    };
    assert!(matches!(
        end,
        Some(StunEvent::Failed(ServerError::RedirectLoop(_)))
    ));
    assert_eq!(hops, 8);
}

#[test]
fn a_lost_connection_ends_the_client() {
    let mut bench = Bench::new(ServerTransport::Tcp);
    bench.request().unwrap();
    bench.client.connection_lost();
    let lost = StunEvent::Failed(ServerError::ConnectionLost);
    assert_eq!(bench.client.poll_event(), Some(lost));
    bench.client.connection_lost();
    assert_eq!(bench.client.poll_event(), None, "told once");
}
