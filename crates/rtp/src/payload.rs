//! Payload formats: how a codec's frames travel in RTP payloads.
//!
//! A [`Packetizer`] cuts a frame into [`Payloads`], a [`Depacketizer`] puts one together again, and
//! [`inspect`] tells what a single payload says about its frame. Each codec has its file; all are
//! reached through [`Format`], by `match`, so that none of it allocates once its buffers have grown.
//!
//! ```
//! use pc_rtp::payload::{Depacketizer, Format, FrameInfo, Packetizer, Payloads};
//!
//! let frame = [0x01; 3000]; // a VP8 frame that others lead to: bit 0 of the first byte is set
//! let mut packetizer = Packetizer::new(Format::Vp8, 17);
//! let mut payloads = Payloads::new();
//! packetizer.packetize(&frame, &FrameInfo::default(), 1200, &mut payloads)?;
//! assert_eq!(payloads.len(), 3);
//!
//! let mut depacketizer = Depacketizer::new(Format::Vp8);
//! depacketizer.begin();
//! for payload in payloads.iter() {
//!     depacketizer.push(payload)?;
//! }
//! let received = depacketizer.finish()?;
//! assert_eq!(received.data, frame);
//! assert!(!received.is_key_frame);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | format | specification | notes |
//! |---|---|---|
//! | Opus | RFC 7587 | one packet, one payload |
//! | G.711, G.722 | RFC 3551 §4.5 | one frame, one payload |
//! | comfort noise | RFC 3389 | |
//! | RED | RFC 2198 | sends the frame before again where it fits; [`red`] reads all blocks |
//! | telephone events | RFC 4733 | [`telephone_event`]; [`dtmf`](crate::dtmf) plays and hears them |
//! | VP8 | RFC 7741 | sent with a 15-bit picture id, and TL0PICIDX and TID where there are layers in time |
//! | VP9 | RFC 9628 | both modes are read; sent non-flexible, with a 15-bit picture id |
//! | H.264 | RFC 6184 | modes 0 and 1; the interleaved mode is refused |
//! | H.265 | RFC 7798 | without DONL and PACI |
//! | AV1 | [AV1 RTP](https://aomediacodec.github.io/av1-rtp-spec/) | |
//! | retransmission | RFC 4588 | [`rtx`] |

use pc_proto::ParseError;

mod audio;
mod av1;
mod bits;
mod buffer;
mod format;
mod h264;
mod h265;
mod nal;
mod packetize;
pub mod red;
pub mod rtx;
pub mod telephone_event;
mod vp8;
mod vp9;

pub use buffer::{FrameInfo, FrameView, MAX_FRAME_LEN, PayloadInfo, Payloads, TemporalLayer};
pub use format::Format;
pub use packetize::{PacketizeError, Packetizer};
pub use vp8::{Vp8Descriptor, Vp8Numbers};
pub use vp9::{Vp9Descriptor, Vp9Layer, Vp9Numbers};

use buffer::FrameBuffer;

/// What one payload says about the frame it is part of, without assembling anything.
///
/// # Errors
///
/// The payload is not of this format.
pub fn inspect(format: Format, payload: &[u8]) -> Result<PayloadInfo, ParseError> {
    match format {
        Format::Opus
        | Format::Pcmu
        | Format::Pcma
        | Format::G722
        | Format::ComfortNoise
        | Format::TelephoneEvent => audio::inspect(payload),
        Format::Red { .. } => red::inspect(payload),
        Format::Vp8 => vp8::inspect(payload),
        Format::Vp9 => vp9::inspect(payload),
        Format::H264 { .. } => h264::inspect(payload),
        Format::H265 => h265::inspect(payload),
        Format::Av1 => av1::inspect(payload),
    }
}

/// Puts the payloads of one frame together, in the order of their sequence numbers.
///
/// [`begin`](Self::begin), [`push`](Self::push) for each, [`finish`](Self::finish); the buffer is
/// kept from frame to frame and holds at most [`MAX_FRAME_LEN`] bytes.
#[derive(Debug)]
pub struct Depacketizer {
    frame: FrameBuffer,
    state: State,
    failed: Option<ParseError>,
}

#[derive(Debug)]
enum State {
    Audio,
    Red,
    Vp8(vp8::Depacketizer),
    Vp9(vp9::Depacketizer),
    H264(h264::Depacketizer),
    H265(h265::Depacketizer),
    Av1(av1::Depacketizer),
}

impl Depacketizer {
    /// One for the frames of `format`.
    pub fn new(format: Format) -> Self {
        let state = match format {
            Format::Opus
            | Format::Pcmu
            | Format::Pcma
            | Format::G722
            | Format::ComfortNoise
            | Format::TelephoneEvent => State::Audio,
            Format::Red { .. } => State::Red,
            Format::Vp8 => State::Vp8(vp8::Depacketizer::default()),
            Format::Vp9 => State::Vp9(vp9::Depacketizer::default()),
            Format::H264 { .. } => State::H264(h264::Depacketizer::default()),
            Format::H265 => State::H265(h265::Depacketizer::default()),
            Format::Av1 => State::Av1(av1::Depacketizer::default()),
        };
        Self {
            frame: FrameBuffer::default(),
            state,
            failed: None,
        }
    }

    /// Starts a frame, and forgets the one before.
    pub fn begin(&mut self) {
        self.frame.clear();
        self.failed = None;
        match &mut self.state {
            State::Audio | State::Red => {}
            State::Vp8(state) => *state = vp8::Depacketizer::default(),
            State::Vp9(state) => *state = vp9::Depacketizer::default(),
            State::H264(state) => *state = h264::Depacketizer::default(),
            State::H265(state) => *state = h265::Depacketizer::default(),
            State::Av1(state) => state.begin(),
        }
    }

    /// Appends the next payload of the frame.
    ///
    /// # Errors
    ///
    /// The payload is malformed, does not continue the one before, or makes the frame longer than
    /// [`MAX_FRAME_LEN`]. The frame is lost then: [`finish`](Self::finish) says the same.
    pub fn push(&mut self, payload: &[u8]) -> Result<(), ParseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let frame = &mut self.frame;
        let result = match &mut self.state {
            State::Audio => audio::push(payload, frame),
            State::Red => red::push(payload, frame),
            State::Vp8(state) => state.push(payload, frame),
            State::Vp9(state) => state.push(payload, frame),
            State::H264(state) => state.push(payload, frame),
            State::H265(state) => state.push(payload, frame),
            State::Av1(state) => state.push(payload, frame),
        };
        self.failed = result.err();
        result
    }

    /// The frame, whose last payload has been pushed.
    ///
    /// # Errors
    ///
    /// A payload was refused, none was pushed, or the frame goes on after the last one.
    pub fn finish(&mut self) -> Result<FrameView<'_>, ParseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match &self.state {
            State::Audio | State::Red | State::Vp8(_) => {}
            State::Vp9(state) => state.finish()?,
            State::H264(state) => state.finish()?,
            State::H265(state) => state.finish()?,
            State::Av1(state) => state.finish()?,
        }
        if self.frame.is_empty() {
            return Err(ParseError {
                what: "a frame without a payload",
                at: 0,
            });
        }
        Ok(self.frame.view())
    }
}

#[cfg(test)]
mod tests;
