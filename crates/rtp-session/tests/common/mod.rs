//! What the tests of this crate share: parameters, and a look at what leaves.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use pc_proto::{Batch, Protocol, Serial16, Serial32};
use pc_rtp::{
    ExtensionMap, ExtensionUri, PacketView, PayloadType, Ssrc, is_rtcp, payload::Format,
    payload::rtx,
};
use pc_rtp_session::{
    Codec, Config, EncodingParameters, Event, Frame, ReceiverParameters, SenderId,
    SenderParameters, Session,
};
use std::time::{Duration, Instant};

pub const VIDEO: SenderId = SenderId(1);
pub const AUDIO: SenderId = SenderId(2);

pub fn payload_type(number: u8) -> PayloadType {
    PayloadType::new(number).unwrap()
}

pub fn vp8() -> Codec {
    Codec {
        payload_type: payload_type(96),
        format: Format::Vp8,
        clock_rate: 90_000,
        channels: 1,
        rtx: Some(payload_type(97)),
        nack: true,
        pli: true,
        fir: true,
        transport_cc: true,
        remb: true,
    }
}

pub fn opus() -> Codec {
    Codec {
        payload_type: payload_type(111),
        format: Format::Opus,
        clock_rate: 48_000,
        channels: 2,
        rtx: None,
        nack: false,
        pli: false,
        fir: false,
        transport_cc: true,
        remb: false,
    }
}

pub fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for (id, uri) in [
        (1, ExtensionUri::SsrcAudioLevel),
        (2, ExtensionUri::AbsSendTime),
        (3, ExtensionUri::TransportCc),
        (4, ExtensionUri::Mid),
        (10, ExtensionUri::Rid),
        (11, ExtensionUri::RepairedRid),
        (13, ExtensionUri::VideoOrientation),
    ] {
        map.set(id, uri);
    }
    map
}

pub fn sends(mid: &str, codec: Codec) -> SenderParameters {
    SenderParameters {
        mid: mid.into(),
        codecs: vec![codec],
        extensions: extensions(),
        encodings: vec![EncodingParameters {
            rid: None,
            active: true,
        }],
        reduced_size: true,
        weight: 1,
    }
}

pub fn receives(mid: &str, codec: Codec) -> ReceiverParameters {
    ReceiverParameters {
        mid: mid.into(),
        codecs: vec![codec],
        extensions: extensions(),
        rids: Vec::new(),
        ssrcs: Vec::new(),
        rtx_pairs: Vec::new(),
        reduced_size: true,
    }
}

pub fn config(seed: u8) -> Config {
    Config {
        seed: [seed; 32],
        cname: "alice".into(),
        unix_time: Duration::from_secs(1_700_000_000),
        ..Config::default()
    }
}

/// A session that sends a picture and sound.
pub fn sending(now: Instant) -> Session {
    let mut session = Session::new(now, config(1));
    session.set_sender(now, VIDEO, sends("v", vp8()));
    session.set_sender(now, AUDIO, sends("a", opus()));
    session
}

/// A picture; `timestamp` in milliseconds.
pub fn picture(now: Instant, millis: u32, is_key_frame: bool, data: &[u8]) -> Frame<'_> {
    Frame {
        payload_type: payload_type(96),
        data,
        timestamp: Serial32(millis.wrapping_mul(90)),
        capture: now,
        is_key_frame,
        size: None,
        audio_level: None,
        orientation: None,
        layer: None,
    }
}

/// Sound; `timestamp` in milliseconds.
pub fn sound(now: Instant, millis: u32, data: &[u8]) -> Frame<'_> {
    Frame {
        payload_type: payload_type(111),
        timestamp: Serial32(millis.wrapping_mul(48)),
        ..picture(now, 0, true, data)
    }
}

/// A packet that left.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub bytes: Vec<u8>,
}

impl Sent {
    pub fn view(&self) -> PacketView<'_> {
        PacketView::parse(&self.bytes).unwrap()
    }

    pub fn number(&self) -> Serial16 {
        self.view().sequence_number()
    }

    pub fn ssrc(&self) -> Ssrc {
        self.view().ssrc()
    }

    /// Number and payload of what an RTX packet repeats.
    pub fn original(&self) -> (Serial16, Vec<u8>) {
        let (number, payload) = rtx::parse(self.view().payload()).unwrap();
        (number, payload.to_vec())
    }
}

/// All that leaves at `now`: packets, and datagrams of RTCP.
pub fn drain(session: &mut Session, now: Instant) -> (Vec<Sent>, Vec<Vec<u8>>) {
    let (mut packets, mut reports) = (Vec::new(), Vec::new());
    let mut batch = Batch::new();
    while session
        .poll_transmit(now, &mut batch.transmit_buf(1200, 16))
        .is_some()
    {
        for datagram in batch.datagrams() {
            assert!(datagram.len() <= 1180, "{} bytes", datagram.len());
            if is_rtcp(datagram) {
                reports.push(datagram.to_vec());
            } else {
                packets.push(Sent {
                    bytes: datagram.to_vec(),
                });
            }
        }
    }
    (packets, reports)
}

/// All that leaves from `now` until nothing waits, and when each left.
pub fn drain_paced(
    session: &mut Session,
    now: &mut Instant,
    until: Instant,
) -> Vec<(Instant, Sent)> {
    let mut packets = Vec::new();
    loop {
        let (some, _) = drain(session, *now);
        packets.extend(some.into_iter().map(|packet| (*now, packet)));
        match session.poll_timeout() {
            Some(next) if next <= until => {
                assert!(next > *now, "a timeout that does not go on");
                *now = next;
                session.handle_timeout(*now);
            }
            _ => {
                *now = until;
                return packets;
            }
        }
    }
}

pub fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

/// Writes RTCP with a closure and gives it to the session.
pub fn hand_in(
    session: &mut Session,
    now: Instant,
    write: impl FnOnce(&mut pc_proto::Writer<'_>) -> Result<(), pc_proto::WriteError>,
) {
    let mut bytes = [0; 1500];
    let mut writer = pc_proto::Writer::new(&mut bytes);
    write(&mut writer).unwrap();
    let mut datagram = writer.written().to_vec();
    session.handle_input(now, (), &mut datagram).unwrap();
}
