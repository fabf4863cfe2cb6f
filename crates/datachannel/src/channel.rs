use std::time::Duration;

use pc_sctp::{Association, Limit, Reliability, StreamId};

use crate::dcep::{DataChannelOpen, ReliabilityParameter};

/// Names a channel of one [`Session`](crate::Session). Never used again within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub(crate) u32);

/// RFC 8831 §6.4: normal priority.
pub const DEFAULT_PRIORITY: u16 = 256;

/// How to create a channel: the W3C's `RTCDataChannelInit` and label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelInit {
    /// Tells channels apart for the application; need not be unique.
    pub label: String,
    /// The subprotocol.
    pub protocol: String,
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// Give a message up after so many retransmissions.
    pub max_retransmits: Option<u16>,
    /// Give a message up after so many milliseconds.
    pub max_packet_life_time: Option<u16>,
    /// The id, when both sides create the channel by agreement and no OPEN is to be sent.
    pub negotiated: Option<u16>,
    /// The priority that the OPEN tells the peer, RFC 8831 §6.4.
    pub priority: u16,
}

impl Default for ChannelInit {
    /// Ordered, reliable, opened in-band, with normal priority.
    fn default() -> Self {
        Self {
            label: String::new(),
            protocol: String::new(),
            ordered: true,
            max_retransmits: None,
            max_packet_life_time: None,
            negotiated: None,
            priority: DEFAULT_PRIORITY,
        }
    }
}

impl ChannelInit {
    /// Ordered and reliable, with a label.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// Parameters beyond 65,535 become that: the W3C knows no larger ones.
    pub(crate) fn from_open(open: &DataChannelOpen<'_>) -> Self {
        let short = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
        let (max_retransmits, max_packet_life_time) = match open.reliability {
            ReliabilityParameter::Reliable => (None, None),
            ReliabilityParameter::Retransmits(n) => (Some(short(n)), None),
            ReliabilityParameter::Lifetime(ms) => (None, Some(short(ms))),
        };
        Self {
            label: open.label.to_owned(),
            protocol: open.protocol.to_owned(),
            ordered: open.ordered,
            max_retransmits,
            max_packet_life_time,
            negotiated: None,
            priority: open.priority,
        }
    }

    pub(crate) fn to_open(&self) -> DataChannelOpen<'_> {
        let reliability = match (self.max_retransmits, self.max_packet_life_time) {
            (Some(n), _) => ReliabilityParameter::Retransmits(n.into()),
            (None, Some(ms)) => ReliabilityParameter::Lifetime(ms.into()),
            (None, None) => ReliabilityParameter::Reliable,
        };
        DataChannelOpen {
            ordered: self.ordered,
            reliability,
            priority: self.priority,
            label: &self.label,
            protocol: &self.protocol,
        }
    }
}

/// How far a channel is: the W3C's `RTCDataState`.
///
/// ```text
///  Connecting --[association up: OPEN sent, or negotiated]--> Open
///      |                                                       |
///      |                         close, [the peer's reset]     |
///      |                                                       v
///      +--close--> Closed <--[both reset, all read]--------- Closing
///
///  [OPEN received] --> Open          [association lost, all read] --> Closed
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The association is not up yet.
    Connecting,
    /// Messages can be sent.
    Open,
    /// One of the two has closed it. What the peer had sent before can still be read.
    Closing,
    /// Over.
    Closed,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) init: ChannelInit,
    pub(crate) stream: Option<StreamId>,
    pub(crate) state: State,
    /// RFC 8832 §6: the ACK has not come; until then everything goes ordered.
    pub(crate) awaits_ack: bool,
    /// The peer opened it.
    pub(crate) incoming: bool,
    /// A `Readable` was announced that was not answered by reading everything.
    pub(crate) announced: bool,
    /// Both sides of the stream are reset, or the association is gone.
    pub(crate) ended: bool,
    /// Set before there is a stream.
    pub(crate) low_threshold: usize,
}

impl Entry {
    /// The stream, as long as it is this channel's: once closed, another may have it.
    pub(crate) fn own_stream(&self) -> Option<StreamId> {
        self.stream.filter(|_| self.state != State::Closed)
    }

    pub(crate) fn reliability(&self) -> Reliability {
        let init = &self.init;
        let limit = match (init.max_retransmits, init.max_packet_life_time) {
            (Some(n), _) => Limit::Retransmits(n),
            (None, Some(ms)) => Limit::Lifetime(Duration::from_millis(ms.into())),
            (None, None) => Limit::None,
        };
        Reliability {
            ordered: init.ordered || self.awaits_ack,
            limit,
        }
    }
}

/// A channel as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel<'a> {
    /// The label.
    pub label: &'a str,
    /// The subprotocol.
    pub protocol: &'a str,
    /// Whether messages arrive in order.
    pub ordered: bool,
    /// After how many retransmissions a message is given up.
    pub max_retransmits: Option<u16>,
    /// After how many milliseconds a message is given up.
    pub max_packet_life_time: Option<u16>,
    /// Whether both sides created the channel by agreement.
    pub negotiated: bool,
    /// The priority, RFC 8831 §6.4.
    pub priority: u16,
    /// The id, once it is known: the SCTP stream.
    pub id: Option<u16>,
    /// How far the channel is.
    pub state: State,
    /// The bytes of user data that were sent and have not left yet.
    pub buffered_amount: usize,
    /// The threshold of [`Event::BufferedAmountLow`](crate::Event::BufferedAmountLow), in bytes.
    pub buffered_amount_low_threshold: usize,
}

impl<'a> Channel<'a> {
    pub(crate) fn new(entry: &'a Entry, association: &Association) -> Self {
        let init = &entry.init;
        let stream = entry.stream;
        Self {
            label: &init.label,
            protocol: &init.protocol,
            ordered: init.ordered,
            max_retransmits: init.max_retransmits,
            max_packet_life_time: init.max_packet_life_time,
            negotiated: init.negotiated.is_some(),
            priority: init.priority,
            id: stream.map(|stream| stream.0),
            state: entry.state,
            buffered_amount: entry
                .own_stream()
                .map_or(0, |stream| association.buffered_amount(stream)),
            buffered_amount_low_threshold: entry.low_threshold,
        }
    }
}
