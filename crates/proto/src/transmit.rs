/// The most segments one GSO send may have (Linux `UDP_MAX_SEGMENTS`).
pub const MAX_GSO_SEGMENTS: usize = 64;

/// The most bytes one GSO send may have: the largest UDP payload over IPv4.
pub const MAX_GSO_BYTES: usize = 65_507;

/// The memory of one batch of outgoing datagrams, owned by the driver and reused for the next.
///
/// ```text
///  bytes  |  datagram 0  |  datagram 1  | datagram 2 |  (high-water mark of earlier batches)
///  ends                  ^              ^            ^
/// ```
#[derive(Debug, Default, Clone)]
pub struct Batch {
    /// Initialized once and kept at its high-water mark: bytes past the last end are stale.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    /// An empty batch; memory comes with the first datagram.
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Starts the batch anew: at most `max_datagrams` of at most `mtu` bytes of UDP payload each.
    pub fn transmit_buf(&mut self, mtu: usize, max_datagrams: usize) -> TransmitBuf<'_> {
        self.ends.clear();
        TransmitBuf {
            batch: self,
            mtu,
            max_datagrams,
            headroom: 0,
            tailroom: 0,
        }
    }

    /// How many datagrams the batch holds.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the batch holds no datagram.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The datagrams, in the order they were appended.
    pub fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().scan(0, |start, end| {
            let from = std::mem::replace(start, *end);
            Some(self.bytes.get(from..*end).unwrap_or_default())
        })
    }

    /// The datagrams as few runs: each run can leave in one system call with GSO.
    ///
    /// All datagrams of a run have the same length but for the last, which may be shorter; a run
    /// has at most [`MAX_GSO_SEGMENTS`] datagrams and [`MAX_GSO_BYTES`] bytes.
    pub fn gso_runs(&self) -> impl Iterator<Item = GsoRun<'_>> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let (run, count) = self.run_from(next)?;
            next += count;
            Some(run)
        })
    }

    fn run_from(&self, first: usize) -> Option<(GsoRun<'_>, usize)> {
        let start = self.start_of(first);
        let mut end = *self.ends.get(first)?;
        let segment_len = end - start;
        let mut count = 1;
        for &next_end in self.ends.iter().skip(first + 1) {
            let len = next_end - end;
            let fits = len <= segment_len && len > 0 && next_end - start <= MAX_GSO_BYTES;
            if !fits || count == MAX_GSO_SEGMENTS {
                break;
            }
            (end, count) = (next_end, count + 1);
            if len < segment_len {
                break;
            }
        }
        let bytes = self.bytes.get(start..end)?;
        Some((GsoRun { bytes, segment_len }, count))
    }

    fn start_of(&self, index: usize) -> usize {
        index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0)
    }

    fn used(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Makes room for `len` bytes after the last datagram; they hold stale bytes.
    fn room(&mut self, len: usize) -> &mut [u8] {
        let (start, end) = (self.used(), self.used() + len);
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes.get_mut(start..end).unwrap_or_default()
    }

    fn push(&mut self, len: usize) {
        self.ends.push(self.used() + len);
    }

    /// Seals each datagram from `first` on, closing the gaps that shortened ones leave.
    fn seal_from(
        &mut self,
        first: usize,
        outer: (usize, usize),
        mut seal: impl FnMut(&mut [u8]) -> Option<usize>,
    ) {
        let (headroom, tailroom) = outer;
        let mut read = self.start_of(first);
        let (mut write, mut kept) = (read, first);
        for index in first..self.ends.len() {
            let end = self.ends.get(index).copied().unwrap_or(read);
            let inner = read + headroom..end - tailroom;
            let space = inner.len();
            let sealed = self.bytes.get_mut(inner).and_then(&mut seal);
            if let Some(len) = sealed.map(|len| headroom + len.min(space) + tailroom) {
                if write != read {
                    self.bytes.copy_within(read..read + len, write);
                }
                write += len;
                if let Some(slot) = self.ends.get_mut(kept) {
                    *slot = write;
                }
                kept += 1;
            }
            read = end;
        }
        self.ends.truncate(kept);
    }
}

/// A run of datagrams that can leave in one system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GsoRun<'a> {
    /// The datagrams, back to back.
    pub bytes: &'a [u8],
    /// The length of each datagram but the last, which may be shorter.
    pub segment_len: usize,
}

impl<'a> GsoRun<'a> {
    /// The datagrams of the run.
    pub fn segments(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.bytes.chunks(self.segment_len.max(1))
    }
}

/// Where an engine appends datagrams: a [`Batch`] seen from one layer.
///
/// ```
/// use pc_proto::Batch;
///
/// // An outer layer that puts a one-byte header in front and a one-byte checksum behind.
/// let mut batch = Batch::new();
/// let mut out = batch.transmit_buf(1200, 64);
/// out.wrap(1, 1, |inner| {
///     assert_eq!(inner.payload_mtu(), 1198);
///     inner.datagram(2, |bytes| bytes.copy_from_slice(b"hi")); // written once, in place
/// }, |record| {
///     let [header, payload @ .., checksum] = record else { return None };
///     *header = 0xAA;
///     *checksum = payload.iter().fold(0, |sum, byte| sum ^ byte);
///     Some(record.len())
/// });
/// assert_eq!(batch.datagrams().next(), Some(&[0xAA, b'h', b'i', b'h' ^ b'i'][..]));
/// ```
#[derive(Debug)]
pub struct TransmitBuf<'a> {
    batch: &'a mut Batch,
    mtu: usize,
    max_datagrams: usize,
    headroom: usize,
    tailroom: usize,
}

impl TransmitBuf<'_> {
    /// The longest datagram this layer should append, in bytes. Longer ones are not refused, but
    /// make IP packets that networks fragment or drop.
    pub fn payload_mtu(&self) -> usize {
        self.mtu.saturating_sub(self.headroom + self.tailroom)
    }

    /// How many datagrams the batch holds, those of other layers included.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether the batch holds no datagram.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// How many bytes its datagrams have, those of other layers included.
    pub fn byte_len(&self) -> usize {
        self.batch.used()
    }

    /// Whether the batch is full: the rest goes into the next one.
    pub fn is_full(&self) -> bool {
        self.batch.len() >= self.max_datagrams
    }

    /// Appends a datagram of `len` bytes that `write` fills; they come to it with stale contents.
    pub fn datagram(&mut self, len: usize, write: impl FnOnce(&mut [u8])) {
        self.datagram_up_to(len, |bytes| {
            write(bytes);
            Some(len)
        });
    }

    /// Appends a datagram whose length is known only once it is written.
    ///
    /// `write` gets `max_len` bytes with stale contents and returns how many of them, from the
    /// start, are the datagram, or `None` to append nothing. Returns whether one was appended.
    pub fn datagram_up_to(
        &mut self,
        max_len: usize,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> bool {
        let (headroom, tailroom) = (self.headroom, self.tailroom);
        let room = self.batch.room(headroom + max_len + tailroom);
        let payload = room
            .get_mut(headroom..headroom + max_len)
            .unwrap_or_default();
        let Some(len) = write(payload) else {
            return false;
        };
        self.batch.push(headroom + len.min(max_len) + tailroom);
        true
    }

    /// Runs an inner layer, then seals what it appended, each datagram in place.
    ///
    /// `inner` sees a buffer that keeps `headroom` bytes before and `tailroom` bytes after each
    /// datagram free. `seal` gets each datagram together with that room, and returns how many bytes
    /// of it, from the start, are the sealed datagram, or `None` to discard it.
    pub fn wrap<R>(
        &mut self,
        headroom: usize,
        tailroom: usize,
        inner: impl FnOnce(&mut TransmitBuf<'_>) -> R,
        seal: impl FnMut(&mut [u8]) -> Option<usize>,
    ) -> R {
        let first = self.batch.len();
        let result = inner(&mut TransmitBuf {
            batch: self.batch,
            mtu: self.mtu,
            max_datagrams: self.max_datagrams,
            headroom: self.headroom + headroom,
            tailroom: self.tailroom + tailroom,
        });
        self.batch
            .seal_from(first, (self.headroom, self.tailroom), seal);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch_of(lens: &[usize]) -> Batch {
        let mut batch = Batch::new();
        let mut out = batch.transmit_buf(1500, usize::MAX);
        for (i, len) in lens.iter().enumerate() {
            out.datagram(*len, |bytes| bytes.fill(i as u8));
        }
        batch
    }

    fn runs(lens: &[usize]) -> Vec<(usize, usize)> {
        batch_of(lens)
            .gso_runs()
            .map(|run| (run.segment_len, run.segments().count()))
            .collect()
    }

    #[test]
    fn runs_end_after_a_shorter_and_before_a_longer_datagram() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[9, 9, 4, 4, 9]), [(9, 3), (4, 1), (9, 1)]);
        assert_eq!(runs(&[4, 9, 9]), [(4, 1), (9, 2)]);
    }

    #[test]
    fn runs_keep_the_limits_of_gso() {
        assert_eq!(runs(&[10; 130]), [(10, 64), (10, 64), (10, 2)]);
        assert_eq!(runs(&[1400; 60]), [(1400, 46), (1400, 14)]);
    }

    #[test]
    fn an_empty_datagram_is_a_run_of_its_own() {
        let batch = batch_of(&[3, 0, 3]);
        assert_eq!(
            batch
                .gso_runs()
                .map(|run| run.bytes.len())
                .collect::<Vec<_>>(),
            [3, 0, 3]
        );
        assert_eq!(
            batch.datagrams().map(<[u8]>::len).collect::<Vec<_>>(),
            [3, 0, 3]
        );
    }

    #[test]
    fn wraps_nest_and_shrink_and_discard() {
        let mut batch = Batch::new();
        let mut out = batch.transmit_buf(100, 8);
        out.datagram(1, |bytes| bytes[0] = b'S');
        let layers = |out: &mut TransmitBuf<'_>| {
            out.wrap(
                2,
                3,
                |inner| {
                    assert_eq!(inner.payload_mtu(), 94);
                    for word in [&b"abc"[..], b"drop", b"de"] {
                        inner.datagram(word.len(), |bytes| bytes.copy_from_slice(word));
                    }
                },
                |record| {
                    // Uses one byte of the tailroom only, and refuses one datagram.
                    let len = record.len();
                    record[..2].copy_from_slice(b"<<");
                    record[len - 3] = b'>';
                    (&record[2..6] != b"drop").then_some(len - 2)
                },
            );
        };
        out.wrap(1, 0, layers, |record| {
            record[0] = b'#';
            Some(record.len())
        });
        let all: Vec<_> = batch.datagrams().collect();
        assert_eq!(all, [&b"S"[..], b"#<<abc>", b"#<<de>"]);
    }

    #[test]
    fn a_batch_is_reused_without_new_memory() {
        let mut batch = batch_of(&[1200; 8]);
        let memory = batch.bytes.as_ptr();
        let mut out = batch.transmit_buf(1200, 8);
        assert!(out.is_empty() && !out.is_full());
        assert!(!out.datagram_up_to(1200, |_| None));
        for _ in 0..8 {
            assert!(out.datagram_up_to(1200, |_| Some(7)));
        }
        assert!(out.is_full());
        assert_eq!(batch.bytes.as_ptr(), memory);
        assert_eq!(batch.datagrams().map(<[u8]>::len).sum::<usize>(), 56);
    }
}
