//! A peer made of bytes: it says what a test wants it to say.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_proto::{Batch, FiveTuple, Protocol};
use pc_simnet::{Seed, epoch};
use pc_stun::{
    Attribute, Class, ErrorCode, IntegrityKey, MessageBuilder, MessageView, Method, TransactionId,
};

use crate::{Agent, Candidate, Credentials, Event, Rejected, Role, State};

use super::support::agent;

/// One agent at 10.0.0.1:5000, and its peer's credentials, address 10.0.1.1:5000.
pub(crate) struct Lone {
    pub(crate) agent: Agent,
    pub(crate) now: Instant,
    pub(crate) theirs: Credentials,
    next_id: u8,
}

/// What the peer puts into a check.
#[derive(Clone)]
pub(crate) struct Check {
    pub(crate) id: TransactionId,
    pub(crate) username: String,
    pub(crate) pwd: String,
    pub(crate) priority: Option<u32>,
    pub(crate) role: Option<(Role, u64)>,
    pub(crate) nominates: bool,
    /// In a NOMINATION.
    pub(crate) number: Option<u32>,
    /// GOOG-NETWORK-INFO.
    pub(crate) network: Option<(u16, u16)>,
    pub(crate) unknown: bool,
    pub(crate) integrity: bool,
}

pub(crate) const OURS: ([u8; 4], u16) = ([10, 0, 0, 1], 5000);
pub(crate) const THEIRS: ([u8; 4], u16) = ([10, 0, 1, 1], 5000);

pub(crate) fn route() -> FiveTuple {
    route_from(THEIRS.into())
}

pub(crate) fn route_from(remote: SocketAddr) -> FiveTuple {
    FiveTuple::udp(OURS.into(), remote)
}

impl Lone {
    pub(crate) fn new(role: Role) -> Self {
        let theirs = Credentials::new("theirs", "theirpasswordtheirpassword").unwrap();
        let mut agent = agent(Seed(11), "lone", role);
        agent
            .add_local_candidate(epoch(), Candidate::host(OURS.into()))
            .unwrap();
        Self {
            agent,
            now: epoch(),
            theirs,
            next_id: 0,
        }
    }

    /// … whose peer has been signalled.
    pub(crate) fn signalled(role: Role) -> Self {
        let mut lone = Self::new(role);
        lone.signal();
        lone.agent
            .add_remote_candidate(lone.now, Candidate::host(THEIRS.into()))
            .unwrap();
        lone
    }

    /// … and connected to it over the one pair.
    pub(crate) fn connected(role: Role) -> Self {
        let mut lone = Self::signalled(role);
        lone.live_for(Duration::from_millis(10));
        if role == Role::Controlled {
            let check = Check {
                nominates: true,
                ..lone.check()
            };
            lone.input(route(), &check.write()).unwrap();
        }
        lone.live_for(Duration::from_millis(200));
        assert!(lone.agent.is_nominated());
        while lone.agent.poll_event().is_some() {}
        lone
    }

    pub(crate) fn signal(&mut self) {
        let theirs = self.theirs.clone();
        self.agent.set_remote_credentials(self.now, theirs).unwrap();
    }

    /// A correct check of the peer, in the role that is left to it.
    pub(crate) fn check(&mut self) -> Check {
        self.next_id += 1;
        let ours = self.agent.local_credentials();
        Check {
            id: TransactionId([self.next_id; 12]),
            username: format!("{}:{}", ours.ufrag, self.theirs.ufrag),
            pwd: ours.pwd.clone(),
            priority: Some(1_862_270_975),
            role: Some((self.agent.role().opposite(), 1)),
            nominates: false,
            number: None,
            network: None,
            unknown: false,
            integrity: true,
        }
    }

    pub(crate) fn input(&mut self, route: FiveTuple, bytes: &[u8]) -> Result<bool, Rejected> {
        let mut bytes = bytes.to_vec();
        let passed = self.agent.handle_input(self.now, route, &mut bytes)?;
        Ok(passed.is_some())
    }

    /// Everything that the agent has to send now.
    pub(crate) fn sent(&mut self) -> Vec<(FiveTuple, Vec<u8>)> {
        let (mut batch, mut all) = (Batch::new(), Vec::new());
        while let Some(route) = {
            let mut out = batch.transmit_buf(1200, 4);
            self.agent.poll_transmit(self.now, &mut out)
        } {
            all.extend(batch.datagrams().map(|datagram| (route, datagram.to_vec())));
        }
        all
    }

    /// The answers that the agent has to send now.
    pub(crate) fn replies(&mut self) -> Vec<(FiveTuple, Vec<u8>)> {
        let is_request =
            |bytes: &[u8]| MessageView::parse(bytes).unwrap().class() == Class::Request;
        let mut sent = self.sent();
        sent.retain(|(_, bytes)| !is_request(bytes));
        sent
    }

    /// Answers every request that the agent sends now, as the peer would.
    pub(crate) fn answer_all(&mut self) -> usize {
        let requests = self.sent();
        let mut answered = 0;
        for (route, bytes) in requests {
            let request = MessageView::parse(&bytes).unwrap();
            if request.class() == Class::Request {
                let answer = self.success(request.transaction_id(), route.local);
                self.input(route, &answer).unwrap();
                answered += 1;
            }
        }
        answered
    }

    /// The peer's answer to a check.
    pub(crate) fn success(&self, id: TransactionId, mapped: SocketAddr) -> Vec<u8> {
        build(Class::Success, id, &self.theirs.pwd, |message| {
            message.attribute(Attribute::XorMappedAddress(mapped));
        })
    }

    pub(crate) fn error(&self, id: TransactionId, code: u16) -> Vec<u8> {
        build(Class::Error, id, &self.theirs.pwd, |message| {
            message.attribute(Attribute::ErrorCode(ErrorCode { code, reason: "" }));
        })
    }

    /// Lets time pass, and drops what the agent sends meanwhile; gives what it dropped.
    pub(crate) fn run_for(&mut self, time: Duration) -> Vec<(FiveTuple, Vec<u8>)> {
        let (end, mut lost) = (self.now + time, self.sent());
        while let Some(at) = self.agent.poll_timeout().filter(|at| *at <= end) {
            assert!(at > self.now, "a timer that does not go off");
            self.now = at;
            self.agent.handle_timeout(at);
            lost.extend(self.sent());
        }
        self.now = end;
        self.agent.handle_timeout(end);
        lost
    }

    /// Lets time pass while the peer answers everything.
    pub(crate) fn live_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.answer_all();
        while let Some(at) = self.agent.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.agent.handle_timeout(at);
            self.answer_all();
        }
        self.now = end;
        self.agent.handle_timeout(end);
        self.answer_all();
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.agent.poll_event()).collect()
    }

    /// All state that a datagram could change.
    pub(crate) fn digest(&mut self) -> String {
        self.agent.handle_timeout(self.now);
        format!("{:?} {:?}", self.agent, self.agent.poll_timeout())
    }

    pub(crate) fn state(&self) -> State {
        self.agent.state()
    }
}

impl Check {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = vec![0; 700];
        let mut message = MessageBuilder::new(&mut bytes, Class::Request, Method::BINDING, self.id);
        message.attribute(Attribute::Username(&self.username));
        if let Some(priority) = self.priority {
            message.attribute(Attribute::Priority(priority));
        }
        match self.role {
            Some((Role::Controlling, tie)) => message.attribute(Attribute::IceControlling(tie)),
            Some((Role::Controlled, tie)) => message.attribute(Attribute::IceControlled(tie)),
            None => &mut message,
        };
        if self.nominates {
            message.attribute(Attribute::UseCandidate);
        }
        if let Some(number) = self.number {
            message.attribute(Attribute::Nomination(number));
        }
        if let Some((id, cost)) = self.network {
            message.attribute(Attribute::GoogNetworkInfo { id, cost });
        }
        if self.unknown {
            let kind = pc_stun::AttributeType(0x7F01);
            message.attribute(Attribute::Unknown {
                kind,
                value: &[1, 2, 3, 4],
            });
        }
        if self.integrity {
            message.integrity(&IntegrityKey::short_term(&self.pwd));
        }
        let len = message.fingerprint().finish().unwrap();
        bytes.truncate(len);
        bytes
    }
}

pub(crate) fn build(
    class: Class,
    id: TransactionId,
    pwd: &str,
    add: impl FnOnce(&mut MessageBuilder<'_>),
) -> Vec<u8> {
    let mut bytes = vec![0; 700];
    let mut message = MessageBuilder::new(&mut bytes, class, Method::BINDING, id);
    add(&mut message);
    let key = IntegrityKey::short_term(pwd);
    let len = message.integrity(&key).fingerprint().finish().unwrap();
    bytes.truncate(len);
    bytes
}
