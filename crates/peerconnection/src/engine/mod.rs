//! The sans-IO engine: a whole peer connection as a value.
//!
//! [`Connection`] is what [`PeerConnection`](crate::PeerConnection) drives, and an entrance of its
//! own for servers, tests and other runtimes: it implements [`Protocol`] and owns no socket, clock,
//! lock or task.
//!
//! ```text
//!             create/set descriptions, candidates       send, recv
//!                          │                               │
//!   engine::Connection ────┼───────────────────────────────┼──────────────
//!      Negotiation (offer/answer)          pc_datachannel::Session (DCEP, SCTP)
//!      Gathering, States                   pc_dtls::Connection
//!                                          pc_ice::Agent
//!                                                 │ datagrams with their 5-tuples
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
//!     Ok::<_, Box<dyn std::error::Error>>(Connection::new(Config { certificate, seed }))
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
mod event;
mod gathering;
mod negotiation;
mod remote;
mod signaling;
mod states;
mod transport;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_dtls::{self as dtls, Certificate, HashAlgorithm};
use pc_ice as ice;
use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

pub use channels::{ChannelView, SEND_HIGH_WATER};
pub use event::{Event, Rejected};
pub use pc_datachannel::{ChannelId, Message};

use crate::{
    RtcError, RtcErrorDetail,
    state::{
        DtlsTransportState, IceConnectionState, IceGatheringState, PeerConnectionState,
        SctpTransportState, SignalingState,
    },
};
use gathering::Gathering;
use negotiation::{LocalParameters, Negotiation};
use states::States;
use transport::Transport;

/// What a [`Connection`] is built from.
#[derive(Debug, Clone)]
pub struct Config {
    /// What this side proves itself with.
    pub certificate: Certificate,
    /// Of everything that is random in ICE and SCTP; secret, and never used twice. The keys of
    /// DTLS come from the cryptographic library.
    pub seed: [u8; 32],
}

/// A peer connection without I/O: the calls of the W3C interface, and [`Protocol`].
///
/// The calls are the W3C's with `now` in front, carried out at once; so the chain of operations,
/// and when an operation's outcome is told, is the driver's business. Everything else, the order of
/// states and events included, is here.
pub struct Connection {
    negotiation: Negotiation,
    gathering: Gathering,
    transport: Transport,
    fingerprint: pc_sdp::Fingerprint,
    states: States,
    events: VecDeque<Event>,
    /// The application has made a channel.
    wants_data: bool,
    negotiation_needed: bool,
    closed: Closed,
    /// Reused by [`recv_message`](Self::recv_message).
    message: Vec<u8>,
    rejected: u64,
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

/// How a connection runs, for people and for statistics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransportInfo {
    /// The local and the remote candidate in use, such as `host udp 192.0.2.1:5000`.
    pub candidate_pair: Option<(String, String)>,
    /// The round-trip time that ICE measured last.
    pub round_trip_time: Option<Duration>,
    /// The DTLS version as four hexadecimal digits, `FEFC` for 1.3.
    pub tls_version: Option<String>,
    /// The cipher suite by its registry name.
    pub dtls_cipher: Option<String>,
    /// Datagrams dropped so far because they were malformed, forged, late or for somebody else.
    pub datagrams_rejected: u64,
}

impl Connection {
    /// A connection in the state "new". Costs no I/O and no cryptography.
    pub fn new(config: Config) -> Self {
        let mut rng = ChaCha12Rng::from_seed(config.seed);
        let agent = ice::Agent::new(ice::Config::new(ice::Role::Controlling, seed(&mut rng)));
        let session = pc_datachannel::Session::new(channels::config(seed(&mut rng)));
        let fingerprint = config.certificate.fingerprint(HashAlgorithm::Sha256);
        let fingerprint = pc_sdp::Fingerprint {
            hash: pc_sdp::HashFunction::Sha256,
            value: fingerprint.value().into(),
        };
        Self {
            negotiation: Negotiation::new(rng.next_u64()),
            gathering: Gathering::NEW,
            transport: Transport::new(agent, config.certificate, session),
            fingerprint,
            states: States::NEW,
            events: VecDeque::new(),
            wants_data: false,
            negotiation_needed: false,
            closed: Closed::No,
            message: Vec::new(),
            rejected: 0,
        }
    }

    /// Whether a description has been set whose candidates are to be gathered: call
    /// [`gather`](Self::gather) soon.
    pub fn needs_gathering(&self) -> bool {
        self.gathering.wanted
    }

    /// Makes host candidates of the addresses of the caller's sockets, announces them, and ends
    /// gathering. Does nothing unless [`needs_gathering`](Self::needs_gathering).
    pub fn gather(&mut self, now: Instant, addresses: &[SocketAddr]) {
        let Some((index, mid)) = self.negotiation.data_section() else {
            return;
        };
        if !std::mem::take(&mut self.gathering.wanted) || self.is_closed() {
            return;
        }
        let section = (index, mid);
        self.gathering.begin(&mut self.events);
        let ufrag = self.transport.ice.local_credentials().ufrag.clone();
        let word = negotiation::word(&ufrag).ok();
        for address in addresses {
            // Known already after a restart, which keeps the candidates.
            let host = ice::Candidate::host(*address);
            let _ = self.transport.ice.add_local_candidate(now, host);
        }
        for found in self.transport.ice.local_candidates() {
            let sdp = word
                .as_ref()
                .and_then(|word| candidate::to_sdp(found, word).ok());
            if let Some(sdp) = sdp {
                self.gathering.found(sdp, section, &mut self.events);
            }
        }
        self.transport.ice.end_of_local_candidates(now);
        self.gathering.end(section, &ufrag, &mut self.events);
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
        self.negotiation.close();
        self.negotiation_needed = false;
        self.gathering.wanted = false;
        self.events.clear();
        self.transport.close(now);
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

    /// `signalingState`.
    pub fn signaling_state(&self) -> SignalingState {
        self.negotiation.state()
    }

    /// `iceGatheringState`.
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.gathering.state
    }

    /// `iceConnectionState`.
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.states.ice
    }

    /// `connectionState`.
    pub fn connection_state(&self) -> PeerConnectionState {
        self.states.connection
    }

    /// `sctp.transport.state`.
    pub fn dtls_state(&self) -> DtlsTransportState {
        self.states.dtls
    }

    /// `sctp.state`; `None` while there is no data section.
    pub fn sctp_state(&self) -> Option<SctpTransportState> {
        self.states.sctp
    }

    /// The ICE user fragment of the current generation: how a demultiplexer knows our checks.
    pub fn local_ufrag(&self) -> &str {
        &self.transport.ice.local_credentials().ufrag
    }

    /// How the connection runs.
    pub fn transport_info(&self) -> TransportInfo {
        let pair = self.transport.ice.selected_pair();
        let dtls = self.transport.dtls();
        TransportInfo {
            candidate_pair: pair.map(|pair| (pair.local.to_string(), pair.remote.to_string())),
            round_trip_time: self.transport.ice.rtt(),
            tls_version: dtls.and_then(|dtls| Some(format!("{:04X}", dtls.version()?.id()))),
            dtls_cipher: dtls.and_then(|dtls| Some(dtls.cipher_suite()?.to_string())),
            datagrams_rejected: self.rejected,
        }
    }

    fn local_parameters(&self) -> LocalParameters {
        let credentials = self.transport.ice.local_credentials();
        LocalParameters {
            ufrag: credentials.ufrag.clone(),
            pwd: credentials.pwd.clone(),
            fingerprint: self.fingerprint.clone(),
        }
    }

    /// Carries what one layer says to the next, and tells of it.
    fn pump(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.transport.start_dtls(now);
        while let Some(event) = self.transport.ice.poll_event() {
            match event {
                ice::Event::PathAuthenticated(tuple) => {
                    self.events.push_back(Event::PathAuthenticated(tuple));
                }
                ice::Event::PathConfirmed(tuple) => {
                    self.events.push_back(Event::PathConfirmed(tuple));
                }
                ice::Event::PathForgotten(tuple) => {
                    self.events.push_back(Event::PathForgotten(tuple));
                }
                _ => {}
            }
        }
        while let Some(event) = self.transport.poll_dtls_event() {
            match event {
                dtls::Event::Connected => self.transport.channels.connect(now),
                dtls::Event::Closed => self.fail_channels(None),
                // WebRTC §5.5: the error is told before the states that follow from it.
                dtls::Event::Failed(error) => {
                    let error = dtls_failure(&error);
                    self.events
                        .push_back(Event::DtlsError(Box::new(error.clone())));
                    self.fail_channels(Some(error));
                }
            }
        }
        if self.transport.is_dtls_broken() && self.states.dtls != DtlsTransportState::Failed {
            let error = RtcError::new(
                RtcErrorDetail::DtlsFailure,
                "no handshake: the peer begins none, or none that both sides can complete",
            );
            let told = Event::DtlsError(Box::new(error.clone()));
            self.events.push_back(told);
            self.fail_channels(Some(error));
        }
        let sctp = self.follow_session();
        self.states.follow(&self.transport, sctp, &mut self.events);
    }
}

impl Protocol for Connection {
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
        if self.is_closed() {
            return Err(Rejected::Closed);
        }
        let result = self.transport.handle_input(now, route, datagram);
        self.rejected += u64::from(result.is_err());
        self.pump(now);
        result
    }

    fn handle_timeout(&mut self, now: Instant) {
        if !self.is_closed() {
            self.transport.handle_timeout(now);
            self.pump(now);
        }
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        if self.is_drained() {
            return None;
        }
        let route = self.transport.poll_transmit(now, out);
        if route.is_none() && self.closed == Closed::Closing {
            self.closed = Closed::Drained;
            self.transport.free();
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
            self.next_channel_event()
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            None
        } else {
            self.transport.poll_timeout()
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
