//! Who sends three layers, and our side of it.

use std::time::Duration;

use anyhow::{Context, Result};
use peerconnection::{
    Event, Events, PeerConnection, RtpReceiver, SessionDescription, TransceiverInit,
    devices::{Constraint, MediaStreamConstraints, VideoConstraints, get_user_media},
    rtp::{EncodingParameters, TransceiverDirection},
};
use serde_json::{Value, json};

use super::super::{super::browser::Page, session::plain};

/// One layer: how much smaller it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer {
    pub(super) rid: &'static str,
    pub(super) scale: u32,
}

/// Those of the W3C's sample.
pub(super) const LAYERS: [Layer; 3] = [
    Layer { rid: "f", scale: 1 },
    Layer { rid: "h", scale: 2 },
    Layer { rid: "q", scale: 4 },
];

/// The picture of a browser, in pixels: of less than 960×540 Chromium makes less than three layers. Encoders
/// want even sizes of each.
pub(super) const BROWSERS: (u32, u32) = (960, 544);
/// Ours, which this process encodes beside all else.
const OURS: (u32, u32) = (640, 352);

impl Layer {
    /// Its size, of a picture of this one.
    pub(super) fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        (width / self.scale, height / self.scale)
    }
}

const FRAME_RATE: u32 = 15;

/// Until a page has gathered its candidates.
const GATHERING: Duration = Duration::from_secs(15);

/// The W3C sample's `addTransceiver`, with a clock for a camera; VP8 alone.
pub(super) const ADD_CAMERA: &str =
    "const { transceiver } = addClock('pc', arg); preferCodec(transceiver, 'video/VP8')";

/// The same in a transceiver that an offer has made, whose encodings it has proposed.
pub(super) const ANSWER_CAMERA: &str = "const [first] = it.getTransceivers(); first.direction = 'sendonly'; \
    await first.sender.replaceTrack(clockTrack(arg))";

/// What `addClock` takes.
pub(super) fn encodings() -> Value {
    let encodings = LAYERS
        .map(|it| json!({"rid": it.rid, "scaleResolutionDownBy": it.scale, "maxBitrate": 600_000}));
    let (width, height) = BROWSERS;
    json!({"width": width, "height": height, "frameRate": FRAME_RATE, "sendEncodings": encodings})
}

/// Three layers on their way to us, and what is needed for them to go on.
pub(super) struct Source {
    pub(super) receiver: RtpReceiver,
    /// Of the largest layer.
    pub(super) size: (u32, u32),
    connections: Vec<PeerConnection>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.connections.iter().for_each(PeerConnection::close);
    }
}

/// From the page, by a connection of its own.
pub(super) async fn browser_camera(page: &Page) -> Result<Source> {
    let js = "create('camera'); const it = pc('camera'); const { transceiver } = addClock('camera', arg); \
        preferCodec(transceiver, 'video/VP8'); await it.setLocalDescription(); \
        await until(() => it.iceGatheringState === 'complete', 'candidates'); return it.localDescription";
    let offer = page.eval_within(GATHERING, js, encodings()).await?;
    let (pc, mut events) = PeerConnection::new(plain())?;
    let offer: SessionDescription = serde_json::from_value(offer)?;
    pc.set_remote_description(offer).await?;
    pc.set_local_description(None).await?;
    gathered(&mut events).await?;
    let answer = serde_json::to_value(pc.local_description().context("no answer")?)?;
    let js = "await pc('camera').setRemoteDescription(arg)";
    page.eval(js, answer).await?;
    source(vec![pc], events, BROWSERS)
}

/// From our own stack.
pub(super) async fn rust_client() -> Result<Source> {
    let (client, mut client_events) = PeerConnection::new(plain())?;
    let (pc, mut events) = PeerConnection::new(plain())?;
    let (width, height) = OURS;
    let camera = get_user_media(&MediaStreamConstraints {
        video: Some(VideoConstraints {
            width: Constraint::exact(width),
            height: Constraint::exact(height),
            frame_rate: Constraint::exact(FRAME_RATE.into()),
            ..Default::default()
        }),
        synthetic: true,
        ..Default::default()
    })?;
    let track = camera.video_tracks().into_iter().next();
    let encodings = LAYERS.map(|it| EncodingParameters {
        rid: Some(it.rid.to_owned()),
        scale_resolution_down_by: Some(it.scale.into()),
        ..Default::default()
    });
    let init = TransceiverInit {
        direction: TransceiverDirection::SendOnly,
        send_encodings: encodings.to_vec(),
        ..Default::default()
    };
    client.add_transceiver(track.context("no picture")?, init)?;
    client.set_local_description(None).await?;
    gathered(&mut client_events).await?;
    let offer = client.local_description().context("no offer")?;
    pc.set_remote_description(offer).await?;
    pc.set_local_description(None).await?;
    gathered(&mut events).await?;
    let answer = pc.local_description().context("no answer")?;
    client.set_remote_description(answer).await?;
    drain(client_events);
    source(vec![client, pc], events, OURS)
}

fn source(connections: Vec<PeerConnection>, events: Events, size: (u32, u32)) -> Result<Source> {
    drain(events);
    let pc = connections.last().context("no connection")?;
    let transceivers = pc.transceivers();
    let receiver = transceivers.first().context("no transceiver")?.receiver();
    Ok(Source {
        receiver,
        size,
        connections,
    })
}

async fn gathered(events: &mut Events) -> Result<()> {
    let wait = async {
        while let Some(event) = events.next().await {
            if matches!(event, Event::IceCandidate(None)) {
                break;
            }
        }
    };
    let waited = tokio::time::timeout(GATHERING, wait).await;
    waited.context("candidates")
}

fn drain(mut events: Events) {
    tokio::spawn(async move { while events.next().await.is_some() {} });
}
