//! The stack below one m-section: ICE, DTLS on it, SCTP and data channels on that.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_datachannel::Session;
use pc_dtls::{self as dtls, Certificate, Fingerprint};
use pc_ice as ice;
use pc_proto::{Batch, FiveTuple, Protocol, TransmitBuf};

use super::Rejected;

/// How long DTLS may take from the moment there is a path. Longer than the 30 seconds that a
/// handshake has, whose own error says more: this is for a peer that begins none, or none that we
/// have anything in common with.
const DTLS_PATIENCE: Duration = Duration::from_secs(40);

/// What negotiation decides about DTLS.
#[derive(Debug, Clone)]
pub(super) struct DtlsParameters {
    pub(super) role: dtls::Role,
    pub(super) fingerprints: Vec<Fingerprint>,
}

/// DTLS, which starts once it knows its role and has a path.
///
/// ```text
///   Waiting ──set_dtls_parameters + path──▶ Running ──close──▶ (close_notify leaves)
/// ```
enum Dtls {
    Waiting {
        certificate: Certificate,
        parameters: Option<DtlsParameters>,
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

pub(super) struct Transport {
    pub(super) ice: ice::Agent,
    dtls: Dtls,
    pub(super) channels: Session,
    /// SCTP packets on their way into DTLS records.
    packets: Batch,
    closing: bool,
    /// When DTLS is given up.
    patience: Option<Instant>,
}

impl Transport {
    pub(super) fn new(ice: ice::Agent, certificate: Certificate, channels: Session) -> Self {
        let dtls = Dtls::Waiting {
            certificate,
            parameters: None,
            early: Early::default(),
        };
        Self {
            ice,
            dtls,
            channels,
            packets: Batch::new(),
            closing: false,
            patience: None,
        }
    }

    pub(super) fn set_dtls_parameters(&mut self, now: Instant, new: DtlsParameters) {
        match &mut self.dtls {
            Dtls::Waiting { parameters, .. } => *parameters = Some(new),
            Dtls::Running(connection) => connection.set_remote_fingerprints(now, new.fingerprints),
            Dtls::Broken => {}
        }
        self.start_dtls(now);
    }

    pub(super) fn dtls(&self) -> Option<&dtls::Connection> {
        match &self.dtls {
            Dtls::Running(connection) => Some(connection),
            _ => None,
        }
    }

    /// DTLS could not be started, or was given up.
    pub(super) fn is_dtls_broken(&self) -> bool {
        matches!(self.dtls, Dtls::Broken)
    }

    pub(super) fn poll_dtls_event(&mut self) -> Option<dtls::Event> {
        match &mut self.dtls {
            Dtls::Running(connection) => connection.poll_event(),
            _ => None,
        }
    }

    /// Starts the handshake when role and path are known. Its own timer starts then, so that a slow
    /// exchange of candidates is not taken for a silent peer.
    pub(super) fn start_dtls(&mut self, now: Instant) {
        if self.ice.route().is_none() || self.closing {
            return;
        }
        let Dtls::Waiting {
            certificate,
            parameters: Some(parameters),
            early,
        } = &mut self.dtls
        else {
            return;
        };
        // With the first timeout that it has: 100 ms, doubled each time, send a flight nine times in
        // the 30 seconds of a handshake. ICE's round trip may have been measured over a lost check.
        let mut config = dtls::Config::new(parameters.role, certificate.clone());
        config.remote_fingerprints = std::mem::take(&mut parameters.fingerprints);
        let early = std::mem::take(early);
        self.patience = Some(now + DTLS_PATIENCE);
        self.dtls = match dtls::Connection::new(now, config) {
            Ok(connection) => Dtls::Running(Box::new(connection)),
            Err(_) => Dtls::Broken,
        };
        for mut datagram in early.0 {
            let _ = self.handle_dtls(now, &mut datagram);
        }
    }

    pub(super) fn handle_input(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        let Some(datagram) = self.ice.handle_input(now, route, datagram)? else {
            self.start_dtls(now);
            return Ok(());
        };
        self.start_dtls(now);
        // RFC 7983 §7: the first byte tells the protocol.
        match datagram.first() {
            Some(20..=63) => self.handle_dtls(now, datagram),
            _ => Err(Rejected::NotNegotiated),
        }
    }

    fn handle_dtls(&mut self, now: Instant, datagram: &mut [u8]) -> Result<(), Rejected> {
        match &mut self.dtls {
            Dtls::Waiting { early, .. } => return early.keep(datagram),
            Dtls::Running(connection) => connection.handle_input(now, (), datagram)?,
            Dtls::Broken => return Err(Rejected::NotNegotiated),
        }
        self.deliver(now)
    }

    /// Hands decrypted records up; a datagram may hold several.
    fn deliver(&mut self, now: Instant) -> Result<(), Rejected> {
        let Dtls::Running(connection) = &mut self.dtls else {
            return Ok(());
        };
        let mut result = Ok(());
        while let Some(record) = connection.poll_data() {
            result = result.and(self.channels.handle_input(now, (), record));
        }
        Ok(result?)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.ice.handle_timeout(now);
        if !self.is_dtls_settled() && self.patience.is_some_and(|at| at <= now) {
            self.dtls = Dtls::Broken;
        }
        if let Dtls::Running(connection) = &mut self.dtls {
            connection.handle_timeout(now);
        }
        self.channels.handle_timeout(now);
        // Records that the handshake's end has released.
        let _ = self.deliver(now);
    }

    /// Whether the handshake has ended, well or not.
    fn is_dtls_settled(&self) -> bool {
        let state = self.dtls().map(dtls::Connection::state);
        !matches!(state, Some(dtls::State::New | dtls::State::Connecting))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let patience = self.patience.filter(|_| !self.is_dtls_settled());
        let dtls = self.dtls().and_then(dtls::Connection::poll_timeout);
        let channels = self.channels.poll_timeout();
        [self.ice.poll_timeout(), dtls, channels, patience]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        if let Some(route) = self.ice.poll_transmit(now, out) {
            return Some(route);
        }
        // Without a path nothing is taken from the layers above: they keep what they have to say.
        let route = self.ice.route()?;
        let Dtls::Running(connection) = &mut self.dtls else {
            return None;
        };
        let before = out.len();
        let _ = connection.poll_transmit(now, out);
        while !out.is_full() && connection.state() == dtls::State::Connected {
            let mtu = out
                .payload_mtu()
                .saturating_sub(dtls::Connection::RECORD_OVERHEAD);
            let mut packets = self.packets.transmit_buf(mtu, 16);
            if self.channels.poll_transmit(now, &mut packets).is_none() {
                break;
            }
            for packet in self.packets.datagrams() {
                // Refused only once DTLS has ended, and then the association ends with it.
                let _ = connection.send(now, packet);
            }
            while !out.is_full() && connection.poll_transmit(now, out).is_some() {}
        }
        if self.closing {
            connection.close(now);
            let _ = connection.poll_transmit(now, out);
        }
        (out.len() > before).then_some(route)
    }

    /// Lets go of what a closed connection needs no more.
    pub(super) fn free(&mut self) {
        self.dtls = Dtls::Broken;
        self.packets = Batch::new();
        self.ice.close();
    }

    /// Ends the association and the DTLS connection; what that puts on the wire is still to be
    /// polled.
    pub(super) fn close(&mut self, now: Instant) {
        self.closing = true;
        self.channels.abort(now);
    }
}
