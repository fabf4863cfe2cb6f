//! A picture that is really encoded, three times over, and forwarded with a hundred switches on a way
//! that loses, repeats and reorders: the viewer's decoder gets one stream, and shows each picture as it
//! was.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use pc_media::{
    VideoFrame,
    codec::{self, VideoEncoder, VideoEncoderConfig},
};
use pc_proto::{Serial16, Serial32, Writer};
use pc_rtp::{
    ExtensionMap, Extensions, Header, PacketView, PayloadType, Ssrc,
    payload::{Depacketizer, Format, FrameInfo, Packetizer, Payloads, Vp8Descriptor},
};
use pc_rtp_session::forward::{Encoding, Incoming, KeyFrameLimiter, Rewriter, RewriterConfig};
use pc_simnet::{epoch, ms};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::{Duration, Instant},
};

const SIZES: [(u32, u32); 3] = [(160, 96), (96, 64), (64, 48)];
const SWITCHES: usize = 100;

/// How bright a picture is: this is how the viewer tells which one it sees.
fn level(picture: u32) -> u8 {
    40 + (picture * 37 % 160) as u8
}

/// Bright as its number says, but for a bar that moves.
fn picture(number: u32, (width, height): (u32, u32)) -> VideoFrame {
    let (w, h) = (width as usize, height as usize);
    let mut data = vec![128; VideoFrame::byte_len(width, height).unwrap()];
    for y in 0..h {
        for x in 0..w {
            let is_bar = (x + number as usize) % w < w / 4 && y >= h / 2;
            data[y * w + x] = if is_bar {
                (x * 3 + y * 5) as u8
            } else {
                level(number)
            };
        }
    }
    let time = Duration::from_millis(33 * u64::from(number));
    VideoFrame::new(width, height, data, time).unwrap()
}

struct Layer {
    encoder: Box<dyn VideoEncoder>,
    packetizer: Packetizer,
    size: (u32, u32),
    sequence: u16,
    is_asked: bool,
}

/// A packet on its way: when it arrives, in which order, of which layer and picture.
type Flying = (Instant, u64, usize, u32, Vec<u8>);

struct World {
    now: Instant,
    layers: Vec<Layer>,
    rewriter: Rewriter,
    limiter: KeyFrameLimiter,
    air: BinaryHeap<Reverse<Flying>>,
    order: u64,
    random: u32,
    switches: usize,
    /// What the viewer got: by number, with layer and picture.
    got: BTreeMap<u64, (usize, u32, Vec<u8>)>,
}

impl World {
    fn new(seed: u32) -> Self {
        let layer = |(at, size): (usize, (u32, u32))| Layer {
            encoder: codec::video_encoder(
                "video/VP8",
                None,
                VideoEncoderConfig {
                    width: size.0,
                    height: size.1,
                    bitrate: 2_000_000,
                    frame_rate: 30.0,
                },
            )
            .expect("VP8 is in the default build"),
            packetizer: Packetizer::new(Format::Vp8, 500 * at as u16),
            size,
            sequence: 20_000 * at as u16,
            is_asked: true,
        };
        Self {
            now: epoch(),
            layers: SIZES.into_iter().enumerate().map(layer).collect(),
            rewriter: Rewriter::new(&RewriterConfig {
                ssrc: Ssrc(7),
                payload_type: PayloadType::new(120).unwrap(),
                clock_rate: 90_000,
                seed: [seed as u8; 32],
            }),
            limiter: KeyFrameLimiter::new(ms(100)),
            air: BinaryHeap::new(),
            order: 0,
            random: seed,
            switches: 0,
            got: BTreeMap::new(),
        }
    }

    fn random(&mut self, below: u32) -> u32 {
        self.random = (self.random.wrapping_mul(1_664_525)).wrapping_add(1_013_904_223);
        (self.random >> 12) % below
    }

    /// Encodes a picture at each size, and sends it.
    fn shoot(&mut self, number: u32) {
        for at in 0..self.layers.len() {
            let layer = &mut self.layers[at];
            let frame = picture(number, layer.size);
            let is_asked = std::mem::take(&mut layer.is_asked);
            let mut data = Vec::new();
            let encoded = layer.encoder.encode(&frame, is_asked, &mut data).unwrap();
            if data.is_empty() {
                continue; // left out, to keep to the rate
            }
            let info = FrameInfo {
                is_key_frame: encoded.is_key_frame,
                ..FrameInfo::default()
            };
            let mut payloads = Payloads::new();
            (layer.packetizer.packetize(&data, &info, 300, &mut payloads)).unwrap();
            let count = payloads.len();
            for (index, payload) in payloads.iter().enumerate() {
                let layer = &mut self.layers[at];
                let packet = write(layer, at, number, index + 1 == count, payload);
                self.send(at, number, packet);
            }
        }
    }

    fn send(&mut self, layer: usize, number: u32, packet: Vec<u8>) {
        let mut at = self.now + ms(10 + u64::from(self.random(12)));
        // Lost, and sent again when it was asked for.
        if self.random(100) < 4 {
            at += ms(50);
        }
        for _ in 0..=u32::from(self.random(100) < 2) {
            self.order += 1;
            (self.air).push(Reverse((at, self.order, layer, number, packet.clone())));
            at += ms(5);
        }
    }

    fn arrive(&mut self, (at, _, layer, number, packet): Flying) {
        self.now = at;
        let view = PacketView::parse(&packet).unwrap();
        let incoming = Incoming::of_packet(Format::Vp8, &view, None).unwrap();
        let encoding = Encoding(layer as u32);
        if incoming.begins_key_frame() {
            self.limiter.key_frame(encoding);
        }
        let before = self.rewriter.current();
        let Ok(outgoing) = self.rewriter.rewrite(at, encoding, &incoming) else {
            return;
        };
        self.switches += usize::from(before.is_some() && before != self.rewriter.current());
        let mut copy = packet.clone();
        let len = outgoing.patch(&mut copy, None).unwrap();
        copy.truncate(len);
        let highest = self
            .got
            .last_key_value()
            .map_or(1 << 32, |(highest, _)| *highest);
        let ahead = outgoing
            .sequence_number
            .0
            .wrapping_sub(highest as u16)
            .cast_signed();
        let key = highest.saturating_add_signed(ahead.into());
        let twice = self.got.insert(key, (layer, number, copy));
        assert!(twice.is_none());
    }

    fn run(&mut self) {
        let mut number = 0;
        while self.switches < SWITCHES {
            assert!(number < 5000, "{} switches", self.switches);
            let next = epoch() + Duration::from_micros(33_333) * number;
            while let Some(Reverse(flying)) = self.air.peek()
                && flying.0 <= next
            {
                let Some(Reverse(flying)) = self.air.pop() else {
                    break;
                };
                self.arrive(flying);
            }
            self.now = next;
            if number % 6 == 0 {
                let layer = self.random(3);
                self.rewriter.select(Encoding(layer));
            }
            if let Some(awaited) = self.rewriter.awaited() {
                self.limiter.want(self.now, awaited);
            }
            while let Some(encoding) = self.limiter.poll(self.now) {
                self.layers[encoding.0 as usize].is_asked = true;
            }
            self.shoot(number);
            number += 1;
        }
        while let Some(Reverse(flying)) = self.air.pop() {
            self.arrive(flying);
        }
    }
}

fn write(layer: &mut Layer, at: usize, number: u32, marker: bool, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        marker,
        payload_type: PayloadType::new(96).unwrap(),
        sequence_number: Serial16(layer.sequence),
        // Each layer has its own beginning of time.
        timestamp: Serial32((number * 3000).wrapping_add(at as u32 * 0x5555_5555)),
        ssrc: Ssrc(at as u32),
        csrcs: &[],
        extensions: &Extensions::default(),
        map: &ExtensionMap::new(),
    };
    layer.sequence = layer.sequence.wrapping_add(1);
    let mut bytes = vec![0; header.wire_len() + payload.len()];
    let mut writer = Writer::new(&mut bytes);
    header.write(&mut writer).unwrap();
    writer.bytes(payload).unwrap();
    bytes
}

/// The frames that the viewer puts together: layer, picture, packets.
fn frames(got: &BTreeMap<u64, (usize, u32, Vec<u8>)>) -> Vec<(usize, u32, Vec<PacketView<'_>>)> {
    let mut frames: Vec<(usize, u32, Vec<PacketView<'_>>)> = Vec::new();
    for (layer, number, bytes) in got.values() {
        let view = PacketView::parse(bytes).unwrap();
        if view.payload().is_empty() {
            continue; // padding
        }
        match frames.last_mut() {
            Some((_, _, packets)) if packets[0].timestamp() == view.timestamp() => {
                packets.push(view);
            }
            _ => frames.push((*layer, *number, vec![view])),
        }
    }
    frames
}

#[test]
fn the_viewers_decoder_sees_one_stream() {
    let mut world = World::new(1);
    world.run();
    let (first, last) = (
        world.got.keys().min().unwrap(),
        world.got.keys().max().unwrap(),
    );
    assert_eq!(
        (last - first + 1) as usize,
        world.got.len(),
        "no number is missing"
    );

    let frames = frames(&world.got);
    let mut decoder = codec::video_decoder("video/VP8", None).unwrap();
    let (mut depacketizer, mut decoded, mut cut) = (Depacketizer::new(Format::Vp8), 0, 0);
    let mut before: Option<u16> = None;
    for (at, (layer, number, packets)) in frames.iter().enumerate() {
        let ids = packets
            .iter()
            .map(|it| Vp8Descriptor::parse(it.payload()).unwrap());
        let ids: Vec<_> = ids.map(|it| it.picture_id.unwrap()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert!(
            before.is_none_or(|it| ids[0] == (it + 1) & 0x7FFF),
            "{before:?} {ids:?}"
        );
        before = Some(ids[0]);
        if !packets.last().unwrap().marker() {
            // Cut short by a switch, or by the end.
            let next = frames.get(at + 1);
            assert!(next.is_none_or(|next| next.0 != *layer), "{layer} {number}");
            cut += 1;
            continue;
        }
        depacketizer.begin();
        for packet in packets {
            depacketizer.push(packet.payload()).unwrap();
        }
        let frame = depacketizer.finish().unwrap();
        let shown = decoder
            .decode(frame.data, Duration::ZERO)
            .unwrap()
            .expect("shown");
        assert_eq!((shown.width(), shown.height()), SIZES[*layer]);
        let row = shown.y().row(8);
        let mean = row.iter().map(|it| u32::from(*it)).sum::<u32>() / row.len() as u32;
        let off = mean.abs_diff(level(*number).into());
        assert!(
            off <= 8,
            "layer {layer}, picture {number}: {mean} for {}",
            level(*number)
        );
        decoded += 1;
    }
    assert!(decoded > 5 * SWITCHES, "{decoded} decoded, {cut} cut");
    assert!(cut <= SWITCHES + 1, "{cut} cut");
}
