//! One-way calls, in memory and on a clock of their own: what sending and receiving costs, each apart.
#![allow(dead_code, unreachable_pub)] // each bench uses its part
#![allow(clippy::disallowed_methods)] // a bench reads the clock

use std::{
    ops::Range,
    time::{Duration, Instant},
};

pub mod engine;
pub mod sessions;
pub mod theirs;
mod wire;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// 160 bytes every 20 ms.
    Opus,
    /// Frames of twelve packets of some 1,200 bytes, 30 a second; every 256th is a key frame.
    Vp8,
}

impl Media {
    pub const ALL: [(&'static str, Self); 2] = [
        ("Opus, 160 bytes", Self::Opus),
        ("VP8, 1,200 bytes", Self::Vp8),
    ];

    fn interval(self) -> Duration {
        match self {
            Self::Opus => Duration::from_millis(20),
            Self::Vp8 => Duration::from_micros(33_333),
        }
    }

    /// Frames between two exchanges: enough that reading the clock does not count, and few enough that
    /// feedback comes in time.
    fn burst(self) -> u64 {
        match self {
            Self::Opus => 5,
            Self::Vp8 => 1,
        }
    }

    /// The frame's timestamp on the codec's clock.
    fn timestamp(self, number: u64) -> u64 {
        number
            * match self {
                Self::Opus => 960,
                Self::Vp8 => 3000,
            }
    }

    fn is_key_frame(self, number: u64) -> bool {
        self == Self::Opus || number.is_multiple_of(256)
    }

    /// What an encoder has written.
    fn encoded(self) -> Vec<u8> {
        match self {
            // One frame of 20 ms (RFC 6716 §3.1).
            Self::Opus => [&[0x78][..], &[7; 159]].concat(),
            // A frame header, and the start code and size that only key frames have (RFC 6386 §9.1).
            Self::Vp8 => [
                &[0x10, 0, 0, 0x9D, 1, 0x2A, 64, 1, 180, 0][..],
                &[7; 13_500],
            ]
            .concat(),
        }
    }
}

/// The frames of a sender, one after another.
struct Frames {
    media: Media,
    begin: Instant,
    next: u64,
    data: Vec<u8>,
}

struct Frame<'a> {
    at: Instant,
    timestamp: u64,
    is_key_frame: bool,
    data: &'a [u8],
}

impl Frames {
    fn new(media: Media, begin: Instant) -> Self {
        Self {
            media,
            begin,
            next: 0,
            data: media.encoded(),
        }
    }

    /// The numbers of the frames of the next burst.
    fn burst(&mut self) -> Range<u64> {
        let first = self.next;
        self.next += self.media.burst();
        first..self.next
    }

    fn at(&self, number: u64) -> Instant {
        self.begin + self.media.interval() * number as u32
    }

    fn frame(&mut self, number: u64) -> Frame<'_> {
        let is_key_frame = self.media.is_key_frame(number);
        if self.media == Media::Vp8
            && let Some(first) = self.data.first_mut()
        {
            // The lowest bit of VP8 says that it is none (RFC 6386 §9.1).
            *first = 0x10 | u8::from(!is_key_frame);
        }
        Frame {
            at: self.at(number),
            timestamp: self.media.timestamp(number),
            is_key_frame,
            data: &self.data,
        }
    }
}

/// Two connected peers of which one sends. In turn: [`send`](Self::send), [`carry`](Self::carry),
/// [`receive`](Self::receive), [`answer`](Self::answer).
pub trait Call {
    /// From the encoder's frames of one burst to protected datagrams; timers run as they are due.
    fn send(&mut self);

    /// Hands the datagrams over, as a network would; how many of them are media, and their bytes.
    fn carry(&mut self) -> Sent;

    /// From datagrams to frames, and to the datagrams that the receiver answers with; how many frames
    /// came out.
    fn receive(&mut self) -> usize;

    /// Hands the receiver's reports and feedback to the sender.
    fn answer(&mut self);

    /// The codec's frames in one burst.
    fn burst(&self) -> usize;
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Sent {
    pub packets: usize,
    pub bytes: usize,
}

/// How to open a call.
pub type Open = fn(Media) -> Box<dyn Call>;

/// Who is compared, us first.
pub const STACKS: [(&str, Open); 3] = [
    ("peerconnection", |media| {
        Box::new(engine::Call::open(media))
    }),
    ("rtp-session and srtp", |media| {
        Box::new(sessions::Call::open(media))
    }),
    ("str0m", |media| Box::new(theirs::Call::open(media))),
];

/// A call that has run for half a minute: estimates have settled, buffers have grown.
pub fn running(open: Open, media: Media) -> Box<dyn Call> {
    let mut call = open(media);
    let (mut sent, mut received) = (0, 0);
    for step in 0..1000 {
        call.send();
        call.carry();
        let frames = call.receive();
        call.answer();
        if step >= 900 {
            sent += call.burst();
            received += frames;
        }
    }
    assert!(
        received.abs_diff(sent) <= 5,
        "{sent} frames were sent, and {received} came"
    );
    call
}

/// Whether a datagram is a packet of media.
fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if !(192..=223).contains(second))
}
