//! An established association: what has gone over the wire, and the carrier that does it.

use std::collections::VecDeque;

use bytes::Bytes;
use pc_proto::{Reader, Serial32};

use crate::{
    Config, Rejected,
    carrier::Carrier,
    flight::Flight,
    fragments::Fragments,
    init::Init,
    reconfig::Reconfig,
    stream::{Reset, Stream},
    wire::Chunk,
};

/// An established association.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) carrier: Carrier,
    pub(crate) peer: Init,
    pub(crate) reconfig: Reconfig,
    pub(crate) flight: Flight,
    /// The cumulative TSN that was acknowledged last.
    pub(crate) received: Serial32,
    /// The newest TSN that was accepted.
    pub(crate) highest: Serial32,
    pub(crate) fragments: Fragments,
    /// The newest TSN that was sent.
    pub(crate) sent: Serial32,
    /// The newest cumulative TSN that the peer acknowledged.
    pub(crate) acknowledged: Serial32,
    /// The window that the carrier left in its last SACK.
    pub(crate) credit: usize,
    /// The window that was advertised last.
    pub(crate) advertised: usize,
    pub(crate) sack_due: bool,
    pub(crate) packets: VecDeque<Bytes>,
    /// Streams with unacknowledged data at the carrier, and how much.
    pub(crate) active: Vec<u16>,
    pub(crate) outstanding: usize,
    /// `outstanding` is out of date.
    pub(crate) stale: bool,
}

impl Transfer {
    /// Both INITs are known; nothing has been sent or received.
    pub(crate) fn new(carrier: Carrier, config: &Config, local_tsn: u32, peer: Init) -> Self {
        let (theirs, ours) = (Serial32(peer.tsn).minus(1), Serial32(local_tsn).minus(1));
        Self {
            carrier,
            peer,
            reconfig: Reconfig::new(local_tsn),
            flight: Flight::default(),
            received: theirs,
            highest: theirs,
            fragments: Fragments::default(),
            sent: ours,
            acknowledged: ours,
            credit: config.receive_buffer,
            advertised: config.receive_buffer,
            sack_due: false,
            packets: VecDeque::new(),
            active: Vec::new(),
            outstanding: 0,
            stale: false,
        }
    }

    /// Tells the carrier to reset a stream; false while it cannot.
    pub(crate) fn give_reset(&mut self, stream: u16, entry: &mut Stream) -> bool {
        let given = self.carrier.open(stream) && self.carrier.reset(stream);
        if given {
            (entry.open, entry.reset) = (true, Reset::Given);
            self.reconfig.on_reset(stream);
        }
        given
    }

    /// Whether a SACK is about what was sent, RFC 9260 §6.2.1. Returns its cumulative TSN.
    pub(crate) fn check_sack(&self, it: &Chunk<'_>) -> Result<Serial32, Rejected> {
        let mut reader = Reader::new(it.value);
        let cumulative = Serial32(reader.u32("cumulative TSN ack")?);
        reader.u32("a_rwnd")?;
        let gaps = reader.u16("number of gap ack blocks")?;
        let duplicates = usize::from(reader.u16("number of duplicates")?);
        let unsent = cumulative.is_newer_than(self.sent);
        let in_flight = self.sent.steps_from(cumulative);
        let mut after = 0;
        for _ in 0..gaps {
            let start = reader.u16("gap ack block start")?;
            let end = reader.u16("gap ack block end")?;
            if start <= after || end < start || u32::from(end) > in_flight {
                return Err(Rejected::Unexpected("gap ack block"));
            }
            after = end;
        }
        reader.bytes(duplicates * 4, "duplicate TSNs")?;
        reader.finish("SACK length")?;
        if unsent {
            return Err(Rejected::Unexpected("SACK of what was not sent"));
        }
        Ok(cumulative)
    }
}
