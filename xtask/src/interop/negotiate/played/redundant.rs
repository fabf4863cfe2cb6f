//! Sound that is sent twice (RFC 2198).

use anyhow::{Context, Result, ensure};
use peerconnection::stats::{Stats, StatsReport};

use super::{super::session::Session, LOOK, RED, both_ways};

const AUDIO_RED: &str = "audio/red";

/// A call in which both sides send all sound a second time, and say so.
pub(in super::super) async fn redundant(session: &mut Session) -> Result<()> {
    both_ways(session, RED, "VP8", LOOK).await?;
    let report = session.ours.pc.stats(None)?;
    let sound = |it: &Stats| match it {
        Stats::InboundRtp(it) if it.kind == "audio" => it.codec_id.clone(),
        _ => None,
    };
    let received = report.iter().find_map(sound).context("no codec received")?;
    let sound = |it: &Stats| match it {
        Stats::OutboundRtp(it) if it.kind == "audio" => it.codec_id.clone(),
        _ => None,
    };
    let sent = report.iter().find_map(sound).context("no codec sent")?;
    let ours = [mime_type(&report, &received), mime_type(&report, &sent)];
    ensure!(ours == [Some(AUDIO_RED); 2], "we receive and send {ours:?}");
    // Chromium names what is carried; second blocks that it has no use for are packets discarded.
    let js = "const all = [...(await it.getStats()).values()]; \
        const sound = all.find((s) => s.type === 'inbound-rtp' && s.kind === 'audio'); \
        return [sound.packetsReceived, sound.packetsDiscarded]";
    let theirs: [u64; 2] = serde_json::from_value(session.theirs.run(js, ()).await?)?;
    let [packets, seconds] = theirs;
    ensure!(
        seconds * 2 > packets,
        "{seconds} second blocks came to them in {packets} packets"
    );
    println!("      {seconds} second blocks came to them in {packets} packets");
    Ok(())
}

fn mime_type<'r>(report: &'r StatsReport, id: &str) -> Option<&'r str> {
    match report.get(id)? {
        Stats::Codec(it) => Some(&it.mime_type),
        _ => None,
    }
}
