//! Packets that leave.

use super::*;

/// RFC 4733 §2.5.1: marker once, one timestamp, durations that grow, three final packets.
#[test]
fn an_event_is_told_of_as_it_lasts() {
    for (clock_rate, ticks) in [(8_000, 160), (48_000, 960)] {
        let mut line = Line::new(clock_rate);
        line.play(ms(0), 7, '5', ms(100));
        line.run(ms(1000));
        let table: Vec<_> = line.sent.iter().map(Sent::line).collect();
        assert_eq!(
            table,
            [
                (20, 7, ticks, "M"),
                (40, 7, 2 * ticks, ""),
                (60, 7, 3 * ticks, ""),
                (80, 7, 4 * ticks, ""),
                (100, 7, 5 * ticks, "E"),
                (120, 7, 5 * ticks, "E"),
                (140, 7, 5 * ticks, "E"),
            ]
        );
        let event = line.sent[0].event();
        assert_eq!((event.code, event.volume), (key('5'), DEFAULT_VOLUME));
        assert!(!line.transmitter.is_active());
        assert_eq!(line.transmitter.poll_timeout(), None);
    }
}

#[test]
fn durations_need_not_be_whole_intervals() {
    let mut line = Line::new(8_000);
    line.play(ms(0), 0, '1', ms(50));
    line.run(ms(50));
    let table: Vec<_> = line.sent.iter().map(Sent::line).collect();
    assert_eq!(
        table,
        [(20, 0, 160, "M"), (40, 0, 320, ""), (50, 0, 400, "E")]
    );

    let mut line = Line::new(8_000);
    line.transmitter.set_interval(ms(60));
    line.transmitter.set_volume(200);
    line.play(ms(0), 0, '1', ms(40));
    line.run(ms(1000));
    let table: Vec<_> = line.sent.iter().map(Sent::line).collect();
    assert_eq!(
        table,
        [(40, 0, 320, "ME"), (100, 0, 320, "E"), (160, 0, 320, "E")]
    );
    assert_eq!(line.sent[0].event().volume, 63);
}

/// RFC 4733 §2.5.1.3. Six seconds are more than a segment at 48,000 Hz, and less at 8,000 Hz.
#[test]
fn long_events_are_cut_into_segments() {
    let mut line = Line::new(48_000);
    let start = u32::MAX - 99;
    line.play(ms(0), start, '#', ms(6000));
    line.run(ms(7000));
    assert_eq!(line.sent.iter().filter(|it| it.packet.marker).count(), 1);
    assert!(line.sent[0].packet.marker);
    let segments = (0..5_u32).map(|it| start.wrapping_add(it * 0xFFFF));
    for (number, timestamp) in segments.enumerate() {
        let of: Vec<_> = line
            .sent
            .iter()
            .filter(|it| it.packet.timestamp.0 == timestamp)
            .collect();
        let durations: Vec<_> = of.iter().map(|it| it.event().duration).collect();
        assert!(
            durations.is_sorted() && !durations.contains(&0),
            "{durations:?}"
        );
        let finals = &of[of.len() - 3..];
        let (is_end, last) = match number {
            4 => (true, 288_000 - 4 * 0xFFFF),
            _ => (false, 0xFFFF),
        };
        for sent in finals {
            assert_eq!(u32::from(sent.event().duration), last);
            assert_eq!(sent.event().is_end, is_end);
        }
        assert_eq!(
            of.iter().filter(|it| it.event().is_end).count(),
            3 * usize::from(is_end)
        );
    }

    let mut line = Line::new(8_000);
    line.play(ms(0), 0, '#', ms(6000));
    line.run(ms(7000));
    assert!(line.sent.iter().all(|it| it.packet.timestamp.0 == 0));
    assert_eq!(line.sent.last().unwrap().event().duration, 48_000);
}

/// An event that lasts exactly as long as can be told needs no segment.
#[test]
fn the_longest_segment_is_an_event() {
    let mut line = Line::new(1000);
    line.play(ms(0), 0, 'A', ms(0xFFFF));
    line.run(ms(70_000));
    assert!(line.sent.iter().all(|it| it.packet.timestamp.0 == 0));
    let last = line.sent.last().unwrap().event();
    assert_eq!((last.duration, last.is_end), (0xFFFF, true));
}

#[test]
fn the_next_event_follows_the_last_final_packet() {
    let mut line = Line::new(8_000);
    line.play(ms(0), 0, '1', ms(40));
    line.run(ms(70));
    assert!(line.transmitter.is_active());
    // The shortest gap there is.
    line.play(ms(70), 560, '1', ms(40));
    line.run(ms(1000));
    let table: Vec<_> = line.sent.iter().map(Sent::line).collect();
    assert_eq!(
        table,
        [
            (20, 0, 160, "M"),
            (40, 0, 320, "E"),
            (60, 0, 320, "E"),
            (80, 0, 320, "E"),
            (90, 560, 160, "M"),
            (110, 560, 320, "E"),
            (130, 560, 320, "E"),
            (150, 560, 320, "E"),
        ]
    );
}

/// Who polls late sends what is true by then, in order, and nothing twice.
#[test]
fn a_late_driver_misses_updates_alone() {
    let mut line = Line::new(8_000);
    line.play(ms(0), 0, '1', ms(100));
    line.poll(ms(19));
    assert_eq!(line.sent, []);
    line.poll(ms(71));
    line.poll(ms(79));
    line.poll(ms(105));
    line.play(ms(170), 1360, '2', ms(100));
    line.poll(ms(195));
    let table: Vec<_> = line.sent.iter().map(Sent::line).collect();
    assert_eq!(
        table,
        [
            (71, 0, 480, "M"),
            (105, 0, 800, "E"),
            (195, 0, 800, "E"),
            (195, 0, 800, "E"),
            (195, 1360, 160, "M"),
        ]
    );
}

#[test]
fn an_event_can_be_stopped() {
    let mut line = Line::new(8_000);
    line.play(ms(0), 0, '1', ms(1000));
    let busy = line
        .transmitter
        .play(line.begin, Serial32(0), key('2'), ms(40));
    assert_eq!(busy, Err(PlayError::Busy));
    line.run(ms(45));
    line.transmitter.stop(line.begin + ms(45));
    line.run(ms(1000));
    let table: Vec<_> = line.sent.iter().map(Sent::line).collect();
    let expected = [
        (20, 0, 160, "M"),
        (40, 0, 320, ""),
        (45, 0, 360, "E"),
        (65, 0, 360, "E"),
        (85, 0, 360, "E"),
    ];
    assert_eq!(table, expected);

    // One that was let go of before anything was told.
    let mut line = Line::new(8_000);
    line.play(ms(0), 0, '1', ms(1000));
    line.transmitter.stop(line.begin);
    line.run(ms(0));
    let table: Vec<_> = line.sent.iter().map(Sent::line).collect();
    assert_eq!(table, [(0, 0, 1, "ME")]);
}
