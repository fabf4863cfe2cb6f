use pc_datachannel::ChannelId;
use pc_jsep::{TransceiverId, TransportId};
use pc_proto::FiveTuple;
use pc_rtp::dtmf;

use super::IceCandidateError;
use crate::{
    IceCandidate, RtcError,
    state::{
        DtlsTransportState, IceConnectionState, IceGathererState, IceGatheringState,
        IceTransportState, PeerConnectionState, SctpTransportState, SignalingState,
    },
};

/// What happened to a [`Connection`](super::Connection), in the order the W3C demands.
///
/// When an event comes out, the getters tell the state after *every* event that has been queued:
/// states change together, then their events follow.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// An exchange of descriptions is needed, [WebRTC §4.7.3].
    ///
    /// [WebRTC §4.7.3]: https://www.w3.org/TR/webrtc/#dfn-check-if-negotiation-is-needed
    NegotiationNeeded,
    /// [`signaling_state`](super::Connection::signaling_state) has changed.
    SignalingStateChange(SignalingState),
    /// The peer has stopped a transceiver: its receiver's track has ended.
    TrackEnded(TransceiverId),
    /// The peer does not send in a transceiver any more: its receiver's track is to be muted.
    TrackMuted(TransceiverId),
    /// A receiver's track leaves the peer's stream of this id.
    TrackRemoved(TransceiverId, String),
    /// A receiver's track joins the peer's stream of this id.
    TrackAdded(TransceiverId, String),
    /// The first packet has come since the peer sends in a transceiver: its receiver's track is to be
    /// unmuted.
    TrackUnmuted(TransceiverId),
    /// Frames can be pulled with [`poll_frame`](super::Connection::poll_frame).
    FrameReady(TransceiverId),
    /// What a transceiver has to send with has changed, or that it can send at all: see
    /// [`send_view`](super::Connection::send_view).
    SenderChange(TransceiverId),
    /// The peer needs a key frame of this encoding of a transceiver.
    KeyFrameRequested(TransceiverId, usize),
    /// A transceiver is to send no more than this many bits a second.
    TargetBitrate(TransceiverId, u64),
    /// `track`: the peer sends in a transceiver, in the streams of these ids.
    Track(TransceiverId, Vec<String>),
    /// [`ice_gathering_state`](super::Connection::ice_gathering_state) has changed.
    IceGatheringStateChange(IceGatheringState),
    /// A local candidate to signal. An empty one ends the generation; `None` ends gathering.
    IceCandidate(Option<Box<IceCandidate>>),
    /// `icecandidateerror`: a server could not be used.
    IceCandidateError(Box<IceCandidateError>),
    /// Another pair carries this transport's data, or none does. Transports' events come before
    /// those of their sum.
    SelectedCandidatePairChange(TransportId),
    /// A transport's ICE state has changed.
    IceTransportStateChange(TransportId, IceTransportState),
    /// How far the gathering of a transport's candidates is has changed.
    IceTransportGatheringStateChange(TransportId, IceGathererState),
    /// [`ice_connection_state`](super::Connection::ice_connection_state) has changed.
    IceConnectionStateChange(IceConnectionState),
    /// A transport's DTLS state has changed.
    DtlsTransportStateChange(TransportId, DtlsTransportState),
    /// [`sctp_state`](super::Connection::sctp_state) has changed.
    SctpStateChange(SctpTransportState),
    /// [`connection_state`](super::Connection::connection_state) has changed.
    ConnectionStateChange(PeerConnectionState),
    /// DTLS failed, and why; the states follow.
    DtlsError(TransportId, Box<RtcError>),
    /// The peer proved on this path that it knows our ICE password: a demultiplexer of several
    /// connections on one socket may send datagrams of this path here from now on.
    PathAuthenticated(FiveTuple),
    /// The peer also receives on this path: a demultiplexer may take it from a connection that only
    /// claims to have heard its peer there.
    PathConfirmed(FiveTuple),
    /// This path is not used any more.
    PathForgotten(FiveTuple),
    /// `tonechange`: a transceiver has begun to play a tone, or a pause; `None`: it has played all.
    ToneChange(TransceiverId, Option<char>),
    /// The peer has pressed a key, or let go of one.
    TelephoneEvent(TransceiverId, dtmf::Event),
    /// The peer opened a channel. [`ChannelOpen`](Self::ChannelOpen) follows.
    DataChannel(ChannelId),
    /// A channel is open.
    ChannelOpen(ChannelId),
    /// A channel has messages to be pulled with [`recv`](super::Connection::recv).
    ChannelReadable(ChannelId),
    /// A channel's buffered amount has fallen to its low threshold.
    ChannelBufferedAmountLow(ChannelId),
    /// A channel failed, and why; [`ChannelClosed`](Self::ChannelClosed) follows.
    ChannelError(ChannelId, Box<RtcError>),
    /// The peer is closing a channel.
    ChannelClosing(ChannelId),
    /// A channel is closed. Messages that came before can still be pulled.
    ChannelClosed(ChannelId),
}

const _: () = assert!(size_of::<Event>() <= 80);

/// Why a datagram was dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// By ICE: not a valid check, or not from an authenticated path.
    #[error("ICE: {0}")]
    Ice(#[from] pc_ice::Rejected),
    /// By DTLS.
    #[error("DTLS: {0}")]
    Dtls(#[from] pc_dtls::Rejected),
    /// By SCTP or a data channel, from inside a valid DTLS record.
    #[error("data channels: {0}")]
    DataChannel(#[from] pc_datachannel::Rejected),
    /// More DTLS datagrams than are kept before the descriptions are complete.
    #[error("DTLS before the answer, and the space for early datagrams is full")]
    TooEarly,
    /// A check under the credentials of a restart whose answer has not come. It will be repeated.
    #[error("a check of an ICE restart before its answer")]
    BeforeAnswer,
    /// No transport has the socket that it came to.
    #[error("for none of the connection's transports")]
    NoTransport,
    /// By SRTP: forged, replayed, or too old.
    #[error("SRTP: {0}")]
    Srtp(#[from] pc_srtp::Rejected),
    /// By RTP, from inside a packet that SRTP has verified.
    #[error("RTP: {0}")]
    Rtp(#[from] pc_rtp_session::Rejected),
    /// SRTP before DTLS has agreed on its keys. Some of it is kept.
    #[error("SRTP before its keys")]
    BeforeKeys,
    /// Of a protocol this session has not negotiated.
    #[error("not of a protocol that this session has negotiated")]
    NotNegotiated,
    /// The connection is closed.
    #[error("the connection is closed")]
    Closed,
}
