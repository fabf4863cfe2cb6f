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
    selection::Selection,
};

/// The flags of `cargo xtask interop media`.
#[derive(Args)]
pub(crate) struct Media {
    #[command(flatten)]
    selection: Selection,
    /// Use this `peer` binary as our side with programs, and build none.
    #[arg(long)]
    ours: Option<PathBuf>,
}

impl Media {
    pub(crate) fn run(self) -> Result<()> {
        let peers = self.selection.peers_or(&Peer::OF_MEDIA);
        if let Some(peer) = peers.iter().find(|it| !Peer::OF_MEDIA.contains(it)) {
            bail!("{peer} has no media");
        }
        let (browsers, programs): (Vec<_>, Vec<_>) =
            peers.into_iter().partition(|it| it.is_browser());
        let has = |all: Vec<&str>| all.into_iter().any(|it| self.selection.has(it));
        let mut outcomes = Vec::new();
        if !browsers.is_empty() && has(Negotiate::media_names()) {
            outcomes.push(Negotiate::new(self.selection.of(browsers)).run_media());
        }
        let all = media(Role::Offer, Peer::Aiortc);
        if !programs.is_empty() && has(all.iter().map(|it| it.name).collect()) {
            let data = Data {
                selection: self.selection.of(programs),
                baseline: None,
                ours: self.ours,
            };
            outcomes.push(data.run_all("media-programs", media));
        }
        if outcomes.is_empty() {
            bail!("no scenario has such a name");
        }
        outcomes.into_iter().collect()
    }
}
