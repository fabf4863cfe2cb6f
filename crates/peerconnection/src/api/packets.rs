//! Packets of RTP as a receiver gets them, for those who send them on.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Instant,
};

use bytes::{Bytes, BytesMut};
use pc_rtp::{AudioLevel, PayloadType, VideoOrientation};
use tokio::sync::Notify;

use super::{RtpReceiver, media::Tracks};
use crate::{engine::MediaPacket, rtp::Codec};

/// How many packets may wait for one reader: a second of 5 Mbit/s.
const MAX_PACKETS: usize = 512;

/// How many bytes of payload may wait for one reader, whatever a peer takes for a packet.
const MAX_BYTES: usize = 1 << 20;

/// Payloads are copied one behind the other into memory of this size: so a dozen of them cost one
/// allocation, and one that is kept keeps no more than a dozen.
const CHUNK: usize = 16 << 10;

/// A packet of RTP that has come, in the clear. One that was sent again (RFC 4588) is the original.
///
/// A clone shares the payload.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RtpPacket {
    /// The layer of simulcast that it belongs to, by its restriction identifier (RFC 8852 §3.1).
    pub rid: Option<Arc<str>>,
    /// Its stream.
    pub ssrc: u32,
    /// The number of its codec at this receiver.
    pub payload_type: u8,
    /// What that number means.
    pub codec: Arc<Codec>,
    /// Its number in its stream.
    pub sequence_number: u16,
    /// When it was sampled, in ticks of the codec's clock.
    pub timestamp: u32,
    /// Whether it is the last of a picture, or the first of sound after silence.
    pub marker: bool,
    /// What it carries, the codec's descriptor included; empty if it is all padding.
    pub payload: Bytes,
    /// Whether it came as a retransmission.
    pub is_retransmission: bool,
    /// When it came.
    pub received: Instant,
    /// How loud it is, as far as the peer tells (RFC 6464).
    pub(crate) audio_level: Option<AudioLevel>,
    /// How the picture is to be turned, as far as the peer tells (3GPP TS 26.114 §7.4.5).
    pub(crate) orientation: Option<VideoOrientation>,
    pub(crate) source: Weak<Tracks>,
}

impl RtpPacket {
    /// Whether this receiver got it.
    pub fn is_from(&self, receiver: &RtpReceiver) -> bool {
        std::ptr::eq(self.source.as_ptr(), Arc::as_ptr(&receiver.part.tracks))
    }
}

/// The packets of one receiver, of all its layers, as they come: not sorted, none twice, retransmissions
/// among them. Of [`RtpReceiver::packets`].
///
/// They wait for a reader that is slow, but not without end: the oldest are [lost](Self::lost) then.
pub struct RtpPackets {
    queue: Arc<Queue>,
}

impl RtpPackets {
    /// Those of a receiver that gets no more.
    pub(crate) fn none() -> Self {
        let queue = Arc::new(Queue::default());
        queue.end();
        Self { queue }
    }

    /// The next packet; `None` when no more will come: the transceiver was stopped or the connection
    /// closed, and what waited was read.
    ///
    /// Cancel safe: a packet is only taken when this returns it.
    pub async fn next(&mut self) -> Option<RtpPacket> {
        loop {
            match self.queue.take() {
                Poll::Ready(packet) => return packet,
                // Whatever comes in between leaves its permit.
                Poll::Pending => self.queue.changed.notified().await,
            }
        }
    }

    /// The next packet, if there is one already.
    pub fn try_next(&mut self) -> Option<RtpPacket> {
        self.queue.lock().pop()
    }

    /// How many packets this reader has lost because it was slow.
    pub fn lost(&self) -> u64 {
        self.queue.lost.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for RtpPackets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpPackets")
            .field("waiting", &self.queue.lock().packets.len())
            .field("lost", &self.lost())
            .finish()
    }
}

/// What waits for one reader.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
    lost: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    packets: VecDeque<RtpPacket>,
    bytes: usize,
    is_over: bool,
}

impl Waiting {
    fn pop(&mut self) -> Option<RtpPacket> {
        let packet = self.packets.pop_front()?;
        self.bytes -= packet.payload.len();
        Some(packet)
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next packet, or none any more.
    fn take(&self) -> Poll<Option<RtpPacket>> {
        let mut waiting = self.lock();
        match waiting.pop() {
            None if !waiting.is_over => Poll::Pending,
            packet => Poll::Ready(packet),
        }
    }

    fn push(&self, packet: RtpPacket) {
        let mut waiting = self.lock();
        let mut dropped = None;
        while waiting.packets.len() >= MAX_PACKETS
            || (waiting.bytes + packet.payload.len() > MAX_BYTES && !waiting.packets.is_empty())
        {
            dropped = waiting.pop();
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        waiting.bytes += packet.payload.len();
        waiting.packets.push_back(packet);
        drop(waiting);
        drop(dropped);
        self.changed.notify_one();
    }

    fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_one();
    }
}

/// The readers of one receiver's packets. Nothing is copied while there are none.
#[derive(Default)]
pub(crate) struct Tap {
    readers: Vec<Weak<Queue>>,
    /// What the last payload type means.
    codec: Option<(PayloadType, Arc<Codec>)>,
    chunk: BytesMut,
}

impl Tap {
    /// Another reader, from the next packet on.
    pub(crate) fn read(&mut self) -> RtpPackets {
        let queue = Arc::new(Queue::default());
        self.readers.retain(|it| it.strong_count() > 0);
        self.readers.push(Arc::downgrade(&queue));
        RtpPackets { queue }
    }

    /// Whether somebody reads.
    pub(crate) fn is_read(&self) -> bool {
        self.readers.iter().any(|it| it.strong_count() > 0)
    }

    /// Gives a packet to all readers. `codec` looks a payload type up.
    pub(crate) fn give(
        &mut self,
        now: Instant,
        packet: &MediaPacket<'_>,
        tracks: &Arc<Tracks>,
        codec: impl FnOnce(PayloadType) -> Option<Codec>,
    ) {
        let arrived = &packet.arrived;
        let payload_type = arrived.payload_type;
        if self
            .codec
            .as_ref()
            .is_none_or(|(known, _)| *known != payload_type)
        {
            self.codec = codec(payload_type).map(|codec| (payload_type, Arc::new(codec)));
        }
        let Some((_, codec)) = &self.codec else {
            return;
        };
        let codec = codec.clone();
        let packet = RtpPacket {
            rid: arrived.rid.clone(),
            ssrc: arrived.ssrc.0,
            payload_type: payload_type.number(),
            codec,
            sequence_number: arrived.sequence_number.0,
            timestamp: arrived.packet.timestamp().0,
            marker: arrived.packet.marker(),
            payload: self.copy(arrived.payload),
            is_retransmission: arrived.is_retransmission,
            received: now,
            audio_level: arrived.audio_level,
            orientation: arrived.orientation,
            source: Arc::downgrade(tracks),
        };
        self.readers.retain(|reader| match reader.upgrade() {
            Some(queue) => {
                queue.push(packet.clone());
                true
            }
            None => false,
        });
    }

    /// Payload types may mean something else from now on.
    pub(crate) fn forget_codec(&mut self) {
        self.codec = None;
    }

    /// No more packets will come.
    pub(crate) fn end(&mut self) {
        for queue in self.readers.drain(..).filter_map(|it| it.upgrade()) {
            queue.end();
        }
    }

    fn copy(&mut self, payload: &[u8]) -> Bytes {
        if self.chunk.capacity() < payload.len() {
            self.chunk = BytesMut::with_capacity(CHUNK.max(payload.len()));
        }
        self.chunk.extend_from_slice(payload);
        self.chunk.split().freeze()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence_number: u16, payload: Bytes) -> RtpPacket {
        RtpPacket {
            rid: None,
            ssrc: 1,
            payload_type: 96,
            codec: Arc::new(Codec {
                mime_type: "video/VP8".into(),
                clock_rate: 90_000,
                channels: None,
                sdp_fmtp_line: None,
            }),
            sequence_number,
            timestamp: 0,
            marker: false,
            payload,
            is_retransmission: false,
            received: crate::clock::now(),
            audio_level: None,
            orientation: None,
            source: Weak::new(),
        }
    }

    #[tokio::test]
    async fn a_slow_reader_loses_the_oldest_packets() {
        let mut tap = Tap::default();
        let mut packets = tap.read();
        let queue = packets.queue.clone();
        for number in 0..600 {
            queue.push(packet(number, Bytes::from_static(&[1; 100])));
        }
        assert_eq!(packets.lost(), 88);
        assert_eq!(packets.next().await.map(|it| it.sequence_number), Some(88));
        drop(tap);
        for number in 89..600 {
            assert_eq!(
                packets.next().await.map(|it| it.sequence_number),
                Some(number)
            );
        }
        assert!(packets.next().await.is_none());
    }

    #[test]
    fn what_waits_is_bounded_in_bytes() {
        let queue = Queue::default();
        for number in 0..100 {
            queue.push(packet(number, vec![0; 60_000].into()));
            assert!(queue.lock().bytes <= MAX_BYTES);
        }
        queue.push(packet(100, vec![0; 2 * MAX_BYTES].into()));
        let waiting = queue.lock();
        assert_eq!(waiting.packets.len(), 1, "one that is too long is alone");
    }

    #[test]
    fn a_dozen_payloads_cost_one_allocation() {
        let mut tap = Tap::default();
        let payload = [7; 1100];
        let allocations = allocation_counter::measure(|| {
            for _ in 0..140 {
                assert_eq!(tap.copy(&payload), payload.as_slice());
            }
        });
        // A chunk, and its count of references.
        assert!(allocations.count_total <= 2 * 10, "{allocations:?}");
    }
}
