//! Encoders and decoders, by the names that SDP gives to what they speak.
//!
//! | type | encodes | decodes | feature | by |
//! |---|---|---|---|---|
//! | `audio/opus` | yes | yes | `opus` | the `opus-pure` crate |
//! | `audio/PCMU`, `audio/PCMA` | yes | yes | | this crate (ITU-T G.711) |
//! | `audio/G722` | yes | yes | | this crate (ITU-T G.722, 64 kbit/s) |
//! | `video/VP8` | yes | yes | `vp8` | the `oxideav-vp8` crate |
//! | `video/VP9`, profile 0 | yes | yes | `vp9` | the `rusty_vp9` crate |
//! | `video/H264`, constrained baseline | yes | yes | `h264` | OpenH264, compiled from its C++ source |
//! | `video/AV1`, main profile | yes | yes | `av1` | the `rav1e` and `re_rav1d` crates |
//!
//! All but `h264` need nothing but cargo, and all but `h264` and `av1` are on by default; `av1` takes
//! about a minute to compile. A codec takes the time of its
//! caller, up to tens of milliseconds for a picture: it belongs on a thread of its own.
//!
//! ```
//! use pc_media::codec;
//!
//! let mut encoder = codec::audio_encoder("audio/opus", 48_000, 2, Some("minptime=10;useinbandfec=1")).unwrap();
//! let mut decoder = codec::audio_decoder("audio/opus", 48_000, 2, None).unwrap();
//! let silence = vec![0; encoder.samples_per_packet() * usize::from(encoder.channels())];
//! let (mut packet, mut samples) = (Vec::new(), Vec::new());
//! encoder.encode(&silence, &mut packet)?;
//! decoder.decode(&packet, &mut samples)?;
//! assert_eq!(samples.len(), 960 * 2);
//! # Ok::<(), codec::CodecError>(())
//! ```

#[cfg(feature = "av1")]
mod av1;
mod fmtp;
mod framer;
mod g711;
mod g722;
#[cfg(feature = "h264")]
mod h264;
#[cfg(feature = "opus")]
mod opus;
#[cfg(any(feature = "vp8", feature = "vp9", feature = "h264", feature = "av1"))]
mod pace;
#[cfg(any(
    feature = "opus",
    feature = "vp8",
    feature = "vp9",
    feature = "h264",
    feature = "av1"
))]
mod panics;
#[cfg(any(feature = "vp8", feature = "vp9"))]
mod rate;
mod resample;
#[cfg(feature = "vp8")]
mod vp8;
#[cfg(feature = "vp9")]
mod vp9;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use framer::AudioFramer;
pub use resample::Resampler;

use crate::{InvalidFrame, VideoFrame};

/// Why something was not encoded or decoded. The codec goes on with what comes next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// What was to be decoded is not what it claims to be, or refers to what was lost.
    #[error("cannot be decoded: {0}")]
    Malformed(String),
    /// As many samples as do not make one packet.
    #[error("{got} samples where a packet takes {needed}")]
    WrongLength {
        /// Samples that one packet takes, over all channels.
        needed: usize,
        /// Samples that there were.
        got: usize,
    },
    /// A picture that this codec does not do, because of its size.
    #[error(transparent)]
    Frame(#[from] InvalidFrame),
    /// The codec failed within. It has been set up anew: an encoder begins with a key frame, a
    /// decoder needs one.
    #[error("the codec failed: {0}")]
    Internal(String),
}

/// Encodes one stream of audio.
pub trait AudioEncoder: Send {
    /// Encodes exactly one packet's worth of interleaved samples, and puts the packet into `out` in
    /// place of what is there. It is left empty where there is nothing to send (RFC 7587 §3.1.3,
    /// discontinuous transmission).
    fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) -> Result<(), CodecError>;
    /// Sets the rate to aim at; without effect where the codec has but one.
    fn set_bitrate(&mut self, bits_per_second: u32);
    /// Tells what part of the packets is likely to be lost, from 0 to 1, which decides what
    /// redundancy is worth.
    fn set_expected_loss(&mut self, fraction: f64) {
        let _ = fraction;
    }
    /// The rate of the samples that it takes, in Hz.
    fn sample_rate(&self) -> u32;
    /// How many channels are interleaved in what it takes.
    fn channels(&self) -> u16;
    /// How many samples of each channel make one packet.
    fn samples_per_packet(&self) -> usize;
}

/// Decodes one stream of audio.
pub trait AudioDecoder: Send {
    /// Decodes one packet, and puts its samples, interleaved, into `out` in place of what is there.
    fn decode(&mut self, packet: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError>;
    /// Makes up what a packet that was lost may have sounded like: as many samples as the packet
    /// before it had.
    fn conceal(&mut self, out: &mut Vec<i16>);
    /// [`conceal`](Self::conceal) with the help of the packet after the one that was lost, which
    /// may tell of it (RFC 6716 §2.1.7). That packet is still to be decoded.
    fn recover(&mut self, next: &[u8], out: &mut Vec<i16>) {
        let _ = next;
        self.conceal(out);
    }
    /// The rate of the samples that it gives, in Hz.
    fn sample_rate(&self) -> u32;
    /// How many channels are interleaved in what it gives.
    fn channels(&self) -> u16;
}

/// What became of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoded {
    /// Whether a decoder can begin here.
    pub is_key_frame: bool,
    /// The time of the picture that was put out, which need not be the one that was put in.
    pub timestamp: Duration,
    /// Where it stands among the layers in time, if the stream has any
    /// ([`VideoEncoder::set_scalability_mode`]).
    pub layer: Option<TemporalLayer>,
}

/// Where a picture stands in a stream with layers in time: who leaves out the upper ones still has a
/// stream, of fewer pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemporalLayer {
    /// 0 is the base layer, which builds on itself alone.
    pub id: u8,
    /// Whether it builds on pictures of the base layer alone: its layer can be joined here.
    pub is_sync: bool,
    /// Whether no picture builds on this one.
    pub is_discardable: bool,
}

/// What a video encoder begins with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VideoEncoderConfig {
    /// Width of the pictures. Others may come, and each new size begins with a key frame.
    pub width: u32,
    /// Height of the pictures.
    pub height: u32,
    /// Bits per second to aim at.
    pub bitrate: u32,
    /// The most pictures a second.
    pub frame_rate: f64,
}

/// Encodes one stream of pictures. The first one is a key frame; after that only those are that are
/// asked for, that have another size than the one before, or from which on another rate holds.
///
/// VP8, VP9 and H.264 give each picture at once. AV1 gives one four pictures later, as many as its
/// encoder looks ahead: [`Encoded::timestamp`] says which one it is.
pub trait VideoEncoder: Send {
    /// Encodes one picture, and puts it into `out` in place of what is there. It is left empty where
    /// the picture is left out to keep to the bit rate or frame rate, which a key frame that was
    /// asked for never is, and where there is none yet.
    fn encode(
        &mut self,
        frame: &VideoFrame,
        force_key_frame: bool,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, CodecError>;
    /// Sets the rates to keep to from now on. The time of a picture is its timestamp.
    fn set_rate(&mut self, bits_per_second: u32, frames_per_second: f64);
    /// Makes layers as the mode says ([webrtc-svc](https://www.w3.org/TR/webrtc-svc/)) from the next
    /// picture on, which is of the base layer. Returns whether it can, which is so for those that
    /// [`scalability_modes`] names; else all stays as it is. An encoder begins with `L1T1`.
    fn set_scalability_mode(&mut self, mode: &str) -> bool {
        mode == "L1T1"
    }
}

/// Decodes one stream of pictures.
pub trait VideoDecoder: Send {
    /// Decodes one picture; `None` where it is not to be shown. It has the time that is given here.
    /// What comes after an error cannot be relied on before the next key frame.
    fn decode(
        &mut self,
        frame: &[u8],
        timestamp: Duration,
    ) -> Result<Option<VideoFrame>, CodecError>;
}

/// An encoder of this type, `audio/opus` for one, as far as there is one. Rate and channels are
/// those of the RTP payload format (for Opus always 48,000 and 2, RFC 7587 §7; for G.722 8,000 though
/// its samples have twice the rate, RFC 3551 §4.5.2), and `fmtp` holds the
/// parameters that the receiver gave, in the form of SDP. `ptime` in milliseconds may stand among
/// them, though SDP has an attribute of its own for it.
pub fn audio_encoder(
    mime: &str,
    clock_rate: u32,
    channels: u16,
    fmtp: Option<&str>,
) -> Option<Box<dyn AudioEncoder>> {
    match Kind::of(mime, fmtp)? {
        #[cfg(feature = "opus")]
        Kind::Opus if (clock_rate, channels) == (48_000, 2) => {
            Some(Box::new(opus::Encoder::new(fmtp)?))
        }
        Kind::G711(law) if (clock_rate, channels) == (8_000, 1) => {
            Some(Box::new(g711::Encoder::new(law, fmtp)))
        }
        // RFC 3551 §4.5.2: the clock of RTP has half the rate of the samples.
        Kind::G722 if (clock_rate, channels) == (8_000, 1) => {
            Some(Box::new(g722::Encoder::new(fmtp)))
        }
        _ => None,
    }
}

/// A decoder of this type, as far as there is one. The parameters are those of
/// [`audio_encoder`].
pub fn audio_decoder(
    mime: &str,
    clock_rate: u32,
    channels: u16,
    fmtp: Option<&str>,
) -> Option<Box<dyn AudioDecoder>> {
    match Kind::of(mime, fmtp)? {
        #[cfg(feature = "opus")]
        Kind::Opus if (clock_rate, channels) == (48_000, 2) => {
            Some(Box::new(opus::Decoder::new()?))
        }
        Kind::G711(law) if (clock_rate, channels) == (8_000, 1) => {
            Some(Box::new(g711::Decoder::new(law)))
        }
        // RFC 3551 §4.5.2: the clock of RTP has half the rate of the samples.
        Kind::G722 if (clock_rate, channels) == (8_000, 1) => Some(Box::new(g722::Decoder::new())),
        _ => None,
    }
}

/// An encoder of this type, as far as there is one for these parameters.
pub fn video_encoder(
    mime: &str,
    fmtp: Option<&str>,
    config: VideoEncoderConfig,
) -> Option<Box<dyn VideoEncoder>> {
    let _ = &config;
    match Kind::of(mime, fmtp)? {
        #[cfg(feature = "vp8")]
        Kind::Vp8 => Some(Box::new(vp8::Encoder::new(config))),
        #[cfg(feature = "vp9")]
        Kind::Vp9 => Some(Box::new(vp9::Encoder::new(config))),
        #[cfg(feature = "h264")]
        Kind::H264 => Some(Box::new(h264::Encoder::new(config))),
        #[cfg(feature = "av1")]
        Kind::Av1 => Some(Box::new(av1::Encoder::new(config))),
        _ => None,
    }
}

/// A decoder of this type, as far as there is one for these parameters.
pub fn video_decoder(mime: &str, fmtp: Option<&str>) -> Option<Box<dyn VideoDecoder>> {
    match Kind::of(mime, fmtp)? {
        #[cfg(feature = "vp8")]
        Kind::Vp8 => Some(Box::new(vp8::Decoder::new())),
        #[cfg(feature = "vp9")]
        Kind::Vp9 => Some(Box::new(vp9::Decoder::new())),
        #[cfg(feature = "h264")]
        Kind::H264 => Some(Box::new(h264::Decoder::new()?)),
        #[cfg(feature = "av1")]
        Kind::Av1 => Some(Box::new(av1::Decoder::new()?)),
        _ => None,
    }
}

/// The scalability modes ([webrtc-svc §6](https://www.w3.org/TR/webrtc-svc/#scalabilitymodes*)) that
/// the encoder of this type has. None for audio, and where there is no encoder. Layers in time are
/// VP8's alone: the encoders of the others have no say in what a picture builds on.
pub fn scalability_modes(mime: &str, fmtp: Option<&str>) -> &'static [&'static str] {
    match Kind::of(mime, fmtp) {
        #[cfg(feature = "vp8")]
        Some(Kind::Vp8) => &["L1T1", "L1T2", "L1T3"],
        #[cfg(feature = "vp9")]
        Some(Kind::Vp9) => &["L1T1"],
        #[cfg(feature = "h264")]
        Some(Kind::H264) => &["L1T1"],
        #[cfg(feature = "av1")]
        Some(Kind::Av1) => &["L1T1"],
        _ => &[],
    }
}

/// Whether there is an encoder of this type for these parameters.
pub fn can_encode(mime: &str, fmtp: Option<&str>) -> bool {
    Kind::of(mime, fmtp).is_some()
}

/// Whether there is a decoder of this type for these parameters.
pub fn can_decode(mime: &str, fmtp: Option<&str>) -> bool {
    Kind::of(mime, fmtp).is_some()
}

/// The largest picture that is decoded: somewhat more than what is called 4K. A few bytes can claim
/// to be a picture of any size, and the memory for it is there before the claim proves wrong.
#[cfg(any(feature = "vp8", feature = "vp9", feature = "h264", feature = "av1"))]
const MAX_PIXELS: u32 = 4_096 * 2_304;

#[cfg(any(feature = "vp9", feature = "h264", feature = "av1"))]
fn check_size(width: u32, height: u32) -> Result<(), CodecError> {
    let side = VideoFrame::MAX_SIDE;
    if width > side || height > side || width * height > MAX_PIXELS {
        return Err(InvalidFrame::Size { width, height }.into());
    }
    Ok(())
}

/// What this build has a codec for.
enum Kind {
    #[cfg(feature = "opus")]
    Opus,
    G711(g711::Law),
    G722,
    #[cfg(feature = "vp8")]
    Vp8,
    #[cfg(feature = "vp9")]
    Vp9,
    #[cfg(feature = "h264")]
    H264,
    #[cfg(feature = "av1")]
    Av1,
}

impl Kind {
    fn of(mime: &str, fmtp: Option<&str>) -> Option<Self> {
        let _ = fmtp;
        match mime.to_ascii_lowercase().as_str() {
            #[cfg(feature = "opus")]
            "audio/opus" => Some(Self::Opus),
            "audio/pcmu" => Some(Self::G711(g711::Law::Mu)),
            "audio/pcma" => Some(Self::G711(g711::Law::A)),
            "audio/g722" => Some(Self::G722),
            #[cfg(feature = "vp8")]
            "video/vp8" => Some(Self::Vp8),
            // RFC 9628 §6: without the parameter it is profile 0; the others have more colour
            // than a frame of ours.
            #[cfg(feature = "vp9")]
            "video/vp9" if fmtp::number(fmtp, "profile-id").unwrap_or(0) == 0 => Some(Self::Vp9),
            #[cfg(feature = "h264")]
            "video/h264" if h264::is_supported(fmtp) => Some(Self::H264),
            #[cfg(feature = "av1")]
            "video/av1" if av1::is_supported(fmtp) => Some(Self::Av1),
            _ => None,
        }
    }
}
