//! A message that is accepted can be written anew with its own and with fresh check values, and
//! reads the same; no bytes make the parser or an accessor fail.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pc_stun::{
    Attribute, BuildError, HEADER_LEN, IntegrityAlgorithm, IntegrityKey, MAGIC_COOKIE,
    MessageBuilder, MessageView, ParseError,
};

fuzz_target!(|data: &[u8]| {
    check(data);
    // The same with a header that lets the attributes be seen.
    let mut framed = data.to_vec();
    framed.truncate(data.len() / 4 * 4);
    if let Some(length) = framed.len().checked_sub(HEADER_LEN) {
        framed[0] &= 0x3F;
        framed[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        framed[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        check(&framed);
    }
});

fn check(data: &[u8]) {
    let view = match MessageView::parse(data) {
        Ok(view) => view,
        Err(ParseError { at, .. }) => {
            assert!(at <= data.len());
            return;
        }
    };
    assert_eq!(MessageView::is_stun(data), data[0] < 4);
    assert_eq!(MessageView::stream_len(data), Some(data.len()));
    read_everything(&view);
    write_anew(&view, data.len());
}

fn read_everything(view: &MessageView<'_>) {
    let _ = format!("{view:?}");
    let first = |kind| view.attributes().find(|a| a.kind() == kind);
    for attribute in view.attributes() {
        let kind = attribute.kind();
        match first(kind) {
            Some(Attribute::Unknown { .. }) | None => {}
            found => assert_eq!(view.attribute(kind), found),
        }
    }
    let _ = (
        view.username(),
        view.error_code(),
        view.xor_mapped_address(),
    );
    let _ = (view.priority(), view.use_candidate(), view.nomination());
    let _ = (view.ice_controlling(), view.ice_controlled());
    let _ = (view.realm(), view.nonce(), view.verify_fingerprint());
    for kind in view.unknown_comprehension_required() {
        assert!(kind < 0x8000);
    }
    // Nobody guesses this key.
    let key = IntegrityKey::short_term("0f4e5d6c7b8a9f0e1d2c3b4a59687766");
    assert!(view.verify_integrity(&key).is_err());
    for algorithm in [IntegrityAlgorithm::Sha1, IntegrityAlgorithm::Sha256] {
        assert!(view.verify_integrity_with(&key, algorithm).is_err());
    }
}

fn write_anew(view: &MessageView<'_>, len: usize) {
    let key = IntegrityKey::short_term("password");
    let mut bytes = vec![0xAA; len + 128];
    let mut builder = MessageBuilder::new(
        &mut bytes,
        view.class(),
        view.method(),
        view.transaction_id(),
    );
    let mut kept = Vec::new();
    for attribute in view.attributes() {
        if !matches!(
            attribute,
            Attribute::MessageIntegrity(_)
                | Attribute::MessageIntegritySha256(_)
                | Attribute::Fingerprint(_)
        ) {
            builder.attribute(attribute);
            kept.push(attribute);
        }
    }
    builder
        .integrity(&key)
        .integrity_sha256_truncated(&key, 20)
        .fingerprint();
    let len = match builder.finish() {
        Ok(len) => len,
        // A value over its limit, or a message over 65,535 bytes with its check values.
        Err(BuildError::TooLong { .. } | BuildError::NoRoom(_)) => return,
        Err(error) => panic!("{error}"),
    };
    let again = MessageView::parse(&bytes[..len]).expect("what was written is a message");
    assert_eq!(again.class(), view.class());
    assert_eq!(again.method(), view.method());
    assert_eq!(again.transaction_id(), view.transaction_id());
    assert_eq!(again.verify_fingerprint(), Ok(()));
    for algorithm in [IntegrityAlgorithm::Sha1, IntegrityAlgorithm::Sha256] {
        assert_eq!(again.verify_integrity_with(&key, algorithm), Ok(()));
    }
    let read: Vec<_> = again.attributes().collect();
    assert_eq!(read[..kept.len()], kept);
    assert_eq!(read.len(), kept.len() + 3);
}
