//! What waits between the engine and its caller, in bounded and reused memory.

use std::collections::VecDeque;

use pc_proto::TransmitBuf;

use crate::record::Records;

/// How many idle buffers are kept for reuse.
const MAX_SPARE: usize = 64;

/// A queue of byte strings, bounded in number and in bytes.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    spare: Vec<Vec<u8>>,
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        self.bytes += buffer.len();
        self.waiting.push_back(buffer);
    }

    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        let buffer = self.waiting.pop_front()?;
        self.bytes -= buffer.len();
        Some(buffer)
    }

    /// Takes back a buffer that [`pop`](Self::pop) gave.
    pub(crate) fn recycle(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < MAX_SPARE {
            self.spare.push(buffer);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Appends waiting datagrams to a batch until either is exhausted.
    ///
    /// One that is longer than the batch's datagrams should be is divided between its records.
    pub(crate) fn transmit(&mut self, out: &mut TransmitBuf<'_>) {
        while !out.is_full()
            && let Some(datagram) = self.pop()
        {
            let (now, later) = first_records(&datagram, out.payload_mtu());
            out.datagram(now.len(), |bytes| bytes.copy_from_slice(now));
            if !later.is_empty() {
                self.bytes += later.len();
                self.waiting.push_front(later.to_vec());
            }
            self.recycle(datagram);
        }
    }
}

/// Splits a datagram after as many records as fit into `mtu` bytes, at least one.
fn first_records(datagram: &[u8], mtu: usize) -> (&[u8], &[u8]) {
    if datagram.len() <= mtu {
        return (datagram, &[]);
    }
    let mut end = 0;
    for record in Records::new(datagram) {
        let Ok(record) = record else {
            return (datagram, &[]);
        };
        if end > 0 && end + record.bytes.len() > mtu {
            break;
        }
        end += record.bytes.len();
    }
    datagram.split_at_checked(end).unwrap_or((datagram, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::plaintext;
    use pc_proto::Batch;

    #[test]
    fn a_datagram_longer_than_the_mtu_is_divided_between_records() {
        let mut queue = Queue::default();
        let records: Vec<_> = (0..4).map(|n| plaintext(22, n, &[&[7; 87]])).collect();
        queue.push(&records.concat());
        queue.push(&[1, 2, 3]);
        let mut batch = Batch::new();
        queue.transmit(&mut batch.transmit_buf(250, 2));
        let sent: Vec<_> = batch.datagrams().map(<[u8]>::to_vec).collect();
        assert_eq!(sent, [records[..2].concat(), records[2..].concat()]);
        assert_eq!((queue.len(), queue.bytes()), (1, 3));
        queue.transmit(&mut batch.transmit_buf(2, 2));
        assert_eq!(batch.datagrams().collect::<Vec<_>>(), [[1, 2, 3]]);
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
    }
}
