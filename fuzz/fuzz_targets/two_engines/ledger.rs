//! What was sent on each channel, and what may arrive of it.

use peerconnection::DataChannelInit;

use super::peer::{Delivered, Peer};

/// A channel, by the label that no other has.
pub(crate) struct Entry {
    pub(crate) label: String,
    pub(crate) ordered: bool,
    pub(crate) reliable: bool,
    pub(crate) creator: usize,
    /// Who called `close()` on it.
    pub(crate) closed_by: [bool; 2],
    /// It was closed when the other side could not yet be told, and has no reason to ask.
    pub(crate) forsaken: bool,
    pub(crate) sent: [Vec<Delivered>; 2],
}

#[derive(Default)]
pub(crate) struct Ledger(pub(crate) Vec<Entry>);

impl Ledger {
    pub(crate) fn create(&mut self, creator: usize, label: &str, init: &DataChannelInit) {
        self.0.push(Entry {
            label: label.to_owned(),
            ordered: init.ordered,
            reliable: init.max_packet_life_time.is_none() && init.max_retransmits.is_none(),
            creator,
            closed_by: [false; 2],
            forsaken: false,
            sent: Default::default(),
        });
    }

    /// # Panics
    ///
    /// Nobody created such a channel: the peer made it up.
    pub(crate) fn entry(&mut self, label: &str) -> &mut Entry {
        let found = self.0.iter_mut().find(|entry| entry.label == label);
        found.unwrap_or_else(|| panic!("no channel was created as {label:?}"))
    }

    /// What a peer has received is what the other sent, as the channel's kind allows.
    pub(crate) fn check(&mut self, receiver: usize, peer: &Peer) {
        for (label, received) in &peer.received {
            let entry = self.entry(label);
            let sent = &entry.sent[1 - receiver];
            let right = match (entry.ordered, entry.reliable) {
                (true, true) => sent.starts_with(received),
                (true, false) => is_subsequence(received, sent),
                (false, _) => is_selection(received, sent),
            };
            assert!(
                right,
                "channel {label} (ordered {}, reliable {}): received {:?} of {:?}",
                entry.ordered,
                entry.reliable,
                brief(received),
                brief(sent)
            );
        }
    }

    /// The first channel of which something reliable has not reached this receiver, who wants it.
    pub(crate) fn missing(&self, receiver: usize, peer: &Peer) -> Option<String> {
        let late = self.0.iter().find(|entry| {
            let received = peer.received.get(&entry.label).map_or(0, Vec::len);
            entry.reliable
                && !entry.closed_by[receiver]
                && received < entry.sent[1 - receiver].len()
        })?;
        Some(format!("messages of channel {}", late.label))
    }
}

fn is_subsequence(part: &[Delivered], whole: &[Delivered]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|wanted| rest.any(|it| it == wanted))
}

fn is_selection(part: &[Delivered], whole: &[Delivered]) -> bool {
    let mut rest: Vec<_> = whole.iter().collect();
    part.iter().all(|wanted| {
        let found = rest.iter().position(|it| *it == wanted);
        found.map(|index| rest.swap_remove(index)).is_some()
    })
}

/// Lengths and first bytes: whole messages fill a screen.
fn brief(messages: &[Delivered]) -> Vec<(usize, String)> {
    let start = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(8)]).into_owned();
    let brief = |(_, bytes): &Delivered| (bytes.len(), start(bytes));
    messages.iter().map(brief).collect()
}
