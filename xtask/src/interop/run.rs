//! One run: two processes, one mailbox, one scenario.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Error, Result};
use serde::{Deserialize, Serialize};

use super::{
    check::problems,
    mailbox::Mailbox,
    peers::Program,
    process::{Ended, Running, wait},
    scenario::{Role, Scenario, Side},
};

/// What a peer gives itself (`--seconds`).
const PEER_PATIENCE: &str = "30";
/// What the harness gives both, browsers' start included.
const PATIENCE: Duration = Duration::from_secs(45);
/// After one side has ended well: the other must see the connection's close within 10 s.
const AFTER_END: Duration = Duration::from_secs(12);
/// After one side has failed: the other may still have something to tell.
const AFTER_FAILURE: Duration = Duration::from_secs(3);

/// How a run went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// From the start of the processes to the end of both.
    pub(crate) time: Duration,
}

/// What is to be said of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// All was as expected.
    Passed,
    /// Nothing was looked at, and why.
    LeftOut(String),
    /// What is wrong, in words.
    Failed(Vec<String>),
}

/// Ends a scenario for which a side lacks what it is about: the reason.
#[derive(Debug, thiserror::Error)]
#[error("left out: {0}")]
pub(crate) struct LeftOut(pub(crate) String);

impl From<Error> for Verdict {
    fn from(error: Error) -> Self {
        match error.downcast::<LeftOut>() {
            Ok(LeftOut(why)) => Self::LeftOut(why),
            Err(error) => Self::Failed(vec![format!("{error:#}")]),
        }
    }
}

/// Runs `scenario` with `ours` in `role`; logs go to `folder`.
///
/// # Errors
///
/// The harness itself cannot go on: a program does not start, a log cannot be written.
pub(crate) fn run(
    scenario: &Scenario,
    role: Role,
    ours: &Program,
    theirs: &Program,
    folder: &Path,
) -> Result<Outcome> {
    fs::create_dir_all(folder).context("cannot make the log folder")?;
    let mailbox = Mailbox::serve(scenario.tamper.map(Side::name))?;
    let started = Instant::now();
    let start = |side: Side, program: &Program, role: Role| {
        let mut command = program.command();
        command.args(["--signal", &mailbox.url()?, "--name", side.name()]);
        command.args(["--remote", side.other().name(), role.flag()]);
        command.args(["--loopback", "--json", "--seconds", PEER_PATIENCE]);
        command.args(scenario.flags(side));
        Running::start(command, folder, side.name())
    };
    let mut running = [
        start(Side::Ours, ours, role)?,
        start(Side::Theirs, theirs, role.other())?,
    ];
    wait_for_both(&mut running)?;
    let time = started.elapsed();
    let [ours, theirs] = running;
    let ended = [ours.end()?, theirs.end()?];
    let problems = problems(scenario, &ended);
    write_log(folder, scenario, &mailbox, &problems)?;
    let verdict = if problems.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed(problems)
    };
    Ok(Outcome { verdict, time })
}

fn wait_for_both(running: &mut [Running; 2]) -> Result<()> {
    let mut one_ended = None;
    wait(PATIENCE, |now| {
        let [ours, theirs] = running;
        let ended = [ours.has_ended()?, theirs.has_ended()?];
        if ended.contains(&true) {
            let since = *one_ended.get_or_insert(now);
            let failed = ours.has_failed() || theirs.has_failed();
            let grace = if failed { AFTER_FAILURE } else { AFTER_END };
            return Ok(ended == [true, true] || now > since + grace);
        }
        Ok(false)
    })
}

fn write_log(
    folder: &Path,
    scenario: &Scenario,
    mailbox: &Mailbox,
    problems: &[String],
) -> Result<()> {
    let mut text = format!("scenario: {}\n", scenario.name);
    for side in [Side::Ours, Side::Theirs] {
        text += &format!("{}: {}\n", side.name(), scenario.flags(side).join(" "));
    }
    problems
        .iter()
        .for_each(|problem| text += &format!("problem: {problem}\n"));
    for (to, message) in mailbox.delivered() {
        let sdp: Option<serde_json::Value> = serde_json::from_str(&message).ok();
        let sdp = sdp
            .as_ref()
            .and_then(|json| json["sdp"].as_str())
            .unwrap_or(&message);
        text += &format!("\nto {to}:\n{sdp}\n");
    }
    fs::write(folder.join("run.txt"), text).context("cannot write the run's log")
}

impl Ended {
    /// The lines of one event.
    pub(crate) fn of<'a>(
        &'a self,
        event: &'a str,
    ) -> impl Iterator<Item = &'a super::process::Line> {
        self.lines.iter().filter(move |line| line.event() == event)
    }
}
