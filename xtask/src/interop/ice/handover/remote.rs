//! An [`End`](super::end::End) as the harness sees it, and the signaling between two of them.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    end::{Gaps, Order},
    links::Link,
};
use crate::interop::process::{Ended, Line, Running};

/// What one end prints, and how much of it has been looked at.
pub(super) struct Remote {
    running: Running,
    signaled: usize,
}

impl Remote {
    pub(super) fn start(command: Command, folder: &Path, name: &str) -> Result<Self> {
        let running = Running::conversing(command, folder, name)?;
        let signaled = 0;
        Ok(Self { running, signaled })
    }

    /// What it has printed of one kind, from line `from` on.
    fn of(&self, event: &str, from: usize) -> impl DoubleEndedIterator<Item = Line> {
        let lines = self.running.lines(from).into_iter();
        let event = event.to_owned();
        lines.filter(move |line| line.event() == event)
    }

    /// How many lines it has printed.
    pub(super) fn mark(&self) -> usize {
        self.running.lines(0).len()
    }

    pub(super) fn order(&mut self, order: &Order) -> Result<()> {
        self.running.say(&serde_json::to_value(order)?)
    }

    /// Whether the connection is there, with both channels.
    pub(super) fn is_open(&self) -> bool {
        self.of("open", 0).count() == 2 && self.local().is_some()
    }

    /// Its end of the pair in use.
    pub(super) fn local(&self) -> Option<String> {
        let pair = self.of("pair", 0).next_back()?;
        Some(pair.json["local"].as_str()?.to_owned())
    }

    /// The network that it says it uses.
    pub(super) fn link(&self) -> Option<Link> {
        Link::of(&self.local()?)
    }

    /// The silences it has told of from line `from` on.
    pub(super) fn gaps(&self, from: usize) -> Option<Gaps> {
        let line = self.of("gaps", from).next_back()?;
        serde_json::from_value(line.json["gaps"].clone()).ok()
    }

    /// How often ICE was to be restarted from line `from` on.
    pub(super) fn restarts(&self, from: usize) -> usize {
        self.of("negotiationneeded", from).count()
    }

    /// Nothing has gone wrong there.
    pub(super) fn check(&mut self) -> Result<()> {
        ensure!(!self.running.has_ended()?, "an end has ended by itself");
        let failed = |line: &Line| line.json["state"] == "failed";
        ensure!(!self.of("ice", 0).any(|line| failed(&line)), "ICE failed");
        ensure!(self.of("closed", 0).count() == 0, "a channel closed");
        Ok(())
    }

    pub(super) fn end(self) -> Result<Ended> {
        self.running.end()
    }
}

/// Carries descriptions and candidates both ways, as fast as a pipe.
pub(super) fn signal(ends: &mut [Remote; 2]) -> Result<()> {
    let [one, two] = ends;
    forward(one, two)?;
    forward(two, one)
}

fn forward(from: &mut Remote, to: &mut Remote) -> Result<()> {
    let lines = from.running.lines(from.signaled);
    from.signaled += lines.len();
    for line in lines {
        let name = line.event().to_owned();
        if matches!(&*name, "description" | "candidate") {
            let order: Value = json!({ &name: line.json[&name] });
            to.running.say(&order).context("signaling")?;
        }
    }
    Ok(())
}

/// Lets both talk for so long.
pub(super) fn talk(ends: &mut [Remote; 2], time: Duration) -> Result<()> {
    crate::interop::process::wait(time, |_| {
        signal(ends)?;
        ends.iter_mut().try_for_each(Remote::check)?;
        Ok(false)
    })
}
