//! The only place that talks to a `dimpl` connection.

use std::{sync::Arc, time::Duration, time::Instant};

use dimpl::{Dtls, DtlsCertificate};

use crate::{
    Config, Error, Role, SrtpKeyingMaterial, SrtpProfile, Version, Versions, dialect, provider,
};

/// `dimpl` says "in ten years" when no timer runs. None of ours is longer than a handshake.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Room for the longest certificate that the limits on datagrams let through, for which `dimpl`
/// cannot be given a second try. Untouched memory costs nothing; it is given back after the
/// handshake.
const HANDSHAKE_SCRATCH: usize = 256 * 1024;

/// Room for a record that fits into a datagram; grows for longer ones.
const RECORD_SCRATCH: usize = 2048;

/// How often its timers run at most.
///
/// When a record of a DTLS 1.3 flight is missing, `dimpl` says so with an ACK each time its timers
/// run, and wants them to run again at once: without a limit it would send ACKs as fast as the
/// machine can until the record comes.
const TICK: Duration = Duration::from_millis(20);

/// A `dimpl` connection, and what is needed to replace it by a fresh one.
pub(crate) struct Carrier {
    dtls: Dtls,
    scratch: Vec<u8>,
    timeout: Option<Instant>,
    /// When timers were last due and ran.
    ran: Option<Instant>,
    recipe: Recipe,
}

#[derive(Clone)]
struct Recipe {
    role: Role,
    versions: Versions,
    certificate: crate::Certificate,
    config: Arc<dimpl::Config>,
}

/// What a connection has to say.
pub(crate) enum Output<'a> {
    Packet(&'a mut [u8]),
    PeerCertificate(&'a [u8]),
    Established,
    Keys(Option<SrtpKeyingMaterial>),
    Data(&'a [u8]),
    CloseNotify,
}

impl Carrier {
    pub(crate) fn new(now: Instant, config: &Config) -> Result<Self, Error> {
        let recipe = Recipe {
            role: config.role,
            versions: config.versions,
            certificate: config.certificate.clone(),
            config: provider::dimpl_config(config)?,
        };
        Ok(Self {
            dtls: recipe.make(now),
            scratch: vec![0; HANDSHAKE_SCRATCH],
            timeout: None,
            ran: None,
            recipe,
        })
    }

    /// Starts all over, as if nothing had ever arrived.
    pub(crate) fn reset(&mut self, now: Instant) {
        self.dtls = self.recipe.make(now);
        (self.timeout, self.ran) = (None, None);
    }

    pub(crate) fn version(&self) -> Option<Version> {
        match self.dtls.protocol_version()? {
            dimpl::ProtocolVersion::DTLS1_3 => Some(Version::Dtls13),
            _ => Some(Version::Dtls12),
        }
    }

    /// Advances the clock and lets timers run, unless they did so a moment ago.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), dimpl::Error> {
        if self.timeout.is_some_and(|at| at <= now) {
            if self.ran.is_some_and(|ran| now < ran + TICK) {
                return Ok(());
            }
            self.ran = Some(now);
        }
        self.dtls.handle_timeout(now)
    }

    /// Takes one record.
    pub(crate) fn handle_record(&mut self, record: &[u8]) -> Result<(), dimpl::Error> {
        self.dtls.handle_packet(record)
    }

    pub(crate) fn send(&mut self, plaintext: &[u8]) -> Result<(), dimpl::Error> {
        self.dtls.send_application_data(plaintext).map(drop)
    }

    pub(crate) fn close(&mut self) {
        // Its errors mean that there is nobody to say goodbye to.
        let _ = self.dtls.close();
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due, as of the last [`next`](Self::next)
    /// that was `None`.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let earliest = self.ran.map(|ran| ran + TICK);
        self.timeout.max(self.timeout.and(earliest))
    }

    /// Gives back the memory that only a handshake needs.
    pub(crate) fn handshake_done(&mut self) {
        self.scratch = vec![0; RECORD_SCRATCH];
    }

    /// What there is to say next. Call until it is `None`.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Output<'_>> {
        let kind = loop {
            match Kind::of(self.dtls.poll_output(&mut self.scratch)) {
                Kind::TooSmall { needed } => self.scratch.resize(needed, 0),
                Kind::Timeout(at) => {
                    let soon = |at: &Instant| at.saturating_duration_since(now) < NEVER;
                    self.timeout = Some(at).filter(soon);
                    return None;
                }
                kind => break kind,
            }
        };
        // Whatever has bytes puts them at the start of the buffer.
        let len = match kind {
            Kind::Packet(len) | Kind::PeerCertificate(len) | Kind::Data(len) => len,
            _ => 0,
        };
        let bytes = self.scratch.get_mut(..len).unwrap_or_default();
        Some(match kind {
            Kind::Packet(_) => Output::Packet(bytes),
            Kind::PeerCertificate(_) => {
                dialect::unmark(bytes);
                Output::PeerCertificate(bytes)
            }
            Kind::Data(_) => Output::Data(bytes),
            Kind::Keys(keys) => Output::Keys(keys),
            Kind::CloseNotify => Output::CloseNotify,
            Kind::Established => Output::Established,
            Kind::Timeout(_) | Kind::TooSmall { .. } => return None,
        })
    }
}

impl Recipe {
    fn make(&self, now: Instant) -> Dtls {
        let certificate = DtlsCertificate {
            certificate: self.certificate.der().to_vec(),
            private_key: self.certificate.private_key_der().to_vec(),
        };
        let config = Arc::clone(&self.config);
        let mut dtls = match self.versions {
            Versions::All => Dtls::new_auto(config, certificate, now),
            Versions::Only(Version::Dtls12) => Dtls::new_12(config, certificate, now),
            Versions::Only(Version::Dtls13) => Dtls::new_13(config, certificate, now),
        };
        dtls.set_active(self.role == Role::Client);
        dtls
    }
}

/// An output without the bytes, which cannot be borrowed across the loop above.
enum Kind {
    Packet(usize),
    PeerCertificate(usize),
    Established,
    Keys(Option<SrtpKeyingMaterial>),
    Data(usize),
    CloseNotify,
    Timeout(Instant),
    TooSmall { needed: usize },
}

impl Kind {
    fn of(output: dimpl::Output<'_>) -> Self {
        match output {
            dimpl::Output::Packet(bytes) => Self::Packet(bytes.len()),
            dimpl::Output::PeerCert(bytes) => Self::PeerCertificate(bytes.len()),
            dimpl::Output::ApplicationData(bytes) => Self::Data(bytes.len()),
            dimpl::Output::Connected => Self::Established,
            dimpl::Output::CloseNotify => Self::CloseNotify,
            dimpl::Output::Timeout(at) => Self::Timeout(at),
            dimpl::Output::BufferTooSmall { needed } => Self::TooSmall { needed },
            dimpl::Output::KeyingMaterial(bytes, profile) => Self::Keys(
                SrtpProfile::from_dimpl(profile)
                    .and_then(|profile| SrtpKeyingMaterial::new(profile, &bytes)),
            ),
            // An output of a later minor version; none is known.
            _ => Self::Keys(None),
        }
    }
}
