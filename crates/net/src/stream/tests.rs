use super::*;

fn queue_of(limit: usize) -> Queue {
    Queue::new(limit)
}

#[test]
fn a_full_queue_takes_no_more_until_something_was_written() {
    let mut queue = queue_of(1_000);
    assert!(queue.push(Framing::Rfc4571, &[21; 600]));
    assert!(!queue.push(Framing::Rfc4571, &[22; 600]));
    assert!(queue.push(Framing::Rfc4571, &[23; 300]));
    assert_eq!(queue.len(), 904);
    queue.written(602);
    assert_eq!(queue.bytes()[..3], [1, 44, 23]);
    assert!(queue.push(Framing::Rfc4571, &[24; 600]));
    assert_eq!(queue.len(), 904);
}

#[test]
fn an_empty_queue_takes_any_datagram() {
    let mut queue = queue_of(0);
    assert!(queue.push(Framing::Rfc4571, &[0; 65_535]));
    assert!(!queue.push(Framing::Rfc4571, &[]));
    queue.written(65_537);
    assert!(queue.is_empty() && queue.bytes.is_empty());
    assert!(!queue.push(Framing::Turn, &[0x80; 20]), "not of TURN");
}

#[test]
fn what_was_written_takes_no_memory_for_long() {
    let mut queue = queue_of(256 << 10);
    let mut most = 0;
    for _ in 0..10_000 {
        queue.push(Framing::Rfc4571, &[23; 1_200]);
        queue.push(Framing::Rfc4571, &[23; 1_200]);
        queue.written(2_000); // slower than it is filled
        most = most.max(queue.bytes.len());
    }
    assert!(most <= 2 * (256 << 10) + LEAST_MOVE, "{most}");
    assert!(queue.len() > 250 << 10);
}

/// RFC 7983 §7: 0 to 3 are STUN, 20 to 63 DTLS, 128 to 191 RTP.
#[test]
fn media_are_dropped_first_and_checks_last() {
    let mut queue = queue_of(10_000);
    let fill = |queue: &mut Queue, first: u8| {
        let datagram = [first; 100];
        (0..1_000)
            .take_while(|_| queue.push(Framing::Rfc4571, &datagram))
            .count()
    };
    // 102 bytes each.
    assert_eq!(fill(&mut queue, 128), 49);
    assert_eq!(fill(&mut queue, 23), 49);
    assert_eq!(fill(&mut queue, 128), 0);
    assert_eq!(fill(&mut queue, 0), 40);
    assert_eq!((fill(&mut queue, 23), fill(&mut queue, 0)), (0, 0));
    assert!(queue.len() <= 10_000 + CHECKS + 2);
    queue.written(10_000);
    assert!(fill(&mut queue, 128) > 0);
}
