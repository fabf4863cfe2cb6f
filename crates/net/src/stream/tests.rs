use super::*;

fn queue_of(limit: usize) -> Queue {
    Queue::new(limit)
}

#[test]
fn a_full_queue_takes_no_more_until_something_was_written() {
    let mut queue = queue_of(1_000);
    assert!(queue.push(Framing::Rfc4571, &[1; 600]));
    assert!(!queue.push(Framing::Rfc4571, &[2; 600]));
    assert!(queue.push(Framing::Rfc4571, &[3; 300]));
    assert_eq!(queue.len(), 904);
    queue.written(602);
    assert_eq!(queue.bytes()[..3], [1, 44, 3]);
    assert!(queue.push(Framing::Rfc4571, &[4; 600]));
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
        queue.push(Framing::Rfc4571, &[0; 1_200]);
        queue.push(Framing::Rfc4571, &[0; 1_200]);
        queue.written(2_000); // slower than it is filled
        most = most.max(queue.bytes.len());
    }
    assert!(most <= 2 * (256 << 10) + LEAST_MOVE, "{most}");
    assert!(queue.len() > 250 << 10);
}
