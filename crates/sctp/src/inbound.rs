//! From the wire to the carrier: only what it can take gets through.

use std::time::Instant;

use pc_proto::{Reader, Serial32};

use crate::{
    Association, Error, Event, Rejected, State, StreamId,
    carrier::Report,
    shutdown::Teardown,
    stream::{Reset, SINK},
    wire::{Chunk, PacketBuilder, PacketView, chunk},
};

mod resets;

/// How far a TSN may lie ahead of the last one acknowledged: bounds what is kept out of order.
const MAX_TSN_AHEAD: u32 = 16_384;
/// Answers that wait to be sent; more are not given.
const MAX_CONTROL: usize = 64;
/// The T bit of ABORT and SHUTDOWN COMPLETE, RFC 9260 §3.3.7.
const T_BIT: u8 = 1;
/// The U bit of DATA, RFC 9260 §3.3.1.
const U_BIT: u8 = 4;
/// The B bit of DATA.
const B_BIT: u8 = 2;
/// The E bit of DATA.
const E_BIT: u8 = 1;

impl Association {
    pub(crate) fn on_packet(&mut self, now: Instant, packet: &[u8]) -> Result<(), Rejected> {
        let view = PacketView::parse(packet)?;
        self.check_header(&view)?;
        if self.transfer.is_some() {
            return self.on_established(now, &view);
        }
        let mut result = Err(Rejected::Unexpected("packet"));
        for chunk in view.chunks() {
            if self.transfer.is_some() {
                // Established by a COOKIE ECHO, with which data may come along (RFC 9260 §5.1 D).
                let rest = self.on_established(now, &view);
                return result.or(rest);
            }
            result = result.or(self.on_handshake(now, &chunk));
        }
        result
    }

    /// RFC 9260 §8.5: the verification tag, with its exceptions.
    fn check_header(&self, view: &PacketView<'_>) -> Result<(), Rejected> {
        let header = view.header;
        if (header.source_port, header.destination_port)
            != (self.config.remote_port, self.config.local_port)
        {
            return Err(Rejected::Ports);
        }
        let ours = self.handshake.local().tag;
        let (mut chunks, mut expected) = (view.chunks(), Some(ours));
        if let Some(first) = chunks.next() {
            match first.kind {
                // §8.5.1 A: a tag of zero, and nothing beside it.
                chunk::INIT if chunks.next().is_none() => expected = Some(0),
                chunk::INIT => return Err(Rejected::Unexpected("bundled INIT")),
                // §8.5.1 B and C: with the T bit, the sender's own.
                chunk::ABORT | chunk::SHUTDOWN_COMPLETE if first.flags & T_BIT != 0 => {
                    expected = self.handshake.peer_tag();
                }
                _ => {}
            }
        }
        if expected == Some(header.tag) {
            Ok(())
        } else {
            Err(Rejected::VerificationTag)
        }
    }

    fn on_handshake(&mut self, now: Instant, it: &Chunk<'_>) -> Result<(), Rejected> {
        if matches!(self.state, State::Closed | State::Failed) {
            return match it.kind {
                chunk::SHUTDOWN_ACK if self.teardown == Teardown::Done => {
                    self.on_shutdown_chunk(now, it)
                }
                _ => Err(Rejected::Closed),
            };
        }
        match it.kind {
            chunk::INIT => {
                let answer = self.handshake.on_init(it)?;
                self.answer(answer);
            }
            chunk::INIT_ACK => {
                self.handshake.on_init_ack(it)?;
                let next = self.handshake.on_timeout(now);
                self.start_t1(next);
            }
            chunk::COOKIE_ECHO => self.on_cookie_echo(it)?,
            chunk::COOKIE_ACK => {
                self.handshake.on_cookie_ack()?;
                self.establish();
            }
            chunk::ABORT => self.on_abort(it),
            // RFC 9260 §3.3.10.3: Stale Cookie.
            chunk::ERROR if it.value.starts_with(&[0, 3]) && self.handshake.on_stale_cookie() => {
                let next = self.handshake.on_timeout(now);
                self.start_t1(next);
            }
            _ => return Err(Rejected::Unexpected("chunk during the handshake")),
        }
        Ok(())
    }

    fn on_cookie_echo(&mut self, it: &Chunk<'_>) -> Result<(), Rejected> {
        let (ack, new) = self.handshake.on_cookie_echo(it)?;
        self.answer(ack);
        if new {
            self.establish();
        }
        Ok(())
    }

    fn answer(&mut self, packet: Vec<u8>) {
        if self.control.len() < MAX_CONTROL {
            self.control.push_back(packet);
        }
    }

    /// RFC 9260 §3.3.7: the peer has given up.
    fn on_abort(&mut self, it: &Chunk<'_>) {
        let cause = Reader::new(it.value).u16("cause code").ok();
        self.control.clear();
        self.end(State::Failed, Event::Failed(Error::Aborted { cause }));
    }

    fn on_established(&mut self, now: Instant, view: &PacketView<'_>) -> Result<(), Rejected> {
        let mut carried = PacketBuilder::new(view.header);
        let mut result = Err(Rejected::Unexpected("chunk"));
        for it in view.chunks() {
            let accepted = match self.on_chunk(now, &it, &mut carried) {
                // RFC 9260 §3.2: the upper bits of an unknown type say whether to go on.
                Err(Rejected::Unexpected("chunk type")) if it.kind & 0x80 == 0 => break,
                accepted => accepted,
            };
            result = result.or(accepted);
            if self.transfer.is_none() {
                return result;
            }
        }
        if !carried.is_empty()
            && let Some(transfer) = &mut self.transfer
        {
            transfer.carrier.handle(now, carried.finish());
            self.drain();
        }
        result
    }

    fn on_chunk(
        &mut self,
        now: Instant,
        it: &Chunk<'_>,
        carried: &mut PacketBuilder,
    ) -> Result<(), Rejected> {
        match it.kind {
            chunk::DATA => self.on_data(it, carried),
            chunk::SACK => self.on_sack(now, it, carried),
            chunk::FORWARD_TSN => self.on_forward_tsn(it, carried),
            chunk::RE_CONFIG => self.on_re_config(it, carried),
            chunk::HEARTBEAT => {
                let header = carried_header(self);
                let mut packet = PacketBuilder::new(header);
                packet.chunk(chunk::HEARTBEAT_ACK, 0, &[it.value]);
                self.answer(packet.finish());
                Ok(())
            }
            chunk::COOKIE_ECHO => self.on_cookie_echo(it),
            chunk::SHUTDOWN | chunk::SHUTDOWN_ACK | chunk::SHUTDOWN_COMPLETE => {
                self.on_shutdown_chunk(now, it)
            }
            chunk::ABORT => {
                self.on_abort(it);
                Ok(())
            }
            // Never sent by WebRTC in a way that matters: it reports, it does not end anything.
            chunk::ERROR => Ok(()),
            chunk::INIT => Err(Rejected::Unexpected("INIT")),
            chunk::INIT_ACK => Err(Rejected::Unexpected("INIT ACK")),
            chunk::COOKIE_ACK => Err(Rejected::Unexpected("COOKIE ACK")),
            chunk::HEARTBEAT_ACK => Err(Rejected::Unexpected("HEARTBEAT ACK")),
            _ => Err(Rejected::Unexpected("chunk type")),
        }
    }

    fn on_data(&mut self, it: &Chunk<'_>, carried: &mut PacketBuilder) -> Result<(), Rejected> {
        let mut reader = Reader::new(it.value);
        let tsn = Serial32(reader.u32("TSN")?);
        let stream = reader.u16("stream identifier")?;
        let rest = reader.rest();
        reader.bytes(6, "SSN and PPID")?;
        let len = reader.remaining();
        let Some(transfer) = &mut self.transfer else {
            return Err(Rejected::Closed);
        };
        // RFC 9260 §3.3.1: a DATA chunk has user data.
        if len == 0 || stream == SINK {
            return Err(Rejected::Unexpected("DATA"));
        }
        if tsn.is_newer_than(transfer.received) && tsn.steps_from(transfer.received) > MAX_TSN_AHEAD
        {
            return Err(Rejected::Unexpected("TSN"));
        }
        let new = tsn.is_newer_than(transfer.highest);
        let known = self.streams.contains_key(&stream);
        let full = self.unread >= self.config.receive_buffer;
        if new && (full || (!known && self.streams.len() >= self.config.max_streams)) {
            // RFC 9260 §6.2: dropped, and the peer is told how much room there is.
            transfer.sack_due = true;
            return Err(Rejected::Unexpected("DATA beyond the receive window"));
        }
        if new {
            if !transfer.fragments.admit(len, it.flags & E_BIT != 0) {
                return Err(Rejected::Unexpected("DATA in fragments of a few bytes"));
            }
            transfer.highest = tsn;
        }
        let entry = self.streams.entry(stream).or_default();
        if entry.reset == Reset::No || entry.finished {
            carried.chunk(chunk::DATA, it.flags, &[it.value]);
        } else {
            sink(tsn, it.flags, rest, carried);
        }
        Ok(())
    }

    fn on_sack(
        &mut self,
        now: Instant,
        it: &Chunk<'_>,
        carried: &mut PacketBuilder,
    ) -> Result<(), Rejected> {
        let Some(transfer) = &mut self.transfer else {
            return Err(Rejected::Closed);
        };
        let cumulative = transfer.check_sack(it)?;
        if cumulative.is_at_least(transfer.acknowledged) {
            transfer.acknowledged = cumulative;
            transfer.flight.on_sack(now, cumulative);
            transfer.stale = true;
            carried.chunk(chunk::SACK, 0, &[it.value]);
        }
        Ok(())
    }

    fn on_forward_tsn(
        &mut self,
        it: &Chunk<'_>,
        carried: &mut PacketBuilder,
    ) -> Result<(), Rejected> {
        let Some(transfer) = &mut self.transfer else {
            return Err(Rejected::Closed);
        };
        let mut reader = Reader::new(it.value);
        let tsn = Serial32(reader.u32("new cumulative TSN")?);
        let far = tsn.is_newer_than(transfer.received)
            && tsn.steps_from(transfer.received) > MAX_TSN_AHEAD;
        if far || !it.value.len().is_multiple_of(4) || !transfer.peer.forward_tsn {
            return Err(Rejected::Unexpected("FORWARD TSN"));
        }
        if tsn.is_newer_than(transfer.highest) {
            transfer.highest = tsn;
        }
        if tsn.is_newer_than(transfer.received) {
            // The carrier forgets what is skipped on a stream that it does not know.
            while let (Ok(stream), Ok(_)) = (reader.u16("stream"), reader.u16("SSN")) {
                let known = self.streams.contains_key(&stream);
                let room = known || self.streams.len() < self.config.max_streams;
                if stream != SINK && room && transfer.carrier.open(stream) {
                    self.streams.entry(stream).or_default().open = true;
                }
            }
        }
        carried.chunk(chunk::FORWARD_TSN, 0, &[it.value]);
        Ok(())
    }

    /// Gives the carrier a packet as if it had come from the peer.
    pub(crate) fn carry(&mut self, now: Instant, packet: PacketBuilder) {
        if let Some(transfer) = &mut self.transfer {
            transfer.carrier.handle(now, packet.finish());
            self.drain();
        }
    }

    /// Takes everything that the carrier has to say and to give.
    pub(crate) fn drain(&mut self) {
        while let Some(report) = self.transfer.as_mut().and_then(|it| it.carrier.poll()) {
            match report {
                Report::Readable(stream) => self.pull(stream),
                Report::Opened(stream) => self.on_opened(stream),
                Report::Finished(stream) => self.on_finished(stream),
                Report::ResetComplete(stream) => self.on_reset_done(stream, Event::ResetDone),
                Report::ResetFailed(stream) => self.on_reset_done(stream, Event::ResetFailed),
                Report::Lost(error) => self.fail(error),
            }
        }
    }

    fn pull(&mut self, stream: u16) {
        while let Some(transfer) = &mut self.transfer
            && let Some(chunks) = transfer.carrier.read(stream)
        {
            let control = chunks.ppi == sctp_proto::PayloadProtocolIdentifier::Dcep;
            let entry = self.streams.entry(stream).or_default();
            let (cost, visible) = entry.inbox.push(chunks);
            self.unread += cost;
            let announced = match control {
                true => &mut entry.announced_control,
                false => &mut entry.announced,
            };
            if visible && !std::mem::replace(announced, true) {
                self.events.push_back(Event::Readable(StreamId(stream)));
            }
        }
    }

    fn on_opened(&mut self, stream: u16) {
        if stream != SINK {
            self.streams.entry(stream).or_default().open = true;
        }
    }

    fn on_finished(&mut self, stream: u16) {
        if let Some(transfer) = &mut self.transfer {
            transfer.reconfig.on_finished(stream);
        }
        if stream != SINK {
            self.on_peer_reset(stream);
            let entry = self.streams.entry(stream).or_default();
            entry.inbox.end();
            (entry.open, entry.finished) = (false, true);
        }
    }
}

/// A chunk that the carrier acknowledges and drops: ordered, one before the first on its stream.
fn sink(tsn: Serial32, flags: u8, rest: &[u8], carried: &mut PacketBuilder) {
    let flags = (flags & !U_BIT) | B_BIT | E_BIT;
    let stream = SINK.to_be_bytes();
    let ssn = u16::MAX.to_be_bytes();
    let rest = rest.get(2..7).unwrap_or(&[0; 5]);
    carried.chunk(
        chunk::DATA,
        flags,
        &[&tsn.0.to_be_bytes(), &stream, &ssn, rest],
    );
}

/// The header of a packet to the peer.
fn carried_header(association: &Association) -> crate::wire::Header {
    let tag = association.handshake.peer_tag().unwrap_or(0);
    association.handshake.header(tag)
}

/// The header of a packet from the peer.
pub(crate) fn to_us(association: &Association) -> crate::wire::Header {
    crate::wire::Header {
        source_port: association.config.remote_port,
        destination_port: association.config.local_port,
        tag: association.handshake.local().tag,
    }
}
