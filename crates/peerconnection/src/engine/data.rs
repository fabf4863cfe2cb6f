//! SCTP and the channels on it, and which transport they run on.

use std::{collections::HashMap, time::Instant};

use pc_datachannel::{ChannelId, Session};
use pc_dtls as dtls;
use pc_jsep::{DataPlan, PeerData, TransportId};
use pc_proto::{Batch, Protocol, TransmitBuf};

use super::Rejected;
use crate::Error;

/// The SCTP port both sides of WebRTC use, RFC 8841 §5.
pub(super) const SCTP_PORT: u16 = 5000;

/// ```text
///   no transport ⇄ bound to a transport ──answer, DTLS connected──▶ started (stays there)
/// ```
pub(super) struct Data {
    pub(super) session: Session,
    plan: Option<DataPlan>,
    /// The association has been started on the transport: from then on it cannot move.
    started: bool,
    /// SCTP packets on their way into DTLS records.
    packets: Batch,
    pub(super) counts: Counts,
}

/// What has passed through data channels.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) opened: u32,
    pub(super) closed: u32,
    pub(super) channels: HashMap<ChannelId, ChannelCounts>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ChannelCounts {
    pub(super) messages_sent: u32,
    pub(super) bytes_sent: u64,
    pub(super) messages_received: u32,
    pub(super) bytes_received: u64,
    is_open: bool,
}

impl Counts {
    pub(super) fn on_sent(&mut self, id: ChannelId, len: usize) {
        let channel = self.channels.entry(id).or_default();
        channel.messages_sent += 1;
        channel.bytes_sent += len as u64;
    }

    pub(super) fn on_received(&mut self, id: ChannelId, len: usize) {
        let channel = self.channels.entry(id).or_default();
        channel.messages_received += 1;
        channel.bytes_received += len as u64;
    }

    pub(super) fn on_open(&mut self, id: ChannelId) {
        self.opened += 1;
        self.channels.entry(id).or_default().is_open = true;
    }

    pub(super) fn on_closed(&mut self, id: ChannelId) {
        let channel = self.channels.remove(&id);
        self.closed += u32::from(channel.is_some_and(|it| it.is_open));
    }
}

impl Data {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            plan: None,
            started: false,
            packets: Batch::new(),
            counts: Counts::default(),
        }
    }

    /// The transport that the session is, or is to be, on.
    pub(super) fn transport(&self) -> Option<TransportId> {
        Some(self.plan.as_ref()?.transport)
    }

    /// What an answer has said about the peer.
    pub(super) fn peer(&self) -> Option<PeerData> {
        self.plan.as_ref()?.peer
    }

    /// Whether the association has been started.
    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    /// Whether this plan can be carried out.
    ///
    /// # Errors
    ///
    /// `NotSupportedError`: the association would have to move to another transport, or needs a port
    /// other than 5000.
    pub(super) fn check(&self, plan: &DataPlan) -> Result<(), Error> {
        if self.started && self.transport() != Some(plan.transport) {
            let message = "data channels cannot move to another transport, nor begin again after \
                           their section was rejected";
            return Err(Error::NotSupported(message.into()));
        }
        if let Some(peer) = plan.peer
            && peer.port != SCTP_PORT
        {
            let message = format!("a=sctp-port:{}: only {SCTP_PORT} is supported", peer.port);
            return Err(Error::NotSupported(message.into()));
        }
        Ok(())
    }

    pub(super) fn set_plan(&mut self, plan: Option<DataPlan>) {
        self.plan = plan;
    }

    /// The whole, if this transport is the one below.
    pub(super) fn on(&mut self, id: TransportId) -> Option<&mut Self> {
        (self.transport() == Some(id)).then_some(self)
    }

    /// Takes a packet out of a record. DTLS is up, then.
    pub(super) fn handle_input(&mut self, now: Instant, record: &mut [u8]) -> Result<(), Rejected> {
        self.start(now);
        if !self.started {
            return Err(Rejected::NotNegotiated);
        }
        Ok(self.session.handle_input(now, (), record)?)
    }

    /// DTLS below is up (RFC 8261 §6.1): sets up the association, once an answer has been given.
    pub(super) fn start(&mut self, now: Instant) {
        if !self.started && self.peer().is_some() {
            self.started = true;
            self.session.connect(now);
        }
    }

    /// Puts SCTP packets into records, one packet each (RFC 8261 §6.1), as long as `out` takes them.
    pub(super) fn write(
        &mut self,
        now: Instant,
        connection: &mut dtls::Connection,
        out: &mut TransmitBuf<'_>,
    ) {
        while self.started && !out.is_full() && connection.state() == dtls::State::Connected {
            let mtu = out
                .payload_mtu()
                .saturating_sub(dtls::Connection::RECORD_OVERHEAD);
            let mut packets = self.packets.transmit_buf(mtu, 16);
            if self.session.poll_transmit(now, &mut packets).is_none() {
                break;
            }
            for packet in self.packets.datagrams() {
                // Refused only once DTLS has ended, and then the association ends with it.
                let _ = connection.send(now, packet);
            }
            while !out.is_full() && connection.poll_transmit(now, out).is_some() {}
        }
    }

    /// Lets go of the memory that a closed connection needs no more.
    pub(super) fn free(&mut self) {
        self.packets = Batch::new();
    }
}
