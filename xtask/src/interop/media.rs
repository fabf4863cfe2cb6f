//! `cargo xtask interop media`: sound and pictures with real peers.
//!
//! Browsers are scripted with our side in this process, as in `interop negotiate`; the others are
//! programs that echo what our `peer` sends, as in `interop data`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use super::{
    Data,
    negotiate::Negotiate,
    peers::Peer,
    scenario::{Role, media},
};

/// The flags of `cargo xtask interop media`.
#[derive(Args)]
pub(crate) struct Media {
    /// Only this peer; repeat for several.
    #[arg(long)]
    peer: Vec<Peer>,
    /// Only the scenarios whose name contains this text; repeat for several.
    #[arg(long)]
    scenario: Vec<String>,
    /// Only with our side in this role.
    #[arg(long)]
    role: Option<Role>,
    /// Use this `peer` binary as our side with programs, and build none.
    #[arg(long)]
    ours: Option<PathBuf>,
    /// Keep the logs of the runs that pass, too.
    #[arg(long)]
    keep: bool,
    /// Repeat a run that fails up to this many times: peers are slow on a busy machine.
    #[arg(long, default_value_t = 0)]
    retries: u32,
    /// Where peers are installed and logs are written.
    #[arg(long, default_value = "target/interop")]
    work: PathBuf,
}

impl Media {
    pub(crate) fn run(self) -> Result<()> {
        let wanted = |peer: &Peer| self.peer.is_empty() || self.peer.contains(peer);
        if let Some(peer) = self.peer.iter().find(|it| !Peer::OF_MEDIA.contains(it)) {
            bail!("{peer} has no media");
        }
        let peers = Peer::OF_MEDIA.into_iter().filter(wanted);
        let (browsers, programs): (Vec<_>, Vec<_>) = peers.partition(|it| it.is_browser());
        let has = |all: Vec<&str>| {
            let mut parts = self.scenario.iter();
            self.scenario.is_empty() || parts.any(|part| all.iter().any(|it| it.contains(part)))
        };
        let mut outcomes = Vec::new();
        if !browsers.is_empty() && has(Negotiate::media_names()) {
            outcomes.push(self.with_browsers(browsers).run_media());
        }
        let names = media(Role::Offer, Peer::Aiortc)
            .iter()
            .map(|it| it.name)
            .collect();
        if !programs.is_empty() && has(names) {
            outcomes.push(
                self.with_programs(programs)
                    .run_all("media-programs", media),
            );
        }
        if outcomes.is_empty() {
            bail!("no scenario has such a name");
        }
        outcomes.into_iter().collect()
    }

    fn with_browsers(&self, peer: Vec<Peer>) -> Negotiate {
        Negotiate {
            peer,
            scenario: self.scenario.clone(),
            role: self.role,
            keep: self.keep,
            retries: self.retries,
            work: self.work.clone(),
            hides: false,
        }
    }

    fn with_programs(&self, peer: Vec<Peer>) -> Data {
        Data {
            peer,
            scenario: self.scenario.clone(),
            role: self.role,
            baseline: None,
            ours: self.ours.clone(),
            keep: self.keep,
            retries: self.retries,
            work: self.work.clone(),
        }
    }
}
