use std::{
    collections::VecDeque,
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    Candidate, CandidateKind, CandidatePair, Config, Credentials, Error, Event, Rejected, Role,
    State, Timing,
    generation::{Generation, Path, Retired},
    locals::Locals,
    pacing::Pacing,
    pair::{PairCounters, PairStatus},
    paths::Paths,
    remotes::Added,
    reply::Replies,
    requests::RecentRequests,
};

mod conclude;
mod connections;
mod demux;
mod haste;
mod inbound;
mod lite;
mod nominate;
mod outbound;
mod pairing;
mod request;
mod response;
mod restart;
mod thrift;
mod timeout;

use haste::Haste;

/// How many events wait for whoever asks for them; beyond it the oldest go.
const MAX_EVENTS: usize = 256;

/// The longest USERNAME (RFC 8489 §14.3).
const MAX_USERNAME: usize = 508;

/// A full ICE agent for one component of one data stream (RFC 8445 §2).
///
/// Local candidates and what the peer signals come in through its methods, datagrams and time
/// through [`Protocol`]; checks and answers leave through
/// [`poll_transmit`](Protocol::poll_transmit), and [`route`](Self::route) says where everything
/// else is to be sent.
pub struct Agent {
    timing: Timing,
    rng: ChaCha12Rng,
    role: Role,
    tie_breaker: u64,
    locals: Locals,
    locals_ended: bool,
    current: Generation,
    retired: Option<Retired>,
    path: Option<Path>,
    /// Until when a path that went with its local address may be replaced, and the generation that
    /// was to replace it.
    grace: Option<(Instant, u32)>,
    haste: Option<Haste>,
    /// When pairs that cost less than the one in use are checked again, while there are any.
    economy_at: Option<Instant>,
    /// The peer obeys the latest NOMINATION.
    renomination: bool,
    lite: bool,
    /// The role that a lite agent has been given, and takes on if its peer is lite, too.
    given_role: Role,
    remote_lite: bool,
    paths: Paths,
    requests: RecentRequests,
    pacing: Pacing,
    state: State,
    replies: Replies,
    events: VecDeque<Event>,
}

/// A pair of the checklist, for statistics.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PairView<'a> {
    /// This side's candidate; once a check was answered, the one that the peer saw.
    pub local: Candidate,
    /// The peer's.
    pub remote: &'a Candidate,
    /// Where its datagrams go.
    pub route: FiveTuple,
    /// Where it stands.
    pub status: PairStatus,
    /// Whether it is nominated.
    pub is_nominated: bool,
    /// Whether data go over it.
    pub is_in_use: bool,
    /// RFC 8445 §6.1.2.3.
    pub priority: u64,
    /// What was counted of its checks.
    pub counters: PairCounters,
}

impl Agent {
    /// An agent in [`State::New`], without candidates.
    pub fn new(config: Config) -> Self {
        let mut rng = ChaCha12Rng::from_seed(config.seed);
        let credentials = config.credentials;
        let credentials = credentials.unwrap_or_else(|| Credentials::random(&mut rng));
        Self {
            timing: config.timing,
            role: if config.lite {
                Role::Controlled
            } else {
                config.role
            },
            tie_breaker: rng.next_u64(),
            locals: Locals::new(rng.next_u64()),
            locals_ended: false,
            current: Generation::new(0, credentials),
            retired: None,
            path: None,
            grace: None,
            haste: None,
            economy_at: None,
            renomination: false,
            lite: config.lite,
            given_role: config.role,
            remote_lite: false,
            paths: Paths::default(),
            requests: RecentRequests::default(),
            pacing: Pacing::new(config.timing.pace),
            state: State::New,
            replies: Replies::new(),
            events: VecDeque::new(),
            rng,
        }
    }

    /// The ufrag and password to be signalled to the peer.
    pub fn local_credentials(&self) -> &Credentials {
        &self.current.local.credentials
    }

    /// The peer's ufrag and password, once they are known.
    pub fn remote_credentials(&self) -> Option<&Credentials> {
        Some(&self.current.remote.as_ref()?.credentials)
    }

    /// Which side nominates. A conflict may change it: [`Event::RoleChanged`].
    pub fn role(&self) -> Role {
        self.role
    }

    /// Sets the role (RFC 8445 §6.1.1). An agent whose peer is lite must be controlling; a lite one
    /// stays controlled unless its [peer is lite](Self::set_remote_lite), too.
    pub fn set_role(&mut self, now: Instant, role: Role) {
        self.given_role = role;
        self.change_role(self.role_for(role));
        self.settle(now);
    }

    /// Whether both sides have signaled `a=ice-options:renomination`
    /// (draft-thatcher-ice-renomination §3): then a controlling agent numbers its nominations, of
    /// which the latest counts whatever the priorities, and moves to a better pair when one is found
    /// later. A controlled agent obeys numbers in any case. Without, nominations are those of
    /// RFC 8445 §8.1.1. It outlives a restart.
    pub fn set_renomination(&mut self, now: Instant, both: bool) {
        self.renomination = both;
        self.settle(now);
    }

    /// The layers above have sent something on [`route`](Self::route). When nothing is heard after
    /// that for [`probe_after`](Timing::probe_after), the path is probed, and when probes stay
    /// without an answer too, the agent tries other pairs. Without this call a path that is gone is
    /// found by the next consent check only.
    pub fn data_sent(&mut self, now: Instant) {
        if let Some(path) = &mut self.path {
            path.consent.data_sent(now);
        }
    }

    /// Adds a candidate of this side; [`Candidate::host`] makes one of an address. It comes back
    /// with foundation and priority, to be signalled.
    ///
    /// Of TCP there are host candidates: an active one for each address to connect from, a passive
    /// one for each port that is listened at ([`Candidate::tcp`]).
    ///
    /// Local preferences follow the [costs of the networks](Candidate::network), and the order of the
    /// calls among those that cost the same, IPv6 and IPv4 alternating (RFC 8421 §4).
    /// A server-reflexive one names its base, which has to be there, as related address. A relayed
    /// one is its own base: datagrams of its pairs have it as their local address, and whoever owns
    /// the allocation carries them ([`turn`](crate::turn)).
    ///
    /// `None` says that nothing was added: there is one with this address already, nothing can be
    /// sent from it, it is peer-reflexive, there are 64, or the agent is lite and it is no host
    /// candidate.
    pub fn add_local_candidate(&mut self, now: Instant, candidate: Candidate) -> Option<Candidate> {
        // RFC 8445 §5.2: a lite agent has host candidates alone.
        if self.is_closed() || (self.lite && candidate.kind != CandidateKind::Host) {
            return None;
        }
        let added = self.locals.add(candidate)?;
        if added.kind != CandidateKind::ServerReflexive {
            self.pair_local(added.transport, added.address);
        }
        if added.kind == CandidateKind::Host {
            self.unpark_local(added.address);
        }
        self.settle(now);
        Some(added)
    }

    /// No more local candidates are to come (RFC 8838 §13). Adding one later is harmless.
    pub fn end_of_local_candidates(&mut self, now: Instant) {
        self.locals_ended = true;
        self.settle(now);
    }

    /// The candidates of this side. They outlive a restart: signal them again with the new
    /// credentials.
    pub fn local_candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.locals.candidates()
    }

    /// The candidates of the peer, the peer-reflexive ones among them.
    pub fn remote_candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.current.remotes.iter().map(|(_, candidate)| candidate)
    }

    /// An interface is gone, and with it the candidate at `address` and its pairs. If it carried
    /// the data, the remaining pairs are checked again and the state is
    /// [`Disconnected`](State::Disconnected) until one answers or consent would have expired.
    pub fn remove_local_address(&mut self, now: Instant, address: SocketAddr) {
        if self.locals.remove(address) {
            self.drop_local(now, address);
            self.settle(now);
        }
    }

    /// Learns the peer's ufrag and password; checks begin when a pair exists.
    ///
    /// # Errors
    ///
    /// They are malformed, or others are in use: those change only after [`restart`](Self::restart).
    pub fn set_remote_credentials(
        &mut self,
        now: Instant,
        credentials: Credentials,
    ) -> Result<(), Error> {
        credentials.validate()?;
        if self.is_closed() {
            return Err(Error::Closed);
        }
        if credentials.ufrag.len() + self.current.local.ufrag().len() + 1 > MAX_USERNAME {
            return Err(Error::InvalidUfrag);
        }
        match self.remote_credentials() {
            Some(known) if *known == credentials => Ok(()),
            Some(_) => Err(Error::CredentialsChanged),
            None => {
                self.begin_checks(now, credentials);
                self.settle(now);
                Ok(())
            }
        }
    }

    /// Adds a candidate that the peer has signalled. One that is known is fine.
    ///
    /// # Errors
    ///
    /// It is for another component, its address is of no use, or the peer has too many.
    pub fn add_remote_candidate(
        &mut self,
        now: Instant,
        candidate: Candidate,
    ) -> Result<(), Error> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        self.current.peer_knows_costs |= candidate.network.is_known();
        match self.current.remotes.add(candidate)? {
            Added::New(id) => self.pair_remote(id),
            Added::Replaced(id) => self.rank_remote(id),
            Added::Known => {}
        }
        self.settle(now);
        Ok(())
    }

    /// The peer has signalled that no more candidates are to come (RFC 8838 §14).
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        self.current.remotes_ended = true;
        self.settle(now);
    }

    /// Begins anew with other credentials (RFC 8445 §9), which are to be signalled.
    ///
    /// The local candidates stay. The pair in use carries the data until a pair of the new
    /// generation is valid and nominated, and checks for the old credentials are answered.
    pub fn restart(&mut self, now: Instant) -> &Credentials {
        if !self.is_closed() {
            let credentials = Credentials::random(&mut self.rng);
            self.begin_generation(credentials);
            self.settle(now);
        }
        self.local_credentials()
    }

    /// [`restart`](Self::restart) with credentials that were signalled already: as an offer does
    /// long before its answer says that there is a restart.
    ///
    /// # Errors
    ///
    /// They are malformed, or the agent is closed; nothing has changed.
    pub fn restart_with(&mut self, now: Instant, credentials: Credentials) -> Result<(), Error> {
        credentials.validate()?;
        if self.is_closed() {
            return Err(Error::Closed);
        }
        self.begin_generation(credentials);
        self.settle(now);
        Ok(())
    }

    /// How connected the agent is.
    pub fn state(&self) -> State {
        self.state
    }

    /// The pair that carries the data now: the nominated one, or before nomination the best valid
    /// one (RFC 8445 §12.1).
    pub fn selected_pair(&self) -> Option<&CandidatePair> {
        self.path.as_ref().map(|path| &path.candidates)
    }

    /// The pairs of the current generation, in the order of their priorities.
    pub fn pairs(&self) -> impl Iterator<Item = PairView<'_>> {
        let pairs = self.current.checklist.iter();
        pairs.filter_map(|pair| {
            let mapped = pair.valid.map_or(pair.route.local, |valid| valid.mapped);
            let in_use = self.path.as_ref().filter(|path| self.is_current(path));
            Some(PairView {
                local: self.locals.seen_as(pair.route, mapped)?,
                remote: self.current.remotes.get(pair.remote)?,
                route: pair.route,
                status: pair.state.into(),
                is_nominated: self.current.selected == Some(pair.id),
                is_in_use: in_use.is_some_and(|path| path.pair == pair.id),
                priority: pair.priority,
                counters: pair.counters,
            })
        })
    }

    /// Whether [`selected_pair`](Self::selected_pair) has been nominated.
    pub fn is_nominated(&self) -> bool {
        let path = self.path.as_ref();
        path.is_some_and(|path| self.is_current(path) && self.current.selected == Some(path.pair))
    }

    /// Whether any pair of this generation has answered a check at `since` or later.
    pub fn has_answer_since(&self, since: Instant) -> bool {
        let mut valid = self.current.checklist.iter().filter_map(|pair| pair.valid);
        valid.any(|valid| valid.confirmed_at >= since)
    }

    /// Where datagrams of the layers above go now; `None` without the peer's consent (RFC 7675).
    pub fn route(&self) -> Option<FiveTuple> {
        self.path.as_ref().map(|path| path.route)
    }

    /// The smoothed round-trip time of the pair in use.
    pub fn rtt(&self) -> Option<Duration> {
        let path = self.path.as_ref().filter(|path| self.is_current(path))?;
        Some(self.current.checklist.get(path.pair)?.valid?.rtt)
    }

    /// The same as far as it was measured: a path whose first check had to be repeated gets the
    /// benefit of no doubt.
    fn path_rtt(&self) -> Duration {
        let path = self.path.as_ref().filter(|path| self.is_current(path));
        let pair = path.and_then(|path| self.current.checklist.get(path.pair));
        let measured = pair.filter(|pair| pair.counters.total_round_trip_time > Duration::ZERO);
        let valid = measured.and_then(|pair| pair.valid);
        valid.map_or(Duration::ZERO, |valid| valid.rtt)
    }

    /// Sends and accepts nothing any more.
    pub fn close(&mut self) {
        self.state = State::Closed;
        self.path = None;
        self.retired = None;
        self.replies.clear();
        self.events.clear();
    }

    fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    fn is_current(&self, path: &Path) -> bool {
        path.generation == self.current.number
    }

    fn push_event(&mut self, event: Event) {
        // The last of several alike says all.
        match (self.events.back(), &event) {
            (Some(Event::SelectedPairChanged), Event::SelectedPairChanged)
            | (Some(Event::RoleChanged(_)), Event::RoleChanged(_)) => {
                self.events.pop_back();
            }
            _ => {}
        }
        if self.events.len() >= MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}

impl Protocol for Agent {
    type Route = FiveTuple;
    /// `None`: it was STUN and is dealt with. `Some`: it is for the layers above, and came on a
    /// path on which the peer has proven itself.
    type Payload<'d> = Option<&'d mut [u8]>;
    type Event = Event;
    type Rejected = Rejected;

    fn handle_input<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
    ) -> Result<Option<&'d mut [u8]>, Rejected> {
        self.receive(now, route, datagram)
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        self.transmit(now, out)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next_timeout()
    }
}

impl fmt::Debug for Agent {
    /// All state that datagrams and time can change, without secrets, waiting answers and events.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("role", &self.role)
            .field("tie_breaker", &self.tie_breaker)
            .field("state", &self.state)
            .field("locals", &self.locals)
            .field("locals_ended", &self.locals_ended)
            .field("current", &self.current)
            .field("retired", &self.retired)
            .field("path", &self.path)
            .field("grace", &self.grace)
            .field("haste", &self.haste)
            .field("paths", &self.paths)
            .field("requests", &self.requests)
            .field("pacing", &self.pacing)
            .finish_non_exhaustive()
    }
}
