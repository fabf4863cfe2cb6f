//! Our side as an ICE-lite agent, as servers are.

use anyhow::{Context, Result, ensure};
use peerconnection::{Configuration, IceRole, UfragPrefix};

use super::{
    super::scenario::Side,
    media::make_channel,
    session::{Session, plain},
};

/// What a server might route by.
const PREFIX: &str = "eu1+";

/// Lite, with user fragments that tell where the session lives.
pub(super) fn ours() -> Configuration {
    Configuration {
        ice_lite: true,
        ufrag_prefix: UfragPrefix::new(PREFIX).expect("ice-chars"),
        ..plain()
    }
}

/// The browser controls, checks and nominates, whoever offers, and after a restart again.
pub(super) async fn talk(session: &mut Session) -> Result<()> {
    make_channel(session, session.offerer(), "chat").await?;
    let described = session.exchange(session.offerer()).await?;
    let own = &described[match session.offerer() {
        Side::Ours => 0,
        Side::Theirs => 1,
    }];
    ensure!(own.sdp.contains("a=ice-lite\r\n"), "{}", own.sdp);
    let named = format!("a=ice-ufrag:{PREFIX}");
    ensure!(own.sdp.contains(&named), "{}", own.sdp);
    session.connected(1).await?;
    session.talk("chat", "to a lite agent").await?;
    controlled(session)?;
    session.ours.pc.restart_ice();
    session.exchange(Side::Ours).await?;
    session.talk("chat", "after a restart").await?;
    controlled(session)
}

/// RFC 8445 §6.1.1.
fn controlled(session: &Session) -> Result<()> {
    let sctp = session.ours.pc.sctp().context("no data transport")?;
    let role = sctp
        .transport()
        .context("no transport")?
        .ice_transport()
        .role();
    ensure!(role == IceRole::Controlled, "{role:?}");
    Ok(())
}
