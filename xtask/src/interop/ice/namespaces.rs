//! What needs networks of its own.
//!
//! `cargo xtask interop ice` starts itself once more in a network namespace, which becomes the
//! outermost network of each case: see [`nats`] and [`handover`]. How each went comes back in a file.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Args;

use super::{handover, nats, network::outermost, row};
use crate::interop::{
    install,
    report::{Report, Row},
    run::LeftOut,
    selection::Selection,
};

/// Where the inner program tells the outer one how the cases went.
const ROWS: &str = "rows.json";

/// What `interop ice` starts in a namespace of its own.
#[derive(Args)]
pub(crate) struct Namespaces {
    #[command(flatten)]
    selection: Selection,
    /// Our `peer`, where a case needs it.
    #[arg(long)]
    ours: Option<PathBuf>,
}

#[derive(Clone, Copy)]
enum Case {
    Nats(nats::Nats),
    Handover(handover::Handover),
    Relayed(handover::relayed::Relayed),
}

/// All of them, by name.
fn cases() -> impl Iterator<Item = (&'static str, Case)> {
    let nats = nats::CASES.into_iter();
    let nats = nats.map(|(name, nats)| (name, Case::Nats(nats)));
    let handovers = handover::CASES.into_iter();
    let relayed = handover::relayed::CASES.into_iter();
    nats.chain(handovers.map(|(name, handover)| (name, Case::Handover(handover))))
        .chain(relayed.map(|(name, relayed)| (name, Case::Relayed(relayed))))
}

/// Runs the chosen cases in a namespace, where that is allowed.
///
/// # Errors
///
/// They could not be run. How they went is in the report.
pub(super) fn start(selection: &Selection, work: &Path, report: &mut Report) -> Result<()> {
    let chosen: Vec<_> = cases().filter(|(name, _)| selection.has(name)).collect();
    if chosen.is_empty() {
        return Ok(());
    }
    println!("\nour side at both ends, in network namespaces");
    let way = install::install_namespaces(work).and_then(|()| outermost());
    let way = match way {
        Ok(way) => way,
        Err(why) => {
            for (name, _) in chosen {
                let why = format!("this machine allows no network namespaces: {why:#}");
                let row = row(name, Err(LeftOut(why).into()), Duration::ZERO, 1);
                println!("{row}");
                report.push(row);
            }
            return Ok(());
        }
    };
    let logs = logs(work);
    if logs.exists() {
        fs::remove_dir_all(&logs).context("cannot clear the old logs")?;
    }
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).args(["--fork", "--kill-child"]);
    command.arg(env::current_exe()?);
    command.args(["interop", "namespaces", "--work"]).arg(work);
    if chosen.iter().any(|(_, case)| matches!(case, Case::Nats(_))) {
        command.arg("--ours").arg(install::build_ours(work)?);
    }
    command.args(["--retries", &selection.retries.to_string()]);
    command.args(selection.keep.then_some("--keep"));
    command.args(chosen.iter().flat_map(|(name, _)| ["--scenario", name]));
    let status = command.status().context("cannot start in a namespace")?;
    let told = fs::read(logs.join(ROWS));
    let told = told.with_context(|| format!("the program in the namespace ended with {status}"))?;
    report.extend(serde_json::from_slice(&told)?);
    Ok(())
}

fn logs(work: &Path) -> PathBuf {
    work.join("logs/namespaces")
}

impl Namespaces {
    /// Runs the cases around this process's namespace.
    ///
    /// # Errors
    ///
    /// It cannot be told how they went.
    pub(crate) fn run(self) -> Result<()> {
        let logs = logs(&self.selection.work()?);
        let mut rows = Vec::new();
        for (name, case) in cases().filter(|(name, _)| self.selection.has(name)) {
            rows.push(self.run_one(name, case, &logs)?);
        }
        fs::create_dir_all(&logs)?;
        fs::write(logs.join(ROWS), serde_json::to_vec(&rows)?)?;
        Ok(())
    }

    /// One case, once more for each retry while it fails.
    fn run_one(&self, name: &str, case: Case, logs: &Path) -> Result<Row> {
        let slug = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let mut tries = 1;
        loop {
            let folder = logs.join(&slug).join(tries.to_string());
            fs::create_dir_all(&folder).context("cannot make the log folder")?;
            let begun = Instant::now();
            let told = self.play(case, &folder);
            let row = row(name, told, begun.elapsed(), tries);
            println!("{row}");
            if row.failed() {
                println!("      logs: {}", folder.display());
            }
            if !row.failed() && !self.selection.keep {
                fs::remove_dir_all(logs.join(&slug))?;
            }
            if !row.failed() || tries > self.selection.retries {
                return Ok(row);
            }
            println!("      trying again");
            tries += 1;
        }
    }

    fn play(&self, case: Case, folder: &Path) -> Result<String> {
        match case {
            Case::Nats(nats) => {
                let ours = self.ours.as_deref().context("no `peer` was told")?;
                nats::play(nats, ours, folder)
            }
            Case::Handover(handover) => handover.play(folder),
            Case::Relayed(relayed) => relayed.play(folder),
        }
    }
}
