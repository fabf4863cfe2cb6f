//! The messages of the self-test: of every size and kind, the same in every run.

use std::sync::Arc;

/// What no message exceeds: the largest that every browser takes.
pub(crate) const MAX_SIZE: usize = 256 * 1024;
/// What most messages do not exceed.
const USUAL_SIZE: usize = 64 * 1024;
/// Characters of one, two, three and four bytes, so that text is more than ASCII.
const ALPHABET: &[char] = &[
    'a', 'e', 'n', 'r', 's', 't', ' ', '.', 'é', 'ß', 'Ω', 'ж', '中', '🦀',
];

/// What one side sends and the other expects.
#[derive(Clone)]
pub(crate) struct Plan {
    pool: Arc<Pool>,
    messages: Vec<Planned>,
}

/// Random content that the messages are cut from.
struct Pool {
    bytes: Vec<u8>,
    text: String,
}

#[derive(Clone, Copy)]
struct Planned {
    is_text: bool,
    start: usize,
    end: usize,
    checksum: u32,
}

/// A message to send.
pub(crate) enum Content<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

impl Plan {
    /// `count` messages; another seed gives others.
    pub(crate) fn new(seed: u64, count: usize) -> Self {
        let mut random = SplitMix(seed);
        let pool = Pool::new(&mut random);
        let messages = (0..count)
            .map(|number| pool.cut(number, &mut random))
            .collect();
        Self {
            pool: Arc::new(pool),
            messages,
        }
    }

    /// How many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// How many bytes they have together.
    pub(crate) fn bytes(&self) -> u64 {
        self.messages
            .iter()
            .map(|it| (it.end - it.start) as u64)
            .sum()
    }

    /// The messages in order.
    pub(crate) fn contents(&self) -> impl Iterator<Item = Content<'_>> {
        self.messages.iter().map(|it| {
            if it.is_text {
                Content::Text(self.pool.text.get(it.start..it.end).unwrap_or_default())
            } else {
                Content::Binary(self.pool.bytes.get(it.start..it.end).unwrap_or_default())
            }
        })
    }

    /// What is wrong with message `number` as it arrived, if anything is.
    pub(crate) fn check(&self, number: usize, is_text: bool, bytes: &[u8]) -> Result<(), String> {
        let Some(planned) = self.messages.get(number) else {
            return Err(format!("message {number} was never sent"));
        };
        let kind = |is_text| if is_text { "text" } else { "binary" };
        let length = planned.end - planned.start;
        if is_text != planned.is_text {
            let (sent, came) = (kind(planned.is_text), kind(is_text));
            return Err(format!(
                "message {number} was sent as {sent} and came as {came}"
            ));
        }
        if bytes.len() != length {
            let came = bytes.len();
            return Err(format!(
                "message {number} had {length} bytes and came with {came}"
            ));
        }
        if crc32fast::hash(bytes) != planned.checksum {
            return Err(format!(
                "message {number} of {length} bytes has a wrong checksum"
            ));
        }
        Ok(())
    }
}

impl Pool {
    fn new(random: &mut SplitMix) -> Self {
        let words = (0..MAX_SIZE / 4).map(|_| random.next().to_le_bytes());
        let bytes = words.flatten().collect();
        let mut text = String::with_capacity(2 * MAX_SIZE + 4);
        while text.len() < 2 * MAX_SIZE {
            text.extend(ALPHABET.get(random.below(ALPHABET.len())));
        }
        Self { bytes, text }
    }

    /// Every tenth message is empty and every 25th as large as may be; text and binary take turns,
    /// and the empty and the large ones are of both kinds too.
    fn cut(&self, number: usize, random: &mut SplitMix) -> Planned {
        let is_text = (number / 10 + number).is_multiple_of(2);
        let size = match number {
            number if number % 25 == 24 => MAX_SIZE,
            number if number % 10 == 9 => 0,
            _ => random.below(USUAL_SIZE + 1),
        };
        let start = random.below(MAX_SIZE);
        let (start, end) = if is_text {
            let start = self.text.floor_char_boundary(start);
            (start, self.text.floor_char_boundary(start + size))
        } else {
            (start, start + size)
        };
        let bytes = if is_text {
            self.text.as_bytes()
        } else {
            &self.bytes
        };
        let checksum = crc32fast::hash(bytes.get(start..end).unwrap_or_default());
        Planned {
            is_text,
            start,
            end,
            checksum,
        }
    }
}

/// Steele, Lea and Flood's SplitMix64: enough to make content that no two messages share.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(content: &Content<'_>) -> (bool, Vec<u8>) {
        match content {
            Content::Text(text) => (true, text.as_bytes().to_vec()),
            Content::Binary(bytes) => (false, bytes.to_vec()),
        }
    }

    #[test]
    fn every_kind_comes_in_every_size() {
        let plan = Plan::new(1, 1000);
        let all: Vec<_> = plan.contents().map(|content| parts(&content)).collect();
        assert_eq!(all.len(), plan.len());
        assert_eq!(
            all.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>(),
            plan.bytes()
        );
        for kind in [true, false] {
            let sizes: Vec<_> = all
                .iter()
                .filter(|(text, _)| *text == kind)
                .map(|(_, bytes)| bytes.len())
                .collect();
            assert!(sizes.len() > 300, "{kind}");
            assert!(sizes.contains(&0), "{kind}");
            assert!(sizes.iter().any(|size| *size > MAX_SIZE - 4), "{kind}");
            assert!(sizes.iter().all(|size| *size <= MAX_SIZE), "{kind}");
        }
    }

    #[test]
    fn what_arrives_changed_is_noticed() {
        let plan = Plan::new(2, 20);
        for (number, content) in plan.contents().enumerate() {
            let (is_text, mut bytes) = parts(&content);
            assert_eq!(plan.check(number, is_text, &bytes), Ok(()));
            assert!(plan.check(number, !is_text, &bytes).is_err());
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
                assert!(plan.check(number, is_text, &bytes).is_err());
            }
            bytes.push(0);
            assert!(plan.check(number, is_text, &bytes).is_err());
        }
        assert!(plan.check(20, true, b"").is_err());
    }
}
