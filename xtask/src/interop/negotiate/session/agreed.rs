//! What both sides agree on, and that they are connected.

use anyhow::{Context, Result, ensure};
use peerconnection::SessionDescription;
use serde_json::json;

use super::{
    super::{
        super::scenario::Side,
        state::{Section, reversed, sections},
    },
    Session,
};

impl Session {
    /// Both sides stable, with the same sections, mids and mirrored directions.
    pub(in super::super) async fn agree(&self) -> Result<()> {
        let (ours, theirs) = (self.ours.state(), self.theirs.state().await?);
        ensure!(
            ours.signaling_state == "stable",
            "we are {}",
            ours.signaling_state
        );
        ensure!(
            theirs.signaling_state == "stable",
            "they are {}",
            theirs.signaling_state
        );
        let (local, remote) = (ours.by_mid(), theirs.by_mid());
        let differ = || format!("transceivers differ: ours {local:?}, theirs {remote:?}");
        ensure!(local.len() == remote.len(), differ());
        for (one, other) in local.iter().zip(&remote) {
            let current = other.current_direction.as_deref().map(reversed);
            let same = one.mid == other.mid && one.kind == other.kind;
            ensure!(
                same && one.current_direction.as_deref() == current,
                differ()
            );
        }
        self.same_sections().await
    }

    /// What each side calls its own description is what the other has of it.
    async fn same_sections(&self) -> Result<()> {
        let js = "return [it.currentLocalDescription.sdp, it.currentRemoteDescription.sdp]";
        let theirs: [String; 2] = serde_json::from_value(self.theirs.run(js, ()).await?)?;
        let text = |it: Option<SessionDescription>| it.map(|it| it.sdp).unwrap_or_default();
        let ours = [
            text(self.ours.pc.current_remote_description()),
            text(self.ours.pc.current_local_description()),
        ];
        for (one, other) in ours.iter().zip(&theirs) {
            let outline = |sdp: &str| -> Vec<_> {
                let all = sections(sdp).into_iter();
                all.map(|it| (it.media, it.mid, it.rejected)).collect()
            };
            let (one, other) = (outline(one), outline(other));
            ensure!(
                one == other,
                "m-sections differ: ours {one:?}, theirs {other:?}"
            );
        }
        Ok(())
    }

    /// Both sides connected, over `transports` transports that are all up.
    pub(in super::super) async fn connected(&self, transports: usize) -> Result<()> {
        let connected =
            |pc: &peerconnection::PeerConnection| pc.connection_state().as_str() == "connected";
        let theirs = self.theirs.until("it.connectionState === 'connected'");
        let ours = self.ours.until("connectionState is connected", connected);
        let (ours, theirs) = tokio::join!(ours, theirs);
        if ours.is_err() || theirs.is_err() {
            let seen = format!(
                "ours {:?}, theirs {:?}",
                self.ours.state(),
                self.theirs.state().await?
            );
            ours.and(theirs).context(seen)?;
        }
        for (side, state) in [
            (Side::Ours, self.ours.state()),
            (Side::Theirs, self.theirs.state().await?),
        ] {
            let up = state.transports.iter().filter(|it| it.is_up()).count();
            ensure!(
                up == transports && state.transports.len() == transports,
                "{}: {transports} transports were due: {:?}",
                side.name(),
                state.transports
            );
        }
        Ok(())
    }

    /// Each mid's kind and our `currentDirection`, in the order of m-sections.
    pub(in super::super) fn directions(&self, expected: &[(&str, &str)]) -> Result<()> {
        let state = self.ours.state();
        let seen: Vec<_> = state
            .transceivers
            .iter()
            .map(|it| {
                (
                    it.kind.as_str(),
                    it.current_direction.as_deref().unwrap_or("none"),
                )
            })
            .collect();
        ensure!(
            seen == expected,
            "our currentDirections: {seen:?} instead of {expected:?}"
        );
        Ok(())
    }

    /// A message each way over the channel `label`, which either side has made.
    pub(in super::super) async fn talk(&self, label: &str, text: &str) -> Result<()> {
        let open = format!("channel('pc', {label:?})?.readyState === 'open'");
        self.theirs.until(&open).await?;
        let named = |_: &_| {
            let channel = self.ours.channel(label);
            channel.is_some_and(|it| it.ready_state().as_str() == "open")
        };
        self.ours.until("the data channel is open", named).await?;
        let channel = self.ours.channel(label).context("no channel")?;
        let (ours, theirs) = (self.ours.mark(), self.theirs.mark().await?);
        channel.send_text(text)?;
        let said = self.theirs.until_logged(theirs, "channel.message").await?;
        ensure!(said["text"] == text, "they got {said} instead of {text}");
        let js = "channel('pc', arg.label).send(arg.text)";
        self.theirs
            .run(js, json!({"label": label, "text": text}))
            .await?;
        let heard = self
            .ours
            .until_logged(ours, "channel.message", |_| true)
            .await?;
        ensure!(heard["text"] == text, "we got {heard} instead of {text}");
        Ok(())
    }
}

/// What an answer must keep of its offer: sections, payload types, ids of header extensions (RFC
/// 3264 §6, §6.1; RFC 8285 §6).
pub(super) fn check_answer(offer: &str, answer: &str) -> Result<()> {
    let (offered, answered) = (sections(offer), sections(answer));
    let outline = |all: &[Section]| -> Vec<_> {
        all.iter()
            .map(|it| (it.media.clone(), it.mid.clone()))
            .collect()
    };
    let (one, other) = (outline(&offered), outline(&answered));
    ensure!(
        one == other,
        "the answer's sections {other:?}, the offer's {one:?}"
    );
    for (offered, answered) in offered.iter().zip(&answered).filter(|(_, it)| !it.rejected) {
        for name in ["rtpmap", "extmap"] {
            let number = |value: &str| value.split([' ', '/']).next().map(str::to_owned);
            // One channel may be said or left out, RFC 8866 §6.6.
            let meaning = |value: &str| {
                let words = value.split(' ').nth(1).map(str::to_ascii_lowercase);
                words.map(|it| it.trim_end_matches("/1").to_owned())
            };
            for value in answered.values(name) {
                let same = offered.values(name).find(|it| number(it) == number(value));
                ensure!(
                    same.map(meaning) == Some(meaning(value)),
                    "a={name}:{value} of the answer is {same:?} in the offer"
                );
            }
        }
    }
    Ok(())
}
