//! Packets that come.

use super::*;

struct Ear {
    receiver: Receiver,
    begin: Instant,
}

impl Ear {
    fn new() -> Self {
        Self {
            receiver: Receiver::new(8_000),
            begin: beginning(),
        }
    }

    fn hear(
        &mut self,
        at: u64,
        marker: bool,
        timestamp: u32,
        tone: char,
        duration: u16,
        end: bool,
    ) {
        let event = TelephoneEvent {
            code: key(tone),
            is_end: end,
            volume: 10,
            duration,
        };
        let (now, timestamp) = (self.begin + ms(at), Serial32(timestamp));
        let heard = (self.receiver).handle_packet(now, marker, timestamp, &event.to_bytes());
        heard.unwrap();
    }

    /// `+5`: it has begun; `-5 40`: it is over after 40 ms; `~5 40`: its end was not heard.
    fn events(&mut self) -> String {
        let events = std::iter::from_fn(|| self.receiver.poll_event());
        let words = events.map(|event| match event {
            Event::Begin(begun) => format!("+{}", begun.code),
            Event::End(ended) => {
                let sign = if ended.is_complete { '-' } else { '~' };
                format!("{sign}{} {}", ended.code, ended.duration.as_millis())
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn one_event_is_made_of_its_packets() {
    let mut ear = Ear::new();
    ear.hear(20, true, 0, '5', 160, false);
    assert_eq!(ear.events(), "+5");
    ear.hear(40, false, 0, '5', 320, false);
    for at in [60, 80, 100] {
        ear.hear(at, false, 0, '5', 480, true);
    }
    assert_eq!(ear.events(), "-5 60");
    assert_eq!(ear.receiver.poll_timeout(), None);
}

#[test]
fn any_one_packet_is_enough() {
    let mut ear = Ear::new();
    ear.hear(0, false, 800, '1', 320, true);
    assert_eq!(ear.events(), "+1 -1 40");
    ear.hear(0, false, 8000, '1', 160, false);
    ear.receiver.handle_timeout(ear.begin + ms(299));
    assert_eq!(ear.events(), "+1");
    ear.receiver.handle_timeout(ear.begin + ms(300));
    assert_eq!(ear.events(), "~1 20");
    // What is late does not begin it anew, nor does its end.
    ear.hear(310, false, 8000, '1', 480, false);
    ear.hear(320, false, 8000, '1', 640, true);
    assert_eq!(ear.events(), "");
}

#[test]
fn copies_and_what_is_late_change_nothing() {
    let mut ear = Ear::new();
    ear.hear(0, false, 0, '1', 640, false);
    ear.hear(1, true, 0, '1', 160, false);
    ear.hear(2, false, 0, '1', 800, true);
    ear.hear(3, false, 0, '1', 320, false);
    assert_eq!(ear.events(), "+1 -1 100");
    ear.hear(4, true, 1600, '1', 160, false);
    ear.hear(5, false, 0, '1', 800, true);
    ear.hear(6, true, 800, '9', 160, true);
    ear.hear(7, false, 1600, '1', 320, true);
    assert_eq!(ear.events(), "+1 -1 40");
}

/// A late update says less than is known.
#[test]
fn what_has_lasted_does_not_shrink() {
    let mut ear = Ear::new();
    ear.hear(0, true, 0, '1', 160, false);
    ear.hear(40, false, 0, '1', 640, false);
    ear.hear(41, false, 0, '1', 320, false);
    ear.receiver.stop();
    assert_eq!(ear.events(), "+1 ~1 80");
}

#[test]
fn an_event_ends_the_one_before() {
    let mut ear = Ear::new();
    ear.hear(20, true, 0, '1', 160, false);
    ear.hear(40, true, 560, '2', 160, false);
    ear.receiver.stop();
    ear.receiver.stop();
    assert_eq!(ear.events(), "+1 ~1 20 +2 ~2 20");
}

/// The same key twice, the end of the first and the marker of the second lost.
#[test]
fn the_same_key_twice_is_not_a_segment() {
    let mut ear = Ear::new();
    ear.hear(20, true, 0, '1', 160, false);
    ear.hear(40, false, 560, '1', 320, false);
    assert_eq!(ear.events(), "+1 ~1 20 +1");
}

/// RFC 4733 §2.5.1.3 and §2.5.2.3.
#[test]
fn segments_are_one_event() {
    let mut ear = Ear::new();
    ear.hear(0, true, 0, '1', 160, false);
    ear.hear(100, false, 0xFFFF, '1', 320, false);
    ear.hear(101, false, 0, '1', 0xFFFF, false);
    // One segment is lost whole.
    ear.hear(200, false, 3 * 0xFFFF, '1', 80, true);
    ear.hear(201, false, 3 * 0xFFFF, '1', 80, true);
    assert_eq!(ear.events(), format!("+1 -1 {}", (3 * 0xFFFF + 80) / 8));

    // Of a sender that cuts elsewhere.
    let mut ear = Ear::new();
    ear.hear(0, true, 0, '1', 65_440, false);
    ear.hear(10, false, 65_440, '1', 160, true);
    assert_eq!(ear.events(), "+1 -1 8200");

    // After its end, a key is pressed again, whatever the timestamp.
    ear.hear(20, false, 65_440 + 0xFFFF, '1', 160, true);
    assert_eq!(ear.events(), "+1 -1 20");
}

/// libwebrtc has its next segment begin with the packet that tells of it first, 20 ms after the update
/// before: what Chromium sent for a "2" of two seconds.
#[test]
fn segments_that_begin_late_are_one_event() {
    for is_lost in [false, true] {
        let mut ear = Ear::new();
        ear.receiver.restart(48_000);
        (1..=68).for_each(|step| ear.hear(step * 20, step == 1, 0, '2', step as u16 * 960, false));
        if !is_lost {
            ear.hear(1380, false, 0, '2', 0xFFFF, false);
            ear.hear(1380, false, 69 * 960, '2', 705, false);
        }
        (1..=31).for_each(|step| {
            let at = 1380 + step * 20;
            ear.hear(at, false, 69 * 960, '2', step as u16 * 960, false);
        });
        (0..3).for_each(|_| ear.hear(2020, false, 69 * 960, '2', 32 * 960, true));
        assert_eq!(ear.events(), "+2 -2 2005", "{is_lost}");
    }

    // As late, but short: the same key twice.
    let mut ear = Ear::new();
    ear.receiver.restart(48_000);
    ear.hear(20, true, 0, '2', 960, false);
    ear.hear(300, false, 69 * 960, '2', 960, true);
    assert_eq!(ear.events(), "+2 ~2 20 +2 -2 20");
}

/// A segment that comes after silence goes on with what has been told to be over.
#[test]
fn an_event_that_fell_silent_does_not_begin_again() {
    let mut ear = Ear::new();
    ear.hear(0, true, 0, '1', 160, false);
    ear.hear(8_200, false, 0xFFFF, '1', 320, false);
    ear.hear(8_220, false, 0xFFFF, '1', 480, true);
    assert_eq!(ear.events(), "+1 ~1 20");
    ear.hear(8_400, true, 2 * 0xFFFF, '1', 160, true);
    assert_eq!(ear.events(), "+1 -1 20");
}

/// RFC 4733 §2.5.1.5.
#[test]
fn a_packet_may_tell_of_several_events() {
    let mut ear = Ear::new();
    let packet = [1, 0x8A, 0x01, 0x40, 2, 0x0A, 0x00, 0xA0];
    let now = ear.begin;
    let take = |ear: &mut Ear, payload: &[u8]| {
        (ear.receiver).handle_packet(now, true, Serial32(0), payload)
    };
    take(&mut ear, &packet).unwrap();
    take(&mut ear, &packet).unwrap();
    assert_eq!(ear.events(), "+1 -1 40 +2");
    ear.hear(10, false, 320, '2', 320, true);
    assert_eq!(ear.events(), "-2 40");
    assert!(take(&mut ear, &[1, 2, 3]).is_err());
}

#[test]
fn nothing_of_no_duration_is_an_event() {
    let mut ear = Ear::new();
    ear.hear(0, true, 0, '1', 0, false);
    ear.hear(0, true, 0, '1', 0, true);
    assert_eq!(ear.events(), "");
}

/// A source that sets its clock back is heard; so are events before and after timestamps wrap.
#[test]
fn clocks_wrap_and_are_set_anew() {
    let mut ear = Ear::new();
    ear.hear(0, true, u32::MAX - 10, '1', 320, true);
    ear.hear(100, true, 800, '2', 320, true);
    assert_eq!(ear.events(), "+1 -1 40 +2 -2 40");
    ear.hear(200, true, 800_u32.wrapping_sub(80_001), '3', 320, true);
    assert_eq!(ear.events(), "+3 -3 40");
}

/// Its timestamps are another stream's.
#[test]
fn another_stream_begins_anew() {
    let mut ear = Ear::new();
    ear.hear(0, true, 8000, '1', 160, false);
    ear.receiver.restart(48_000);
    ear.hear(10, false, 8000, '1', 960, true);
    assert_eq!(ear.events(), "+1 ~1 20 +1 -1 20");
}

#[test]
fn unread_events_are_bounded_and_paired() {
    let mut ear = Ear::new();
    for event in 0..5000_u32 {
        ear.hear(u64::from(event), true, event * 1000, '1', 160, false);
    }
    ear.receiver.stop();
    let all: Vec<_> = std::iter::from_fn(|| ear.receiver.poll_event()).collect();
    assert_eq!(all.len(), 1024);
    for pair in all.chunks(2) {
        assert!(matches!(pair, [Event::Begin(_), Event::End(_)]), "{pair:?}");
    }
    ear.hear(9000, true, 50_000_000, '2', 160, true);
    assert_eq!(ear.events(), "+2 -2 20");
}
