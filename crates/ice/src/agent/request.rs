//! Checks of the peer (RFC 8445 §7.3).

use std::time::Instant;

use pc_proto::FiveTuple;
use pc_stun::{Attribute, AttributeType, IntegrityError, MessageView};

use super::Agent;
use crate::{
    Event, Network, NetworkCost, Rejected, Role, TcpType,
    candidate::fnv,
    credentials::Secret,
    early::Received,
    nomination::Nomination,
    pair::{PairId, PairState},
    remotes::RemoteId,
    reply::{Answer, Reply},
};

/// What a request that counts says.
struct Proven {
    generation: u32,
    priority: u32,
    nomination: Option<Nomination>,
    network: Option<Network>,
}

/// Why a request does not count, and what it is answered with.
struct Refused {
    generation: u32,
    answer: Answer,
    why: Rejected,
}

/// The peer's user fragment in a check (RFC 8445 §7.2.2).
fn theirs<'m>(message: &MessageView<'m>) -> &'m str {
    let username = message.username().unwrap_or_default();
    username.split_once(':').map_or("", |(_, theirs)| theirs)
}

impl Agent {
    pub(super) fn request(
        &mut self,
        now: Instant,
        route: FiveTuple,
        message: &MessageView<'_>,
    ) -> Result<(), Rejected> {
        let id = message.transaction_id();
        let judged = self.judge(message);
        if let Ok(proven) = &judged
            && self.is_of_others(proven.generation, message)
        {
            return Err(Rejected::OtherGeneration);
        }
        let (generation, answer) = match &judged {
            Ok(proven) => (proven.generation, Answer::Success),
            Err(refused) => (refused.generation, refused.answer),
        };
        let seen = self.requests.seen_from(id).filter(|_| judged.is_ok());
        if seen.is_some_and(|seen| seen != route) {
            return Err(Rejected::Replayed);
        }
        let reply = Reply {
            route,
            id,
            answer,
            generation,
        };
        self.replies.push(now, reply);
        let proven = judged.map_err(|refused| refused.why)?;
        if seen.is_none() {
            self.requests.remember(id, route);
            self.authenticate(route);
            self.heard(route);
            self.accept(now, route, message, &proven);
        }
        Ok(())
    }

    /// Says whether a request counts. Changes nothing.
    fn judge(&self, message: &MessageView<'_>) -> Result<Proven, Refused> {
        let unproven = |code, why| Refused {
            generation: 0,
            answer: Answer::Refusal(code),
            why,
        };
        let username = message.username();
        let (local, _) = username
            .and_then(|name| name.split_once(':'))
            .ok_or(unproven(400, Rejected::BadRequest))?;
        let (generation, secret) = self
            .generation_of(local)
            .ok_or(unproven(401, Rejected::UnknownUfrag))?;
        match message.verify_integrity(&secret.key) {
            Ok(()) => {}
            Err(IntegrityError::Missing) => return Err(unproven(400, Rejected::BadRequest)),
            Err(_) => return Err(unproven(401, Rejected::Unauthenticated)),
        }
        let refused = |answer, why| Refused {
            generation,
            answer,
            why,
        };
        if let Some(kind) = message.unknown_comprehension_required().next() {
            let answer = Answer::UnknownAttribute(kind);
            return Err(refused(answer, Rejected::UnknownAttribute(kind)));
        }
        let priority = message
            .priority()
            .ok_or(refused(Answer::Error(400), Rejected::BadRequest))?;
        if generation == self.current.number && self.peer_gives_way(message) {
            return Err(refused(Answer::Error(487), Rejected::RoleConflict));
        }
        Ok(Proven {
            generation,
            priority,
            nomination: nomination(message),
            network: network(message),
        })
    }

    /// Whether a check of a generation is not from the peer of that generation, as its USERNAME has it.
    ///
    /// RFC 8445 §7.3 would have it answered. But while a restart is being negotiated libwebrtc checks from
    /// its new candidates to our old user fragment, selects the first that is answered, and stays with
    /// it although we have never heard of that pair. Silence makes it wait for what is negotiated.
    fn is_of_others(&self, generation: u32, message: &MessageView<'_>) -> bool {
        let remote = match &self.retired {
            Some(retired) if retired.number == generation => &retired.remote,
            _ => &self.current.remote,
        };
        let theirs = theirs(message);
        remote.as_ref().is_some_and(|it| it.ufrag() != theirs)
    }

    fn generation_of(&self, ufrag: &str) -> Option<(u32, &Secret)> {
        if self.current.local.ufrag() == ufrag {
            return Some((self.current.number, &self.current.local));
        }
        let retired = self
            .retired
            .as_ref()
            .filter(|retired| retired.local.ufrag() == ufrag)?;
        Some((retired.number, &retired.local))
    }

    /// Whether both have the same role and this side keeps its own (RFC 8445 §7.3.1.1).
    fn peer_gives_way(&self, message: &MessageView<'_>) -> bool {
        match self.role {
            // One that is lite cannot control.
            Role::Controlled if self.lite => message.ice_controlled().is_some(),
            Role::Controlling => message
                .ice_controlling()
                .is_some_and(|theirs| self.tie_breaker >= theirs),
            Role::Controlled => message
                .ice_controlled()
                .is_some_and(|theirs| self.tie_breaker < theirs),
        }
    }

    /// Changes role if both have the same one; that the peer does not give way is known.
    fn resolve_conflict(&mut self, message: &MessageView<'_>) {
        let conflict = match self.role {
            Role::Controlling => message.ice_controlling().is_some(),
            Role::Controlled => message.ice_controlled().is_some(),
        };
        if conflict {
            self.switch_role();
        }
    }

    pub(super) fn switch_role(&mut self) {
        self.change_role(self.role.opposite());
        self.push_event(Event::RoleChanged(self.role));
    }

    /// Takes a check into account, now or when the peer's credentials come; one of a retired
    /// generation has been answered, and that is all.
    fn accept(
        &mut self,
        now: Instant,
        route: FiveTuple,
        message: &MessageView<'_>,
        proven: &Proven,
    ) {
        if proven.generation != self.current.number {
            return;
        }
        self.resolve_conflict(message);
        let received = Received {
            route,
            priority: proven.priority,
            nomination: proven.nomination,
            network: proven.network,
        };
        match &self.current.remote {
            Some(_) => self.check_received(now, received),
            None => {
                let ufrag = fnv(0, theirs(message).as_bytes());
                self.current.early.remember(ufrag, received);
            }
        }
    }

    /// Learns peer-reflexive candidates, triggers a check and notes nomination (RFC 8445
    /// §7.3.1.3 to §7.3.1.5). A check for which there is no room is answered, and that is all.
    pub(super) fn check_received(&mut self, now: Instant, received: Received) {
        let known = self.current.checklist.by_route(received.route);
        if known.is_some() && self.current.lost {
            // RFC 7675 §5.1: consent that has expired comes back with a restart only.
            return;
        }
        let Some(id) = known.or_else(|| self.pair_of(received)) else {
            return;
        };
        self.note_open(received.route);
        if let Some(pair) = self.current.checklist.get_mut(id) {
            pair.counters.requests_received += 1;
            let remote = pair.remote;
            if let Some(network) = received.network {
                self.learn_network(remote, network);
            }
        }
        if self.lite {
            self.take_check_lite(now, id, received.nomination.is_some());
        } else {
            self.trigger(now, id, received.nomination.is_some());
            self.doubt_path_beside(now, id);
        }
        if self.role == Role::Controlled {
            self.take_nomination(now, id, received.nomination);
        }
    }

    /// A peer that checks another pair, long after both have agreed on one, may have lost that.
    fn doubt_path_beside(&mut self, now: Instant, id: PairId) {
        let rtt = self.path_rtt();
        let (current, timing) = (&self.current, &self.timing);
        if let Some(path) = &mut self.path
            && path.generation == current.number
            && path.pair != id
            && current.selected == Some(path.pair)
        {
            path.consent.doubt(now, rtt, timing);
        }
    }

    /// Triggers a check of the pair unless it is known to be valid (RFC 8445 §7.3.1.4), and has
    /// been so lately if the peer wants it used.
    fn trigger(&mut self, now: Instant, id: PairId, nominates: bool) {
        let current = &mut self.current;
        let Some(pair) = current.checklist.get(id) else {
            return;
        };
        let lately = self.timing.consent_expiry / 2;
        let fresh = pair
            .valid
            .is_some_and(|valid| valid.confirmed_at + lately > now);
        match pair.state {
            PairState::Succeeded if fresh || !nominates => return,
            PairState::InProgress => current.transactions.cancel(id),
            _ => {}
        }
        current.checklist.trigger(id);
    }

    /// The new pair for a check's path, with a peer-reflexive candidate if need be.
    fn pair_of(&mut self, received: Received) -> Option<PairId> {
        let Received {
            route,
            priority,
            network,
            ..
        } = received;
        let says = (priority, network.unwrap_or_default());
        // RFC 6544 §7.2: of the type that goes together with ours.
        let ours = self.locals.of(route)?.candidate.tcp_type;
        let source = (route.remote, ours.map(TcpType::counterpart));
        let remote = match self.current.remotes.at(route.transport, route.remote) {
            Some(known) => known,
            None => {
                let remotes = &mut self.current.remotes;
                match remotes.add_reflexive(route.transport, source, says) {
                    Some(added) => added,
                    None => {
                        let stale = self.stale_reflexive()?;
                        self.drop_remote(stale);
                        let remotes = &mut self.current.remotes;
                        remotes.add_reflexive(route.transport, source, says)?
                    }
                }
            }
        };
        self.pair_up(route.transport, route.local, remote)
    }

    /// The oldest peer-reflexive candidate that nothing depends on.
    fn stale_reflexive(&self) -> Option<RemoteId> {
        let current = &self.current;
        let path = self.path.as_ref().filter(|path| self.is_current(path));
        let kept = [
            current.selected,
            current.nominating,
            path.map(|path| path.pair),
        ];
        let needed = |remote: RemoteId| {
            let mut kept = kept.iter().flatten();
            kept.any(|id| {
                current
                    .checklist
                    .get(*id)
                    .is_some_and(|pair| pair.remote == remote)
            })
        };
        current.remotes.reflexive().find(|id| !needed(*id))
    }

    fn drop_remote(&mut self, remote: RemoteId) {
        let current = &mut self.current;
        current.checklist.retain(|pair| pair.remote != remote);
        current.transactions.retain_pairs(&current.checklist);
        current.remotes.remove(remote);
    }
}

/// The one that counts, where a message should have both.
fn nomination(message: &MessageView<'_>) -> Option<Nomination> {
    let number = message.nomination().filter(|number| *number > 0);
    let plain = message.use_candidate().then_some(Nomination::UseCandidate);
    number.map(Nomination::Numbered).or(plain)
}

/// The network that the check came over at the far end, as libwebrtc tells it.
fn network(message: &MessageView<'_>) -> Option<Network> {
    match message.attribute(AttributeType::GOOG_NETWORK_INFO)? {
        Attribute::GoogNetworkInfo { id, cost } => Some(Network {
            id,
            cost: NetworkCost::new(cost),
        }),
        _ => None,
    }
}
