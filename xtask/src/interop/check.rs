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

fn all_closed(ended: &Ended) -> Option<String> {
    let (opened, closed) = (ended.of("open").count(), ended.of("close").count());
    (opened == 0 || closed != opened)
        .then(|| format!("{opened} channels opened, {closed} were seen to close"))
}
