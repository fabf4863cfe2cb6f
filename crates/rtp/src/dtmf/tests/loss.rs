//! Between two ends there is a network.

use proptest::{prelude::*, test_runner::TestRng};

use super::*;

/// Packets leave at least this long after those of the event before: the shortest gap of the W3C's
/// (30 ms), and the interval before the first update. What is delayed by less comes before them.
const MAX_DELAY: u64 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Press {
    tone: char,
    duration: u64,
    gap: u64,
}

/// What happens to a packet on its way.
#[derive(Debug, Clone, Copy)]
struct Fate {
    is_lost: bool,
    delay: u64,
    /// How much later a copy of it comes, if there is one.
    copy: Option<u64>,
}

/// Plays all, and says which packets leave for which of them.
fn play(clock_rate: u32, presses: &[Press]) -> Vec<(usize, Sent)> {
    let mut line = Line::new(clock_rate);
    let mut at = ms(0);
    let mut starts = Vec::new();
    for press in presses {
        line.run(at);
        let start = ticks(at, clock_rate) as u32;
        starts.push(start);
        line.play(at, start, press.tone, ms(press.duration));
        at += ms(press.duration + press.gap);
    }
    line.run(at + ms(1000));
    let number = |sent: &Sent| starts.iter().rposition(|it| *it <= sent.packet.timestamp.0);
    (line.sent.iter())
        .map(|sent| (number(sent).unwrap(), *sent))
        .collect()
}

/// What is heard of it, and when it ended.
fn hear(clock_rate: u32, arrivals: &[(Duration, Packet)]) -> Vec<Ended> {
    let begin = beginning();
    let mut receiver = Receiver::new(clock_rate);
    let mut heard = Vec::new();
    let mut open = None;
    let end = arrivals.last().map_or(ms(0), |(at, _)| *at) + ms(1000);
    let mut drain = |receiver: &mut Receiver| {
        while let Some(event) = receiver.poll_event() {
            match event {
                Event::Begin(begun) => assert_eq!(open.replace(begun), None),
                Event::End(ended) => {
                    let begun = open.take().expect("what ends has begun");
                    assert_eq!((begun.code, begun.timestamp), (ended.code, ended.timestamp));
                    heard.push(ended);
                }
            }
        }
    };
    for (at, packet) in arrivals {
        let now = begin + *at;
        let taken = receiver.handle_packet(now, packet.marker, packet.timestamp, &packet.payload);
        taken.unwrap();
        drain(&mut receiver);
    }
    receiver.handle_timeout(begin + end);
    drain(&mut receiver);
    assert_eq!(open, None, "what begins ends");
    heard
}

/// Takes the packets through the network: what arrives when, and for which press.
fn carry(
    sent: &[(usize, Sent)],
    mut fate: impl FnMut(usize) -> Fate,
) -> Vec<(usize, Duration, Packet)> {
    let mut arrivals = Vec::new();
    for (index, (press, sent)) in sent.iter().enumerate() {
        let fate = fate(index);
        if !fate.is_lost {
            let at = sent.at + ms(fate.delay);
            arrivals.push((*press, at, sent.packet));
            arrivals.extend(fate.copy.map(|later| (*press, at + ms(later), sent.packet)));
        }
    }
    arrivals.sort_by_key(|(_, at, _)| *at);
    arrivals
}

fn press() -> impl Strategy<Value = Press> {
    let tone = prop::sample::select("0123456789ABCD*#".chars().collect::<Vec<_>>());
    let duration = prop_oneof![40..200_u64, 40..=6000_u64];
    (tone, duration, 30..300_u64).prop_map(|(tone, duration, gap)| Press {
        tone,
        duration,
        gap,
    })
}

fn fate() -> impl Strategy<Value = Fate> {
    let copy = prop::option::weighted(0.2, 0..3000_u64);
    (prop::bool::weighted(0.2), 0..=MAX_DELAY, copy).prop_map(|(is_lost, delay, copy)| Fate {
        is_lost,
        delay,
        copy,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is lost, late or there twice: what any packet tells of is heard, once, in order, and
    /// for as long as it lasted if its end was heard.
    #[test]
    fn what_arrives_is_heard_once(
        clock_rate in prop::sample::select(vec![8_000_u32, 48_000]),
        presses in prop::collection::vec(press(), 1..8),
        fates in prop::collection::vec(fate(), 64),
    ) {
        let sent = play(clock_rate, &presses);
        let arrivals = carry(&sent, |index| fates[index % fates.len()]);
        let mut expected: Vec<_> = arrivals.iter().map(|(press, ..)| *press).collect();
        expected.sort_unstable();
        expected.dedup();
        let has_end = |press: usize| arrivals.iter().any(|(of, _, packet)| {
            *of == press && telephone_event::parse(&packet.payload).unwrap().any(|it| it.is_end)
        });
        let packets: Vec<_> = arrivals.iter().map(|(_, at, packet)| (*at, *packet)).collect();
        let heard = hear(clock_rate, &packets);
        prop_assert_eq!(heard.len(), expected.len());
        for (heard, press) in heard.iter().zip(expected) {
            prop_assert_eq!(heard.code.tone(), Some(presses[press].tone));
            prop_assert_eq!(heard.is_complete, has_end(press));
            let is_whole = presses.get(press).is_some_and(|it| heard.duration == ms(it.duration));
            let heard_from_begin = sent.iter().find(|(of, _)| *of == press)
                .is_some_and(|(_, first)| first.packet.timestamp == heard.timestamp);
            prop_assert!(is_whole || !heard.is_complete || !heard_from_begin);
        }
    }
}

/// A fifth of all packets, and what jitter does to their order: no key is lost, none is there twice,
/// and nearly all have lasted as long as they did.
#[test]
fn a_fifth_lost_loses_no_key() {
    let mut rng = TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    for clock_rate in [8_000, 48_000] {
        let keys: Vec<_> = "0123456789ABCD*#".chars().cycle().take(2000).collect();
        let presses: Vec<_> = keys
            .iter()
            .map(|tone| Press {
                tone: *tone,
                duration: 100,
                gap: 70,
            })
            .collect();
        let sent = play(clock_rate, &presses);
        assert_eq!(sent.len(), 7 * 2000);
        let mut lost = 0;
        let arrivals = carry(&sent, |_| {
            let is_lost = rng.random_ratio(1, 5);
            lost += usize::from(is_lost);
            Fate {
                is_lost,
                delay: rng.random_range(0..=45),
                copy: rng.random_ratio(1, 20).then(|| rng.random_range(0..500)),
            }
        });
        assert!(lost > sent.len() / 6, "{lost}");
        let packets: Vec<_> = arrivals
            .iter()
            .map(|(_, at, packet)| (*at, *packet))
            .collect();
        let heard = hear(clock_rate, &packets);
        let tones: Vec<_> = heard.iter().filter_map(|it| it.code.tone()).collect();
        assert_eq!(tones, keys);
        let whole = heard.iter().filter(|it| it.duration == ms(100)).count();
        // One in 125 loses all three final packets.
        assert!(whole > 1950, "{whole}");
        assert!(
            heard
                .iter()
                .all(|it| it.is_complete || it.duration < ms(100))
        );
    }
}
