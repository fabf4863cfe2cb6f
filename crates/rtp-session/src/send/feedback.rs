//! What receivers ask for: packets again, key frames, less.

use super::{
    Place, Senders,
    queue::{Line, Waiting},
    stream::{KeyFrame, Stream},
};
use crate::{Event, SenderId};
use pc_proto::Serial16;
use pc_rtp::Ssrc;
use std::time::{Duration, Instant};

/// A packet is sent again this often at most.
const MAX_REPEATS: u8 = 10;

/// What one NACK packet asks for beyond this is left out: libwebrtc keeps a list of 1,000.
const MAX_ASKED: usize = 1000;

/// Two requests for the same packet within a round trip are one; and a round trip is taken for at
/// least this long, as receivers on the same machine ask in bursts.
const MIN_RTT: Duration = Duration::from_millis(5);

/// Packets that are sent again may take this rate in any case, in bits a second.
const MIN_AGAIN_RATE: u64 = 300_000;

/// Over how long a time the rate of what is sent again is held.
const AGAIN_WINDOW: Duration = Duration::from_millis(500);

impl Senders {
    /// Packets of `ssrc` are missing (RFC 4585 §6.2.1).
    pub(crate) fn on_nack(
        &mut self,
        now: Instant,
        ssrc: Ssrc,
        lost: impl Iterator<Item = Serial16>,
    ) {
        let Some(place) = self.media_place(ssrc) else {
            return;
        };
        self.refill_again_budget(now);
        if let Some(stream) = self.stream_mut(place) {
            stream.counters.nacks += 1;
        }
        for sequence_number in lost.take(MAX_ASKED) {
            if self.again_budget.0 <= 0 || !self.queue.has_room_for_again() {
                return;
            }
            self.send_again(now, place, sequence_number);
        }
        if self.queue.is_paced_waiting() {
            self.wake.get_or_insert(now);
        }
    }

    fn send_again(&mut self, now: Instant, place: Place, sequence_number: Serial16) {
        let rtt = self.rtt().max(MIN_RTT);
        let Some(sender) = self.senders.get_mut(&place.sender) else {
            return;
        };
        let Some(stream) = sender.streams.get_mut(place.encoding) else {
            return;
        };
        let index = match stream.index_of(sequence_number) {
            Some(index) if stream.active => index,
            _ => return,
        };
        let Some((frame, offset)) = stream.history.find(index) else {
            return;
        };
        let is_repeatable = frame.rtx.is_some()
            || (sender.parameters.codecs.iter())
                .any(|codec| codec.payload_type == frame.payload_type && codec.nack);
        let len = frame.payloads.get(offset).unwrap_or_default().len();
        let Some(state) = frame.packets.get_mut(offset) else {
            return;
        };
        // What has not left is not lost, and what left within a round trip may still arrive.
        let is_due = |sent: Instant| now.saturating_duration_since(sent) >= rtt;
        let is_first = state.repeats == 0;
        let may_be_lost = state.last_sent.is_some_and(|sent| is_first || is_due(sent));
        if !is_repeatable || !may_be_lost || state.repeats >= MAX_REPEATS {
            return;
        }
        state.repeats += 1;
        state.last_sent = Some(now);
        self.again_budget.0 = self.again_budget.0.saturating_sub_unsigned(len as u64);
        let waiting = Waiting {
            sender: place.sender,
            encoding: place.encoding,
            next: index,
            end: index + 1,
        };
        self.queue.push(Line::Again, waiting, 0);
    }

    /// Half a second's worth of the target rate may be sent again at once, and that rate in the
    /// long run: a peer that asks for everything all the time gets no more than twice the rate.
    fn refill_again_budget(&mut self, now: Instant) {
        let rate = self.rate.target(now).max(MIN_AGAIN_RATE);
        let most = rate / 8 * AGAIN_WINDOW.as_millis() as u64 / 1000;
        let (left, at) = self.again_budget;
        let refill = at.map_or(most, |at| {
            let elapsed = now.saturating_duration_since(at).as_micros() as u64;
            (rate / 8).saturating_mul(elapsed) / 1_000_000
        });
        let left = left.saturating_add_unsigned(refill);
        self.again_budget = (left.min(most.cast_signed()), Some(now));
    }

    /// The picture of `ssrc` cannot be decoded (RFC 4585 §6.3.1).
    pub(crate) fn on_pli(&mut self, now: Instant, ssrc: Ssrc) {
        let Some(place) = self.media_place(ssrc) else {
            return;
        };
        if let Some(stream) = self.stream_mut(place) {
            stream.counters.plis += 1;
        }
        self.request_key_frame(now, place);
    }

    /// A key frame of `ssrc` is demanded (RFC 5104 §4.3.1).
    pub(crate) fn on_fir(&mut self, now: Instant, from: Ssrc, ssrc: Ssrc, sequence_number: u8) {
        let Some(place) = self.media_place(ssrc) else {
            return;
        };
        let Some(stream) = self.stream_mut(place) else {
            return;
        };
        stream.counters.firs += 1;
        if stream.is_new_fir(from, sequence_number) {
            self.request_key_frame(now, place);
        }
    }

    fn request_key_frame(&mut self, now: Instant, place: Place) {
        let stream = self.stream_mut(place);
        match stream.map(|stream| stream.on_key_frame_request(now)) {
            Some(KeyFrame::Now) => self.tell(Event::KeyFrameRequested {
                sender: place.sender,
                encoding: place.encoding,
            }),
            Some(KeyFrame::At(at)) => {
                self.key_frames_owed = Some(self.key_frames_owed.map_or(at, |owed| owed.min(at)));
            }
            Some(KeyFrame::Never) | None => {}
        }
    }

    /// Passes on the requests for key frames that came too soon and have waited long enough.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.key_frames_owed.is_none_or(|at| at > now) {
            return;
        }
        self.key_frames_owed = None;
        let mut owed = Vec::new();
        for (&sender, state) in &self.senders {
            let streams = state.streams.iter().enumerate();
            let owing = streams.filter(|(_, stream)| stream.owes_key_frame());
            owed.extend(owing.map(|(encoding, _)| (sender, encoding)));
        }
        for (sender, encoding) in owed {
            let is_rtx = false;
            self.request_key_frame(
                now,
                Place {
                    sender,
                    encoding,
                    is_rtx,
                },
            );
        }
    }

    /// The receiver's estimate of what it can be sent, `ssrcs` being what it is about
    /// (draft-alvestrand-rmcat-remb §2.2).
    pub(crate) fn on_remb(
        &mut self,
        now: Instant,
        bitrate: u64,
        mut ssrcs: impl Iterator<Item = Ssrc>,
    ) {
        if ssrcs.any(|ssrc| self.is_own(ssrc)) {
            self.rate.on_remb(now, bitrate);
            self.tell_target(now);
        }
    }

    /// Shares the target rate out, and tells whoever gets another share than before.
    pub(super) fn tell_target(&mut self, now: Instant) {
        let total = self.rate.target(now);
        let left = total.saturating_sub(self.audio_rate.bitrate(now));
        let all = self.weight_of_pictures();
        let mut told: Vec<(SenderId, u64)> = Vec::new();
        for (id, sender) in &mut self.senders {
            let share = left.saturating_mul(sender.weight()) / all;
            let is_changed = sender
                .target_bitrate
                .is_none_or(|before| is_other(before, share));
            if !sender.is_audio && is_changed {
                sender.target_bitrate = Some(share);
                told.push((*id, share));
            }
        }
        for (sender, bits_per_second) in told {
            self.tell(Event::TargetBitrate {
                sender,
                bits_per_second,
            });
        }
        self.pace(now);
    }

    /// How much the senders of pictures weigh that share the target rate; at least 1.
    fn weight_of_pictures(&self) -> u64 {
        let is_sending = |stream: &Stream| stream.active;
        let pictures = (self.senders.values())
            .filter(|sender| !sender.is_audio && sender.streams.iter().any(is_sending));
        pictures.map(|it| it.weight()).sum::<u64>().max(1)
    }

    /// The target rate at which each sender has the share that it wants.
    pub(super) fn wanted_bitrate(&self, now: Instant) -> u64 {
        let all = self.weight_of_pictures();
        let totals = self.senders.values().map(|it| {
            let by_all = it.wanted_bitrate.saturating_mul(all);
            by_all.div_ceil(it.weight())
        });
        match totals.max().unwrap_or(0) {
            0 => 0,
            pictures => pictures.saturating_add(self.audio_rate.bitrate(now)),
        }
    }

    /// Where the media stream with this SSRC is.
    pub(super) fn media_place(&self, ssrc: Ssrc) -> Option<Place> {
        let place = self.by_ssrc.get(&ssrc.0).copied()?;
        (!place.is_rtx).then_some(place)
    }

    pub(super) fn stream_mut(&mut self, place: Place) -> Option<&mut Stream> {
        let sender = self.senders.get_mut(&place.sender)?;
        sender.streams.get_mut(place.encoding)
    }
}

/// Whether two rates differ by so much that an encoder should know: 3 %.
fn is_other(before: u64, now: u64) -> bool {
    before.abs_diff(now) * 100 > before * 3
}
