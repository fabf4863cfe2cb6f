use std::{
    fmt,
    io::IoSliceMut,
    net::{IpAddr, SocketAddr},
};

use quinn_udp::{BATCH_SIZE, RecvMeta};

use crate::Ecn;

/// Room for one datagram of any length, or for as many as the operating system merges.
const BUFFER_LEN: usize = 1 << 16;

/// The memory of one received batch, owned by the caller and reused for the next.
///
/// One serves all sockets of a driver in turn. The memory (64 KiB for each of up to 32 buffers) is
/// taken from the operating system only as far as traffic touches it.
pub struct RecvBatch {
    bytes: Vec<u8>,
    metas: Vec<RecvMeta>,
    /// How many buffers the last receive filled.
    filled: usize,
}

/// One received datagram.
#[derive(Debug)]
pub struct Datagram<'a> {
    /// The UDP payload; an engine may decrypt in place.
    pub bytes: &'a mut [u8],
    /// Who sent it.
    pub remote: SocketAddr,
    /// The local address it was sent to, where the platform tells: the way to answer from the same
    /// one on a socket bound to the unspecified address.
    pub local_ip: Option<IpAddr>,
    /// The network interface that it came by, by the operating system's number, where the platform
    /// tells.
    pub interface: Option<u32>,
    /// Its ECN codepoint; `None` is Not-ECT, or a platform that does not tell.
    pub ecn: Option<Ecn>,
}

impl RecvBatch {
    /// A batch as large as one system call fills on this platform.
    pub fn new() -> Self {
        Self::with_buffers(BATCH_SIZE)
    }

    /// A batch of `buffers` buffers, each for one datagram or for equal ones that the operating
    /// system has merged (GRO).
    pub fn with_buffers(buffers: usize) -> Self {
        let buffers = buffers.clamp(1, BATCH_SIZE);
        Self {
            bytes: vec![0; buffers * BUFFER_LEN],
            metas: vec![RecvMeta::default(); buffers],
            filled: 0,
        }
    }

    /// How many datagrams the batch holds.
    pub fn len(&self) -> usize {
        self.filled_metas().map(datagrams_in).sum()
    }

    /// Whether the batch holds no datagram.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The datagrams, in the order they were received.
    pub fn datagrams_mut(&mut self) -> impl Iterator<Item = Datagram<'_>> {
        let metas = self.metas.iter().take(self.filled);
        let buffers = self.bytes.chunks_exact_mut(BUFFER_LEN);
        buffers.zip(metas).flat_map(|(buffer, meta)| {
            let (buffer, _) = buffer.split_at_mut(meta.len.min(BUFFER_LEN));
            split(buffer, meta.stride).map(|bytes| Datagram {
                bytes,
                remote: meta.addr,
                local_ip: meta.dst_ip,
                interface: meta.interface_index,
                ecn: meta.ecn.map(Ecn::from),
            })
        })
    }

    /// Forgets the datagrams.
    pub(crate) fn clear(&mut self) {
        self.filled = 0;
    }

    fn filled_metas(&self) -> impl Iterator<Item = &RecvMeta> {
        self.metas.iter().take(self.filled)
    }

    /// Fills the batch by one call of `recv`, which returns how many buffers it filled.
    pub(crate) fn fill<E>(
        &mut self,
        recv: impl FnOnce(&mut [IoSliceMut<'_>], &mut [RecvMeta]) -> Result<usize, E>,
    ) -> Result<(), E> {
        self.filled = 0;
        let count = self.metas.len();
        let mut chunks = self.bytes.chunks_exact_mut(BUFFER_LEN);
        let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let (buffers, _) = buffers.split_at_mut(count.min(BATCH_SIZE));
        self.filled = recv(buffers, &mut self.metas)?.min(count);
        Ok(())
    }
}

impl Default for RecvBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RecvBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvBatch")
            .field("buffers", &self.metas.len())
            .field("datagrams", &self.len())
            .finish_non_exhaustive()
    }
}

fn datagrams_in(meta: &RecvMeta) -> usize {
    meta.len.div_ceil(meta.stride.max(1)).max(1)
}

/// One buffer's datagrams: `stride` bytes each, the last may be shorter. An empty buffer is one
/// empty datagram.
fn split(buffer: &mut [u8], stride: usize) -> impl Iterator<Item = &mut [u8]> {
    let mut rest = Some(buffer);
    std::iter::from_fn(move || {
        let buffer = rest.take()?;
        let len = if stride == 0 {
            buffer.len()
        } else {
            stride.min(buffer.len())
        };
        let (datagram, after) = buffer.split_at_mut(len);
        rest = (!after.is_empty()).then_some(after);
        Some(datagram)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(lens: &[(usize, usize)]) -> RecvBatch {
        let mut batch = RecvBatch::with_buffers(lens.len());
        batch
            .fill(|buffers, metas| {
                for ((buffer, meta), (len, stride)) in buffers.iter_mut().zip(metas).zip(lens) {
                    for (number, datagram) in buffer[..*len].chunks_mut(*stride).enumerate() {
                        datagram.fill(number as u8);
                    }
                    (meta.len, meta.stride) = (*len, *stride);
                }
                Ok::<_, ()>(lens.len())
            })
            .unwrap();
        batch
    }

    #[test]
    fn merged_datagrams_are_split_by_stride() {
        let mut batch = received(&[(2_500, 1_000), (0, 1), (7, 7), (65_536, 1_024)]);
        let shapes: Vec<_> = batch
            .datagrams_mut()
            .map(|datagram| (datagram.bytes.len(), datagram.bytes.first().copied()))
            .collect();
        assert_eq!(
            shapes[..5],
            [
                (1_000, Some(0)),
                (1_000, Some(1)),
                (500, Some(2)),
                (0, None),
                (7, Some(0)),
            ]
        );
        assert_eq!(shapes.len(), 5 + 64);
        assert_eq!(batch.len(), shapes.len());
    }

    #[test]
    fn a_failed_receive_leaves_nothing_of_the_last_one() {
        let mut batch = received(&[(10, 10)]);
        assert_eq!(batch.len(), 1);
        assert_eq!(batch.fill(|_, _| Err("blocked")), Err("blocked"));
        assert!(batch.is_empty());
        assert_eq!(batch.datagrams_mut().count(), 0);
    }
}
