use std::collections::VecDeque;

use sctp_proto::{Chunks, PayloadProtocolIdentifier};

use crate::Ppid;

/// What one unread message costs beside its bytes, so that many small ones close the window too.
const MESSAGE_COST: usize = 64;
/// A message in fragments shorter than this on average is copied: the fragments cost more.
const MIN_FRAGMENT: usize = 512;

/// A whole message, in the pieces it came in or in one.
#[derive(Debug)]
enum Body {
    Pieces(Chunks),
    Whole(Box<[u8]>),
}

#[derive(Debug)]
pub(crate) struct Unread {
    ppid: Ppid,
    len: usize,
    body: Body,
}

impl Unread {
    fn new(chunks: Chunks) -> Self {
        let (ppid, len) = (from_carrier(chunks.ppi), chunks.len());
        let body = if len < chunks.chunks.len() * MIN_FRAGMENT {
            let mut whole = vec![0; len].into_boxed_slice();
            // The length is exact, so this cannot fail.
            let _ = chunks.read(&mut whole);
            Body::Whole(whole)
        } else {
            Body::Pieces(chunks)
        };
        Self { ppid, len, body }
    }

    /// How much of the receive window it holds.
    pub(crate) const fn cost(&self) -> usize {
        self.len + MESSAGE_COST
    }

    /// Puts the message in place of what `message` holds.
    pub(crate) fn read(self, message: &mut Vec<u8>) -> Ppid {
        message.clear();
        match self.body {
            Body::Whole(whole) => message.extend_from_slice(&whole),
            Body::Pieces(chunks) => {
                message.resize(self.len, 0);
                // The length is exact, so this cannot fail.
                let _ = chunks.read(message);
            }
        }
        self.ppid
    }
}

/// The messages between two resets of a stream by the peer.
#[derive(Debug, Default)]
struct Generation {
    /// DCEP messages, which a slow reader of data must not hold up.
    control: VecDeque<Unread>,
    data: VecDeque<Unread>,
    ended: bool,
}

/// What has arrived on one stream and was not read.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    generations: VecDeque<Generation>,
    cost: usize,
}

impl Inbox {
    /// Takes a message; returns its cost and whether a reader can see it now.
    pub(crate) fn push(&mut self, chunks: Chunks) -> (usize, bool) {
        if self.generations.back().is_none_or(|last| last.ended) {
            self.generations.push_back(Generation::default());
        }
        let message = Unread::new(chunks);
        let cost = message.cost();
        self.cost += cost;
        let visible = self.generations.len() == 1;
        if let Some(last) = self.generations.back_mut() {
            match message.ppid {
                Ppid::DCEP => last.control.push_back(message),
                _ => last.data.push_back(message),
            }
        }
        (cost, visible)
    }

    /// The peer has reset the stream: what comes now is for its next user.
    pub(crate) fn end(&mut self) {
        match self.generations.back_mut() {
            Some(last) if !last.ended => last.ended = true,
            _ => self.generations.push_back(Generation {
                ended: true,
                ..Generation::default()
            }),
        }
    }

    pub(crate) fn pop_data(&mut self) -> Option<Unread> {
        let message = self.generations.front_mut()?.data.pop_front()?;
        self.cost -= message.cost();
        Some(message)
    }

    pub(crate) fn pop_control(&mut self) -> Option<Unread> {
        let message = self.generations.front_mut()?.control.pop_front()?;
        self.cost -= message.cost();
        Some(message)
    }

    /// Whether no data is left to read before the peer's reset, if there was one.
    pub(crate) fn is_drained(&self) -> bool {
        self.generations
            .front()
            .is_none_or(|front| front.data.is_empty())
    }

    /// Whether it holds nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.generations
            .iter()
            .all(|it| !it.ended && it.data.is_empty() && it.control.is_empty())
    }

    /// Drops what was not read of the present use; returns its cost.
    pub(crate) fn discard(&mut self) -> usize {
        let Some(front) = self.generations.front_mut() else {
            return 0;
        };
        let messages = front.control.drain(..).chain(front.data.drain(..));
        let cost = messages.map(|it| it.cost()).sum();
        self.cost -= cost;
        cost
    }

    /// Goes on to the stream's next use, if the peer has ended the present one; returns the cost of
    /// what was dropped.
    pub(crate) fn release(&mut self) -> usize {
        if !self.generations.front().is_some_and(|front| front.ended) {
            return 0;
        }
        let cost = self.discard();
        self.generations.pop_front();
        cost
    }

    /// The bytes of unread messages, with what each costs beside them.
    pub(crate) const fn cost(&self) -> usize {
        self.cost
    }
}

const fn from_carrier(ppid: PayloadProtocolIdentifier) -> Ppid {
    match ppid {
        PayloadProtocolIdentifier::Dcep => Ppid::DCEP,
        PayloadProtocolIdentifier::String => Ppid::STRING,
        PayloadProtocolIdentifier::Binary => Ppid::BINARY,
        PayloadProtocolIdentifier::StringEmpty => Ppid::STRING_EMPTY,
        PayloadProtocolIdentifier::BinaryEmpty => Ppid::BINARY_EMPTY,
        PayloadProtocolIdentifier::Unknown => Ppid::OTHER,
    }
}
