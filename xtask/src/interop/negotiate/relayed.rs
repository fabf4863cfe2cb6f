//! Connections through TURN.

use anyhow::{Result, ensure};
use peerconnection::{Configuration, IceServer, IceTransportPolicy, TcpCandidates};

use super::{
    super::{
        ice::{PASSWORD, USERNAME, servers, trusting},
        scenario::Side,
    },
    media::make_channel,
    session::{Session, plain},
};

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

/// The same, with TCP candidates at the server (RFC 6062).
pub(super) fn taking_tcp() -> Configuration {
    Configuration {
        tcp_candidates: TcpCandidates::ActiveAndPassive,
        ..over_tcp()
    }
}

pub(super) fn taking_tcp_over_tls() -> Configuration {
    Configuration {
        tcp_candidates: TcpCandidates::ActiveAndPassive,
        ..over_tls()
    }
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
