//! The sending half: streams, what waits to leave, what is sent again.

use crate::{
    Codec, Config, Event, Frame, OutgoingPacket, SendError, SenderId, SenderParameters,
    clock::WallClock,
};
use pc_proto::{Serial16, Serial32};
use pc_rtp::{AudioLevel, PayloadType, Ssrc, VideoOrientation, dtmf};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

mod feedback;
mod history;
mod pacer;
mod packet;
mod queue;
mod rate;
mod remote;
mod report;
mod stream;
mod transmit;

use pacer::Pacer;
use packet::{Negotiated, Shown};
use queue::{Line, Queue, Waiting};
use rate::{Rate, SentRate};
use stream::{Queued, Stream};

/// How many bytes of pictures may wait: two seconds of 20 Mbit/s. Who has more to send than this
/// encodes faster than the network carries.
const MAX_WAITING: usize = 5 << 20;

/// What is sent on may be this long, in bytes before SRTP, though frames are cut shorter: it cannot be cut
/// again, and browsers send packets of 1,200 bytes with fewer extensions than ours may have. With 20 bytes of SRTP it
/// still fits where IPv6 does (RFC 8200 §5): 1,280 bytes less its header and UDP's.
const MAX_FORWARDED: usize = 1280 - 40 - 8 - 20;

/// How many events wait to be polled; they repeat themselves, so what is beyond is left out.
const MAX_EVENTS: usize = 1024;

/// A round trip before one was measured (libwebrtc assumes the same).
const DEFAULT_RTT: Duration = Duration::from_millis(100);

/// Everything that is sent in one session.
#[derive(Debug)]
pub(crate) struct Senders {
    rng: ChaCha12Rng,
    clock: WallClock,
    mtu: usize,
    senders: BTreeMap<SenderId, Sender>,
    by_ssrc: BTreeMap<u32, Place>,
    queue: Queue,
    pacer: Pacer,
    rate: Rate,
    audio_rate: SentRate,
    /// What may still be sent again, in bytes, and when that was so. The last packet may make it
    /// negative.
    again_budget: (i64, Option<Instant>),
    rtt: Option<Duration>,
    transport_sequence: Serial16,
    /// SSRCs to say good-bye for.
    farewells: Vec<Ssrc>,
    /// Whether a stream began, whose first report is to go at once.
    has_new_stream: bool,
    /// When `write_packets` has something to write.
    wake: Option<Instant>,
    /// When a request for a key frame that came too soon may be passed on.
    key_frames_owed: Option<Instant>,
    events: VecDeque<Event>,
}

/// Where an SSRC belongs.
#[derive(Debug, Clone, Copy)]
struct Place {
    sender: SenderId,
    encoding: usize,
    is_rtx: bool,
}

#[derive(Debug)]
struct Sender {
    parameters: SenderParameters,
    negotiated: Negotiated,
    streams: Vec<Stream>,
    is_audio: bool,
    target_bitrate: Option<u64>,
    wanted_bitrate: u64,
}

impl Sender {
    fn weight(&self) -> u64 {
        u64::from(self.parameters.weight.max(1))
    }
}

impl Senders {
    pub(crate) fn new(seed: [u8; 32], clock: WallClock, config: &Config) -> Self {
        let mut rng = ChaCha12Rng::from_seed(seed);
        // As any number may be the first, it shows nothing of how long the session has been.
        let transport_sequence = Serial16((rng.next_u32() as u16) & 0x7FFF);
        Self {
            rng,
            clock,
            mtu: config.mtu,
            senders: BTreeMap::new(),
            by_ssrc: BTreeMap::new(),
            queue: Queue::default(),
            pacer: Pacer::new(),
            rate: Rate::new(config.start_bitrate, config.max_bitrate),
            audio_rate: SentRate::default(),
            again_budget: (0, None),
            rtt: None,
            transport_sequence,
            farewells: Vec::new(),
            has_new_stream: false,
            wake: None,
            key_frames_owed: None,
            events: VecDeque::new(),
        }
    }

    pub(crate) fn set(&mut self, now: Instant, id: SenderId, parameters: SenderParameters) {
        let before = self
            .senders
            .get(&id)
            .map_or(0, |sender| sender.streams.len());
        for encoding in 0..before {
            let is_sent = parameters.encodings.get(encoding);
            if !is_sent.is_some_and(|encoding| encoding.active) {
                self.cancel(id, encoding);
            }
        }
        let (mut streams, target_bitrate, wanted_bitrate) = match self.senders.remove(&id) {
            Some(sender) => (sender.streams, sender.target_bitrate, sender.wanted_bitrate),
            None => (Vec::new(), None, 0),
        };
        for gone in streams.drain(parameters.encodings.len().min(before)..) {
            self.farewell(gone);
        }
        for encoding in streams.len()..parameters.encodings.len() {
            let ssrc = self.new_ssrc(id, encoding, false);
            let rtx = self.new_ssrc(id, encoding, true);
            streams.push(Stream::new(&mut self.rng, ssrc, rtx));
        }
        for (stream, encoding) in streams.iter_mut().zip(&parameters.encodings) {
            stream.active = encoding.active;
            stream.rid.clone_from(&encoding.rid);
            // The peer has a new description too, and may have forgotten whose the SSRC is.
            stream.is_known_to_peer = false;
            stream.rtx.is_known_to_peer = false;
        }
        let sender = Sender {
            negotiated: Negotiated::new(&parameters.extensions),
            is_audio: (parameters.codecs.iter()).any(|codec| codec.format.is_audio()),
            parameters,
            streams,
            target_bitrate,
            wanted_bitrate,
        };
        self.senders.insert(id, sender);
        self.tell_target(now);
    }

    pub(crate) fn set_wanted_bitrate(&mut self, id: SenderId, bits_per_second: u64) {
        if let Some(sender) = self.senders.get_mut(&id) {
            sender.wanted_bitrate = bits_per_second;
        }
    }

    pub(crate) fn remove(&mut self, now: Instant, id: SenderId) {
        self.stop(id);
        if let Some(sender) = self.senders.remove(&id) {
            for stream in sender.streams {
                self.farewell(stream);
            }
        }
        self.tell_target(now);
    }

    /// Takes out what waits of a sender.
    pub(crate) fn stop(&mut self, id: SenderId) {
        let streams = self
            .senders
            .get(&id)
            .map_or(0, |sender| sender.streams.len());
        for encoding in 0..streams {
            self.cancel(id, encoding);
        }
    }

    pub(crate) fn ssrcs(&self, id: SenderId) -> impl Iterator<Item = (Ssrc, Option<Ssrc>)> {
        let sender = self.senders.get(&id);
        sender.into_iter().flat_map(|sender| {
            let has_rtx = sender.has_rtx();
            let ssrcs = move |stream: &Stream| (stream.ssrc, has_rtx.then_some(stream.rtx.ssrc));
            sender.streams.iter().map(ssrcs)
        })
    }

    /// Whether `ssrc` is one of this side's.
    pub(crate) fn is_own(&self, ssrc: Ssrc) -> bool {
        self.by_ssrc.contains_key(&ssrc.0)
    }

    /// Whether every sender negotiated feedback without a report in front (RFC 5506).
    pub(crate) fn reduced_size(&self) -> bool {
        (self.senders.values()).all(|sender| sender.parameters.reduced_size)
    }

    /// Whether there is a picture among what is sent: reports come more often then.
    pub(crate) fn has_video(&self) -> bool {
        self.senders.values().any(|sender| !sender.is_audio)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.senders.is_empty()
    }

    pub(crate) fn send_frame(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        frame: &Frame<'_>,
    ) -> Result<(), SendError> {
        let (keep, mtu, is_full) = (self.keep(), self.mtu, self.is_full());
        let sender = self.senders.get_mut(&id).ok_or(SendError::UnknownSender)?;
        let open = sender.open(encoding, frame.payload_type, is_full)?;
        let max = open.max_payload(frame.audio_level, frame.orientation, mtu);
        open.stream.history.expire(now, keep);
        let queued = (open.stream).packetize(now, open.codec, frame, max, &mut self.rng)?;
        let line = Line::of(open.codec);
        self.enqueue(now, line, id, encoding, queued);
        Ok(())
    }

    pub(crate) fn send_packet(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        packet: &OutgoingPacket<'_>,
    ) -> Result<(), SendError> {
        let (keep, mtu, is_full) = (self.keep(), self.mtu, self.is_full());
        let sender = self.senders.get_mut(&id).ok_or(SendError::UnknownSender)?;
        let open = sender.open(encoding, packet.payload_type, is_full)?;
        let mtu = mtu.max(MAX_FORWARDED);
        let max = open.max_payload(packet.audio_level, packet.orientation, mtu);
        let len = packet.payload.len();
        if len > max {
            return Err(SendError::TooLong { len, max });
        }
        open.stream.history.expire(now, keep);
        let queued = open.stream.forward(now, open.codec, packet)?;
        let line = Line::of(open.codec);
        self.enqueue(now, line, id, encoding, queued);
        Ok(())
    }

    pub(crate) fn media_timestamp(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        clock_rate: u32,
    ) -> Option<Serial32> {
        let stream = self.senders.get_mut(&id)?.streams.get_mut(encoding)?;
        Some(stream.media_timestamp(now, clock_rate))
    }

    pub(crate) fn sent_payload_type(&self, id: SenderId, encoding: usize) -> Option<PayloadType> {
        self.senders.get(&id)?.streams.get(encoding)?.payload_type
    }

    pub(crate) fn send_telephone_event(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        payload_type: PayloadType,
        event: &dtmf::Packet,
    ) -> Result<(), SendError> {
        let keep = self.keep();
        let sender = self.senders.get_mut(&id).ok_or(SendError::UnknownSender)?;
        let open = sender.open(encoding, payload_type, false)?;
        open.stream.history.expire(now, keep);
        let queued = open.stream.telephone_event(now, open.codec, event)?;
        self.enqueue(now, Line::Audio, id, encoding, queued);
        Ok(())
    }

    /// When `write_packets` has something to write.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [self.wake, self.key_frames_owed]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// SSRCs of streams that have ended and whose end the peer is to be told.
    pub(crate) fn farewells(&mut self) -> &mut Vec<Ssrc> {
        &mut self.farewells
    }

    /// Whether a stream has begun since the last call.
    pub(crate) fn take_new_stream(&mut self) -> bool {
        std::mem::take(&mut self.has_new_stream)
    }

    fn enqueue(
        &mut self,
        now: Instant,
        line: Line,
        sender: SenderId,
        encoding: usize,
        queued: Queued,
    ) {
        let waiting = Waiting {
            sender,
            encoding,
            next: queued.first,
            end: queued.end,
        };
        self.queue.push(line, waiting, queued.bytes);
        self.pace(now);
        // What is paced waits for the pacer; sound for nothing.
        let wake = self.wake.get_or_insert(now);
        if line == Line::Audio {
            *wake = now;
        }
    }

    fn is_full(&self) -> bool {
        self.queue.video_bytes > MAX_WAITING
    }

    fn rtt(&self) -> Duration {
        self.rtt.unwrap_or(DEFAULT_RTT)
    }

    /// How long packets are kept to be sent again: a second, or three round trips.
    fn keep(&self) -> Duration {
        (self.rtt() * 3).max(Duration::from_secs(1))
    }

    fn pace(&mut self, now: Instant) {
        let target = self.rate.target(now);
        self.pacer.set_rate(target, self.queue.video_bytes);
    }

    fn cancel(&mut self, id: SenderId, encoding: usize) {
        self.queue.cancel(id, encoding);
        let Some(sender) = self.senders.get_mut(&id) else {
            return;
        };
        if let Some(stream) = sender.streams.get_mut(encoding) {
            let bytes = stream.cancel_unsent();
            if !sender.is_audio {
                self.queue.video_bytes = self.queue.video_bytes.saturating_sub(bytes);
            }
        }
    }

    /// RFC 3550 §6.6: who has sent says good-bye.
    fn farewell(&mut self, stream: Stream) {
        for (ssrc, last_sent) in [
            (stream.ssrc, stream.last_sent),
            (stream.rtx.ssrc, stream.rtx.last_sent),
        ] {
            self.by_ssrc.remove(&ssrc.0);
            if last_sent.is_some() {
                self.farewells.push(ssrc);
            }
        }
    }

    fn new_ssrc(&mut self, sender: SenderId, encoding: usize, is_rtx: bool) -> Ssrc {
        loop {
            let ssrc = self.rng.next_u32();
            // 0 stands for "no SSRC" in several places.
            if ssrc != 0 && !self.by_ssrc.contains_key(&ssrc) {
                let place = Place {
                    sender,
                    encoding,
                    is_rtx,
                };
                self.by_ssrc.insert(ssrc, place);
                return Ssrc(ssrc);
            }
        }
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        }
    }
}

impl Sender {
    fn has_rtx(&self) -> bool {
        (self.parameters.codecs.iter()).any(|codec| codec.rtx.is_some())
    }

    /// What a frame of this payload type for this encoding needs.
    fn open(
        &mut self,
        encoding: usize,
        payload_type: PayloadType,
        is_full: bool,
    ) -> Result<Open<'_>, SendError> {
        let stream = (self.streams.get_mut(encoding)).ok_or(SendError::UnknownEncoding)?;
        if !stream.active {
            return Err(SendError::Inactive);
        }
        let mut codecs = self.parameters.codecs.iter();
        let codec = codecs.find(|codec| codec.payload_type == payload_type);
        let codec = codec.ok_or(SendError::UnknownPayloadType(payload_type))?;
        if is_full && !codec.format.is_audio() {
            return Err(SendError::QueueFull);
        }
        Ok(Open {
            parameters: &self.parameters,
            negotiated: self.negotiated,
            stream,
            codec,
        })
    }
}

/// An encoding that may send.
struct Open<'a> {
    parameters: &'a SenderParameters,
    negotiated: Negotiated,
    stream: &'a mut Stream,
    codec: &'a Codec,
}

impl Open<'_> {
    fn max_payload(
        &self,
        audio_level: Option<AudioLevel>,
        orientation: Option<VideoOrientation>,
        mtu: usize,
    ) -> usize {
        let shown = Shown {
            is_known_to_peer: false,
            is_repaired: false,
            audio_level,
            orientation,
        };
        packet::max_payload(
            self.parameters,
            self.negotiated,
            self.stream,
            self.codec,
            shown,
            mtu,
        )
    }
}
