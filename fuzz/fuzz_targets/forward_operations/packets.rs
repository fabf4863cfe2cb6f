//! Packets of sources that do what the bytes say.

use pc_proto::{Serial16, Serial32, Writer};
use pc_rtp::{
    ExtensionMap, ExtensionUri, Extensions, Header, PayloadType, Ssrc,
    dependency::{
        DependencyDescriptor, Indication, Layer, MAX_LEN, Template, TemplateStructure,
        TemplateStructureInit,
    },
    payload::Format,
};

pub(super) const DESCRIPTOR_ID: u8 = 9;

/// The operations' bytes.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl Bytes<'_> {
    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub(super) fn some(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte());
        (0..len).map(|_| self.byte()).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Vp8,
    Vp9,
    Av1,
    Opus,
}

impl Kind {
    pub(super) fn of(byte: u8) -> Self {
        [Self::Vp8, Self::Vp9, Self::Av1, Self::Opus][usize::from(byte) % 4]
    }

    pub(super) fn format(self) -> Format {
        match self {
            Self::Vp8 => Format::Vp8,
            Self::Vp9 => Format::Vp9,
            Self::Av1 => Format::Av1,
            Self::Opus => Format::Opus,
        }
    }
}

pub(super) fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    map.set(DESCRIPTOR_ID, ExtensionUri::DependencyDescriptor);
    map
}

/// L2T2, loosely.
fn structure() -> TemplateStructure {
    use Indication::{Discardable as D, NotPresent as N, Required as R, Switch as S};
    let template = |spatial_id, temporal_id, indications, frame_diffs| Template {
        layer: Layer {
            spatial_id,
            temporal_id,
        },
        indications,
        frame_diffs,
        chain_diffs: &[],
    };
    TemplateStructure::new(&TemplateStructureInit {
        id_offset: 5,
        templates: &[
            template(0, 0, &[S, S, S, S], &[]),
            template(0, 1, &[N, D, N, R], &[2]),
            template(1, 0, &[N, N, S, S], &[1]),
            template(1, 1, &[N, N, N, D], &[1, 2]),
        ],
        protected_by: &[],
        resolutions: &[],
    })
    .expect("a structure")
}

pub(super) struct Source {
    kind: Kind,
    sequence: u16,
    timestamp: u32,
    picture_id: u16,
    tl0: u8,
    frame_number: u16,
    structure: TemplateStructure,
}

impl Source {
    pub(super) fn new(kind: Kind, number: u16) -> Self {
        Self {
            kind,
            sequence: number.wrapping_mul(20_000),
            timestamp: u32::from(number).wrapping_mul(0x1357_9BDF),
            picture_id: number.wrapping_mul(30_000) & 0x7FFF,
            tl0: number as u8,
            frame_number: number.wrapping_mul(25_000),
            structure: structure(),
        }
    }

    /// Counts from elsewhere.
    pub(super) fn jump(&mut self, bytes: &mut Bytes<'_>) {
        let what = bytes.byte();
        let by = bytes.short();
        if what & 1 != 0 {
            self.sequence = self.sequence.wrapping_add(by);
        }
        if what & 2 != 0 {
            self.timestamp = self.timestamp.wrapping_add(u32::from(by) << (what >> 4));
        }
        if what & 4 != 0 {
            self.picture_id = self.picture_id.wrapping_add(by) & 0x7FFF;
        }
        if what & 8 != 0 {
            self.frame_number = self.frame_number.wrapping_add(by);
        }
    }

    /// The next packet, in order or nearly.
    pub(super) fn next(&mut self, bytes: &mut Bytes<'_>) -> Vec<u8> {
        let (bits, layer) = (bytes.byte(), bytes.byte());
        let starts = bits & 1 != 0;
        if starts {
            self.timestamp = self.timestamp.wrapping_add(3000);
            self.picture_id = (self.picture_id + 1) & 0x7FFF;
            self.frame_number = self.frame_number.wrapping_add(1);
        }
        self.sequence = self.sequence.wrapping_add(1 + u16::from(bits >> 6));
        let is_key = starts && bits & 2 != 0;
        self.packet(starts, is_key, bits & 4 != 0, layer, bits & 8 == 0)
    }

    /// A whole picture of the lowest layer.
    pub(super) fn picture(&mut self, is_key: bool) -> Vec<Vec<u8>> {
        self.timestamp = self.timestamp.wrapping_add(3000);
        self.picture_id = (self.picture_id + 1) & 0x7FFF;
        self.frame_number = self.frame_number.wrapping_add(1);
        self.tl0 = self.tl0.wrapping_add(1);
        let mut packet = |at: u8| {
            self.sequence = self.sequence.wrapping_add(1);
            self.packet(at == 0, is_key, at == 1, 0, true)
        };
        vec![packet(0), packet(1)]
    }

    /// A packet with any payload.
    pub(super) fn hostile(&mut self, bytes: &mut Bytes<'_>, payload: &[u8]) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        let descriptor = bytes.some();
        let descriptor = (!descriptor.is_empty()).then_some(&descriptor[..]);
        self.write(bytes.byte() & 1 != 0, descriptor, payload)
    }

    fn packet(&self, starts: bool, is_key: bool, ends: bool, layer: u8, long: bool) -> Vec<u8> {
        let [high, low] = self.picture_id.to_be_bytes();
        let (spatial_id, temporal_id) = (layer & 1, layer >> 1 & 3);
        let mut payload = match self.kind {
            Kind::Vp8 => {
                let mut payload = vec![0x80 | u8::from(starts) << 4, 0xF0];
                match long {
                    true => payload.extend([0x80 | high, low]),
                    false => payload.push(low & 0x7F),
                }
                payload.extend([self.tl0, temporal_id << 6 | layer & 0x3F]);
                payload
            }
            Kind::Vp9 => {
                let flexible = layer & 8 != 0;
                let flags = 0xA0
                    | u8::from(!is_key) << 6
                    | u8::from(flexible) << 4
                    | u8::from(starts) << 3
                    | u8::from(ends) << 2;
                let mut payload = vec![flags];
                match long {
                    true => payload.extend([0x80 | high, low]),
                    false => payload.push(low & 0x7F),
                }
                let up = layer & 0x10;
                payload.push(temporal_id << 5 | up | spatial_id << 1 | spatial_id);
                match (flexible, is_key) {
                    (false, _) => payload.push(self.tl0),
                    (true, false) => payload.push(2),
                    (true, true) => {}
                }
                payload
            }
            Kind::Av1 | Kind::Opus => vec![0x10],
        };
        payload.extend([u8::from(!is_key), 0, 0, 0x9D, 1, 0x2A, 64, 0, 64, 0]);
        let mut out = [0; MAX_LEN];
        let template = match (is_key, spatial_id, temporal_id & 1) {
            (true, ..) | (_, 0, 0) => 0,
            (_, spatial_id, temporal_id) => spatial_id << 1 | temporal_id,
        };
        let descriptor = DependencyDescriptor {
            starts_frame: starts,
            ends_frame: ends,
            structure: (is_key && starts).then_some(&self.structure),
            active_decode_targets: (layer & 0x20 != 0).then_some(u32::from(layer >> 2 & 0xF)),
            ..DependencyDescriptor::of_template(template, self.frame_number)
        };
        let len = descriptor.write(&self.structure, &mut out).expect("room");
        let descriptor = (self.kind == Kind::Av1).then_some(&out[..len]);
        self.write(ends, descriptor, &payload)
    }

    fn write(&self, marker: bool, descriptor: Option<&[u8]>, payload: &[u8]) -> Vec<u8> {
        let map = extensions();
        let extensions = Extensions {
            dependency_descriptor: descriptor,
            ..Extensions::default()
        };
        let header = Header {
            marker,
            payload_type: PayloadType::new(96).expect("seven bits"),
            sequence_number: Serial16(self.sequence),
            timestamp: Serial32(self.timestamp),
            ssrc: Ssrc(5),
            csrcs: &[],
            extensions: &extensions,
            map: &map,
        };
        let mut bytes = vec![0; header.wire_len() + payload.len()];
        let mut writer = Writer::new(&mut bytes);
        header.write(&mut writer).expect("room");
        writer.bytes(payload).expect("room");
        bytes
    }
}
