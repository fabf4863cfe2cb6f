use std::time::{Duration, Instant};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{
    Rejected,
    config::Config,
    init::Init,
    wire::{Chunk, Header, PacketBuilder, chunk},
};

/// How far the four-way handshake of RFC 9260 §5.1 has come on this side.
///
/// Both sides may start it at once (§5.2.1): each answers the other's INIT with the same tag and
/// TSN that its own INIT had, and whichever COOKIE ECHO arrives first establishes the association.
///
/// ```text
///  Idle ---connect---> CookieWait ---on_init_ack---> CookieEchoed
///    |                     |                              |
///    |  on_cookie_echo     |  on_cookie_echo              |  on_cookie_ack, on_cookie_echo
///    v                     v                              v
///    +-------------------------> Established <------------+
///
///  on_timeout sends INIT (CookieWait) or COOKIE ECHO (CookieEchoed) again.
///  on_init answers and changes nothing, in any state but Established.
/// ```
#[derive(Debug)]
enum State {
    Idle,
    CookieWait,
    CookieEchoed { peer: Init, cookie: Vec<u8> },
    Established { peer: Init },
}

const COOKIE_LEN: usize = 20;

/// The handshake of one association, and the packets of it that are due.
#[derive(Debug)]
pub(crate) struct Handshake {
    state: State,
    local: Init,
    ports: (u16, u16),
    /// Makes our cookies unforgeable for one who has not seen them.
    nonce: [u8; 16],
    /// The INIT we answered last: what our cookie stands for.
    answered: Option<Init>,
    rto: Duration,
    backoff: u32,
    rto_max: Duration,
}

impl Handshake {
    pub(crate) fn new(config: &Config) -> Self {
        let mut rng = ChaCha12Rng::from_seed(config.seed);
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        Self {
            state: State::Idle,
            local: Init {
                // RFC 9260 §3.3.2: not zero.
                tag: rng.next_u32().max(1),
                window: u32::try_from(config.receive_buffer).unwrap_or(u32::MAX),
                // RFC 8831 §6.2: as many as there are.
                outbound: u16::MAX,
                inbound: u16::MAX,
                tsn: rng.next_u32().max(1),
                forward_tsn: true,
            },
            ports: (config.local_port, config.remote_port),
            nonce,
            answered: None,
            rto: config.rto_initial,
            backoff: 0,
            rto_max: config.rto_max,
        }
    }

    pub(crate) const fn local(&self) -> &Init {
        &self.local
    }

    /// What the peer said of itself, once the association stands.
    pub(crate) const fn peer(&self) -> Option<&Init> {
        match &self.state {
            State::Established { peer } => Some(peer),
            _ => None,
        }
    }

    /// The peer's tag as far as it is known: for an ABORT in either direction.
    pub(crate) fn peer_tag(&self) -> Option<u32> {
        match &self.state {
            State::CookieEchoed { peer, .. } | State::Established { peer } => Some(peer.tag),
            State::Idle | State::CookieWait => self.answered.map(|init| init.tag),
        }
    }

    /// The header of a packet to the peer.
    pub(crate) const fn header(&self, tag: u32) -> Header {
        Header {
            source_port: self.ports.0,
            destination_port: self.ports.1,
            tag,
        }
    }

    fn packet(&self, tag: u32, kind: u8, value: &[u8]) -> Vec<u8> {
        let mut packet = PacketBuilder::new(self.header(tag));
        packet.chunk(kind, 0, &[value]);
        packet.finish()
    }

    /// Sends the INIT; when the peer's handshake is under way or done, does nothing.
    pub(crate) fn connect(&mut self, now: Instant) -> Option<(Vec<u8>, Instant)> {
        if !matches!(self.state, State::Idle) {
            return None;
        }
        self.state = State::CookieWait;
        self.on_timeout(now)
    }

    /// The packet that is due when T1 fires, and when it fires next. There is no limit on attempts:
    /// ICE decides when the path is dead.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> Option<(Vec<u8>, Instant)> {
        let packet = match &self.state {
            State::CookieWait => self.packet(0, chunk::INIT, &self.local.value(None)),
            State::CookieEchoed { peer, cookie } => {
                self.packet(peer.tag, chunk::COOKIE_ECHO, cookie)
            }
            State::Idle | State::Established { .. } => return None,
        };
        let wait = self.rto.saturating_mul(1 << self.backoff.min(16));
        self.backoff += 1;
        Some((packet, now + wait.min(self.rto_max)))
    }

    fn cookie(&self, peer: &Init) -> [u8; COOKIE_LEN] {
        let mut cookie = [0; COOKIE_LEN];
        let (nonce, tag) = cookie.split_at_mut(self.nonce.len());
        nonce.copy_from_slice(&self.nonce);
        tag.copy_from_slice(&peer.tag.to_be_bytes());
        cookie
    }

    /// RFC 9260 §5.1 (B) and §5.2.1: the INIT ACK for the peer's INIT.
    pub(crate) fn on_init(&mut self, init: &Chunk<'_>) -> Result<Vec<u8>, Rejected> {
        let (peer, _) = Init::parse(init.value)?;
        if matches!(self.state, State::Established { .. }) || peer.tag == self.local.tag {
            // §5.2.2 would answer, for the sake of a peer that has restarted. Within one DTLS
            // association there are no restarts (RFC 8841 §9.3).
            return Err(Rejected::Unexpected("INIT"));
        }
        self.answered = Some(peer);
        let value = self.local.value(Some(&self.cookie(&peer)));
        Ok(self.packet(peer.tag, chunk::INIT_ACK, &value))
    }

    /// RFC 9260 §5.1 (C): the peer's answer to our INIT.
    pub(crate) fn on_init_ack(&mut self, init_ack: &Chunk<'_>) -> Result<(), Rejected> {
        let (peer, cookie) = Init::parse(init_ack.value)?;
        let wanted = matches!(self.state, State::CookieWait);
        if !wanted || cookie.is_empty() || peer.tag == self.local.tag {
            return Err(Rejected::Unexpected("INIT ACK"));
        }
        let cookie = cookie.to_vec();
        self.state = State::CookieEchoed { peer, cookie };
        self.backoff = 0;
        Ok(())
    }

    /// RFC 9260 §5.1 (D): the COOKIE ACK, and whether the association stands since now.
    pub(crate) fn on_cookie_echo(&mut self, echo: &Chunk<'_>) -> Result<(Vec<u8>, bool), Rejected> {
        let peer = self.answered.filter(|peer| self.cookie(peer) == echo.value);
        let peer = peer.ok_or(Rejected::Unexpected("COOKIE ECHO"))?;
        let ack = self.packet(peer.tag, chunk::COOKIE_ACK, &[]);
        if let State::Established { peer: settled } = &self.state {
            // A repetition, because our COOKIE ACK was lost.
            let same = settled.tag == peer.tag;
            return same
                .then_some((ack, false))
                .ok_or(Rejected::Unexpected("COOKIE ECHO"));
        }
        self.state = State::Established { peer };
        Ok((ack, true))
    }

    /// RFC 9260 §5.1 (E).
    pub(crate) fn on_cookie_ack(&mut self) -> Result<(), Rejected> {
        let State::CookieEchoed { peer, .. } = &self.state else {
            return Err(Rejected::Unexpected("COOKIE ACK"));
        };
        self.state = State::Established { peer: *peer };
        Ok(())
    }

    /// A Stale Cookie error, RFC 9260 §5.2.6: starts anew.
    pub(crate) fn on_stale_cookie(&mut self) -> bool {
        let stale = matches!(self.state, State::CookieEchoed { .. });
        if stale {
            (self.state, self.backoff) = (State::CookieWait, 0);
        }
        stale
    }
}
