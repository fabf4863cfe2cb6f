//! What the association reports, made into channels and their events.

use std::time::Instant;

use pc_sctp::{Ppid, Reliability, StreamId};

use crate::{
    ChannelError, ChannelId, ChannelInit, Event, Refusal, Session, State,
    channel::Entry,
    dcep::{DataChannelOpen, Dcep},
};

/// How many bytes may wait for channels that do not exist yet: data that overtook its OPEN, or came
/// before the negotiated channel was created here.
const MAX_ORPHAN_BYTES: usize = 1 << 20;
/// On how many streams they may wait.
const MAX_ORPHANS: usize = 256;

impl Session {
    /// Handles everything that the association reports.
    pub(crate) fn pump(&mut self, now: Instant) {
        while let Some(event) = pc_proto::Protocol::poll_event(&mut self.association) {
            match event {
                pc_sctp::Event::Connected => self.on_connected(now),
                pc_sctp::Event::Readable(stream) => self.on_readable(now, stream),
                pc_sctp::Event::StreamReset(stream) => self.on_stream_reset(stream),
                pc_sctp::Event::ResetDone(stream) => self.on_reset_done(stream),
                pc_sctp::Event::ResetFailed(stream) => self.on_reset_failed(stream),
                pc_sctp::Event::BufferedAmountLow(stream) => {
                    if let Some(id) = self.streams.channel(stream) {
                        self.events.push_back(Event::BufferedAmountLow(id));
                    }
                }
                pc_sctp::Event::Closed => self.end(None, Event::SessionClosed),
                pc_sctp::Event::Failed(error) => {
                    let cause = match error {
                        pc_sctp::Error::Aborted { cause } => cause,
                        _ => None,
                    };
                    self.end(Some(cause), Event::Failed(error));
                }
                _ => {}
            }
        }
    }

    fn on_connected(&mut self, now: Instant) {
        self.events.push_back(Event::Connected);
        let waiting: Vec<ChannelId> = self.channels.keys().copied().collect();
        for id in waiting {
            self.open(now, id);
        }
    }

    fn on_readable(&mut self, now: Instant, stream: StreamId) {
        let mut message = std::mem::take(&mut self.scratch);
        while self
            .association
            .recv_control(now, stream, &mut message)
            .is_some()
        {
            self.on_dcep(now, stream, &message);
        }
        self.scratch = message;
        if self.association.is_drained(stream) {
            return;
        }
        match self.streams.channel(stream) {
            Some(id) => self.announce(id),
            None => self.streams.keep_for_later(stream),
        }
    }

    fn on_dcep(&mut self, now: Instant, stream: StreamId, message: &[u8]) {
        let id = self.streams.channel(stream);
        match (Dcep::parse(message), id) {
            (Ok(Dcep::Open(open)), None) => self.on_open(now, stream, &open),
            // RFC 8832 §6: an OPEN on a stream in use closes its channel.
            (Ok(Dcep::Open(_)) | Err(_), Some(id)) => {
                self.fail_channel::<()>(now, id, ChannelError::Dcep);
            }
            (Ok(Dcep::Ack), Some(id)) => {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.awaits_ack = false;
                }
            }
            (Ok(Dcep::Ack) | Err(_), None) => self.refuse(now, stream, Refusal::Dcep),
        }
    }

    fn on_open(&mut self, now: Instant, stream: StreamId, open: &DataChannelOpen<'_>) {
        let names = open.label.len() + open.protocol.len();
        let ours = self.role.is_some_and(|it| it.parity() == stream.0 & 1);
        let full = self.channels.len() >= usize::from(self.max_channels)
            || self.incoming_names + names > self.max_incoming_names;
        let refusal = match (ours, full) {
            (true, _) => Some(Refusal::Parity),
            (false, true) => Some(Refusal::TooManyChannels),
            (false, false) => None,
        };
        if let Some(refusal) = refusal {
            return self.refuse(now, stream, refusal);
        }
        let Some(id) = self.insert(ChannelInit::from_open(open)) else {
            return self.refuse(now, stream, Refusal::TooManyChannels);
        };
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.state = State::Open;
            channel.incoming = true;
        }
        self.incoming_names += names;
        self.events.push_back(Event::Incoming(id));
        self.events.push_back(Event::Open(id));
        self.assign(id, stream);
        if let Some(ack) = Dcep::Ack.to_vec() {
            // It fails only when the stream is being reset already.
            let _ = self
                .association
                .send(now, stream, Reliability::ORDERED, Ppid::DCEP, &ack);
        }
    }

    /// Resets a stream that no channel can be made of.
    fn refuse(&mut self, now: Instant, stream: StreamId, refusal: Refusal) {
        if self.streams.refuse(stream) {
            self.association.discard(stream);
            self.association.reset_stream(now, stream);
            self.events.push_back(Event::Refused(stream.0, refusal));
        }
    }

    /// Keeps what waits for channels within bounds.
    pub(crate) fn limit_orphans(&mut self, now: Instant) {
        loop {
            let orphans = self.streams.orphans();
            let held: usize = orphans.map(|it| self.association.unread(it)).sum();
            if held <= MAX_ORPHAN_BYTES && self.streams.orphans().len() <= MAX_ORPHANS {
                return;
            }
            let orphans = self.streams.orphans();
            let largest = orphans.max_by_key(|it| self.association.unread(*it));
            let Some(largest) = largest else { return };
            self.refuse(now, largest, Refusal::TooMuchData);
        }
    }

    fn on_stream_reset(&mut self, stream: StreamId) {
        let Some(id) = self.streams.channel(stream) else {
            return;
        };
        if let Some(channel) = self.channels.get_mut(&id)
            && channel.state == State::Open
        {
            channel.state = State::Closing;
            self.events.push_back(Event::Closing(id));
        }
    }

    fn on_reset_done(&mut self, stream: StreamId) {
        let was_orphan = self.streams.reset(stream);
        if let Some(id) = self.streams.channel(stream) {
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.ended = true;
            }
            self.try_finish(id);
        } else {
            if was_orphan {
                let refused = Event::Refused(stream.0, Refusal::Closed);
                self.events.push_back(refused);
            }
            self.association.release(stream);
        }
    }

    fn on_reset_failed(&mut self, stream: StreamId) {
        self.streams.give_up(stream);
        if let Some(id) = self.streams.channel(stream) {
            let error = Event::ChannelError(id, ChannelError::ResetFailed);
            self.events.push_back(error);
        }
        self.on_reset_done(stream);
    }

    /// The association is over; `loss` is the cause, if it was lost.
    pub(crate) fn end(&mut self, loss: Option<Option<u16>>, event: Event) {
        let all: Vec<ChannelId> = self.channels.keys().copied().collect();
        for id in all {
            let Some(channel) = self.channels.get_mut(&id) else {
                continue;
            };
            if channel.state == State::Closed {
                continue;
            }
            if let Some(cause) = loss {
                let error = ChannelError::AssociationLost { cause };
                self.events.push_back(Event::ChannelError(id, error));
            }
            channel.state = State::Closing;
            channel.ended = true;
            self.try_finish(id);
        }
        self.events.push_back(event);
    }

    pub(crate) fn forget_names(&mut self, channel: &Entry) {
        if channel.incoming {
            let names = channel.init.label.len() + channel.init.protocol.len();
            self.incoming_names = self.incoming_names.saturating_sub(names);
        }
    }
}
