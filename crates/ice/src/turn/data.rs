//! The data of peers, in and out (RFC 8656 §11, §12.4–12.7), without copies.

use std::{net::SocketAddr, time::Instant};

use pc_proto::{FiveTuple, TransmitBuf, Writer};
use pc_stun::{
    Attribute, AttributeType, CHANNEL_HEADER_LEN, ChannelHeader, ChannelNumber, Class, HEADER_LEN,
    MessageBuilder, MessageView, Method, TransactionId,
};
use rand_chacha::rand_core::Rng;

use super::{Client, ConnectionId, Event, RelayedTransport, client::State};
use crate::{Error, Rejected};

/// Bytes of an attribute's type and length (RFC 8489 §14).
const ATTRIBUTE_HEADER_LEN: usize = 4;

/// What pads a message to a multiple of 4 bytes at most.
const PADDING: usize = 3;

/// Data that a peer has sent to the relayed address, borrowed from the server's datagram.
#[derive(Debug, PartialEq, Eq)]
pub struct PeerData<'d> {
    /// Who has sent them, as the server saw it.
    pub peer: SocketAddr,
    /// What was sent.
    pub data: &'d mut [u8],
}

impl Client {
    /// Runs the layer above, `inner`, with room around each datagram, and turns what it appends
    /// into ChannelData for `peer`, or into Send indications while no channel is bound. What comes
    /// out goes to [`path`](Self::path).
    ///
    /// Datagrams of equal length stay so: a batch can leave in one system call. One of more than
    /// 65,535 bytes is discarded.
    ///
    /// # Errors
    ///
    /// `inner` has not run: there is no allocation, or no permission for the peer
    /// ([`Error::NotPermitted`]); or the allocation relays TCP connections
    /// ([`Error::OtherTransport`]).
    pub fn wrap<R>(
        &mut self,
        out: &mut TransmitBuf<'_>,
        peer: SocketAddr,
        inner: impl FnOnce(&mut TransmitBuf<'_>) -> R,
    ) -> Result<R, Error> {
        if self.config.relayed != RelayedTransport::Udp {
            return Err(Error::OtherTransport);
        }
        if !matches!(self.state, State::Allocated(_)) {
            return Err(Error::NotPermitted);
        }
        if let Some(number) = self.channels.number_of(peer) {
            // RFC 8656 §12.5: padding is for streams.
            let is_stream = self.config.transport.is_stream();
            let tailroom = if is_stream { PADDING } else { 0 };
            let seal = |message: &mut [u8]| seal_channel_data(message, number, tailroom);
            return Ok(out.wrap(CHANNEL_HEADER_LEN, tailroom, inner, seal));
        }
        if !self.permissions.allows(peer.ip()) {
            return Err(Error::NotPermitted);
        }
        let rng = &mut self.rng;
        let dont_fragment = self.config.dont_fragment;
        let headroom = send_headroom(peer, dont_fragment);
        let seal = |message: &mut [u8]| {
            let mut id = TransactionId([0; 12]);
            rng.fill_bytes(&mut id.0);
            seal_send_indication(message, peer, dont_fragment, id)
        };
        Ok(out.wrap(headroom, PADDING, inner, seal))
    }

    /// How many bytes [`wrap`](Self::wrap) adds to each datagram for `peer` at most.
    pub fn overhead(&self, peer: SocketAddr) -> usize {
        if self.channels.number_of(peer).is_some() {
            let is_stream = self.config.transport.is_stream();
            return CHANNEL_HEADER_LEN + if is_stream { PADDING } else { 0 };
        }
        send_headroom(peer, self.config.dont_fragment) + PADDING
    }

    pub(super) fn receive<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
    ) -> Result<Option<PeerData<'d>>, Rejected> {
        if self.is_ended() {
            return Err(Rejected::Closed);
        }
        if route != self.config.path {
            return Err(Rejected::UnknownPath);
        }
        if ChannelHeader::is_channel_data(datagram) {
            return self.channel_data(datagram).map(Some);
        }
        let message = MessageView::parse(datagram)?;
        match (message.class(), message.method()) {
            (Class::Success | Class::Error, _) => {
                self.advance(now);
                self.response(now, &message)?;
                self.settle(now);
                Ok(None)
            }
            (Class::Indication, Method::DATA) => {
                let peer = self.indicating_peer(&message)?;
                // Without DATA it tells of an ICMP error (RFC 8656 §11.6), which ICE needs not.
                let range = message.value_range(AttributeType::DATA);
                let data = range.and_then(|range| datagram.get_mut(range));
                Ok(data.map(|data| PeerData { peer, data }))
            }
            (Class::Indication, Method::CONNECTION_ATTEMPT) => {
                self.connection_attempt(&message)?;
                Ok(None)
            }
            _ => Err(Rejected::UnexpectedMethod),
        }
    }

    /// RFC 8656 §12.6
    fn channel_data<'d>(&self, datagram: &'d mut [u8]) -> Result<PeerData<'d>, Rejected> {
        let header = ChannelHeader::parse(datagram)?;
        let peer = self.channels.peer_of(header.number);
        // The permission may be there before its answer is here.
        let peer = peer.filter(|peer| self.permissions.contains(peer.ip()));
        let peer = peer.ok_or(Rejected::UnknownChannel(header.number.number()))?;
        let data = datagram.get_mut(header.data()).unwrap_or_default();
        Ok(PeerData { peer, data })
    }

    /// The peer of an indication, which has a permission (RFC 8656 §11.4).
    fn indicating_peer(&self, message: &MessageView<'_>) -> Result<SocketAddr, Rejected> {
        if let Some(kind) = message.unknown_comprehension_required().next() {
            return Err(Rejected::UnknownAttribute(kind));
        }
        match message.attribute(AttributeType::XOR_PEER_ADDRESS) {
            Some(Attribute::XorPeerAddress(peer)) if self.permissions.allows(peer.ip()) => Ok(peer),
            Some(_) => Err(Rejected::NotPermitted),
            None => Err(Rejected::BadRequest),
        }
    }

    /// RFC 6062 §4.4
    fn connection_attempt(&mut self, message: &MessageView<'_>) -> Result<(), Rejected> {
        if self.config.relayed != RelayedTransport::Tcp {
            return Err(Rejected::UnexpectedMethod);
        }
        let peer = self.indicating_peer(message)?;
        match message.attribute(AttributeType::CONNECTION_ID) {
            Some(Attribute::ConnectionId(id)) => {
                self.tell(Event::ConnectionAttempt(peer, ConnectionId(id)));
                Ok(())
            }
            _ => Err(Rejected::BadRequest),
        }
    }
}

/// Fills in header and padding around data that are in place (RFC 8656 §12.4).
fn seal_channel_data(message: &mut [u8], number: ChannelNumber, tailroom: usize) -> Option<usize> {
    let len = message.len().checked_sub(CHANNEL_HEADER_LEN + tailroom)?;
    let header = ChannelHeader {
        number,
        len: u16::try_from(len).ok()?,
    };
    header.write(&mut Writer::new(message)).ok()?;
    if tailroom == 0 {
        return Some(message.len());
    }
    pad(message, CHANNEL_HEADER_LEN + len)
}

/// Bytes in front of the data of a Send indication.
fn send_headroom(peer: SocketAddr, dont_fragment: bool) -> usize {
    let attributes = Attribute::XorPeerAddress(peer).wire_len();
    let flag = if dont_fragment {
        ATTRIBUTE_HEADER_LEN
    } else {
        0
    };
    HEADER_LEN + attributes + flag + ATTRIBUTE_HEADER_LEN
}

/// Fills in everything around data that are in place (RFC 8656 §11.1).
fn seal_send_indication(
    message: &mut [u8],
    peer: SocketAddr,
    dont_fragment: bool,
    id: TransactionId,
) -> Option<usize> {
    let headroom = send_headroom(peer, dont_fragment);
    let len = message.len().checked_sub(headroom + PADDING)?;
    let head = message.get_mut(..headroom - ATTRIBUTE_HEADER_LEN)?;
    let mut builder = MessageBuilder::new(head, Class::Indication, Method::SEND, id);
    builder.attribute(Attribute::XorPeerAddress(peer));
    if dont_fragment {
        builder.attribute(Attribute::DontFragment);
    }
    builder.finish().ok()?;
    let attribute = message.get_mut(headroom - ATTRIBUTE_HEADER_LEN..)?;
    let mut writer = Writer::new(attribute);
    writer.u16(AttributeType::DATA.0).ok()?;
    writer.u16(u16::try_from(len).ok()?).ok()?;
    let total = pad(message, headroom + len)?;
    let length = u16::try_from(total - HEADER_LEN).ok()?;
    // The header's length now counts DATA too.
    message
        .get_mut(2..4)?
        .copy_from_slice(&length.to_be_bytes());
    Some(total)
}

/// Fills up with zeros to a multiple of 4 bytes.
fn pad(message: &mut [u8], len: usize) -> Option<usize> {
    let padded = len.next_multiple_of(4);
    message.get_mut(len..padded)?.fill(0);
    Some(padded)
}
