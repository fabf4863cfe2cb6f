//! Those who have come to the server: a source of layers, and viewers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Result, bail};
use examples::{
    servers::tell_errors,
    signaling::{SignalingChannel, SignalingMessage},
};
use peerconnection::{
    Configuration, DataChannel, Event, MediaKind, PeerConnection, RtpReceiver, RtpTransceiver,
    SdpType, SessionDescription, rtp::TransceiverDirection, state::PeerConnectionState,
};
use tokio::{sync::watch, task::JoinHandle};

use crate::view::View;

/// What all who come have in common. A cheap handle.
#[derive(Clone, Default)]
pub(crate) struct Room {
    source: Arc<watch::Sender<Option<Source>>>,
    viewers: Arc<AtomicUsize>,
}

/// What is sent on: the layers of the one who came last, and the sound.
#[derive(Clone, PartialEq)]
pub(crate) struct Source {
    pub(crate) video: RtpReceiver,
    pub(crate) audio: Option<RtpReceiver>,
}

impl Room {
    /// What is sent on, as it changes.
    pub(crate) fn source(&self) -> watch::Receiver<Option<Source>> {
        self.source.subscribe()
    }

    /// How many look.
    pub(crate) fn viewers(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    /// Answers one who has come until they leave.
    pub(crate) async fn attend(
        &self,
        configuration: Configuration,
        mut signaling: SignalingChannel,
    ) -> Result<()> {
        let (pc, mut events) = PeerConnection::new(configuration)?;
        let mut guest = Guest::new(self.clone(), pc.clone());
        let outcome = loop {
            tokio::select! {
                biased;
                event = events.next() => match event.inspect(tell_errors) {
                    Some(Event::IceCandidate(candidate)) => {
                        signaling.send(SignalingMessage::Candidate(candidate));
                    }
                    Some(Event::DataChannel(channel)) => guest.control(channel),
                    Some(Event::ConnectionStateChange(PeerConnectionState::Failed)) => {
                        break Err(anyhow::anyhow!("the connection has failed"));
                    }
                    Some(_) => {}
                    None => break Ok(()),
                },
                message = signaling.recv() => match message {
                    Some(SignalingMessage::Desc(offer)) => match guest.answer(offer).await {
                        Ok(answer) => signaling.send(SignalingMessage::Desc(answer)),
                        Err(error) => break Err(error),
                    },
                    Some(SignalingMessage::Candidate(candidate)) => {
                        pc.add_ice_candidate(candidate).await?;
                    }
                    Some(SignalingMessage::Start(_)) => {}
                    None => break Ok(()),
                },
            }
        };
        pc.close();
        outcome
    }
}

/// One who has come. It leaves when this is dropped.
struct Guest {
    room: Room,
    pc: PeerConnection,
    /// What it gives to be sent on.
    source: Option<Source>,
    control: watch::Sender<Option<DataChannel>>,
    view: Option<JoinHandle<()>>,
}

impl Guest {
    fn new(room: Room, pc: PeerConnection) -> Self {
        Self {
            room,
            pc,
            source: None,
            control: watch::Sender::default(),
            view: None,
        }
    }

    fn control(&self, channel: DataChannel) {
        self.control.send_replace(Some(channel));
    }

    async fn answer(&mut self, offer: SessionDescription) -> Result<SessionDescription> {
        if offer.kind != SdpType::Offer {
            bail!("this server makes no offers, so it takes no answers");
        }
        self.pc.set_remote_description(offer).await?;
        // Whatever was offered: the answer leaves of it what the other side does not want.
        for transceiver in self.pc.transceivers() {
            transceiver.set_direction(TransceiverDirection::SendRecv)?;
        }
        self.pc.set_local_description(None).await?;
        self.welcome()?;
        let answer = self.pc.local_description();
        answer.ok_or_else(|| anyhow::anyhow!("there is no answer"))
    }

    /// Looks at what was agreed on: what comes is sent on, and what goes is what others send.
    fn welcome(&mut self) -> Result<()> {
        let (mut given, mut wanted) = (Vec::new(), Vec::new());
        for transceiver in self.pc.transceivers() {
            match transceiver.current_direction() {
                Some(TransceiverDirection::RecvOnly) => given.push(transceiver.receiver()),
                Some(TransceiverDirection::SendOnly) => wanted.push(transceiver),
                _ => {}
            }
        }
        let of = |kind| given.iter().find(|it| it.track().kind() == kind).cloned();
        if let Some(video) = of(MediaKind::Video) {
            println!("  a source is here.");
            let audio = of(MediaKind::Audio);
            let source = Source { video, audio };
            self.source = Some(source.clone());
            self.room.source.send_replace(Some(source));
        }
        if !wanted.is_empty() && self.view.is_none() {
            self.view = Some(self.show(&wanted)?);
        }
        Ok(())
    }

    fn show(&self, wanted: &[RtpTransceiver]) -> Result<JoinHandle<()>> {
        let view = View::new(self.room.clone(), wanted, self.control.subscribe())?;
        let viewers = self.room.viewers.fetch_add(1, Ordering::Relaxed) + 1;
        println!("  a viewer is here; there are {viewers}.");
        Ok(tokio::spawn(view.run()))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(view) = &self.view {
            view.abort();
            self.room.viewers.fetch_sub(1, Ordering::Relaxed);
        }
        if self.source.is_some() {
            self.room.source.send_if_modified(|current| {
                let is_own = *current == self.source;
                if is_own {
                    *current = None;
                }
                is_own
            });
        }
        self.pc.close();
    }
}
