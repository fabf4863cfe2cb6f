//! Reads bytes as operations on two sessions that negotiate as the W3C's perfect negotiation has it,
//! and checks what must hold whatever the operations are.
//!
//! Used by the fuzz target and by the tests of `pc-jsep`, which replay its corpus.

use pc_jsep::{BundlePolicy, SdpType, SignalingState};

mod agreement;
mod operations;
mod peer;

use peer::{Message, Peer};

/// How many operations one input may have.
const MAX_OPERATIONS: usize = 300;
/// How many rounds of messages two sessions may need to agree once nobody does anything any more.
const MAX_ROUNDS: usize = 40;

/// Runs the operations, then lets the sessions come to an end: they have to agree.
pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut world = World::new(bytes.byte());
    for _ in 0..MAX_OPERATIONS {
        let Some(operation) = bytes.next() else { break };
        let own = usize::from(operation & 1);
        world.operate(own, operation >> 1, &mut bytes);
        world.peers.iter_mut().for_each(Peer::check);
    }
    world.settle();
    agreement::check(&world.peers);
}

/// What operations are read from; past the end everything is 0.
pub(crate) struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    /// One of `count`.
    fn index(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }
}

struct World {
    peers: [Peer; 2],
}

impl World {
    fn new(policies: u8) -> Self {
        let policy = |number: u8| match number % 3 {
            0 => BundlePolicy::Balanced,
            1 => BundlePolicy::MaxCompat,
            _ => BundlePolicy::MaxBundle,
        };
        Self {
            peers: [
                Peer::new("a", 1, true, policy(policies), policies & 0x80 == 0),
                Peer::new("b", 2, false, policy(policies / 3), policies & 0xc0 != 0xc0),
            ],
        }
    }

    /// The messages a peer has sent go to the other, in order.
    fn deliver(&mut self, to: usize, bytes: &mut Bytes<'_>) -> bool {
        let Some(message) = self.peers[1 - to].outbox.pop_front() else {
            return false;
        };
        self.peers[to].handle(message, bytes);
        true
    }

    /// Everyone finishes what is begun; whoever needs negotiation offers.
    fn settle(&mut self) {
        for _ in 0..MAX_ROUNDS {
            for own in [0, 1] {
                while self.deliver(own, &mut Bytes(&[])) {}
                let peer = &mut self.peers[own];
                peer.finish();
                peer.check();
            }
            if self.peers.iter().all(Peer::is_settled) {
                return;
            }
        }
        let states: Vec<_> = self.peers.iter().map(Peer::describe).collect();
        panic!("the peers do not settle: {states:#?}");
    }
}

impl Peer {
    /// What an offer, answer or candidate of the other side leads to.
    fn handle(&mut self, message: Message, bytes: &mut Bytes<'_>) {
        match message {
            Message::Offer(id, text) => self.handle_offer(id, &text, bytes),
            Message::Answer(id, kind, text) => {
                assert_eq!(Some(id), self.offered, "an answer to another offer");
                self.must("answer", |session| {
                    session.set_remote_description(kind, &text)
                });
                if kind == SdpType::Answer {
                    self.offered = None;
                }
            }
            Message::RolledBack(id) => {
                let waits = self.session.signaling_state() == SignalingState::HaveLocalOffer;
                if waits && self.offered == Some(id) {
                    self.offered = None;
                    self.must("rollback", |session| {
                        session.set_local_description(Some((SdpType::Rollback, "")))
                    });
                }
            }
            Message::Candidate(candidate) => {
                // It may be of an offer that was ignored or taken back.
                let _ = self.attempt(|session| session.add_ice_candidate(Some(&candidate)));
            }
        }
    }

    fn handle_offer(&mut self, id: u32, text: &str, bytes: &mut Bytes<'_>) {
        let collides = self.session.signaling_state() != SignalingState::Stable;
        if collides && !self.polite {
            self.ignored = Some(id);
            return;
        }
        (self.unsent, self.offered) = (false, None);
        self.must("offer", |session| {
            session.set_remote_description(SdpType::Offer, text)
        });
        self.to_answer = Some(id);
        match bytes.index(3) {
            0 => self.answer(SdpType::Answer),
            1 => self.answer(SdpType::Pranswer),
            _ => {}
        }
    }
}
