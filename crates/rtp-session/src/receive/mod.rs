//! The receiving half: whose a packet is, streams and their reports, loss, jitter buffer, frames.
//!
//! | file | does |
//! |---|---|
//! | `demux` | finds a packet's receiver and stream (RFC 9143 §9.2, RFC 8852, RFC 4588) |
//! | `receiver`, `stream` | what comes in one m-section; one source with what retransmits it |
//! | `reception` | counts, jitter and report blocks (RFC 3550 §6.4) |
//! | `nack`, `key_frame` | what is asked for again, and when |
//! | `timing` | when frames are to be played: the jitter buffer's delay |
//! | `audio`, `video`, `slots` | packets that wait, and what can be played of them |
//! | `layers` | the layers of simulcast: which there are, what each is asked for |
//! | `sources` | who was heard or seen lately (webrtc-pc §5.3) |
//! | `number` | numbers that do not roll over |

mod audio;
mod demux;
mod key_frame;
mod layers;
mod nack;
mod number;
mod receiver;
mod reception;
mod slots;
mod sources;
mod stream;
mod timing;
mod video;

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use pc_proto::{Serial16, Serial32};
use pc_rtp::{NtpTime, PacketView, Ssrc, rtcp::ReportBlock};

use crate::{
    Arrived, Event, InboundStats, Received, ReceiverId, ReceiverParameters, Rejected, Source,
};
use demux::Route;
use receiver::Receiver;
use stream::{Packet, Stream};

/// How many events wait to be polled.
const MAX_EVENTS: usize = 1024;

/// Feedback that a receiver wants written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feedback<'a> {
    /// Packets to be sent again, RFC 4585 §6.2.1.
    Nack {
        /// The media stream.
        ssrc: Ssrc,
        /// In ascending order (RFC 1982); at most 100 of them (MAX_NACKED), so that it fits beside others.
        lost: &'a [Serial16],
    },
    /// A key frame wanted, RFC 4585 §6.3.1.
    Pli {
        /// The media stream.
        ssrc: Ssrc,
    },
    /// A key frame wanted, RFC 5104 §4.3.1.
    Fir {
        /// The media stream.
        ssrc: Ssrc,
        /// The command's number: repeated with a repetition.
        sequence_number: u8,
    },
}

/// Everything that is received in one session.
#[derive(Debug)]
pub(crate) struct Receivers {
    list: Vec<Receiver>,
    /// Whose a source is: known ones are not looked for again.
    routes: BTreeMap<Ssrc, Route>,
    rtt: Option<Duration>,
    /// When the first packet came.
    anchor: Option<Instant>,
    events: VecDeque<Event>,
}

impl Receivers {
    pub(crate) fn new(_seed: [u8; 32]) -> Self {
        Self {
            list: Vec::new(),
            routes: BTreeMap::new(),
            rtt: None,
            anchor: None,
            events: VecDeque::new(),
        }
    }

    pub(crate) fn set(&mut self, _now: Instant, id: ReceiverId, parameters: ReceiverParameters) {
        match self.list.iter_mut().find(|it| it.id == id) {
            Some(known) => {
                if known.parameters.mid != parameters.mid {
                    // What a source was taken for does not hold any more. It does otherwise: who has
                    // heard of its stream may not name it again (RFC 9143 §15).
                    self.routes.retain(|_, route| route.receiver != id);
                }
                known.parameters = parameters;
            }
            None => self.list.push(Receiver::new(id, parameters)),
        }
    }

    pub(crate) fn remove(&mut self, _now: Instant, id: ReceiverId) {
        self.routes.retain(|_, route| route.receiver != id);
        self.list.retain(|it| it.id != id);
    }

    pub(crate) fn handle_rtp<'d>(
        &mut self,
        now: Instant,
        packet: PacketView<'d>,
    ) -> Result<Arrived<'d>, Rejected> {
        let route = self.route(&packet)?;
        let index = self.position(route.receiver);
        let index = index.ok_or(Rejected::UnknownSsrc(packet.ssrc()))?;
        let Some(receiver) = self.list.get_mut(index) else {
            return Err(Rejected::UnknownSsrc(packet.ssrc()));
        };
        self.anchor.get_or_insert(now);
        let (arrived, replaced) = demux::deliver(now, receiver, route, packet)?;
        let id = receiver.id;
        if !std::mem::replace(&mut receiver.is_heard, true) {
            tell(&mut self.events, Event::FirstPacket(id));
        }
        receiver.note_sources(now, &packet, arrived.ssrc);
        if let Some(rtt) = self.rtt
            && let Some(stream) = receiver.streams.last_mut()
        {
            stream.nack.set_round_trip_time(rtt);
        }
        self.remember(packet.ssrc(), route);
        if let Some(old) = replaced {
            self.routes.remove(&old);
            let ssrc = arrived.ssrc;
            tell(&mut self.events, Event::SsrcChanged { receiver: id, ssrc });
        }
        self.tell_ready(now);
        Ok(arrived)
    }

    fn position(&self, id: ReceiverId) -> Option<usize> {
        self.list.iter().position(|it| it.id == id)
    }

    fn get(&self, id: ReceiverId) -> Option<&Receiver> {
        self.list.iter().find(|it| it.id == id)
    }

    fn get_mut(&mut self, id: ReceiverId) -> Option<&mut Receiver> {
        self.list.iter_mut().find(|it| it.id == id)
    }

    fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.list.iter_mut().flat_map(|it| &mut it.streams)
    }

    /// Tells once that there is something to poll.
    fn tell_ready(&mut self, now: Instant) {
        for receiver in self.list.iter_mut().filter(|it| !it.is_told) {
            if receiver.streams.iter_mut().any(|it| it.is_ready(now)) {
                receiver.is_told = true;
                tell(&mut self.events, Event::FrameReady(receiver.id));
            }
        }
    }

    /// A sender report about `ssrc`, RFC 3550 §6.4.1.
    pub(crate) fn on_sender_report(
        &mut self,
        now: Instant,
        ssrc: Ssrc,
        ntp: NtpTime,
        rtp: Serial32,
        packets: u32,
        octets: u32,
    ) {
        let stream = self.streams_mut().find(|it| it.ssrc == ssrc);
        let Some(stream) = stream else { return };
        let reception = &mut stream.reception;
        reception.on_sender_report(now, ntp, rtp, packets, octets);
        if let Some(name) = stream.cname.clone() {
            self.follow_sync(&name);
        }
    }

    /// The canonical name of `ssrc`, RFC 3550 §6.5.1.
    pub(crate) fn on_name(&mut self, ssrc: Ssrc, name: &[u8]) {
        let stream = self.streams_mut().find(|it| it.ssrc == ssrc);
        if let Some(stream) = stream.filter(|it| it.cname.as_deref() != Some(name)) {
            stream.cname = Some(name.into());
            stream.timing.set_sync(Duration::ZERO);
        }
    }

    /// Sound and pictures that were captured together are played together: whoever would be early waits
    /// for the others, by the sender's clock that its reports tell. Only what has one canonical name
    /// has one clock (RFC 3550 §6.5.1).
    fn follow_sync(&mut self, name: &[u8]) {
        let Some(anchor) = self.anchor else { return };
        let streams = self.list.iter().flat_map(|it| &it.streams);
        let latest = streams
            .filter(|it| it.cname.as_deref() == Some(name))
            .filter_map(|it| it.lag(anchor))
            .reduce(f64::max);
        let Some(latest) = latest else { return };
        let streams = self.streams_mut();
        streams
            .filter(|it| it.cname.as_deref() == Some(name))
            .for_each(|it| it.follow(anchor, latest));
    }

    pub(crate) fn on_bye(&mut self, _now: Instant, ssrc: Ssrc) {
        for receiver in &mut self.list {
            if let Some(at) = receiver.stream(ssrc) {
                receiver.streams.remove(at);
                receiver.is_heard &= !receiver.streams.is_empty();
                self.routes.remove(&ssrc);
                tell(&mut self.events, Event::Bye(receiver.id, ssrc));
            }
        }
    }

    /// The session's round-trip time, whenever it is measured.
    pub(crate) fn set_round_trip_time(&mut self, rtt: Duration) {
        self.rtt = Some(rtt);
        self.streams_mut()
            .for_each(|it| it.nack.set_round_trip_time(rtt));
    }

    /// Appends one block for each stream that was heard since its last block (RFC 3550 §6.4.2).
    pub(crate) fn report_blocks(&mut self, now: Instant, blocks: &mut Vec<ReportBlock>) {
        for stream in self.streams_mut() {
            let ssrc = stream.ssrc;
            blocks.extend(stream.reception.report(now, ssrc));
        }
    }

    /// The next feedback that is due at `now`: call until there is none.
    pub(crate) fn poll_feedback(&mut self, now: Instant) -> Option<Feedback<'_>> {
        for receiver in &mut self.list {
            let parameters = &receiver.parameters;
            for stream in &mut receiver.streams {
                if stream.key_frame.take(now) {
                    let ssrc = stream.ssrc;
                    let current = stream.stats.payload_type;
                    let mut codecs = parameters.codecs.iter();
                    let codec = codecs.find(|it| Some(it.payload_type) == current);
                    match codec {
                        Some(codec) if codec.pli => {
                            stream.stats.pli_count += 1;
                            return Some(Feedback::Pli { ssrc });
                        }
                        Some(codec) if codec.fir => {
                            stream.stats.fir_count += 1;
                            let sequence_number = stream.key_frame.next_sequence_number();
                            return Some(Feedback::Fir {
                                ssrc,
                                sequence_number,
                            });
                        }
                        _ => {}
                    }
                }
                if stream.nack.next_due().is_some_and(|due| due <= now) {
                    let lost = stream.nack.take_due(now);
                    if !lost.is_empty() {
                        stream.stats.nack_count += 1;
                        let ssrc = stream.ssrc;
                        return Some(Feedback::Nack { ssrc, lost });
                    }
                }
            }
        }
        None
    }

    pub(crate) fn poll_frame(&mut self, now: Instant, id: ReceiverId) -> Option<Received<'_>> {
        let receiver = self.list.iter_mut().find(|it| it.id == id)?;
        let ready = receiver.streams.iter_mut().position(|it| it.is_ready(now));
        let Some(at) = ready else {
            receiver.is_told = false;
            return None;
        };
        let stream = receiver.streams.get_mut(at)?;
        stream.poll(now, &receiver.parameters)
    }

    pub(crate) fn request_key_frame(&mut self, now: Instant, id: ReceiverId) {
        if let Some(receiver) = self.get_mut(id) {
            receiver
                .streams
                .iter_mut()
                .for_each(|it| it.request_key_frame(now));
        }
    }

    pub(crate) fn set_jitter_buffer_target(&mut self, id: ReceiverId, target: Option<Duration>) {
        if let Some(receiver) = self.get_mut(id) {
            receiver.set_target(target);
        }
    }

    pub(crate) fn contributing_sources(
        &self,
        now: Instant,
        id: ReceiverId,
    ) -> impl Iterator<Item = Source> {
        let sources = self.get(id).map(|it| it.contributing.list(now));
        sources.into_iter().flatten()
    }

    pub(crate) fn synchronization_sources(
        &self,
        now: Instant,
        id: ReceiverId,
    ) -> impl Iterator<Item = Source> {
        let sources = self.get(id).map(|it| it.synchronization.list(now));
        sources.into_iter().flatten()
    }

    pub(crate) fn stats(&self, id: ReceiverId) -> impl Iterator<Item = InboundStats> {
        let streams = self.get(id).into_iter().flat_map(|it| &it.streams);
        streams.map(Stream::snapshot)
    }

    /// When `handle_timeout` or `poll_feedback` has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let due = self.list.iter().flat_map(|receiver| {
            receiver.streams.iter().flat_map(|stream| {
                let frame = stream.next_due().filter(|_| !receiver.is_told);
                [frame, stream.key_frame.due(), stream.nack.next_due()]
            })
        });
        due.flatten().min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.tell_ready(now);
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

/// Events that nobody polls are bounded: the peer decides how many there are.
fn tell(events: &mut VecDeque<Event>, event: Event) {
    if events.len() < MAX_EVENTS {
        events.push_back(event);
    }
}
