//! The one file that knows how `sctp-proto` is called.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use sctp_proto::{
    AssociationError, AssociationHandle, Chunks, ClientConfig, DatagramEvent, Endpoint,
    EndpointConfig, Event, Payload, PayloadProtocolIdentifier, ReliabilityType, StreamEvent,
    TransportConfig,
};

use crate::{
    Config, Error, Limit, Ppid,
    init::Init,
    outbox::Outgoing,
    wire::{COMMON_HEADER_LEN, DATA_HEADER_LEN, PacketBuilder, chunk},
};

/// The carrier wants an address; there is one peer, so any will do.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// What happened on the wire since the last call.
#[derive(Debug)]
pub(crate) enum Report {
    Readable(u16),
    /// The peer created the stream by sending on it.
    Opened(u16),
    /// The peer's reset of its side was performed.
    Finished(u16),
    /// Both sides of the stream are reset.
    ResetComplete(u16),
    ResetFailed(u16),
    Lost(Error),
}

/// The transfer phase of an association: `sctp-proto` behind a door of our own.
///
/// It is given both INITs and starts established: the handshake, ABORT and SHUTDOWN are not its.
#[derive(Debug)]
pub(crate) struct Carrier {
    endpoint: Endpoint,
    handle: AssociationHandle,
    association: sctp_proto::Association,
    max_receive: usize,
    /// Streams whose last reset the peer refused: the carrier lets nothing be sent on them.
    failed: BTreeSet<u16>,
}

impl Carrier {
    pub(crate) fn new(config: &Config, local: &Init, peer: &Init) -> Result<Self, Error> {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let transport = TransportConfig::default()
            .with_max_receive_buffer_size(clamp(config.receive_buffer))
            .with_max_send_message_size(u32::MAX)
            .with_max_receive_message_size(clamp(config.max_receive_message_size))
            .with_max_init_retransmits(None)
            .with_max_data_retransmits(None)
            .with_rto_initial_ms(millis(config.rto_initial))
            .with_rto_min_ms(millis(config.rto_min))
            .with_rto_max_ms(millis(config.rto_max))
            .with_local_port(config.local_port)
            .with_remote_port(config.remote_port);
        let mut endpoint_config = EndpointConfig::new();
        endpoint_config.max_payload_size(clamp(max_payload(config.mtu)));
        let mut endpoint = Endpoint::new(Arc::new(endpoint_config), None);
        endpoint.reject_new_associations();
        let mut client = ClientConfig::new();
        client.transport = Arc::new(transport);
        let client = client.with_snap(init_chunk(local), init_chunk(peer));
        let (handle, association) = endpoint
            .connect(client, PEER)
            .map_err(|_| Error::Handshake)?;
        Ok(Self {
            endpoint,
            handle,
            association,
            max_receive: config.max_receive_message_size,
            failed: BTreeSet::new(),
        })
    }

    /// Takes a packet that was checked before.
    pub(crate) fn handle(&mut self, now: Instant, packet: Vec<u8>) {
        let event = self
            .endpoint
            .handle(now, PEER, None, None, Bytes::from(packet));
        if let Some((handle, DatagramEvent::AssociationEvent(event))) = event
            && handle == self.handle
        {
            self.association.handle_event(event);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.association.handle_timeout(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.association.poll_timeout()
    }

    /// The packets that may leave now.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<Bytes>> {
        match self.association.poll_transmit(now)?.payload {
            Payload::RawEncode(packets) => Some(packets),
            Payload::PartialDecode(_) => None,
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Report> {
        loop {
            return Some(match self.association.poll()? {
                Event::Stream(StreamEvent::Readable { id }) => Report::Readable(id),
                Event::Stream(StreamEvent::Opened { id }) => {
                    // Its queue of accepted streams is of no use here and must not grow.
                    let _ = self.association.accept_stream();
                    Report::Opened(id)
                }
                Event::Stream(StreamEvent::Finished { id }) => Report::Finished(id),
                Event::Stream(StreamEvent::ResetComplete { id }) => {
                    self.failed.remove(&id);
                    Report::ResetComplete(id)
                }
                Event::Stream(StreamEvent::ResetFailed { id, .. }) => {
                    self.failed.insert(id);
                    Report::ResetFailed(id)
                }
                Event::AssociationLost { reason } => Report::Lost(self.lost(&reason)),
                _ => continue,
            });
        }
    }

    /// Every other reason for which it gives up on its own is kept from it by the checks before.
    const fn lost(&self, reason: &AssociationError) -> Error {
        match reason {
            AssociationError::ReceiveBufferExhausted => Error::ReceiveBufferExhausted,
            _ => Error::MessageTooLarge {
                limit: self.max_receive,
            },
        }
    }

    /// The next whole message of a stream.
    pub(crate) fn read(&mut self, stream: u16) -> Option<Chunks> {
        self.association.stream(stream).ok()?.read_sctp().ok()?
    }

    /// Makes the stream known; false while an earlier use of it is being reset.
    pub(crate) fn open(&mut self, stream: u16) -> bool {
        match self
            .association
            .open_stream(stream, PayloadProtocolIdentifier::Binary)
        {
            Ok(_) | Err(sctp_proto::Error::ErrStreamAlreadyExist) => true,
            Err(_) => false,
        }
    }

    /// Whether a message can be given for the stream, which must be open.
    pub(crate) fn is_writable(&mut self, stream: u16) -> bool {
        self.association
            .stream(stream)
            .is_ok_and(|it| it.is_writable())
    }

    /// Gives a message to an open stream. The remaining lifetime goes beside it.
    pub(crate) fn send(
        &mut self,
        stream: u16,
        message: Outgoing,
        lifetime: Option<Duration>,
    ) -> bool {
        let (kind, value) = match (message.reliability.limit, lifetime) {
            (_, Some(left)) => (ReliabilityType::Timed, left.as_millis().max(1) as u32),
            (Limit::Retransmits(n), _) => (ReliabilityType::Rexmit, u32::from(n)),
            // A lifetime of nothing: one attempt.
            (Limit::Lifetime(_), None) => (ReliabilityType::Rexmit, 0),
            (Limit::None, None) => (ReliabilityType::Reliable, 0),
        };
        let unordered = !message.reliability.ordered;
        let Ok(mut stream) = self.association.stream(stream) else {
            return false;
        };
        stream
            .set_reliability_params(unordered, kind, value)
            .is_ok()
            && stream
                .set_default_payload_type(to_carrier(message.ppid))
                .is_ok()
            && stream.write_chunks(&mut [message.bytes]).is_ok()
    }

    /// How many bytes of the stream are not acknowledged.
    pub(crate) fn outstanding(&mut self, stream: u16) -> usize {
        let stream = self.association.stream(stream);
        stream.and_then(|it| it.buffered_amount()).unwrap_or(0)
    }

    /// Asks for a reset of our side, which leaves once all data of the stream is acknowledged; false
    /// while an earlier reset of the stream is under way, during which the carrier takes a request
    /// and then makes none.
    pub(crate) fn reset(&mut self, stream: u16) -> bool {
        let failed = self.failed.contains(&stream);
        self.association
            .stream(stream)
            .is_ok_and(|mut it| (failed || it.is_writable()) && it.close().is_ok())
    }

    /// Drops what no message can be made of any more, for which the carrier keeps back the end of a
    /// stream that the peer has reset.
    pub(crate) fn discard(&mut self, stream: u16) {
        if let Ok(mut stream) = self.association.stream(stream) {
            let _ = stream.stop();
        }
    }
}

/// The longest fragment whose packet, padded, fits into `mtu`.
const fn max_payload(mtu: usize) -> usize {
    let room = mtu.saturating_sub(COMMON_HEADER_LEN + DATA_HEADER_LEN);
    if room < 64 { 64 } else { room & !3 }
}

/// An INIT as a bare chunk.
fn init_chunk(init: &Init) -> Bytes {
    let header = crate::wire::Header {
        source_port: 0,
        destination_port: 0,
        tag: 0,
    };
    let mut packet = PacketBuilder::new(header);
    packet.chunk(chunk::INIT, 0, &[&init.value(None)]);
    Bytes::from(packet.finish()).split_off(COMMON_HEADER_LEN)
}

/// Ours for a PPID of RFC 8831 §8; `Unknown` for any other.
pub(crate) const fn to_carrier(ppid: Ppid) -> PayloadProtocolIdentifier {
    match ppid {
        Ppid::DCEP => PayloadProtocolIdentifier::Dcep,
        Ppid::STRING => PayloadProtocolIdentifier::String,
        Ppid::BINARY => PayloadProtocolIdentifier::Binary,
        Ppid::STRING_EMPTY => PayloadProtocolIdentifier::StringEmpty,
        Ppid::BINARY_EMPTY => PayloadProtocolIdentifier::BinaryEmpty,
        _ => PayloadProtocolIdentifier::Unknown,
    }
}
