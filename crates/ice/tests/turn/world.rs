//! A client, a server and peers that echo, on a simulated network.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_ice::{Error, Rejected, ServerTransport, turn};
use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_simnet::{HostId, LazyDriver, Link, Network, Seed, ms};

use crate::server::{Policy, Server};

pub(crate) const CLIENT: &str = "10.0.0.1:4000";
pub(crate) const SERVER: &str = "192.0.2.1:3478";
pub(crate) const PEERS: [&str; 3] = ["198.51.100.1:5000", "198.51.100.2:6000", "[2001:db8::9]:7"];

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// An application above the client.
pub(crate) struct App {
    pub(crate) client: turn::Client,
    /// What is to be sent to peers.
    pub(crate) outbox: VecDeque<(SocketAddr, Vec<u8>)>,
    /// What came from peers.
    pub(crate) heard: Vec<(SocketAddr, Vec<u8>)>,
    /// What could not be sent, and why.
    pub(crate) unsent: Vec<Error>,
}

#[allow(clippy::large_enum_variant)]
pub(crate) enum Node {
    App(App),
    Server(Server),
    /// Echoes.
    Peer(VecDeque<(FiveTuple, Vec<u8>)>),
}

impl Protocol for Node {
    type Route = FiveTuple;
    type Payload<'d> = ();
    type Event = turn::Event;
    type Rejected = Rejected;

    fn handle_input(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        match self {
            Self::App(app) => {
                let relayed = app.client.handle_input(now, route, datagram)?;
                let owned = relayed.map(|it| (it.peer, it.data.to_vec()));
                app.heard.extend(owned);
            }
            Self::Server(server) => server.handle_input(now, route, datagram)?,
            Self::Peer(echoes) => echoes.push_back((route, datagram.to_vec())),
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Self::App(app) = self {
            app.client.handle_timeout(now);
            let next = app.client.poll_timeout();
            assert!(
                next.is_none_or(|at| at > now),
                "a timeout that does not go away"
            );
        }
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        match self {
            Self::App(app) => {
                if let Some(route) = app.client.poll_transmit(now, out) {
                    return Some(route);
                }
                while let Some((peer, data)) = app.outbox.pop_front() {
                    let sent = app.client.wrap(out, peer, |inner| {
                        inner.datagram(data.len(), |place| place.copy_from_slice(&data));
                    });
                    match sent {
                        Ok(()) => return Some(app.client.path()),
                        Err(error) => app.unsent.push(error),
                    }
                }
                None
            }
            Self::Server(server) => server.poll_transmit(now, out),
            Self::Peer(echoes) => {
                let (route, bytes) = echoes.pop_front()?;
                out.datagram(bytes.len(), |place| place.copy_from_slice(&bytes));
                Some(route)
            }
        }
    }

    fn poll_event(&mut self) -> Option<turn::Event> {
        match self {
            Self::App(app) => app.client.poll_event(),
            _ => None,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::App(app) => app.client.poll_timeout(),
            _ => None,
        }
    }
}

pub(crate) struct World {
    pub(crate) network: Network<Node>,
    pub(crate) app: HostId,
    pub(crate) server: HostId,
}

pub(crate) fn config(seed: Seed) -> turn::Config {
    let path = FiveTuple::udp(address(CLIENT), address(SERVER));
    let credentials = turn::Credentials::new("user", "secret");
    turn::Config::new(
        path,
        ServerTransport::Udp,
        credentials,
        seed.bytes("client"),
    )
}

impl World {
    pub(crate) fn new(policy: Policy) -> Self {
        Self::with(1.into(), policy, |_| {})
    }

    pub(crate) fn with(seed: Seed, policy: Policy, change: impl FnOnce(&mut turn::Config)) -> Self {
        let mut config = config(seed);
        change(&mut config);
        let app = App {
            client: turn::Client::new(config).unwrap(),
            outbox: VecDeque::new(),
            heard: Vec::new(),
            unsent: Vec::new(),
        };
        let server = Server::new(address(SERVER), policy);
        let mut network = Network::new(seed).with_limits(Duration::from_secs(100_000), 10_000_000);
        let app = network.add(Node::App(app), &[address(CLIENT)]);
        let relayed = server.relay.addresses();
        let addresses: Vec<_> = relayed.chain([address(SERVER)]).collect();
        let server = network.add(Node::Server(server), &addresses);
        for peer in PEERS {
            network.add(Node::Peer(VecDeque::new()), &[address(peer)]);
        }
        Self {
            network,
            app,
            server,
        }
    }

    /// A bad network, and a driver that calls late, early and twice.
    pub(crate) fn bad(mut self) -> Self {
        let link = Link::new()
            .delay(ms(20))
            .jitter(ms(5))
            .loss(0.1)
            .duplicate(0.1);
        self.network = self
            .network
            .with_link(link)
            .with_driver(LazyDriver::default());
        self
    }

    pub(crate) fn app(&mut self) -> &mut App {
        match &mut self.network[self.app].node {
            Node::App(app) => app,
            _ => unreachable!(),
        }
    }

    pub(crate) fn server(&mut self) -> &mut Server {
        match &mut self.network[self.server].node {
            Node::Server(server) => server,
            _ => unreachable!(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.network.now()
    }

    pub(crate) fn events(&mut self) -> Vec<turn::Event> {
        self.network[self.app].take_events()
    }

    /// Runs until an event comes; gives it and those before it.
    pub(crate) fn until(&mut self, wanted: impl Fn(&turn::Event) -> bool) -> Vec<turn::Event> {
        let app = self.app;
        self.network.run(|network| network[app].saw(&wanted));
        self.events()
    }

    pub(crate) fn allocate(mut self) -> Self {
        let events = self.until(|event| *event == turn::Event::Allocated);
        assert_eq!(events, [turn::Event::Allocated]);
        self
    }

    /// Permits a peer and waits for it.
    pub(crate) fn permit(&mut self, peer: &str) {
        let (now, peer) = (self.now(), address(peer));
        self.app().client.permit(now, peer).unwrap();
        self.until(|event| *event == turn::Event::Permitted(peer.ip()));
    }

    /// Binds a channel to a peer and waits for it.
    pub(crate) fn bind(&mut self, peer: &str) {
        let (now, peer) = (self.now(), address(peer));
        self.app().client.bind_channel(now, peer).unwrap();
        self.until(|event| *event == turn::Event::ChannelBound(peer));
    }

    /// Sends to a peer and says whether its echo came back.
    pub(crate) fn echoes(&mut self, peer: &str, data: &[u8]) -> bool {
        let peer = address(peer);
        self.app().heard.clear();
        self.app().outbox.push_back((peer, data.to_vec()));
        self.network.run_for(ms(500));
        self.app().heard.contains(&(peer, data.to_vec()))
    }

    /// Puts a datagram into the client, as from the server.
    pub(crate) fn inject(&mut self, datagram: &[u8]) -> Result<bool, Rejected> {
        let now = self.now();
        let client = &mut self.app().client;
        let path = client.path();
        let mut datagram = datagram.to_vec();
        let result = client.handle_input(now, path, &mut datagram);
        result.map(|data| data.is_some())
    }

    /// The one event that ended the client.
    pub(crate) fn end(&mut self) -> turn::Event {
        let ended = |event: &turn::Event| {
            matches!(
                event,
                turn::Event::Failed(_) | turn::Event::Released | turn::Event::Redirected(_)
            )
        };
        let mut events = self.until(ended);
        assert!(self.app().client.is_ended());
        assert_eq!(
            self.app().client.poll_timeout(),
            None,
            "an ended client is inert"
        );
        events.pop().unwrap()
    }
}
