use super::*;
use pc_proto::Serial16;
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn layer(spatial_id: u8, temporal_id: u8) -> Layer {
    Layer {
        spatial_id,
        temporal_id,
    }
}

/// What Chromium sends for AV1 in L3T3, on the wire: a key frame's first packet, then packets of other
/// frames, with a mask of the targets that are still encoded.
const CHROMIUM: [&str; 7] = [
    "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e0\
     82b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d",
    "86017340fc",
    "46017340fc",
    "c3017540fc",
    "88017640fc",
    "48017640fc",
    "c2017840fc",
];

#[test]
fn chromiums_key_frame_tells_the_structure() {
    let data = hex(&CHROMIUM[0].replace(' ', ""));
    let mut reader = DependencyReader::new();
    let view = reader.read(&data).unwrap();
    assert!(view.starts_frame() && view.ends_frame());
    assert_eq!(view.frame_number(), Serial16(0x172));
    let structure = view.template_structure().unwrap();
    assert_eq!(structure.decode_target_count(), 9);
    assert_eq!(structure.template_count(), 15);
    assert_eq!(structure.chain_count(), 3);
    assert_eq!(view.active_decode_targets(), 0x1FF);
    let targets: Vec<_> = (0..9)
        .map(|it| structure.decode_target(it).unwrap())
        .collect();
    let expected: Vec<_> = (0..3)
        .flat_map(|spatial| (0..3).map(move |temporal| layer(spatial, temporal)))
        .collect();
    assert_eq!(targets, expected);
    let chains: Vec<_> = (0..9).map(|it| structure.chain_of(it).unwrap()).collect();
    assert_eq!(chains, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    let sizes: Vec<_> = (0..3).map(|it| structure.resolution(it).unwrap()).collect();
    assert_eq!(sizes, [(120, 67), (240, 135), (480, 270)]);
    assert_eq!(structure.resolution(3), None);
    assert_eq!(structure.decode_target(9), None);
}

#[test]
fn chromiums_other_frames_refer_to_it() {
    let mut reader = DependencyReader::new();
    reader.read(&hex(CHROMIUM[0])).unwrap();
    let mut seen = Vec::new();
    for data in &CHROMIUM[1..] {
        let data = hex(data);
        let view = reader.read(&data).unwrap();
        assert!(view.template_structure().is_none());
        assert_eq!(view.active_decode_targets(), 0b11_1111);
        seen.push((
            view.frame_number().0,
            view.layer(),
            view.frame_diffs().collect::<Vec<_>>(),
            view.chain_diffs().count(),
        ));
    }
    let numbers: Vec<_> = seen.iter().map(|it| it.0).collect();
    assert_eq!(numbers, [0x173, 0x173, 0x175, 0x176, 0x176, 0x178]);
    assert_eq!(seen[0].1, layer(1, 0), "the key picture's second layer");
    assert_eq!(seen[0].2, [1], "it refers to the layer below");
    assert!(seen.iter().all(|it| it.3 == 3));
}

#[test]
fn a_written_structure_is_chromiums() {
    let data = hex(CHROMIUM[0]);
    let mut reader = DependencyReader::new();
    let structure = reader.read(&data).unwrap().structure().clone();
    let descriptor = DependencyDescriptor {
        structure: Some(&structure),
        ..DependencyDescriptor::of_template(1, 0x172)
    };
    let mut out = [0xFF; 255];
    let len = descriptor.write(&structure, &mut out).unwrap();
    assert_eq!(out[..len], data, "bit by bit");
}

/// L1T3 as encoders have it, with one chain.
fn l1t3(id_offset: u8) -> TemplateStructure {
    use Indication::{Discardable as D, NotPresent as N, Switch as S};
    let template = |temporal, indications, frame_diffs, chain_diffs| Template {
        layer: layer(0, temporal),
        indications,
        frame_diffs,
        chain_diffs,
    };
    TemplateStructure::new(&TemplateStructureInit {
        id_offset,
        templates: &[
            template(0, &[S, S, S], &[], &[0]),
            template(0, &[S, S, S], &[4], &[4]),
            template(1, &[N, D, S], &[2], &[2]),
            template(2, &[N, N, D], &[1], &[1]),
            template(2, &[N, N, D], &[1], &[3]),
        ],
        protected_by: &[0, 0, 0],
        resolutions: &[(1280, 720)],
    })
    .unwrap()
}

#[test]
fn fields_of_its_own_stand_above_the_template() {
    let structure = l1t3(60);
    let mut out = [0; 255];
    let mut reader = DependencyReader::new();
    let key = DependencyDescriptor {
        structure: Some(&structure),
        ..DependencyDescriptor::of_template(0, 1)
    };
    let len = key.write(&structure, &mut out).unwrap();
    assert_eq!(reader.read(&out[..len]).unwrap().structure(), &structure);
    use Indication::{NotPresent, Required, Switch};
    let own = DependencyDescriptor {
        starts_frame: false,
        indications: Some(&[Switch, NotPresent, Required]),
        frame_diffs: Some(&[1, 16, 17, 256, 257, 4096]),
        chain_diffs: Some(&[200]),
        active_decode_targets: Some(0b101),
        ..DependencyDescriptor::of_template(4, 2)
    };
    let len = own.write(&structure, &mut out).unwrap();
    let view = reader.read(&out[..len]).unwrap();
    assert!(!view.starts_frame() && view.ends_frame());
    assert_eq!(view.layer(), layer(0, 2), "template 64 is number 0");
    let indications = [0, 1, 2, 3].map(|it| view.indication(it));
    assert_eq!(indications, [Switch, NotPresent, Required, NotPresent]);
    assert!(view.frame_diffs().eq([1, 16, 17, 256, 257, 4096]));
    assert!(view.chain_diffs().eq([200]));
    assert_eq!(view.active_decode_targets(), 0b101);
    assert_eq!(view.resolution(), Some((1280, 720)));
}

#[test]
fn a_mask_is_put_in_where_there_was_none() {
    let mut reader = DependencyReader::new();
    let (key, plain) = (hex(CHROMIUM[0]), hex("860173"));
    let view = reader.read(&key).unwrap();
    let mut out = [0; 255];
    // The structure stays as it is, bit by bit, and the mask follows it.
    let len = view
        .rewrite(Serial16(0x172), Some(0b111), &mut out)
        .unwrap();
    let mut other = DependencyReader::new();
    let rewritten = other.read(&out[..len]).unwrap();
    assert_eq!(rewritten.structure(), view.structure());
    assert_eq!(rewritten.active_decode_targets(), 0b111);
    let view = reader.read(&plain).unwrap();
    let len = view
        .rewrite(Serial16(9), Some(0b11_1111), &mut out)
        .unwrap();
    assert_eq!(out[..len], hex("86000940fc"), "as Chromium writes it");
    let len = view.rewrite(Serial16(9), None, &mut out).unwrap();
    assert_eq!(out[..len], hex("860009"));
}

#[test]
fn packets_that_come_late_mean_the_structure_before() {
    let (old, new) = (l1t3(0), l1t3(20));
    let mut reader = DependencyReader::new();
    let mut give = |structure: Option<&TemplateStructure>, template: u8, number: u16, of| {
        let descriptor = DependencyDescriptor {
            structure,
            ..DependencyDescriptor::of_template(template, number)
        };
        let mut out = [0; 255];
        let len = descriptor.write(of, &mut out).unwrap();
        let read = reader.read(&out[..len]);
        read.map(|view| (view.structure().id_offset(), view.layer().temporal_id))
    };
    assert!(
        give(None, 0, 65_530, &old).is_err(),
        "nothing to refer to yet"
    );
    assert_eq!(give(Some(&old), 0, 65_531, &old), Ok((0, 0)));
    assert_eq!(give(Some(&new), 0, 3, &new), Ok((20, 0)));
    assert_eq!(give(None, 2, 65_533, &old), Ok((0, 1)), "a late packet");
    assert_eq!(give(None, 3, 4, &new), Ok((20, 2)));
    assert!(give(None, 3, 5, &old).is_err(), "a template that is gone");
    assert_eq!(give(Some(&old), 0, 65_531, &old), Ok((0, 0)), "sent again");
    assert_eq!(
        give(None, 3, 6, &new),
        Ok((20, 2)),
        "that has not become current"
    );
    assert_eq!(give(Some(&old), 0, 40_000, &old), Ok((0, 0)), "begun anew");
    assert_eq!(give(None, 2, 40_001, &old), Ok((0, 1)));
}

#[test]
fn structures_without_words_are_refused() {
    use Indication::Switch as S;
    let base = Template {
        layer: Layer::BASE,
        indications: &[S],
        frame_diffs: &[],
        chain_diffs: &[],
    };
    let error = |templates: &[Template<'_>], protected_by: &[u8]| {
        let init = TemplateStructureInit {
            id_offset: 0,
            templates,
            protected_by,
            resolutions: &[],
        };
        TemplateStructure::new(&init).unwrap_err()
    };
    assert_eq!(error(&[], &[]), TemplateError::Count("templates"));
    let shape = Template {
        indications: &[S, S],
        ..base
    };
    assert_eq!(error(&[base, shape], &[]), TemplateError::Shape(1));
    let skips = Template {
        layer: layer(0, 2),
        ..base
    };
    assert_eq!(error(&[base, skips], &[]), TemplateError::Layer(1));
    let far = Template {
        frame_diffs: &[17],
        ..base
    };
    assert_eq!(error(&[far], &[]), TemplateError::Range("frame difference"));
    let chained = Template {
        chain_diffs: &[1],
        ..base
    };
    assert_eq!(
        error(&[chained], &[]),
        TemplateError::Count("protected decode targets")
    );
    assert_eq!(error(&[chained], &[1]), TemplateError::Range("chain"));
    let many = [Template {
        frame_diffs: &[1; 16],
        ..base
    }; 40];
    assert_eq!(error(&many, &[]), TemplateError::TooLong);
}

proptest! {
    /// Whatever bits there are, they are read or refused, and what is read is written the same.
    #[test]
    fn what_is_read_is_written(data in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut reader = DependencyReader::new();
        let mut data = data;
        if let Some(byte) = data.get_mut(3) {
            *byte = *byte & 0x7F | 0x80; // a structure, or nothing can be read
        }
        if let Ok(view) = reader.read(&data) {
            let mut out = [0; 255];
            let mask = view.active_decode_targets() ^ 1;
            if let Ok(len) = view.rewrite(Serial16(7), Some(mask), &mut out) {
                let mut other = DependencyReader::new();
                let copy = other.read(&out[..len]).unwrap();
                prop_assert_eq!(copy.structure(), view.structure());
                prop_assert_eq!(copy.active_decode_targets(), mask);
                prop_assert!(copy.frame_diffs().eq(view.frame_diffs()));
                prop_assert!(copy.chain_diffs().eq(view.chain_diffs()));
            }
        }
    }
}
