//! The sans-IO engine: a whole peer connection as a value.
//!
//! [`Connection`] is what [`PeerConnection`](crate::PeerConnection) drives, and an entrance of its
//! own for servers, tests and other runtimes: it implements [`Protocol`] and owns no socket, clock,
//! lock or task.
//!
//! ```text
//!             create/set descriptions, candidates       send, recv          frames, packets
//!                          │                               │                      │
//!   engine::Connection ────┼───────────────────────────────┼──────────────────────┼──────────────
//!      pc_jsep::Session (offer/answer)     pc_datachannel::Session   pc_rtp_session::Session ┐
//!      States                              (DCEP, SCTP)              pc_srtp                 │ one or
//!                                                    pc_dtls::Connection                     │ several
//!                                                    pc_ice::Agent                           │ transports
//!                                                    servers: STUN, TURN                     ┘
//!                                                           │ datagrams with their 5-tuples
//! ```
//!
//! ```
//! use peerconnection::engine::{Config, Connection};
//! use pc_proto::{Batch, Protocol};
//!
//! # #[allow(clippy::disallowed_methods)]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = std::time::Instant::now();
//! let unix_time = std::time::Duration::from_secs(1_800_000_000);
//! let new = |seed| {
//!     let certificate = pc_dtls::Certificate::generate(unix_time)?;
//!     Ok::<_, Box<dyn std::error::Error>>(Connection::new(Config::new(certificate, seed)))
//! };
//! let (mut a, mut b) = (new([1; 32])?, new([2; 32])?);
//! let chat = a.create_data_channel(now, "chat", Default::default())?;
//!
//! // Signaling: here, both sides know all their addresses at once.
//! let (address_a, address_b) = ("192.0.2.1:5000".parse()?, "192.0.2.2:5000".parse()?);
//! a.set_local_description(now, None)?;
//! a.gather(now, &[address_a]);
//! b.set_remote_description(now, a.local_description().unwrap())?;
//! b.set_local_description(now, None)?;
//! b.gather(now, &[address_b]);
//! a.set_remote_description(now, b.local_description().unwrap())?;
//!
//! // The network: carry datagrams both ways until nothing moves.
//! let mut batch = Batch::new();
//! let mut moved = true;
//! while moved {
//!     moved = false;
//!     for from_a in [true, false] {
//!         let (from, to) = if from_a { (&mut a, &mut b) } else { (&mut b, &mut a) };
//!         while let Some(route) = from.poll_transmit(now, &mut batch.transmit_buf(1200, 16)) {
//!             for datagram in batch.datagrams() {
//!                 let _ = to.handle_input(now, route.reversed(), &mut datagram.to_vec());
//!             }
//!             moved = true;
//!         }
//!     }
//! }
//! a.send(now, chat, pc_datachannel::Message::Text("hello"))?;
//! # Ok(()) }
//! ```

mod candidate;
mod channels;
mod config;
mod data;
mod dtls_transport;
mod dtmf;
mod event;
mod gather;
mod gathering;
mod hosts;
mod look;
mod media;
mod names;
mod pool;
mod rtp_parameters;
mod rtp_transport;
mod servers;
mod shared_sockets;
mod signaling;
mod states;
mod stats;
mod tcp;
mod traffic;
mod transceivers;
mod transport;
mod transports;
mod view;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_dtls::{self as dtls, HashAlgorithm};
use pc_jsep::{self as jsep, DataPlan, TransportPlan};
use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

pub use channels::{ChannelView, SEND_HIGH_WATER};
pub use config::{Config, WallClock};
pub use event::{Event, Rejected};
pub use gather::GATHERING_TIMEOUT;
pub use look::TransportInfo;
pub use media::{MediaPacket, SendView};
pub use names::{NameId, NameRequest};
pub use pc_datachannel::{ChannelId, Message};
pub use pc_ice::{Network, NetworkCost};
pub use pc_jsep::{
    IceCredentials, MediaKind, OfferOptions, SectionName, TransceiverId, TransceiverInit,
    TransceiverView, TransportId, UfragPrefix,
};
pub use pc_rtp::{AudioLevel, PayloadType, Ssrc, VideoOrientation, payload::TemporalLayer};
pub use pc_rtp_session::{
    Arrived, Frame, InboundStats, OutboundStats, OutgoingPacket, Received, ReceivedFrame,
    ReceivedLayer, RemoteInbound, RemoteOutbound, Source,
};
pub use pool::PoolId;
pub use servers::{AskerId, IceCandidateError, IceServer, ServerId, ServerPath, ServerRequest};
pub use stats::{EncodingCounts, MediaCounts, Sound};
pub use tcp::ConnectRequest;
pub use view::TransportView;

use crate::{Error, IceTransportPolicy, RtcError, RtcErrorDetail, TcpCandidates};
use data::Data;
use dtmf::Dtmf;
use hosts::Hosts;
use media::Media;
pub(crate) use shared_sockets::{answered_transaction, asks_server};
use states::States;
use transports::Transports;
pub(crate) use transports::receiver_ufrag;

/// A peer connection without I/O: the calls of the W3C interface, and [`Protocol`].
///
/// The calls are the W3C's with `now` in front, carried out at once; so the chain of operations,
/// and when an operation's outcome is told, is the driver's business. Everything else, the order of
/// states and events included, is here.
pub struct Connection {
    session: jsep::Session,
    transports: Transports,
    data: Data,
    media: Media,
    dtmf: Dtmf,
    states: States,
    events: VecDeque<Event>,
    closed: Closed,
    /// Reused by [`recv_message`](Self::recv_message).
    message: Vec<u8>,
    rejected: u64,
    policy: IceTransportPolicy,
    gathering_timeout: Duration,
    moves_relays: bool,
    restarts_on_network_change: bool,
    tcp: TcpCandidates,
}

/// ```text
///   No ──close──▶ Closing ──poll_transmit says None──▶ Drained
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    No,
    /// The peer is being told.
    Closing,
    Drained,
}

impl Connection {
    /// A connection in the state "new". Costs no I/O and no cryptography.
    pub fn new(config: Config) -> Self {
        let mut rng = ChaCha12Rng::from_seed(config.seed);
        let session = pc_datachannel::Session::new(channels::config(seed(&mut rng)));
        let fingerprint = config.certificate.fingerprint(HashAlgorithm::Sha256);
        let fingerprint = pc_sdp::Fingerprint {
            hash: pc_sdp::HashFunction::Sha256,
            value: fingerprint.value().into(),
        };
        let transports_rng = ChaCha12Rng::from_seed(seed(&mut rng));
        let negotiation = jsep::Session::new(jsep::Config {
            bundle_policy: config.bundle_policy,
            max_message_size: channels::MAX_RECEIVE_MESSAGE_SIZE,
            always_negotiate_data_channels: config.always_negotiate_data_channels,
            capabilities: config.capabilities,
            ice_lite: config.ice_lite,
            ufrag_prefix: config.ufrag_prefix,
            ..jsep::Config::new(seed(&mut rng), vec![fingerprint])
        });
        let cname = negotiation.cname().to_owned();
        Self {
            session: negotiation,
            transports: Transports::new(
                config.certificate,
                cname,
                config.wall_clock,
                config.ice_lite,
                Hosts::new(config.hide_host_addresses, config.network_costs),
                transports_rng,
            ),
            data: Data::new(session),
            media: Media::default(),
            dtmf: Dtmf::default(),
            states: States::NEW,
            events: VecDeque::new(),
            closed: Closed::No,
            message: Vec::new(),
            rejected: 0,
            policy: IceTransportPolicy::All,
            gathering_timeout: GATHERING_TIMEOUT,
            moves_relays: false,
            restarts_on_network_change: true,
            tcp: TcpCandidates::Disabled,
        }
    }

    /// Fails where [`apply_plan`](Self::apply_plan) could not carry the plans out.
    ///
    /// # Errors
    ///
    /// - `NotSupportedError`: a transport in use would need a new DTLS association, or data channels
    ///   in use another transport, or a port other than 5000.
    /// - `InvalidAccessError`: fingerprints or credentials are of no use.
    fn check_plan(&self, plans: &[TransportPlan], data: Option<&DataPlan>) -> Result<(), Error> {
        self.transports.check(plans)?;
        let Some(data) = data else { return Ok(()) };
        self.data.check(data)
    }

    /// Makes transports and data channels what negotiation has decided. The plans are checked before
    /// anything changes: see [`check_plan`](Self::check_plan).
    fn apply_plan(
        &mut self,
        now: Instant,
        plans: &[TransportPlan],
        data: Option<&DataPlan>,
        controlling: bool,
    ) {
        if self.is_closed() {
            return;
        }
        self.transports
            .apply(now, plans, controlling, &mut self.events);
        let before = self.data.transport();
        let was_negotiated = self.data.peer().is_some();
        self.data.set_plan(data.cloned());
        match data {
            Some(data) => self.negotiate_channels(now, data),
            // Before an answer has agreed to them, channels wait for another offer.
            None if was_negotiated => self.fail_channels(None),
            None => {}
        }
        if self.data.has_started() && before.is_some_and(|id| self.transports.get(id).is_none()) {
            self.fail_channels(None);
        }
        self.follow_media(now);
        self.follow_dtmf();
        self.pump(now);
    }

    /// `close()`: every state is "closed" at once and no event tells of it. What the peer is to be
    /// told still comes from [`poll_transmit`](Protocol::poll_transmit), until
    /// [`is_drained`](Self::is_drained).
    pub fn close(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.closed = Closed::Closing;
        self.session.close();
        self.events.clear();
        self.transports.close();
        self.data.session.abort(now);
        self.states.close();
    }

    /// Whether [`close`](Self::close) has been called.
    pub fn is_closed(&self) -> bool {
        self.closed != Closed::No
    }

    /// Whether the connection is closed and has nothing more to send: it can be dropped.
    pub fn is_drained(&self) -> bool {
        self.closed == Closed::Drained
    }

    /// Carries what one layer says to the next, and tells of it.
    fn pump(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        for (id, found) in self.transports.tell_found(now, &mut self.events) {
            for candidate in found.candidates {
                self.session
                    .add_local_candidate(id, &found.ufrag, candidate);
            }
            if found.has_ended {
                self.session.end_local_candidates(id, &found.ufrag);
            }
        }
        self.transports.poll_ice(now, &mut self.events);
        if self.transports.take_restart_wanted() && self.restarts_on_network_change {
            self.session.restart_ice();
        }
        while let Some((id, event)) = self.transports.poll_dtls_event() {
            match event {
                dtls::Event::Connected => {}
                dtls::Event::Closed if self.data.transport() == Some(id) => {
                    self.fail_channels(None);
                }
                dtls::Event::Closed => {}
                dtls::Event::Failed(error) => self.dtls_failed(id, dtls_failure(&error)),
            }
        }
        let broken: Vec<_> = self.transports.untold_broken().collect();
        for id in broken {
            let error = RtcError::new(
                RtcErrorDetail::DtlsFailure,
                "no handshake: the peer begins none, or none that both sides can complete",
            );
            self.dtls_failed(id, error);
        }
        let below = self.data.transport().and_then(|id| self.transports.get(id));
        if below.is_some_and(|it| it.dtls.is_connected()) {
            self.data.start(now);
        }
        self.pump_media(now);
        self.follow_pool();
        let sctp = self.follow_session();
        self.states
            .follow(&mut self.transports, sctp, &mut self.events);
        self.pump_dtmf(now);
    }

    /// WebRTC §5.5: the error is told before the states that follow from it.
    fn dtls_failed(&mut self, id: TransportId, error: RtcError) {
        let told = Event::DtlsError(id, Box::new(error.clone()));
        self.events.push_back(told);
        if self.data.transport() == Some(id) {
            self.fail_channels(Some(error));
        }
    }
}

impl Protocol for Connection {
    type Route = FiveTuple;
    type Payload<'d> = Option<MediaPacket<'d>>;
    type Event = Event;
    type Rejected = Rejected;

    /// A packet of media is returned, too, for those who forward it as it is.
    fn handle_input<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
    ) -> Result<Option<MediaPacket<'d>>, Rejected> {
        if self.is_closed() {
            return Err(Rejected::Closed);
        }
        let transports = &mut self.transports;
        let result = transports.handle_input(now, route, datagram, &mut self.data);
        self.rejected += u64::from(result.is_err());
        let packet = result.map(|input| self.media.packet(input?));
        if let Ok(Some(packet)) = &packet {
            self.hear(now, packet);
        }
        self.pump(now);
        packet
    }

    fn handle_timeout(&mut self, now: Instant) {
        if !self.is_closed() {
            self.transports.handle_timeout(now, &mut self.data);
            self.data.session.handle_timeout(now);
            self.pump(now);
        }
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        if self.is_drained() {
            return None;
        }
        let route = self.transports.poll_transmit(now, out, &mut self.data);
        if route.is_none() && self.closed == Closed::Closing {
            self.closed = Closed::Drained;
            self.transports.free();
            self.data.free();
        }
        self.pump(now);
        route
    }

    fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        if self.is_closed() {
            None
        } else {
            (self.dtmf.poll_event()).or_else(|| self.next_channel_event())
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            None
        } else {
            let transports = self.transports.poll_timeout();
            let session = self.data.session.poll_timeout();
            let tones = self.dtmf.poll_timeout();
            transports.into_iter().chain(session).chain(tones).min()
        }
    }
}

fn seed(rng: &mut ChaCha12Rng) -> [u8; 32] {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}

fn dtls_failure(error: &dtls::Error) -> RtcError {
    let detail = match error {
        dtls::Error::FingerprintMismatch => RtcErrorDetail::FingerprintFailure,
        _ => RtcErrorDetail::DtlsFailure,
    };
    RtcError::new(detail, error.to_string())
}
