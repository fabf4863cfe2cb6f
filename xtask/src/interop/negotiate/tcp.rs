//! ICE over TCP (RFC 6544): browsers connect, and we listen, or a TURN server does for us. Signaling takes
//! every candidate of UDP away, as a firewall would its packets.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use peerconnection::{Configuration, TcpCandidates};
use serde_json::Value;

use super::{
    super::{peers::Peer, run::LeftOut, scenario::Side},
    media::make_channel,
    played,
    session::{Session, plain},
};

/// What taking over a pair after a restart may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Ours, with somewhere to connect to.
pub(super) fn listening() -> Configuration {
    Configuration {
        tcp_candidates: TcpCandidates::ActiveAndPassive,
        ..plain()
    }
}

/// A data channel talks, before and after an ICE restart, to a candidate of ours of this kind.
pub(super) async fn talk(session: &mut Session, kind: &str) -> Result<()> {
    block_udp(session, kind)?;
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    session.talk("chat", "over a connection").await?;
    session.talk("chat", &"long ".repeat(40_000)).await?;
    pair(session, kind).await?;
    let before = in_use(session);
    session.ours.pc.restart_ice();
    session.exchange(Side::Ours).await?;
    session.talk("chat", "around a restart").await?;
    // Whoever restarts connects anew.
    let begun = Instant::now();
    while in_use(session) == before {
        ensure!(begun.elapsed() < PATIENCE, "still {before:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    session.talk("chat", "after a restart").await?;
    pair(session, kind).await
}

/// Our candidate and theirs.
fn in_use(session: &Session) -> (String, String) {
    let info = session.ours.pc.transport_info();
    info.candidate_pair.unwrap_or_default()
}

/// Both sides hear and see each other.
pub(super) async fn call(session: &mut Session, kind: &str) -> Result<()> {
    block_udp(session, kind)?;
    played::both_ways(session, "opus", "VP8", played::LOOK).await?;
    pair(session, kind).await
}

/// As a firewall would: no candidate of UDP is told. A relay lets in whom candidates name, so where one is
/// connected to they are told, and do not work.
fn block_udp(session: &mut Session, kind: &str) -> Result<()> {
    if kind == "relay" {
        if session.peer == Peer::Firefox {
            let why = "Firefox reads no tcptype of relayed candidates, and connects to none";
            bail!(LeftOut(why.to_owned()));
        }
        session.tamper = |sdp| sdp.split_inclusive("\r\n").map(with_dead_port).collect();
        session.alter(with_dead_port);
    } else {
        session.tamper = without_udp;
        session.withhold(is_udp);
    }
    Ok(())
}

/// A candidate of UDP as if a firewall took every packet: at a port where nobody is.
fn with_dead_port(candidate: &str) -> String {
    let is_taken = candidate.contains("candidate:") && is_udp(candidate);
    let words = candidate.split(' ').enumerate();
    let words = words.map(|(at, word)| if is_taken && at == 5 { "9" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn is_udp(candidate: &str) -> bool {
    let words = candidate.split(' ');
    words
        .skip(2)
        .take(1)
        .any(|it| it.eq_ignore_ascii_case("udp"))
}

fn without_udp(sdp: &str) -> String {
    let lines = sdp.split_inclusive("\r\n");
    let is_taken = |line: &&str| line.starts_with("a=candidate:") && is_udp(line);
    lines.filter(|line| !is_taken(line)).collect()
}

/// Both sides say that the pair in use is of TCP, and that the browser has connected.
async fn pair(session: &Session, kind: &str) -> Result<()> {
    const THEIRS: &str = "for (const end = Date.now() + 5000; ; ) { \
        const now = await it.getStats(); \
        for (const pair of now.values()) { \
            if (pair.type === 'candidate-pair' && pair.nominated && pair.state === 'succeeded') { \
                const local = now.get(pair.localCandidateId); \
                return [local.protocol, local.tcpType ?? null]; \
            } \
        } \
        if (Date.now() > end) return null; \
        await new Promise((resolve) => setTimeout(resolve, 50)); }";
    let (local, remote) = in_use(session);
    ensure!(
        local.starts_with(&format!("{kind} tcp"))
            && local.ends_with("passive")
            && remote.ends_with("active"),
        "from {local} to {remote}"
    );
    let theirs = session.theirs.run(THEIRS, ()).await?;
    // Firefox does not tell the type.
    let [Value::String(protocol), tcp_type] = theirs.as_array().map_or(&[][..], |it| it) else {
        anyhow::bail!("the browser has no nominated pair: {theirs}");
    };
    ensure!(protocol == "tcp", "the browser has {theirs}");
    ensure!(
        tcp_type.is_null() || tcp_type == "active",
        "the browser has {theirs}"
    );
    println!("      from {local} to {remote}");
    Ok(())
}
