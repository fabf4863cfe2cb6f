//! A stream that comes in pieces holds the same datagrams as the whole of it, up to the same error;
//! what was read is framed again to the same bytes.
//!
//! The first byte chooses the framing and a limit, the second how the rest is cut into pieces.

use pc_net::{Decoder, Framing, FramingError, MAX_FRAME};
use pc_proto::Batch;

pub(crate) fn run(data: &[u8]) {
    let [choice, cut, stream @ ..] = data else {
        return;
    };
    let turn = choice & 1 == 0;
    let framing = if turn {
        Framing::Turn
    } else {
        Framing::Rfc4571
    };
    let limit = if choice & 2 == 0 { MAX_FRAME } else { 64 };
    let (wanted, is_wrong) = read_at_once(turn, limit, stream);
    let (found, error) = read_in_pieces(Decoder::with_limit(framing, limit), stream, *cut);
    assert_eq!(found, wanted);
    assert_eq!(error.is_some(), is_wrong, "{error:?}");
    if let Some(FramingError::TooLong { len, limit: told }) = error {
        assert!(len > told && told == limit);
    }
    write_again(framing, &found);
}

fn read_in_pieces(
    mut decoder: Decoder,
    stream: &[u8],
    cut: u8,
) -> (Vec<Vec<u8>>, Option<FramingError>) {
    let (mut rest, mut found) = (stream, Vec::new());
    while !rest.is_empty() {
        let room = decoder.room();
        let len = rest.len().min(room.len()).min(1 + usize::from(cut));
        assert!(len > 0, "there is room where no datagram waits");
        room[..len].copy_from_slice(&rest[..len]);
        decoder.filled(len);
        rest = &rest[len..];
        loop {
            let is_ready = decoder.is_ready();
            match decoder.next_frame() {
                Ok(Some(frame)) => found.push(frame.to_vec()),
                Ok(None) => {
                    assert!(!is_ready);
                    break;
                }
                Err(error) => {
                    assert_eq!(decoder.next_frame(), Err(error), "for good");
                    return (found, Some(error));
                }
            }
            assert!(is_ready);
        }
    }
    (found, None)
}

/// The same in the plainest words; whether an error ends it.
fn read_at_once(turn: bool, limit: usize, mut stream: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut found = Vec::new();
    loop {
        if turn && !may_be_turn(stream) {
            return (found, true);
        }
        let length = |at: usize| {
            Some(usize::from(u16::from_be_bytes(
                stream.get(at..at + 2)?.try_into().ok()?,
            )))
        };
        let is_channel = stream.first().is_some_and(|first| first >> 6 == 1);
        let Some(length) = length(if turn { 2 } else { 0 }) else {
            return (found, false);
        };
        let (before, len) = match (turn, is_channel) {
            (false, _) => (2, length),
            (true, true) => (0, 4 + length),
            (true, false) => (0, 20 + length),
        };
        let total = if turn {
            (before + len).div_ceil(4) * 4
        } else {
            before + len
        };
        if len > limit {
            return (found, true);
        }
        if stream.len() < total {
            return (found, false);
        }
        if len > 0 {
            found.push(stream[before..before + len].to_vec());
        }
        stream = &stream[total..];
    }
}

fn may_be_turn(stream: &[u8]) -> bool {
    match stream.first() {
        None | Some(0x40..=0x4F) => true,
        Some(0..=0x3F) => {
            let cookie = [0x21, 0x12, 0xA4, 0x42];
            let there = &stream[4.min(stream.len())..8.min(stream.len())];
            cookie.starts_with(there) && stream.get(3).is_none_or(|low| low % 4 == 0)
        }
        Some(_) => false,
    }
}

fn write_again(framing: Framing, datagrams: &[Vec<u8>]) {
    let mut stream = Vec::new();
    for datagram in datagrams {
        framing
            .append(datagram, &mut stream)
            .expect("what was read can be written");
    }
    let (again, error) = read_in_pieces(Decoder::new(framing), &stream, 255);
    assert_eq!((again.as_slice(), error), (datagrams, None));

    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(MAX_FRAME, usize::MAX);
    let write = |inner: &mut pc_proto::TransmitBuf<'_>| {
        for datagram in datagrams {
            inner.datagram(datagram.len(), |bytes| bytes.copy_from_slice(datagram));
        }
    };
    let seal = |room: &mut [u8]| framing.seal(room).ok();
    out.wrap(framing.headroom(), framing.tailroom(), write, seal);
    assert!(batch.datagrams().flatten().eq(&stream));
}
