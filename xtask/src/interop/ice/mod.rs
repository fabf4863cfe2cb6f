//! `cargo xtask interop ice`: STUN and TURN through coturn, alone and with browsers.

mod coturn;
mod servers;

use std::{
    fs,
    path::PathBuf,
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use clap::Args;

use super::{install, negotiate::Negotiate, peers::Peer, scenario::Role};
use coturn::{Authority, Coturn};
pub(crate) use coturn::{PASSWORD, USERNAME};

/// Where the servers of this run are.
static SERVERS: OnceLock<Servers> = OnceLock::new();

/// The addresses and the authority that scenarios need.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
    /// Of a server whose certificate has expired.
    pub(crate) expired_port: u16,
    pub(crate) authority: String,
}

/// The servers of this run.
///
/// # Panics
///
/// None has been started.
pub(crate) fn servers() -> &'static Servers {
    SERVERS.get().expect("the servers were started first")
}

/// The flags of `cargo xtask interop ice`.
#[derive(Args)]
pub(crate) struct Ice {
    /// Only this browser; repeat for several.
    #[arg(long)]
    peer: Vec<Peer>,
    /// Only the scenarios whose name contains this text; repeat for several.
    #[arg(long)]
    scenario: Vec<String>,
    /// Only with our side in this role.
    #[arg(long)]
    role: Option<Role>,
    /// Keep the logs of the runs that pass, too.
    #[arg(long)]
    keep: bool,
    /// Repeat a run that fails up to this many times: browsers are slow on a busy machine.
    #[arg(long, default_value_t = 0)]
    retries: u32,
    /// Where browsers' drivers are installed and logs are written.
    #[arg(long, default_value = "target/interop")]
    work: PathBuf,
}

impl Ice {
    pub(crate) fn run(self) -> Result<()> {
        fs::create_dir_all(&self.work).context("cannot make the work folder")?;
        let work = self.work.canonicalize()?;
        install::install_coturn(&work)?;
        let authority = Authority::new()?;
        let folder = work.join("coturn");
        let good = Coturn::start(&folder.join("good"), &authority, false)?;
        let expired = Coturn::start(&folder.join("expired"), &authority, true)?;
        let servers = Servers {
            port: good.port,
            tls_port: good.tls_port,
            expired_port: expired.tls_port,
            authority: authority.pem(),
        };
        SERVERS.set(servers).map_err(|_| anyhow!("started twice"))?;
        println!("coturn on 127.0.0.1:{}", good.port);
        let alone = self.alone();
        let mut peers = self.peer.clone();
        if peers.is_empty() {
            peers = vec![Peer::Chromium, Peer::Firefox];
        }
        let wanted = |names: Vec<&str>| {
            let mut parts = self.scenario.iter();
            self.scenario.is_empty() || parts.any(|part| names.iter().any(|it| it.contains(part)))
        };
        let mut outcomes = vec![alone];
        if wanted(Negotiate::ice_names()) {
            outcomes.push(self.with_browsers(peers.clone()).run_ice());
        }
        if wanted(Negotiate::names_names()) {
            outcomes.push(self.with_browsers(peers).run_names());
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

    /// What needs no browser: whom of the servers we believe.
    fn alone(&self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        println!("\nour side alone");
        let mut result = Ok(());
        for (name, check) in servers::CHECKS {
            let parts = &self.scenario;
            if !parts.is_empty() && !parts.iter().any(|part| name.contains(part)) {
                continue;
            }
            let begun = Instant::now();
            let outcome = runtime.block_on(async {
                let limit = Duration::from_secs(30);
                let checked = tokio::time::timeout(limit, check()).await;
                checked.context("not within 30 s")?
            });
            let time = super::seconds(begun.elapsed());
            match outcome {
                Ok(told) => println!("  {name:28} ok {time}: {told}"),
                Err(error) => {
                    println!("  {name:28} FAIL {time}\n      {error:#}");
                    result = Err(anyhow!("{name} failed"));
                }
            }
        }
        result
    }
}
