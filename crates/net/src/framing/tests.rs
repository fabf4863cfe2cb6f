use super::*;
use pc_proto::Batch;
use proptest::prelude::*;

fn stun(attributes: usize) -> Vec<u8> {
    let mut message = vec![0xA5; STUN_HEADER + attributes];
    message[..2].copy_from_slice(&[0x00, 0x01]);
    message[2..4].copy_from_slice(&(attributes as u16).to_be_bytes());
    message[4..8].copy_from_slice(&MAGIC_COOKIE);
    message
}

fn channel_data(len: usize) -> Vec<u8> {
    let mut message = vec![0x5A; CHANNEL_HEADER + len];
    message[..2].copy_from_slice(&[0x40, 0x01]);
    message[2..4].copy_from_slice(&(len as u16).to_be_bytes());
    message
}

fn framed(framing: Framing, datagrams: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = Vec::new();
    for datagram in datagrams {
        framing.append(datagram, &mut stream).unwrap();
    }
    stream
}

/// Feeds `stream` in pieces of the given lengths, again and again from the first.
fn decode(decoder: &mut Decoder, stream: &[u8], pieces: &[usize]) -> Vec<Vec<u8>> {
    let (mut rest, mut found) = (stream, Vec::new());
    for piece in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let room = decoder.room();
        let len = rest.len().min(room.len()).min(*piece);
        room[..len].copy_from_slice(&rest[..len]);
        decoder.filled(len);
        rest = &rest[len..];
        loop {
            let ready = decoder.is_ready();
            let frame = decoder.next_frame().unwrap();
            assert_eq!(ready, frame.is_some());
            match frame {
                Some(frame) => found.push(frame.to_vec()),
                None => break,
            }
        }
    }
    found
}

#[test]
fn an_empty_packet_is_passed_over() {
    let mut decoder = Decoder::new(Framing::Rfc4571);
    let stream = [0, 0, 0, 0, 0, 1, 7, 0, 0, 0, 1, 8];
    assert_eq!(decode(&mut decoder, &stream, &[12]), [[7], [8]]);
    assert_eq!(decoder.unread(), 0);
}

#[test]
fn channel_data_is_padded_and_its_padding_is_not_lent() {
    let datagrams = [channel_data(5), stun(8), channel_data(0), channel_data(4)];
    let stream = framed(Framing::Turn, &datagrams);
    assert_eq!(stream.len(), 12 + 28 + 4 + 8);
    assert_eq!(stream[9..12], [0, 0, 0]);
    for piece in 1..stream.len() {
        let mut decoder = Decoder::new(Framing::Turn);
        assert_eq!(decode(&mut decoder, &stream, &[piece]), datagrams);
    }
}

#[test]
fn what_is_no_turn_is_refused_with_its_first_wrong_byte() {
    let cases: [(&[u8], u8); 5] = [
        (&[0x80, 0x60], 0x80),
        (&[0x16, 0x03, 0x01, 0x02, 0x00], 0x16), // TLS, where plain TCP was expected
        (&[0x00, 0x01, 0x00, 0x08, 0x21, 0x13], 0x00),
        (&[0x01, 0x01, 0x00, 0x03], 0x01),
        (&[0x50, 0x00], 0x50),
    ];
    for (bytes, first) in cases {
        let mut decoder = Decoder::new(Framing::Turn);
        decoder.room()[..bytes.len()].copy_from_slice(bytes);
        decoder.filled(bytes.len());
        assert!(decoder.is_ready());
        for _ in 0..2 {
            assert_eq!(decoder.next_frame(), Err(FramingError::NotTurn(first)));
        }
    }
}

#[test]
fn a_length_that_is_only_told_takes_no_memory() {
    let mut decoder = Decoder::new(Framing::Rfc4571);
    assert_eq!(
        decode(&mut decoder, &[0xFF, 0xFF, 1], &[1]),
        [] as [Vec<u8>; 0]
    );
    assert_eq!(decoder.bytes.len(), FIRST_BUFFER);

    let whole = framed(Framing::Rfc4571, &[vec![7; 65_535]]);
    let mut decoder = Decoder::new(Framing::Rfc4571);
    for _ in 0..3 {
        assert_eq!(decode(&mut decoder, &whole, &[10_000]).len(), 1);
    }
    assert!(decoder.bytes.len() <= MAX_FRAME + 4);
}

#[test]
fn a_limit_is_kept_before_the_bytes_have_come() {
    let mut decoder = Decoder::with_limit(Framing::Rfc4571, 1_500);
    decoder.room()[..2].copy_from_slice(&1_501_u16.to_be_bytes());
    decoder.filled(2);
    let (len, limit) = (1_501, 1_500);
    assert_eq!(
        decoder.next_frame(),
        Err(FramingError::TooLong { len, limit })
    );
}

#[test]
fn room_is_empty_only_while_datagrams_wait() {
    let mut decoder = Decoder::with_limit(Framing::Rfc4571, 1_200);
    loop {
        let len = decoder.room().len();
        if len == 0 {
            break;
        }
        decoder.room().fill(1); // datagrams of 0x101 bytes
        decoder.filled(len);
    }
    assert_eq!(decoder.unread(), FIRST_BUFFER);
    let mut lent = 0;
    while decoder.next_frame().unwrap().is_some() {
        lent += 1;
    }
    assert_eq!(lent, FIRST_BUFFER / 259);
    assert!(!decoder.room().is_empty());
}

#[test]
fn a_whole_datagram_is_lent_where_it_was_read() {
    let mut decoder = Decoder::new(Framing::Rfc4571);
    let stream = framed(Framing::Rfc4571, &[vec![1; 100], vec![2; 100]]);
    let room = decoder.room();
    room[..stream.len()].copy_from_slice(&stream);
    let at = room.as_ptr().addr();
    decoder.filled(stream.len());
    let mut next = || decoder.next_frame().unwrap().unwrap().as_ptr().addr();
    assert_eq!((next(), next()), (at + 2, at + 104));
}

#[test]
fn a_connection_of_a_tcp_allocation_changes_its_framing() {
    let mut decoder = Decoder::new(Framing::Turn);
    let mut stream = stun(0); // the response to ConnectionBind
    Framing::Rfc4571.append(b"peer", &mut stream).unwrap();
    decoder.room()[..stream.len()].copy_from_slice(&stream);
    decoder.filled(stream.len());
    assert_eq!(decoder.next_frame().unwrap().unwrap().len(), 20);
    decoder.set_framing(Framing::Rfc4571);
    assert_eq!(
        decoder.next_frame().unwrap(),
        Some(&mut b"peer".to_vec()[..])
    );
}

#[test]
fn a_batch_is_framed_in_place() {
    for (framing, datagrams) in [
        (Framing::Rfc4571, vec![vec![1; 1], vec![2; 1_200]]),
        (Framing::Turn, vec![channel_data(3), stun(4)]),
    ] {
        let mut batch = Batch::new();
        let mut out = batch.transmit_buf(1_500, 8);
        out.wrap(
            framing.headroom(),
            framing.tailroom(),
            |inner| {
                for datagram in &datagrams {
                    inner.datagram(datagram.len(), |bytes| bytes.copy_from_slice(datagram));
                }
            },
            |room| framing.seal(room).ok(),
        );
        let stream: Vec<u8> = batch.datagrams().flatten().copied().collect();
        assert_eq!(stream, framed(framing, &datagrams));
    }
}

#[test]
fn a_datagram_that_lies_about_its_length_is_not_sent() {
    let mut stream = vec![9];
    let mut long = channel_data(8);
    long.truncate(9);
    let cases = [
        (long, FramingError::WrongLength { len: 9 }),
        (
            stun(8)[..24].to_vec(),
            FramingError::WrongLength { len: 24 },
        ),
        (vec![0x40], FramingError::WrongLength { len: 1 }),
        (vec![], FramingError::WrongLength { len: 0 }),
        (vec![0x80; 12], FramingError::NotTurn(0x80)),
    ];
    for (datagram, error) in cases {
        assert_eq!(Framing::Turn.append(&datagram, &mut stream), Err(error));
    }
    // What a caller has padded already is as good.
    let mut padded = channel_data(1);
    padded.extend([0; 3]);
    assert_eq!(Framing::Turn.append(&padded, &mut stream), Ok(()));
    let too_long = Framing::Rfc4571.append(&[0; 65_536], &mut stream);
    assert!(matches!(too_long, Err(FramingError::TooLong { .. })));
    assert_eq!(stream.len(), 1 + 8);
}

proptest! {
    #[test]
    fn datagrams_come_out_as_they_went_in(
        lens in prop::collection::vec(1_usize..3_000, 1..20),
        pieces in prop::collection::vec(1_usize..5_000, 1..10),
        turn in any::<bool>(),
    ) {
        let (framing, datagrams): (_, Vec<_>) = if turn {
            let message = |len: &usize| if len.is_multiple_of(3) { stun(len / 4 * 4) } else { channel_data(*len) };
            (Framing::Turn, lens.iter().map(message).collect())
        } else {
            (Framing::Rfc4571, lens.iter().map(|len| vec![*len as u8; *len]).collect())
        };
        let stream = framed(framing, &datagrams);
        let mut decoder = Decoder::new(framing);
        prop_assert_eq!(decode(&mut decoder, &stream, &pieces), datagrams);
        prop_assert_eq!(decoder.unread(), 0);
    }
}
