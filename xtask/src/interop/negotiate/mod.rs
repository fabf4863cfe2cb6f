//! `cargo xtask interop negotiate`: real browsers take our offers and answers.
//!
//! Our side runs in this process, on the facade; the browser is scripted over the bridge. A
//! scenario is a function on a [`Session`]: it checks what it is about, and with
//! it that both sides are stable, agree on m-lines, mids and directions, and are connected.

mod costs;
mod errors;
mod families;
mod flow;
mod keys;
mod later;
mod lite;
mod media;
mod names;
mod ours;
mod pending;
mod perfect;
mod played;
mod relayed;
mod rtp;
mod scenarios;
mod session;
mod simulcast;
mod state;
mod tcp;
mod transports;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use serde_json::Value;

use super::{
    browser::{Browser, Page},
    install::{self, Installed},
    peers::Peer,
    report::{Report, Row},
    run::{LeftOut, Outcome, Verdict},
    scenario::Role,
    selection::{Selection, empty_logs},
};
use scenarios::Scenario;
use session::Session;

/// What a scenario gets, beside the start of its browser. Fifty rounds of glare take Firefox almost a
/// minute.
const PATIENCE: Duration = Duration::from_secs(240);

/// The flags of `cargo xtask interop negotiate`.
#[derive(Args)]
pub(crate) struct Negotiate {
    #[command(flatten)]
    selection: Selection,
    /// Browsers hide their addresses behind names.
    #[arg(skip)]
    hides: bool,
}

/// Where one run takes place.
pub(crate) struct Call {
    peer: Peer,
    role: Role,
    page: Page,
}

impl Negotiate {
    /// The same of another command.
    pub(super) fn new(selection: Selection) -> Self {
        Self {
            selection,
            hides: false,
        }
    }

    pub(crate) fn run(self) -> Result<()> {
        self.run_all("negotiate", scenarios::all)
    }

    /// The scenarios of `interop media` with browsers.
    pub(super) fn run_media(self) -> Result<()> {
        self.run_all("media", scenarios::media)
    }

    /// The scenarios of `interop dtmf` with browsers.
    pub(super) fn run_dtmf(self) -> Result<()> {
        self.run_all("dtmf", scenarios::dtmf)
    }

    /// Those of `interop simulcast`.
    pub(crate) fn run_simulcast(self) -> Result<()> {
        self.run_all("simulcast", scenarios::simulcast)
    }

    /// The scenarios of `interop ice`.
    pub(super) fn run_ice(self, report: &mut Report) -> Result<()> {
        self.run_into(report, "ice", scenarios::ice).map(drop)
    }

    /// The same with browsers that hide their addresses.
    pub(super) fn run_names(mut self, report: &mut Report) -> Result<()> {
        self.hides = true;
        self.run_into(report, "names", scenarios::hiding).map(drop)
    }

    /// What the scenarios of `interop media` are called.
    pub(super) fn media_names() -> Vec<&'static str> {
        names(&scenarios::media(Role::Offer))
    }

    /// What those of `interop dtmf` are called.
    pub(super) fn dtmf_names() -> Vec<&'static str> {
        names(&scenarios::dtmf(Role::Offer))
    }

    /// What those of `interop ice` are called.
    pub(super) fn ice_names() -> Vec<&'static str> {
        names(&scenarios::ice(Role::Offer))
    }

    /// And those with hidden addresses.
    pub(super) fn names_names() -> Vec<&'static str> {
        names(&scenarios::hiding(Role::Offer))
    }

    fn run_all(self, name: &str, scenarios: fn(Role) -> Vec<Scenario>) -> Result<()> {
        let mut report = Report::default();
        let logs = self.run_into(&mut report, name, scenarios)?;
        report.conclude(&logs)
    }

    /// Gives the folder of the logs.
    fn run_into(
        self,
        report: &mut Report,
        name: &str,
        scenarios: fn(Role) -> Vec<Scenario>,
    ) -> Result<PathBuf> {
        let peers = self.selection.peers_or(&Peer::BROWSERS);
        if let Some(peer) = peers.iter().find(|peer| !peer.is_browser()) {
            bail!("{peer} is no browser");
        }
        let work = self.selection.work()?;
        let mut installed = install::install(&work, &peers)?;
        if self.hides {
            installed = installed.hiding();
        }
        let logs = empty_logs(&work, name)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        for &peer in &peers {
            runtime.block_on(self.run_peer(peer, &installed, scenarios, &logs, report))?;
        }
        Ok(logs)
    }

    async fn run_peer(
        &self,
        peer: Peer,
        installed: &Installed,
        scenarios: fn(Role) -> Vec<Scenario>,
        logs: &Path,
        report: &mut Report,
    ) -> Result<()> {
        fs::create_dir_all(logs)?;
        let browser = Browser::launch(peer, installed, logs).await?;
        for role in self.selection.roles() {
            println!("\nour side with {peer}, {role}");
            let mut chosen = scenarios(role);
            chosen.retain(|it| self.selection.has(it.name));
            for scenario in chosen {
                let folder = logs.join(format!("{peer}-{}-{}", role.slug(), scenario.slug()));
                let row = self
                    .run_one(&scenario, (peer, role), &browser, &folder)
                    .await?;
                println!("{row}");
                report.push(row);
            }
        }
        browser.close().await
    }

    /// One scenario, once more for each retry while it fails. The logs of a failed try stay.
    async fn run_one(
        &self,
        scenario: &Scenario,
        (peer, role): (Peer, Role),
        browser: &Browser,
        folder: &Path,
    ) -> Result<Row> {
        let mut tries = 1;
        loop {
            let name = format!("{} {} {tries}", scenario.name, role.slug());
            let page = browser.page(&name);
            let call = Call { peer, role, page };
            let outcome = self
                .attempt(
                    scenario,
                    &call,
                    &folder.with_extension(format!("try-{tries}")),
                )
                .await;
            let row = Row::new(peer, role, scenario.name, outcome, tries);
            if !row.failed() || tries > self.selection.retries {
                return Ok(row);
            }
            println!("{row}\n      trying again");
            tries += 1;
        }
    }

    async fn attempt(&self, scenario: &Scenario, call: &Call, folder: &Path) -> Outcome {
        let started = Instant::now();
        let run = tokio::time::timeout(PATIENCE, call.play(scenario, folder, self.selection.keep));
        let result = run
            .await
            .unwrap_or_else(|_| Err(anyhow!("not within {PATIENCE:?}")));
        let _ = call.page.close().await;
        let mut verdict = result.map_or_else(Verdict::from, |()| Verdict::Passed);
        if let Verdict::Failed(problems) = &mut verdict {
            problems.push(format!("logs: {}", folder.display()));
        }
        Outcome {
            verdict,
            time: started.elapsed(),
        }
    }
}

impl Call {
    async fn play(&self, scenario: &Scenario, folder: &Path, keep: bool) -> Result<()> {
        let configuration = (scenario.ours)();
        let page = self.page.clone();
        let mut session =
            Session::start(self.peer, self.role, page, configuration, scenario.theirs).await?;
        let played = (scenario.play)(&mut session).await;
        let played = played.and_then(|()| session.candidates_taken());
        let failed = played.as_ref().is_err_and(|it| !it.is::<LeftOut>());
        if keep || failed {
            write_logs(&session, folder).await?;
        }
        played
    }
}

fn names(all: &[Scenario]) -> Vec<&'static str> {
    all.iter().map(|it| it.name).collect()
}

/// What both sides have seen, and the descriptions that passed.
async fn write_logs(session: &Session, folder: &Path) -> Result<()> {
    let lines =
        |log: &[Value]| -> String { log.iter().map(|entry| format!("{entry}\n")).collect() };
    fs::create_dir_all(folder).context("cannot make the log folder")?;
    fs::write(folder.join("signaling.txt"), session.told())?;
    fs::write(folder.join("ours.log"), lines(&session.ours.log()))?;
    let theirs = session.theirs.log().await.unwrap_or_default();
    fs::write(folder.join("theirs.log"), lines(&theirs)).context("cannot write a log")
}
