use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use pc_proto::{Protocol, TransmitBuf};
use pc_sctp::{Association, Ppid, Rejected, StreamId};

use crate::{
    Channel, ChannelError, ChannelId, ChannelInit, Config, CreateError, Event, Message,
    MessageKind, Role, SendError, State, channel::Entry, dcep::Dcep, streams::Streams,
};

/// RFC 8831 §6.5: 65,535 is not used.
const MAX_ID: u16 = 65_534;

/// The data channels of one peer connection, with the SCTP association beneath them.
///
/// SCTP packets come and go through [`Protocol`], messages through [`send`](Self::send) and
/// [`recv`](Self::recv).
#[derive(Debug)]
pub struct Session {
    pub(crate) association: Association,
    pub(crate) max_channels: u16,
    pub(crate) max_incoming_names: usize,
    pub(crate) role: Option<Role>,
    pub(crate) channels: BTreeMap<ChannelId, Entry>,
    pub(crate) streams: Streams,
    next_channel: u32,
    pub(crate) incoming_names: usize,
    pub(crate) events: VecDeque<Event>,
    pub(crate) scratch: Vec<u8>,
}

impl Session {
    /// A session whose association waits for [`connect`](Self::connect) or for the peer.
    pub fn new(config: Config) -> Self {
        let sctp = pc_sctp::Config {
            seed: config.seed,
            ..config.sctp
        };
        Self {
            association: Association::new(sctp),
            max_channels: config.max_channels,
            max_incoming_names: config.max_incoming_names,
            role: None,
            channels: BTreeMap::new(),
            streams: Streams::default(),
            next_channel: 0,
            incoming_names: 0,
            events: VecDeque::new(),
            scratch: Vec::new(),
        }
    }

    /// Tells the DTLS role, once. Channels that wait for an id get theirs; one for which none is
    /// free fails with [`ChannelError::NoFreeId`].
    pub fn set_role(&mut self, now: Instant, role: Role) {
        if self.role.is_some() {
            return;
        }
        self.role = Some(role);
        let waiting: Vec<ChannelId> = self
            .channels
            .iter()
            .filter(|(_, channel)| channel.stream.is_none())
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            match self.free_id() {
                Some(stream) => self.assign(id, stream),
                None => self.fail_unopened(id),
            }
            if self.is_connected() {
                self.open(now, id);
            }
        }
        self.pump(now);
    }

    /// Tells the largest message that the peer takes, in bytes (`a=max-message-size`; for 0, no
    /// limit, pass the largest you want to send).
    pub const fn set_max_message_size(&mut self, bytes: usize) {
        self.association.set_max_message_size(bytes);
    }

    /// Starts the association, once DTLS is up. Both sides do.
    pub fn connect(&mut self, now: Instant) {
        self.association.connect(now);
    }

    /// Creates a channel. It opens when the association is up; at once, if it is.
    ///
    /// # Errors
    ///
    /// There is no such channel, and why.
    pub fn create(&mut self, now: Instant, init: ChannelInit) -> Result<ChannelId, CreateError> {
        self.check(&init)?;
        let stream = match (init.negotiated, self.role) {
            (Some(id), _) => Some(StreamId(id)),
            (None, Some(_)) => Some(self.free_id().ok_or(CreateError::NoFreeId)?),
            (None, None) => None,
        };
        let id = self.insert(init).ok_or(CreateError::NoFreeId)?;
        if let Some(stream) = stream {
            self.assign(id, stream);
        }
        if self.is_connected() {
            self.open(now, id);
            self.pump(now);
        }
        Ok(id)
    }

    fn check(&self, init: &ChannelInit) -> Result<(), CreateError> {
        let max = usize::from(u16::MAX);
        if self.is_over() {
            return Err(CreateError::Closed);
        } else if init.label.len() > max {
            return Err(CreateError::LabelTooLong);
        } else if init.protocol.len() > max {
            return Err(CreateError::ProtocolTooLong);
        } else if init.max_retransmits.is_some() && init.max_packet_life_time.is_some() {
            return Err(CreateError::TwoLimits);
        } else if self.channels.len() >= usize::from(self.max_channels) {
            return Err(CreateError::NoFreeId);
        }
        match init.negotiated {
            Some(id) if id > self.max_id() => Err(CreateError::InvalidId(id)),
            Some(id) if !self.streams.is_free(StreamId(id)) => Err(CreateError::IdInUse(id)),
            _ => Ok(()),
        }
    }

    /// Adds a channel without a stream.
    pub(crate) fn insert(&mut self, init: ChannelInit) -> Option<ChannelId> {
        let id = ChannelId(self.next_channel);
        self.next_channel = self.next_channel.checked_add(1)?;
        let channel = Entry {
            init,
            stream: None,
            state: State::Connecting,
            awaits_ack: false,
            incoming: false,
            announced: false,
            ended: false,
            low_threshold: 0,
        };
        self.channels.insert(id, channel);
        Some(id)
    }

    pub(crate) fn assign(&mut self, id: ChannelId, stream: StreamId) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.stream = Some(stream);
            self.association
                .set_buffered_amount_low_threshold(stream, channel.low_threshold);
            if self.streams.assign(stream, id) {
                self.announce(id);
            }
        }
    }

    /// There is something to read.
    pub(crate) fn announce(&mut self, id: ChannelId) {
        if let Some(channel) = self.channels.get_mut(&id)
            && !std::mem::replace(&mut channel.announced, true)
        {
            self.events.push_back(Event::Readable(id));
        }
    }

    /// The largest id that can be used.
    fn max_id(&self) -> u16 {
        let streams = self.association.max_streams();
        streams.map_or(MAX_ID, |n| n.saturating_sub(1).min(MAX_ID))
    }

    fn free_id(&mut self) -> Option<StreamId> {
        let max = self.max_id();
        self.streams.lowest_free(self.role?.parity(), max)
    }

    fn fail_unopened(&mut self, id: ChannelId) {
        let error = ChannelError::NoFreeId;
        self.events.push_back(Event::ChannelError(id, error));
        self.set_closed(id);
    }

    /// The association is up: opens a channel that was created here.
    pub(crate) fn open(&mut self, now: Instant, id: ChannelId) {
        let max_id = self.max_id();
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let Some(stream) = channel.stream else {
            return;
        };
        if channel.state != State::Connecting {
            return;
        }
        if stream.0 > max_id {
            return self.fail_unopened(id);
        }
        if channel.init.negotiated.is_none() {
            channel.awaits_ack = true;
            let open = Dcep::Open(channel.init.to_open()).to_vec();
            let sent = open.is_some_and(|open| {
                let reliability = channel.reliability();
                self.association
                    .send(now, stream, reliability, Ppid::DCEP, &open)
                    .is_ok()
            });
            if !sent {
                return self.fail_unopened(id);
            }
        }
        channel.state = State::Open;
        self.events.push_back(Event::Open(id));
    }

    /// A channel as it is now; `None` once its [`Event::Closed`] was polled.
    pub fn channel(&self, id: ChannelId) -> Option<Channel<'_>> {
        let entry = self.channels.get(&id)?;
        Some(Channel::new(entry, &self.association))
    }

    /// Every channel, oldest first.
    pub fn channels(&self) -> impl Iterator<Item = (ChannelId, Channel<'_>)> {
        let all = self.channels.iter();
        all.map(|(id, entry)| (*id, Channel::new(entry, &self.association)))
    }

    /// How many channels there can be, once the association is up (`maxChannels`).
    pub fn max_channels(&self) -> Option<u16> {
        let streams = self.association.max_streams()?;
        Some(streams.min(self.max_channels))
    }

    /// The largest message that can be sent, in bytes.
    pub const fn max_message_size(&self) -> usize {
        self.association.config().max_message_size
    }

    /// How far the association is.
    pub const fn state(&self) -> pc_sctp::State {
        self.association.state()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.association.state() == pc_sctp::State::Connected
    }

    pub(crate) fn is_over(&self) -> bool {
        use pc_sctp::State as S;
        matches!(
            self.association.state(),
            S::ShuttingDown | S::Closed | S::Failed
        )
    }

    /// Sends a message. On a channel that was created here and is unordered, messages go ordered
    /// until the peer's ACK (RFC 8832 §6).
    ///
    /// # Errors
    ///
    /// The message was not taken, and why.
    pub fn send(
        &mut self,
        now: Instant,
        id: ChannelId,
        message: Message<'_>,
    ) -> Result<(), SendError> {
        let channel = self.channels.get(&id).ok_or(SendError::NotOpen)?;
        let stream = match (channel.state, channel.stream) {
            (State::Open, Some(stream)) => stream,
            _ => return Err(SendError::NotOpen),
        };
        // RFC 8831 §6.6: an empty message is one byte that does not count.
        let (ppid, bytes): (_, &[u8]) = match message {
            Message::Text("") => (Ppid::STRING_EMPTY, &[0]),
            Message::Binary([]) => (Ppid::BINARY_EMPTY, &[0]),
            Message::Text(text) => (Ppid::STRING, text.as_bytes()),
            Message::Binary(bytes) => (Ppid::BINARY, bytes),
        };
        self.association
            .send(now, stream, channel.reliability(), ppid, bytes)
            .map_err(|error| match error {
                pc_sctp::SendError::TooLarge { limit } => SendError::TooLarge { limit },
                pc_sctp::SendError::BufferFull => SendError::BufferFull,
                _ => SendError::NotOpen,
            })
    }

    /// Puts the next message of a channel in place of what `message` holds; text is UTF-8.
    ///
    /// Messages are kept until they are read, also while the channel is closing. A reader that does
    /// not come stops the sender.
    pub fn recv(
        &mut self,
        now: Instant,
        id: ChannelId,
        message: &mut Vec<u8>,
    ) -> Option<MessageKind> {
        let stream = self.channels.get(&id)?.own_stream()?;
        let kind = match self.association.recv(now, stream, message) {
            Some(Ppid::BINARY) => Some(MessageKind::Binary),
            Some(Ppid::STRING) if std::str::from_utf8(message).is_ok() => Some(MessageKind::Text),
            Some(Ppid::STRING_EMPTY) => Some(MessageKind::Text).inspect(|_| message.clear()),
            Some(Ppid::BINARY_EMPTY) => Some(MessageKind::Binary).inspect(|_| message.clear()),
            Some(Ppid::STRING) => self.fail_channel(now, id, ChannelError::InvalidText),
            Some(_) => self.fail_channel(now, id, ChannelError::UnknownPpid),
            None => {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.announced = false;
                }
                None
            }
        };
        self.try_finish(id);
        self.pump(now);
        kind
    }

    /// Sets when [`Event::BufferedAmountLow`] comes: at first when nothing is buffered any more.
    pub fn set_buffered_amount_low_threshold(&mut self, id: ChannelId, bytes: usize) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.low_threshold = bytes;
            if let Some(stream) = channel.own_stream() {
                self.association
                    .set_buffered_amount_low_threshold(stream, bytes);
            }
        }
    }

    /// Closes a channel: what was sent is still delivered, then both sides of the stream are reset
    /// (RFC 8831 §6.7), then [`Event::Closed`] comes. What was not read is dropped, as is what
    /// still comes.
    pub fn close(&mut self, now: Instant, id: ChannelId) {
        let over = matches!(
            self.state(),
            pc_sctp::State::Closed | pc_sctp::State::Failed
        );
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let state = channel.state;
        if state == State::Closed {
            return;
        }
        self.events
            .retain(|event| *event != Event::Open(id) && *event != Event::Readable(id));
        channel.state = State::Closing;
        match channel.stream {
            Some(stream) if state != State::Connecting => {
                self.association.discard(stream);
                // Both sides may be reset already, with messages left to be read alone.
                if !channel.ended {
                    self.association.reset_stream(now, stream);
                }
                channel.ended |= over;
            }
            _ => channel.ended = true,
        }
        self.try_finish(id);
        self.pump(now);
    }

    /// Ends a channel because of what the peer did.
    pub(crate) fn fail_channel<T>(
        &mut self,
        now: Instant,
        id: ChannelId,
        error: ChannelError,
    ) -> Option<T> {
        self.events.push_back(Event::ChannelError(id, error));
        self.close(now, id);
        None
    }

    /// Ends the session when everything that was sent is delivered, RFC 9260 §9.2.
    pub fn shutdown(&mut self, now: Instant) {
        self.association.shutdown(now);
        self.pump(now);
    }

    /// Ends the session at once; the peer is told, RFC 9260 §9.1.
    pub fn abort(&mut self, now: Instant) {
        self.association.abort(now);
        self.pump(now);
    }

    /// The transport beneath is gone: ends the session without a packet. Channels are closed without
    /// an [`Event::ChannelError`], as the caller knows better what has happened; what has arrived can
    /// still be read before.
    pub fn fail(&mut self) {
        self.association.close();
        while let Some(event) = self.association.poll_event() {
            if event == pc_sctp::Event::Closed {
                self.end(None, Event::SessionClosed);
            }
        }
    }

    /// Closes a channel whose end has come, once everything was read.
    pub(crate) fn try_finish(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else {
            return;
        };
        let drained = channel
            .stream
            .is_none_or(|stream| self.association.is_drained(stream));
        if channel.ended && drained && channel.state != State::Closed {
            self.set_closed(id);
        }
    }

    pub(crate) fn set_closed(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        channel.state = State::Closed;
        self.events.push_back(Event::Closed(id));
        if let Some(stream) = channel.stream {
            self.streams.release(stream);
            self.association.release(stream);
        }
    }
}

impl Protocol for Session {
    type Route = ();
    type Payload<'d> = ();
    type Event = Event;
    type Rejected = Rejected;

    fn handle_input(&mut self, now: Instant, (): (), packet: &mut [u8]) -> Result<(), Rejected> {
        let result = self.association.handle_input(now, (), packet);
        self.pump(now);
        self.limit_orphans(now);
        result
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.association.handle_timeout(now);
        self.pump(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<()> {
        let result = self.association.poll_transmit(now, out);
        self.pump(now);
        result
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Closed(id) = event
            && let Some(channel) = self.channels.remove(&id)
        {
            self.forget_names(&channel);
        }
        Some(event)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.association.poll_timeout()
    }
}
