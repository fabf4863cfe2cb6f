//! What a peer relies on: frames come back, real streams are understood, nothing a peer sends harms.

mod allocations;
mod descriptors;
mod hostile;
mod parameter_sets;
mod properties;
mod sound;
mod streams;

use super::*;

const H264: Format = Format::H264 {
    packetization_mode: 1,
};
const VIDEO: [Format; 5] = [Format::Vp8, Format::Vp9, H264, Format::H265, Format::Av1];

/// A frame that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Received {
    data: Vec<u8>,
    is_key_frame: bool,
    size: Option<(u16, u16)>,
}

fn send(
    format: Format,
    frame: &[u8],
    info: &FrameInfo,
    max_payload: usize,
) -> Result<Vec<Vec<u8>>, PacketizeError> {
    let mut payloads = Payloads::new();
    let sent = Packetizer::new(format, 0x7FFF).packetize(frame, info, max_payload, &mut payloads);
    assert_eq!(sent.is_err(), payloads.is_empty());
    sent.map(|()| payloads.iter().map(<[u8]>::to_vec).collect())
}

fn receive<P: AsRef<[u8]>>(format: Format, payloads: &[P]) -> Result<Received, ParseError> {
    let mut depacketizer = Depacketizer::new(format);
    depacketizer.begin();
    for payload in payloads {
        depacketizer.push(payload.as_ref())?;
    }
    let frame = depacketizer.finish()?;
    Ok(Received {
        data: frame.data.to_vec(),
        is_key_frame: frame.is_key_frame,
        size: frame.size,
    })
}

/// Why these payloads are no frame.
fn refusal<P: AsRef<[u8]>>(format: Format, payloads: &[P]) -> &'static str {
    receive(format, payloads).unwrap_err().what
}
