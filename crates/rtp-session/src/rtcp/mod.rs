//! RTCP: when reports leave and what is in them, and where what arrives belongs.

use crate::{
    ReceiverId, ReceiverParameters, clock::WallClock, feedback::Arrivals, receive::Receivers,
    send::Senders,
};
use pc_proto::TransmitBuf;
use pc_rtp::{
    Ssrc,
    rtcp::{ReportBlock, SenderReport},
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

mod compose;
mod dispatch;
mod schedule;

use schedule::Schedule;

/// How many of the peer's sources that want to know their round-trip time are remembered.
const MAX_REFERENCES: usize = 16;

/// The session's reports.
#[derive(Debug)]
pub(crate) struct Rtcp {
    rng: ChaCha12Rng,
    clock: WallClock,
    cname: String,
    mtu: usize,
    /// Who reports while nothing is sent.
    own: Ssrc,
    schedule: Schedule,
    receivers: BTreeMap<ReceiverId, Receives>,
    references: VecDeque<Reference>,
    /// Kept for their memory.
    reports: Vec<SenderReport<'static>>,
    blocks: Vec<ReportBlock>,
}

/// What matters here of a receiver.
#[derive(Debug, Clone, Copy)]
struct Receives {
    video: bool,
    reduced_size: bool,
}

/// A receiver reference time of the peer, to be answered with DLRR (RFC 3611 §4.4, §4.5).
#[derive(Debug, Clone, Copy)]
struct Reference {
    ssrc: Ssrc,
    compact: u32,
    arrived: Instant,
}

impl Rtcp {
    pub(crate) fn new(seed: [u8; 32], clock: WallClock, cname: String, mtu: usize) -> Self {
        let mut rng = ChaCha12Rng::from_seed(seed);
        Self {
            own: Ssrc(rng.next_u32().max(1)),
            rng,
            clock,
            cname,
            mtu,
            schedule: Schedule::new(),
            receivers: BTreeMap::new(),
            references: VecDeque::new(),
            reports: Vec::new(),
            blocks: Vec::new(),
        }
    }

    pub(crate) fn set_receiver(&mut self, id: ReceiverId, parameters: &ReceiverParameters) {
        let mut codecs = parameters.codecs.iter();
        let receives = Receives {
            video: codecs.any(|codec| !codec.format.is_audio()),
            reduced_size: parameters.reduced_size,
        };
        self.receivers.insert(id, receives);
    }

    pub(crate) fn remove_receiver(&mut self, id: ReceiverId) {
        self.receivers.remove(&id);
    }

    pub(crate) fn has_receivers(&self) -> bool {
        !self.receivers.is_empty()
    }

    pub(crate) fn receives_video(&self) -> bool {
        self.receivers.values().any(|receives| receives.video)
    }

    /// Who takes part has changed.
    pub(crate) fn restart(&mut self, now: Instant, is_idle: bool, has_video: bool) {
        if is_idle {
            self.schedule.stop();
        } else {
            self.schedule.start(now, has_video, &mut self.rng);
        }
    }

    pub(crate) fn report_at_once(&mut self, now: Instant) {
        self.schedule.at_once(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.schedule.poll_timeout()
    }

    /// Writes what is due: good-byes, feedback of both kinds, reports.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        has_video: bool,
        senders: &mut Senders,
        receivers: &mut Receivers,
        arrivals: &mut Arrivals,
        out: &mut TransmitBuf<'_>,
    ) {
        if !out.is_full() && !senders.farewells().is_empty() {
            self.write_farewells(senders, out);
        }
        let reduced_size = senders.reduced_size()
            && (self.receivers.values()).all(|receives| receives.reduced_size);
        let reporter = senders.reporter().unwrap_or(self.own);
        self.write_feedback(now, reduced_size, reporter, receivers, out);
        self.write_arrivals(now, reduced_size, reporter, arrivals, out);
        if self.schedule.is_due(now) && !out.is_full() {
            self.write_reports(now, has_video, senders, receivers, out);
            self.schedule.on_sent(now, has_video, &mut self.rng);
        }
    }
}
