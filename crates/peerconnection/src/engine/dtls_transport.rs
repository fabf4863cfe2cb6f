//! DTLS on one path: waiting for its parameters, shaking hands, running.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_dtls::{self as dtls, Certificate, Fingerprint, HashAlgorithm};
use pc_jsep::PeerTransport;
use pc_proto::{Protocol, TransmitBuf};
use pc_sdp::HashFunction;

use super::Rejected;
use crate::{Error, state::DtlsTransportState};

/// How long DTLS may take from the moment there is a path. Longer than the 30 seconds that a
/// handshake has, whose own error says more: this is for a peer that begins none, or none that we
/// have anything in common with.
const PATIENCE: Duration = Duration::from_secs(40);

/// What negotiation decides about DTLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DtlsParameters {
    pub(super) role: dtls::Role,
    pub(super) fingerprints: Vec<Fingerprint>,
    /// `a=tls-id` (RFC 8842 §4).
    pub(super) tls_id: Option<String>,
}

impl DtlsParameters {
    /// Reads them out of a plan.
    ///
    /// # Errors
    ///
    /// `InvalidAccessError`: no fingerprint can be verified.
    pub(super) fn new(peer: &PeerTransport) -> Result<Self, Error> {
        let role = if peer.dtls_client {
            dtls::Role::Client
        } else {
            dtls::Role::Server
        };
        let fingerprints = verifiable(peer.fingerprints.iter())?;
        Ok(Self {
            role,
            fingerprints,
            tls_id: peer.tls_id.clone(),
        })
    }
}

/// The fingerprints that can be verified. Unknown hashes are passed over, RFC 8122 §5; md2 and md5
/// are among them.
///
/// # Errors
///
/// `InvalidAccessError`: one is malformed, or there is none.
pub(super) fn verifiable<'a>(
    fingerprints: impl Iterator<Item = &'a pc_sdp::Fingerprint>,
) -> Result<Vec<Fingerprint>, Error> {
    let mut found = Vec::new();
    for fingerprint in fingerprints {
        let algorithm = match fingerprint.hash {
            HashFunction::Sha1 => HashAlgorithm::Sha1,
            HashFunction::Sha224 => HashAlgorithm::Sha224,
            HashFunction::Sha256 => HashAlgorithm::Sha256,
            HashFunction::Sha384 => HashAlgorithm::Sha384,
            HashFunction::Sha512 => HashAlgorithm::Sha512,
            _ => continue,
        };
        let known = Fingerprint::new(algorithm, &fingerprint.value)
            .map_err(|error| Error::InvalidAccess(format!("a=fingerprint: {error}").into()))?;
        found.push(known);
    }
    if found.is_empty() {
        let message = "no a=fingerprint with a hash that is safe to use (RFC 8122 §5)";
        return Err(Error::InvalidAccess(message.into()));
    }
    Ok(found)
}

/// DTLS, which starts once it knows its role and has a path.
///
/// ```text
///   Waiting ──set_parameters + path──▶ Running ──close──▶ (close_notify leaves)
///                 │                       │ no handshake in time
///                 └── cannot be built ────┴───▶ Broken
/// ```
enum Phase {
    Waiting {
        certificate: Certificate,
        early: Early,
    },
    Running(Box<dtls::Connection>),
    /// It could not be built, or the peer did not begin: there is no handshake to wait for.
    Broken,
}

/// DTLS datagrams that came before the answer said which role we have: the peer's first flight.
/// Kept so that it need not be repeated; a lost one only costs a retransmission.
#[derive(Default)]
struct Early(VecDeque<Vec<u8>>);

impl Early {
    /// Enough for a ClientHello with a post-quantum key share, fragmented, twice.
    const MAX_DATAGRAMS: usize = 8;

    fn keep(&mut self, datagram: &[u8]) -> Result<(), Rejected> {
        if self.0.len() == Self::MAX_DATAGRAMS {
            return Err(Rejected::TooEarly);
        }
        self.0.push_back(datagram.to_vec());
        Ok(())
    }
}

pub(super) struct DtlsTransport {
    phase: Phase,
    /// What was negotiated last.
    parameters: Option<DtlsParameters>,
    /// When the handshake is given up.
    patience: Option<Instant>,
}

impl DtlsTransport {
    pub(super) fn new(certificate: Certificate) -> Self {
        let early = Early::default();
        Self {
            phase: Phase::Waiting { certificate, early },
            parameters: None,
            patience: None,
        }
    }

    /// Whether these parameters can be set: an association that runs keeps its role and its peer.
    ///
    /// # Errors
    ///
    /// `NotSupportedError`: they ask for a new association (RFC 8842 §3.1).
    pub(super) fn check(&self, new: &DtlsParameters) -> Result<(), Error> {
        let Some(current) = &self.parameters else {
            return Ok(());
        };
        if matches!(self.phase, Phase::Waiting { .. }) {
            return Ok(());
        }
        let refused = |message: &'static str| Err(Error::NotSupported(message.into()));
        if current.role != new.role {
            return refused(
                "a=setup turns the DTLS role round: a new association is not supported",
            );
        }
        let tls_ids = current.tls_id.as_ref().zip(new.tls_id.as_ref());
        if tls_ids.is_some_and(|(current, new)| current != new) {
            return refused("a=tls-id has changed: a new DTLS association is not supported");
        }
        // RFC 8842 §3.1: none in common is another certificate.
        let same = |fingerprint| current.fingerprints.contains(fingerprint);
        if !new.fingerprints.iter().any(same) {
            return refused(
                "every a=fingerprint has changed: a new DTLS association is not supported",
            );
        }
        Ok(())
    }

    /// Sets what [`check`](Self::check) allows.
    pub(super) fn set_parameters(&mut self, now: Instant, mut new: DtlsParameters) {
        let current = self.parameters.as_ref();
        new.tls_id = new.tls_id.or_else(|| current?.tls_id.clone());
        if self.parameters.as_ref() == Some(&new) {
            return;
        }
        if let Phase::Running(connection) = &mut self.phase {
            connection.set_remote_fingerprints(now, new.fingerprints.clone());
        }
        self.parameters = Some(new);
    }

    /// What was negotiated is taken back, if it is not in use yet.
    pub(super) fn forget_parameters(&mut self) {
        if matches!(self.phase, Phase::Waiting { .. }) {
            self.parameters = None;
        }
    }

    /// Starts the handshake, now that there is a path, once the role is known. Its own timer starts
    /// then, so that a slow exchange of candidates is not taken for a silent peer.
    pub(super) fn start(&mut self, now: Instant) {
        let Phase::Waiting { certificate, early } = &mut self.phase else {
            return;
        };
        let Some(parameters) = &self.parameters else {
            return;
        };
        // With the first timeout that it has: 100 ms, doubled each time, send a flight nine times in
        // the 30 seconds of a handshake. ICE's round trip may have been measured over a lost check.
        let mut config = dtls::Config::new(parameters.role, certificate.clone());
        config.remote_fingerprints = parameters.fingerprints.clone();
        let early = std::mem::take(early);
        self.patience = Some(now + PATIENCE);
        self.phase = match dtls::Connection::new(now, config) {
            Ok(connection) => Phase::Running(Box::new(connection)),
            Err(_) => Phase::Broken,
        };
        for mut datagram in early.0 {
            let _ = self.handle_input(now, &mut datagram);
        }
    }

    pub(super) fn connection(&self) -> Option<&dtls::Connection> {
        match &self.phase {
            Phase::Running(connection) => Some(connection),
            _ => None,
        }
    }

    pub(super) fn connection_mut(&mut self) -> Option<&mut dtls::Connection> {
        match &mut self.phase {
            Phase::Running(connection) => Some(connection),
            _ => None,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state() == DtlsTransportState::Connected
    }

    /// DTLS could not be started, or was given up.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.phase, Phase::Broken)
    }

    pub(super) fn state(&self) -> DtlsTransportState {
        match self.connection().map(dtls::Connection::state) {
            None if self.is_broken() => DtlsTransportState::Failed,
            None | Some(dtls::State::New) => DtlsTransportState::New,
            Some(dtls::State::Connecting) => DtlsTransportState::Connecting,
            Some(dtls::State::Connected) => DtlsTransportState::Connected,
            Some(dtls::State::Closed) => DtlsTransportState::Closed,
            Some(dtls::State::Failed) => DtlsTransportState::Failed,
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<dtls::Event> {
        self.connection_mut()?.poll_event()
    }

    pub(super) fn poll_data(&mut self) -> Option<&mut [u8]> {
        self.connection_mut()?.poll_data()
    }

    pub(super) fn handle_input(
        &mut self,
        now: Instant,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        match &mut self.phase {
            Phase::Waiting { early, .. } => early.keep(datagram),
            Phase::Running(connection) => Ok(connection.handle_input(now, (), datagram)?),
            Phase::Broken => Err(Rejected::NotNegotiated),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if !self.is_settled() && self.patience.is_some_and(|at| at <= now) {
            self.phase = Phase::Broken;
        }
        if let Some(connection) = self.connection_mut() {
            connection.handle_timeout(now);
        }
    }

    /// Whether the handshake has ended, well or not.
    fn is_settled(&self) -> bool {
        let state = self.connection().map(dtls::Connection::state);
        !matches!(state, Some(dtls::State::New | dtls::State::Connecting))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let patience = self.patience.filter(|_| !self.is_settled());
        let own = self.connection().and_then(dtls::Connection::poll_timeout);
        own.into_iter().chain(patience).min()
    }

    /// Writes close_notify, after what is to be sent before it.
    pub(super) fn write_close(&mut self, now: Instant, out: &mut TransmitBuf<'_>) {
        if let Some(connection) = self.connection_mut() {
            connection.close(now);
            let _ = connection.poll_transmit(now, out);
        }
    }

    /// Lets go of everything.
    pub(super) fn free(&mut self) {
        self.phase = Phase::Broken;
    }
}
