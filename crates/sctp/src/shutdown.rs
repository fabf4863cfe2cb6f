use std::time::{Duration, Instant};

use crate::{
    Association, Event, Rejected, State,
    association::Timer,
    wire::{Chunk, PacketBuilder, chunk},
};

/// How far the shutdown of RFC 9260 §9.2 has come.
///
/// ```text
///  None --shutdown--> Pending --[all acknowledged]--> Sent --[SHUTDOWN ACK]--> Done
///    |                                                  |
///    |                                                  | [SHUTDOWN]
///    +--[SHUTDOWN]--> Received --[all acknowledged]--> AckSent --[SHUTDOWN COMPLETE or ACK]--> Done
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Teardown {
    None,
    Pending,
    Sent,
    Received,
    AckSent,
    Done,
}

/// Between two SHUTDOWNs or SHUTDOWN ACKs; RFC 9260 §16 `RTO.Initial`.
const T2: Duration = Duration::from_secs(1);

impl Association {
    /// Ends the association when everything that was sent has been acknowledged, RFC 9260 §9.2.
    /// Nothing more can be sent. [`Event::Closed`] follows.
    pub fn shutdown(&mut self, _now: Instant) {
        match self.state {
            State::New | State::Connecting => self.end(State::Closed, Event::Closed),
            State::Connected => {
                self.state = State::ShuttingDown;
                self.teardown = Teardown::Pending;
            }
            State::ShuttingDown | State::Closed | State::Failed => {}
        }
    }

    pub(crate) fn on_shutdown_chunk(
        &mut self,
        now: Instant,
        it: &Chunk<'_>,
    ) -> Result<(), Rejected> {
        match (it.kind, self.teardown) {
            (chunk::SHUTDOWN, Teardown::None | Teardown::Pending) => {
                self.state = State::ShuttingDown;
                self.teardown = Teardown::Received;
            }
            (chunk::SHUTDOWN, Teardown::Sent) => self.send_shutdown(now, Teardown::AckSent),
            (chunk::SHUTDOWN, Teardown::Received | Teardown::AckSent) => {}
            (chunk::SHUTDOWN_ACK, Teardown::Sent | Teardown::AckSent) => {
                self.teardown = Teardown::Done;
                self.send_complete();
                self.end(State::Closed, Event::Closed);
            }
            // Our SHUTDOWN COMPLETE was lost, RFC 9260 §8.4.
            (chunk::SHUTDOWN_ACK, Teardown::Done) => self.send_complete(),
            (chunk::SHUTDOWN_COMPLETE, Teardown::AckSent) => {
                self.teardown = Teardown::Done;
                self.end(State::Closed, Event::Closed);
            }
            _ => return Err(Rejected::Unexpected("SHUTDOWN")),
        }
        Ok(())
    }

    pub(crate) fn on_t2(&mut self, now: Instant) {
        if matches!(self.teardown, Teardown::Sent | Teardown::AckSent) {
            self.send_shutdown(now, self.teardown);
        }
    }

    /// Goes on with a shutdown that waits for data to be acknowledged.
    pub(crate) fn step_shutdown(&mut self, now: Instant) {
        let next = match self.teardown {
            Teardown::Pending => Teardown::Sent,
            Teardown::Received => Teardown::AckSent,
            _ => return,
        };
        let drained = self.streams.values().all(|it| it.outbox.is_empty());
        let Some(transfer) = &self.transfer else {
            return;
        };
        if drained && transfer.outstanding == 0 && transfer.packets.is_empty() {
            self.send_shutdown(now, next);
        }
    }

    fn send_shutdown(&mut self, now: Instant, next: Teardown) {
        self.teardown = next;
        let Some(transfer) = &self.transfer else {
            return;
        };
        let mut packet = PacketBuilder::new(self.handshake.header(transfer.peer.tag));
        let received = transfer.received.0.to_be_bytes();
        match next {
            Teardown::Sent => packet.chunk(chunk::SHUTDOWN, 0, &[&received]),
            _ => packet.chunk(chunk::SHUTDOWN_ACK, 0, &[]),
        };
        self.control.push_back(packet.finish());
        self.timers.set(Timer::T2, now + T2);
    }

    fn send_complete(&mut self) {
        if let Some(tag) = self.handshake.peer_tag() {
            let mut packet = PacketBuilder::new(self.handshake.header(tag));
            packet.chunk(chunk::SHUTDOWN_COMPLETE, 0, &[]);
            self.control.push_back(packet.finish());
        }
    }
}
