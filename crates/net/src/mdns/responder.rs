use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use pc_proto::{Protocol, TransmitBuf, Writer};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

use super::{
    Full, MessageView, Name, PORT, RecordType, Rejected, Route,
    wire::{Response, Section},
};

/// How many names are answered for at a time.
pub const MAX_NAMES: usize = 256;
/// How many answers wait at a time; announcements do not count.
const MAX_ANSWERS: usize = 64;
/// How long a host's address may be believed, in seconds. RFC 6762 §10
const TTL: u32 = 120;
/// The same for who is no multicast DNS host, in seconds. RFC 6762 §6.7
const LEGACY_TTL: u32 = 10;
/// How long until everybody is told the same again. RFC 6762 §6, §8.3
const INTERVAL: Duration = Duration::from_secs(1);
/// Everybody has been told, if it is no longer ago: a quarter of the time to live. RFC 6762 §5.4
const RECENT: Duration = Duration::from_secs(TTL as u64 / 4);
/// On how many interfaces it is remembered when a name was last told.
const MAX_TOLD: usize = 16;
/// Room enough for an answer: a header, a name twice, and three records' or questions' fixed parts.
const RESPONSE_ROOM: usize = 12 + 2 * 80 + 3 * 32;

/// Makes names for addresses of this host, and answers for them.
///
/// Names are random, so that nobody else can have them: they are not probed for
/// (draft-ietf-mmusic-mdns-ice-candidates §3.1.1). Whoever knows a name may ask on any interface;
/// everybody is told on the one that has the address (RFC 6762 §8.3), but a second later: nothing
/// may be told twice within a second (§6), and whoever learns of a candidate asks at once.
#[derive(Debug)]
pub struct Responder {
    rng: ChaCha12Rng,
    hosts: Vec<Host>,
    to_send: Vec<Answer>,
}

/// A name that is answered for.
#[derive(Debug)]
struct Host {
    name: Name,
    ip: IpAddr,
    /// When everybody on an interface was last told.
    told: Vec<(Route, Instant)>,
}

/// A message that waits for its time.
#[derive(Debug)]
struct Answer {
    at: Instant,
    route: Route,
    name: Name,
    ip: IpAddr,
    ttl: u32,
    address: bool,
    absence: bool,
    legacy: Option<(u16, RecordType)>,
    /// Sent of our own accord, and not for somebody who asked.
    unasked: bool,
}

/// What a query asks of one name.
#[derive(Debug, Default)]
struct Wanted {
    address: bool,
    absence: bool,
    /// Every question allows an answer to the one who asks alone.
    unicast: bool,
    /// The first type that is asked for.
    kind: Option<RecordType>,
}

impl Responder {
    /// Answers for nobody yet; names are made from `seed`.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            rng: ChaCha12Rng::from_seed(seed),
            hosts: Vec::new(),
            to_send: Vec::new(),
        }
    }

    /// Makes a name for `ip`, an address of the interface `link` of this host, and announces it
    /// there, in a while; on every interface, if `link` is `None`.
    ///
    /// # Errors
    ///
    /// [`MAX_NAMES`] names are in use.
    pub fn register(&mut self, now: Instant, ip: IpAddr, link: Option<u32>) -> Result<Name, Full> {
        if self.hosts.len() >= MAX_NAMES {
            return Err(Full(MAX_NAMES));
        }
        let host = Host {
            name: Name::random(&mut self.rng),
            ip,
            told: Vec::new(),
        };
        let name = host.name.clone();
        for at in [now + INTERVAL, now + 2 * INTERVAL] {
            let routes = Route::groups(link).into_iter();
            self.to_send
                .extend(routes.map(|route| host.unasked(at, route, TTL)));
        }
        self.hosts.push(host);
        Ok(name)
    }

    /// Answers for `name` no longer, and says so to everybody who was told (RFC 6762 §10.1). Returns
    /// whether it was one of ours.
    pub fn unregister(&mut self, now: Instant, name: &Name) -> bool {
        let Some(index) = self.hosts.iter().position(|host| host.name == *name) else {
            return false;
        };
        let host = self.hosts.swap_remove(index);
        self.to_send.retain(|answer| answer.name != *name);
        self.to_send.extend(host.goodbyes(now));
        true
    }

    /// As [`unregister`](Self::unregister), for all names.
    pub fn unregister_all(&mut self, now: Instant) {
        self.to_send.clear();
        let hosts = std::mem::take(&mut self.hosts);
        let goodbyes = hosts.iter().flat_map(|host| host.goodbyes(now));
        self.to_send.extend(goodbyes);
    }

    /// The names that are answered for, and their addresses.
    pub fn names(&self) -> impl Iterator<Item = (&Name, IpAddr)> {
        self.hosts.iter().map(|host| (&host.name, host.ip))
    }

    /// The next message that is to go. Announcements of what everybody has just been told are not.
    fn next_due(&mut self, now: Instant) -> Option<Answer> {
        loop {
            let due = self.to_send.iter().position(|answer| answer.at <= now)?;
            let answer = self.to_send.remove(due);
            let host = self.hosts.iter_mut().find(|host| host.name == answer.name);
            if let Some(host) = host.filter(|_| answer.route.is_multicast()) {
                let told = host.told(answer.route);
                let just_told = told.is_some_and(|at| now < at + INTERVAL);
                if answer.unasked && just_told {
                    continue;
                }
                host.tell(answer.route, now);
            }
            return Some(answer);
        }
    }

    /// Queues an answer, or adds to one that waits for the same readers.
    fn answer(&mut self, answer: Answer) -> Result<(), Rejected> {
        let alike = |other: &&mut Answer| {
            let same_readers = other.route == answer.route && other.name == answer.name;
            same_readers && other.legacy == answer.legacy && other.at <= answer.at + INTERVAL
        };
        if let Some(waiting) = self.to_send.iter_mut().find(alike) {
            waiting.address |= answer.address;
            waiting.absence |= answer.absence;
            // An announcement that becomes an answer goes when an answer may.
            if waiting.unasked || answer.at < waiting.at {
                waiting.at = answer.at;
            }
            waiting.unasked = false;
            return Ok(());
        }
        let waiting = self.to_send.iter().filter(|other| !other.unasked).count();
        if waiting >= MAX_ANSWERS {
            return Err(Rejected::Busy);
        }
        self.to_send.push(answer);
        Ok(())
    }
}

impl Host {
    /// What is sent of our own accord.
    fn unasked(&self, at: Instant, route: Route, ttl: u32) -> Answer {
        Answer {
            at,
            route,
            name: self.name.clone(),
            ip: self.ip,
            ttl,
            address: true,
            absence: false,
            legacy: None,
            unasked: true,
        }
    }

    fn goodbyes(&self, now: Instant) -> impl Iterator<Item = Answer> {
        let told = self.told.iter();
        told.map(move |(route, _)| self.unasked(now, *route, 0))
    }

    /// When everybody whom `route` leads to was last told.
    fn told(&self, route: Route) -> Option<Instant> {
        // What went to every interface went to this one, too.
        let every = Route {
            link: None,
            ..route
        };
        let told = |known: &&(Route, Instant)| known.0 == route || known.0 == every;
        self.told.iter().filter(told).map(|(_, at)| *at).max()
    }

    fn tell(&mut self, route: Route, now: Instant) {
        self.told.retain(|(known, _)| *known != route);
        if self.told.len() >= MAX_TOLD {
            self.told.remove(0);
        }
        self.told.push((route, now));
    }

    /// What `query` asks of this name and does not know yet; `None` if it does not ask.
    fn wanted(&self, query: &MessageView<'_>) -> Option<Wanted> {
        let mut wanted = Wanted {
            unicast: true,
            ..Wanted::default()
        };
        let ours = |q: &super::Question<'_>| q.internet && q.name.is(&self.name);
        for question in query.questions().filter(ours) {
            let is_ours = [RecordType::of(self.ip), RecordType::ANY].contains(&question.kind);
            wanted.address |= is_ours;
            wanted.absence |= !is_ours;
            wanted.unicast &= question.unicast;
            wanted.kind.get_or_insert(question.kind);
        }
        // RFC 6762 §7.1: what is known for more than half of its time is not told again.
        let is_known = query.records().any(|known| {
            known.section == Section::Answer
                && known.ttl >= TTL / 2
                && known.address() == Some(self.ip)
                && known.name.is(&self.name)
        });
        wanted.address &= !is_known;
        wanted.kind.map(|_| wanted)
    }

    /// The answer to who asks along `route`, and when it is due. RFC 6762 §5.4, §6, §6.7
    fn answer(&self, now: Instant, route: Route, id: u16, wanted: &Wanted) -> Answer {
        let is_legacy = route.remote.port() != PORT;
        let group = route.group();
        let to_one = Route::new(route.link, route.remote); // from port 5353, whatever it came to
        let told = self.told(group);
        let is_recent = told.is_some_and(|at| now.saturating_duration_since(at) < RECENT);
        let alone = is_legacy || (wanted.unicast && is_recent);
        let not_before = told.map_or(now, |at| at + INTERVAL);
        Answer {
            at: if alone { now } else { not_before.max(now) },
            route: if alone { to_one } else { group },
            name: self.name.clone(),
            ip: self.ip,
            ttl: if is_legacy { LEGACY_TTL } else { TTL },
            address: wanted.address,
            absence: wanted.absence,
            legacy: wanted.kind.filter(|_| is_legacy).map(|kind| (id, kind)),
            unasked: false,
        }
    }
}

impl Protocol for Responder {
    type Route = Route;
    type Payload<'d> = ();
    type Event = std::convert::Infallible;
    type Rejected = Rejected;

    fn handle_input(
        &mut self,
        now: Instant,
        route: Route,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        let query = MessageView::parse(datagram)?;
        if query.is_response() {
            return Err(Rejected::OtherKind);
        }
        if !query.is_plain() {
            return Err(Rejected::NotMulticastDns);
        }
        let wanted = |host: &Host| {
            let wanted = host.wanted(&query)?;
            Some(host.answer(now, route, query.id(), &wanted))
        };
        let answers: Vec<_> = self.hosts.iter().filter_map(wanted).collect();
        if answers.is_empty() {
            return Err(Rejected::OtherName);
        }
        let mut news = answers.into_iter().filter(|a| a.address || a.absence);
        news.try_for_each(|one| self.answer(one))
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<Route> {
        let answer = self.next_due(now)?;
        let response = Response {
            name: &answer.name,
            ip: answer.ip,
            ttl: answer.ttl,
            address: answer.address,
            absence: answer.absence,
            legacy: answer.legacy,
        };
        out.datagram_up_to(RESPONSE_ROOM, |bytes| {
            let mut writer = Writer::new(bytes);
            response.write(&mut writer).ok()?;
            Some(writer.len())
        });
        Some(answer.route)
    }

    fn poll_event(&mut self) -> Option<Self::Event> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.to_send.iter().map(|answer| answer.at).min()
    }
}

#[cfg(test)]
mod tests;
