//! `cargo xtask interop data`: our `peer` program against real peers, both roles, every scenario.
//!
//! Each run is two processes and a mailbox. Both processes take the same flags and print the same
//! lines (`docs/interop.md`); the harness starts them, reads the lines and holds them against what
//! the scenario expects.

mod bridge;
mod browser;
mod check;
mod ice;
pub(crate) mod install;
mod mailbox;
mod media;
mod negotiate;
mod peers;
mod process;
mod progress;
mod report;
mod run;
mod scenario;

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use peers::{Peer, Program};
use report::{Report, Row};
use scenario::{Role, Scenario};

/// What can be run against real peers.
#[derive(Subcommand)]
pub(crate) enum Interop {
    /// Data channels. Installs what is missing, prints a table, exits non-zero on any failure.
    Data(Data),
    /// Offers and answers: our stack in this process against scripted browsers.
    Negotiate(negotiate::Negotiate),
    /// Sound and pictures, both ways: that they are there, stay there, and can be changed.
    Media(media::Media),
    /// STUN and TURN through coturn, over UDP, TCP and TLS, alone and with browsers.
    Ice(ice::Ice),
    /// The harness alone: browsers negotiate with one another, scripted from here.
    Bridge(bridge::Bridge),
}

/// The flags of `cargo xtask interop data`.
#[derive(Args)]
pub(crate) struct Data {
    /// Only this peer; repeat for several.
    #[arg(long)]
    peer: Vec<Peer>,
    /// Only the scenarios whose name contains this text; repeat for several.
    #[arg(long)]
    scenario: Vec<String>,
    /// Only with our side in this role.
    #[arg(long)]
    role: Option<Role>,
    /// Put this reference peer in our place: a check of the harness itself.
    #[arg(long)]
    baseline: Option<Peer>,
    /// Use this `peer` binary as our side, and build none.
    #[arg(long, conflicts_with = "baseline")]
    ours: Option<PathBuf>,
    /// Keep the logs of the runs that pass, too.
    #[arg(long)]
    keep: bool,
    /// Repeat a run that fails up to this many times: browsers start slowly on a busy machine.
    #[arg(long, default_value_t = 0)]
    retries: u32,
    /// Where peers are installed and logs are written.
    #[arg(long, default_value = "target/interop")]
    work: PathBuf,
}

/// What there is to run with our side in a role across from a peer.
type Scenarios = fn(Role, Peer) -> Vec<Scenario>;

impl Interop {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Data(data) => data.run(),
            Self::Negotiate(negotiate) => negotiate.run(),
            Self::Media(media) => media.run(),
            Self::Ice(ice) => ice.run(),
            Self::Bridge(bridge) => bridge.run(),
        }
    }
}

impl Data {
    fn run(mut self) -> Result<()> {
        if self.peer.is_empty() {
            self.peer = Peer::OF_DATA.to_vec();
        }
        self.run_all("data", scenario::data)
    }

    fn run_all(self, name: &str, scenarios: Scenarios) -> Result<()> {
        fs::create_dir_all(&self.work).context("cannot make the work folder")?;
        let work = self.work.canonicalize()?;
        let peers = self.peer.clone();
        let wanted: Vec<Peer> = peers.iter().copied().chain(self.baseline).collect();
        let installed = install::install(&work, &wanted)?;
        let ours = match (self.baseline, &self.ours) {
            (Some(peer), _) => installed.program(peer),
            (None, Some(path)) => Program::ours(path.clone()),
            (None, None) => Program::ours(install::build_ours(&work)?),
        };
        let logs = work.join("logs").join(name);
        if logs.exists() {
            fs::remove_dir_all(&logs).context("cannot clear the old logs")?;
        }
        let report = self.run_peers(&peers, scenarios, (&installed, &ours), &logs)?;
        println!("\n{report}");
        match report.failures() {
            0 => Ok(()),
            n => bail!(
                "{n} of {} runs failed; logs in {}",
                report.len(),
                logs.display()
            ),
        }
    }

    fn run_peers(
        &self,
        peers: &[Peer],
        scenarios: Scenarios,
        (installed, ours): (&install::Installed, &Program),
        logs: &std::path::Path,
    ) -> Result<Report> {
        let mut report = Report::default();
        for &peer in peers {
            let theirs = installed.program(peer);
            for role in Role::ALL
                .into_iter()
                .filter(|role| self.role.is_none_or(|r| r == *role))
            {
                println!("\n{} {peer}, {role}", ours.name());
                for scenario in self.chosen(scenarios(role, peer)) {
                    let folder = logs.join(format!("{peer}-{}-{}", role.slug(), scenario.slug()));
                    let row = self.run_one(&scenario, (peer, role), (ours, &theirs), &folder)?;
                    println!("{row}");
                    if row.passed() && !self.keep {
                        fs::remove_dir_all(&folder)?;
                    } else if !row.passed() {
                        println!("      logs: {}", folder.display());
                    }
                    report.push(row);
                }
            }
        }
        if report.len() == 0 {
            bail!("no scenario has such a name");
        }
        Ok(report)
    }

    /// One scenario, once more for each retry while it fails. The logs of a failed try stay.
    fn run_one(
        &self,
        scenario: &Scenario,
        (peer, role): (Peer, Role),
        (ours, theirs): (&Program, &Program),
        folder: &std::path::Path,
    ) -> Result<Row> {
        let mut tries = 1;
        loop {
            let outcome = run::run(scenario, role, ours, theirs, folder)?;
            let row = Row::new(peer, role, scenario.name, &outcome, tries);
            if row.passed() || tries > self.retries {
                return Ok(row);
            }
            println!("{row}\n      trying again");
            fs::rename(folder, folder.with_extension(format!("try-{tries}")))?;
            tries += 1;
        }
    }

    fn chosen(&self, mut all: Vec<Scenario>) -> Vec<Scenario> {
        all.retain(|s| {
            self.scenario.is_empty() || self.scenario.iter().any(|part| s.name.contains(part))
        });
        all
    }
}

/// Seconds with one decimal, for a table.
fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
