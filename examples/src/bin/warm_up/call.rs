//! The sample, <https://www.w3.org/TR/webrtc/#advanced-peer-to-peer-example-with-warm-up>, with its lines
//! in their order.

use std::sync::Arc;

use anyhow::{Context, Result};
use examples::{
    devices::camera_mic,
    meter::{Meter, Reading},
    program,
    signaling::{Callback, SignalingChannel, SignalingMessage, SignalingSender},
};
use peerconnection::{
    Configuration, Event, Events, MediaKind, MediaStream, MediaStreamTrack, PeerConnection,
    RtpTransceiver, SdpType, TrackEvent, TransceiverInit, rtp::TransceiverDirection,
};
use tokio::sync::{Notify, watch};

/// One side of a call.
pub(crate) struct Call {
    configuration: Configuration,
    signaling: SignalingChannel,
    connection: Option<(PeerConnection, Events)>,
    is_answerer: bool,
    // let audio, video;
    audio: Option<RtpTransceiver>,
    video: Option<RtpTransceiver>,
    // let audioSendTrack, videoSendTrack;
    audio_send_track: Option<MediaStreamTrack>,
    video_send_track: Option<MediaStreamTrack>,
    // let started = false;
    started: bool,
    self_view: Option<MediaStream>,
    remote_view: Meter,
    start: Arc<Notify>,
}

/// What has a running call start.
pub(crate) struct Starter {
    start: Arc<Notify>,
    signaling: SignalingSender,
}

impl Starter {
    // Call start() to start sending media.
    // function start() {
    pub(crate) fn start(&self) {
        // started = true;
        self.start.notify_one();
        // signaling.send(JSON.stringify({start: true}));
        self.signaling.send(SignalingMessage::Start(true));
    }
}

impl Call {
    // const signaling = new SignalingChannel();
    // let pc;
    pub(crate) fn new(configuration: Configuration, signaling: SignalingChannel) -> Self {
        Self {
            configuration,
            signaling,
            connection: None,
            is_answerer: false,
            audio: None,
            video: None,
            audio_send_track: None,
            video_send_track: None,
            started: false,
            self_view: None,
            remote_view: Meter::default(),
            start: Arc::default(),
        }
    }

    pub(crate) fn starter(&self) -> Starter {
        Starter {
            start: self.start.clone(),
            signaling: self.signaling.sender(),
        }
    }

    /// What is heard and seen, as it changes.
    pub(crate) fn readings(&self) -> watch::Receiver<Reading> {
        self.remote_view.readings()
    }

    pub(crate) fn pc(&self) -> Option<PeerConnection> {
        Some(self.connection.as_ref()?.0.clone())
    }

    // Call warmup() to warm-up ICE, DTLS, and media, but not send media yet.
    // async function warmup(isAnswerer) {
    pub(crate) fn warmup(&mut self, is_answerer: bool) -> Result<()> {
        self.is_answerer = is_answerer;
        // pc = new RTCPeerConnection(configuration);
        let (pc, events) = PeerConnection::new(self.configuration.clone())?;
        // if (!isAnswerer) {
        if !is_answerer {
            // audio = pc.addTransceiver('audio');
            self.audio = Some(pc.add_transceiver(MediaKind::Audio, TransceiverInit::default())?);
            // video = pc.addTransceiver('video');
            self.video = Some(pc.add_transceiver(MediaKind::Video, TransceiverInit::default())?);
        }
        self.connection = Some((pc, events));
        // const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: true});
        let stream = camera_mic()?;
        // audioSendTrack = stream.getAudioTracks()[0];
        self.audio_send_track = stream.audio_tracks().into_iter().next();
        // videoSendTrack = stream.getVideoTracks()[0];
        self.video_send_track = stream.video_tracks().into_iter().next();
        // selfView.srcObject = stream;
        self.self_view = Some(stream);
        Ok(())
    }

    /// Calls the callbacks until the other side has left.
    pub(crate) async fn run(&mut self) -> Result<()> {
        let start = self.start.clone();
        loop {
            let events = self.connection.as_mut().map(|(_, events)| events);
            tokio::select! {
                biased;
                callback = self.signaling.recv_or(events) => match callback {
                    Some(Callback::Event(event)) => self.on_event(event).await?,
                    Some(Callback::Message(message)) => self.on_message(message).await?,
                    None => return Ok(()),
                },
                // Not in the sample, whose start() leaves its own side to getUserMedia.
                () = start.notified() => self.begin().await?,
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
                let pc = self.pc().context("no connection")?;
                // await pc.setLocalDescription(await pc.createOffer());
                pc.set_local_description(pc.create_offer(None).await?)
                    .await?;
                // send the offer to the other peer
                self.send_description(&pc);
            }
            // once media for the remote track arrives, show it in the remote video element
            // pc.ontrack = async (event) => {
            Event::Track(event) => self.on_track(event).await?,
            _ => {}
        }
        Ok(())
    }

    async fn on_track(&mut self, event: TrackEvent) -> Result<()> {
        // if (isAnswerer) {
        if self.is_answerer {
            // audio = event.transceiver;
            let transceiver = event.transceiver.clone();
            // audio.direction = 'sendrecv';
            transceiver.set_direction(TransceiverDirection::SendRecv)?;
            match event.track.kind() {
                MediaKind::Audio => self.audio = Some(transceiver),
                MediaKind::Video => self.video = Some(transceiver),
            }
            // if (started && audioSendTrack) {
            if self.started {
                // await audio.sender.replaceTrack(audioSendTrack);
                self.begin().await?;
            }
        }
        // remoteView.srcObject = event.streams[0];
        self.remote_view.watch(&event.track);
        Ok(())
    }

    // signaling.onmessage = async (event) => {
    async fn on_message(&mut self, message: SignalingMessage) -> Result<()> {
        // if (!pc) warmup(true);
        if self.connection.is_none() {
            self.warmup(true)?;
        }
        let pc = self.pc().context("no connection")?;
        match message {
            // if we get an offer, we need to reply with an answer
            // if (desc.type == 'offer') {
            SignalingMessage::Desc(desc) if desc.kind == SdpType::Offer => {
                // await pc.setRemoteDescription(desc);
                pc.set_remote_description(desc).await?;
                // In a browser ontrack has been called by now.
                while let Some(event) = self.try_event() {
                    self.on_event(event).await?;
                }
                // await pc.setLocalDescription(await pc.createAnswer());
                pc.set_local_description(pc.create_answer().await?).await?;
                // signaling.send(JSON.stringify({desc: pc.localDescription}));
                self.send_description(&pc);
            }
            // await pc.setRemoteDescription(desc);
            SignalingMessage::Desc(desc) => pc.set_remote_description(desc).await?,
            // } else if (message.start) {
            SignalingMessage::Start(_) => self.begin().await?,
            // await pc.addIceCandidate(message.candidate);
            SignalingMessage::Candidate(candidate) => pc.add_ice_candidate(candidate).await?,
        }
        Ok(())
    }

    fn try_event(&mut self) -> Option<Event> {
        self.connection.as_mut()?.1.try_next()
    }

    async fn begin(&mut self) -> Result<()> {
        // started = true;
        self.started = true;
        // if (audio && audioSendTrack) {
        if let Some((audio, track)) = self.audio.as_ref().zip(self.audio_send_track.clone()) {
            // await audio.sender.replaceTrack(audioSendTrack);
            audio.sender().replace_track(track).await?;
        }
        // if (video && videoSendTrack) {
        if let Some((video, track)) = self.video.as_ref().zip(self.video_send_track.clone()) {
            // await video.sender.replaceTrack(videoSendTrack);
            video.sender().replace_track(track).await?;
        }
        Ok(())
    }

    fn send_description(&self, pc: &PeerConnection) {
        if let Some(description) = pc.local_description() {
            self.signaling.send(SignalingMessage::Desc(description));
        }
    }
}
