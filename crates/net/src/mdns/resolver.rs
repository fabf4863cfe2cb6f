use std::{
    collections::VecDeque,
    net::IpAddr,
    time::{Duration, Instant},
};

use pc_proto::{Protocol, TransmitBuf, Writer};
use thiserror::Error;

use super::{
    Full, MessageView, Name, PORT, Rejected, Route,
    heard::Heard,
    wire::{Query, Section},
};

/// How many names are asked for at a time: a session has fewer candidates.
pub const MAX_QUERIES: usize = 64;
/// How long until a question is asked again; then twice as long each time. RFC 6762 §5.2
const FIRST_INTERVAL: Duration = Duration::from_secs(1);
/// Room enough for a question: a header, a name, and two times type and class.
const QUERY_ROOM: usize = 12 + 80 + 4 + 6;

/// Asks who is on this link for the address behind a name.
///
/// Only what was asked for is believed: of that which everybody was told before, only the names of
/// candidates are kept, and for as long as they hold. A question goes out at once, after one second,
/// after three and after seven. The first asks for an answer to us alone
/// (draft-ietf-mmusic-mdns-ice-candidates §3.2.1), at a port of our own: port 5353 is shared with
/// other programs, and what is sent to it there reaches only one of them (RFC 6762 §15.1). The later
/// ones are for those who answer everybody, and for firewalls that know port 5353 alone.
///
/// ```text
///            resolve()                handle_input(): one address
///  (nobody) ───────────▶ asked ─────────────────────────────────▶ Ok(address)
///                        │   │ handle_input(): several addresses
///                        │   └───────────────────────────────────▶ Err(SeveralAddresses)
///                        │ handle_timeout(), ten seconds later
///                        └───────────────────────────────────────▶ Err(TimedOut)
/// ```
#[derive(Debug, Default)]
pub struct Resolver {
    asked: Vec<Asked>,
    resolutions: VecDeque<Resolution>,
    heard: Heard,
}

#[derive(Debug)]
struct Asked {
    name: Name,
    until: Instant,
    /// When the question is asked next, and how long after that again.
    next: (Instant, Duration),
    /// How often it has been asked.
    rounds: u32,
    /// Where this round's question has still to go to.
    to_send: VecDeque<Route>,
}

/// What became of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The name that was asked for.
    pub name: Name,
    /// Its address.
    pub outcome: Result<IpAddr, ResolveError>,
}

/// Why a name has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Nobody on this link answered.
    #[error("nobody on this link answers for the name")]
    TimedOut,
    /// Several addresses were told: a candidate is for one, and a name with several could be to
    /// have us send somewhere else. draft-ietf-mmusic-mdns-ice-candidates
    #[error("the name has several addresses")]
    SeveralAddresses,
}

impl Resolver {
    /// How long an answer is waited for.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// Asks for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the address of `name`; a [`Resolution`] follows. Asking again for a name that is
    /// asked for changes nothing.
    ///
    /// # Errors
    ///
    /// [`MAX_QUERIES`] names are asked for, or wait in [`poll_event`](Protocol::poll_event).
    pub fn resolve(&mut self, now: Instant, name: &Name) -> Result<(), Full> {
        if self.asked.iter().any(|asked| asked.name == *name) {
            return Ok(());
        }
        if self.asked.len() + self.resolutions.len() >= MAX_QUERIES {
            return Err(Full(MAX_QUERIES));
        }
        if let Some(ip) = self
            .heard
            .address_of(now, name)
            .filter(|ip| may_be_a_host(*ip))
        {
            let (name, outcome) = (name.clone(), Ok(ip));
            self.resolutions.push_back(Resolution { name, outcome });
            return Ok(());
        }
        self.asked.push(Asked {
            name: name.clone(),
            until: now + Self::TIMEOUT,
            next: (now, FIRST_INTERVAL),
            rounds: 0,
            to_send: VecDeque::new(),
        });
        Ok(())
    }

    /// Asks no longer for `name`; no [`Resolution`] follows.
    pub fn cancel(&mut self, name: &Name) {
        self.asked.retain(|asked| asked.name != *name);
    }

    fn resolved(&mut self, index: usize, outcome: Result<IpAddr, ResolveError>) {
        let name = self.asked.swap_remove(index).name;
        self.resolutions.push_back(Resolution { name, outcome });
    }

    /// Begins the rounds that are due, and gives up what took too long.
    fn advance(&mut self, now: Instant) {
        while let Some(late) = self.asked.iter().position(|asked| asked.until <= now) {
            self.resolved(late, Err(ResolveError::TimedOut));
        }
        for asked in &mut self.asked {
            let (due, interval) = asked.next;
            if due <= now {
                asked.next = (now + interval, 2 * interval);
                asked.rounds += 1;
                let one_shot = asked.rounds == 1;
                let routes = Route::groups(None).map(|route| Route { one_shot, ..route });
                asked.to_send = routes.into();
            }
        }
    }
}

impl Protocol for Resolver {
    type Route = Route;
    type Payload<'d> = ();
    type Event = Resolution;
    type Rejected = Rejected;

    fn handle_input(
        &mut self,
        now: Instant,
        route: Route,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        let message = MessageView::parse(datagram)?;
        if !message.is_response() {
            return Err(Rejected::OtherKind);
        }
        if !message.is_plain() {
            return Err(Rejected::NotMulticastDns);
        }
        if route.remote.port() != PORT {
            return Err(Rejected::WrongPort(route.remote.port()));
        }
        // What came to us alone must answer a question of ours. RFC 6762 §11
        if !route.one_shot {
            self.heard.listen(now, &message);
        }
        let mut rejected = Rejected::OtherName;
        let mut index = 0;
        let before = self.asked.len();
        while let Some(asked) = self.asked.get(index) {
            match address_in(&message, &asked.name) {
                Ok(Some(outcome)) => self.resolved(index, outcome),
                Ok(None) => index += 1,
                Err(unusable) => (rejected, index) = (unusable, index + 1),
            }
        }
        match self.asked.len() < before {
            true => Ok(()),
            false => Err(rejected),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<Route> {
        self.advance(now);
        let asked = self.asked.iter_mut().find(|a| !a.to_send.is_empty())?;
        let route = asked.to_send.pop_front()?;
        let unicast = route.one_shot;
        let name = &asked.name;
        out.datagram_up_to(QUERY_ROOM, |bytes| {
            let mut writer = Writer::new(bytes);
            Query { name, unicast }.write(&mut writer).ok()?;
            Some(writer.len())
        });
        Some(route)
    }

    fn poll_event(&mut self) -> Option<Resolution> {
        self.resolutions.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let times = |asked: &Asked| asked.until.min(asked.next.0);
        self.asked.iter().map(times).min()
    }
}

/// What a response says of `name`, if anything.
fn address_in(
    message: &MessageView<'_>,
    name: &Name,
) -> Result<Option<Result<IpAddr, ResolveError>>, Rejected> {
    let (mut found, mut unusable) = (None, None);
    let told = |record: &super::Record<'_>| {
        // Authorities are what somebody probes for: nobody's yet. RFC 6762 §8.2
        record.section != Section::Authority && record.ttl > 0 && record.name.is(name)
    };
    for ip in message.records().filter(told).filter_map(|r| r.address()) {
        if !may_be_a_host(ip) {
            unusable = Some(ip);
        } else if found.is_some_and(|before| before != ip) {
            return Ok(Some(Err(ResolveError::SeveralAddresses)));
        } else {
            found = Some(ip);
        }
    }
    match (found, unusable) {
        (None, Some(ip)) => Err(Rejected::Unusable(ip)),
        (found, _) => Ok(found.map(Ok)),
    }
}

/// Link-local addresses of IPv6 mean nothing without an interface, which no record tells.
fn may_be_a_host(ip: IpAddr) -> bool {
    let special = match ip {
        IpAddr::V4(ip) => ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.to_ipv4_mapped().is_some(),
    };
    !special && !ip.is_unspecified() && !ip.is_multicast()
}

#[cfg(test)]
mod tests;
