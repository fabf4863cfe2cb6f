//! A connection under test: what it hears is kept to be replayed, what it says to be checked.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
    sync::OnceLock,
    time::{Duration, Instant},
};

use pc_datachannel::MessageKind;
use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_simnet::{Node, Seed};
use peerconnection::{
    Certificate,
    engine::{ChannelId, Config, Connection, Event, Rejected},
    state::{DtlsTransportState, PeerConnectionState, SctpTransportState},
};

/// How many datagrams are kept to be replayed.
const HEARD: usize = 16;

/// A message as a channel delivers it.
pub(crate) type Delivered = (MessageKind, Vec<u8>);

/// An engine that remembers what it heard last, as it was before decryption.
pub(crate) struct Tap {
    pub(crate) connection: Connection,
    heard: VecDeque<(FiveTuple, Vec<u8>)>,
}

impl Protocol for Tap {
    type Route = FiveTuple;
    type Payload<'d> = ();
    type Event = Event;
    type Rejected = Rejected;

    fn handle_input(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        self.heard.truncate(HEARD - 1);
        self.heard.push_front((route, datagram.to_vec()));
        self.connection
            .handle_input(now, route, datagram)
            .map(|_| ())
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.connection.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        self.connection.poll_transmit(now, out)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.connection.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.connection.poll_timeout()
    }
}

pub(crate) struct Peer {
    tap: Tap,
    pub(crate) address: SocketAddr,
    /// By the label of the channel.
    pub(crate) received: HashMap<String, Vec<Delivered>>,
    /// Leaves messages where they are.
    pub(crate) slow: bool,
    /// The channels that were made here or announced.
    pub(crate) known: HashSet<ChannelId>,
    /// How far each channel has come: 1 open, 2 closing, 3 closed.
    stages: HashMap<ChannelId, u8>,
}

impl Peer {
    pub(crate) fn new(seed: Seed, side: usize, address: SocketAddr) -> Self {
        let seed = seed.bytes(["a", "b"][side]);
        let config = Config::new(certificate(side).clone(), seed);
        let tap = Tap {
            connection: Connection::new(config),
            heard: VecDeque::new(),
        };
        Self {
            tap,
            address,
            received: HashMap::new(),
            slow: false,
            known: HashSet::new(),
            stages: HashMap::new(),
        }
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.tap.connection
    }

    pub(crate) fn view(&self) -> &Connection {
        &self.tap.connection
    }

    /// One of the datagrams that were heard last.
    pub(crate) fn heard(&self, back: usize) -> Option<(FiveTuple, Vec<u8>)> {
        let index = back % self.tap.heard.len().max(1);
        self.tap.heard.get(index).cloned()
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.view().dtls_state() == DtlsTransportState::Connected
    }

    /// Whether a transport has ended for good.
    pub(crate) fn has_failed(&self) -> bool {
        let dtls = self.view().dtls_state();
        self.view().connection_state() == PeerConnectionState::Failed
            || matches!(
                dtls,
                DtlsTransportState::Failed | DtlsTransportState::Closed
            )
            || self.view().sctp_state() == Some(SctpTransportState::Closed)
    }

    /// Checks that a channel is announced before all else, and goes through its life once and
    /// forwards.
    pub(crate) fn note(&mut self, event: &Event) {
        let (id, stage) = match event {
            Event::DataChannel(id) => {
                assert!(self.known.insert(*id), "announced twice: {id:?}");
                return;
            }
            Event::ChannelReadable(id)
            | Event::ChannelError(id, _)
            | Event::ChannelBufferedAmountLow(id) => (*id, 0),
            Event::ChannelOpen(id) => (*id, 1),
            Event::ChannelClosing(id) => (*id, 2),
            Event::ChannelClosed(id) => (*id, 3),
            _ => return,
        };
        assert!(
            self.known.contains(&id),
            "{event:?} before its announcement"
        );
        if stage == 0 {
            return;
        }
        let before = self.stages.insert(id, stage).unwrap_or(0);
        assert!(before < stage, "{event:?} in stage {before}");
    }
}

impl Node for Peer {
    type Engine = Tap;

    fn engine(&self) -> &Tap {
        &self.tap
    }

    fn engine_mut(&mut self) -> &mut Tap {
        &mut self.tap
    }

    fn pull(&mut self, now: Instant) {
        if self.slow {
            return;
        }
        let label = |(id, channel): (ChannelId, _)| (id, label_of(channel));
        let channels: Vec<_> = self.tap.connection.channels().map(label).collect();
        for (id, label) in channels {
            let mut message = Vec::new();
            while let Some(kind) = self.tap.connection.recv(now, id, &mut message) {
                let received = self.received.entry(label.clone()).or_default();
                received.push((kind, message.clone()));
            }
        }
    }
}

fn label_of(channel: peerconnection::engine::ChannelView<'_>) -> String {
    channel.label.to_owned()
}

/// Made once: a key takes longer than the rest of a connection.
fn certificate(side: usize) -> &'static Certificate {
    static CERTIFICATES: [OnceLock<Certificate>; 2] = [const { OnceLock::new() }; 2];
    let generate = || Certificate::generate(Duration::from_secs(1_795_000_000)).expect("a key");
    CERTIFICATES[side].get_or_init(generate)
}
