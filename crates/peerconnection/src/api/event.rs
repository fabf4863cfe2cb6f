use std::{
    future::poll_fn,
    pin::Pin,
    sync::Weak,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use pc_media::{MediaStream, MediaStreamTrack};
use pc_rtp::dtmf;

use super::{
    DtlsTransport, IceTransport, RtpReceiver, RtpTransceiver, ToneChangeEvent, shared::Shared,
};
use crate::{
    DataChannel, IceCandidate, RtcError,
    engine::IceCandidateError,
    state::{
        DtlsTransportState, IceConnectionState, IceGathererState, IceGatheringState,
        IceTransportState, PeerConnectionState, SctpTransportState, SignalingState,
    },
};

/// What happened to a [`PeerConnection`](crate::PeerConnection): the events of the W3C interface.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// `negotiationneeded`: make an offer.
    NegotiationNeeded,
    /// `icecandidate`: a candidate for the peer. One with an empty string ends this generation;
    /// `None` says that gathering is over and need not be signaled.
    IceCandidate(Option<IceCandidate>),
    /// `icecandidateerror`: a STUN or TURN server could not be used. Gathering goes on with the others.
    IceCandidateError(IceCandidateError),
    /// `signalingstatechange`.
    SignalingStateChange(SignalingState),
    /// `icegatheringstatechange`.
    IceGatheringStateChange(IceGatheringState),
    /// `iceconnectionstatechange`.
    IceConnectionStateChange(IceConnectionState),
    /// `connectionstatechange`.
    ConnectionStateChange(PeerConnectionState),
    /// `track`: the peer sends in a transceiver.
    Track(TrackEvent),
    /// `selectedcandidatepairchange` of an [`IceTransport`].
    SelectedCandidatePairChange(IceTransport),
    /// `statechange` of an [`IceTransport`].
    IceTransportStateChange(IceTransport, IceTransportState),
    /// `gatheringstatechange` of an [`IceTransport`].
    IceTransportGatheringStateChange(IceTransport, IceGathererState),
    /// `statechange` of a [`DtlsTransport`].
    DtlsTransportStateChange(DtlsTransport, DtlsTransportState),
    /// `error` of a [`DtlsTransport`].
    DtlsTransportError(DtlsTransport, RtcError),
    /// `statechange` of the [`SctpTransport`](crate::SctpTransport).
    SctpStateChange(SctpTransportState),
    /// `tonechange` of a [`DtmfSender`](crate::DtmfSender): a tone begins, or all have been played.
    ToneChange(ToneChangeEvent),
    /// The peer has pressed a key of a telephone, or let go of one. Nothing of the W3C's: browsers hear
    /// keys, and do not tell of them.
    TelephoneEvent(RtpReceiver, dtmf::Event),
    /// `datachannel`: the peer opened a channel. Dropping it unread closes it.
    DataChannel(DataChannel),
}

/// [`RTCTrackEvent`](https://www.w3.org/TR/webrtc/#rtctrackevent).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TrackEvent {
    /// `receiver`.
    pub receiver: RtpReceiver,
    /// `track`: the receiver's.
    pub track: MediaStreamTrack,
    /// `streams`: those the peer has put it into.
    pub streams: Vec<MediaStream>,
    /// `transceiver`.
    pub transceiver: RtpTransceiver,
}

impl Event {
    fn taken(&self) {
        match self {
            Self::DataChannel(channel) => channel.heard(),
            Self::TelephoneEvent(receiver, event) => super::dtmf::heard(receiver, event),
            _ => {}
        }
    }
}

/// The events of one connection, in order, none lost.
///
/// They wait here until they are taken. What a peer can make wait is bounded: when nobody takes the
/// announcements of 8 MiB of channels, further ones are closed; keys of a telephone are not told of then. The stream ends after the last event of a closed
/// connection whose handles are all gone.
#[derive(Debug)]
pub struct Events {
    pub(crate) receiver: mpsc::UnboundedReceiver<Event>,
    pub(crate) shared: Weak<Shared>,
}

impl Drop for Events {
    /// The sender goes first, and without the lock: a channel among the events that are left takes
    /// the lock when it is dropped with them.
    fn drop(&mut self) {
        let sender = self.shared.upgrade().map(|it| it.lock().end_events());
        drop(sender);
    }
}

impl Events {
    /// The next event; `None` when no more will come.
    ///
    /// Cancel safe: an event is only taken when this returns it.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<Event> {
        loop {
            let event = self.receiver.try_recv().ok()?;
            if self.holds(&event) {
                return Some(event).inspect(Event::taken);
            }
        }
    }

    /// For hand-written futures and adapters to stream traits.
    pub fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            let event = ready!(self.receiver.poll_recv(cx));
            if event.as_ref().is_none_or(|event| self.holds(event)) {
                return Poll::Ready(event.inspect(Event::taken));
            }
        }
    }

    /// Whether an event is still to be told. `negotiationneeded` is not when a call or a description
    /// has overtaken it: its handler would answer where it means to offer, or offer twice.
    fn holds(&self, event: &Event) -> bool {
        let Event::NegotiationNeeded = event else {
            return true;
        };
        let shared = self.shared.upgrade();
        shared.is_some_and(|shared| shared.confirm_negotiation_needed())
    }
}

/// A message on a data channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text: a JavaScript string.
    Text(String),
    /// Bytes: a JavaScript `ArrayBuffer` or `Blob`.
    Binary(Bytes),
}

impl Message {
    /// The length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

/// What happened to a [`DataChannel`]: the events of the W3C interface.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataChannelEvent {
    /// `open`: messages can be sent.
    Open,
    /// `message`.
    Message(Message),
    /// `bufferedamountlow`.
    BufferedAmountLow,
    /// `error`; `close` follows.
    Error(RtcError),
    /// `closing`: the peer is closing the channel.
    Closing,
    /// `close`: the last event.
    Close,
}
