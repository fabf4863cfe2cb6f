use pc_ice::{Candidate, CandidateKind, Role, TcpType, turn::Credentials};
use pc_proto::Batch;
use pc_simnet::epoch;
use pc_stun::{Attribute, Class, ErrorCode, MessageBuilder, MessageView, Method, TransactionId};

use super::*;

const SERVER: &str = "192.0.2.1:3478";
const RELAYED: &str = "192.0.2.1:50000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn peer(port: u16) -> SocketAddr {
    ([198, 51, 100, 7], port).into()
}

/// What is tested, the agent that uses it, and the server's side of the streams.
struct World {
    now: Instant,
    relays: TcpRelays,
    agent: ice::Agent,
    next_port: u16,
}

impl World {
    /// With an allocation, and a peer at [`peer`] that may connect.
    fn new() -> Self {
        let mut agent = ice::Agent::new(ice::Config::new(Role::Controlled, [7; 32]));
        let now = epoch();
        let credentials = ice::Credentials::new("them", "0123456789012345678901").unwrap();
        agent.set_remote_credentials(now, credentials).unwrap();
        let active = Candidate::tcp(CandidateKind::Host, peer(9), TcpType::Active);
        agent.add_remote_candidate(now, active).unwrap();
        let mut world = Self {
            now,
            relays: TcpRelays::new(AskerId(1)),
            agent,
            next_port: 40_000,
        };
        world.relays.want(true);
        world.relays.begin(&server());
        let control = world.reach();
        world.answer_allocate(control);
        world.serve();
        world.answer(control, Method::CREATE_PERMISSION, |_| {});
        world
    }

    /// Opens the stream that was asked for last.
    fn reach(&mut self) -> FiveTuple {
        let request = self.relays.poll_request().unwrap();
        self.next_port += 1;
        let (local, remote) = (([10, 0, 0, 1], self.next_port).into(), address(SERVER));
        let path = ServerPath::Stream { local, remote };
        self.relays.reached(self.now, request.id, &path, [9; 32]);
        tcp(local, remote)
    }

    /// The request that is to leave on this path, answered.
    fn answer(
        &mut self,
        path: FiveTuple,
        method: Method,
        build: impl FnOnce(&mut MessageBuilder<'_>),
    ) {
        self.reply(path, Class::Success, method, build);
    }

    fn reply(
        &mut self,
        path: FiveTuple,
        class: Class,
        method: Method,
        build: impl FnOnce(&mut MessageBuilder<'_>),
    ) {
        let mut batch = Batch::new();
        let to = self
            .relays
            .poll_transmit(self.now, &mut batch.transmit_buf(1200, 1));
        assert_eq!(to, Some(path));
        let request = MessageView::parse(batch.datagrams().next().unwrap()).unwrap();
        assert_eq!(request.method(), method);
        self.say(path, class, method, request.transaction_id(), build);
    }

    fn say(
        &mut self,
        path: FiveTuple,
        class: Class,
        method: Method,
        id: TransactionId,
        build: impl FnOnce(&mut MessageBuilder<'_>),
    ) {
        let mut bytes = [0; 500];
        let mut message = MessageBuilder::new(&mut bytes, class, method, id);
        build(&mut message);
        let len = message.finish().unwrap();
        let taken = self.relays.handle_input(self.now, path, &mut bytes[..len]);
        assert!(taken.unwrap().is_none());
    }

    fn answer_allocate(&mut self, control: FiveTuple) {
        self.answer(control, Method::ALLOCATE, |it| {
            it.attribute(Attribute::XorRelayedAddress(address(RELAYED)))
                .attribute(Attribute::Lifetime(600))
                .attribute(Attribute::XorMappedAddress(address("203.0.113.5:7")));
        });
    }

    fn attempt(&mut self, from: SocketAddr, id: u32) {
        let control = self.relays.streams().next().unwrap();
        let method = Method::CONNECTION_ATTEMPT;
        self.say(
            control,
            Class::Indication,
            method,
            TransactionId([1; 12]),
            |it| {
                it.attribute(Attribute::XorPeerAddress(from))
                    .attribute(Attribute::ConnectionId(id));
            },
        );
    }

    fn serve(&mut self) {
        self.relays.serve(self.now, &self.agent);
    }

    fn told(&mut self) -> Vec<Told> {
        std::iter::from_fn(|| self.relays.poll_told()).collect()
    }
}

fn server() -> IceServer {
    IceServer {
        uri: format!("turn:{SERVER}?transport=tcp").parse().unwrap(),
        credentials: Some(Credentials::new("user", "secret")),
    }
}

/// RFC 6544 §4.5, §5.1
#[test]
fn an_allocation_is_two_candidates() {
    let mut world = World::new();
    let found = world.told().into_iter().map(|told| match told {
        Told::Found(candidate, origin) => {
            assert_eq!(origin.protocol, "tcp");
            (
                candidate.tcp_type,
                candidate.address,
                candidate.related_address,
            )
        }
        _ => panic!("no candidate"),
    });
    let (active, passive) = (Some(TcpType::Active), Some(TcpType::Passive));
    let mapped = Some(address("203.0.113.5:7"));
    let expected = [
        (active, address("192.0.2.1:9"), mapped),
        (passive, address(RELAYED), mapped),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    // It is asked for once, however often it is gathered.
    world.relays.begin(&server());
    assert!(world.relays.poll_request().is_none());
}

/// A stream to the very server, bound, is the peer's: from then on nothing on it is STUN's.
#[test]
fn a_peer_that_connects_gets_a_stream() {
    let mut world = World::new();
    world.attempt(peer(6000), 77);
    let request = world.relays.requests.front().unwrap();
    assert_eq!(request.alternate, Some((address(SERVER), None)));
    let path = world.reach();
    assert!(!world.relays.carries_peer(path));
    world.answer(path, Method::CONNECTION_BIND, |_| {});
    assert!(world.relays.carries_peer(path));
    let route = tcp(address(RELAYED), peer(6000));
    assert_eq!(world.relays.path_of(route), Some(path));
    let mut check = *b"anything";
    let taken = world.relays.handle_input(world.now, path, &mut check);
    assert_eq!(taken.unwrap().unwrap().0, route);
    // The agent has not heard of the address: it is told when the stream ends nevertheless.
    world.told();
    world.relays.stream_lost(world.now, path);
    assert!(matches!(world.told()[..], [Told::ConnectionLost(it)] if it == route));
    assert_eq!(world.relays.path_of(route), None);
}

#[test]
fn peers_that_connect_without_end_get_a_few_streams_for_a_while() {
    let mut world = World::new();
    for n in 0..10_000 {
        world.attempt(peer(1000 + n), n.into());
    }
    assert_eq!(world.relays.connections.len(), MAX_CONNECTIONS);
    assert_eq!(world.relays.requests.len(), MAX_CONNECTIONS);
    let path = world.reach();
    world.answer(path, Method::CONNECTION_BIND, |_| {});
    // None has proven anything.
    world.now = world.relays.poll_timeout().unwrap();
    assert_eq!(world.now - epoch(), PROBATION);
    world.relays.handle_timeout(world.now);
    world.serve();
    assert!(world.relays.connections.is_empty());
    assert_eq!(world.relays.streams().count(), 1);
}

/// Another connection with the same ends takes the place of one whose end was not heard of.
#[test]
fn the_same_peer_comes_again() {
    let mut world = World::new();
    for id in [1, 2] {
        world.attempt(peer(6000), id);
        let path = world.reach();
        world.answer(path, Method::CONNECTION_BIND, |_| {});
    }
    assert_eq!(world.relays.connections.len(), 1);
}

#[test]
fn what_is_refused_is_told_to_the_agent() {
    let mut world = World::new();
    world.told();
    let route = tcp(address("192.0.2.1:9"), peer(7000));
    let control = world.relays.streams().next().unwrap();
    let refused = |world: &mut World| {
        let told = world.told();
        matches!(told[..], [Told::NotConnected(it)] if it == route)
    };
    let connect = |world: &mut World| {
        let relay = &mut world.relays.relays[0];
        relay.client.connect(world.now, peer(7000)).unwrap();
    };
    // By the server …
    connect(&mut world);
    world.reply(control, Class::Error, Method::CONNECT, |it| {
        it.attribute(Attribute::ErrorCode(
            ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE,
        ));
    });
    assert!(refused(&mut world));
    // … no stream for it …
    connect(&mut world);
    world.answer(control, Method::CONNECT, |it| {
        it.attribute(Attribute::ConnectionId(5));
    });
    let request = world.relays.poll_request().unwrap();
    world.relays.unreachable(request.id);
    assert!(refused(&mut world));
    // … and one that cannot be bound.
    connect(&mut world);
    world.answer(control, Method::CONNECT, |it| {
        it.attribute(Attribute::ConnectionId(6));
    });
    let path = world.reach();
    world.reply(path, Class::Error, Method::CONNECTION_BIND, |it| {
        it.attribute(Attribute::ErrorCode(ErrorCode::BAD_REQUEST));
    });
    assert!(refused(&mut world));
    assert!(world.relays.connections.is_empty());
}

/// With the control stream every connection goes, and both candidates (RFC 6062 §4.6).
#[test]
fn the_allocation_goes_with_its_stream() {
    let mut world = World::new();
    world.attempt(peer(6000), 1);
    let path = world.reach();
    world.answer(path, Method::CONNECTION_BIND, |_| {});
    world.told();
    let control = world.relays.streams().next().unwrap();
    world.relays.stream_lost(world.now, control);
    let lost = world.told().into_iter().filter_map(|told| match told {
        Told::Lost(address) => Some(address),
        _ => None,
    });
    let lost: Vec<_> = lost.collect();
    assert_eq!(lost, [address("192.0.2.1:9"), address(RELAYED)]);
    assert_eq!(world.relays.streams().count(), 0);
    assert!(world.relays.have_answered());
}

/// RFC 6062 §5.1: 442.
#[test]
fn who_relays_no_connections_is_asked_once_and_no_error_told() {
    let mut relays = TcpRelays::new(AskerId(1));
    relays.begin(&server());
    assert!(relays.poll_request().is_none(), "it is not wanted");
    let mut world = World::new();
    world.relays = relays;
    world.relays.want(true);
    world.relays.begin(&server());
    let control = world.reach();
    assert!(!world.relays.have_answered());
    world.reply(control, Class::Error, Method::ALLOCATE, |it| {
        it.attribute(Attribute::ErrorCode(
            ErrorCode::UNSUPPORTED_TRANSPORT_PROTOCOL,
        ));
    });
    assert!(world.relays.have_answered());
    assert!(world.told().is_empty());
    assert_eq!(world.relays.streams().count(), 0);
}
