//! The sample, <https://www.w3.org/TR/webrtc/#simple-peer-to-peer-example>, with its lines in their
//! order.

use anyhow::Result;
use examples::{
    devices::camera_mic,
    meter::{Meter, Reading},
    program,
    signaling::{Callback, SignalingChannel, SignalingMessage},
};
use peerconnection::{
    Configuration, Event, Events, MediaStream, MediaStreamTrack, PeerConnection, SdpType,
};
use tokio::sync::watch;

/// One side of a call.
pub(crate) struct Call {
    signaling: SignalingChannel,
    pub(crate) pc: PeerConnection,
    events: Events,
    /// `selfView.srcObject`: what makes this side's sound and picture.
    self_view: Option<MediaStream>,
    /// `remoteView.srcObject`: what measures the other side's.
    remote_view: Meter,
}

impl Call {
    // const signaling = new SignalingChannel(); // handles JSON.stringify/parse
    // const pc = new RTCPeerConnection(configuration);
    pub(crate) fn new(configuration: Configuration, signaling: SignalingChannel) -> Result<Self> {
        let (pc, events) = PeerConnection::new(configuration)?;
        Ok(Self {
            signaling,
            pc,
            events,
            self_view: None,
            remote_view: Meter::default(),
        })
    }

    // call start() to initiate
    // function start() { addCameraMic(); }
    pub(crate) fn start(&mut self) -> Result<()> {
        self.add_camera_mic()
    }

    // add camera and microphone to connection
    // async function addCameraMic() {
    fn add_camera_mic(&mut self) -> Result<()> {
        // get a local stream, show it in a self-view and add it to be sent
        // const stream = await navigator.mediaDevices.getUserMedia(constraints);
        let stream = camera_mic()?;
        // for (const track of stream.getTracks()) {
        for track in stream.tracks() {
            // pc.addTrack(track, stream);
            self.pc.add_track(&track, &[&stream])?;
        }
        // selfView.srcObject = stream;
        self.self_view = Some(stream);
        Ok(())
    }

    /// What is heard and seen, as it changes.
    pub(crate) fn readings(&self) -> watch::Receiver<Reading> {
        self.remote_view.readings()
    }

    /// Calls the callbacks until the other side has left or the connection has failed.
    pub(crate) async fn run(&mut self) -> Result<()> {
        while let Some(callback) = self.signaling.recv_or(&mut self.events).await {
            match callback {
                Callback::Event(event) => self.on_event(event).await?,
                Callback::Message(message) => self.on_message(message).await?,
            }
        }
        Ok(())
    }

    /// The same, with a line about what is received each second.
    pub(crate) async fn run_with_meter(&mut self) -> Result<()> {
        let (readings, pc) = (self.readings(), self.pc.clone());
        let mut before = 0;
        let tell = || {
            let (line, bytes) = readings.borrow().line(&pc, before);
            before = bytes;
            println!("  {line}");
        };
        let outcome = program::telling(self.run(), tell).await;
        self.pc.close();
        outcome
    }

    async fn on_event(&mut self, event: Event) -> Result<()> {
        match event {
            // send any ice candidates to the other peer
            // pc.onicecandidate = ({candidate}) => signaling.send({candidate});
            Event::IceCandidate(candidate) => {
                self.signaling.send(SignalingMessage::Candidate(candidate));
            }
            // let the "negotiationneeded" event trigger offer generation
            // pc.onnegotiationneeded = async () => {
            Event::NegotiationNeeded => {
                // await pc.setLocalDescription();
                self.pc.set_local_description(None).await?;
                // send the offer to the other peer
                self.send_description();
            }
            // pc.ontrack = ({track, streams}) => {
            // once media for a remote track arrives, show it in the remote video element
            Event::Track(event) => self.show(event.track),
            _ => {}
        }
        Ok(())
    }

    fn show(&mut self, track: MediaStreamTrack) {
        self.remote_view.watch(&track);
    }

    // signaling.send({description: pc.localDescription});
    fn send_description(&self) {
        if let Some(description) = self.pc.local_description() {
            self.signaling.send(SignalingMessage::Desc(description));
        }
    }

    // signaling.onmessage = async ({data: {description, candidate}}) => {
    async fn on_message(&mut self, message: SignalingMessage) -> Result<()> {
        match message {
            // if (description) {
            SignalingMessage::Desc(description) => {
                let kind = description.kind;
                // await pc.setRemoteDescription(description);
                self.pc.set_remote_description(description).await?;
                // if we got an offer, we need to reply with an answer
                // if (description.type == 'offer') {
                if kind == SdpType::Offer {
                    // if (!selfView.srcObject) {
                    if self.self_view.is_none() {
                        // blocks negotiation on permission (not recommended in production code)
                        // await addCameraMic();
                        self.add_camera_mic()?;
                    }
                    // await pc.setLocalDescription();
                    self.pc.set_local_description(None).await?;
                    self.send_description();
                }
            }
            // } else if (candidate) { await pc.addIceCandidate(candidate); }
            SignalingMessage::Candidate(candidate) => {
                self.pc.add_ice_candidate(candidate).await?;
            }
            SignalingMessage::Start(_) => {}
        }
        Ok(())
    }
}
