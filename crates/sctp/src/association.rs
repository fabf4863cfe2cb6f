use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use pc_proto::{Protocol, TimerKey, TimerTable, TransmitBuf};

use crate::{
    Config, Error, Event, Ppid, Rejected, Reliability, SendError, State, StreamId,
    carrier::{self, Carrier},
    handshake::Handshake,
    inbox::Unread,
    outbox::Outgoing,
    shutdown::Teardown,
    stream::{Reset, SINK, Stream},
    transfer::Transfer,
    wire::{PacketBuilder, chunk},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// RFC 9260 §5.1: INIT and COOKIE ECHO.
    T1,
    /// RFC 9260 §9.2: SHUTDOWN and SHUTDOWN ACK.
    T2,
}

impl TimerKey for Timer {
    const ALL: &'static [Self] = &[Self::T1, Self::T2];

    fn index(self) -> usize {
        self as usize
    }
}

/// One SCTP association over DTLS: RFC 9260 with RFC 8261, 3758 and 6525.
///
/// Packets come and go through [`Protocol`], messages through [`send`](Self::send) and
/// [`recv`](Self::recv).
#[derive(Debug)]
pub struct Association {
    pub(crate) config: Config,
    pub(crate) state: State,
    pub(crate) handshake: Handshake,
    pub(crate) transfer: Option<Box<Transfer>>,
    pub(crate) streams: BTreeMap<u16, Stream>,
    /// Streams with something to send, in the order of their turns.
    pub(crate) turn: VecDeque<u16>,
    /// Streams to be reset.
    pub(crate) resets: VecDeque<u16>,
    /// A stream that could not be used before can be used now.
    pub(crate) unblocked: bool,
    /// What unread messages cost.
    pub(crate) unread: usize,
    pub(crate) control: VecDeque<Vec<u8>>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) timers: TimerTable<Timer, 2>,
    pub(crate) teardown: Teardown,
}

impl Association {
    /// An association that waits for [`connect`](Self::connect) or for the peer.
    pub fn new(mut config: Config) -> Self {
        // A window that a whole message does not fit into could never open.
        config.receive_buffer = config
            .receive_buffer
            .max(config.max_receive_message_size.saturating_mul(2))
            .max(4096);
        Self {
            state: State::New,
            handshake: Handshake::new(&config),
            transfer: None,
            streams: BTreeMap::new(),
            turn: VecDeque::new(),
            resets: VecDeque::new(),
            unblocked: false,
            unread: 0,
            control: VecDeque::new(),
            events: VecDeque::new(),
            timers: TimerTable::new(),
            teardown: Teardown::None,
            config,
        }
    }

    /// Starts the handshake, RFC 9260 §5.1. Both sides may do so (§5.2.1). INIT and COOKIE ECHO are
    /// repeated without end: ICE decides when the path is dead.
    pub fn connect(&mut self, now: Instant) {
        if self.state != State::New {
            return;
        }
        self.state = State::Connecting;
        let first = self.handshake.connect(now);
        self.start_t1(first);
    }

    pub(crate) fn start_t1(&mut self, next: Option<(Vec<u8>, Instant)>) {
        if let Some((packet, at)) = next {
            self.control.push_back(packet);
            self.timers.set(Timer::T1, at);
        }
    }

    /// How far the association is.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The settings it was made with.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The largest message that [`send`](Self::send) takes from now on, in bytes.
    pub const fn set_max_message_size(&mut self, bytes: usize) {
        self.config.max_message_size = bytes;
    }

    /// How many streams can be used in both directions, once connected (RFC 9260 §5.1.1).
    pub fn max_streams(&self) -> Option<u16> {
        let peer = self.handshake.peer()?;
        Some(peer.outbound.min(peer.inbound))
    }

    /// Queues a message. It may be called before the association stands.
    ///
    /// DCEP messages go ordered and reliably whatever `reliability` says (RFC 8832 §6).
    ///
    /// # Errors
    ///
    /// The message was not taken, and why.
    pub fn send(
        &mut self,
        now: Instant,
        stream: StreamId,
        reliability: Reliability,
        ppid: Ppid,
        message: &[u8],
    ) -> Result<(), SendError> {
        self.check(stream, ppid, message.len())?;
        let reliability = match ppid {
            Ppid::DCEP => Reliability::ORDERED,
            _ => reliability,
        };
        let entry = self.streams.entry(stream.0).or_default();
        entry
            .outbox
            .push(Outgoing::new(now, reliability, ppid, message));
        if !std::mem::replace(&mut entry.in_turn, true) {
            self.turn.push_back(stream.0);
        }
        Ok(())
    }

    fn check(&self, stream: StreamId, ppid: Ppid, len: usize) -> Result<(), SendError> {
        let limit = self.config.max_message_size;
        let entry = self.streams.get(&stream.0);
        match self.state {
            State::New | State::Connecting | State::Connected => {}
            State::ShuttingDown | State::Closed | State::Failed => return Err(SendError::Closed),
        }
        if stream.0 == SINK {
            Err(SendError::NoSuchStream)
        } else if carrier::to_carrier(ppid) == sctp_proto::PayloadProtocolIdentifier::Unknown {
            Err(SendError::UnsupportedPpid(ppid))
        } else if len == 0 {
            Err(SendError::Empty)
        } else if len > limit && ppid != Ppid::DCEP {
            Err(SendError::TooLarge { limit })
        } else if entry.is_some_and(|it| it.reset != Reset::No || it.peer_reset) {
            Err(SendError::Resetting)
        } else if entry.is_some_and(|it| it.outbox.held() >= self.config.max_buffered) {
            Err(SendError::BufferFull)
        } else {
            Ok(())
        }
    }

    /// Puts the next message of a stream, DCEP messages left out, in place of what `message` holds.
    ///
    /// Reading opens the receive window. After an [`Event::StreamReset`] the messages of the
    /// stream's next use follow only after [`release`](Self::release).
    pub fn recv(&mut self, _now: Instant, stream: StreamId, message: &mut Vec<u8>) -> Option<Ppid> {
        let entry = self.streams.get_mut(&stream.0)?;
        let Some(unread) = entry.inbox.pop_data() else {
            entry.announced = false;
            return None;
        };
        Some(self.hand_out(unread, message))
    }

    /// The same for the DCEP messages of a stream, which data that nobody reads does not hold up.
    pub fn recv_control(
        &mut self,
        _now: Instant,
        stream: StreamId,
        message: &mut Vec<u8>,
    ) -> Option<Ppid> {
        let entry = self.streams.get_mut(&stream.0)?;
        let Some(unread) = entry.inbox.pop_control() else {
            entry.announced_control = false;
            return None;
        };
        Some(self.hand_out(unread, message))
    }

    fn hand_out(&mut self, unread: Unread, message: &mut Vec<u8>) -> Ppid {
        self.unread -= unread.cost();
        self.offer_window();
        unread.read(message)
    }

    /// The bytes that unread messages of a stream hold of the receive buffer.
    pub fn unread(&self, stream: StreamId) -> usize {
        self.streams
            .get(&stream.0)
            .map_or(0, |entry| entry.inbox.cost())
    }

    /// The bytes that unread messages of all streams hold of the receive buffer: their own, and 64
    /// for each.
    pub const fn unread_total(&self) -> usize {
        self.unread
    }

    /// Whether all data of the stream's present use was read.
    pub fn is_drained(&self, stream: StreamId) -> bool {
        self.streams
            .get(&stream.0)
            .is_none_or(|entry| entry.inbox.is_drained())
    }

    /// Drops what was not read of a stream's present use.
    pub fn discard(&mut self, stream: StreamId) {
        if let Some(entry) = self.streams.get_mut(&stream.0) {
            self.unread -= entry.inbox.discard();
            self.offer_window();
        }
    }

    /// Lets the stream's next use begin, if the peer's reset has ended the present one; what was not
    /// read of it is dropped. Call it after [`Event::ResetDone`].
    pub fn release(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.get_mut(&stream.0) else {
            return;
        };
        self.unread -= entry.inbox.release();
        let more = !entry.inbox.is_empty();
        (entry.announced, entry.announced_control) = (more, more);
        if more {
            self.events.push_back(Event::Readable(stream));
        }
        self.forget(stream.0);
        self.offer_window();
    }

    /// Drops the stream's entry if nothing is in it.
    pub(crate) fn forget(&mut self, stream: u16) {
        let idle = self.streams.get(&stream).is_some_and(|entry| {
            let unused = entry.reset == Reset::No && !entry.peer_reset && !entry.open;
            unused && entry.outbox.is_empty() && entry.inbox.is_empty()
        });
        if idle
            && let Some(entry) = self.streams.remove(&stream)
            && entry.in_turn
        {
            self.turn.retain(|id| *id != stream);
        }
    }

    /// Closes our side of a stream once its queue is empty and acknowledged, RFC 8831 §6.7.
    ///
    /// What the peer still sends on it is dropped. [`Event::ResetDone`] comes when both sides are
    /// reset.
    pub fn reset_stream(&mut self, _now: Instant, stream: StreamId) {
        if stream.0 == SINK || matches!(self.state, State::Closed | State::Failed) {
            return;
        }
        let entry = self.streams.entry(stream.0).or_default();
        if entry.reset == Reset::No {
            entry.reset = Reset::Wanted;
            self.resets.push_back(stream.0);
        }
    }

    /// The bytes of user data on a stream that have not left yet. DCEP messages and the byte of an
    /// empty message do not count.
    pub fn buffered_amount(&self, stream: StreamId) -> usize {
        self.streams
            .get(&stream.0)
            .map_or(0, |entry| entry.outbox.buffered_amount())
    }

    /// Sets when [`Event::BufferedAmountLow`] comes: at first when nothing is buffered any more.
    pub fn set_buffered_amount_low_threshold(&mut self, stream: StreamId, bytes: usize) {
        if stream.0 != SINK {
            let entry = self.streams.entry(stream.0).or_default();
            entry.outbox.low_threshold = bytes;
        }
    }

    /// The threshold of [`Event::BufferedAmountLow`] in bytes.
    pub fn buffered_amount_low_threshold(&self, stream: StreamId) -> usize {
        self.streams
            .get(&stream.0)
            .map_or(0, |entry| entry.outbox.low_threshold)
    }

    /// Ends the association at once, RFC 9260 §9.1: the peer is sent an ABORT.
    pub fn abort(&mut self, _now: Instant) {
        if matches!(self.state, State::Closed | State::Failed) {
            return;
        }
        // RFC 9260 §3.3.10.12: User-Initiated Abort.
        self.send_abort(12);
        self.end(State::Closed, Event::Closed);
    }

    /// Ends the association without a packet: the path is gone.
    pub fn close(&mut self) {
        if !matches!(self.state, State::Closed | State::Failed) {
            self.control.clear();
            self.end(State::Closed, Event::Closed);
        }
    }

    pub(crate) fn send_abort(&mut self, cause: u16) {
        self.control.clear();
        let Some(tag) = self.handshake.peer_tag() else {
            return;
        };
        let mut packet = PacketBuilder::new(self.handshake.header(tag));
        packet.chunk(
            chunk::ABORT,
            0,
            &[&cause.to_be_bytes(), &4u16.to_be_bytes()],
        );
        self.control.push_back(packet.finish());
    }

    /// The peer broke the rules: says so and gives up.
    pub(crate) fn fail(&mut self, error: Error) {
        // RFC 9260 §3.3.10.4 Out of Resource, §3.3.10.13 Protocol Violation.
        self.send_abort(match error {
            Error::ReceiveBufferExhausted => 4,
            _ => 13,
        });
        self.end(State::Failed, Event::Failed(error));
    }

    /// Nothing happens any more; unread messages stay readable.
    pub(crate) fn end(&mut self, state: State, event: Event) {
        self.state = state;
        self.transfer = None;
        self.timers.stop_all();
        self.turn.clear();
        self.resets.clear();
        self.events.push_back(event);
    }

    /// The handshake is done.
    pub(crate) fn establish(&mut self) {
        let Some(peer) = self.handshake.peer().copied() else {
            return;
        };
        let local = *self.handshake.local();
        self.timers.stop(Timer::T1);
        let Ok(carrier) = Carrier::new(&self.config, &local, &peer) else {
            return self.fail(Error::Handshake);
        };
        self.transfer = Some(Box::new(Transfer::new(
            carrier,
            &self.config,
            local.tsn,
            peer,
        )));
        self.state = State::Connected;
        self.events.push_back(Event::Connected);
        self.drain();
    }
}

impl Protocol for Association {
    type Route = ();
    type Payload<'d> = ();
    type Event = Event;
    type Rejected = Rejected;

    fn handle_input(&mut self, now: Instant, (): (), packet: &mut [u8]) -> Result<(), Rejected> {
        self.on_packet(now, packet)
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                Timer::T1 => {
                    let next = self.handshake.on_timeout(now);
                    self.start_t1(next);
                }
                Timer::T2 => self.on_t2(now),
            }
        }
        if let Some(transfer) = &mut self.transfer
            && transfer.carrier.poll_timeout().is_some_and(|at| at <= now)
        {
            transfer.carrier.handle_timeout(now);
            self.drain();
        }
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<()> {
        let before = out.len();
        while !out.is_full() {
            if let Some(packet) = self.control.pop_front() {
                out.datagram(packet.len(), |bytes| bytes.copy_from_slice(&packet));
            } else if let Some(packet) = self.next_packet(now) {
                out.datagram(packet.len(), |bytes| bytes.copy_from_slice(&packet));
            } else if self.control.is_empty() {
                break;
            }
        }
        (out.len() > before).then_some(())
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let carrier = self.transfer.as_ref();
        let carrier = carrier.and_then(|it| it.carrier.poll_timeout());
        self.timers.next().into_iter().chain(carrier).min()
    }
}
