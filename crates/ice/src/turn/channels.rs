//! Channels, [RFC 8656 §12](https://www.rfc-editor.org/rfc/rfc8656#section-12).

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use pc_stun::ChannelNumber;

use crate::Error;

/// "Channel bindings last for 10 minutes unless refreshed" (RFC 8656 §12).
const LIFETIME: Duration = Duration::from_secs(600);

/// Two minutes before it ends: time for a request and another.
const REFRESH_AFTER: Duration = Duration::from_secs(480);

/// How long after its end a number may not be bound to another peer (RFC 8656 §12).
const QUARANTINE: Duration = Duration::from_secs(300);

/// How many channels there may be, those in quarantine among them.
const MAX_CHANNELS: usize = 128;

/// The life of a channel.
///
/// ```text
///   Wanted ──take_due()──► Asked ──bound()──► Bound ──take_due()──► Bound, asked ─ …
///     ▲                      └─retire(), take_lapsed()─► Retired ──time──► (gone)
///     └──────────────────add(), for the same peer───────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// To be asked for.
    Wanted,
    /// The first request is open.
    Asked,
    /// In use.
    Bound {
        until: Option<Instant>,
        due_at: Option<Instant>,
        asked: bool,
    },
    /// No longer used; the server may still know it.
    Retired { until: Option<Instant> },
}

#[derive(Debug)]
struct Channel {
    number: ChannelNumber,
    peer: SocketAddr,
    phase: Phase,
}

/// The channels of an allocation.
#[derive(Debug)]
pub(super) struct Channels {
    list: Vec<Channel>,
    next: ChannelNumber,
}

impl Channels {
    pub(super) const fn new() -> Self {
        Self {
            list: Vec::new(),
            next: ChannelNumber::MIN,
        }
    }

    /// Asks for a channel to this peer, unless there is one.
    pub(super) fn add(&mut self, now: Instant, peer: SocketAddr) -> Result<(), Error> {
        self.forget_old(now);
        if let Some(channel) = self.list.iter_mut().find(|channel| channel.peer == peer) {
            // A peer keeps its number: another one is forbidden until the quarantine is over.
            if matches!(channel.phase, Phase::Retired { .. }) {
                channel.phase = Phase::Wanted;
            }
            return Ok(());
        }
        if self.list.len() >= MAX_CHANNELS {
            return Err(Error::TooManyPeers);
        }
        let number = self.free_number();
        self.list.push(Channel {
            number,
            peer,
            phase: Phase::Wanted,
        });
        Ok(())
    }

    /// No longer uses the channel to this peer; says whether there was one, or was to be.
    pub(super) fn retire(&mut self, now: Instant, peer: SocketAddr) -> bool {
        let Some(index) = self.list.iter().position(|channel| channel.peer == peer) else {
            return false;
        };
        let Some(channel) = self.list.get_mut(index) else {
            return false;
        };
        let bound_until = match channel.phase {
            Phase::Retired { .. } => return false,
            Phase::Wanted => {
                self.list.remove(index);
                return true;
            }
            // The server may have bound it, or do so yet.
            Phase::Asked => now.checked_add(LIFETIME),
            Phase::Bound { until, asked, .. } if !asked => until,
            Phase::Bound { .. } => now.checked_add(LIFETIME),
        };
        let until = bound_until.and_then(|until| until.checked_add(QUARANTINE));
        channel.phase = Phase::Retired { until };
        true
    }

    /// The channel through which data for this peer goes.
    pub(super) fn number_of(&self, peer: SocketAddr) -> Option<ChannelNumber> {
        let bound = |channel: &&Channel| {
            channel.peer == peer && matches!(channel.phase, Phase::Bound { .. })
        };
        self.list.iter().find(bound).map(|channel| channel.number)
    }

    /// Whose data come through this channel. The server may use it before its answer is here, and
    /// for a while after it is no longer used here.
    pub(super) fn peer_of(&self, number: ChannelNumber) -> Option<SocketAddr> {
        let known = |channel: &&Channel| channel.number == number && channel.phase != Phase::Wanted;
        self.list.iter().find(known).map(|channel| channel.peer)
    }

    /// A channel for which a request is due; it counts as asked.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(ChannelNumber, SocketAddr)> {
        self.list.iter_mut().find_map(|channel| {
            match &mut channel.phase {
                phase @ Phase::Wanted => *phase = Phase::Asked,
                Phase::Bound { due_at, asked, .. }
                    if !*asked && due_at.is_none_or(|at| at <= now) =>
                {
                    *asked = true;
                }
                _ => return None,
            }
            Some((channel.number, channel.peer))
        })
    }

    /// The server has answered; says whether the channel is new. One that was retired meanwhile
    /// stays so.
    pub(super) fn bound(&mut self, now: Instant, number: ChannelNumber) -> bool {
        let of = |channel: &&mut Channel| channel.number == number;
        let Some(channel) = self.list.iter_mut().find(of) else {
            return false;
        };
        let is_new = match channel.phase {
            Phase::Wanted | Phase::Asked => true,
            Phase::Bound { .. } => false,
            Phase::Retired { .. } => return false,
        };
        channel.phase = Phase::Bound {
            until: now.checked_add(LIFETIME),
            due_at: now.checked_add(REFRESH_AFTER),
            asked: false,
        };
        is_new
    }

    /// No longer uses the channels to an address.
    pub(super) fn retire_all(&mut self, now: Instant, ip: IpAddr) {
        let of = |channel: &Channel| channel.peer.ip() == ip;
        let peers: Vec<_> = self
            .list
            .iter()
            .filter(|it| of(it))
            .map(|it| it.peer)
            .collect();
        for peer in peers {
            self.retire(now, peer);
        }
    }

    /// A refresh has failed: whether the channel lasts long enough for another one.
    pub(super) fn retry(&mut self, at: Instant, peer: SocketAddr) -> bool {
        let of = |channel: &&mut Channel| channel.peer == peer;
        match self.list.iter_mut().find(of).map(|it| &mut it.phase) {
            Some(Phase::Bound {
                until,
                due_at,
                asked,
            }) if until.is_some_and(|until| at < until) => {
                (*due_at, *asked) = (Some(at), false);
                true
            }
            _ => false,
        }
    }

    /// One that has not been refreshed in time.
    pub(super) fn take_lapsed(&mut self, now: Instant) -> Option<SocketAddr> {
        self.list.iter_mut().find_map(|channel| {
            let Phase::Bound { until, .. } = channel.phase else {
                return None;
            };
            until.filter(|until| *until <= now)?;
            let until = now.checked_add(QUARANTINE);
            channel.phase = Phase::Retired { until };
            Some(channel.peer)
        })
    }

    /// Forgets those whose quarantine is over.
    fn forget_old(&mut self, now: Instant) {
        let over = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        self.list
            .retain(|channel| !matches!(channel.phase, Phase::Retired { until } if over(until)));
    }

    /// All are to be asked for again: what was asked on another path is lost.
    pub(super) fn ask_again(&mut self) {
        for channel in &mut self.list {
            match &mut channel.phase {
                phase @ Phase::Asked => *phase = Phase::Wanted,
                Phase::Bound { due_at, asked, .. } => (*due_at, *asked) = (None, false),
                Phase::Wanted | Phase::Retired { .. } => {}
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    /// When a request is due or a channel ends; quarantines end unnoticed.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let of = |channel: &Channel| match channel.phase {
            Phase::Bound {
                until,
                due_at,
                asked,
            } => until.into_iter().chain(due_at.filter(|_| !asked)).min(),
            Phase::Wanted | Phase::Asked | Phase::Retired { .. } => None,
        };
        self.list.iter().filter_map(of).min()
    }

    /// The next number that no peer has or has had of late: the list is shorter than the range.
    fn free_number(&mut self) -> ChannelNumber {
        loop {
            let number = self.next;
            let next = ChannelNumber::new(number.number() + 1);
            self.next = next.unwrap_or(ChannelNumber::MIN);
            if self.list.iter().all(|channel| channel.number != number) {
                return number;
            }
        }
    }
}

#[cfg(test)]
mod tests;
