//! The flags that every run against peers takes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;

use super::{peers::Peer, scenario::Role};

/// What is run, against whom, how often, and where.
#[derive(Args, Clone, Debug)]
pub(crate) struct Selection {
    /// Only this peer; repeat for several.
    #[arg(long)]
    pub(crate) peer: Vec<Peer>,
    /// Only the scenarios whose name contains this text; repeat for several.
    #[arg(long)]
    scenario: Vec<String>,
    /// Not the scenarios whose name contains this text; repeat for several.
    #[arg(long)]
    skip: Vec<String>,
    /// Only with our side in this role.
    #[arg(long)]
    role: Option<Role>,
    /// Keep the logs of the runs that pass, too.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Repeat a run that fails up to this many times: peers are slow on a busy machine.
    #[arg(long, default_value_t = 0)]
    pub(crate) retries: u32,
    /// Where peers are installed and logs are written.
    #[arg(long, default_value = "target/interop")]
    work: PathBuf,
}

impl Selection {
    /// The same of other peers.
    pub(crate) fn of(&self, peer: Vec<Peer>) -> Self {
        Self {
            peer,
            ..self.clone()
        }
    }

    /// The peers that were asked for, or `all`.
    pub(crate) fn peers_or(&self, all: &[Peer]) -> Vec<Peer> {
        if self.peer.is_empty() {
            all.to_vec()
        } else {
            self.peer.clone()
        }
    }

    /// Whether a scenario of this name is to be run.
    pub(crate) fn has(&self, name: &str) -> bool {
        let names = |parts: &[String]| parts.iter().any(|part| name.contains(part));
        (self.scenario.is_empty() || names(&self.scenario)) && !names(&self.skip)
    }

    /// Our roles that are to be played.
    pub(crate) fn roles(&self) -> impl Iterator<Item = Role> {
        let only = self.role;
        let all = Role::ALL.into_iter();
        all.filter(move |role| only.is_none_or(|it| it == *role))
    }

    /// The work folder, which is there from now on.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub(crate) fn work(&self) -> Result<PathBuf> {
        fs::create_dir_all(&self.work).context("cannot make the work folder")?;
        Ok(self.work.canonicalize()?)
    }
}

/// The folder of the logs of all runs of `name`, without those of the last time.
///
/// # Errors
///
/// Those of the last time cannot be removed.
pub(crate) fn empty_logs(work: &Path, name: &str) -> Result<PathBuf> {
    let logs = work.join("logs").join(name);
    if logs.exists() {
        fs::remove_dir_all(&logs).context("cannot clear the old logs")?;
    }
    Ok(logs)
}
