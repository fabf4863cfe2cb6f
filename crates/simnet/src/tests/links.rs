//! Each property of a link.

use std::time::Duration;

use super::toy::Raw;
use crate::{Dropped, Fate, HEADER_BYTES, Link, Loss, Pair, ms, secs};

/// Sends `count` numbered datagrams of `len` bytes at once, or one every `gap`.
fn send(link: Link, count: u32, len: usize, gap: Duration) -> Pair<Raw> {
    let mut pair = Pair::new(11, Raw::default(), Raw::default())
        .with_links(link, Link::new())
        .with_batches(usize::MAX, 64);
    for number in 0..count {
        let mut datagram = vec![0; len.max(4)];
        datagram[..4].copy_from_slice(&number.to_be_bytes());
        pair.a.send(&datagram);
        if gap > Duration::ZERO {
            pair.run_for(gap);
        }
    }
    pair.run_until_idle();
    pair
}

fn numbers(pair: &Pair<Raw>) -> Vec<u32> {
    let number = |datagram: &Vec<u8>| u32::from_be_bytes(datagram[..4].try_into().unwrap());
    pair.b.received.iter().map(number).collect()
}

fn dropped(pair: &Pair<Raw>, why: Dropped) -> usize {
    pair.trace()
        .count(|record| record.fate == Fate::Dropped(why))
}

#[test]
fn a_perfect_wire_delivers_everything_at_once_in_order() {
    let pair = send(Link::new(), 100, 4, Duration::ZERO);
    assert_eq!(numbers(&pair), (0..100).collect::<Vec<_>>());
    assert!(pair.b.arrivals.iter().all(|at| at.is_zero()));
}

#[test]
fn delay_is_exact() {
    let pair = send(Link::new().delay(ms(30)), 3, 4, ms(7));
    assert_eq!(pair.b.arrivals, [ms(30), ms(37), ms(44)]);
}

#[test]
fn jitter_spreads_arrivals_and_keeps_their_order() {
    let link = Link::new().delay(ms(30)).jitter(ms(20));
    let pair = send(link, 500, 4, ms(1));
    assert_eq!(numbers(&pair), (0..500).collect::<Vec<_>>());
    let sent = (0..500).map(ms);
    let delays: Vec<_> = pair
        .b
        .arrivals
        .iter()
        .zip(sent)
        .map(|(at, sent)| *at - sent)
        .collect();
    assert!(delays.iter().all(|delay| (ms(30)..=ms(50)).contains(delay)));
    assert!(delays.iter().min() < Some(&ms(40)) && delays.iter().max() > Some(&ms(45)));
}

#[test]
fn uniform_loss_has_its_rate() {
    let pair = send(Link::new().loss(0.3), 10_000, 4, Duration::ZERO);
    let lost = dropped(&pair, Dropped::Lost);
    assert!((2_800..3_200).contains(&lost), "{lost}");
    assert_eq!(numbers(&pair).len() + lost, 10_000);
}

#[test]
fn gilbert_elliott_loses_in_bursts() {
    let model = Loss::GilbertElliott {
        enter: 0.01,
        leave: 0.1,
        good: 0.0,
        bad: 1.0,
    };
    let pair = send(Link::new().loss_model(model), 50_000, 4, Duration::ZERO);
    let mut lost = Vec::new();
    for record in pair.trace().iter() {
        lost.push(!record.is_delivered());
    }
    let total = lost.iter().filter(|lost| **lost).count();
    let bursts = lost
        .windows(2)
        .filter(|pair| pair == &[false, true])
        .count();
    let (share, burst) = (total as f64 / 50_000.0, total as f64 / bursts as f64);
    // 0.01 / (0.01 + 0.1), and 1 / 0.1 datagrams.
    assert!((0.08..0.10).contains(&share), "{share}");
    assert!((8.5..11.5).contains(&burst), "{burst}");
}

#[test]
fn reordering_delays_some_and_loses_none() {
    let pair = send(Link::new().reorder(0.1, ms(20)), 1_000, 4, ms(1));
    let mut numbers = numbers(&pair);
    let overtaken = numbers.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!((50..110).contains(&overtaken), "{overtaken}");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
}

#[test]
fn duplication_repeats_some() {
    let pair = send(Link::new().duplicate(0.2), 1_000, 4, ms(1));
    let mut numbers = numbers(&pair);
    assert!((1_150..1_250).contains(&numbers.len()));
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 1_000);
}

#[test]
fn corruption_flips_one_to_eight_bits_and_says_so() {
    let pair = send(Link::new().corrupt(0.5), 1_000, 40, Duration::ZERO);
    let mut corrupted = 0;
    for (number, (record, datagram)) in pair.trace().iter().zip(&pair.b.received).enumerate() {
        let mut sent = [0; 40];
        sent[..4].copy_from_slice(&(number as u32).to_be_bytes());
        let pairs = sent.iter().zip(datagram);
        let flipped: u32 = pairs.map(|(a, b)| (a ^ b).count_ones()).sum();
        let Fate::Delivered {
            corrupted: says, ..
        } = record.fate
        else {
            panic!("{record}");
        };
        assert_eq!(says, (1..=8).contains(&flipped), "{flipped} bits");
        assert!(flipped <= 8);
        corrupted += u32::from(says);
    }
    assert!((450..550).contains(&corrupted), "{corrupted}");
}

#[test]
fn a_rate_spaces_datagrams_and_drops_at_a_full_queue() {
    // 1,000 bytes on the wire take 8 ms; the queue holds five of them.
    let len = 1_000 - HEADER_BYTES;
    let link = Link::new().rate(1_000_000, 5_000);
    let pair = send(link.clone(), 20, len, Duration::ZERO);
    assert_eq!(
        pair.b.arrivals,
        [ms(8), ms(16), ms(24), ms(32), ms(40)],
        "one after the other"
    );
    assert_eq!(numbers(&pair), [0, 1, 2, 3, 4]);
    assert_eq!(dropped(&pair, Dropped::QueueFull), 15);

    let paced = send(link, 500, len, ms(8));
    assert_eq!(numbers(&paced).len(), 500);
    assert_eq!(paced.b.arrivals.last(), Some(&secs(4)));
}

#[test]
fn what_is_longer_than_the_mtu_is_dropped() {
    let link = Link::new().mtu(1_000);
    assert_eq!(numbers(&send(link.clone(), 1, 1_000, ms(0))), [0]);
    let pair = send(link, 1, 1_001, ms(0));
    assert_eq!(numbers(&pair), []);
    assert_eq!(dropped(&pair, Dropped::TooBig), 1);
}

#[test]
fn nothing_passes_a_link_that_is_down() {
    let pair = send(Link::new().down(), 10, 4, ms(1));
    assert_eq!(dropped(&pair, Dropped::Down), 10);
    assert_eq!(pair.trace().total(), 10);
}

#[test]
fn the_trace_reads_as_a_table() {
    let mut pair = send(Link::new().delay(ms(2)).mtu(100), 1, 50, ms(1));
    pair.a.send(&[0; 101]);
    pair.run_until_idle();
    let lines: Vec<String> = pair.trace().to_string().lines().map(String::from).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].trim(), "0.000ns 0 -> 1    50 B  arrives 2.000ms");
    assert_eq!(lines[1].trim(), "2.000ms 0 -> 1   101 B  dropped: TooBig");
}
