//! Data channels: the calls, and what the session below tells.

use std::time::Instant;

use pc_datachannel::{self as datachannel, Channel, ChannelId, ChannelInit, Message, MessageKind};
use pc_jsep::DataPlan;
use pc_proto::Protocol;

use super::{Connection, Event};
use crate::{
    DataChannelInit, Error, RtcError, RtcErrorDetail,
    state::{DataChannelState, DtlsTransportState, SctpTransportState},
};

/// How many bytes of a channel may wait before a sender that applies back-pressure pauses.
pub const SEND_HIGH_WATER: usize = 1024 * 1024;

/// The longest message this side sends, in bytes: what the channel's buffer can hold.
const MAX_SEND_MESSAGE_SIZE: u64 = datachannel::MAX_BUFFERED_AMOUNT as u64;

/// The properties and the state of a channel.
#[derive(Debug, Clone, Copy)]
pub struct ChannelView<'a> {
    /// The name its creator gave it.
    pub label: &'a str,
    /// The subprotocol its creator named.
    pub protocol: &'a str,
    /// Whether messages arrive in order.
    pub ordered: bool,
    /// For how many milliseconds a message is retransmitted, if that is limited.
    pub max_packet_life_time: Option<u16>,
    /// How often a message is retransmitted, if that is limited.
    pub max_retransmits: Option<u16>,
    /// Whether both sides created the channel themselves.
    pub negotiated: bool,
    /// The stream id; `None` until the DTLS role decides it.
    pub id: Option<u16>,
    /// Where the channel is in its life.
    pub state: DataChannelState,
    /// Bytes of messages that wait to be sent.
    pub buffered_amount: usize,
    /// At how many waiting bytes [`Event::ChannelBufferedAmountLow`] comes.
    pub buffered_amount_low_threshold: usize,
}

/// The longest message this side takes, in bytes: that of the session, and of Chromium.
pub(super) const MAX_RECEIVE_MESSAGE_SIZE: u64 = 262_144;

pub(super) fn config(seed: [u8; 32]) -> datachannel::Config {
    datachannel::Config {
        seed,
        ..datachannel::Config::default()
    }
}

impl Connection {
    /// `createDataChannel()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`, `TypeError`, `OperationError`: as the facade's
    /// [`create_data_channel`](crate::PeerConnection::create_data_channel).
    pub fn create_data_channel(
        &mut self,
        now: Instant,
        label: &str,
        init: DataChannelInit,
    ) -> Result<ChannelId, Error> {
        self.check_open()?;
        let init = checked(label, init)?;
        let id = self.data.session.create(now, init).map_err(create_error)?;
        self.session.want_data();
        self.pump(now);
        Ok(id)
    }

    /// A channel that has not been let go of.
    pub fn channel(&self, id: ChannelId) -> Option<ChannelView<'_>> {
        let channel = self.data.session.channel(id)?;
        Some(self.view(channel))
    }

    /// All channels.
    pub fn channels(&self) -> impl Iterator<Item = (ChannelId, ChannelView<'_>)> {
        self.data
            .session
            .channels()
            .map(|(id, channel)| (id, self.view(channel)))
    }

    fn view<'a>(&self, channel: Channel<'a>) -> ChannelView<'a> {
        let state = match channel.state {
            _ if self.is_closed() => DataChannelState::Closed,
            datachannel::State::Connecting => DataChannelState::Connecting,
            datachannel::State::Open => DataChannelState::Open,
            datachannel::State::Closing => DataChannelState::Closing,
            datachannel::State::Closed => DataChannelState::Closed,
        };
        ChannelView {
            label: channel.label,
            protocol: channel.protocol,
            ordered: channel.ordered,
            max_packet_life_time: channel.max_packet_life_time,
            max_retransmits: channel.max_retransmits,
            negotiated: channel.negotiated,
            id: channel.id,
            state,
            buffered_amount: channel.buffered_amount,
            buffered_amount_low_threshold: channel.buffered_amount_low_threshold,
        }
    }

    /// `send()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`, `TypeError`, `OperationError`: as
    /// [`DataChannel::send_text`](crate::DataChannel::send_text).
    pub fn send(&mut self, now: Instant, id: ChannelId, message: Message<'_>) -> Result<(), Error> {
        let state = self
            .channel(id)
            .map_or(DataChannelState::Closed, |channel| channel.state);
        if state != DataChannelState::Open {
            return Err(Error::InvalidState(
                format!("the data channel is {state}").into(),
            ));
        }
        let len = match message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
        };
        let sent = self.data.session.send(now, id, message);
        sent.map_err(send_error)?;
        self.data.counts.on_sent(id, len);
        Ok(())
    }

    /// Whether a sender that applies back-pressure may send.
    pub fn has_room(&self, id: ChannelId) -> bool {
        self.channel(id)
            .is_none_or(|channel| channel.buffered_amount <= SEND_HIGH_WATER)
    }

    /// Takes the next message into `message`, which is overwritten. The peer's window opens by it.
    pub fn recv(
        &mut self,
        now: Instant,
        id: ChannelId,
        message: &mut Vec<u8>,
    ) -> Option<MessageKind> {
        if self.is_closed() {
            return None;
        }
        message.clear();
        let kind = self.data.session.recv(now, id, message);
        if kind.is_some() {
            self.data.counts.on_received(id, message.len());
        } else {
            // It may not have been a message at all, which ends the channel.
            self.pump(now);
        }
        kind
    }

    pub(crate) fn recv_message(&mut self, now: Instant, id: ChannelId) -> Option<crate::Message> {
        let mut message = std::mem::take(&mut self.message);
        let kind = self.recv(now, id, &mut message);
        let owned = kind.map(|kind| match kind {
            MessageKind::Text => {
                // The session has checked it; a lossy reading costs nothing then.
                crate::Message::Text(String::from_utf8_lossy(&message).into_owned())
            }
            MessageKind::Binary => crate::Message::Binary(bytes::Bytes::copy_from_slice(&message)),
        });
        self.message = message;
        owned
    }

    /// Sets `bufferedAmountLowThreshold`, in bytes.
    pub fn set_buffered_amount_low_threshold(&mut self, id: ChannelId, bytes: usize) {
        self.data
            .session
            .set_buffered_amount_low_threshold(id, bytes);
    }

    /// `RTCDataChannel.close()`: what is queued is still delivered.
    pub fn close_channel(&mut self, now: Instant, id: ChannelId) {
        if !self.is_closed() {
            self.data.session.close(now, id);
            self.pump(now);
        }
    }

    /// `sctp.maxMessageSize`; `None` before an answer has decided it.
    pub fn max_message_size(&self) -> Option<usize> {
        Some(send_limit(self.data.peer()?.max_message_size))
    }

    /// What an answer has said about the channels, and on which transport they are.
    /// `sctp.maxChannels`: how many channels there can be; `None` before the association is up.
    pub fn max_channels(&self) -> Option<u16> {
        self.data.session.max_channels()
    }

    pub(super) fn negotiate_channels(&mut self, now: Instant, plan: &DataPlan) {
        let Some(peer) = plan.peer else { return };
        let transport = self.transports.get(plan.transport);
        let Some(client) = transport
            .and_then(|it| it.peer.as_ref())
            .map(|it| it.dtls_client)
        else {
            return;
        };
        let role = if client {
            datachannel::Role::Client
        } else {
            datachannel::Role::Server
        };
        self.data
            .session
            .set_max_message_size(send_limit(peer.max_message_size));
        // RFC 8832 §6: the DTLS role decides who has the even ids.
        self.data.session.set_role(now, role);
    }

    /// The transport below the channels has ended: each is told why, then that it is closed.
    pub(super) fn fail_channels(&mut self, error: Option<RtcError>) {
        let session = &self.data.session;
        if matches!(
            session.state(),
            datachannel::SessionState::Closed | datachannel::SessionState::Failed
        ) {
            // They have been told, even those that are not closed before all is read.
            return;
        }
        let error = error.unwrap_or_else(|| {
            RtcError::new(
                RtcErrorDetail::SctpFailure,
                "the peer closed the connection",
            )
        });
        let open: Vec<_> = session
            .channels()
            .filter(|(_, channel)| channel.state != datachannel::State::Closed)
            .map(|(id, _)| id)
            .collect();
        // What was to be told before comes before.
        while let Some(event) = self.next_channel_event() {
            self.events.push_back(event);
        }
        for id in open {
            self.events
                .push_back(Event::ChannelError(id, Box::new(error.clone())));
        }
        self.data.session.fail();
    }

    /// The SCTP transport's state, once there is one.
    pub(super) fn follow_session(&self) -> Option<SctpTransportState> {
        let transport = self.data.transport()?;
        let below = self.transports.get(transport);
        let gone = below.is_none_or(|it| {
            let dtls = it.states().dtls;
            matches!(
                dtls,
                DtlsTransportState::Closed | DtlsTransportState::Failed
            )
        });
        Some(match self.data.session.state() {
            datachannel::SessionState::Closed => SctpTransportState::Closed,
            _ if gone => SctpTransportState::Closed,
            datachannel::SessionState::Connected => SctpTransportState::Connected,
            _ => SctpTransportState::Connecting,
        })
    }

    /// What the session tells next. It is asked only when the event is wanted: with its last event
    /// a channel is forgotten, and whoever hears of a channel must still find it.
    pub(super) fn next_channel_event(&mut self) -> Option<Event> {
        loop {
            return Some(match self.data.session.poll_event()? {
                datachannel::Event::Incoming(id) => Event::DataChannel(id),
                datachannel::Event::Open(id) => {
                    self.data.counts.on_open(id);
                    Event::ChannelOpen(id)
                }
                datachannel::Event::Readable(id) => Event::ChannelReadable(id),
                datachannel::Event::BufferedAmountLow(id) => Event::ChannelBufferedAmountLow(id),
                datachannel::Event::ChannelError(id, error) => {
                    Event::ChannelError(id, Box::new(channel_error(error)))
                }
                datachannel::Event::Closing(id) => Event::ChannelClosing(id),
                datachannel::Event::Closed(id) => {
                    self.data.counts.on_closed(id);
                    Event::ChannelClosed(id)
                }
                _ => continue,
            });
        }
    }
}

/// The length of the longest message to a peer that announced `peer_limit`; 0 is "any"
/// (RFC 8841 §6).
fn send_limit(peer_limit: u64) -> usize {
    let limit = if peer_limit == 0 {
        u64::MAX
    } else {
        peer_limit
    };
    usize::try_from(limit.min(MAX_SEND_MESSAGE_SIZE)).unwrap_or(usize::MAX)
}

/// [WebRTC §6.1](https://www.w3.org/TR/webrtc/#dom-peerconnection-createdatachannel), steps 4 to 18.
fn checked(label: &str, init: DataChannelInit) -> Result<ChannelInit, Error> {
    let wrong = |message: &'static str| Err(Error::Type(message.into()));
    if label.len() > 65_535 || init.protocol.len() > 65_535 {
        return wrong("label and protocol have at most 65,535 bytes");
    }
    if init.max_packet_life_time.is_some() && init.max_retransmits.is_some() {
        return wrong("maxPacketLifeTime and maxRetransmits exclude each other");
    }
    if init.negotiated && init.id.is_none() {
        return wrong("a negotiated channel needs an id");
    }
    if init.negotiated && init.id == Some(65_535) {
        return wrong("65,535 is not an id");
    }
    Ok(ChannelInit {
        label: label.to_owned(),
        protocol: init.protocol,
        ordered: init.ordered,
        max_retransmits: init.max_retransmits,
        max_packet_life_time: init.max_packet_life_time,
        negotiated: init.id.filter(|_| init.negotiated),
        ..ChannelInit::default()
    })
}

fn channel_error(error: datachannel::ChannelError) -> RtcError {
    match error {
        datachannel::ChannelError::AssociationLost { cause } => RtcError {
            sctp_cause_code: cause,
            ..RtcError::new(RtcErrorDetail::SctpFailure, error.to_string())
        },
        _ => RtcError::new(RtcErrorDetail::DataChannelFailure, error.to_string()),
    }
}

fn create_error(error: datachannel::CreateError) -> Error {
    Error::Operation(error.to_string().into())
}

fn send_error(error: datachannel::SendError) -> Error {
    match error {
        datachannel::SendError::TooLarge { .. } => Error::Type(error.to_string().into()),
        datachannel::SendError::NotOpen => Error::InvalidState(error.to_string().into()),
        _ => Error::Operation(error.to_string().into()),
    }
}
