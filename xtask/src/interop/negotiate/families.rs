//! Connections through a server that is reached over IPv6, and relays from there.

use anyhow::{Result, ensure};
use peerconnection::{Configuration, IceServer, IceTransportPolicy};

use super::{
    super::ice::{PASSWORD, USERNAME, servers},
    media::make_channel,
    session::{Session, plain},
};

/// The browser's configuration, relayed alone, as JavaScript. It names no family, and what the server
/// gives it is that of the path there.
pub(super) fn theirs() -> Option<&'static str> {
    let url = url(servers().both_port?);
    let text = format!(
        "{{ iceServers: [{{ urls: '{url}', username: '{USERNAME}', credential: '{PASSWORD}' }}], iceTransportPolicy: 'relay' }}"
    );
    // One for each run.
    Some(text.leak())
}

/// Ours reaches it over IPv4, and asks for addresses of both families.
pub(super) fn ours() -> Configuration {
    let port = servers().both_port.unwrap_or_default();
    let url = format!("turn:127.0.0.1:{port}");
    Configuration {
        ice_servers: vec![IceServer::turn(&url, USERNAME, PASSWORD)],
        ice_transport_policy: IceTransportPolicy::Relay,
        ..plain()
    }
}

fn url(port: u16) -> String {
    format!("turn:[::1]:{port}")
}

/// A data channel talks, from a relayed address of IPv6 to another one.
pub(super) async fn talk(session: &mut Session) -> Result<()> {
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    session.talk("chat", "through a relay").await?;
    session.talk("chat", &"long ".repeat(3000)).await?;
    let pair = session.ours.pc.transport_info().candidate_pair;
    let (local, remote) = pair.unwrap_or_default();
    let is_ours = |it: &str| it.starts_with("relay") && it.contains("[::1]");
    ensure!(
        is_ours(&local) && is_ours(&remote),
        "from {local} to {remote}"
    );
    println!("      from {local} to {remote}");
    Ok(())
}
