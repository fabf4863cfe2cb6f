//! What one receiver receives: frames out of the jitter buffer, decoded for whoever reads its track.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use pc_jsep::{CodecParameters, TransceiverId};
use pc_media::{
    AudioFrame, EncodedFrame, MediaKind,
    codec::{self, AudioDecoder, VideoDecoder},
};
use pc_rtp::PayloadType;
use pc_rtp_session as rtp;
use tokio::{sync::mpsc, task::AbortHandle};

use super::timeline::Unwrapped;
use crate::{
    api::{
        media::{Shown, Tracks},
        shared::Shared,
    },
    clock,
    engine::MediaCounts,
};

/// How many frames may wait for the decoder: more than a second of sound, or two of pictures.
const MAX_WAITING: usize = 64;

/// The task of a receiver. It ends when this is dropped.
pub(crate) struct Inbound {
    frames: mpsc::Sender<Item>,
    task: AbortHandle,
    /// A frame did not fit, or nobody wanted it: those that build on it are of no use.
    overrun: bool,
    /// The next frame is the first of another stream.
    is_switch: bool,
}

/// A frame, or a gap, on its way to the decoder.
pub(crate) enum Item {
    Frame {
        payload_type: PayloadType,
        data: Vec<u8>,
        timestamp: u32,
        is_key_frame: bool,
        size: Option<(u16, u16)>,
        /// Another stream begins, with timestamps of its own.
        is_switch: bool,
        received: Instant,
    },
    /// A packet of sound that will not come.
    Lost,
}

impl Inbound {
    /// Starts the task of a receiver.
    pub(crate) fn spawn(
        shared: &Arc<Shared>,
        (id, kind): (TransceiverId, MediaKind),
        shown: &Arc<Shown>,
        counted: Option<&Arc<Tracks>>,
        rid: Option<Arc<str>>,
    ) -> Self {
        let (frames, items) = mpsc::channel(MAX_WAITING);
        let receiver = Receiver {
            shared: Arc::downgrade(shared),
            shown: Arc::downgrade(shown),
            counted: counted.map(Arc::downgrade),
            rid,
            id,
            kind,
            codec: None,
            line: Unwrapped::default(),
            last: None,
            had_viewers: false,
        };
        let task = shared.runtime().spawn(receiver.run(items)).abort_handle();
        Self {
            frames,
            task,
            overrun: false,
            is_switch: false,
        }
    }

    /// Hands a frame to the task; whether a key frame is needed because one did not fit, or because
    /// somebody has begun to look.
    pub(crate) fn push(
        &mut self,
        shown: &Shown,
        received: &rtp::Received<'_>,
        is_switch: bool,
    ) -> bool {
        self.is_switch |= is_switch;
        if !shown.is_wanted() {
            self.overrun = true;
            return false;
        }
        if self.overrun && !can_begin(received) {
            return true;
        }
        self.overrun = self
            .frames
            .try_send(Item::new(received, self.is_switch))
            .is_err();
        self.is_switch &= self.overrun;
        self.overrun
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Item {
    fn new(received: &rtp::Received<'_>, is_switch: bool) -> Self {
        match received {
            rtp::Received::Frame(frame) => Self::Frame {
                payload_type: frame.payload_type,
                data: frame.data.to_vec(),
                timestamp: frame.timestamp.0,
                is_key_frame: frame.is_key_frame,
                size: frame.size,
                is_switch,
                received: frame.received,
            },
            _ => Self::Lost,
        }
    }
}

fn can_begin(received: &rtp::Received<'_>) -> bool {
    matches!(received, rtp::Received::Frame(frame) if frame.is_key_frame)
}

/// The task itself. It keeps neither the connection nor the track.
struct Receiver {
    shared: Weak<Shared>,
    shown: Weak<Shown>,
    /// Where what is decoded is counted: one layer of several is not.
    counted: Option<Weak<Tracks>>,
    /// The layer, if it is always the same.
    rid: Option<Arc<str>>,
    id: TransceiverId,
    kind: MediaKind,
    codec: Option<Codec>,
    line: Unwrapped,
    /// When the last frame came.
    last: Option<Instant>,
    /// Somebody looked at the last frame: if nobody did, the next one cannot be decoded.
    had_viewers: bool,
}

/// What frames of one payload type are decoded with.
struct Codec {
    payload_type: PayloadType,
    mime_type: Arc<str>,
    clock_rate: u32,
    decoder: Decoder,
}

enum Decoder {
    Audio(Box<dyn AudioDecoder>),
    Video(Box<dyn VideoDecoder>),
    /// There is none: the frames are for those who take them encoded.
    None,
}

impl Receiver {
    async fn run(mut self, mut items: mpsc::Receiver<Item>) {
        while let Some(item) = items.recv().await {
            let Some(shown) = self.shown.upgrade() else {
                return;
            };
            match item {
                Item::Frame {
                    payload_type,
                    data,
                    timestamp,
                    is_key_frame,
                    size,
                    is_switch,
                    received,
                } => {
                    self.follow(payload_type);
                    let Some(codec) = &self.codec else { continue };
                    let last = self.last.replace(received);
                    if let Some(last) = last.filter(|_| is_switch) {
                        let passed = received.saturating_duration_since(last);
                        self.line.go_on(timestamp, passed);
                    }
                    let timestamp = self.line.place(timestamp, codec.clock_rate);
                    let frame = EncodedFrame {
                        mime_type: codec.mime_type.clone(),
                        data: data.into(),
                        timestamp,
                        is_key_frame,
                        duration: None,
                        size,
                        encoding: 0,
                    };
                    shown.write_encoded(&frame);
                    if !self.decode(&shown, frame).await {
                        return;
                    }
                }
                Item::Lost => self.conceal(&shown),
            }
        }
    }

    /// Makes the decoder that the payload type needs.
    fn follow(&mut self, payload_type: PayloadType) {
        if self
            .codec
            .as_ref()
            .is_some_and(|it| it.payload_type == payload_type)
        {
            return;
        }
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let inner = shared.lock();
        let view = inner.engine.transceiver(self.id);
        let known = view.and_then(|view| {
            let mut codecs = view.receive_codecs().iter();
            codecs
                .find(|it| it.payload_type.value() == payload_type.number())
                .cloned()
        });
        drop(inner);
        self.codec = known.map(|known| Codec::new(payload_type, &known, self.kind));
        self.had_viewers = false;
    }

    /// Whether the task is to go on.
    async fn decode(&mut self, shown: &Shown, frame: EncodedFrame) -> bool {
        let has_viewers = shown.is_watched();
        let begins = has_viewers && !std::mem::replace(&mut self.had_viewers, has_viewers);
        if !has_viewers {
            return true;
        }
        if begins && !frame.is_key_frame {
            // Its decoder has not seen what this frame builds on.
            self.had_viewers = false;
            self.request_key_frame();
            return true;
        }
        match self.codec.as_mut().map(|it| &mut it.decoder) {
            Some(Decoder::Audio(decoder)) => {
                let mut samples = Vec::new();
                match decoder.decode(&frame.data, &mut samples) {
                    Ok(()) => {
                        let sound = audio(decoder.as_ref(), samples, frame.timestamp);
                        self.show_audio(shown, sound);
                    }
                    Err(error) => tracing::debug!(%error, "sound was not decoded"),
                }
                true
            }
            Some(Decoder::Video(_)) => self.decode_video(shown, frame).await,
            Some(Decoder::None) | None => true,
        }
    }

    /// A picture takes a decoder milliseconds: not on the tasks' own threads.
    async fn decode_video(&mut self, shown: &Shown, frame: EncodedFrame) -> bool {
        let Some(codec) = &mut self.codec else {
            return true;
        };
        let Decoder::Video(mut decoder) = std::mem::replace(&mut codec.decoder, Decoder::None)
        else {
            return true;
        };
        let is_key_frame = frame.is_key_frame;
        let decoding = tokio::task::spawn_blocking(move || {
            let decoded = decoder.decode(&frame.data, frame.timestamp);
            (decoder, decoded)
        });
        let Ok((decoder, decoded)) = decoding.await else {
            return false;
        };
        if let Some(codec) = &mut self.codec {
            codec.decoder = Decoder::Video(decoder);
        }
        match decoded {
            Ok(picture) => {
                self.count(|counts| {
                    counts.frames_decoded += 1;
                    counts.key_frames_decoded += u32::from(is_key_frame);
                });
                picture.into_iter().for_each(|it| shown.write(it));
            }
            Err(error) => {
                tracing::debug!(%error, "a picture was not decoded");
                self.had_viewers = false;
                self.request_key_frame();
            }
        }
        true
    }

    /// Fills a gap in sound.
    fn conceal(&mut self, shown: &Shown) {
        if !self.had_viewers {
            return;
        }
        if let Some(Decoder::Audio(decoder)) = self.codec.as_mut().map(|it| &mut it.decoder) {
            let mut samples = Vec::new();
            decoder.conceal(&mut samples);
            let timestamp = self.line.last();
            let sound = audio(decoder.as_ref(), samples, timestamp);
            self.show_audio(shown, sound);
        }
    }

    fn show_audio(&self, shown: &Shown, frame: Option<AudioFrame>) {
        if let Some(frame) = frame {
            let sound = super::sound_of(&frame);
            self.count(|counts| counts.received.add(sound));
            shown.write(frame);
        }
    }

    fn count(&self, change: impl FnOnce(&mut MediaCounts)) {
        if let Some(tracks) = self.counted.as_ref().and_then(Weak::upgrade) {
            tracks.count(change);
        }
    }

    fn request_key_frame(&self) {
        if let Some(shared) = self.shared.upgrade() {
            let mut inner = shared.lock();
            let shown = inner.media.layer_choice(self.id).1;
            let rid = self.rid.as_ref().or(shown.as_ref());
            let rid = rid.map(|it| &**it);
            inner
                .engine
                .request_layer_key_frame(clock::now(), self.id, rid);
            drop(inner);
            shared.wake_driver();
        }
    }
}

fn audio(decoder: &dyn AudioDecoder, samples: Vec<i16>, at: Duration) -> Option<AudioFrame> {
    if samples.is_empty() {
        return None;
    }
    AudioFrame::new(decoder.sample_rate(), decoder.channels(), samples, at)
        .inspect_err(|error| tracing::debug!(%error, "a decoder gave no sound"))
        .ok()
}

impl Codec {
    fn new(payload_type: PayloadType, own: &CodecParameters, kind: MediaKind) -> Self {
        let codec = &own.codec;
        let line = codec.sdp_fmtp_line.as_deref();
        let mime = &codec.mime_type;
        let channels = codec.channels.unwrap_or(1);
        let decoder = match kind {
            MediaKind::Audio => codec::audio_decoder(mime, codec.clock_rate, channels, line)
                .map_or(Decoder::None, Decoder::Audio),
            MediaKind::Video => {
                codec::video_decoder(mime, line).map_or(Decoder::None, Decoder::Video)
            }
        };
        Self {
            payload_type,
            mime_type: mime.as_str().into(),
            clock_rate: codec.clock_rate.max(1),
            decoder,
        }
    }
}
