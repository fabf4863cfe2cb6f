//! What is forwarded can leave through a session, which adds the rest: extensions, pace, retransmission.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
// What the other tests of the modules use is not all used here.
#![allow(dead_code)]

mod common;
mod forward;

use common::{VIDEO, sending};
use forward::source::{Kind, Source, Tag};
use pc_proto::{Batch, Protocol};
use pc_rtp::{PacketView, PayloadType, Ssrc, is_rtcp, payload::Vp8Descriptor};
use pc_rtp_session::forward::{Encoding, Incoming, Layer, Rewriter, RewriterConfig};
use pc_simnet::{epoch, ms};

#[test]
fn a_session_sends_on_what_a_rewriter_numbers() {
    let mut session = sending(epoch());
    let mut rewriter = Rewriter::new(&RewriterConfig {
        ssrc: Ssrc(1),
        payload_type: PayloadType::new(96).unwrap(),
        clock_rate: 90_000,
        seed: [3; 32],
    });
    // Every fourth picture only, of two encodings in turn.
    rewriter.set_limit(Layer::BASE);
    let mut sources = [0, 1].map(|encoding| Source::new(Kind::Vp8, encoding, 9));
    let (mut batch, mut left) = (Batch::new(), Vec::new());
    for step in 0..120_u64 {
        let now = epoch() + ms(33 * step);
        rewriter.select(Encoding((step / 40 % 2) as u32));
        for (at, source) in sources.iter_mut().enumerate() {
            for packet in source.picture(step % 40 == 0) {
                let view = PacketView::parse(&packet).unwrap();
                let incoming = Incoming::of_packet(Kind::Vp8.format(), &view, None).unwrap();
                if let Ok(outgoing) = rewriter.rewrite(now, Encoding(at as u32), &incoming) {
                    let mut payload = incoming.payload().to_vec();
                    outgoing.renumber(&mut payload).unwrap();
                    let packet = outgoing.packet(&payload);
                    session.send_packet(now, VIDEO, 0, packet).unwrap();
                }
            }
        }
        session.handle_timeout(now);
        while session
            .poll_transmit(now, &mut batch.transmit_buf(1200, 64))
            .is_some()
        {
            let packets = batch.datagrams().filter(|it| !is_rtcp(it));
            left.extend(packets.map(<[u8]>::to_vec));
        }
    }
    let views: Vec<_> = left
        .iter()
        .map(|it| PacketView::parse(it).unwrap())
        .collect();
    assert!(views.len() >= 30, "{}", views.len());
    for pair in views.windows(2) {
        assert_eq!(pair[1].sequence_number(), pair[0].sequence_number().next());
        let of = |view: &PacketView<'_>| Vp8Descriptor::parse(view.payload()).unwrap();
        let is_same = pair[0].timestamp() == pair[1].timestamp();
        let ids = pair
            .iter()
            .map(|it| of(it).picture_id.unwrap())
            .collect::<Vec<_>>();
        assert_eq!(ids[1].wrapping_sub(ids[0]) & 0x7FFF, u16::from(!is_same));
    }
    let mut encodings: Vec<_> = views
        .iter()
        .map(|it| Tag::read(it.payload()).encoding)
        .collect();
    encodings.dedup();
    assert_eq!(encodings, [0, 1, 0]);
}

#[test]
fn what_browsers_send_at_most_is_sent_on() {
    use pc_proto::{Serial16, Serial32};
    use pc_rtp_session::{OutgoingPacket, SendError};
    let mut session = sending(epoch());
    let packet = |payload| OutgoingPacket {
        source: Ssrc(1),
        payload_type: PayloadType::new(96).unwrap(),
        marker: true,
        sequence_number: Serial16(1),
        timestamp: Serial32(1),
        payload,
        audio_level: None,
        orientation: None,
    };
    // 1,200 bytes less a header with the mid, and less the number of a retransmission.
    let longest = [0x10; 1200 - 12 - 8 - 2];
    session
        .send_packet(epoch(), VIDEO, 0, packet(&longest))
        .unwrap();
    let mut batch = Batch::new();
    let mut sent = Vec::new();
    while session
        .poll_transmit(epoch(), &mut batch.transmit_buf(1200, 64))
        .is_some()
    {
        let packets = batch.datagrams().filter(|it| !is_rtcp(it));
        sent.extend(packets.map(<[u8]>::to_vec));
    }
    assert_eq!(sent.len(), 1);
    assert_eq!(PacketView::parse(&sent[0]).unwrap().payload(), longest);
    // With UDP, IPv6 and SRTP around it, it fits in the 1,280 bytes that any network of IPv6 carries.
    assert!(sent[0].len() + 20 + 48 <= 1280, "{}", sent[0].len());
    let too_long = session.send_packet(epoch(), VIDEO, 0, packet(&[0x10; 1200]));
    assert!(matches!(too_long, Err(SendError::TooLong { .. })));
}
