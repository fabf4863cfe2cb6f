//! A camera with several encodings, whose packets say what they are in words of their own: the oracle
//! does not believe the numbers that are rewritten.

use pc_proto::{Serial16, Serial32, Writer};
use pc_rtp::{
    ExtensionMap, ExtensionUri, Extensions, Header, PayloadType, Ssrc,
    dependency::{
        DependencyDescriptor, Indication, Layer, MAX_LEN, Template, TemplateStructure,
        TemplateStructureInit,
    },
    payload::Format,
};

/// Ticks of the RTP clock from picture to picture, 30 a second.
pub const TICKS: u32 = 3000;
/// The id of the dependency descriptor.
pub const DESCRIPTOR_ID: u8 = 9;

/// What a source sends, and how its pictures refer to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// VP8 in L1T3.
    Vp8,
    /// VP9 in L2T2, references told one by one or not.
    Vp9 { is_flexible: bool },
    /// AV1 in L2T2, with dependency descriptors.
    Av1,
}

impl Kind {
    pub fn format(self) -> Format {
        match self {
            Self::Vp8 => Format::Vp8,
            Self::Vp9 { .. } => Format::Vp9,
            Self::Av1 => Format::Av1,
        }
    }

    pub fn spatial_layers(self) -> u8 {
        if self == Self::Vp8 { 1 } else { 2 }
    }

    /// The temporal layer of the picture this many after a key picture.
    pub fn temporal_id(self, since_key: u32) -> u8 {
        match (self, since_key % 4) {
            (_, 0) => 0,
            (Self::Vp8, 2) => 1,
            (Self::Vp8, _) => 2,
            (_, 2) => 0,
            _ => 1,
        }
    }

    /// How many pictures before it those are that a picture refers to.
    pub fn references(self, since_key: u32) -> &'static [u8] {
        match (self, since_key, since_key % 4) {
            (_, 0, _) => &[],
            (Self::Vp8, _, 0) => &[4],
            (Self::Vp8, _, 2) => &[2],
            // The third refers to the one of layer 1 before it, too.
            (Self::Vp8, _, 3) => &[1, 3],
            (Self::Vp8, _, _) => &[1],
            (_, _, 0 | 2) => &[2],
            _ => &[1],
        }
    }
}

/// What a packet says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    pub encoding: u8,
    pub picture: u32,
    pub since_key: u32,
    pub spatial_id: u8,
    /// Which packet of its layer frame, of how many.
    pub index: u8,
    pub count: u8,
    /// The numbers that it was sent with.
    pub timestamp: u32,
    pub picture_id: u16,
    pub frame_number: u16,
    pub tl0: u8,
    pub key_index: u8,
}

impl Tag {
    const LEN: usize = 21;

    fn bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[0] = self.encoding << 4 | self.spatial_id;
        bytes[1..5].copy_from_slice(&self.picture.to_be_bytes());
        bytes[5..9].copy_from_slice(&self.since_key.to_be_bytes());
        bytes[9..11].copy_from_slice(&[self.index, self.count]);
        bytes[11..15].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[15..17].copy_from_slice(&self.picture_id.to_be_bytes());
        bytes[17..19].copy_from_slice(&self.frame_number.to_be_bytes());
        bytes[19..21].copy_from_slice(&[self.tl0, self.key_index]);
        bytes
    }

    pub fn read(payload: &[u8]) -> Self {
        let tag = payload.last_chunk::<{ Self::LEN }>().expect("a tag");
        let number = |at: usize| u32::from_be_bytes(tag[at..at + 4].try_into().unwrap());
        Self {
            encoding: tag[0] >> 4,
            spatial_id: tag[0] & 15,
            picture: number(1),
            since_key: number(5),
            index: tag[9],
            count: tag[10],
            timestamp: number(11),
            picture_id: u16::from_be_bytes([tag[15], tag[16]]),
            frame_number: u16::from_be_bytes([tag[17], tag[18]]),
            tl0: tag[19],
            key_index: tag[20],
        }
    }
}

/// One encoding of the camera.
#[derive(Debug, Clone)]
pub struct Source {
    kind: Kind,
    pub encoding: u8,
    sequence: u16,
    timestamp: u32,
    picture_id: u16,
    tl0: u8,
    key_index: u8,
    frame_number: u16,
    id_offset: u8,
    structure: TemplateStructure,
    pub picture: u32,
    since_key: u32,
    random: u32,
}

pub fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    map.set(DESCRIPTOR_ID, ExtensionUri::DependencyDescriptor);
    map
}

/// L2T2: the templates of key pictures, then of the others.
fn structure(id_offset: u8) -> TemplateStructure {
    use Indication::{Discardable as D, NotPresent as N, Required as R, Switch as S};
    let template = |spatial_id, temporal_id, indications, frame_diffs, chain_diffs| Template {
        layer: Layer {
            spatial_id,
            temporal_id,
        },
        indications,
        frame_diffs,
        chain_diffs,
    };
    TemplateStructure::new(&TemplateStructureInit {
        id_offset,
        templates: &[
            template(0, 0, &[S, S, S, S], &[], &[0, 0]),
            template(0, 0, &[S, S, R, R], &[4], &[4, 3]),
            template(0, 1, &[N, D, N, R], &[2], &[2, 1]),
            template(1, 0, &[N, N, S, S], &[1], &[1, 1]),
            template(1, 0, &[N, N, S, S], &[1, 4], &[1, 1]),
            template(1, 1, &[N, N, N, D], &[1, 2], &[3, 2]),
        ],
        protected_by: &[0, 0, 1, 1],
        resolutions: &[],
    })
    .unwrap()
}

impl Source {
    pub fn new(kind: Kind, encoding: u8, seed: u32) -> Self {
        let mut source = Self {
            kind,
            encoding,
            sequence: 0,
            timestamp: 0,
            picture_id: 0,
            tl0: 0,
            key_index: 0,
            frame_number: 0,
            id_offset: 0,
            structure: structure(0),
            picture: 0,
            since_key: 0,
            random: seed | 1,
        };
        source.sequence = source.random() as u16;
        source.timestamp = source.random();
        source.picture_id = source.random() as u16 & 0x7FFF;
        source.tl0 = source.random() as u8;
        source.frame_number = source.random() as u16;
        source
    }

    fn random(&mut self) -> u32 {
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        self.random ^ self.random >> 15
    }

    /// The packets of the next picture.
    pub fn picture(&mut self, is_key: bool) -> Vec<Vec<u8>> {
        if is_key {
            self.since_key = 0;
            self.key_index = self.key_index.wrapping_add(1);
            self.id_offset = (self.id_offset + 7) % 64;
            self.structure = structure(self.id_offset);
        }
        if self.kind.temporal_id(self.since_key) == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        let mut packets = Vec::new();
        for spatial_id in 0..self.kind.spatial_layers() {
            let count = 1 + (self.random() >> 8) as u8 % 3;
            for index in 0..count {
                packets.push(self.packet(spatial_id, index, count));
                self.sequence = self.sequence.wrapping_add(1);
            }
            self.frame_number = self.frame_number.wrapping_add(1);
        }
        self.picture += 1;
        self.since_key += 1;
        self.timestamp = self.timestamp.wrapping_add(TICKS);
        self.picture_id = (self.picture_id + 1) & 0x7FFF;
        packets
    }

    fn packet(&mut self, spatial_id: u8, index: u8, count: u8) -> Vec<u8> {
        let tag = Tag {
            encoding: self.encoding,
            picture: self.picture,
            since_key: self.since_key,
            spatial_id,
            index,
            count,
            timestamp: self.timestamp,
            picture_id: self.picture_id,
            frame_number: self.frame_number,
            tl0: self.tl0,
            key_index: self.key_index,
        };
        let mut descriptor = [0; MAX_LEN];
        let len = self.dependencies(tag, &mut descriptor);
        let extensions_of = Extensions {
            dependency_descriptor: (self.kind == Kind::Av1).then_some(&descriptor[..len]),
            ..Extensions::default()
        };
        let is_top = spatial_id + 1 == self.kind.spatial_layers();
        let header = Header {
            marker: index + 1 == count && is_top,
            payload_type: PayloadType::new(96).unwrap(),
            sequence_number: Serial16(self.sequence),
            timestamp: Serial32(self.timestamp),
            ssrc: Ssrc(1000 + u32::from(self.encoding)),
            csrcs: &[],
            extensions: &extensions_of,
            map: &extensions(),
        };
        let mut bytes = [0; 600];
        let mut writer = Writer::new(&mut bytes);
        header.write(&mut writer).unwrap();
        writer.bytes(&self.payload(tag)).unwrap();
        writer.written().to_vec()
    }

    fn payload(&self, tag: Tag) -> Vec<u8> {
        let is_key = tag.since_key == 0;
        let [high, low] = self.picture_id.to_be_bytes();
        let temporal_id = self.kind.temporal_id(tag.since_key);
        let mut payload = match self.kind {
            Kind::Vp8 => {
                let start = if tag.index == 0 { 0x10 } else { 0 };
                // Y: the first of layers 1 and 2 in each group refer to the base layer alone.
                let sync = u8::from(matches!(tag.since_key % 4, 1 | 2)) << 5;
                let layer = temporal_id << 6 | sync | self.key_index & 0x1F;
                let tag_byte = u8::from(!is_key);
                vec![
                    0x80 | start,
                    0xF0,
                    0x80 | high,
                    low,
                    self.tl0,
                    layer, //
                    tag_byte,
                    0,
                    0,
                    0x9D,
                    1,
                    0x2A,
                    64,
                    0,
                    64,
                    0,
                ]
            }
            Kind::Vp9 { is_flexible } => {
                let begin = u8::from(tag.index == 0) << 3;
                let end = u8::from(tag.index + 1 == tag.count) << 2;
                let predicted = u8::from(!is_key) << 6;
                // U: what is above refers to nothing before; the upper layer's pictures do not refer
                // to each other.
                let up = u8::from(temporal_id == 1) << 4;
                let lower = u8::from(tag.spatial_id > 0);
                let layer = temporal_id << 5 | up | tag.spatial_id << 1 | lower;
                let flags = 0x80 | 0x20 | predicted | begin | end;
                let mut payload = vec![flags, 0x80 | high, low, layer];
                match is_flexible {
                    true => payload[0] |= 0x10,
                    false => payload.push(self.tl0),
                }
                let references = self.kind.references(tag.since_key);
                for (at, diff) in references.iter().enumerate().filter(|_| is_flexible) {
                    payload.push(diff << 1 | u8::from(at + 1 < references.len()));
                }
                payload.push(0);
                payload
            }
            Kind::Av1 => vec![0x10],
        };
        payload.extend(tag.bytes());
        payload
    }

    fn dependencies(&self, tag: Tag, out: &mut [u8]) -> usize {
        let is_key = tag.since_key == 0;
        let template = match (tag.spatial_id, self.kind.temporal_id(tag.since_key)) {
            (0, 0) => u8::from(!is_key),
            (0, _) => 2,
            (_, 0) => 3 + u8::from(!is_key),
            _ => 5,
        };
        let descriptor = DependencyDescriptor {
            starts_frame: tag.index == 0,
            ends_frame: tag.index + 1 == tag.count,
            structure: (is_key && tag.spatial_id == 0 && tag.index == 0).then_some(&self.structure),
            ..DependencyDescriptor::of_template(template, self.frame_number)
        };
        descriptor.write(&self.structure, out).unwrap()
    }
}
