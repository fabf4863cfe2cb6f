//! Datagrams on their way.

use super::{Sent, is_media};

/// Datagrams and when they left, in memory that is used again.
#[derive(Default)]
pub struct Wire<R> {
    datagrams: Vec<(R, Vec<u8>)>,
    len: usize,
}

impl<R: Copy> Wire<R> {
    pub fn new() -> Self {
        Self {
            datagrams: Vec::new(),
            len: 0,
        }
    }

    pub fn clear(&mut self) {
        self.len = 0;
    }

    pub fn push(&mut self, route: R, datagram: &[u8]) {
        if self.len == self.datagrams.len() {
            self.datagrams.push((route, Vec::with_capacity(1500)));
        }
        let (at, bytes) = &mut self.datagrams[self.len];
        *at = route;
        bytes.clear();
        bytes.extend_from_slice(datagram);
        self.len += 1;
    }

    pub fn datagrams(&mut self) -> impl Iterator<Item = (R, &mut [u8])> {
        let datagrams = self.datagrams.iter_mut().take(self.len);
        datagrams.map(|(route, bytes)| (*route, &mut bytes[..]))
    }

    pub fn sent(&mut self) -> Sent {
        let mut sent = Sent::default();
        for (_, datagram) in self.datagrams().filter(|(_, it)| is_media(it)) {
            sent.packets += 1;
            sent.bytes += datagram.len();
        }
        sent
    }
}
