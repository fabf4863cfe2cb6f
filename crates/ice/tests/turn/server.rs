//! A STUN and TURN server for any number of clients that is as strict as RFC 8656 and RFC 8489 §9.2 allow, and does as its policy says.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_stun::{
    Attribute, AttributeType as T, Class, ErrorCode, IntegrityAlgorithm, IntegrityKey,
    MessageBuilder, MessageView, Method, PasswordAlgorithm, PasswordAlgorithmEntry,
    PasswordAlgorithms, TransactionId, userhash,
};

use crate::relay::Relay;

pub(crate) const REALM: &str = "example.org";

/// What becomes of ADDITIONAL-ADDRESS-FAMILY.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Additional {
    /// Understood, as RFC 8656 §7.2 says.
    Known,
    /// Understood under the number of a draft, as in coturn before 4.8.
    Draft,
    /// Left out of account, as by a server of RFC 5766.
    Ignored,
    /// The allocation is refused.
    Refused(ErrorCode<'static>),
}

/// What the server does and does not.
#[derive(Clone)]
pub(crate) struct Policy {
    /// `None` asks for no credentials.
    pub(crate) account: Option<(&'static str, &'static str)>,
    /// PASSWORD-ALGORITHMS; empty is a server of RFC 5389.
    pub(crate) algorithms: Vec<u16>,
    /// Whether USERHASH is to be used.
    pub(crate) anonymity: bool,
    /// What the features of the nonce are encoded as.
    pub(crate) features: &'static str,
    /// How long a nonce is good for.
    pub(crate) nonce_lifetime: Duration,
    /// How long allocations last at most.
    pub(crate) lifetime: Duration,
    /// Whether there are relayed addresses of IPv4 and IPv6.
    pub(crate) families: [bool; 2],
    pub(crate) additional: Additional,
    pub(crate) mobility: bool,
    /// Whether asking for a ticket is an error (RFC 8016 §3.1.2).
    pub(crate) forbids_mobility: bool,
    pub(crate) alternate: Option<SocketAddr>,
    /// The next requests with this method are refused so.
    pub(crate) refuse: VecDeque<(Method, ErrorCode<'static>)>,
    /// Whether errors are signed, as RFC 8489 §9.2.4 wants.
    pub(crate) signs_errors: bool,
    /// Whether answers are signed with another password.
    pub(crate) signs_wrongly: bool,
    /// Somebody in between takes PASSWORD-ALGORITHMS out of the answers.
    pub(crate) stripped: bool,
    /// Does not answer at all.
    pub(crate) silent: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            account: Some(("user", "secret")),
            algorithms: Vec::new(),
            anonymity: false,
            features: "",
            nonce_lifetime: Duration::from_secs(3600),
            lifetime: Duration::from_secs(3600),
            families: [true, true],
            additional: Additional::Known,
            mobility: false,
            forbids_mobility: false,
            alternate: None,
            refuse: VecDeque::new(),
            signs_errors: true,
            signs_wrongly: false,
            stripped: false,
            silent: false,
        }
    }
}

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) method: Method,
    /// 0 for success.
    pub(crate) answer: u16,
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    pub(crate) fn has(&self, kind: T) -> bool {
        let view = MessageView::parse(&self.bytes).unwrap();
        view.value(kind).is_some()
    }
}

pub(crate) struct Server {
    pub(crate) policy: Policy,
    pub(crate) address: SocketAddr,
    pub(crate) relay: Relay,
    pub(crate) seen: Vec<Seen>,
    nonce: (u32, Instant),
    outbox: VecDeque<(FiveTuple, Vec<u8>)>,
    /// Answers to requests that may come again (RFC 8489 §6.3.1).
    answered: HashMap<(SocketAddr, TransactionId), Vec<u8>>,
}

/// What the answer to a request says.
pub(crate) enum Answer {
    /// With these attributes, as a function that adds them.
    Success(Box<dyn Fn(&mut MessageBuilder<'_>)>),
    Error(ErrorCode<'static>),
    /// 401 or 438.
    Challenge(ErrorCode<'static>),
}

impl Server {
    pub(crate) fn new(address: SocketAddr, policy: Policy) -> Self {
        Self::relaying(address, policy, Relay::default())
    }

    /// One with other relayed addresses.
    pub(crate) fn relaying(address: SocketAddr, policy: Policy, relay: Relay) -> Self {
        Self {
            policy,
            address,
            relay,
            seen: Vec::new(),
            nonce: (0, pc_simnet::epoch()),
            outbox: VecDeque::new(),
            answered: HashMap::new(),
        }
    }

    /// The requests with a method, in order.
    pub(crate) fn requests(&self, method: Method) -> Vec<&Seen> {
        let of = |seen: &&Seen| seen.method == method;
        self.seen.iter().filter(of).collect()
    }

    fn nonce(&mut self, now: Instant) -> String {
        if now - self.nonce.1 >= self.policy.nonce_lifetime {
            self.nonce = (self.nonce.0 + 1, now);
        }
        let (count, features) = (self.nonce.0, self.policy.features);
        let cookie = if features.is_empty() { "" } else { "obMatJos2" };
        format!("{cookie}{features}nonce{count}")
    }

    fn key(&self, algorithm: PasswordAlgorithm) -> IntegrityKey {
        let (user, password) = self.policy.account.unwrap();
        let password = if self.policy.signs_wrongly {
            "wrong"
        } else {
            password
        };
        IntegrityKey::long_term(user, REALM, password, algorithm)
    }

    /// RFC 8489 §9.2.4, in its order. `Ok` has the key for the answer.
    fn authenticate(
        &mut self,
        now: Instant,
        request: &MessageView<'_>,
    ) -> Result<Option<(IntegrityKey, IntegrityAlgorithm)>, Answer> {
        let Some((user, password)) = self.policy.account else {
            return Ok(None);
        };
        let (sha1, sha256) = (IntegrityAlgorithm::Sha1, IntegrityAlgorithm::Sha256);
        if !request.has_integrity(sha1) && !request.has_integrity(sha256) {
            return Err(Answer::Challenge(ErrorCode::UNAUTHENTICATED));
        }
        let bad = || Err(Answer::Error(ErrorCode::BAD_REQUEST));
        let known = match request.attribute(T::USERHASH) {
            Some(Attribute::UserHash(hash)) if self.policy.anonymity => {
                *hash == userhash(user, REALM)
            }
            None if !self.policy.anonymity => request.username() == Some(user),
            _ => return bad(),
        };
        let (Some(REALM), Some(nonce)) = (request.realm(), request.nonce()) else {
            return bad();
        };
        let offered = self.offered();
        let repeated = request.attribute(T::PASSWORD_ALGORITHMS);
        let chosen = request.attribute(T::PASSWORD_ALGORITHM);
        let (algorithm, integrity) = if offered.is_empty() {
            if repeated.is_some() || chosen.is_some() {
                return bad();
            }
            (PasswordAlgorithm::Md5, sha1)
        } else {
            let Some(Attribute::PasswordAlgorithm(chosen)) = chosen else {
                return bad();
            };
            let list = PasswordAlgorithms::new(&offered);
            let same = repeated == Some(Attribute::PasswordAlgorithms(list));
            match chosen.algorithm() {
                Some(chosen) if same && !request.has_integrity(sha1) => (chosen, sha256),
                _ => return bad(),
            }
        };
        let key = IntegrityKey::long_term(user, REALM, password, algorithm);
        if !known || request.verify_integrity_with(&key, integrity).is_err() {
            return Err(Answer::Challenge(ErrorCode::UNAUTHENTICATED));
        }
        if nonce != self.nonce(now) {
            return Err(Answer::Challenge(ErrorCode::STALE_NONCE));
        }
        Ok(Some((self.key(algorithm), integrity)))
    }

    fn offered(&self) -> Vec<PasswordAlgorithmEntry<'static>> {
        let entry = |number: &u16| PasswordAlgorithmEntry {
            number: *number,
            parameters: &[],
        };
        self.policy.algorithms.iter().map(entry).collect()
    }

    fn request(&mut self, now: Instant, from: SocketAddr, request: &MessageView<'_>) {
        let id = request.transaction_id();
        let cached = self.answered.get(&(from, id)).cloned();
        let bytes = cached.unwrap_or_else(|| {
            // RFC 8489 §9.2: a Binding needs no credentials.
            let authenticated = match request.method() {
                Method::BINDING => Ok(None),
                _ => self.authenticate(now, request),
            };
            let (answer, key) = match authenticated {
                Ok(key) => (self.act(now, from, request), key),
                Err(answer) => (answer, None),
            };
            let code = match &answer {
                Answer::Success(_) => 0,
                Answer::Error(error) | Answer::Challenge(error) => error.code,
            };
            self.seen.push(Seen {
                at: now,
                method: request.method(),
                answer: code,
                bytes: request.as_bytes().to_vec(),
            });
            self.write(now, request, answer, key)
        });
        self.answered.insert((from, id), bytes.clone());
        self.outbox
            .push_back((FiveTuple::udp(self.address, from), bytes));
    }

    fn act(&mut self, now: Instant, from: SocketAddr, request: &MessageView<'_>) -> Answer {
        let method = request.method();
        if let Some(kind) = request.unknown_comprehension_required().next() {
            panic!("the client sends {kind:#x}");
        }
        let next = self.policy.refuse.front();
        if next.is_some_and(|(refused, _)| *refused == method) {
            let (_, error) = self.policy.refuse.pop_front().unwrap();
            return Answer::Error(error);
        }
        let begins = matches!(method, Method::ALLOCATE | Method::BINDING);
        if begins && self.policy.alternate.is_some() {
            return Answer::Error(ErrorCode::TRY_ALTERNATE);
        }
        if method == Method::BINDING {
            return Answer::Success(Box::new(move |message| {
                message.attribute(Attribute::XorMappedAddress(from));
            }));
        }
        self.relay.request(now, from, request, &self.policy)
    }

    fn write(
        &mut self,
        now: Instant,
        request: &MessageView<'_>,
        answer: Answer,
        key: Option<(IntegrityKey, IntegrityAlgorithm)>,
    ) -> Vec<u8> {
        let (offered, nonce) = (self.offered(), self.nonce(now));
        let class = match &answer {
            Answer::Success(_) => Class::Success,
            _ => Class::Error,
        };
        let mut bytes = vec![0; 1500];
        let id = request.transaction_id();
        let mut message = MessageBuilder::new(&mut bytes, class, request.method(), id);
        match &answer {
            Answer::Success(add) => add(&mut message),
            Answer::Error(error) => {
                message.attribute(Attribute::ErrorCode(*error));
            }
            Answer::Challenge(error) => {
                message
                    .attribute(Attribute::ErrorCode(*error))
                    .attribute(Attribute::Realm(REALM))
                    .attribute(Attribute::Nonce(&nonce));
                if !offered.is_empty() && !self.policy.stripped {
                    let list = PasswordAlgorithms::new(&offered);
                    message.attribute(Attribute::PasswordAlgorithms(list));
                }
            }
        }
        if let (Answer::Error(ErrorCode::TRY_ALTERNATE), Some(other)) =
            (&answer, self.policy.alternate)
        {
            message.attribute(Attribute::AlternateServer(other));
        }
        match (class, key) {
            (Class::Error, _) if !self.policy.signs_errors => {}
            (_, Some((key, IntegrityAlgorithm::Sha1))) => {
                message.integrity(&key);
            }
            (_, Some((key, IntegrityAlgorithm::Sha256))) => {
                message.integrity_sha256(&key);
            }
            (_, None) => {}
        }
        let len = message.finish().unwrap();
        bytes.truncate(len);
        bytes
    }
}

impl Protocol for Server {
    type Route = FiveTuple;
    type Payload<'d> = ();
    type Event = ();
    type Rejected = pc_stun::ParseError;

    fn handle_input(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Self::Rejected> {
        self.relay.expire(now);
        if self.policy.silent {
            return Ok(());
        }
        if route.local != self.address {
            let relayed = self.relay.inward(route.local, route.remote, datagram);
            let to_client = |(client, bytes)| (FiveTuple::udp(self.address, client), bytes);
            self.outbox.extend(relayed.map(to_client));
            return Ok(());
        }
        if datagram[0] >> 6 == 1 {
            let sent = self.relay.channel_data(route.remote, datagram);
            self.outbox.extend(sent);
            return Ok(());
        }
        let message = MessageView::parse(datagram)?;
        match message.class() {
            Class::Request => self.request(now, route.remote, &message),
            // Keeps the client's NAT binding alive (RFC 8445 §11).
            Class::Indication if message.method() == Method::BINDING => {}
            Class::Indication => {
                let sent = self.relay.send_indication(route.remote, &message);
                self.outbox.extend(sent);
            }
            _ => panic!("the client answers"),
        }
        Ok(())
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_transmit(&mut self, _: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        let (route, bytes) = self.outbox.pop_front()?;
        out.datagram(bytes.len(), |place| place.copy_from_slice(&bytes));
        Some(route)
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
