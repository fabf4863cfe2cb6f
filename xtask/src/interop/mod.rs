//! `cargo xtask interop data`: our `peer` program against real peers, both roles, every scenario.
//!
//! Each run is two processes and a mailbox. Both processes take the same flags and print the same
//! lines (`docs/interop.md`); the harness starts them, reads the lines and holds them against what
//! the scenario expects.

mod bridge;
mod browser;
mod check;
mod dtmf;
mod ice;
pub(crate) mod install;
mod janus;
mod mailbox;
mod media;
mod negotiate;
mod peers;
mod process;
mod progress;
mod report;
mod run;
mod scenario;
mod selection;

use std::{fs, path::PathBuf, time::Duration};

use anyhow::Result;
use clap::{Args, Subcommand};

use peers::{Peer, Program};
use report::{Report, Row};
use scenario::{Role, Scenario};
use selection::{Selection, empty_logs};

/// What can be run against real peers.
#[derive(Subcommand)]
pub(crate) enum Interop {
    /// Data channels. Installs what is missing, prints a table, exits non-zero on any failure.
    Data(Data),
    /// Offers and answers: our stack in this process against scripted browsers.
    Negotiate(negotiate::Negotiate),
    /// Sound and pictures, both ways: that they are there, stay there, and can be changed.
    Media(media::Media),
    /// Keys of a telephone, both ways.
    Dtmf(dtmf::Dtmf),
    /// Simulcast: layers of browsers decoded here, and layers sent on to browsers.
    Simulcast(negotiate::Negotiate),
    /// STUN and TURN through coturn, over UDP, TCP and TLS, alone and with browsers.
    Ice(ice::Ice),
    /// What `ice` starts in a network namespace: NATs, and networks that come and go.
    #[command(hide = true)]
    Namespaces(ice::Namespaces),
    /// What `namespaces` starts on each host of a handover.
    #[command(hide = true)]
    End(ice::End),
    /// Simulcast: three layers of ours to Janus' echo test.
    Janus(janus::Janus),
    /// The harness alone: browsers negotiate with one another, scripted from here.
    Bridge(bridge::Bridge),
}

/// The flags of `cargo xtask interop data`.
#[derive(Args)]
pub(crate) struct Data {
    #[command(flatten)]
    selection: Selection,
    /// Put this reference peer in our place: a check of the harness itself.
    #[arg(long)]
    baseline: Option<Peer>,
    /// Use this `peer` binary as our side, and build none.
    #[arg(long, conflicts_with = "baseline")]
    ours: Option<PathBuf>,
}

/// What there is to run with our side in a role across from a peer.
type Scenarios = fn(Role, Peer) -> Vec<Scenario>;

impl Interop {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Data(data) => data.run(),
            Self::Negotiate(negotiate) => negotiate.run(),
            Self::Media(media) => media.run(),
            Self::Dtmf(dtmf) => dtmf.run(),
            Self::Simulcast(simulcast) => simulcast.run_simulcast(),
            Self::Ice(ice) => ice.run(),
            Self::Namespaces(namespaces) => namespaces.run(),
            Self::End(end) => end.run(),
            Self::Janus(janus) => janus.run(),
            Self::Bridge(bridge) => bridge.run(),
        }
    }
}

impl Data {
    fn run(mut self) -> Result<()> {
        self.selection.peer = self.selection.peers_or(&Peer::OF_DATA);
        self.run_all("data", scenario::data)
    }

    fn run_all(self, name: &str, scenarios: Scenarios) -> Result<()> {
        let work = self.selection.work()?;
        let peers = self.selection.peer.clone();
        let wanted: Vec<Peer> = peers.iter().copied().chain(self.baseline).collect();
        let installed = install::install(&work, &wanted)?;
        let ours = match (self.baseline, &self.ours) {
            (Some(peer), _) => installed.program(peer),
            (None, Some(path)) => Program::ours(path.clone()),
            (None, None) => Program::ours(install::build_ours(&work)?),
        };
        let logs = empty_logs(&work, name)?;
        let report = self.run_peers(&peers, scenarios, (&installed, &ours), &logs)?;
        report.conclude(&logs)
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
            for role in self.selection.roles() {
                println!("\n{} {peer}, {role}", ours.name());
                let mut chosen = scenarios(role, peer);
                chosen.retain(|it| self.selection.has(it.name));
                for scenario in chosen {
                    let folder = logs.join(format!("{peer}-{}-{}", role.slug(), scenario.slug()));
                    let row = self.run_one(&scenario, (peer, role), (ours, &theirs), &folder)?;
                    println!("{row}");
                    if row.failed() {
                        println!("      logs: {}", folder.display());
                    } else if !self.selection.keep {
                        fs::remove_dir_all(&folder)?;
                    }
                    report.push(row);
                }
            }
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
            let row = Row::new(peer, role, scenario.name, outcome, tries);
            if !row.failed() || tries > self.selection.retries {
                return Ok(row);
            }
            println!("{row}\n      trying again");
            fs::rename(folder, folder.with_extension(format!("try-{tries}")))?;
            tries += 1;
        }
    }
}

/// Seconds with one decimal, for a table.
fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
