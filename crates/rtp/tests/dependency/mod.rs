//! What the fuzz target `dependency_descriptor` runs: the descriptors of one stream, each behind its
//! length in a byte.

use pc_proto::Serial16;
use pc_rtp::dependency::{
    DependencyDescriptor, DependencyDescriptorView, DependencyReader, MAX_LEN, set_frame_number,
};

/// Runs one input; panics where a promise is broken.
pub(crate) fn run(mut data: &[u8]) {
    let mut reader = DependencyReader::new();
    while let Some((len, rest)) = data.split_first() {
        let (descriptor, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        data = rest;
        let before = reader.clone();
        match reader.read(descriptor) {
            Ok(view) => check(view, before),
            Err(error) => assert!(error.at <= descriptor.len()),
        }
    }
}

fn check(view: DependencyDescriptorView<'_>, before: DependencyReader) {
    let structure = view.structure();
    let targets = structure.decode_target_count();
    assert!((1..=32).contains(&targets) && structure.chain_count() <= targets);
    assert!((1..=64).contains(&structure.template_count()));
    assert!(view.active_decode_targets() <= structure.all_decode_targets());
    assert!(view.frame_diffs().all(|diff| (1..=4096).contains(&diff)));
    assert_eq!(view.chain_diffs().count(), structure.chain_count());
    assert!(view.frame_diffs().count() <= MAX_LEN * 8);

    // The same but for the frame number, which has three bytes whatever else there is.
    let mut moved = view.as_bytes().to_vec();
    set_frame_number(&mut moved, view.frame_number()).expect("three bytes");
    assert_eq!(moved, view.as_bytes());
    let mut out = [0xAA; MAX_LEN];
    let len = view.rewrite(view.frame_number(), None, &mut out);
    assert_eq!(&out[..len.expect("as long as it was")], view.as_bytes());

    // With a mask that it may not have had.
    let mask = !view.active_decode_targets() & structure.all_decode_targets();
    if let Ok(len) = view.rewrite(view.frame_number(), Some(mask), &mut out) {
        let mut reader = before;
        let again = reader.read(&out[..len]).expect("what was written is read");
        assert_eq!(again.active_decode_targets(), mask);
        assert_eq!(again.layer(), view.layer());
        assert_eq!(again.structure(), structure);
        assert!((0..targets).all(|it| again.indication(it) == view.indication(it)));
        assert!(again.frame_diffs().eq(view.frame_diffs()));
        assert!(again.chain_diffs().eq(view.chain_diffs()));
    }
    build(view);
}

/// Everything that was read, put together from its parts.
fn build(view: DependencyDescriptorView<'_>) {
    let structure = view.structure();
    let template = (0..structure.template_count())
        .find(|template| structure.layer(*template) == Some(view.layer()))
        .expect("it has a template");
    let indications: Vec<_> = (0..structure.decode_target_count())
        .map(|target| view.indication(target))
        .collect();
    let (frames, chains): (Vec<_>, Vec<_>) =
        (view.frame_diffs().collect(), view.chain_diffs().collect());
    let descriptor = DependencyDescriptor {
        starts_frame: view.starts_frame(),
        ends_frame: view.ends_frame(),
        template: template as u8,
        frame_number: Serial16(view.frame_number().0.wrapping_add(1)),
        structure: Some(structure),
        active_decode_targets: Some(view.active_decode_targets()),
        indications: Some(&indications),
        frame_diffs: Some(&frames),
        chain_diffs: Some(&chains),
    };
    let mut out = [0x55; 2 * MAX_LEN];
    let Ok(len) = descriptor.write(structure, &mut out) else {
        return; // longer than an extension
    };
    let mut reader = DependencyReader::new();
    let again = reader.read(&out[..len]).expect("what was written is read");
    assert_eq!(again.template_structure(), Some(structure));
    assert_eq!(again.layer(), view.layer());
    assert!(again.frame_diffs().eq(frames));
    assert!(again.chain_diffs().eq(chains));
    assert!((0..indications.len()).all(|it| again.indication(it) == indications[it]));
}
