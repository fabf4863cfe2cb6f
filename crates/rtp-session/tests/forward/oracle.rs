//! What a viewer would notice: numbers that jump, pictures that are torn or refer to what never came.

use super::source::{DESCRIPTOR_ID, Kind, TICKS, Tag};
use pc_rtp::{PacketView, Ssrc, payload::Vp8Descriptor, payload::Vp9Descriptor};
use std::{
    collections::{BTreeMap, HashSet},
    time::Instant,
};

/// A packet that left.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    timestamp: u32,
    marker: bool,
    /// `None` for padding.
    tag: Option<Tag>,
    picture_id: Option<u16>,
    tl0: Option<u8>,
    key_index: Option<u8>,
    frame_number: Option<u16>,
}

/// Everything that left, by its number without roll-overs.
#[derive(Debug)]
pub struct Oracle {
    kind: Kind,
    ssrc: Ssrc,
    seen: BTreeMap<u64, Seen>,
    highest: Option<u64>,
}

/// What to hold against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// How many packets of what was sent on never came.
    pub lost: usize,
    /// Whether everything came in order.
    pub is_orderly: bool,
}

/// What it found.
#[derive(Debug, Default, Clone, Copy)]
pub struct Summary {
    pub pictures: usize,
    pub segments: usize,
    pub padding: usize,
    /// Of the layers, spatial and temporal.
    pub highest: (u8, u8),
}

impl Oracle {
    pub fn new(kind: Kind, ssrc: Ssrc) -> Self {
        Self {
            kind,
            ssrc,
            seen: BTreeMap::new(),
            highest: None,
        }
    }

    pub fn packet(&mut self, at: Instant, bytes: &[u8]) {
        let view = PacketView::parse(bytes).expect("a packet");
        assert_eq!(view.ssrc(), self.ssrc);
        assert_eq!(view.payload_type().number(), 120);
        let number = view.sequence_number().0;
        let number = match self.highest {
            None => 1 << 20 | u64::from(number),
            Some(highest) => {
                let ahead = number.wrapping_sub(highest as u16).cast_signed();
                highest.saturating_add_signed(ahead.into())
            }
        };
        self.highest = Some(self.highest.map_or(number, |highest| highest.max(number)));
        let descriptor = view.extensions().iter().find(|it| it.0 == DESCRIPTOR_ID);
        let mut seen = Seen {
            at,
            timestamp: view.timestamp().0,
            marker: view.marker(),
            tag: None,
            picture_id: None,
            tl0: None,
            key_index: None,
            frame_number: descriptor.map(|(_, data)| u16::from_be_bytes([data[1], data[2]])),
        };
        if !view.payload().is_empty() {
            seen.tag = Some(Tag::read(view.payload()));
            match self.kind {
                Kind::Vp8 => {
                    let descriptor = Vp8Descriptor::parse(view.payload()).unwrap();
                    seen.picture_id = descriptor.picture_id;
                    seen.tl0 = descriptor.tl0_picture_index;
                    seen.key_index = descriptor.key_index;
                }
                Kind::Vp9 { .. } => {
                    let descriptor = Vp9Descriptor::parse(view.payload()).unwrap();
                    seen.picture_id = descriptor.picture_id;
                    seen.tl0 = descriptor.tl0_picture_index;
                }
                Kind::Av1 => assert!(seen.frame_number.is_some()),
            }
        }
        let before = self.seen.insert(number, seen);
        assert!(before.is_none(), "number {number} for two packets");
    }

    /// Checks everything.
    pub fn check(&self, expected: Expected) -> Summary {
        let (Some((first, _)), Some((last, _))) =
            (self.seen.first_key_value(), self.seen.last_key_value())
        else {
            return Summary::default();
        };
        let holes = (last - first + 1) as usize - self.seen.len();
        let missing = || (*first..*last).filter(|number| !self.seen.contains_key(number));
        assert!(
            holes <= expected.lost,
            "{holes} holes, {expected:?}, {:?}",
            missing()
                .map(|at| (self.seen.range(..at).last(), self.seen.range(at..).next()))
                .collect::<Vec<_>>()
        );
        let media: Vec<_> = (self.seen.iter())
            .filter_map(|(number, seen)| Some((*number, *seen, seen.tag?)))
            .collect();
        let segments = segments(&media);
        let mut summary = Summary {
            segments: segments.len(),
            padding: self.seen.len() - media.len(),
            ..Summary::default()
        };
        for segment in &segments {
            self.check_segment(segment, expected, &mut summary);
        }
        for pair in segments.windows(2) {
            self.check_switch(pair[0], pair[1], expected);
        }
        summary
    }

    fn check_segment(&self, segment: &[Packet], expected: Expected, summary: &mut Summary) {
        let (_, first, tag) = segment[0];
        assert_eq!(
            (tag.since_key, tag.spatial_id, tag.index),
            (0, 0, 0),
            "a segment begins with a key frame"
        );
        let place = |tag: &Tag| (tag.picture, tag.spatial_id, tag.index);
        for pair in segment.windows(2) {
            let (a, b) = (&pair[0], &pair[1]);
            assert!(place(&a.2) < place(&b.2), "{a:?} before {b:?}");
            let is_same = a.2.picture == b.2.picture;
            assert_eq!(
                a.1.picture_id == b.1.picture_id && a.1.picture_id.is_some(),
                is_same && a.1.picture_id.is_some(),
                "{a:?} {b:?}"
            );
            if self.kind == Kind::Vp8 && !is_same {
                let step =
                    b.1.picture_id
                        .unwrap()
                        .wrapping_sub(a.1.picture_id.unwrap())
                        & 0x7FFF;
                let most = if b.0 == a.0 + 1 {
                    1
                } else {
                    b.2.picture - a.2.picture
                };
                assert!((1..=most).contains(&step.into()), "{step} {a:?} {b:?}");
            }
        }
        for (_, seen, it) in segment {
            let moved = |a: u32, b: u32| a.wrapping_sub(b);
            assert_eq!(
                moved(seen.timestamp, it.timestamp),
                moved(first.timestamp, tag.timestamp)
            );
            let offset = |seen: &Seen, tag: &Tag| {
                (
                    seen.tl0.map(|it| it.wrapping_sub(tag.tl0)),
                    seen.key_index
                        .map(|it| it.wrapping_sub(tag.key_index) & 0x1F),
                    seen.frame_number
                        .map(|it| it.wrapping_sub(tag.frame_number)),
                    (self.kind != Kind::Vp8).then(|| {
                        seen.picture_id
                            .map(|it| it.wrapping_sub(tag.picture_id) & 0x7FFF)
                    }),
                )
            };
            assert_eq!(offset(seen, it), offset(&first, &tag), "{it:?}");
        }
        if expected.lost == 0 {
            self.check_pictures(segment, expected, summary);
        }
    }

    /// Every layer frame is whole, and so is all it refers to.
    fn check_pictures(&self, segment: &[Packet], expected: Expected, summary: &mut Summary) {
        let mut packets = BTreeMap::<(u32, u8), Vec<(Tag, bool)>>::new();
        for (_, seen, tag) in segment {
            let frame = packets.entry((tag.picture, tag.spatial_id)).or_default();
            frame.push((*tag, seen.marker));
        }
        let last = packets.last_key_value().map(|(key, _)| key.0);
        let mut whole = HashSet::new();
        for ((picture, spatial_id), frame) in &packets {
            let tag = frame[0].0;
            // The last picture may have been cut, by the switch or by the end.
            if frame.len() < usize::from(tag.count) {
                assert!(
                    Some(*picture) == last || !expected.is_orderly,
                    "picture {picture} is torn"
                );
                continue;
            }
            whole.insert((*picture, *spatial_id));
            let references = self.kind.references(tag.since_key);
            for before in references.iter().map(|diff| picture - u32::from(*diff)) {
                assert!(
                    whole.contains(&(before, *spatial_id)) || !expected.is_orderly,
                    "{tag:?} refers to picture {before}"
                );
            }
            if *spatial_id > 0 && expected.is_orderly {
                assert!(whole.contains(&(*picture, spatial_id - 1)), "{tag:?}");
            }
            let temporal_id = self.kind.temporal_id(tag.since_key);
            summary.highest.0 = summary.highest.0.max(*spatial_id);
            summary.highest.1 = summary.highest.1.max(temporal_id);
        }
        let mut pictures = BTreeMap::<u32, Vec<bool>>::new();
        for ((picture, _), frame) in &packets {
            let markers = frame.iter().map(|(_, marker)| *marker);
            pictures.entry(*picture).or_default().extend(markers);
        }
        summary.pictures += pictures.len();
        for (picture, markers) in pictures {
            let is_cut = Some(picture) == last || !expected.is_orderly;
            let ends = markers.iter().rposition(|marker| *marker);
            assert!(
                ends == Some(markers.len() - 1) || is_cut,
                "{picture} {markers:?}"
            );
            assert!(markers.iter().filter(|it| **it).count() <= 1, "{markers:?}");
        }
    }

    /// What is next after a switch is next.
    fn check_switch(&self, before: &[Packet], after: &[Packet], expected: Expected) {
        let (number, first, tag) = after[0];
        let (last, _, _) = before[before.len() - 1];
        assert!(number > last);
        // What left before the switch; late packets of before come after it.
        let left = || before.iter().filter(|it| it.1.at <= first.at);
        let newest = left()
            .max_by_key(|it| it.2.picture)
            .expect("something left");
        let all = || {
            (self.seen.range(number.saturating_sub(2000)..number)).filter(|it| it.1.at <= first.at)
        };
        let behind = |seen: &Seen| first.timestamp.wrapping_sub(seen.timestamp).cast_signed();
        let step = all().map(|it| behind(it.1)).min().expect("something left");
        let began = all()
            .filter(|it| behind(it.1) == step)
            .map(|it| it.1.at)
            .min();
        let passed = first.at - began.expect("that very one");
        let ticks = passed.as_micros() as i32 * 90 / 1000;
        assert!(
            step == ticks.max(1) || step == ticks + 1,
            "{step} ticks in {passed:?}, of {TICKS} each"
        );
        // A picture of the base layer that never came has numbers, too.
        let most = if expected.is_orderly { 1 } else { 4 };
        let next = |a: u8, b: u8, mask: u8| {
            assert!((1..=most).contains(&(a.wrapping_sub(b) & mask)), "{tag:?}");
        };
        if let (Some(a), Some(b), true) =
            (first.picture_id, newest.1.picture_id, expected.is_orderly)
        {
            // Pictures of VP9 that are left out keep their ids, the last one too.
            let most = if self.kind == Kind::Vp8 { 1 } else { 2 };
            assert!(
                (1..=most).contains(&(a.wrapping_sub(b) & 0x7FFF)),
                "{tag:?}"
            );
        }
        if let (Some(a), Some(b)) = (first.key_index, newest.1.key_index) {
            next(a, b, 0x1F);
        }
        if let (Some(a), Some(b)) = (first.tl0, newest.1.tl0) {
            next(a, b, 0xFF);
        }
        if let (Some(a), Some(b), true) = (
            first.frame_number,
            newest.1.frame_number,
            expected.is_orderly,
        ) {
            // Frames of layers that are left out have numbers, too.
            assert!((1..=4).contains(&a.wrapping_sub(b)), "{a} after {b}");
        }
    }
}

type Packet = (u64, Seen, Tag);

/// Parts from one encoding, that begin with a switch.
fn segments(media: &[Packet]) -> Vec<&[Packet]> {
    let moved = |it: &Packet| it.1.timestamp.wrapping_sub(it.2.timestamp);
    media
        .chunk_by(|a, b| a.2.encoding == b.2.encoding && moved(a) == moved(b))
        .collect()
}
