//! The channels of a run, and which of them we send on.

use std::sync::Arc;

use peerconnection::{DataChannel, state::PeerConnectionState};

use crate::{
    channel::{self, Duty, Reports},
    flags::Flags,
    lines::{Attributes, Line, Origin, State},
    traffic::Echoes,
};

/// Every channel, created and accepted, in the order they came.
pub(crate) struct Channels {
    flags: Arc<Flags>,
    reports: Reports,
    entries: Vec<Entry>,
    sending: Option<usize>,
    opened: usize,
}

struct Entry {
    channel: DataChannel,
    origin: Origin,
    /// As it was while the channel was open.
    id: Option<u16>,
    is_closed: bool,
}

impl Channels {
    /// None yet; each will report to `reports`.
    pub(crate) fn new(flags: Arc<Flags>, reports: Reports) -> Self {
        let entries = Vec::new();
        Self {
            flags,
            reports,
            entries,
            sending: None,
            opened: 0,
        }
    }

    /// Takes a channel in, and has a task of its own read it.
    pub(crate) fn adopt(&mut self, channel: DataChannel, origin: Origin) {
        let number = self.entries.len();
        if self.sending.is_none() && self.is_to_send_on(origin) {
            self.sending = Some(number);
        }
        let duty = self.duty(number, &channel);
        let reports = self.reports.clone();
        tokio::spawn(channel::read(number, channel.clone(), duty, reports));
        self.entries.push(Entry {
            channel,
            origin,
            id: None,
            is_closed: false,
        });
    }

    /// The one made with `--data` if that is given, the first one accepted otherwise.
    fn is_to_send_on(&self, origin: Origin) -> bool {
        let is_ours = self.flags.data.is_none() || origin == Origin::Created;
        self.flags.has_sending_channel() && is_ours
    }

    fn duty(&self, number: usize, channel: &DataChannel) -> Duty {
        let is_sending = self.sending == Some(number);
        match self.flags.count {
            Some(count) if is_sending => {
                Duty::Check(Echoes::new(count, self.flags.size, channel.ordered()))
            }
            _ if self.flags.echo && !is_sending => Duty::Echo,
            _ => Duty::Listen,
        }
    }

    /// A channel is open: its line.
    pub(crate) fn open(&mut self, number: usize) -> Option<Line> {
        let entry = self.entries.get_mut(number)?;
        entry.id = entry.channel.id();
        self.opened += 1;
        let attributes = Attributes::of(&entry.channel);
        Some(Line::Open {
            attributes,
            origin: entry.origin,
        })
    }

    /// A channel is closed: its line.
    pub(crate) fn close(&mut self, number: usize, state: PeerConnectionState) -> Option<Line> {
        let entry = self.entries.get_mut(number)?;
        entry.is_closed = true;
        let label = entry.channel.label().to_owned();
        Some(Line::Close {
            label,
            id: entry.id,
            connection: State(state),
        })
    }

    /// How many have been open.
    pub(crate) fn opened(&self) -> usize {
        self.opened
    }

    /// Whether every one is closed again.
    pub(crate) fn are_closed(&self) -> bool {
        self.entries.iter().all(|entry| entry.is_closed)
    }

    /// Starts to send, with `--count`, without waiting for echoes.
    pub(crate) fn start_sending(&self) {
        if let (Some(entry), Some(count)) = (self.sending(), self.flags.count) {
            let (channel, size) = (entry.channel.clone(), self.flags.size);
            tokio::spawn(channel::send_all(
                channel,
                count,
                size,
                self.reports.clone(),
            ));
        }
    }

    /// Closes the channel we send on.
    pub(crate) fn close_ours(&self) {
        if let Some(entry) = self.sending() {
            entry.channel.close();
        }
    }

    /// Whether the channel we send on is closed.
    pub(crate) fn is_ours_closed(&self) -> bool {
        self.sending().is_some_and(|entry| entry.is_closed)
    }

    fn sending(&self) -> Option<&Entry> {
        self.entries.get(self.sending?)
    }
}
