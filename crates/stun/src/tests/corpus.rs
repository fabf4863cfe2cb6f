//! The fuzzer's corpus, replayed: captures of Chromium, Firefox and published messages, and what
//! fuzzing found worth keeping.

use std::fs;
use std::path::Path;

use crate::{Attribute, BuildError, IntegrityKey, MessageBuilder, MessageView};

/// Whether `bytes` are a message; if so, it survives being written anew.
fn survives(bytes: &[u8]) -> bool {
    let Ok(view) = MessageView::parse(bytes) else {
        return false;
    };
    assert_eq!(MessageView::is_stun(bytes), bytes[0] < 4);
    let key = IntegrityKey::short_term("password");
    let mut copy = vec![0; bytes.len() + 64];
    let (class, method, id) = (view.class(), view.method(), view.transaction_id());
    let mut builder = MessageBuilder::new(&mut copy, class, method, id);
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
    let len = match builder.integrity(&key).fingerprint().finish() {
        Ok(len) => len,
        Err(BuildError::TooLong { .. } | BuildError::NoRoom(_)) => return true,
        Err(error) => panic!("{error}"),
    };
    let again = MessageView::parse(&copy[..len]).unwrap();
    assert_eq!(
        (again.class(), again.method(), again.transaction_id()),
        (class, method, id)
    );
    assert_eq!(again.verify_integrity(&key), Ok(()));
    assert_eq!(again.verify_fingerprint(), Ok(()));
    assert!(again.attributes().take(kept.len()).eq(kept));
    true
}

#[test]
fn the_corpus_is_replayed() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus"));
    let (mut messages, mut captures) = (0, 0);
    for entry in fs::read_dir(root.join("stun")).unwrap() {
        let path = entry.unwrap().path();
        let accepted = survives(&fs::read(&path).unwrap());
        messages += usize::from(accepted);
        // What peers sent and specifications print is always accepted.
        let extension = path.extension();
        if extension.is_some_and(|extension| extension == "stun") {
            assert!(accepted, "{}", path.display());
            captures += 1;
        }
    }
    assert!(
        captures >= 8 && messages >= captures,
        "{captures} {messages}"
    );
}
