use super::{Format, FrameInfo, Payloads, audio, av1, h264, h265, red, vp8, vp9};
use pc_proto::ParseError;

/// Why a frame cannot be sent. Nothing of it is in the payloads then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketizeError {
    /// There is nothing in the frame.
    #[error("an empty frame")]
    Empty,
    /// The payloads may not be as long as the format needs them at least.
    #[error("a payload needs at least {needed} bytes")]
    MaxPayloadTooSmall {
        /// How long they must be allowed to be.
        needed: usize,
    },
    /// The format cannot cut this in pieces: sound, or a NAL unit in H.264's packetization mode 0.
    #[error("{len} bytes that cannot be fragmented are longer than a payload")]
    TooLong {
        /// How long it is, in bytes.
        len: usize,
    },
    /// The frame is not what the codec writes: no start code in H.264 or H.265, OBUs with a wrong
    /// length in AV1.
    #[error("malformed frame: {0}")]
    Malformed(#[from] ParseError),
}

/// Cuts the frames of one encoding into payloads. It keeps what continues from frame to frame, such
/// as picture ids, so there is one for each encoding that is sent.
#[derive(Debug)]
pub struct Packetizer(State);

#[derive(Debug)]
enum State {
    Audio,
    Red(red::Redundancy),
    Vp8(vp8::Packetizer),
    Vp9(vp9::Packetizer),
    H264(h264::Packetizer),
    H265(h265::Packetizer),
    Av1(av1::Packetizer),
}

impl Packetizer {
    /// One for frames of `format`. `seed` is where picture ids start: a random number.
    pub fn new(format: Format, seed: u16) -> Self {
        Self(match format {
            Format::Opus
            | Format::Pcmu
            | Format::Pcma
            | Format::G722
            | Format::ComfortNoise
            | Format::TelephoneEvent => State::Audio,
            Format::Red { primary } => State::Red(red::Redundancy::new(primary)),
            Format::Vp8 => State::Vp8(vp8::Packetizer::new(seed)),
            Format::Vp9 => State::Vp9(vp9::Packetizer::new(seed)),
            Format::H264 { packetization_mode } => {
                State::H264(h264::Packetizer::new(packetization_mode))
            }
            Format::H265 => State::H265(h265::Packetizer::default()),
            Format::Av1 => State::Av1(av1::Packetizer::default()),
        })
    }

    /// Puts the payloads of `frame` in `out`, instead of what was there; none is longer than
    /// `max_payload` bytes. The last one of a video frame travels with the marker bit set.
    ///
    /// `frame` is what the encoder gives: an Opus packet, G.711 or G.722 bytes, a VP8 or VP9 frame,
    /// an H.264 or H.265 access unit in Annex B form, an AV1 temporal unit of OBUs with sizes.
    ///
    /// # Errors
    ///
    /// [`PacketizeError`]; `out` is empty then.
    pub fn packetize(
        &mut self,
        frame: &[u8],
        info: &FrameInfo,
        max_payload: usize,
        out: &mut Payloads,
    ) -> Result<(), PacketizeError> {
        out.clear();
        if frame.is_empty() {
            return Err(PacketizeError::Empty);
        }
        let result = match &mut self.0 {
            State::Audio => audio::packetize(frame, max_payload, out),
            State::Red(state) => state.packetize(frame, info.timestamp, max_payload, out),
            State::Vp8(state) => state.packetize(frame, info.layer, max_payload, out),
            State::Vp9(state) => state.packetize(frame, info, max_payload, out),
            State::H264(state) => state.packetize(frame, max_payload, out),
            State::H265(state) => state.packetize(frame, max_payload, out),
            State::Av1(state) => state.packetize(frame, info, max_payload, out),
        };
        if result.is_err() {
            out.clear();
        }
        result
    }
}

/// How long the pieces are, so that as few as possible of at most `room` bytes hold `len` bytes and
/// all but the last are equally long: equal datagrams leave the host in one call.
pub(super) fn piece_len(len: usize, room: usize) -> usize {
    len.div_ceil(len.div_ceil(room.max(1)).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::piece_len;

    #[test]
    fn pieces_are_as_few_and_as_equal_as_can_be() {
        assert_eq!(piece_len(3000, 1200), 1000);
        assert_eq!(piece_len(1200, 1200), 1200);
        assert_eq!(piece_len(1201, 1200), 601);
        assert_eq!(piece_len(1, 1), 1);
        assert_eq!(piece_len(0, 0), 1);
    }
}
