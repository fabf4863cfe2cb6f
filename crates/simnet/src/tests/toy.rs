//! Engines to test the simulation with.

use std::{
    fmt,
    time::{Duration, Instant},
};

use pc_proto::{Protocol, TransmitBuf};

use crate::{epoch, ms};

#[derive(Debug)]
pub(crate) struct Empty;

impl fmt::Display for Empty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an empty datagram")
    }
}

impl std::error::Error for Empty {}

/// Sends what it is told to and keeps what comes. Over `()`.
#[derive(Default)]
pub(crate) struct Raw {
    pub(crate) received: Vec<Vec<u8>>,
    pub(crate) arrivals: Vec<Duration>,
    to_send: Vec<Vec<u8>>,
}

impl Raw {
    pub(crate) fn send(&mut self, datagram: &[u8]) {
        self.to_send.push(datagram.to_vec());
    }
}

impl Protocol for Raw {
    type Route = ();
    type Payload<'d> = &'d mut [u8];
    type Event = ();
    type Rejected = Empty;

    fn handle_input<'d>(
        &mut self,
        now: Instant,
        _: (),
        datagram: &'d mut [u8],
    ) -> Result<&'d mut [u8], Empty> {
        if datagram.is_empty() {
            return Err(Empty);
        }
        self.received.push(datagram.to_vec());
        self.arrivals.push(now - epoch());
        Ok(datagram)
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_transmit(&mut self, _: Instant, out: &mut TransmitBuf<'_>) -> Option<()> {
        let count = self.to_send.len();
        while !out.is_full() && !self.to_send.is_empty() {
            let datagram = self.to_send.remove(0);
            out.datagram(datagram.len(), |bytes| bytes.copy_from_slice(&datagram));
        }
        (self.to_send.len() < count).then_some(())
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// Reliable ping-pong: the client sends round `n` until the answer to it comes, then `n + 1`.
/// Reports each round that is done, and gives up after 40 retransmissions of one.
pub(crate) struct Pinger {
    is_client: bool,
    rounds: u32,
    /// The round the client waits for, the server expects.
    round: u32,
    send: Option<u32>,
    again: Option<Instant>,
    retransmissions: u32,
    events: Vec<u32>,
    pub(crate) gave_up: bool,
    /// A bug to be found: takes each `handle_timeout` for an expiry.
    pub(crate) counts_each_timeout: bool,
    pub(crate) spurious: u32,
    pub(crate) late: u32,
    pub(crate) idle_polls: u32,
}

const RETRANSMIT: Duration = ms(100);

impl Pinger {
    pub(crate) fn client(rounds: u32) -> Self {
        Self {
            is_client: true,
            send: Some(0),
            again: Some(epoch() + RETRANSMIT),
            ..Self::server(rounds)
        }
    }

    pub(crate) fn server(rounds: u32) -> Self {
        Self {
            is_client: false,
            rounds,
            round: 0,
            send: None,
            again: None,
            retransmissions: 0,
            events: Vec::new(),
            gave_up: false,
            counts_each_timeout: false,
            spurious: 0,
            late: 0,
            idle_polls: 0,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.round == self.rounds
    }

    fn next_round(&mut self, now: Instant) {
        self.events.push(self.round);
        self.round += 1;
        self.retransmissions = 0;
        let more = self.is_client && !self.is_finished();
        self.again = more.then(|| now + RETRANSMIT);
        self.send = if more { Some(self.round) } else { self.send };
    }
}

impl Protocol for Pinger {
    type Route = ();
    type Payload<'d> = ();
    type Event = u32;
    type Rejected = Empty;

    fn handle_input(&mut self, now: Instant, _: (), datagram: &mut [u8]) -> Result<(), Empty> {
        let round = u32::from_be_bytes(datagram.try_into().map_err(|_| Empty)?);
        if round == self.round && !self.is_finished() {
            self.next_round(now);
        }
        if !self.is_client {
            self.send = Some(round);
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: Instant) {
        let due = self.again.filter(|at| *at <= now);
        self.spurious += u32::from(due.is_none());
        self.late += u32::from(due.is_some_and(|at| at < now));
        if due.is_some() || (self.counts_each_timeout && self.again.is_some()) {
            self.retransmissions += 1;
            self.gave_up |= self.retransmissions > if self.counts_each_timeout { 8 } else { 40 };
        }
        if due.is_some() {
            self.send = Some(self.round);
            self.again = Some(now + RETRANSMIT);
        }
    }

    fn poll_transmit(&mut self, _: Instant, out: &mut TransmitBuf<'_>) -> Option<()> {
        let Some(round) = self.send.take() else {
            self.idle_polls += 1;
            return None;
        };
        out.datagram(4, |bytes| bytes.copy_from_slice(&round.to_be_bytes()));
        Some(())
    }

    fn poll_event(&mut self) -> Option<u32> {
        (!self.events.is_empty()).then(|| self.events.remove(0))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.again
    }
}
