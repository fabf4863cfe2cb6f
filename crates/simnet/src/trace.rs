use std::{collections::VecDeque, fmt, net::SocketAddr, time::Duration};

use crate::Dropped;

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It arrives.
    Delivered {
        /// When, since the simulation began.
        at: Duration,
        /// Whether its bits were changed on the way.
        corrupted: bool,
        /// Whether this is a second copy.
        duplicate: bool,
    },
    /// The link dropped it.
    Dropped(Dropped),
    /// It was sent from an address its host does not have.
    NotMyAddress,
    /// No host has the address it was sent to (when it was sent, or when it arrived).
    NoHost,
    /// It arrived at a NAT that did not let it in; a line of its own, after that of its departure.
    Filtered,
}

/// One datagram that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// When it was sent, since the simulation began.
    pub at: Duration,
    /// Which host sent it: 0 is `a` of a pair, 1 is `b`; `None` when a test injected it.
    pub from: Option<usize>,
    /// Which host it goes to, if there is one.
    pub to: Option<usize>,
    /// The addresses it was sent from and to, where hosts have addresses.
    pub addresses: Option<(SocketAddr, SocketAddr)>,
    /// Its length in bytes.
    pub len: usize,
    /// What became of it.
    pub fate: Fate,
}

impl Record {
    /// Whether it arrives.
    pub const fn is_delivered(&self) -> bool {
        matches!(self.fate, Fate::Delivered { .. })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |host: Option<usize>| host.map_or("?".to_string(), |host| host.to_string());
        write!(f, "{:>12} ", format!("{:.3?}", self.at))?;
        write!(f, "{} -> {} ", name(self.from), name(self.to))?;
        if let Some((from, to)) = self.addresses {
            write!(f, "({from} -> {to}) ")?;
        }
        write!(f, "{:>5} B  ", self.len)?;
        match self.fate {
            Fate::Delivered {
                at,
                corrupted,
                duplicate,
            } => {
                write!(f, "arrives {at:.3?}")?;
                f.write_str(if corrupted { " corrupted" } else { "" })?;
                f.write_str(if duplicate { " duplicate" } else { "" })
            }
            Fate::Dropped(why) => write!(f, "dropped: {why:?}"),
            Fate::NotMyAddress => f.write_str("dropped: not the sender's address"),
            Fate::Filtered => f.write_str("dropped: the NAT does not let it in"),
            Fate::NoHost => f.write_str("dropped: no host has that address"),
        }
    }
}

/// The datagrams of a simulation in the order they were sent: the last 65,536 of them.
///
/// Its `Display` is one line a datagram.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    records: VecDeque<Record>,
    total: u64,
}

impl Trace {
    const KEPT: usize = 1 << 16;

    pub(crate) fn push(&mut self, record: Record) {
        if self.records.len() == Self::KEPT {
            self.records.pop_front();
        }
        self.records.push_back(record);
        self.total += 1;
    }

    /// The records, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.records.iter()
    }

    /// How many datagrams were sent, copies that a link made included.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many of the records fulfil `condition`.
    pub fn count(&self, mut condition: impl FnMut(&Record) -> bool) -> usize {
        self.iter().filter(|record| condition(record)).count()
    }

    /// The last `n` records, one a line.
    pub fn tail(&self, n: usize) -> String {
        let skip = self.records.len().saturating_sub(n);
        let lines = self.records.iter().skip(skip);
        lines.map(|record| format!("{record}\n")).collect()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tail(usize::MAX))
    }
}
