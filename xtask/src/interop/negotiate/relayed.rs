//! Connections through TURN.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{Configuration, IceServer, IceTransportPolicy};

use super::{
    super::{
        ice::{PASSWORD, USERNAME, servers, trusting},
        run::LeftOut,
        scenario::Side,
    },
    media::make_channel,
    session::{Session, plain},
};

/// What the answer to a question on the links may take.
const PATIENCE: Duration = Duration::from_secs(12);

/// The browser's configuration with the server over UDP, as JavaScript; `extra` has the rest.
pub(super) fn theirs(extra: &str) -> &'static str {
    let port = servers().port;
    let text = format!(
        "{{ iceServers: [{{ urls: 'turn:127.0.0.1:{port}', username: '{USERNAME}', credential: '{PASSWORD}' }}]{extra} }}"
    );
    // One for each scenario of a run.
    text.leak()
}

/// Ours, relayed alone, through the server over UDP, TCP or TLS.
pub(super) fn over_udp() -> Configuration {
    ours(&format!("turn:127.0.0.1:{}", servers().port))
}

pub(super) fn over_tcp() -> Configuration {
    ours(&format!("turn:127.0.0.1:{}?transport=tcp", servers().port))
}

pub(super) fn over_tls() -> Configuration {
    ours(&format!("turns:localhost:{}", servers().tls_port))
}

fn ours(url: &str) -> Configuration {
    Configuration {
        ice_servers: vec![IceServer::turn(url, USERNAME, PASSWORD)],
        ice_transport_policy: IceTransportPolicy::Relay,
        server_tls: trusting(),
        ..plain()
    }
}

/// Which ends of the pair in use are to be relayed.
#[derive(Clone, Copy)]
pub(super) struct Relayed {
    pub(super) ours: bool,
    pub(super) theirs: bool,
}

/// A data channel talks, over candidates of these kinds.
pub(super) async fn talk(session: &mut Session, relayed: Relayed) -> Result<()> {
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    session.talk("chat", "through a relay").await?;
    session.talk("chat", &"long ".repeat(3000)).await?;
    pair(session, relayed).await?;
    // The same allocations serve after a restart.
    session.ours.pc.restart_ice();
    session.exchange(Side::Ours).await?;
    session.talk("chat", "after a restart").await
}

/// The browser tells names instead of addresses: each of them is found.
pub(super) async fn names(session: &mut Session) -> Result<()> {
    if !has_network() {
        let why = "there is no network but loopback, where nobody answers for names";
        bail!(LeftOut(why.to_owned()));
    }
    make_channel(session, session.offerer(), "chat").await?;
    let offers = session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    session.talk("chat", "by name").await?;
    let theirs = match session.offerer() {
        Side::Ours => &offers[1],
        Side::Theirs => &offers[0],
    };
    ensure!(
        !theirs.sdp.contains(" typ host") || theirs.sdp.contains(".local"),
        "{}",
        theirs.sdp
    );
    let begun = Instant::now();
    loop {
        let sctp = session.ours.pc.sctp().context("no data transport")?;
        let dtls = sctp.transport().context("no transport")?;
        let found = dtls.ice_transport().remote_candidates();
        let known = found
            .iter()
            .filter(|it| !it.candidate.contains(".local"))
            .count();
        if known > 0 {
            println!("      {known} names found: {}", found[0].candidate);
            return Ok(());
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "no name was found within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether there is another interface than loopback.
fn has_network() -> bool {
    let interfaces = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten();
    interfaces.into_iter().any(|it| it.file_name() != "lo")
}

/// A call: as long as it is relayed, both sides hear and see each other.
pub(super) async fn call(session: &mut Session, relayed: Relayed) -> Result<()> {
    super::played::both_ways(session, "opus", "VP8", super::played::LOOK).await?;
    pair(session, relayed).await
}

/// The kinds of the candidates in use, as our side has them.
async fn pair(session: &Session, relayed: Relayed) -> Result<()> {
    let info = session.ours.pc.transport_info();
    let (local, remote) = info.candidate_pair.unwrap_or_default();
    let is_relay = |it: &str| it.starts_with("relay");
    ensure!(
        is_relay(&local) == relayed.ours && is_relay(&remote) == relayed.theirs,
        "from {local} to {remote}"
    );
    println!("      from {local} to {remote}");
    Ok(())
}
