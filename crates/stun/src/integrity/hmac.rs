//! HMAC ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)) over a STUN message, from the
//! states of the hash after its two key blocks.
//!
//! A message of ICE's size goes through the compression function in one call, straight from one
//! copy that has the header's length replaced.

use zeroize::Zeroize;

use crate::header::LENGTH_AT;

/// Bytes of a block of SHA-1 and SHA-256.
const BLOCK: usize = 64;
/// Blocks that are hashed in one call: no more are needed for up to 119 bytes, and so for ICE's
/// checks.
const BLOCKS: usize = 2;

/// A hash function as its state and its compression function.
pub(super) trait Hash {
    /// The state, words of 32 bits.
    type State: Copy + Zeroize;
    /// The state before the first block.
    const INITIAL: Self::State;
    /// Hashes whole blocks.
    fn compress(state: &mut Self::State, blocks: &[[u8; BLOCK]]);
    /// The words of a state.
    fn words(state: &Self::State) -> &[u32];
}

/// SHA-1, FIPS 180-4 §5.3.1.
pub(super) struct Sha1;

impl Hash for Sha1 {
    type State = [u32; 5];
    const INITIAL: [u32; 5] = [
        0x6745_2301,
        0xEFCD_AB89,
        0x98BA_DCFE,
        0x1032_5476,
        0xC3D2_E1F0,
    ];
    fn compress(state: &mut [u32; 5], blocks: &[[u8; BLOCK]]) {
        sha1::block_api::compress(state, blocks);
    }
    fn words(state: &[u32; 5]) -> &[u32] {
        state
    }
}

/// SHA-256, FIPS 180-4 §5.3.3.
pub(super) struct Sha256;

impl Hash for Sha256 {
    type State = [u32; 8];
    const INITIAL: [u32; 8] = [
        0x6A09_E667,
        0xBB67_AE85,
        0x3C6E_F372,
        0xA54F_F53A,
        0x510E_527F,
        0x9B05_688C,
        0x1F83_D9AB,
        0x5BE0_CD19,
    ];
    fn compress(state: &mut [u32; 8], blocks: &[[u8; BLOCK]]) {
        sha2::block_api::compress256(state, blocks);
    }
    fn words(state: &[u32; 8]) -> &[u32] {
        state
    }
}

/// The states after the inner and the outer key block.
pub(super) struct Hmac<H: Hash> {
    inner: H::State,
    outer: H::State,
}

impl<H: Hash> Clone for Hmac<H> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner,
            outer: self.outer,
        }
    }
}

impl<H: Hash> Drop for Hmac<H> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl<H: Hash> Hmac<H> {
    /// Takes a key of at most a block's length, padded with zeros.
    pub(super) fn new(key: &[u8; BLOCK]) -> Self {
        let state = |pad: u8| {
            let mut block = [key.map(|byte| byte ^ pad)];
            let mut state = H::INITIAL;
            H::compress(&mut state, &block);
            block.zeroize();
            state
        };
        Self {
            inner: state(0x36),
            outer: state(0x5C),
        }
    }

    /// The code of `message`, whose header is taken to say `length`.
    pub(super) fn code<const N: usize>(&self, message: &[u8], length: u16) -> [u8; N] {
        let mut inner = self.inner;
        let tail_after = hash_whole_blocks::<H>(&mut inner, message, length);
        let mut blocks = [[0; BLOCK]; BLOCKS];
        let tail = message.get(tail_after..).unwrap_or_default();
        let patch = (tail_after == 0).then_some(length);
        finish::<H>(&mut inner, &mut blocks, tail, patch, message.len());

        let mut digest = [0; 32];
        put_words(&mut digest, H::words(&inner));
        let digest_len = H::words(&inner).len() * 4;
        let mut outer = self.outer;
        let mut block = [[0; BLOCK]];
        let digest = digest.get(..digest_len).unwrap_or_default();
        finish::<H>(&mut outer, &mut block, digest, None, digest_len);

        let mut code = [0; N];
        put_words(&mut code, H::words(&outer));
        code
    }
}

/// Hashes what the last call would have no room for; returns how many bytes that was.
fn hash_whole_blocks<H: Hash>(state: &mut H::State, message: &[u8], length: u16) -> usize {
    // The end needs a byte of padding and 8 of length.
    if message.len() + 9 <= BLOCK * BLOCKS {
        return 0;
    }
    let Some((head, rest)) = message.split_first_chunk() else {
        return 0;
    };
    let mut head = [*head];
    patch_length(head.as_flattened_mut(), length);
    H::compress(state, &head);
    let (blocks, tail) = rest.as_chunks();
    H::compress(state, blocks);
    message.len() - tail.len()
}

/// Hashes `tail` and the padding, FIPS 180-4 §5.1.1, for a hash that has seen the key block and
/// `total` bytes in all.
fn finish<H: Hash>(
    state: &mut H::State,
    blocks: &mut [[u8; BLOCK]],
    tail: &[u8],
    patch: Option<u16>,
    total: usize,
) {
    let used = (tail.len() + 9).div_ceil(BLOCK);
    let blocks = blocks.get_mut(..used).unwrap_or_default();
    let bytes = blocks.as_flattened_mut();
    if let Some((place, rest)) = bytes.split_at_mut_checked(tail.len()) {
        place.copy_from_slice(tail);
        if let Some(end) = rest.first_mut() {
            *end = 0x80;
        }
    }
    if let Some(length) = patch {
        patch_length(bytes, length);
    }
    let bits = ((BLOCK + total) as u64) * 8;
    if let Some(place) = bytes.last_chunk_mut() {
        *place = bits.to_be_bytes();
    }
    H::compress(state, blocks);
}

/// Replaces the header's length.
fn patch_length(header: &mut [u8], length: u16) {
    if let Some(place) = header.get_mut(LENGTH_AT..LENGTH_AT + 2) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// Writes as many words as there is room for, big-endian.
fn put_words(bytes: &mut [u8], words: &[u32]) {
    for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
        *place = word.to_be_bytes();
    }
}
