//! The messages: what is sent, what must come back, and how many there were.

use std::collections::HashMap;

use peerconnection::Message;
use serde::Serialize;

/// Message `number` of a peer that sends `size` bytes: text, binary, empty text, empty binary, and
/// so on again.
pub(crate) fn message(number: usize, size: usize) -> Message {
    match number % 4 {
        0 => (0..size)
            .map(|at| char::from(b'a' + ((number + at) % 26) as u8))
            .collect::<String>()
            .into(),
        1 => (0..size)
            .map(|at| (number + at) as u8)
            .collect::<Vec<_>>()
            .into(),
        2 => Message::Text(String::new()),
        _ => Message::Binary(Vec::new().into()),
    }
}

/// How many messages of each kind went one way, over all channels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tally {
    pub(crate) text: u64,
    pub(crate) binary: u64,
    pub(crate) empty_text: u64,
    pub(crate) empty_binary: u64,
    pub(crate) bytes: u64,
}

/// What the tally needs to know of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    is_text: bool,
    len: usize,
}

impl Kind {
    pub(crate) fn of(message: &Message) -> Self {
        Self {
            is_text: matches!(message, Message::Text(_)),
            len: message.len(),
        }
    }
}

impl Tally {
    pub(crate) fn add(&mut self, Kind { is_text, len }: Kind) {
        let number = match (is_text, len) {
            (true, 0) => &mut self.empty_text,
            (true, _) => &mut self.text,
            (false, 0) => &mut self.empty_binary,
            (false, _) => &mut self.binary,
        };
        *number += 1;
        self.bytes += len as u64;
    }
}

/// The echoes that have not come yet.
pub(crate) struct Echoes {
    size: usize,
    left: usize,
    order: Order,
}

enum Order {
    /// The number of the next one.
    Kept { next: usize },
    /// How many there are of each.
    Lost {
        missing: HashMap<(bool, Vec<u8>), usize>,
    },
}

impl Echoes {
    /// Of `count` messages of `size` bytes.
    pub(crate) fn new(count: usize, size: usize, ordered: bool) -> Self {
        let order = if ordered {
            Order::Kept { next: 0 }
        } else {
            let mut missing = HashMap::new();
            for number in 0..count {
                *missing.entry(key(&message(number, size))).or_default() += 1;
            }
            Order::Lost { missing }
        };
        Self {
            size,
            left: count,
            order,
        }
    }

    /// Whether all have come.
    pub(crate) fn are_complete(&self) -> bool {
        self.left == 0
    }

    /// Takes what came.
    ///
    /// # Errors
    ///
    /// In words, why it is not an echo that was to come.
    pub(crate) fn take(&mut self, came: &Message) -> Result<(), String> {
        let described = describe(came);
        if self.left == 0 {
            return Err(format!("{described} came after the last echo"));
        }
        match &mut self.order {
            Order::Kept { next } => {
                let expected = message(*next, self.size);
                if *came != expected {
                    return Err(format!(
                        "echo {next} is {described} and should be {}, byte for byte",
                        describe(&expected)
                    ));
                }
                *next += 1;
            }
            Order::Lost { missing } => match missing.get_mut(&key(came)) {
                Some(number) if *number > 0 => *number -= 1,
                _ => return Err(format!("{described} is no echo of what was sent")),
            },
        }
        self.left -= 1;
        Ok(())
    }
}

fn key(message: &Message) -> (bool, Vec<u8>) {
    match message {
        Message::Text(text) => (true, text.as_bytes().to_vec()),
        Message::Binary(bytes) => (false, bytes.to_vec()),
    }
}

fn describe(message: &Message) -> String {
    let kind = if matches!(message, Message::Text(_)) {
        "text"
    } else {
        "binary"
    };
    format!("{kind} of {} bytes", message.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_follow_the_pattern() {
        assert_eq!(message(0, 3), Message::from("abc"));
        assert_eq!(message(28, 2), Message::from("cd"));
        assert_eq!(message(257, 2), Message::from(vec![1, 2]));
        assert_eq!(message(2, 9), Message::from(""));
        assert_eq!(message(3, 9), Message::from(vec![]));
    }

    #[test]
    fn ordered_echoes_come_in_order() {
        let mut echoes = Echoes::new(2, 5, true);
        assert!(echoes.take(&message(1, 5)).is_err());
        assert!(echoes.take(&message(0, 4)).is_err());
        echoes.take(&message(0, 5)).unwrap();
        echoes.take(&message(1, 5)).unwrap();
        assert!(echoes.are_complete());
        assert!(echoes.take(&message(0, 5)).is_err());
    }

    #[test]
    fn unordered_echoes_come_once_each() {
        let mut echoes = Echoes::new(4, 5, false);
        for number in [3, 1, 0] {
            echoes.take(&message(number, 5)).unwrap();
        }
        assert!(echoes.take(&message(1, 5)).is_err());
        assert!(!echoes.are_complete());
        echoes.take(&message(2, 5)).unwrap();
        assert!(echoes.are_complete());
    }

    #[test]
    fn the_tally_counts_kinds_and_bytes() {
        let mut tally = Tally::default();
        for number in 0..8 {
            tally.add(Kind::of(&message(number, 10)));
        }
        let Tally {
            text,
            binary,
            empty_text,
            empty_binary,
            bytes,
        } = tally;
        assert_eq!(
            (text, binary, empty_text, empty_binary, bytes),
            (2, 2, 2, 2, 40)
        );
    }
}
