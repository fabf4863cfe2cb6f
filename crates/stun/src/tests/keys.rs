//! Keys and codes beside RustCrypto's own HMAC, and what a key gives away.

use hmac::{Hmac, KeyInit, Mac};

use crate::{
    Attribute, Class, IntegrityKey, MessageBuilder, MessageView, Method, PasswordAlgorithm,
    TransactionId,
};

const ID: TransactionId = TransactionId([9; 12]);

/// A message of DATA and of the check values that `steps` adds.
fn with_data<'b>(
    bytes: &'b mut [u8],
    data: &[u8],
    steps: impl FnOnce(&mut MessageBuilder<'_>),
) -> &'b [u8] {
    let mut builder = MessageBuilder::new(bytes, Class::Request, Method::DATA, ID);
    builder.attribute(Attribute::Data(data));
    steps(&mut builder);
    let len = builder.finish().unwrap();
    &bytes[..len]
}

/// RustCrypto's code of all but the last attribute, whose value has `N` bytes, and that value.
fn plain<M: Mac + KeyInit, const N: usize>(secret: &[u8], message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (covered, value) = message.split_at(message.len() - N - 4);
    let mut mac = <M as KeyInit>::new_from_slice(secret).unwrap();
    mac.update(covered);
    (mac.finalize().into_bytes().to_vec(), value[4..].to_vec())
}

/// Every number of blocks, and every place the padding may fall in.
#[test]
fn codes_agree_with_the_plain_hmac_for_every_length() {
    let data = [0xA5; 700];
    let mut bytes = [0; 800];
    for key_len in [0, 1, 22, 63, 64, 65, 200] {
        let secret = &data[..key_len];
        let key = IntegrityKey::from_bytes(secret);
        for len in 0..600 {
            let data = &data[..len];
            let message = with_data(&mut bytes, data, |b| {
                b.integrity(&key);
            });
            let (expected, code) = plain::<Hmac<sha1::Sha1>, 20>(secret, message);
            assert_eq!(code, expected, "SHA-1, {key_len} and {len} bytes");

            let message = with_data(&mut bytes, data, |b| {
                b.integrity_sha256(&key);
            });
            let (expected, code) = plain::<Hmac<sha2::Sha256>, 32>(secret, message);
            assert_eq!(code, expected, "SHA-256, {key_len} and {len} bytes");

            // Now the header counts FINGERPRINT, and the verifier must not.
            let message = with_data(&mut bytes, data, |b| {
                b.integrity(&key).fingerprint();
            });
            let view = MessageView::parse(message).unwrap();
            assert_eq!(view.verify_integrity(&key), Ok(()));
            assert_eq!(view.verify_fingerprint(), Ok(()));
        }
    }
}

#[test]
fn a_key_shows_nothing_of_itself() {
    let key = IntegrityKey::short_term("secret");
    assert_eq!(
        format!("{key:?} {:?}", key.clone()),
        "IntegrityKey(…) IntegrityKey(…)"
    );
}

#[test]
fn long_term_keys_differ_in_each_part() {
    let md5 = PasswordAlgorithm::Md5;
    let code = |key: &IntegrityKey| {
        let mut bytes = [0; 44];
        MessageBuilder::new(&mut bytes, Class::Request, Method::ALLOCATE, ID)
            .integrity(key)
            .finish()
            .unwrap();
        bytes
    };
    let key = IntegrityKey::long_term("u", "r", "p", md5);
    for other in [
        IntegrityKey::long_term("v", "r", "p", md5),
        IntegrityKey::long_term("u", "s", "p", md5),
        IntegrityKey::long_term("u", "r", "q", md5),
        IntegrityKey::long_term("u", "r", "p", PasswordAlgorithm::Sha256),
        IntegrityKey::short_term("p"),
    ] {
        assert_ne!(code(&key), code(&other));
    }
}

/// The keeping-out of allocation that ICE's steady state needs.
#[test]
fn a_check_is_built_and_verified_without_allocation() {
    let key = IntegrityKey::short_term("VOkJxbRl1RmTxUk/WvJxBt");
    let mut bytes = [0; 256];
    let info = allocation_counter::measure(|| {
        let len = MessageBuilder::new(&mut bytes, Class::Request, Method::BINDING, ID)
            .attribute(Attribute::Username("evtj:h6vY"))
            .attribute(Attribute::GoogNetworkInfo { id: 1, cost: 10 })
            .attribute(Attribute::IceControlling(3))
            .attribute(Attribute::UseCandidate)
            .attribute(Attribute::Priority(4))
            .integrity(&key)
            .integrity_sha256(&key)
            .fingerprint()
            .finish()
            .unwrap();
        let view = MessageView::parse(&bytes[..len]).unwrap();
        assert_eq!(view.verify_integrity(&key), Ok(()));
        assert_eq!(view.verify_fingerprint(), Ok(()));
        assert_eq!(view.username(), Some("evtj:h6vY"));
        assert_eq!(view.attributes().count(), 8);
        assert_eq!(view.unknown_comprehension_required().count(), 0);
    });
    assert_eq!(info.count_total, 0);
    let counted = allocation_counter::measure(|| drop(vec![1_u8]));
    assert_eq!(counted.count_total, 1, "the counter counts");
}
