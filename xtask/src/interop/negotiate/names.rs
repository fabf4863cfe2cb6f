//! Names of multicast DNS in the place of addresses.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{Configuration, HostAddresses};

use super::{
    super::{run::LeftOut, scenario::Side},
    media::make_channel,
    session::{Session, plain},
};

/// What the answer to a question on the links may take.
const PATIENCE: Duration = Duration::from_secs(12);

/// Names are asked for on interfaces, and loopback is none of these.
pub(super) fn everywhere() -> Configuration {
    Configuration {
        host_addresses: HostAddresses::InterfacesAndLoopback,
        ..plain()
    }
}

/// Our addresses hidden, where there are others than those of loopback.
pub(super) fn hidden() -> Configuration {
    Configuration {
        host_addresses: HostAddresses::Interfaces,
        hide_host_addresses: true,
        ..plain()
    }
}

/// The browser tells names instead of addresses: each of them is found.
pub(super) async fn theirs(session: &mut Session) -> Result<()> {
    needs_network()?;
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    session.talk("chat", "by name").await?;
    let begun = Instant::now();
    loop {
        let sctp = session.ours.pc.sctp().context("no data transport")?;
        let dtls = sctp.transport().context("no transport")?;
        let found = dtls.ice_transport().remote_candidates();
        if let Some(first) = found.first() {
            // Those whose address is known, and who are shown by their names nevertheless.
            let hidden = found.iter().all(|it| it.candidate.contains(".local "));
            ensure!(hidden, "{found:?}");
            println!("      {} names found: {}", found.len(), first.candidate);
            return Ok(());
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "no name was found within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// There is another interface than loopback, where nobody answers for names.
fn needs_network() -> Result<()> {
    let interfaces = fs::read_dir("/sys/class/net").into_iter();
    let mut interfaces = interfaces.flatten().flatten();
    if !interfaces.any(|it| it.file_name() != "lo") {
        let why = "there is no network but loopback, where nobody answers for names";
        bail!(LeftOut(why.to_owned()));
    }
    Ok(())
}

/// We tell names instead of addresses, and nothing of the browser's reaches us: there is a connection
/// only if it finds our names.
pub(super) async fn ours(session: &mut Session) -> Result<()> {
    needs_network()?;
    session.withhold_all(Side::Ours);
    session.tamper = |sdp| {
        let lines = sdp.split_inclusive('\n');
        lines
            .filter(|line| !line.starts_with("a=candidate"))
            .collect()
    };
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    let sctp = session.ours.pc.sctp().context("no data transport")?;
    let dtls = sctp.transport().context("no transport")?;
    let told = dtls.ice_transport().local_candidates();
    let hidden = told.iter().all(|it| it.candidate.contains(".local "));
    ensure!(hidden && !told.is_empty(), "{told:?}");
    session.talk("chat", "by our name").await?;
    let info = session.ours.pc.transport_info();
    let (local, _) = info.candidate_pair.context("no pair")?;
    ensure!(local.contains(".local:"), "{local}");
    println!("      from {local}");
    Ok(())
}
