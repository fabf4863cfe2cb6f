//! What is kept of one stream.

use crate::{inbox::Inbox, outbox::Outbox};

/// RFC 8831 §6.5 leaves 65,535 unused; here it takes the DATA of streams that were closed.
pub(crate) const SINK: u16 = u16::MAX;

/// Whether this side closes a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Reset {
    #[default]
    No,
    /// Once its queue is empty.
    Wanted,
    /// The carrier was told.
    Given,
}

#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) outbox: Outbox,
    pub(crate) inbox: Inbox,
    /// A `Readable` was announced that was not answered by reading everything.
    pub(crate) announced: bool,
    pub(crate) announced_control: bool,
    /// It stands in `turn`.
    pub(crate) in_turn: bool,
    /// The carrier knows it.
    pub(crate) open: bool,
    pub(crate) reset: Reset,
    /// The peer closes its side, as was announced.
    pub(crate) peer_reset: bool,
    /// The peer's reset was performed: what comes now is for the stream's next use.
    pub(crate) finished: bool,
}
