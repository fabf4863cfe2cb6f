//! Holds what both sides printed against what a scenario expects.

use serde_json::{Value, json};

use super::{
    process::Ended,
    scenario::{Expect, Scenario, Side},
};

/// What is wrong with a run, in words; nothing when all is as expected.
pub(crate) fn problems(scenario: &Scenario, ended: &[Ended; 2]) -> Vec<String> {
    let told = ended
        .iter()
        .zip([Side::Ours, Side::Theirs])
        .flat_map(|(ended, side)| {
            ended
                .of("error")
                .map(move |line| format!("{} says: {}", side.name(), line.json["what"]))
        });
    let found: Vec<String> = scenario
        .expect
        .iter()
        .filter_map(|expect| problem(expect, ended))
        .collect();
    if found.is_empty() {
        found
    } else {
        found.into_iter().chain(told).collect()
    }
}

fn problem(expect: &Expect, ended: &[Ended; 2]) -> Option<String> {
    let of = |side: Side| match side {
        Side::Ours => &ended[0],
        Side::Theirs => &ended[1],
    };
    let (side, what) = match expect {
        Expect::Exit(side, code) => (side, exit(of(*side), *code)),
        Expect::Echoed { from, count, size } => {
            (from, echoed(of(*from), of(from.other()), *count, *size))
        }
        Expect::Accepted(side, fields) => (side, line(of(*side), "datachannel", fields)),
        Expect::NothingAccepted(side) => (side, none(of(*side), "datachannel", &json!({}))),
        Expect::Opened(side, fields) => (side, line(of(*side), "open", fields)),
        Expect::NeverOpen(side) => (side, none(of(*side), "open", &json!({}))),
        Expect::NeverConnected(side) => (
            side,
            none(of(*side), "state", &json!({ "connection": "connected" })),
        ),
        Expect::ChannelClosed(side) => (side, channel_closed(of(*side), of(side.other()))),
        Expect::Heard(side, codec) => (side, heard(of(*side), codec)),
        Expect::Seen(side, codec) => (side, seen(of(*side), codec)),
        Expect::AllClosed(side) => (side, all_closed(of(*side))),
    };
    what.map(|what| format!("{}: {what}", side.name()))
}

fn exit(ended: &Ended, wanted: i32) -> Option<String> {
    match ended.code {
        None => Some(format!("had to be ended, expected exit {wanted}")),
        Some(code) if code != wanted => Some(format!("exit {code}, expected {wanted}")),
        Some(_) if ended.of("end").count() != 1 => Some("no `end` line, or several".into()),
        Some(_) => None,
    }
}

fn echoed(from: &Ended, to: &Ended, count: u64, size: u64) -> Option<String> {
    let of_kind = |kind: u64| (count + 3 - kind) / 4;
    let wanted = json!({
        "text": of_kind(0), "binary": of_kind(1), "emptyText": of_kind(2),
        "emptyBinary": of_kind(3), "bytes": size * (of_kind(0) + of_kind(1)),
    });
    for (who, ended) in [("sender", from), ("echo", to)] {
        for counter in ["sent", "received"] {
            let found = ended
                .of("end")
                .next()
                .map_or(Value::Null, |l| l.json[counter].clone());
            if found != wanted {
                return Some(format!("{who}'s `{counter}` is {found}, expected {wanted}"));
            }
        }
    }
    None
}

fn line(ended: &Ended, event: &str, fields: &Value) -> Option<String> {
    let found = ended.of(event).any(|line| has(&line.json, fields));
    let seen: Vec<String> = ended.of(event).map(|line| line.json.to_string()).collect();
    (!found).then(|| format!("no `{event}` line with {fields}, but {}", seen.join(" ")))
}

fn none(ended: &Ended, event: &str, fields: &Value) -> Option<String> {
    let found = ended.of(event).find(|line| has(&line.json, fields))?;
    Some(format!("an unexpected line: {}", found.json))
}

/// A field that the line itself calls `untold` is one that its peer cannot tell.
fn has(line: &Value, fields: &Value) -> bool {
    let untold = line["untold"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut fields = fields.as_object().into_iter().flatten();
    fields.all(|(name, wanted)| {
        line.get(name) == Some(wanted) || untold.iter().any(|field| field == name)
    })
}

fn channel_closed(ended: &Ended, other: &Ended) -> Option<String> {
    let Some(close) = ended.of("close").next() else {
        return Some("did not see the channel close".into());
    };
    if close.json["connection"] != "connected" {
        return Some(format!(
            "the connection did not outlive the channel: {}",
            close.json
        ));
    }
    let late = [ended, other]
        .iter()
        .any(|e| e.of("end").any(|end| end.at < close.at));
    late.then(|| "saw the channel close only when the connection did".into())
}

/// The `media` line of a kind, if its codec is the one that was asked for.
fn media<'a>(ended: &'a Ended, kind: &str, codec: &str) -> Result<&'a Value, String> {
    let mut lines = ended.of("media").map(|line| &line.json);
    let Some(line) = lines.find(|it| it["kind"] == kind) else {
        return Err(format!("no {kind} was measured"));
    };
    let wanted = format!("{kind}/{codec}");
    let is_it = line["codec"]
        .as_str()
        .is_some_and(|it| it.eq_ignore_ascii_case(&wanted));
    is_it
        .then_some(line)
        .ok_or_else(|| format!("not in {wanted}: {line}"))
}

/// The note of our `peer`, 440 Hz.
fn heard(ended: &Ended, codec: &str) -> Option<String> {
    let line = match media(ended, "audio", codec) {
        Ok(line) => line,
        Err(problem) => return Some(problem),
    };
    let tone = line["tone"].as_f64().unwrap_or(0.0);
    ((tone - 440.0).abs() > 5.0).then(|| format!("440 Hz were sent: {line}"))
}

/// A picture whose clock runs, at ten pictures a second at the very least: others encode slowly.
fn seen(ended: &Ended, codec: &str) -> Option<String> {
    let line = match media(ended, "video", codec) {
        Ok(line) => line,
        Err(problem) => return Some(problem),
    };
    let number = |name: &str| line[name].as_u64().unwrap_or(0);
    let is_seen = number("frames") > 40
        && number("clocks") * 10 > number("frames") * 9
        && number("clock") > 3000;
    (!is_seen).then(|| format!("no running clock is seen: {line}"))
}

fn all_closed(ended: &Ended) -> Option<String> {
    let (opened, closed) = (ended.of("open").count(), ended.of("close").count());
    (opened == 0 || closed != opened)
        .then(|| format!("{opened} channels opened, {closed} were seen to close"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::interop::{
        peers::Peer,
        process::Line,
        scenario::{Role, data},
    };

    fn scenario(name: &str) -> Scenario {
        let found = data(Role::Offer, Peer::Chromium)
            .into_iter()
            .find(|s| s.name == name);
        found.expect("a scenario of this name")
    }

    /// A side that printed `lines`, one a millisecond, and exited with `code`.
    fn side(code: i32, lines: &[Value]) -> Ended {
        let start = Instant::now();
        let at = |i: usize| start + Duration::from_millis(i as u64);
        let lines = lines.iter().enumerate().map(|(i, json)| Line {
            at: at(i),
            json: json.clone(),
        });
        Ended {
            lines: lines.collect(),
            code: Some(code),
        }
    }

    fn end(sent: &Value) -> Value {
        json!({ "event": "end", "sent": sent, "received": sent })
    }

    fn one_text() -> Value {
        json!({ "text": 1, "binary": 0, "emptyText": 0, "emptyBinary": 0, "bytes": 100 })
    }

    fn closing_side() -> Ended {
        side(0, &[json!({ "event": "open" }), end(&one_text())])
    }

    fn watching_side() -> [Value; 3] {
        let close = json!({ "event": "close", "connection": "connected" });
        [json!({ "event": "open" }), close, end(&one_text())]
    }

    #[test]
    fn a_run_as_expected_has_no_problem() {
        let ended = [closing_side(), side(0, &watching_side())];
        assert_eq!(
            problems(&scenario("open, we close"), &ended),
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_exit_code_a_lost_echo_and_an_unseen_close_are_problems() {
        let scenario = scenario("open, we close");
        let good = watching_side();
        let bad = [
            side(1, &good),
            Ended {
                code: None,
                ..side(0, &good)
            },
            side(
                0,
                &[good[0].clone(), good[1].clone(), end(&json!({ "text": 0 }))],
            ),
            side(0, &[good[0].clone(), good[2].clone()]),
            side(0, &good[..2]),
        ];
        for theirs in bad {
            assert!(
                !problems(&scenario, &[closing_side(), theirs.clone()]).is_empty(),
                "{theirs:?}"
            );
        }
    }

    #[test]
    fn a_refused_fingerprint_must_not_have_connected() {
        let scenario = scenario("wrong fingerprint to us");
        let refused = side(3, &[end(&Value::Null)]);
        assert!(problems(&scenario, &[refused.clone(), side(4, &[])]).is_empty());
        let connected = json!({ "event": "state", "connection": "connected" });
        let late = side(3, &[connected, end(&Value::Null)]);
        assert_eq!(problems(&scenario, &[late, side(4, &[])]).len(), 1);
        let opened = side(4, &[json!({ "event": "open" })]);
        assert_eq!(problems(&scenario, &[refused, opened]).len(), 1);
    }

    #[test]
    fn a_channel_that_closes_with_its_connection_is_a_problem() {
        let close = json!({ "event": "close", "connection": "connected" });
        let dead = json!({ "event": "close", "connection": "closed" });
        let end = json!({ "event": "end" });
        let good = side(0, &[close.clone(), end.clone()]);
        assert_eq!(channel_closed(&good, &good), None);
        for lines in [vec![dead, end.clone()], vec![end.clone(), close], vec![end]] {
            assert!(channel_closed(&side(0, &lines), &good).is_some());
        }
    }

    #[test]
    fn a_field_may_be_missing_only_when_its_peer_says_so() {
        let fields = json!({ "label": "a", "ordered": false });
        assert!(has(&json!({ "label": "a", "ordered": false }), &fields));
        assert!(has(
            &json!({ "label": "a", "untold": ["ordered"] }),
            &fields
        ));
        assert!(!has(&json!({ "label": "a" }), &fields));
        assert!(!has(&json!({ "label": "a", "ordered": true }), &fields));
    }
}
