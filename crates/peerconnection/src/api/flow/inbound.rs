//! What one receiver receives: frames out of the jitter buffer, decoded for whoever reads its track.

use std::{
    sync::{Arc, Weak},
    time::Duration,
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
    api::{media::Tracks, shared::Shared},
    clock,
};

/// How many frames may wait for the decoder: more than a second of sound, or two of pictures.
const MAX_WAITING: usize = 64;

/// The task of a receiver. It ends when this is dropped.
pub(crate) struct Inbound {
    frames: mpsc::Sender<Item>,
    task: AbortHandle,
    /// A frame did not fit: those that build on it are of no use.
    overrun: bool,
}

/// A frame, or a gap, on its way to the decoder.
pub(crate) enum Item {
    Frame {
        payload_type: PayloadType,
        data: Vec<u8>,
        timestamp: u32,
        is_key_frame: bool,
    },
    /// A packet of sound that will not come.
    Lost,
}

impl Inbound {
    /// Starts the task of a receiver.
    pub(crate) fn spawn(
        shared: &Arc<Shared>,
        id: TransceiverId,
        kind: MediaKind,
        tracks: &Arc<Tracks>,
    ) -> Self {
        let (frames, items) = mpsc::channel(MAX_WAITING);
        let receiver = Receiver {
            shared: Arc::downgrade(shared),
            tracks: Arc::downgrade(tracks),
            id,
            kind,
            codec: None,
            line: Unwrapped::default(),
            had_viewers: false,
        };
        let task = shared.runtime().spawn(receiver.run(items)).abort_handle();
        Self {
            frames,
            task,
            overrun: false,
        }
    }

    /// Hands a frame to the task; whether a key frame is needed because one did not fit.
    pub(crate) fn push(&mut self, received: &rtp::Received<'_>) -> bool {
        let item = Item::new(received);
        if self.overrun && !item.can_begin() {
            return true;
        }
        self.overrun = self.frames.try_send(item).is_err();
        self.overrun
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Item {
    fn new(received: &rtp::Received<'_>) -> Self {
        match received {
            rtp::Received::Frame(frame) => Self::Frame {
                payload_type: frame.payload_type,
                data: frame.data.to_vec(),
                timestamp: frame.timestamp.0,
                is_key_frame: frame.is_key_frame,
            },
            _ => Self::Lost,
        }
    }

    fn can_begin(&self) -> bool {
        matches!(
            self,
            Self::Frame {
                is_key_frame: true,
                ..
            }
        )
    }
}

/// The task itself. It keeps neither the connection nor the track.
struct Receiver {
    shared: Weak<Shared>,
    tracks: Weak<Tracks>,
    id: TransceiverId,
    kind: MediaKind,
    codec: Option<Codec>,
    line: Unwrapped,
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
            let Some(tracks) = self.tracks.upgrade() else {
                return;
            };
            match item {
                Item::Frame {
                    payload_type,
                    data,
                    timestamp,
                    is_key_frame,
                } => {
                    self.follow(payload_type);
                    let Some(codec) = &self.codec else { continue };
                    let timestamp = self.line.place(timestamp, codec.clock_rate);
                    let frame = EncodedFrame {
                        mime_type: codec.mime_type.clone(),
                        data: data.into(),
                        timestamp,
                        is_key_frame,
                        duration: None,
                    };
                    tracks.write_encoded(&frame);
                    if !self.decode(&tracks, frame).await {
                        return;
                    }
                }
                Item::Lost => self.conceal(&tracks),
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
    async fn decode(&mut self, tracks: &Tracks, frame: EncodedFrame) -> bool {
        let has_viewers = tracks.is_watched();
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
                    Ok(()) => write_audio(tracks, decoder.as_ref(), samples, frame.timestamp),
                    Err(error) => tracing::debug!(%error, "sound was not decoded"),
                }
                true
            }
            Some(Decoder::Video(_)) => self.decode_video(tracks, frame).await,
            Some(Decoder::None) | None => true,
        }
    }

    /// A picture takes a decoder milliseconds: not on the tasks' own threads.
    async fn decode_video(&mut self, tracks: &Tracks, frame: EncodedFrame) -> bool {
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
                tracks.count(|counts| {
                    counts.frames_decoded += 1;
                    counts.key_frames_decoded += u32::from(is_key_frame);
                });
                picture.into_iter().for_each(|it| tracks.write(it));
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
    fn conceal(&mut self, tracks: &Tracks) {
        if !self.had_viewers {
            return;
        }
        if let Some(Decoder::Audio(decoder)) = self.codec.as_mut().map(|it| &mut it.decoder) {
            let mut samples = Vec::new();
            decoder.conceal(&mut samples);
            let timestamp = self.line.last();
            write_audio(tracks, decoder.as_ref(), samples, timestamp);
        }
    }

    fn request_key_frame(&self) {
        if let Some(shared) = self.shared.upgrade() {
            let mut inner = shared.lock();
            inner.engine.request_key_frame(clock::now(), self.id);
            drop(inner);
            shared.wake_driver();
        }
    }
}

fn write_audio(tracks: &Tracks, decoder: &dyn AudioDecoder, samples: Vec<i16>, at: Duration) {
    if samples.is_empty() {
        return;
    }
    match AudioFrame::new(decoder.sample_rate(), decoder.channels(), samples, at) {
        Ok(frame) => {
            let sound = super::sound_of(&frame);
            tracks.count(|counts| counts.received.add(sound));
            tracks.write(frame);
        }
        Err(error) => tracing::debug!(%error, "a decoder gave no sound"),
    }
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
