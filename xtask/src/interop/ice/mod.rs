//! `cargo xtask interop ice`: STUN and TURN through coturn, alone, through NATs, and with browsers.

mod connections;
mod coturn;
mod families;
mod handover;
mod mobility;
mod namespaces;
mod nats;
mod network;
mod relays;
mod servers;
mod shared;

use std::{
    net::{Ipv4Addr, Ipv6Addr, UdpSocket},
    path::Path,
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use peerconnection::TlsOptions;

use super::{
    install,
    negotiate::Negotiate,
    report::{Report, Row},
    run::{LeftOut, Outcome, Verdict},
    selection::Selection,
};
use coturn::{Authority, Coturn};
pub(crate) use coturn::{PASSWORD, USERNAME};
pub(crate) use handover::End;
pub(crate) use namespaces::Namespaces;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Where the servers of this run are.
static SERVERS: OnceLock<Servers> = OnceLock::new();

/// The addresses and the authority that scenarios need.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
    /// Of a server whose certificate has expired.
    pub(crate) expired_port: u16,
    /// Of one that listens on ::1 too, relays from both, and lets allocations move; `None` where there
    /// is no IPv6.
    pub(crate) both_port: Option<u16>,
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
    #[command(flatten)]
    selection: Selection,
}

/// Believes the authority of these servers, and no other.
pub(crate) fn trusting() -> TlsOptions {
    let mut options = TlsOptions {
        system_roots: false,
        ..TlsOptions::default()
    };
    let added = options.add_roots_pem(servers().authority.as_bytes());
    added.expect("the authority has written it");
    options
}

/// A server of both families, where this machine has IPv6. Who reaches it over IPv6 and names no family
/// gets an address of IPv6 there: so do browsers, which never name one.
fn both_families(folder: &Path, authority: &Authority) -> Result<Option<Coturn>> {
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return Ok(None);
    }
    let ips = [LOOPBACK.into(), Ipv6Addr::LOCALHOST.into()];
    let further = "mobility\nallocation-default-address-family=keep\n";
    Coturn::start_with(&folder.join("both"), authority, false, &ips, further).map(Some)
}

impl Ice {
    pub(crate) fn run(self) -> Result<()> {
        let work = self.selection.work()?;
        install::install_coturn(&work)?;
        let authority = Authority::new()?;
        let folder = work.join("coturn");
        let good = Coturn::start(&folder.join("good"), &authority, false, LOOPBACK)?;
        let expired = Coturn::start(&folder.join("expired"), &authority, true, LOOPBACK)?;
        let both = both_families(&folder, &authority)?;
        let servers = Servers {
            both_port: both.as_ref().map(|it| it.port),
            port: good.port,
            tls_port: good.tls_port,
            expired_port: expired.tls_port,
            authority: authority.pem(),
        };
        SERVERS.set(servers).map_err(|_| anyhow!("started twice"))?;
        println!("coturn on 127.0.0.1:{}", good.port);
        let mut report = Report::default();
        self.alone(&mut report)?;
        let has = |names: Vec<&str>| names.into_iter().any(|it| self.selection.has(it));
        let negotiate = || Negotiate::new(self.selection.clone());
        let mut outcomes = vec![namespaces::start(&self.selection, &work, &mut report)];
        if has(Negotiate::ice_names()) {
            outcomes.push(negotiate().run_ice(&mut report));
        }
        if has(Negotiate::names_names()) {
            outcomes.push(negotiate().run_names(&mut report));
        }
        outcomes.push(report.conclude(&work.join("logs")));
        outcomes.into_iter().collect()
    }

    /// What needs no browser: whom of the servers we believe.
    fn alone(&self, report: &mut Report) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        println!("\nour side alone");
        let all = servers::CHECKS.into_iter().chain(connections::CHECKS);
        let all = all.chain(relays::CHECKS).chain(shared::CHECKS);
        let with_both = families::CHECKS.into_iter().chain(mobility::CHECKS);
        for (name, check) in all.chain(with_both.clone()) {
            if !self.selection.has(name) {
                continue;
            }
            let needs_both = with_both.clone().any(|(it, _)| it == name);
            let begun = Instant::now();
            let checked = runtime.block_on(async {
                if needs_both && servers().both_port.is_none() {
                    bail!(LeftOut("there is no IPv6 on loopback".to_owned()));
                }
                let limit = Duration::from_secs(30);
                let checked = tokio::time::timeout(limit, check()).await;
                checked.context("not within 30 s")?
            });
            let row = row(name, checked, begun.elapsed(), 1);
            println!("{row}");
            report.push(row);
        }
        Ok(())
    }
}

/// Of a run with nobody but us: what it tells.
fn row(name: &str, told: Result<String>, time: Duration, tries: u32) -> Row {
    let (verdict, told) = match told {
        Ok(told) => (Verdict::Passed, Some(told)),
        Err(error) => (error.into(), None),
    };
    Row::alone(name, Outcome { verdict, time }, tries).telling(told)
}
