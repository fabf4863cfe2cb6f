//! Handshake messages in the clear, [RFC 6347 §4.2.2](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.2):
//! the checks that every fragment passes, and the reassembly of a ClientHello.
//!
//! ```text
//!  +----------+--------+-------------+-----------------+-----------------+------
//!  | msg_type | length | message_seq | fragment_offset | fragment_length | body
//!  +----------+--------+-------------+-----------------+-----------------+------
//!       1         3           2               3                 3
//! ```

use pc_proto::{ParseError, Reader, Writer};

use crate::{CipherSuite, Rejected, record};

/// The length of a handshake message's header in bytes.
pub(crate) const HEADER_LEN: usize = 12;

/// The longest handshake message taken in the clear. A certificate chain of a WebRTC endpoint is
/// one certificate of a few hundred bytes, a post-quantum ClientHello about 1,500.
const MAX_MESSAGE: usize = 16_384 - HEADER_LEN;

/// Handshake message types, RFC 6347 §4.3.2.
pub(crate) mod message_type {
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    pub(crate) const HELLO_VERIFY_REQUEST: u8 = 3;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
    pub(crate) const CERTIFICATE_VERIFY: u8 = 15;
    pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
}

/// A piece of a handshake message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment<'a> {
    pub(crate) message_type: u8,
    /// The length of the whole message's body in bytes.
    pub(crate) length: usize,
    pub(crate) message_seq: u16,
    pub(crate) offset: usize,
    pub(crate) body: &'a [u8],
}

impl<'a> Fragment<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let message_type = reader.u8("msg_type")?;
        let length = reader.u24("length")? as usize;
        let message_seq = reader.u16("message_seq")?;
        let offset = reader.u24("fragment_offset")? as usize;
        let fragment_length = reader.u24("fragment_length")? as usize;
        let body = reader.bytes(fragment_length, "fragment")?;
        Ok(Self {
            message_type,
            length,
            message_seq,
            offset,
            body,
        })
    }

    /// Header and body. Lengths are those of messages that were parsed, below 2^24.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        let u24 = |number: usize| u32::try_from(number).unwrap_or(0);
        let mut message = vec![0; HEADER_LEN + self.body.len()];
        let mut writer = Writer::new(&mut message);
        // There is room for all of it, so nothing of this fails.
        let _ = writer.u8(self.message_type);
        let _ = writer.u24(u24(self.length));
        let _ = writer.u16(self.message_seq);
        let _ = writer.u24(u24(self.offset));
        let _ = writer.u24(u24(self.body.len()));
        let _ = writer.bytes(self.body);
        message
    }

    fn is_sane(&self) -> bool {
        self.length <= MAX_MESSAGE
            && self.offset + self.body.len() <= self.length
            && (!self.body.is_empty() || self.length == 0)
    }

    /// Whether the whole message is in this fragment.
    pub(crate) fn is_whole(&self) -> bool {
        self.body.len() == self.length
    }
}

/// The fragments in a record in the clear, checked.
pub(crate) fn fragments(record: &[u8]) -> Result<Vec<Fragment<'_>>, Rejected> {
    let mut reader = Reader::new(record);
    let mut fragments = Vec::with_capacity(1);
    while !reader.is_empty() {
        let fragment = Fragment::parse(&mut reader).map_err(|_| Rejected::Fragment)?;
        if !fragment.is_sane() {
            return Err(Rejected::Fragment);
        }
        fragments.push(fragment);
    }
    if fragments.is_empty() {
        return Err(Rejected::Fragment);
    }
    Ok(fragments)
}

/// The cipher suite that a whole ServerHello selects, RFC 5246 §7.4.1.3.
pub(crate) fn selected_cipher_suite(server_hello: &[u8]) -> Option<CipherSuite> {
    let mut reader = Reader::new(server_hello);
    reader.bytes(2 + 32, "version and random").ok()?;
    let session_id = reader.u8("session_id").ok()?;
    reader.bytes(usize::from(session_id), "session_id").ok()?;
    reader.u16("cipher_suite").ok().map(CipherSuite)
}

/// Collects the fragments of a message, in whatever order they come.
///
/// It is for a ClientHello above all: one with a post-quantum key share does not fit into one datagram, and the extension
/// that says which version the client speaks may be in any of them. So nothing is decided before
/// the whole message is there: it is then handed on as a single record, which the transcript
/// cannot tell apart (RFC 6347 §4.2.6).
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    message_type: u8,
    message_seq: u16,
    body: Vec<u8>,
    /// Which bytes of `body` have come, as ranges that are sorted and do not touch.
    present: Vec<(usize, usize)>,
}

impl Reassembly {
    /// At most this many gaps are kept track of; more fragments than that nobody sends.
    const MAX_RANGES: usize = 64;

    /// Takes a fragment, and gives the whole message, header included, once it is complete.
    ///
    /// A fragment of another message, known by its type, number or length, starts anew: it is kept, and
    /// what came of the old one is forgotten.
    pub(crate) fn push(&mut self, fragment: &Fragment<'_>) -> Option<Vec<u8>> {
        let known = (self.message_type, self.message_seq, self.body.len());
        if known != (fragment.message_type, fragment.message_seq, fragment.length) {
            self.message_type = fragment.message_type;
            self.message_seq = fragment.message_seq;
            self.body.clear();
            self.body.resize(fragment.length, 0);
            self.present.clear();
        }
        let end = fragment.offset + fragment.body.len();
        self.body
            .get_mut(fragment.offset..end)?
            .copy_from_slice(fragment.body);
        self.cover(fragment.offset, end);
        if self.present != [(0, self.body.len())] {
            return None;
        }
        let message = self.message();
        *self = Self::default();
        Some(message)
    }

    fn cover(&mut self, start: usize, end: usize) {
        let (mut start, mut end) = (start, end);
        self.present.retain(|&(from, to)| {
            let apart = to < start || from > end;
            if !apart {
                start = start.min(from);
                end = end.max(to);
            }
            apart
        });
        if self.present.len() < Self::MAX_RANGES {
            let at = self.present.partition_point(|&(from, _)| from < start);
            self.present.insert(at, (start, end));
        }
    }

    fn message(&self) -> Vec<u8> {
        Fragment {
            message_type: self.message_type,
            length: self.body.len(),
            message_seq: self.message_seq,
            offset: 0,
            body: &self.body,
        }
        .to_vec()
    }
}

/// A record in the clear around a handshake message.
pub(crate) fn handshake_record(sequence: u64, message: &[u8]) -> Vec<u8> {
    record::plaintext(record::content_type::HANDSHAKE, sequence, &[message])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(body: &'static [u8], offset: usize, len: usize) -> Fragment<'static> {
        Fragment {
            message_type: 1,
            length: body.len(),
            message_seq: 0,
            offset,
            body: &body[offset..offset + len],
        }
    }

    const BODY: &[u8] = b"0123456789";

    #[test]
    fn fragments_come_in_any_order_twice_and_overlapping() {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
            let pieces = [(0, 3), (2, 4), (6, 1), (6, 4)];
            let mut reassembly = Reassembly::default();
            let mut whole = None;
            for index in order {
                assert!(whole.is_none());
                let (offset, len) = pieces[index];
                whole = reassembly.push(&piece(BODY, offset, len));
                if index == 2 && whole.is_none() {
                    whole = reassembly.push(&piece(BODY, offset, len));
                }
                if whole.is_some() {
                    break;
                }
            }
            let whole = whole.unwrap();
            assert_eq!(fragments(&whole).unwrap(), [piece(BODY, 0, 10)]);
        }
    }

    #[test]
    fn another_message_starts_anew() {
        let mut reassembly = Reassembly::default();
        assert_eq!(reassembly.push(&piece(BODY, 0, 5)), None);
        assert_eq!(reassembly.push(&piece(b"other length", 6, 6)), None);
        assert_eq!(reassembly.push(&piece(BODY, 5, 5)), None);
        assert!(reassembly.push(&piece(BODY, 0, 5)).is_some());
    }

    #[test]
    fn scattered_fragments_take_bounded_memory() {
        static LONG: [u8; 4000] = [7; 4000];
        let mut reassembly = Reassembly::default();
        for offset in (0..4000).step_by(2) {
            assert_eq!(reassembly.push(&piece(&LONG, offset, 1)), None);
        }
        assert!(reassembly.present.len() <= Reassembly::MAX_RANGES);
        assert!(reassembly.push(&piece(&LONG, 0, 4000)).is_some());
    }

    #[test]
    fn ill_formed_fragments() {
        let good = |length: u32, seq: u16, offset: u32, len: u32| {
            let mut bytes = vec![0; 12 + len as usize];
            let mut writer = Writer::new(&mut bytes);
            writer.u8(11).unwrap();
            writer.u24(length).unwrap();
            writer.u16(seq).unwrap();
            writer.u24(offset).unwrap();
            writer.u24(len).unwrap();
            bytes
        };
        assert!(fragments(&good(5, 0, 2, 3)).is_ok());
        assert!(fragments(&good(0, 15, 0, 0)).is_ok());
        let bad = [
            good(5, 0, 2, 4),
            good(5, 0, 0, 0),
            good(0xFF_FFFF, 0, 0, 9),
            good(5, 0, 0xFF_FFFF, 0),
            good(5, 0, 0, 5)[..16].to_vec(),
            vec![],
        ];
        for bytes in bad {
            assert_eq!(fragments(&bytes), Err(Rejected::Fragment));
        }
    }
}
