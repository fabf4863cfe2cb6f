//! Descriptions: made on one side, delivered to the other.

use anyhow::{Context, Result};
use peerconnection::{SdpType, SessionDescription};

use super::{super::super::scenario::Side, Session, agreed::check_answer};

impl Session {
    /// `setLocalDescription()` of one side, and what it has made.
    pub(in super::super) async fn describe(&self, side: Side) -> Result<SessionDescription> {
        let made = match side {
            Side::Ours => self
                .ours
                .describe()
                .await
                .context("our setLocalDescription()"),
            Side::Theirs => self.theirs.describe().await,
        }?;
        self.tell(&format!("{} made an {}", side.name(), made.kind), &made.sdp);
        Ok(made)
    }

    /// A description of `kind` of one side by `createOffer` or `createAnswer`, and set there.
    pub(in super::super) async fn describe_as(
        &self,
        side: Side,
        kind: SdpType,
    ) -> Result<SessionDescription> {
        let made = match side {
            Side::Ours => {
                let pc = &self.ours.pc;
                let made = if kind == SdpType::Offer {
                    pc.create_offer(None).await?
                } else {
                    pc.create_answer().await?
                };
                let made = SessionDescription { kind, ..made };
                pc.set_local_description(made.clone()).await?;
                made
            }
            Side::Theirs => {
                let js = "const made = arg === 'offer' ? await it.createOffer() : await it.createAnswer(); \
                    const description = { type: arg, sdp: made.sdp }; \
                    await it.setLocalDescription(description); return description";
                serde_json::from_value(self.theirs.run(js, kind.as_str()).await?)?
            }
        };
        self.tell(&format!("{} made {kind}", side.name()), &made.sdp);
        Ok(made)
    }

    /// Takes back the pending offer on one side, `local`ly or as if signaling had said so.
    pub(in super::super) async fn roll_back(&self, side: Side, local: bool) -> Result<()> {
        self.couriers
            .forget(if local { side.other() } else { side });
        match (side, local) {
            (Side::Ours, true) => Ok(self
                .ours
                .pc
                .set_local_description(SessionDescription::rollback())
                .await?),
            (Side::Ours, false) => Ok(self
                .ours
                .pc
                .set_remote_description(SessionDescription::rollback())
                .await?),
            (Side::Theirs, local) => {
                let js = "await (arg ? it.setLocalDescription({ type: 'rollback' }) : it.setRemoteDescription({ type: 'rollback' }))";
                self.theirs.run(js, local).await.map(drop)
            }
        }
    }

    /// `setRemoteDescription` of one side; then the candidates that belong to it.
    pub(in super::super) async fn deliver(
        &self,
        to: Side,
        description: &SessionDescription,
    ) -> Result<()> {
        let mut sent = description.clone();
        sent.sdp = (self.tamper)(&sent.sdp);
        let kind = sent.kind;
        match to {
            Side::Ours => {
                let set = self.ours.pc.set_remote_description(sent.clone()).await;
                set.with_context(|| format!("our setRemoteDescription({kind})"))?;
            }
            Side::Theirs => {
                let arg = serde_json::to_value(&sent)?;
                self.theirs
                    .run("await it.setRemoteDescription(arg)", arg)
                    .await?;
            }
        }
        self.delivered(to, &sent.sdp);
        Ok(())
    }

    /// One whole exchange. The answer is held against the offer.
    pub(in super::super) async fn exchange(
        &self,
        offerer: Side,
    ) -> Result<[SessionDescription; 2]> {
        let offer = self.describe(offerer).await?;
        self.deliver(offerer.other(), &offer).await?;
        let answer = self.describe(offerer.other()).await?;
        self.deliver(offerer, &answer).await?;
        check_answer(&offer.sdp, &answer.sdp)?;
        self.agree().await?;
        Ok([offer, answer])
    }
}
