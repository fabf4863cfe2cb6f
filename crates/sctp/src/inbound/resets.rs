//! The peer's resets of streams ([RFC 6525](https://www.rfc-editor.org/rfc/rfc6525)), and the end of ours.

use std::time::Instant;

use super::to_us;
use crate::{
    Association, Event, Rejected, StreamId,
    reconfig::{self, Request},
    stream::{Reset, SINK},
    wire::{Chunk, PacketBuilder, chunk},
};

impl Association {
    pub(super) fn on_re_config(
        &mut self,
        it: &Chunk<'_>,
        carried: &mut PacketBuilder,
    ) -> Result<(), Rejected> {
        let Some(transfer) = &mut self.transfer else {
            return Err(Rejected::Closed);
        };
        let (answer, request) = transfer.reconfig.incoming(it)?;
        let unexpected = answer.is_none() && request.is_none();
        if let Some(answer) = answer {
            carried.chunk(chunk::RE_CONFIG, 0, &[&answer]);
        }
        if let Some(request) = request {
            // RFC 6525 §4.1: the first has the number of the first TSN.
            let last = transfer.reconfig.passed;
            let next = last.map_or(transfer.peer.tsn, |last| last.wrapping_add(1));
            if last == Some(request.sequence) {
                carried.chunk(chunk::RE_CONFIG, 0, &[&request.value()]);
            } else if request.sequence == next {
                self.hold_or_pass(request, carried);
            } else {
                return Err(Rejected::Unexpected("RE-CONFIG sequence number"));
            }
        }
        if unexpected {
            return Err(Rejected::Unexpected("RE-CONFIG"));
        }
        Ok(())
    }

    /// The peer's reset waits until what we have queued on the streams is with the carrier, which
    /// answers with a reset of its own, and until the data before it has come.
    fn hold_or_pass(&mut self, request: Request, carried: &mut PacketBuilder) {
        if self.is_ready(&request) {
            self.pass(&request, carried);
            return;
        }
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        let mut packet = PacketBuilder::new(self.handshake.header(transfer.peer.tag));
        packet.chunk(chunk::RE_CONFIG, 0, &[&reconfig::in_progress(&request)]);
        self.answer(packet.finish());
        self.hold(request);
    }

    /// Keeps the peer's reset for later; the streams are told of as soon as nothing more comes on them.
    fn hold(&mut self, request: Request) {
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        let come = transfer.highest.is_at_least(request.last_tsn());
        let streams = request.streams.clone();
        transfer.reconfig.held = Some(request);
        for stream in streams.into_iter().filter(|_| come) {
            self.on_peer_reset(stream);
        }
    }

    fn is_ready(&self, request: &Request) -> bool {
        let empty = |stream: &u16| {
            self.streams
                .get(stream)
                .is_none_or(|it| it.outbox.is_empty())
        };
        let come = self
            .transfer
            .as_ref()
            .is_some_and(|it| it.highest.is_at_least(request.last_tsn()));
        come && request.streams.iter().all(empty)
    }

    fn pass(&mut self, request: &Request, carried: &mut PacketBuilder) {
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        transfer.reconfig.passed = Some(request.sequence);
        transfer.reconfig.passing.clear();
        for stream in request.streams.iter().copied().filter(|it| *it != SINK) {
            // The carrier answers only for streams it knows; a channel without traffic counts too.
            if !transfer.carrier.open(stream) {
                continue;
            }
            transfer.reconfig.passing.insert(stream);
            // What we want to be reset ourselves leaves with the carrier's answer, and the carrier
            // waits for no more of its data.
            if let Some(entry) = self.streams.get_mut(&stream)
                && entry.reset == Reset::Wanted
                && transfer.reconfig.has_room()
                && transfer.give_reset(stream, entry)
            {
                self.resets.retain(|it| *it != stream);
            }
        }
        carried.chunk(chunk::RE_CONFIG, 0, &[&request.value()]);
    }

    /// Passes the peer's reset that was held, if its time has come.
    pub(crate) fn retry_held(&mut self, now: Instant) {
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        let Some(request) = transfer.reconfig.held.take() else {
            return;
        };
        if self.is_ready(&request) {
            let mut packet = PacketBuilder::new(to_us(self));
            self.pass(&request, &mut packet);
            self.carry(now, packet);
        } else {
            self.hold(request);
        }
    }

    pub(super) fn on_peer_reset(&mut self, stream: u16) {
        let entry = self.streams.entry(stream).or_default();
        if !std::mem::replace(&mut entry.peer_reset, true) {
            self.events.push_back(Event::StreamReset(StreamId(stream)));
        }
    }

    pub(super) fn on_reset_done(&mut self, stream: u16, event: fn(StreamId) -> Event) {
        if stream == SINK {
            return;
        }
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.outbox.clear();
            (entry.reset, entry.peer_reset) = (Reset::No, false);
            entry.finished = false;
        }
        self.resets.retain(|id| *id != stream);
        self.unblocked = true;
        self.events.push_back(event(StreamId(stream)));
        self.forget(stream);
    }
}
