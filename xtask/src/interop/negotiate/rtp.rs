//! Codecs, header extensions and encodings.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use peerconnection::{
    MediaKind, RtpReceiver, RtpTransceiver, TransceiverInit,
    rtp::{EncodingParameters, TransceiverDirection},
};
use serde_json::Value;

use super::{
    super::scenario::Side,
    media::{add, add_transceiver},
    session::Session,
    state::sections,
};

/// Low to high, as the W3C's example has them.
const RIDS: [&str; 3] = ["q", "h", "f"];
const REPAIRED: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";

/// The offerer prefers VP9, and offers nothing else but VP8 behind it; the answer has both so.
pub(super) async fn preferences(session: &mut Session, by_answerer: bool) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    add_transceiver(session, one, "video", "sendrecv").await?;
    if !by_answerer {
        prefer(session, one).await?;
    }
    let offer = session.describe(one).await?;
    session.deliver(other, &offer).await?;
    if by_answerer {
        prefer(session, other).await?;
    }
    let answer = session.describe(other).await?;
    session.deliver(one, &answer).await?;
    session.agree().await?;
    if !by_answerer {
        ensure!(
            codecs(&offer.sdp) == ["VP9", "VP8"],
            "the offer has {:?}",
            codecs(&offer.sdp)
        );
    }
    ensure!(
        codecs(&answer.sdp) == ["VP9", "VP8"],
        "the answer has {:?}",
        codecs(&answer.sdp)
    );
    session.connected(1).await
}

async fn prefer(session: &Session, side: Side) -> Result<()> {
    if side == Side::Theirs {
        let js = "const all = RTCRtpReceiver.getCapabilities('video').codecs; \
            const vp9 = all.find((it) => it.mimeType === 'video/VP9' && !/profile-id=[1-9]/.test(it.sdpFmtpLine)); \
            it.getTransceivers()[0].setCodecPreferences([vp9, all.find((it) => it.mimeType === 'video/VP8')])";
        return session.theirs.run(js, ()).await.map(drop);
    }
    let all = RtpReceiver::capabilities(MediaKind::Video).codecs;
    let find = |name: &str, fmtp: &str| {
        let mut all = all.iter();
        let found = all.find(|it| {
            it.name() == name && it.sdp_fmtp_line.as_deref().unwrap_or(fmtp).contains(fmtp)
        });
        found.cloned().with_context(|| format!("no {name} {fmtp}"))
    };
    let wanted = vec![find("VP9", "profile-id=0")?, find("VP8", "")?];
    Ok(first(session)?.set_codec_preferences(wanted)?)
}

fn first(session: &Session) -> Result<RtpTransceiver> {
    session
        .ours
        .pc
        .transceivers()
        .into_iter()
        .next()
        .context("we have no transceiver")
}

/// The names of the codecs of the first section, in the order of its m-line.
fn codecs(sdp: &str) -> Vec<String> {
    let Some(section) = sections(sdp).into_iter().next() else {
        return Vec::new();
    };
    let formats = section
        .lines
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let name = |format: &str| {
        let value = section
            .values("rtpmap")
            .find(|it| it.split(' ').next() == Some(format))?;
        Some(value.split([' ', '/']).nth(1)?.to_owned())
    };
    formats.split(' ').skip(3).filter_map(name).collect()
}

/// Both sides name the same codecs and header extensions by the same numbers: as the sender of each
/// transceiver and its receiver across say it.
pub(super) async fn parameters(session: &mut Session) -> Result<()> {
    for side in [session.offerer(), session.offerer().other()] {
        add(session, side, "audio", &["main"]).await?;
        add(session, side, "video", &["main"]).await?;
    }
    session.exchange(session.offerer()).await?;
    for (at, transceiver) in session.ours.pc.transceivers().iter().enumerate() {
        let js = "const { sender, receiver } = it.getTransceivers()[arg]; \
            const plain = (it) => ({ codecs: it.codecs?.map(({ payloadType: pt, mimeType }) => `${pt} ${mimeType.toLowerCase()}`), \
                extensions: it.headerExtensions?.map(({ id, uri }) => `${id} ${uri}`) }); \
            return [plain(sender.getParameters()), plain(receiver.getParameters())]";
        let theirs = session.theirs.run(js, at).await?;
        let sent = transceiver
            .sender()
            .parameters()
            .context("no send parameters")?;
        let received = transceiver
            .receiver()
            .parameters()
            .context("no receive parameters")?;
        let numbered = |codecs: &[peerconnection::rtp::CodecParameters]| -> BTreeSet<String> {
            codecs
                .iter()
                .map(|it| {
                    format!(
                        "{} {}",
                        it.payload_type,
                        it.codec.mime_type.to_ascii_lowercase()
                    )
                })
                .collect()
        };
        let extensions: BTreeSet<_> = sent
            .header_extensions
            .iter()
            .map(|it| format!("{} {}", it.id, it.uri))
            .collect();
        for (ours, theirs, what) in [
            (
                numbered(&sent.codecs),
                &theirs[1]["codecs"],
                "codecs we send",
            ),
            (
                numbered(&received.codecs),
                &theirs[0]["codecs"],
                "codecs they send",
            ),
            (extensions, &theirs[0]["extensions"], "header extensions"),
        ] {
            // Firefox tells no header extensions, and nothing of a receiver.
            let Some(theirs) = texts(theirs) else {
                continue;
            };
            // Chromium tells codecs beyond those that were agreed, and not every header extension.
            let differ: Vec<_> = match what {
                "header extensions" => theirs.difference(&ours).collect(),
                _ => ours.difference(&theirs).collect(),
            };
            ensure!(
                differ.is_empty(),
                "{what}: {differ:?}; ours {ours:?}, theirs {theirs:?}"
            );
        }
    }
    session.connected(1).await
}

fn texts(list: &Value) -> Option<BTreeSet<String>> {
    let texts = list.as_array()?.iter().filter_map(Value::as_str);
    let texts: BTreeSet<_> = texts.map(str::to_owned).collect();
    (!texts.is_empty()).then_some(texts)
}

/// `setHeaderExtensionsToNegotiate`: what we stop is in none of the descriptions.
pub(super) async fn extensions(session: &mut Session) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    add_transceiver(session, one, "video", "sendrecv").await?;
    let stop = || -> Result<String> {
        let transceiver = first(session)?;
        let mut wanted = transceiver.header_extensions_to_negotiate();
        let one = wanted.iter_mut().find(|it| {
            it.direction != TransceiverDirection::Stopped && !it.uri.ends_with("sdes:mid")
        });
        let one = one.context("nothing to stop")?;
        one.direction = TransceiverDirection::Stopped;
        let uri = one.uri.clone();
        transceiver.set_header_extensions_to_negotiate(wanted)?;
        Ok(uri)
    };
    let mut stopped = None;
    if one == Side::Ours {
        stopped = Some(stop()?);
    }
    let offer = session.describe(one).await?;
    session.deliver(other, &offer).await?;
    if other == Side::Ours {
        stopped = Some(stop()?);
    }
    let stopped = stopped.context("nothing stopped")?;
    let answer = session.describe(other).await?;
    session.deliver(one, &answer).await?;
    session.agree().await?;
    let uris = |sdp: &str| -> Vec<String> {
        let all = sections(sdp);
        all.iter()
            .flat_map(|it| it.values("extmap").map(str::to_owned).collect::<Vec<_>>())
            .collect()
    };
    let (offered, answered) = (uris(&offer.sdp), uris(&answer.sdp));
    let has = |all: &[String], uri: &str| all.iter().any(|it| it.ends_with(uri));
    ensure!(
        !has(&answered, &stopped),
        "{stopped} is stopped, and in the answer {answered:?}"
    );
    ensure!(
        has(&offered, &stopped) == (one == Side::Theirs),
        "{stopped} in the offer: {offered:?}"
    );
    ensure!(has(&answered, "sdes:mid"), "no mid in {answered:?}");
    let negotiated = first(session)?.negotiated_header_extensions();
    ensure!(
        negotiated.len() == answered.len(),
        "negotiated {negotiated:?}, answered {answered:?}"
    );
    session.connected(1).await
}

/// Three encodings from us. What the answer takes of them is what our sender keeps.
pub(super) async fn our_simulcast(session: &mut Session) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    let encoding = |rid: &&str| EncodingParameters {
        rid: Some((*rid).into()),
        ..Default::default()
    };
    let init = TransceiverInit {
        send_encodings: RIDS.iter().map(encoding).collect(),
        ..TransceiverInit::default()
    };
    session.ours.add_transceiver(MediaKind::Video, init)?;
    let sender = first(session)?.sender();
    let scales: Vec<_> = encodings(&sender)?
        .iter()
        .map(|it| it.scale_resolution_down_by)
        .collect();
    ensure!(
        scales == [Some(4.0), Some(2.0), Some(1.0)],
        "scales {scales:?}"
    );
    let offer = session.describe(one).await?;
    let section = sections(&offer.sdp)
        .into_iter()
        .next()
        .context("no section")?;
    let rids: Vec<_> = section.values("rid").collect();
    ensure!(rids == ["q send", "h send", "f send"], "a=rid {rids:?}");
    let simulcast: Vec<_> = section.values("simulcast").collect();
    ensure!(simulcast == ["send q;h;f"], "a=simulcast {simulcast:?}");
    ensure!(
        section.values("extmap").any(|it| it.ends_with(REPAIRED)),
        "no {REPAIRED}"
    );
    session.deliver(other, &offer).await?;
    let answer = session.describe(other).await?;
    session.deliver(one, &answer).await?;
    session.agree().await?;
    let section = sections(&answer.sdp)
        .into_iter()
        .next()
        .context("no section")?;
    let taken: Vec<_> = section
        .values("simulcast")
        .filter_map(|it| it.strip_prefix("recv "))
        .collect();
    let expected: Vec<_> = match taken.first() {
        Some(rids) => rids.split(';').map(|it| Some(it.to_owned())).collect(),
        // W3C webrtc-pc §4.4.1.5: without simulcast, only the first encoding stays. Browsers leave it
        // its rid, and so do we.
        None => vec![Some("q".to_owned())],
    };
    let kept: Vec<_> = encodings(&sender)?.into_iter().map(|it| it.rid).collect();
    ensure!(
        kept == expected,
        "the answer takes {taken:?}, we keep {kept:?}"
    );
    session.connected(1).await
}

fn encodings(sender: &peerconnection::RtpSender) -> Result<Vec<EncodingParameters>> {
    Ok(sender.parameters().context("no parameters")?.encodings)
}

/// Three encodings from the browser: our answer takes all, and its sender keeps them.
pub(super) async fn their_simulcast(session: &mut Session) -> Result<()> {
    let js =
        "await addFakeTransceiver('pc', 'video', { sendEncodings: arg.map((rid) => ({ rid })) })";
    session.theirs.run(js, RIDS.to_vec()).await?;
    let [offer, answer] = session.exchange(Side::Theirs).await?;
    let of = |sdp: &str, name: &str| -> Result<Vec<String>> {
        let section = sections(sdp).into_iter().next().context("no section")?;
        Ok(section.values(name).map(str::to_owned).collect())
    };
    ensure!(
        of(&offer.sdp, "simulcast")? == ["send q;h;f"],
        "their offer: {:?}",
        of(&offer.sdp, "simulcast")?
    );
    ensure!(
        of(&answer.sdp, "simulcast")? == ["recv q;h;f"],
        "our answer: {:?}",
        of(&answer.sdp, "simulcast")?
    );
    ensure!(
        of(&answer.sdp, "rid")? == ["q recv", "h recv", "f recv"],
        "our rids: {:?}",
        of(&answer.sdp, "rid")?
    );
    let js = "return it.getSenders()[0].getParameters().encodings.map(({ rid }) => rid)";
    let kept = session.theirs.run(js, ()).await?;
    ensure!(kept == serde_json::json!(RIDS), "their sender keeps {kept}");
    // A second exchange, the other way around, keeps them.
    session.exchange(Side::Ours).await?;
    let kept = session.theirs.run(js, ()).await?;
    ensure!(
        kept == serde_json::json!(RIDS),
        "after our offer their sender keeps {kept}"
    );
    session.connected(1).await
}
