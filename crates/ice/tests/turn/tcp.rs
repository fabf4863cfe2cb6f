//! Allocations for TCP connections (RFC 6062).

use pc_ice::{Error, Rejected, ServerError, ServerTransport, turn};
use pc_proto::{Batch, FiveTuple, Protocol};
use pc_simnet::ms;
use pc_stun::{
    Attribute, AttributeType, Class, ErrorCode, IntegrityKey, MessageBuilder, MessageView, Method,
    PasswordAlgorithm, TransactionId,
};

use crate::{
    server::{Policy, REALM},
    world::{PEERS, SERVER, World, address},
};

fn tcp(policy: Policy) -> World {
    World::with(1.into(), policy, |config| {
        config.transport = ServerTransport::Tcp;
        config.relayed = turn::RelayedTransport::Tcp;
    })
    .allocate()
}

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

/// RFC 6062 §4.3: Connect and its connection id; §4.1: no datagrams.
#[test]
fn the_server_connects() {
    let mut world = tcp(Policy {
        refuse: [(Method::CONNECT, ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE)].into(),
        ..Policy::default()
    });
    let requested = world.server().requests(Method::ALLOCATE)[0].clone();
    let view = MessageView::parse(&requested.bytes).unwrap();
    let protocol = view.attribute(AttributeType::REQUESTED_TRANSPORT);
    assert_eq!(protocol, Some(Attribute::RequestedTransport(6)));
    let (now, peer) = (world.now(), address(PEERS[0]));
    let client = &mut world.app().client;
    assert_eq!(client.bind_channel(now, peer), Err(Error::OtherTransport));
    let mut batch = Batch::new();
    let sent = client.wrap(&mut batch.transmit_buf(1200, 8), peer, |_| ());
    assert_eq!(sent, Err(Error::OtherTransport));
    client.connect(now, peer).unwrap();
    let events = world.until(|_| true);
    let error = ServerError::Refused(ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE.into());
    assert_eq!(events, [turn::Event::NotConnected(peer, error)]);
    let now = world.now();
    world.app().client.connect(now, peer).unwrap();
    let connected = turn::Event::Connected(peer, turn::ConnectionId(5000));
    assert_eq!(world.until(|_| true), [connected]);
    // 16 are under way, and 32 wait.
    let client = &mut world.app().client;
    for port in 1..=48 {
        client
            .connect(now, ([198, 51, 100, 9], port).into())
            .unwrap();
    }
    assert_eq!(client.connect(now, peer), Err(Error::TooManyPeers));
    // On an allocation for datagrams it is the other way round.
    let mut datagrams = World::new(Policy::default()).allocate();
    let result = datagrams.app().client.connect(now, peer);
    assert_eq!(result, Err(Error::OtherTransport));
}

/// RFC 6062 §4.4: attempts of peers with a permission.
#[test]
fn peers_connect() {
    let mut world = tcp(Policy::default());
    let attempt = |world: &mut World, peer: &str| {
        let peer = Attribute::XorPeerAddress(address(peer));
        let method = Method::CONNECTION_ATTEMPT;
        let bytes = message(Class::Indication, method, TransactionId([1; 12]), |it| {
            it.attribute(peer).attribute(Attribute::ConnectionId(77));
        });
        world.inject(&bytes)
    };
    assert_eq!(attempt(&mut world, PEERS[0]), Err(Rejected::NotPermitted));
    world.permit(PEERS[0]);
    assert_eq!(attempt(&mut world, PEERS[0]), Ok(false));
    let event = turn::Event::ConnectionAttempt(address(PEERS[0]), turn::ConnectionId(77));
    assert_eq!(world.app().client.poll_event(), Some(event));
    for _ in 0..10_000 {
        let _ = attempt(&mut world, PEERS[0]);
    }
    let client = &mut world.app().client;
    let waiting = std::iter::from_fn(|| client.poll_event()).count();
    assert!(waiting <= 512, "{waiting} events");
}

/// A connection that is being bound, and the answers of the server on it.
struct Binding {
    connection: turn::DataConnection,
    world: World,
    batch: Batch,
}

impl Binding {
    fn new() -> Self {
        let mut world = tcp(Policy::default());
        let path = FiveTuple::udp(address("10.0.0.1:4001"), address(SERVER));
        let id = turn::ConnectionId(77);
        let connection = world.app().client.bind_connection(id, path).unwrap();
        Self {
            connection,
            world,
            batch: Batch::new(),
        }
    }

    fn request(&mut self) -> MessageView<'_> {
        let now = self.world.now();
        let mut out = self.batch.transmit_buf(1200, 8);
        self.connection.poll_transmit(now, &mut out).unwrap();
        MessageView::parse(self.batch.datagrams().next().unwrap()).unwrap()
    }

    fn answer(&mut self, mut bytes: Vec<u8>) -> Result<(), Rejected> {
        let (now, path) = (self.world.now(), self.connection.path());
        self.connection.handle_input(now, path, &mut bytes)
    }
}

/// RFC 6062 §4.3: ConnectionBind is signed with the client's credentials; then the bytes are the
/// peer's.
#[test]
fn a_connection_is_bound() {
    use turn::DataConnectionState::{Binding as Asking, Bound};
    let key = IntegrityKey::long_term("user", REALM, "secret", PasswordAlgorithm::Md5);
    let mut binding = Binding::new();
    let request = binding.request();
    request.verify_integrity(&key).unwrap();
    let connection = request.attribute(AttributeType::CONNECTION_ID);
    assert_eq!(connection, Some(Attribute::ConnectionId(77)));
    // Its nonce may be stale by now.
    let (id, method) = (request.transaction_id(), request.method());
    let stale = message(Class::Error, method, id, |it| {
        it.attribute(Attribute::ErrorCode(ErrorCode::STALE_NONCE))
            .attribute(Attribute::Realm(REALM))
            .attribute(Attribute::Nonce("newer"));
    });
    binding.answer(stale).unwrap();
    assert_eq!(*binding.connection.state(), Asking);
    let request = binding.request();
    assert_eq!(request.nonce(), Some("newer"));
    let id = request.transaction_id();
    let answer = message(Class::Success, method, id, |it| {
        it.integrity(&key);
    });
    binding.answer(answer).unwrap();
    assert_eq!(*binding.connection.state(), Bound);
    assert_eq!(binding.connection.poll_timeout(), None);
}

/// RFC 8489 §9.2.5, §6.2.2: what does not bind it.
#[test]
fn what_is_not_an_answer_does_not_bind() {
    use turn::DataConnectionState::{Binding as Asking, Failed};
    let key = IntegrityKey::long_term("user", REALM, "secret", PasswordAlgorithm::Md5);
    let mut binding = Binding::new();
    let id = binding.request().transaction_id();
    let bind = Method::CONNECTION_BIND;
    let other = message(Class::Success, bind, TransactionId([1; 12]), |it| {
        it.integrity(&key);
    });
    assert_eq!(binding.answer(other), Err(Rejected::UnmatchedResponse));
    let method = message(Class::Success, Method::CONNECT, id, |it| {
        it.integrity(&key);
    });
    assert_eq!(binding.answer(method), Err(Rejected::UnexpectedMethod));
    assert_eq!(*binding.connection.state(), Asking);
    binding
        .answer(message(Class::Success, bind, id, |_| {}))
        .unwrap();
    let unsigned = Failed(ServerError::Integrity(None));
    assert_eq!(*binding.connection.state(), unsigned);
    // Silence.
    let mut binding = Binding::new();
    binding.request();
    let at = binding.connection.poll_timeout().unwrap();
    assert_eq!(at - binding.world.now(), ms(39_500));
    binding.connection.handle_timeout(at);
    assert_eq!(*binding.connection.state(), Failed(ServerError::Timeout));
}
