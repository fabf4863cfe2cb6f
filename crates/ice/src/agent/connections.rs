//! TCP connections of pairs (RFC 6544 §7): which are wanted, and what became of them.

use std::time::Instant;

use pc_proto::{FiveTuple, Transport};

use super::Agent;
use crate::{
    CandidateKind,
    pair::{Pair, PairId, PairState},
    tcp::{Dial, Link, redial_after},
};

/// How many connections are attempted at once: who sends candidates may name anybody's addresses
/// (RFC 8445 §19.5.1), and each attempt holds a socket.
const MAX_DIALING: usize = 8;

/// What stands in the way of a check.
pub(super) enum Readiness {
    /// Nothing.
    Ready,
    /// A connection, which is asked for.
    Dialing,
    /// The same, and it has been asked for before.
    Dialed,
    /// A connection, of which there will be none.
    Hopeless,
}

impl Agent {
    /// The next connection that whoever owns the sockets is to open, to `remote`: from `local`, or
    /// where its port is 9, from any port of that address (RFC 6544 §7.1). The outcome is told by
    /// [`connected`](Self::connected) or [`connect_failed`](Self::connect_failed), which this path
    /// names; 39.5 s of silence are a failure.
    ///
    /// At most 8 are under way at once. After 32 of them since the last restart one more is asked for in
    /// 30 s. Those from relayed candidates are for [`poll_relayed_connect`](Self::poll_relayed_connect).
    pub fn poll_connect(&mut self) -> Option<FiveTuple> {
        self.next_connect(false)
    }

    /// The next connection that a TURN server is to open for this side (RFC 6062 §4.3), from the relayed
    /// candidate whose address, with port 9, is that of this path. Otherwise as
    /// [`poll_connect`](Self::poll_connect); [`connected`](Self::connected) may leave port 9 as it is, for
    /// the server never tells another.
    pub fn poll_relayed_connect(&mut self) -> Option<FiveTuple> {
        self.next_connect(true)
    }

    fn next_connect(&mut self, is_relayed: bool) -> Option<FiveTuple> {
        if self.is_closed() {
            return None;
        }
        let (current, locals) = (&mut self.current, &self.locals);
        let is_asked = |pair: &Pair| matches!(dial_of(pair), Some(Dial::Asked { .. }));
        let checklist = &current.checklist;
        current
            .to_dial
            .retain(|id| checklist.get(*id).is_some_and(is_asked));
        let asked = checklist.iter().filter(|pair| is_asked(pair)).count();
        if asked - current.to_dial.len().min(asked) >= MAX_DIALING {
            return None;
        }
        let relays = |id: &PairId| {
            let route = checklist.get(*id).map(|pair| pair.route);
            let local = route.and_then(|route| locals.of(route));
            local.is_some_and(|it| it.candidate.kind == CandidateKind::Relayed)
        };
        let at = current
            .to_dial
            .iter()
            .position(|id| relays(id) == is_relayed)?;
        let id = current.to_dial.remove(at)?;
        Some(checklist.get(id)?.route)
    }

    /// A connection that was [asked for](Self::poll_connect) as `asked` is open. Its datagrams, framed
    /// as in RFC 4571, come and go by the path from `local` from now on, until
    /// [`needs_connection`](Self::needs_connection) denies it.
    pub fn connected(&mut self, now: Instant, asked: FiveTuple, local: std::net::SocketAddr) {
        let checklist = &mut self.current.checklist;
        let Some(id) = checklist.by_route(asked) else {
            return;
        };
        let Some(pair) = checklist.get_mut(id) else {
            return;
        };
        if !matches!(dial_of(pair), Some(Dial::Asked { .. })) {
            return;
        }
        if let Link::Dialed { dial, .. } = &mut pair.link {
            *dial = Dial::Open;
        }
        pair.route.local = local;
        checklist.trigger_first(id);
        self.settle(now);
    }

    /// A connection that was [asked for](Self::poll_connect) as `asked` cannot be opened: its pair
    /// has failed (RFC 6544 §7.1).
    pub fn connect_failed(&mut self, now: Instant, asked: FiveTuple) {
        let checklist = &self.current.checklist;
        let pair = checklist.by_route(asked).and_then(|id| checklist.get(id));
        if let Some(pair) = pair
            && matches!(dial_of(pair), Some(Dial::Asked { .. }))
        {
            self.fail_pair(pair.id);
            self.settle(now);
        }
    }

    /// A connection has ended: its pair has failed. If it carried the data, the others are checked
    /// again, and the one that was lost is opened anew where this side had opened it; the state is
    /// [`Disconnected`](crate::State::Disconnected) until one answers or consent would have expired. One
    /// that this side has opened and on which nothing was answered is opened again a few times, while
    /// failure is not declared yet (RFC 8863 §4).
    pub fn connection_lost(&mut self, now: Instant, path: FiveTuple) {
        if self.is_closed() || path.transport != Transport::Tcp {
            return;
        }
        self.advance(now);
        if let Some(id) = self.current.checklist.by_route(path) {
            let later = self.redial_at(now, id);
            self.fail_pair(id);
            if let (Some(at), Some(pair)) = (later, self.current.checklist.get_mut(id)) {
                pair.dial_later(at);
            }
            let selected = &mut self.current.selected;
            *selected = selected.filter(|selected| *selected != id);
        }
        if self.paths.contains(path) {
            self.forget_path(path);
        }
        let used = self.path.as_ref().filter(|used| used.route == path);
        if let Some(generation) = used.map(|used| used.generation) {
            self.drop_path();
            self.grace = Some((now + self.timing.consent_expiry, generation));
            self.make_haste(now);
        }
        self.settle(now);
    }

    /// Whether a connection is of use: one of this side's, or one that a peer has opened and on which
    /// a check of it has come. Any other may be closed, without telling.
    pub fn needs_connection(&self, path: FiveTuple) -> bool {
        if self.is_closed() {
            return false;
        }
        let checklist = &self.current.checklist;
        let pair = checklist.by_route(path).and_then(|id| checklist.get(id));
        pair.is_some_and(|pair| pair.link.holds_connection())
            || self.route() == Some(path)
            || self.current.early.has(path)
    }

    /// Whether a check of this pair can be sent. Asks for a connection if it takes one.
    pub(super) fn prepare_check(&mut self, now: Instant, id: PairId) -> Readiness {
        let current = &mut self.current;
        let Some(pair) = current.checklist.get_mut(id) else {
            return Readiness::Hopeless;
        };
        match &mut pair.link {
            link if link.is_open() => Readiness::Ready,
            Link::Dialed { dial, .. } if *dial == Dial::Idle => {
                if !current.dials.take(now) {
                    return Readiness::Hopeless;
                }
                *dial = Dial::Asked { since: now };
                pair.state = PairState::InProgress;
                current.to_dial.push_back(id);
                Readiness::Dialing
            }
            Link::Dialed { .. } => {
                pair.state = PairState::InProgress;
                Readiness::Dialed
            }
            _ => Readiness::Hopeless,
        }
    }

    /// A check has come on this path, so it is open: in a simultaneous open the peer's connection may
    /// have come first.
    pub(super) fn note_open(&mut self, path: FiveTuple) {
        let checklist = &mut self.current.checklist;
        let id = checklist.by_route(path);
        match id.and_then(|id| checklist.get_mut(id)) {
            Some(Pair {
                link: Link::Accepted { open },
                ..
            }) => *open = true,
            Some(Pair {
                link: Link::Dialed { dial, .. },
                ..
            }) => *dial = Dial::Open,
            _ => {}
        }
    }

    /// When the connection of a pair, which has just ended, is worth another one.
    fn redial_at(&self, now: Instant, id: PairId) -> Option<Instant> {
        self.current.patience_until?;
        let pair = self.current.checklist.get(id)?;
        let is_unanswered = pair.state == PairState::InProgress && pair.valid.is_none();
        let is_ours = dial_of(pair) == Some(Dial::Open);
        let wait = redial_after(pair.unanswered_links)?;
        (is_ours && is_unanswered).then_some(now + wait)
    }

    /// Gives up on connections that nobody has told about, and has those opened again whose time it is.
    pub(super) fn advance_dials(&mut self, now: Instant) {
        while let Some((id, at)) = self.next_redial()
            && at <= now
        {
            if let Some(pair) = self.current.checklist.get_mut(id) {
                pair.disconnect();
            }
            self.current.checklist.trigger(id);
        }
        while let Some((id, until)) = self.next_dial_timeout()
            && until <= now
        {
            self.fail_pair(id);
        }
    }

    /// The connection that is given up next, and when.
    pub(super) fn next_dial_timeout(&self) -> Option<(PairId, Instant)> {
        let pairs = self.current.checklist.iter();
        let asked = pairs.filter_map(|pair| match dial_of(pair)? {
            Dial::Asked { since } => Some((pair.id, since + self.timing.patience)),
            _ => None,
        });
        asked.min_by_key(|(_, until)| *until)
    }

    /// The connection that is opened again next, and when.
    pub(super) fn next_redial(&self) -> Option<(PairId, Instant)> {
        let pairs = self.current.checklist.iter();
        let waiting = pairs.filter_map(|pair| match dial_of(pair)? {
            Dial::Later { at } => Some((pair.id, at)),
            _ => None,
        });
        waiting.min_by_key(|(_, at)| *at)
    }

    pub(super) fn fail_pair(&mut self, id: PairId) {
        let current = &mut self.current;
        current.transactions.forget(id);
        current.checklist.untrigger(id);
        if let Some(pair) = current.checklist.get_mut(id) {
            pair.fail();
        }
        if current.nominating == Some(id) {
            current.nominating = None;
        }
    }
}

fn dial_of(pair: &Pair) -> Option<Dial> {
    match pair.link {
        Link::Dialed { dial, .. } => Some(dial),
        _ => None,
    }
}
