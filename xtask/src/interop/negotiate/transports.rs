//! Bundles, ICE restarts and certificates.

use anyhow::{Context, Result, ensure};
use peerconnection::{
    CertificateOptions, Configuration, KeyAlgorithm, OfferOptions, PeerConnection,
};
use serde_json::json;

use super::{
    super::scenario::Side,
    media::{add, make_channel},
    session::{Session, plain},
    state::{bundle, ufrags},
};

/// The object identifier of an RSA key, 1.2.840.113549.1.1.1, in DER.
const RSA_ENCRYPTION: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

/// Audio, video and data of both sides, in a first exchange.
async fn everything(session: &Session) -> Result<()> {
    for side in [session.offerer(), session.offerer().other()] {
        add(session, side, "audio", &["main"]).await?;
        add(session, side, "video", &["main"]).await?;
    }
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    Ok(())
}

/// Signaling takes `a=group` away: every m-section has a transport of its own.
pub(super) async fn no_bundle(session: &mut Session) -> Result<()> {
    session.tamper = |sdp| without(sdp, "a=group:BUNDLE");
    everything(session).await?;
    session.connected(3).await?;
    session.talk("chat", "each over its own").await?;
    // It stays so in an exchange that the other side starts.
    let [offer, answer] = session.exchange(session.offerer().other()).await?;
    ensure!(
        bundle(&answer.sdp).is_empty(),
        "the answer bundles {:?}",
        bundle(&answer.sdp)
    );
    drop(offer);
    session.connected(3).await?;
    session.talk("chat", "still").await
}

/// Signaling takes the data channels out of the group.
pub(super) async fn partial_bundle(session: &mut Session) -> Result<()> {
    session.tamper = |sdp| {
        let line = |line: &str| match line.strip_prefix("a=group:BUNDLE ") {
            Some(mids) => {
                let mut mids: Vec<_> = mids.split(' ').collect();
                mids.truncate(2);
                format!("a=group:BUNDLE {}\r\n", mids.join(" "))
            }
            None => format!("{line}\r\n"),
        };
        sdp.lines().map(line).collect()
    };
    everything(session).await?;
    session.connected(2).await?;
    session.talk("chat", "beside the bundle").await
}

fn without(sdp: &str, prefix: &str) -> String {
    let lines = sdp.lines().filter(|line| !line.starts_with(prefix));
    lines.map(|line| format!("{line}\r\n")).collect()
}

/// How a restart is asked for.
#[derive(Clone, Copy)]
pub(super) enum Restart {
    /// `restartIce()`, and its `negotiationneeded`.
    Call,
    /// `createOffer({ iceRestart: true })`.
    Option,
}

/// New credentials on both sides, over which everything goes on.
pub(super) async fn ice_restart(
    session: &mut Session,
    by_answerer: bool,
    how: Restart,
) -> Result<()> {
    everything(session).await?;
    session.connected(1).await?;
    session.talk("chat", "before").await?;
    let starter = if by_answerer {
        session.offerer().other()
    } else {
        session.offerer()
    };
    let old = descriptions(session)?;
    let ours = session.ours.mark();
    restart(session, starter, how).await?;
    let new = descriptions(session)?;
    for (old, new) in old.iter().zip(&new) {
        let same: Vec<_> = ufrags(new)
            .into_iter()
            .filter(|it| ufrags(old).contains(it))
            .collect();
        ensure!(same.is_empty(), "ice-ufrags that stayed: {same:?}");
    }
    new_pair(session).await?;
    session.connected(1).await?;
    session.talk("chat", "after").await?;
    let stayed = |it: &&serde_json::Value| {
        it["event"] == "iceconnectionstatechange"
            && it["state"] != "connected"
            && it["state"] != "completed"
    };
    let left: Vec<_> = session.log(Side::Ours, ours).await?;
    let left: Vec<_> = left.iter().filter(stayed).collect();
    ensure!(left.is_empty(), "a restart is no interruption: {left:?}");
    Ok(())
}

async fn restart(session: &Session, starter: Side, how: Restart) -> Result<()> {
    let mark = session.mark(starter).await?;
    match (starter, how) {
        (Side::Ours, Restart::Call) => session.ours.pc.restart_ice(),
        (Side::Theirs, Restart::Call) => {
            session.theirs.run("it.restartIce()", ()).await?;
        }
        (Side::Ours, Restart::Option) => {
            let options = OfferOptions { ice_restart: true };
            let offer = session.ours.pc.create_offer(options).await?;
            session.ours.pc.set_local_description(offer).await?;
        }
        (Side::Theirs, Restart::Option) => {
            let js = "await it.setLocalDescription(await it.createOffer({ iceRestart: true }))";
            session.theirs.run(js, ()).await?;
        }
    }
    if matches!(how, Restart::Call) {
        session
            .until_logged(starter, mark, "negotiationneeded")
            .await?;
        session.exchange(starter).await?;
        return Ok(());
    }
    let offer = match starter {
        Side::Ours => session.ours.pc.local_description().context("no offer")?,
        Side::Theirs => {
            serde_json::from_value(session.theirs.run("return it.localDescription", ()).await?)?
        }
    };
    session.deliver(starter.other(), &offer).await?;
    let answer = session.describe(starter.other()).await?;
    session.deliver(starter, &answer).await?;
    session.agree().await
}

fn descriptions(session: &Session) -> Result<[String; 2]> {
    let pc = &session.ours.pc;
    Ok([
        pc.current_local_description()
            .context("no local description")?
            .sdp,
        pc.current_remote_description()
            .context("no remote description")?
            .sdp,
    ])
}

/// What we send goes to an address of the browser's new generation.
async fn new_pair(session: &Session) -> Result<()> {
    let transport = session
        .ours
        .pc
        .sctp()
        .and_then(|it| it.transport())
        .context("no transport")?;
    let ice = transport.ice_transport();
    let remote = ice
        .remote_parameters()
        .context("no remote parameters")?
        .username_fragment;
    let js = "await until(() => log('pc').some(({ candidate }) => candidate?.usernameFragment === arg)); \
        return log('pc').filter(({ candidate }) => candidate?.usernameFragment === arg && candidate.candidate).map(({ candidate }) => candidate.candidate)";
    let candidates: Vec<String> =
        serde_json::from_value(session.theirs.run(js, remote.clone()).await?)?;
    let ports: Vec<u16> = candidates
        .iter()
        .filter_map(|it| it.split(' ').nth(5)?.parse().ok())
        .collect();
    let chosen = |_: &_| {
        let pair = ice.selected_candidate_pair();
        pair.and_then(|it| it.remote.port())
            .is_some_and(|port| ports.contains(&port))
    };
    let what = format!("a pair of the generation {remote}, ports {ports:?}, is selected");
    let selected = session.ours.until(&what, chosen).await;
    selected.with_context(|| format!("{:?}, {:?}", ice.role(), ice.selected_candidate_pair()))
}

/// A configuration with an RSA certificate.
pub(super) fn with_rsa() -> Configuration {
    let made = PeerConnection::generate_certificate(CertificateOptions::new(KeyAlgorithm::Rsa2048));
    Configuration {
        certificates: made.into_iter().collect(),
        ..plain()
    }
}

/// The browser's.
pub(super) const THEIR_RSA: &str = "{ certificates: [await RTCPeerConnection.generateCertificate({ \
    name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' })] }";

/// Either side's certificate has an RSA key, as the other sees it.
pub(super) async fn rsa(session: &mut Session, side: Side) -> Result<()> {
    let expected = match side {
        Side::Ours => session.ours.pc.configuration().certificates.len(),
        Side::Theirs => 1,
    };
    ensure!(expected == 1, "no RSA certificate could be made");
    everything(session).await?;
    session.connected(1).await?;
    session.talk("chat", "signed with RSA").await?;
    let certificate = match side {
        Side::Ours => {
            let own = session.ours.pc.configuration().certificates;
            own.first().context("no certificate")?.der().to_vec()
        }
        Side::Theirs => {
            let transport = session.ours.pc.sctp().and_then(|it| it.transport());
            let seen = transport.context("no transport")?.remote_certificates();
            seen.into_iter().next().context("no remote certificate")?
        }
    };
    let is_rsa = certificate
        .windows(RSA_ENCRYPTION.len())
        .any(|it| it == RSA_ENCRYPTION);
    ensure!(
        is_rsa,
        "the certificate has no RSA key: {}",
        json!(certificate)
    );
    Ok(())
}
