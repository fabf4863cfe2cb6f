//! The sample, <https://www.w3.org/TR/webrtc/#simulcast-example>, with its lines in their order.

use anyhow::{Context, Result};
use examples::{
    devices::TONE,
    program,
    signaling::{Callback, SignalingChannel, SignalingMessage},
};
use peerconnection::{
    Configuration, Event, Events, MediaStream, PeerConnection, SdpType, TransceiverInit,
    devices::{AudioConstraints, MediaStreamConstraints, VideoConstraints, get_user_media},
    rtp::{EncodingParameters, TransceiverDirection},
    stats::Stats,
};

/// What the camera gives, which is the size of the layer `f`.
pub(crate) const SIZE: (u32, u32) = (640, 360);

/// The side that sends several encodings of one track.
pub(crate) struct Client {
    signaling: SignalingChannel,
    pub(crate) pc: PeerConnection,
    events: Events,
    /// `selfView.srcObject`: what makes sound and picture.
    self_view: Option<MediaStream>,
}

impl Client {
    // const signaling = new SignalingChannel(); // handles JSON.stringify/parse
    // pc = new RTCPeerConnection(configuration);
    pub(crate) fn new(configuration: Configuration, signaling: SignalingChannel) -> Result<Self> {
        let (pc, events) = PeerConnection::new(configuration)?;
        Ok(Self {
            signaling,
            pc,
            events,
            self_view: None,
        })
    }

    // call start() to initiate
    // async function start() {
    pub(crate) fn start(&mut self) -> Result<()> {
        // get a local stream, show it in a self-view and add it to be sent
        // const stream = await navigator.mediaDevices.getUserMedia(constraints);
        let stream = camera_mic()?;
        let (audio, video) = (stream.audio_tracks(), stream.video_tracks());
        // pc.addTransceiver(stream.getAudioTracks()[0], {direction: 'sendonly'});
        let init = TransceiverInit {
            direction: TransceiverDirection::SendOnly,
            ..Default::default()
        };
        self.pc
            .add_transceiver(audio.first().context("no sound")?, init)?;
        // pc.addTransceiver(stream.getVideoTracks()[0], {
        //   direction: 'sendonly',
        //   sendEncodings: [
        //     {rid: 'f'},
        //     {rid: 'h', scaleResolutionDownBy: 2.0},
        //     {rid: 'q', scaleResolutionDownBy: 4.0}
        //   ]
        // });
        let init = TransceiverInit {
            direction: TransceiverDirection::SendOnly,
            send_encodings: vec![
                encoding("f", None),
                encoding("h", Some(2.0)),
                encoding("q", Some(4.0)),
            ],
            ..Default::default()
        };
        self.pc
            .add_transceiver(video.first().context("no picture")?, init)?;
        // selfView.srcObject = stream;
        self.self_view = Some(stream);
        Ok(())
    }

    /// Calls the callbacks until the server has left or the connection has failed.
    pub(crate) async fn run(&mut self) -> Result<()> {
        while let Some(callback) = self.signaling.recv_or(&mut self.events).await {
            match callback {
                Callback::Event(event) => self.on_event(event).await?,
                Callback::Message(message) => self.on_message(message).await?,
            }
        }
        Ok(())
    }

    /// The same, with a line about what is sent each second.
    pub(crate) async fn run_with_meter(&mut self) -> Result<()> {
        let pc = self.pc.clone();
        let mut before = Vec::new();
        let outcome = program::telling(self.run(), || before = tell(&pc, &before)).await;
        self.pc.close();
        outcome
    }

    async fn on_event(&mut self, event: Event) -> Result<()> {
        match event {
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
                // signaling.send({description: pc.localDescription});
                if let Some(description) = self.pc.local_description() {
                    self.signaling.send(SignalingMessage::Desc(description));
                }
            }
            _ => {}
        }
        Ok(())
    }

    // signaling.onmessage = async ({data: {description, candidate}}) => {
    async fn on_message(&mut self, message: SignalingMessage) -> Result<()> {
        match message {
            // if (description) { await pc.setRemoteDescription(description);
            SignalingMessage::Desc(description) if description.kind != SdpType::Offer => {
                self.pc.set_remote_description(description).await?;
            }
            // } else if (candidate) { await pc.addIceCandidate(candidate); }
            SignalingMessage::Candidate(candidate) => {
                self.pc.add_ice_candidate(candidate).await?;
            }
            // This server offers nothing.
            SignalingMessage::Desc(_) | SignalingMessage::Start(_) => {}
        }
        Ok(())
    }
}

fn encoding(rid: &str, scale_resolution_down_by: Option<f64>) -> EncodingParameters {
    EncodingParameters {
        rid: Some(rid.to_owned()),
        scale_resolution_down_by,
        ..Default::default()
    }
}

/// A note, and a moving picture with a clock.
fn camera_mic() -> Result<MediaStream> {
    Ok(get_user_media(&MediaStreamConstraints {
        audio: Some(AudioConstraints {
            frequency: TONE.into(),
            ..Default::default()
        }),
        video: Some(VideoConstraints {
            width: SIZE.0.into(),
            height: SIZE.1.into(),
            frame_rate: 24.0.into(),
            ..Default::default()
        }),
        synthetic: true,
    })?)
}

/// A line for people; the bytes of each layer so far.
fn tell(pc: &PeerConnection, before: &[(String, u64)]) -> Vec<(String, u64)> {
    let Ok(report) = pc.stats(None) else {
        return Vec::new();
    };
    let mut now = Vec::new();
    let mut line = format!("{}:", pc.connection_state());
    for stats in report.iter() {
        if let Stats::OutboundRtp(stream) = stats
            && let Some(rid) = &stream.rid
        {
            let known = before.iter().find(|(known, _)| known == rid);
            let bytes = stream.bytes_sent - known.map_or(0, |(_, bytes)| *bytes);
            line += &format!(" {rid} {} kbit/s", bytes * 8 / 1000);
            now.push((rid.clone(), stream.bytes_sent));
        }
    }
    println!("  {line}");
    now
}
