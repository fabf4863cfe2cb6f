//! When packets arrived, for the peer's congestion control
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use crate::{ReceiverId, ReceiverParameters};
use pc_proto::Serial16;
use pc_rtp::{ExtensionUri, PacketView, Ssrc, rtcp::TransportFeedback};
use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

/// The time between two feedbacks: libwebrtc's default, and what its estimator expects at most.
const INTERVAL: Duration = Duration::from_millis(100);

/// So many packets are told at once, without waiting for the interval.
const MAX_UNTOLD: u64 = 400;

/// How many packets before those that were told last are remembered, for those that come late.
const MAX_TOLD: u64 = 512;

/// A packet numbered this far from the newest begins the numbers anew.
const MAX_JUMP: u64 = 8192;

/// The arrivals of a transport: all its streams count together.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// The extension's id, for receivers that negotiated this feedback.
    ids: BTreeMap<ReceiverId, u8>,
    /// The beginning of the clock that is told.
    epoch: Option<Instant>,
    /// The number of the first in `window`, with its cycles.
    first: u64,
    window: VecDeque<Option<Duration>>,
    /// Those from here on are to be told.
    untold: u64,
    due: Option<Instant>,
    count: u8,
    media: Ssrc,
}

impl Arrivals {
    pub(crate) const fn new() -> Self {
        Self {
            ids: BTreeMap::new(),
            epoch: None,
            first: 0,
            window: VecDeque::new(),
            untold: 0,
            due: None,
            count: 0,
            media: Ssrc(0),
        }
    }

    pub(crate) fn set_receiver(&mut self, id: ReceiverId, parameters: &ReceiverParameters) {
        let is_wanted = parameters.codecs.iter().any(|codec| codec.transport_cc);
        let map = &parameters.extensions;
        match map.id_of(ExtensionUri::TransportCc) {
            Some(extension) if is_wanted => drop(self.ids.insert(id, extension)),
            _ => self.remove_receiver(id),
        }
    }

    pub(crate) fn remove_receiver(&mut self, id: ReceiverId) {
        self.ids.remove(&id);
    }

    /// A packet arrived for a receiver.
    pub(crate) fn on_packet(&mut self, now: Instant, id: ReceiverId, packet: &PacketView<'_>) {
        let Some(wanted) = self.ids.get(&id) else {
            return;
        };
        let mut extensions = packet.extensions().iter();
        let data = extensions.find_map(|(id, data)| (id == *wanted).then_some(data));
        if let Some(&[high, low]) = data {
            self.media = packet.ssrc();
            self.on_arrival(now, Serial16(u16::from_be_bytes([high, low])));
        }
    }

    fn on_arrival(&mut self, now: Instant, sequence_number: Serial16) {
        let epoch = *self.epoch.get_or_insert(now);
        let number = self.number(sequence_number);
        let Some(offset) = number.checked_sub(self.first) else {
            return; // Too late: it has been told as lost.
        };
        while (self.window.len() as u64) <= offset {
            self.window.push_back(None);
        }
        // The clock begins later than zero, so that a packet of before can be told.
        let at = now.saturating_duration_since(epoch) + Duration::from_secs(1);
        match self.window.get_mut(offset as usize) {
            Some(slot @ None) => *slot = Some(at),
            _ => return,
        }
        self.untold = self.untold.min(number);
        self.due.get_or_insert(now + INTERVAL);
        if self.end() - self.untold >= MAX_UNTOLD {
            self.due = Some(now);
        }
    }

    /// The number with its cycles; begins anew where it has nothing to do with those before.
    fn number(&mut self, sequence_number: Serial16) -> u64 {
        // Room for those before the first.
        const BEGIN: u64 = 1 << 16;
        let Some(newest) = self
            .end()
            .checked_sub(1)
            .filter(|_| !self.window.is_empty())
        else {
            return self.begin(BEGIN + u64::from(sequence_number.0));
        };
        let ahead = u64::from(sequence_number.steps_from(Serial16(newest as u16)));
        let behind = (1 << 16) - ahead;
        if ahead < MAX_JUMP {
            newest + ahead
        } else if behind < MAX_JUMP {
            newest.saturating_sub(behind)
        } else {
            self.begin(newest + ahead)
        }
    }

    fn begin(&mut self, number: u64) -> u64 {
        self.window.clear();
        self.first = number;
        self.untold = number;
        number
    }

    fn end(&self) -> u64 {
        self.first + self.window.len() as u64
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// The next feedback that is due: at most `max` bytes of it.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        sender: Ssrc,
        max: usize,
    ) -> Option<TransportFeedback<'_>> {
        self.due.filter(|due| *due <= now)?;
        let skipped = usize::try_from(self.untold - self.first).ok()?;
        let count = (self.window.len() - skipped).min(most_packets(max));
        self.untold += count as u64;
        if self.untold == self.end() {
            self.due = None;
        }
        let base = Serial16((self.first + skipped as u64) as u16);
        let feedback_count = self.count;
        self.count = self.count.wrapping_add(1);
        let told = skipped.saturating_sub(MAX_TOLD as usize);
        self.window.drain(..told);
        self.first += told as u64;
        let skipped = skipped - told;
        let window = self.window.make_contiguous();
        Some(TransportFeedback {
            sender,
            media: self.media,
            base,
            feedback_count,
            arrivals: window.get(skipped..skipped + count)?,
        })
    }
}

/// How many packets fit in a feedback of `max` bytes, at two bytes of delta and a seventh of a
/// chunk each.
const fn most_packets(max: usize) -> usize {
    max.saturating_sub(24) * 7 / 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_proto::Writer;
    use pc_rtp::rtcp::{Compound, Packet};
    use pc_simnet::{epoch, ms};

    /// What a peer reads of the next feedback: numbers, and arrivals since the first one.
    fn told(arrivals: &mut Arrivals, now: Instant) -> Option<Vec<(u16, Option<i64>)>> {
        let feedback = arrivals.poll(now, Ssrc(1), 1000)?;
        let mut bytes = [0; 1000];
        let mut writer = Writer::new(&mut bytes);
        feedback.write(&mut writer).unwrap();
        let packet = Compound::parse(writer.written()).unwrap().packets().next();
        let Some(Ok(Packet::TransportFeedback(view))) = packet else {
            panic!("no feedback: {packet:?}");
        };
        let first = view.packets().find_map(|packet| packet.arrival_micros);
        let millis = |at: i64| (at - first.unwrap()) / 1000;
        let packets = view.packets();
        Some(
            packets
                .map(|it| (it.sequence_number.0, it.arrival_micros.map(millis)))
                .collect(),
        )
    }

    #[test]
    fn gaps_and_late_packets_are_told() {
        let (mut arrivals, start) = (Arrivals::new(), epoch());
        arrivals.on_arrival(start, Serial16(0xFFFE));
        arrivals.on_arrival(start + ms(10), Serial16(0xFFFF));
        arrivals.on_arrival(start + ms(20), Serial16(1));
        assert_eq!(told(&mut arrivals, start + ms(99)), None);
        assert_eq!(
            told(&mut arrivals, start + ms(100)).unwrap(),
            [
                (0xFFFE, Some(0)),
                (0xFFFF, Some(10)),
                (0, None),
                (1, Some(20))
            ]
        );
        assert_eq!(arrivals.poll_timeout(), None);
        arrivals.on_arrival(start + ms(150), Serial16(0));
        assert_eq!(
            told(&mut arrivals, start + ms(250)).unwrap(),
            [(0, Some(0)), (1, Some(-130))],
            "the one that came late, and what followed it"
        );
    }

    #[test]
    fn many_packets_are_told_at_once_and_in_parts() {
        let (mut arrivals, now) = (Arrivals::new(), epoch());
        for number in 0..2000 {
            arrivals.on_arrival(now, Serial16(number));
        }
        assert_eq!(arrivals.poll_timeout(), Some(now));
        let mut all = Vec::new();
        while let Some(part) = told(&mut arrivals, now) {
            all.extend(part.iter().map(|(number, _)| *number));
        }
        assert_eq!(all, (0..2000).collect::<Vec<_>>());
    }

    #[test]
    fn memory_is_bounded_whatever_the_numbers() {
        let (mut arrivals, mut now) = (Arrivals::new(), epoch());
        let mut number = 0_u16;
        for step in 0..4_000_u32 {
            number = number.wrapping_add((step.wrapping_mul(2_654_435_761) >> 17) as u16);
            now += ms(1);
            arrivals.on_arrival(now, Serial16(number));
            while told(&mut arrivals, now).is_some() {}
            assert!(arrivals.window.len() as u64 <= 2 * MAX_JUMP + MAX_TOLD);
        }
    }
}
