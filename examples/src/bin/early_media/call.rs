//! The sample, "Peer-to-peer Example with Media before Signaling" of the W3C's earlier drafts, with its
//! lines in their order.

use anyhow::{Context, Result};
use examples::{
    devices::camera_mic,
    meter::{Meter, Reading},
    program,
    signaling::{Callback, SignalingChannel, SignalingMessage},
};
use peerconnection::{Configuration, Event, Events, MediaStream, PeerConnection, SdpType};
use tokio::sync::watch;

/// One side of a call.
pub(crate) struct Call {
    configuration: Configuration,
    signaling: SignalingChannel,
    connection: Option<(PeerConnection, Events)>,
    /// `selfView.srcObject`: what makes this side's sound and picture.
    self_view: Option<MediaStream>,
    /// `remoteView.srcObject`: what measures the other side's.
    remote_view: Meter,
}

impl Call {
    // const signaling = new SignalingChannel();
    // let pc;
    pub(crate) fn new(configuration: Configuration, signaling: SignalingChannel) -> Self {
        Self {
            configuration,
            signaling,
            connection: None,
            self_view: None,
            remote_view: Meter::default(),
        }
    }

    // call start() to initiate
    // async function start() {
    pub(crate) fn start(&mut self) -> Result<()> {
        // pc = new RTCPeerConnection(configuration);
        let (pc, events) = PeerConnection::new(self.configuration.clone())?;
        // get a local stream, show it in a self-view and add it to be sent
        // const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: true});
        let stream = camera_mic()?;
        for track in stream.tracks() {
            pc.add_track(&track, &[&stream])?;
        }
        // selfView.srcObject = stream;
        self.self_view = Some(stream);
        // Render the media even before ontrack fires.
        // remoteView.srcObject = new MediaStream(pc.getReceivers().map((r) => r.track));
        for receiver in pc.receivers() {
            self.remote_view.watch(&receiver.track());
        }
        self.connection = Some((pc, events));
        Ok(())
    }

    /// What is heard and seen, as it changes.
    pub(crate) fn readings(&self) -> watch::Receiver<Reading> {
        self.remote_view.readings()
    }

    /// Calls the callbacks until the other side has left.
    pub(crate) async fn run(&mut self) -> Result<()> {
        loop {
            let events = self.connection.as_mut().map(|(_, events)| events);
            match self.signaling.recv_or(events).await {
                Some(Callback::Event(event)) => self.on_event(event).await?,
                Some(Callback::Message(message)) => self.on_message(message).await?,
                None => return Ok(()),
            }
        }
    }

    /// The same, with a line about what is received each second.
    pub(crate) async fn run_with_meter(&mut self) -> Result<()> {
        let readings = self.readings();
        let tell = || println!("  {}", readings.borrow().short_line());
        program::telling(self.run(), tell).await
    }

    async fn on_event(&mut self, event: Event) -> Result<()> {
        match event {
            // send any ice candidates to the other peer
            // pc.onicecandidate = (event) => {
            Event::IceCandidate(candidate) => {
                self.signaling.send(SignalingMessage::Candidate(candidate));
            }
            // let the "negotiationneeded" event trigger offer generation
            // pc.onnegotiationneeded = async () => {
            Event::NegotiationNeeded => {
                let pc = self.pc()?;
                // await pc.setLocalDescription(await pc.createOffer());
                pc.set_local_description(pc.create_offer(None).await?)
                    .await?;
                // send the offer to the other peer
                self.send_description(&pc);
            }
            _ => {}
        }
        Ok(())
    }

    // signaling.onmessage = async (event) => {
    async fn on_message(&mut self, message: SignalingMessage) -> Result<()> {
        // if (!pc) start();
        if self.connection.is_none() {
            self.start()?;
        }
        let pc = self.pc()?;
        match message {
            // if we get an offer, we need to reply with an answer
            // if (desc.type == 'offer') {
            SignalingMessage::Desc(desc) if desc.kind == SdpType::Offer => {
                // await pc.setRemoteDescription(desc);
                pc.set_remote_description(desc).await?;
                // await pc.setLocalDescription(await pc.createAnswer());
                pc.set_local_description(pc.create_answer().await?).await?;
                // signaling.send(JSON.stringify({desc: pc.localDescription}));
                self.send_description(&pc);
            }
            // await pc.setRemoteDescription(desc);
            SignalingMessage::Desc(desc) => pc.set_remote_description(desc).await?,
            // await pc.addIceCandidate(message.candidate);
            SignalingMessage::Candidate(candidate) => pc.add_ice_candidate(candidate).await?,
            SignalingMessage::Start(_) => {}
        }
        Ok(())
    }

    fn pc(&self) -> Result<PeerConnection> {
        let (pc, _) = self.connection.as_ref().context("no connection")?;
        Ok(pc.clone())
    }

    fn send_description(&self, pc: &PeerConnection) {
        if let Some(description) = pc.local_description() {
            self.signaling.send(SignalingMessage::Desc(description));
        }
    }
}
