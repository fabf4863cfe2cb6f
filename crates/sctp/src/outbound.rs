//! From the queues through the carrier to the wire.

use std::time::Instant;

use bytes::Bytes;
use pc_proto::{Reader, Serial32};

use crate::{
    Association, Event, Ppid, StreamId,
    inbound::to_us,
    outbox::amount,
    reconfig::Outgoing,
    stream::Reset,
    transfer::Transfer,
    wire::{CHUNK_HEADER_LEN, COMMON_HEADER_LEN, Chunk, PacketBuilder, PacketView, chunk, padding},
};

impl Association {
    /// The next packet of the established association.
    pub(crate) fn next_packet(&mut self, now: Instant) -> Option<Bytes> {
        let transfer = self.transfer.as_mut()?;
        if let Some(packet) = transfer.packets.pop_front() {
            return Some(packet);
        }
        loop {
            self.refresh();
            self.feed(now);
            self.give_resets();
            self.retry_held(now);
            self.unblocked = false;
            while let Some(packets) = self.transfer.as_mut()?.carrier.poll_transmit(now) {
                self.end_streams(&packets);
                for packet in &packets {
                    self.dispatch(now, packet);
                }
                self.refresh();
            }
            self.drain();
            if !self.unblocked {
                break;
            }
        }
        self.window_update();
        self.step_shutdown(now);
        self.transfer.as_mut()?.packets.pop_front()
    }

    /// Counts anew what the carrier holds unacknowledged.
    fn refresh(&mut self) {
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        if !std::mem::take(&mut transfer.stale) {
            return;
        }
        let Transfer {
            active, carrier, ..
        } = &mut **transfer;
        let mut outstanding = 0;
        active.retain(|stream| {
            let left = carrier.outstanding(*stream);
            outstanding += left;
            if let Some(entry) = self.streams.get_mut(stream)
                && entry.outbox.reconcile(left)
            {
                let low = Event::BufferedAmountLow(StreamId(*stream));
                self.events.push_back(low);
            }
            left > 0
        });
        transfer.outstanding = outstanding;
    }

    /// Gives the carrier messages, one of each stream in turn, as far as it may have them.
    fn feed(&mut self, now: Instant) {
        let mut blocked = 0;
        while blocked < self.turn.len()
            && self
                .transfer
                .as_ref()
                .is_some_and(|it| it.outstanding < it.flight.limit())
        {
            let Some(stream) = self.turn.pop_front() else {
                break;
            };
            blocked = if self.feed_one(now, stream) {
                0
            } else {
                blocked + 1
            };
            if let Some(entry) = self.streams.get_mut(&stream) {
                entry.in_turn = !entry.outbox.is_empty();
                if entry.in_turn {
                    self.turn.push_back(stream);
                }
            }
        }
    }

    /// Gives the carrier the next message of a stream; false if that has to wait.
    fn feed_one(&mut self, now: Instant, stream: u16) -> bool {
        let (Some(transfer), Some(entry)) = (&mut self.transfer, self.streams.get_mut(&stream))
        else {
            return true;
        };
        if !entry.open {
            if !transfer.carrier.open(stream) {
                return false;
            }
            entry.open = true;
        }
        if !transfer.carrier.is_writable(stream) {
            return false;
        }
        let Some(message) = entry.outbox.pop() else {
            return true;
        };
        let (len, user) = (message.bytes.len(), message.amount());
        let given = match message.lifetime(now) {
            Some(lifetime) => transfer.carrier.send(stream, message, lifetime),
            // RFC 7496 §4.1: its time is over.
            None => false,
        };
        if given {
            transfer.outstanding += len;
            if !transfer.active.contains(&stream) {
                transfer.active.push(stream);
            }
        } else if entry.outbox.sent(user) {
            let low = Event::BufferedAmountLow(StreamId(stream));
            self.events.push_back(low);
        }
        true
    }

    /// Tells the carrier of streams to be reset whose queues are empty.
    fn give_resets(&mut self) {
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        if self.resets.is_empty() || !transfer.reconfig.is_idle() {
            return;
        }
        for _ in 0..self.resets.len() {
            let Some(stream) = self.resets.pop_front() else {
                break;
            };
            let Some(entry) = self.streams.get_mut(&stream) else {
                continue;
            };
            let room = transfer.reconfig.has_room();
            if !room || !entry.outbox.is_empty() {
                self.resets.push_back(stream);
            } else if entry.peer_reset && !entry.open {
                // The carrier answers the peer's reset by itself.
                entry.reset = Reset::Given;
            } else if !transfer.give_reset(stream, entry) {
                // An earlier use of the stream is still being reset.
                self.resets.push_back(stream);
            }
        }
    }

    /// Once the peer's reset is performed, all that the peer had sent before has come (RFC 6525
    /// §5.2.2 E2). The carrier keeps the end of a stream back for a message of which only a part
    /// is there; but the rest, if it was on the way when the stream was closed here, was dropped.
    fn end_streams(&mut self, packets: &[Bytes]) {
        let Some(transfer) = &self.transfer else {
            return;
        };
        let performed = |packet: &Bytes| {
            let view = PacketView::parse_unsummed(packet);
            view.is_ok_and(|view| {
                let mut chunks = view.chunks();
                chunks.any(|it| it.kind == chunk::RE_CONFIG && transfer.reconfig.is_performed(&it))
            })
        };
        if transfer.reconfig.passing.is_empty() || !packets.iter().any(performed) {
            return;
        }
        if let Some(transfer) = &mut self.transfer {
            for stream in std::mem::take(&mut transfer.reconfig.passing) {
                transfer.carrier.discard(stream);
            }
        }
        self.drain();
    }

    /// Takes a packet of the carrier: notes what is in it, and corrects what has to be.
    fn dispatch(&mut self, now: Instant, packet: &Bytes) {
        let Ok(view) = PacketView::parse_unsummed(packet) else {
            return;
        };
        let mut rewrite = packet.len() > self.config.mtu;
        for it in view.chunks() {
            match it.kind {
                chunk::DATA => self.on_data_sent(now, &it),
                chunk::FORWARD_TSN => {
                    if let (Some(transfer), Ok(tsn)) =
                        (&mut self.transfer, Reader::new(it.value).u32("TSN"))
                        && Serial32(tsn).is_newer_than(transfer.sent)
                    {
                        transfer.sent = Serial32(tsn);
                    }
                }
                chunk::SACK | chunk::RE_CONFIG => rewrite = true,
                _ => {}
            }
        }
        if rewrite {
            self.rewrite(now, &view);
        } else if let Some(transfer) = &mut self.transfer {
            transfer.packets.push_back(packet.clone());
        }
    }

    fn on_data_sent(&mut self, now: Instant, it: &Chunk<'_>) {
        let mut reader = Reader::new(it.value);
        let fields = (
            reader.u32("TSN"),
            reader.u16("stream"),
            reader.u16("SSN"),
            reader.u32("PPID"),
        );
        let (Some(transfer), (Ok(tsn), Ok(stream), Ok(_), Ok(ppid))) = (&mut self.transfer, fields)
        else {
            return;
        };
        let tsn = Serial32(tsn);
        if !tsn.is_newer_than(transfer.sent) {
            transfer.flight.on_sent_again();
            return;
        }
        transfer.sent = tsn;
        transfer.flight.on_sent(now, tsn, transfer.outstanding);
        let user = amount(Ppid(ppid), reader.remaining());
        if let Some(entry) = self.streams.get_mut(&stream)
            && entry.outbox.sent(user)
        {
            let low = Event::BufferedAmountLow(StreamId(stream));
            self.events.push_back(low);
        }
    }

    /// Writes a packet anew: with our window in a SACK, without superfluous resets, and in as many
    /// packets as the MTU asks for.
    fn rewrite(&mut self, now: Instant, view: &PacketView<'_>) {
        let mtu = self.config.mtu;
        let mut packet = PacketBuilder::new(view.header);
        for it in view.chunks() {
            let value = match it.kind {
                chunk::SACK => self.sack(&it),
                chunk::RE_CONFIG => self.re_config(now, &it),
                _ => Some(it.value.to_vec()),
            };
            let (Some(value), Some(transfer)) = (value, &mut self.transfer) else {
                continue;
            };
            let len = CHUNK_HEADER_LEN + value.len() + padding(value.len());
            if !packet.is_empty() && packet.len() + len > mtu {
                let full = std::mem::replace(&mut packet, PacketBuilder::new(view.header));
                transfer.packets.push_back(Bytes::from(full.finish()));
            }
            packet.chunk(it.kind, it.flags, &[&value]);
        }
        if let Some(transfer) = &mut self.transfer
            && !packet.is_empty()
        {
            transfer.packets.push_back(Bytes::from(packet.finish()));
        }
    }

    fn re_config(&mut self, now: Instant, it: &Chunk<'_>) -> Option<Vec<u8>> {
        match self.transfer.as_mut()?.reconfig.outgoing(it) {
            Outgoing::Send(value) => Some(value),
            Outgoing::Answer(value) => {
                let mut packet = PacketBuilder::new(to_us(self));
                packet.chunk(chunk::RE_CONFIG, 0, &[&value]);
                self.carry(now, packet);
                self.unblocked = true;
                None
            }
        }
    }

    /// The window for the peer: what the carrier leaves, less what nobody has read.
    fn window(&self, credit: usize) -> usize {
        credit.saturating_sub(self.unread)
    }

    /// The carrier's SACK with our window, and within the MTU.
    fn sack(&mut self, it: &Chunk<'_>) -> Option<Vec<u8>> {
        let mut reader = Reader::new(it.value);
        let cumulative = reader.u32("cumulative TSN ack").ok()?;
        let credit = reader.u32("a_rwnd").ok()?;
        let gaps = usize::from(reader.u16("number of gap ack blocks").ok()?);
        let duplicates = usize::from(reader.u16("number of duplicates").ok()?);
        let window = self.window(usize::try_from(credit).ok()?);
        // Four bytes for each gap ack block and each duplicate.
        let room = self.config.mtu.saturating_sub(COMMON_HEADER_LEN + 16) / 4;
        let gaps_kept = gaps.min(room);
        let duplicates_kept = duplicates.min(room - gaps_kept);
        let gap_bytes = reader.bytes(4 * gaps, "gap ack blocks").ok()?;
        let mut value = sack_head(cumulative, window, gaps_kept, duplicates_kept);
        value.extend_from_slice(gap_bytes.get(..4 * gaps_kept)?);
        value.extend_from_slice(reader.rest().get(..4 * duplicates_kept)?);
        let transfer = self.transfer.as_mut()?;
        transfer.received = Serial32(cumulative);
        transfer.credit = usize::try_from(credit).ok()?;
        (transfer.advertised, transfer.sack_due) = (window, false);
        Some(value)
    }

    /// RFC 9260 §6.2: a window that has opened is announced once it is worth it.
    pub(crate) fn offer_window(&mut self) {
        let quarter = self.config.receive_buffer / 4;
        let Some(transfer) = &self.transfer else {
            return;
        };
        let window = self.window(transfer.credit);
        let worth = transfer.advertised < 2 * quarter && window >= transfer.advertised + quarter;
        if worth && let Some(transfer) = &mut self.transfer {
            transfer.sack_due = true;
        }
    }

    /// A SACK for the window's sake: the last cumulative TSN again.
    fn window_update(&mut self) {
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        if !std::mem::take(&mut transfer.sack_due) {
            return;
        }
        let (received, credit) = (transfer.received.0, transfer.credit);
        let window = self.window(credit);
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        transfer.advertised = window;
        let mut packet = PacketBuilder::new(self.handshake.header(transfer.peer.tag));
        packet.chunk(chunk::SACK, 0, &[&sack_head(received, window, 0, 0)]);
        transfer.packets.push_back(Bytes::from(packet.finish()));
    }
}

fn sack_head(cumulative: u32, window: usize, gaps: usize, duplicates: usize) -> Vec<u8> {
    let mut value = Vec::with_capacity(12 + 4 * (gaps + duplicates));
    value.extend(cumulative.to_be_bytes());
    value.extend(u32::try_from(window).unwrap_or(u32::MAX).to_be_bytes());
    value.extend((gaps as u16).to_be_bytes());
    value.extend((duplicates as u16).to_be_bytes());
    value
}
