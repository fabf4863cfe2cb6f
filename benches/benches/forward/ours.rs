//! What a server does for each viewer with `pc_rtp_session::forward`.

use std::time::Instant;

use pc_proto::{Batch, Serial16};
use pc_rtp::{
    ExtensionMap, ExtensionUri, Extensions, PacketView, PayloadType, Ssrc, payload::Format,
};
use pc_rtp_session::forward::{
    Encoding, Incoming, NackCache, NackCacheConfig, Rewriter, RewriterConfig,
};
use pc_srtp::{Options, Profile, Sender};

use super::{BURST, LEN, Stream};

/// The header extension: four bytes, three for transport-wide-cc, two for MID, padding.
const EXTENSIONS: usize = 12;
/// What str0m prefers.
const PROFILE: Profile = Profile::AeadAes256Gcm;

fn protection() -> Sender {
    let key = vec![1; PROFILE.key_len()];
    let salt = vec![2; PROFILE.salt_len()];
    Sender::new(PROFILE, &key, &salt, Options::default()).unwrap()
}

/// Copying and encrypting alone: the same packet for everybody.
pub(crate) struct Limit {
    viewers: Vec<(Sender, Batch)>,
}

impl Limit {
    pub(crate) fn new(viewers: usize) -> Self {
        Self {
            viewers: (0..viewers).map(|_| (protection(), Batch::new())).collect(),
        }
    }

    pub(crate) fn forward(&mut self, packets: &[Vec<u8>]) -> usize {
        let mut datagrams = 0;
        for (srtp, batch) in &mut self.viewers {
            let mut out = batch.transmit_buf(LEN + 16, BURST);
            for packet in packets {
                out.datagram_up_to(packet.len() + PROFILE.rtp_overhead(), |bytes| {
                    bytes[..packet.len()].copy_from_slice(packet);
                    srtp.protect_rtp(bytes, packet.len()).ok()
                });
            }
            datagrams += batch.len();
        }
        datagrams
    }
}

struct Viewer {
    rewriter: Rewriter,
    sent: NackCache,
    srtp: Sender,
    transport_sequence: Serial16,
    batch: Batch,
}

/// Numbers, header and extensions anew, kept for NACKs, encrypted, in batches.
pub(crate) struct Server {
    viewers: Vec<Viewer>,
    extensions: ExtensionMap,
}

impl Server {
    pub(crate) fn new(viewers: usize) -> Self {
        let mut extensions = ExtensionMap::new();
        extensions.set(3, ExtensionUri::TransportCc);
        extensions.set(4, ExtensionUri::Mid);
        let viewer = |number: usize| {
            let mut rewriter = Rewriter::new(&RewriterConfig {
                ssrc: Ssrc(number as u32),
                payload_type: PayloadType::new(120).unwrap(),
                clock_rate: 90_000,
                seed: [number as u8; 32],
            });
            rewriter.select(Encoding(0));
            Viewer {
                rewriter,
                sent: NackCache::new(NackCacheConfig {
                    max_packets: 1024,
                    max_bytes: 1024 * (LEN + EXTENSIONS),
                    ..NackCacheConfig::default()
                }),
                srtp: protection(),
                transport_sequence: Serial16(0),
                batch: Batch::new(),
            }
        };
        Self {
            viewers: (0..viewers).map(viewer).collect(),
            extensions,
        }
    }

    /// Sends a burst to everybody; how many datagrams there are.
    pub(crate) fn forward(&mut self, now: Instant, packets: &[Vec<u8>]) -> usize {
        // A burst is read once.
        let mut incoming: [Option<Incoming<'_>>; BURST] = [None; BURST];
        for (slot, packet) in incoming.iter_mut().zip(packets) {
            let view = PacketView::parse(packet).unwrap();
            *slot = Some(Incoming::of_packet(Format::Vp8, &view, None).unwrap());
        }
        let mut datagrams = 0;
        for viewer in &mut self.viewers {
            let mut out = viewer.batch.transmit_buf(LEN + EXTENSIONS + 16, BURST);
            for incoming in incoming.iter().flatten() {
                let Ok(outgoing) = viewer.rewriter.rewrite(now, Encoding(0), incoming) else {
                    continue;
                };
                viewer.transport_sequence = viewer.transport_sequence.next();
                let extensions = Extensions {
                    mid: Some("0"),
                    transport_sequence: Some(viewer.transport_sequence.0),
                    ..Extensions::default()
                };
                let room = LEN + EXTENSIONS + PROFILE.rtp_overhead();
                out.datagram_up_to(room, |bytes| {
                    let len = outgoing
                        .write(incoming, &extensions, &self.extensions, bytes)
                        .ok()?;
                    let number = outgoing.sequence_number;
                    viewer.sent.insert(now, number, bytes.get(..len)?);
                    viewer.srtp.protect_rtp(bytes, len).ok()
                });
            }
            datagrams += viewer.batch.len();
        }
        datagrams
    }
}

/// Only the numbers, in a copy, without encryption: what forwarding costs beside SRTP.
pub(crate) fn rewrite_only(c: &mut criterion::Criterion) {
    let mut stream = Stream::new();
    let mut rewriter = Rewriter::new(&RewriterConfig {
        ssrc: Ssrc(1),
        payload_type: PayloadType::new(120).unwrap(),
        clock_rate: 90_000,
        seed: [1; 32],
    });
    rewriter.select(Encoding(0));
    let now = super::start();
    let first = stream.burst().to_vec();
    let mut give = |packet: &[u8]| {
        let view = PacketView::parse(packet).unwrap();
        let incoming = Incoming::of_packet(Format::Vp8, &view, None).unwrap();
        rewriter.rewrite(now, Encoding(0), &incoming)
    };
    for packet in &first {
        give(packet).unwrap();
    }
    c.bench_function("forward/numbers alone, a packet", |b| {
        let mut at = BURST;
        b.iter(|| {
            if at == BURST {
                stream.burst();
                at = 0;
            }
            at += 1;
            give(&stream.packets[at - 1]).is_ok()
        });
    });
}
