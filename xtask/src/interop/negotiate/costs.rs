//! What networks cost (draft-thatcher-ice-network-cost).

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{Configuration, HostAddresses, NetworkCost};

use super::{
    super::run::LeftOut,
    media::make_channel,
    session::{Session, plain},
};

/// What finding and nominating the cheaper pair may take.
const PATIENCE: Duration = Duration::from_secs(15);

const DEAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 1));
const CHEAP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

/// Two addresses of ours, as if one were that of a modem.
pub(super) fn ours() -> Configuration {
    Configuration {
        host_addresses: HostAddresses::Only(vec![DEAR, CHEAP]),
        network_costs: vec![(DEAR, NetworkCost::HIGH), (CHEAP, NetworkCost::LOW)],
        ..plain()
    }
}

/// The browser is told of the dear address alone, and learns of the cheap one, and of what that costs,
/// by our checks. Such a candidate is of a lower priority (RFC 8445 §5.1.2.2): it is used for its cost,
/// whoever nominates.
pub(super) async fn talk(session: &mut Session) -> Result<()> {
    session.withhold(|candidate| candidate.contains(" 127.0.0.2 "));
    session.tamper = |sdp| {
        let lines = sdp.split_inclusive('\n');
        let is_kept =
            |line: &&str| !(line.starts_with("a=candidate") && line.contains(" 127.0.0.2 "));
        lines.filter(is_kept).collect()
    };
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    session.talk("chat", "over whichever").await?;
    let said = told(session)?;
    if !said.contains(" network-id ") {
        bail!(LeftOut("it says nothing of networks".to_owned()));
    }
    println!("      it says {said}");
    let begun = Instant::now();
    loop {
        let info = session.ours.pc.transport_info();
        let (local, remote) = info.candidate_pair.context("no pair")?;
        let theirs = remote_in_use(session).await?;
        if local.contains("127.0.0.2:") && theirs == "prflx" {
            println!("      from {local} to {remote}");
            break;
        }
        let said = format!("from {local} to {remote}, and the browser to {theirs}");
        ensure!(begun.elapsed() < PATIENCE, "{said}");
        // A browser that is controlled, and was asked for both pairs, follows the data.
        session.talk("chat", "over what is cheap").await?;
    }
    Ok(())
}

/// A candidate of the browser's that was signaled.
fn told(session: &Session) -> Result<String> {
    let sctp = session.ours.pc.sctp().context("no data transport")?;
    let dtls = sctp.transport().context("no transport")?;
    let found = dtls.ice_transport().remote_candidates();
    let first = found.first().context("no candidate of theirs")?;
    Ok(first.candidate.clone())
}

/// Of which kind our candidate is that the browser uses.
async fn remote_in_use(session: &Session) -> Result<String> {
    const THEIRS: &str = "const now = await it.getStats(); \
        for (const transport of now.values()) { \
            const pair = transport.type === 'transport' && now.get(transport.selectedCandidatePairId); \
            if (pair) return now.get(pair.remoteCandidateId).candidateType; \
        } return 'none'";
    let kind = session.theirs.run(THEIRS, ()).await?;
    Ok(kind.as_str().unwrap_or_default().to_owned())
}
