//! The sample itself: [WebRTC §10.7], "Perfect Negotiation Example", with its lines in their order.
//!
//! JavaScript has one thread, and callbacks that take turns at each `await`. So it is here:
//! [`Peer`](crate::peer::Peer) calls these methods as a browser calls the callbacks, several may be
//! under way, and what they share is in cells.
//!
//! [WebRTC §10.7]: https://www.w3.org/TR/webrtc/#perfect-negotiation-example

use std::cell::Cell;

use anyhow::Result;
use examples::signaling::{SignalingMessage, SignalingSender};
use peerconnection::{IceCandidate, PeerConnection, SdpType, state::SignalingState};

use crate::view::Counts;

/// The perfect negotiation logic, separated from the rest of the application.
pub(crate) struct Perfect {
    // const signaling = new SignalingChannel(); // handles JSON.stringify/parse
    signaling: SignalingSender,
    // const pc = new RTCPeerConnection(configuration);
    pc: PeerConnection,
    polite: bool,

    // keep track of some negotiation state to prevent races and errors
    // let makingOffer = false;
    making_offer: Cell<bool>,
    // let ignoreOffer = false;
    ignore_offer: Cell<bool>,
    // let isSettingRemoteAnswerPending = false;
    is_setting_remote_answer_pending: Cell<bool>,

    /// Not in the sample: what there is to show.
    pub(crate) counts: Cell<Counts>,
}

impl Perfect {
    pub(crate) fn new(pc: PeerConnection, signaling: SignalingSender, polite: bool) -> Self {
        Self {
            signaling,
            pc,
            polite,
            making_offer: Cell::new(false),
            ignore_offer: Cell::new(false),
            is_setting_remote_answer_pending: Cell::new(false),
            counts: Cell::default(),
        }
    }

    // // send any ice candidates to the other peer
    // pc.onicecandidate = ({candidate}) => signaling.send({candidate});
    pub(crate) fn on_ice_candidate(&self, candidate: Option<IceCandidate>) {
        self.send(SignalingMessage::Candidate(candidate));
    }

    // // let the "negotiationneeded" event trigger offer generation
    // pc.onnegotiationneeded = async () => {
    pub(crate) async fn on_negotiation_needed(&self) -> Result<()> {
        // try {
        let outcome = async {
            self.making_offer.set(true);
            self.pc.set_local_description(None).await?;
            self.send_local_description();
            Ok(())
        }
        .await;
        // } finally {
        self.making_offer.set(false);
        // } catch (err) { console.error(err); } is what the caller does
        outcome
    }

    // signaling.onmessage = async ({data: {description, candidate}}) => {
    pub(crate) async fn on_message(&self, message: SignalingMessage) -> Result<()> {
        let pc = &self.pc;
        match message {
            // if (description) {
            SignalingMessage::Desc(description) => {
                let kind = description.kind;

                // An offer may come in while we are busy processing SRD(answer).
                // In this case, we will be in "stable" by the time the offer is processed
                // so it is safe to chain it on our Operations Chain now.
                let ready_for_offer = !self.making_offer.get()
                    && (pc.signaling_state() == SignalingState::Stable
                        || self.is_setting_remote_answer_pending.get());
                let offer_collision = kind == SdpType::Offer && !ready_for_offer;
                self.count_collision(offer_collision);

                self.ignore_offer.set(!self.polite && offer_collision);
                if self.ignore_offer.get() {
                    return Ok(());
                }
                self.is_setting_remote_answer_pending
                    .set(kind == SdpType::Answer);
                pc.set_remote_description(description).await?; // SRD rolls back as needed
                self.is_setting_remote_answer_pending.set(false);
                if kind == SdpType::Offer {
                    pc.set_local_description(None).await?;
                    self.send_local_description();
                }
            }
            // } else {
            SignalingMessage::Candidate(candidate) => {
                // The sample looks at ignoreOffer only after the await, when an answer that came
                // meanwhile may have cleared it.
                let ignore_offer = self.ignore_offer.get();
                // try {
                if let Err(err) = pc.add_ice_candidate(candidate).await {
                    // } catch (err) {
                    if !ignore_offer {
                        return Err(err.into()); // Suppress ignored offer's candidates
                    }
                }
            }
            // Of the warm-up alone.
            SignalingMessage::Start(_) => {}
        }
        // } catch (err) { console.error(err); } is what the caller does
        Ok(())
    }

    // signaling.send({description: pc.localDescription});
    fn send_local_description(&self) {
        if let Some(description) = self.pc.local_description() {
            self.count(|counts| match description.kind {
                SdpType::Offer => counts.offers += 1,
                _ => counts.answers += 1,
            });
            self.send(SignalingMessage::Desc(description));
        }
    }

    fn send(&self, message: SignalingMessage) {
        self.count(|counts| counts.sent += 1);
        self.signaling.send(message);
    }

    fn count_collision(&self, offer_collision: bool) {
        self.count(|counts| {
            counts.collisions += u64::from(offer_collision);
            counts.ignored += u64::from(offer_collision && !self.polite);
            counts.rollbacks += u64::from(offer_collision && self.polite);
        });
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    /// Whether an offer or an answer of the other side is in the sample's hands.
    pub(crate) fn is_busy(&self) -> bool {
        self.making_offer.get() || self.is_setting_remote_answer_pending.get()
    }
}
