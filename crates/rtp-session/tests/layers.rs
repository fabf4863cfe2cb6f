//! Three layers of simulcast on virtual time: which is heard, asked and paused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::Protocol;
use pc_rtp_session::{
    EncodingParameters, Event, Input, Received, ReceivedLayer, ReceiverId, Session,
};
use pc_simnet::{epoch, ms, secs};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const PICTURE: ReceiverId = ReceiverId(1);
const RIDS: [&str; 3] = ["f", "h", "q"];
/// How long a frame of each is.
const LENGTHS: [usize; 3] = [6000, 3000, 700];

struct Call {
    now: Instant,
    a: Session,
    b: Session,
    step: u32,
    /// The encodings that were asked for a key frame, and have not given one yet.
    asked: [bool; 3],
    requests: [u32; 3],
    inactive: [bool; 3],
    /// Every so many packets one is lost.
    loses: Option<u32>,
    packets: u32,
    /// Packets that arrived, by rid, and frames that came out.
    arrived: BTreeMap<String, u32>,
    frames: BTreeMap<String, Vec<u32>>,
}

impl Call {
    fn new() -> Self {
        let now = epoch();
        let mut a = Session::new(now, config(1));
        let mut sends = sends("v", vp8());
        sends.encodings = RIDS
            .map(|rid| EncodingParameters {
                rid: Some(rid.into()),
                active: true,
            })
            .to_vec();
        a.set_sender(now, VIDEO, sends);
        let mut b = Session::new(now, config(2));
        b.set_receiver(now, PICTURE, receives("v", vp8()));
        Self {
            now,
            a,
            b,
            step: 0,
            asked: [true; 3],
            requests: [0; 3],
            inactive: [false; 3],
            loses: None,
            packets: 0,
            arrived: BTreeMap::new(),
            frames: BTreeMap::new(),
        }
    }

    /// A picture every 33 ms, in all layers that are active.
    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            for encoding in 0..RIDS.len() {
                if !self.inactive[encoding] {
                    self.shoot(encoding);
                }
            }
            self.step += 1;
            for _ in 0..3 {
                self.now += ms(11);
                self.exchange();
            }
        }
    }

    fn shoot(&mut self, encoding: usize) {
        let is_key_frame = std::mem::take(&mut self.asked[encoding]);
        let mut data = vec![u8::from(!is_key_frame); LENGTHS[encoding]];
        if is_key_frame {
            let width = 640 >> encoding;
            let [low, high] = u16::to_le_bytes(width);
            data[..10].copy_from_slice(&[0x10, 0, 0, 0x9D, 1, 0x2A, low, high, 48, 0]);
        }
        data[10..14].copy_from_slice(&self.step.to_be_bytes());
        let frame = picture(self.now, self.step * 33, is_key_frame, &data);
        self.a.send_frame(self.now, VIDEO, encoding, frame).unwrap();
    }

    fn exchange(&mut self) {
        self.a.handle_timeout(self.now);
        let (packets, mut reports) = drain(&mut self.a, self.now);
        for packet in packets {
            self.packets += 1;
            if !self
                .loses
                .is_some_and(|every| self.packets.is_multiple_of(every))
            {
                reports.push(packet.bytes);
            }
        }
        for mut datagram in reports {
            if let Ok(Input::Rtp(arrived)) = self.b.handle_input(self.now, (), &mut datagram) {
                let rid = arrived.rid.as_deref().expect("named").to_owned();
                *self.arrived.entry(rid).or_default() += 1;
            }
        }
        self.b.handle_timeout(self.now);
        while let Some(received) = self.b.poll_frame(self.now, PICTURE) {
            let Received::Frame(frame) = received else {
                panic!("no picture is concealed")
            };
            let number = u32::from_be_bytes(frame.data[10..14].try_into().unwrap());
            let frames = self
                .frames
                .entry(frame.rid.unwrap().to_owned())
                .or_default();
            assert!(frames.last().is_none_or(|last| *last < number));
            frames.push(number);
        }
        for mut datagram in drain(&mut self.b, self.now).1 {
            self.a.handle_input(self.now, (), &mut datagram).unwrap();
        }
        for event in events(&mut self.a) {
            if let Event::KeyFrameRequested { encoding, .. } = event {
                self.asked[encoding] = true;
                self.requests[encoding] += 1;
            }
        }
    }

    fn layer(&self, rid: &str) -> ReceivedLayer {
        let mut layers = self.b.received_layers(self.now, PICTURE);
        layers.find(|it| it.rid.as_deref() == Some(rid)).unwrap()
    }

    fn frames_of(&self, rid: &str) -> usize {
        self.frames.get(rid).map_or(0, Vec::len)
    }
}

#[test]
fn each_layer_is_heard_under_its_rid() {
    let mut call = Call::new();
    call.run(secs(3));
    for (encoding, rid) in RIDS.into_iter().enumerate() {
        let layer = call.layer(rid);
        assert_eq!(layer.size, Some((640 >> encoding, 48)));
        assert!((29..=32).contains(&layer.frame_rate), "{layer:?}");
        let expected = 30 * 8 * LENGTHS[encoding] as u64;
        assert!(
            (expected..expected * 12 / 10).contains(&layer.bit_rate),
            "{layer:?}"
        );
        assert!(call.frames_of(rid) >= 85, "{:?}", call.frames);
    }
    assert_eq!(call.requests, [0; 3]);
}

#[test]
fn one_layer_alone_is_asked_for_a_key_frame() {
    let mut call = Call::new();
    call.run(secs(1));
    for (encoding, rid) in RIDS.into_iter().enumerate() {
        let mut expected = call.requests;
        expected[encoding] += 1;
        call.b.request_layer_key_frame(call.now, PICTURE, rid);
        call.run(ms(1100));
        assert_eq!(call.requests, expected);
    }
    call.b.request_layer_key_frame(call.now, PICTURE, "none");
    call.run(ms(500));
    assert_eq!(call.requests, [1; 3]);
    // All of them, once a second each, however often they are asked.
    for _ in 0..100 {
        call.b.request_key_frame(call.now, PICTURE);
        call.run(ms(33));
    }
    assert!(
        call.requests.iter().all(|it| (4..=5).contains(it)),
        "{:?}",
        call.requests
    );
}

#[test]
fn a_paused_layer_costs_nothing_and_comes_back_with_a_key_frame() {
    let mut call = Call::new();
    call.run(secs(1));
    call.b.set_layer_paused(call.now, PICTURE, "h", true);
    let nacks = |call: &Call| {
        let stats = call.b.inbound_stats(PICTURE);
        let of: BTreeMap<_, _> = stats.map(|it| (it.rid.unwrap(), it.nack_count)).collect();
        of["h"]
    };
    let (frames, arrived, asked) = (call.frames_of("h"), call.arrived["h"], nacks(&call));
    call.loses = Some(13);
    call.run(secs(4));
    assert!(call.layer("h").is_paused);
    assert_eq!(call.frames_of("h"), frames);
    assert!(
        call.arrived["h"] > arrived + 200,
        "packets are given all the same"
    );
    assert!(call.layer("h").bit_rate > 500_000);
    assert_eq!(call.requests[1], 0);
    assert_eq!(nacks(&call), asked, "nothing is asked for again");
    call.b.request_layer_key_frame(call.now, PICTURE, "h");
    call.run(secs(1));
    assert_eq!(call.requests[1], 0);

    call.loses = None;
    let resumed = call.step;
    call.b.set_layer_paused(call.now, PICTURE, "h", false);
    call.run(secs(1));
    assert_eq!(call.requests[1], 1);
    assert!(
        call.frames_of("h") > frames + 20,
        "{} {frames} {:?}",
        call.frames_of("h"),
        call.layer("h")
    );
    assert!(
        call.frames["h"][frames] >= resumed,
        "none of before is shown"
    );
    assert!(!call.layer("h").is_paused);
}

#[test]
fn a_layer_that_is_paused_before_it_comes_never_wakes_up() {
    let mut call = Call::new();
    call.inactive[0] = true;
    call.b.set_layer_paused(call.now, PICTURE, "f", true);
    call.run(secs(1));
    call.inactive[0] = false;
    call.asked[0] = false;
    call.run(secs(2));
    assert_eq!((call.frames_of("f"), call.requests[0]), (0, 0));
    call.b.set_layer_paused(call.now, PICTURE, "f", false);
    call.run(secs(1));
    assert_eq!(call.requests[0], 1);
    assert!(call.frames_of("f") > 20);
}

#[test]
fn a_layer_that_the_sender_pauses_goes_on_where_it_was() {
    let mut call = Call::new();
    call.run(secs(1));
    let before = call.frames_of("f");
    call.inactive[0] = true;
    call.run(secs(20));
    assert_eq!(call.layer("f").bit_rate, 0);
    assert!(call.frames_of("q") > 600);
    call.inactive[0] = false;
    // Encoders begin anew with a key frame.
    call.asked[0] = true;
    call.run(secs(1));
    assert!(
        call.frames_of("f") > before + 25,
        "{} {before}",
        call.frames_of("f")
    );
}

#[test]
fn all_layers_come_through_loss() {
    let mut call = Call::new();
    call.loses = Some(13);
    call.run(secs(20));
    for rid in RIDS {
        assert!(call.frames_of(rid) > 570, "{rid}: {}", call.frames_of(rid));
    }
}
