//! AV1 main profile, as RTP has it (AOM's "RTP Payload Format For AV1").

mod decoder;
mod encoder;

pub(super) use decoder::Decoder;
pub(super) use encoder::Encoder;

use super::fmtp;

/// Whether these parameters are of the main profile, which is the default (AV1 RTP §7.2.1): 8 bits
/// at 4:2:0, as our frames have it, are of no other. Level and tier do not matter, as a peer says
/// how much it takes and pictures of a call are small.
pub(super) fn is_supported(fmtp: Option<&str>) -> bool {
    fmtp::number(fmtp, "profile").unwrap_or(0) == 0
}
