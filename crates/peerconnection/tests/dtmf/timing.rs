//! The playout task: when tones are played, and what is told of them.

use std::time::Instant;

use peerconnection::{engine::Connection, rtp::TransceiverDirection};

use super::*;

fn idle(_: &mut Connection, _: Instant, _: Option<char>) {}

#[test]
fn tones_are_told_as_they_begin() {
    let mut call = Call::new(1, good(), None);
    call.insert("1a,#", 100, 70);
    assert_eq!(call.net[A].engine.tone_buffer(call.here), "1A,#");
    let expected = [
        (0, "1", "A,#"),
        (170, "A", ",#"),
        (340, ",", "#"),
        (2340, "#", ""),
        (2510, "", ""),
    ];
    assert_eq!(call.listen(3000, idle), told(&expected));
    // It has come to rest, and begins again.
    call.insert("2", 100, 70);
    let expected = [(3000, "2", ""), (3170, "", "")];
    assert_eq!(call.listen(4000, idle), told(&expected));
}

/// The first of the five variants of the specification: tones of 500 ms.
#[test]
fn tones_have_the_duration_that_is_asked_for() {
    let mut call = Call::new(1, good(), None);
    call.insert("1234", 500, 70);
    let expected = [
        (0, "1", "234"),
        (570, "2", "34"),
        (1140, "3", "4"),
        (1710, "4", ""),
        (2280, "", ""),
    ];
    assert_eq!(call.listen(3000, idle), told(&expected));
    call.listen(3200, idle);
    assert_eq!(
        call.keys(),
        [('1', 500), ('2', 500), ('3', 500), ('4', 500)]
    );
}

/// The second: an empty string when "2" is heard. What is being played goes on.
#[test]
fn an_empty_string_plays_no_more() {
    let mut call = Call::new(1, good(), None);
    let id = call.here;
    call.insert("123", 100, 70);
    let heard = call.listen(1000, |engine, now, tone| {
        if tone == Some('2') {
            engine.insert_dtmf(now, id, "", ms(100), ms(70)).unwrap();
            assert_eq!(engine.tone_buffer(id), "");
        }
    });
    assert_eq!(
        heard,
        told(&[(0, "1", "23"), (170, "2", "3"), (340, "", "")])
    );
    assert_eq!(call.keys(), [('1', 100), ('2', 100)]);
}

/// The fourth: tones are appended before any is played, and while one is.
#[test]
fn tones_are_appended() {
    let mut call = Call::new(1, good(), None);
    let id = call.here;
    let append = |engine: &mut Connection, now: Instant, more: &str, duration| {
        let tones = engine.tone_buffer(id) + more;
        engine
            .insert_dtmf(now, id, &tones, ms(duration), ms(70))
            .unwrap();
    };
    call.insert("123", 100, 70);
    let now = call.net.now();
    append(&mut call.net[A].engine, now, "456", 100);
    let heard = call.listen(2000, |engine, now, tone| {
        if tone == Some('1') {
            append(engine, now, "789", 100);
        }
    });
    let tones: String = heard.iter().map(|(_, tone, _)| tone.as_str()).collect();
    assert_eq!(tones, "123456789");
    assert_eq!(heard.last().unwrap().0, 9 * 170);

    // The fifth: one second, then two.
    call.insert("1", 1000, 70);
    let heard = call.listen(6000, |engine, now, tone| {
        if tone == Some('1') {
            append(engine, now, "2", 2000);
        }
    });
    let expected = [(2000, "1", ""), (3070, "2", ""), (5140, "", "")];
    assert_eq!(heard, told(&expected));
    assert_eq!(call.keys()[9..], [('1', 1000), ('2', 2000)]);
}

/// The task that is scheduled stays, with the parameters it will find.
#[test]
fn a_replacement_waits_for_the_tone_before_it() {
    let mut call = Call::new(1, good(), None);
    call.insert("123", 100, 70);
    assert_eq!(call.listen(50, idle), told(&[(0, "1", "23")]));
    call.insert("9", 40, 30);
    assert_eq!(
        call.listen(1000, idle),
        told(&[(170, "9", ""), (240, "", "")])
    );
    assert_eq!(call.keys(), [('1', 100), ('9', 40)]);
}

#[test]
fn durations_and_gaps_are_kept_between_their_limits() {
    let mut call = Call::new(1, good(), None);
    call.insert("1", 0, 0);
    assert_eq!(call.listen(1000, idle), told(&[(0, "1", ""), (70, "", "")]));
    call.insert("2", 6001, 6001);
    let expected = [(1000, "2", ""), (13_000, "", "")];
    assert_eq!(call.listen(14_000, idle), told(&expected));
    assert_eq!(call.keys(), [('1', 40), ('2', 6000)]);
}

#[test]
fn what_is_no_tone_changes_nothing() {
    let mut call = Call::new(1, good(), None);
    call.insert("12", 100, 70);
    let now = call.net.now();
    for wrong in ["12x", "1 2", "e", "1é", "٣"] {
        let engine = &mut call.net[A].engine;
        let refused = engine.insert_dtmf(now, call.here, wrong, ms(100), ms(70));
        assert_eq!(refused.unwrap_err().name(), "InvalidCharacterError");
    }
    assert_eq!(call.net[A].engine.tone_buffer(call.here), "12");
}

/// Each condition of "determine if DTMF can be sent", and that the task looks at it again.
#[test]
fn tones_end_where_none_can_be_sent() {
    type End = fn(&mut Call);
    let ends: [End; 5] = [
        |call| call.net[A].engine.replace_track(call.here, None).unwrap(),
        |call| call.net[A].engine.remove_track(call.here).unwrap(),
        |call| call.net[A].engine.stop_transceiver(call.here).unwrap(),
        |call| {
            let (engine, id) = (&mut call.net[A].engine, call.here);
            engine
                .set_direction(id, TransceiverDirection::RecvOnly)
                .unwrap();
            call.negotiate();
        },
        |call| {
            let now = call.net.now();
            let engine = &mut call.net[A].engine;
            let mut parameters = engine.send_parameters(call.here).unwrap();
            parameters.encodings[0].active = false;
            engine
                .set_send_parameters(now, call.here, parameters)
                .unwrap();
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut call = Call::new(1, good(), None);
        assert!(call.net[A].engine.can_insert_dtmf(call.here));
        call.insert("123", 100, 70);
        assert_eq!(call.listen(50, idle), told(&[(0, "1", "23")]), "{number}");
        end(&mut call);
        let until = call.elapsed().as_millis() as u64 + 2000;
        assert_eq!(call.listen(until, idle), [], "{number}");
        assert!(!call.net[A].engine.can_insert_dtmf(call.here));
        let now = call.net.now();
        let engine = &mut call.net[A].engine;
        let refused = engine.insert_dtmf(now, call.here, "x", ms(100), ms(70));
        assert_eq!(refused.unwrap_err().name(), "InvalidStateError", "{number}");
    }
}

/// The specification leaves the tones that were not played where they are.
#[test]
fn another_track_can_be_given_and_tones_inserted_again() {
    let mut call = Call::new(1, good(), None);
    call.insert("123", 100, 70);
    call.listen(50, idle);
    call.net[A].engine.replace_track(call.here, None).unwrap();
    assert_eq!(call.listen(1000, idle), []);
    assert_eq!(call.net[A].engine.tone_buffer(call.here), "23");
    call.net[A]
        .engine
        .replace_track(call.here, Some("other"))
        .unwrap();
    assert_eq!(call.listen(2000, idle), []);
    call.insert("7", 100, 70);
    assert_eq!(
        call.listen(3000, idle),
        told(&[(2000, "7", ""), (2170, "", "")])
    );
}

#[test]
fn nothing_is_told_after_close() {
    let mut call = Call::new(1, good(), None);
    call.insert("123", 100, 70);
    call.listen(50, idle);
    let now = call.net.now();
    call.net[A].engine.close(now);
    assert!(!call.net[A].engine.can_insert_dtmf(call.here));
    assert_eq!(call.listen(1000, idle), []);
}

/// Tones are told in order, and heard, whenever the engines are called.
#[test]
fn no_order_of_calls_is_needed() {
    pc_simnet::for_each_seed(5, |seed| {
        let mut call = Call::lazy(seed, good());
        call.insert("159D", 100, 70);
        let heard = call.listen(5000, idle);
        let tones: Vec<_> = heard.iter().map(|(_, tone, _)| tone.as_str()).collect();
        assert_eq!(tones, ["1", "5", "9", "D", ""]);
        assert_eq!(
            call.keys(),
            [('1', 100), ('5', 100), ('9', 100), ('D', 100)]
        );
    });
}
