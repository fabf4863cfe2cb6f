//! Opus ([RFC 7587](https://www.rfc-editor.org/rfc/rfc7587#section-4.2)), G.711 and G.722
//! ([RFC 3551 §4.5](https://www.rfc-editor.org/rfc/rfc3551#section-4.5)), comfort noise
//! ([RFC 3389](https://www.rfc-editor.org/rfc/rfc3389)): a payload is a frame, as it is.

use super::buffer::{FrameBuffer, PayloadInfo};
use super::{PacketizeError, Payloads};
use pc_proto::ParseError;

const EMPTY: ParseError = ParseError {
    what: "empty audio payload",
    at: 0,
};

pub(super) fn packetize(
    frame: &[u8],
    max_payload: usize,
    out: &mut Payloads,
) -> Result<(), PacketizeError> {
    if frame.len() > max_payload {
        return Err(PacketizeError::TooLong { len: frame.len() });
    }
    out.push(&[frame]);
    Ok(())
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, ParseError> {
    if payload.is_empty() {
        return Err(EMPTY);
    }
    Ok(PayloadInfo {
        starts_frame: Some(true),
        is_key_frame: Some(true),
        ..PayloadInfo::default()
    })
}

pub(super) fn push(payload: &[u8], frame: &mut FrameBuffer) -> Result<(), ParseError> {
    if payload.is_empty() {
        return Err(EMPTY);
    }
    if !frame.is_empty() {
        return Err(ParseError {
            what: "second payload of an audio frame",
            at: 0,
        });
    }
    frame.is_key_frame = true;
    frame.append(payload)
}
