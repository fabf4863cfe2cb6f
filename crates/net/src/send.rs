//! How a batch leaves in as few calls as possible, apart from the socket it leaves through.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use pc_proto::{Batch, GsoRun};

use crate::Ecn;

/// Where a batch goes, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// The far side.
    pub to: SocketAddr,
    /// The local address to send from, for a socket bound to the unspecified address; a socket
    /// bound to one address ignores it. `None` lets the routing table choose.
    pub from: Option<IpAddr>,
    /// The ECN codepoint of every datagram; `None` is Not-ECT.
    pub ecn: Option<Ecn>,
}

impl Envelope {
    /// To `to`, from whatever address the routing table chooses, Not-ECT.
    pub const fn to(to: SocketAddr) -> Self {
        Self {
            to,
            from: None,
            ecn: None,
        }
    }

    /// Whether no socket could send there: such a call must not reach the operating system, which
    /// answers it like a call whose *form* it does not know.
    pub(crate) fn is_impossible(&self) -> bool {
        let needs_scope = match self.to {
            SocketAddr::V6(to) => to.ip().is_unicast_link_local() && to.scope_id() == 0,
            SocketAddr::V4(_) => false,
        };
        needs_scope || self.to.port() == 0 || self.to.ip().is_unspecified()
    }
}

/// How far a batch has been sent: kept by the caller between the calls for one batch.
#[derive(Debug, Default)]
pub struct SendProgress {
    /// Runs that are done.
    runs: usize,
    /// Bytes of the current run that are done.
    offset: usize,
    /// Bytes of the current run, from its start, that go one datagram a call.
    singly_until: usize,
    /// Whether datagrams were refused together and taken alone: what fails is the offload.
    pub(crate) offload_fails: bool,
    /// How many datagrams the operating system took.
    pub sent: usize,
    /// How many datagrams were dropped because it refused them.
    pub dropped: usize,
    /// Why it refused the last one that was dropped.
    pub error: Option<io::Error>,
}

impl SendProgress {
    /// Nothing sent yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends what is left of `batch`, at most `max_segments` datagrams a call.
    ///
    /// `send` gets datagrams back to back and, if there are several, the length of each but the
    /// last. What it refuses is dropped and counted, apart from `WouldBlock`, which ends this
    /// call, and errors of the socket itself. Several datagrams that are refused together for
    /// what may be their being together are tried one by one.
    pub(crate) fn advance(
        &mut self,
        batch: &Batch,
        max_segments: usize,
        mut send: impl FnMut(&[u8], Option<usize>) -> io::Result<()>,
    ) -> io::Result<()> {
        for run in batch.gso_runs().skip(self.runs) {
            // An empty datagram is a run of its own, with no byte to make progress by.
            while self.offset < run.bytes.len() || run.bytes.is_empty() {
                let (chunk, count) = self.next_chunk(&run, max_segments);
                let segment_len = (count > 1).then_some(run.segment_len);
                match send(chunk, segment_len) {
                    Ok(()) => {
                        self.sent += count;
                        // A shorter one may be all that the MTU let through.
                        let full = chunk.len() == run.segment_len;
                        self.offload_fails |= full && self.offset < self.singly_until;
                    }
                    Err(error) if is_blocked(&error) || is_final(&error) => return Err(error),
                    Err(error) if count > 1 && may_be_offload(&error) => {
                        self.singly_until = self.offset + chunk.len();
                        continue;
                    }
                    Err(error) => {
                        self.dropped += count;
                        self.error = Some(error);
                    }
                }
                self.offset += chunk.len();
                if run.bytes.is_empty() {
                    break;
                }
            }
            self.runs += 1;
            (self.offset, self.singly_until) = (0, 0);
        }
        Ok(())
    }

    /// Counts what is left of `batch` as dropped.
    pub(crate) fn drop_rest(&mut self, batch: &Batch, error: io::Error) {
        let total = batch.len();
        self.dropped += total - (self.sent + self.dropped).min(total);
        self.error = Some(error);
        self.runs = usize::MAX;
    }

    fn next_chunk<'a>(&self, run: &GsoRun<'a>, max_segments: usize) -> (&'a [u8], usize) {
        let rest = run.bytes.get(self.offset..).unwrap_or_default();
        let segment_len = run.segment_len.max(1);
        let singly = self.offset < self.singly_until;
        let segments = if singly { 1 } else { max_segments.max(1) };
        let len = rest.len().min(segments.saturating_mul(segment_len));
        let chunk = rest.get(..len).unwrap_or_default();
        (chunk, len.div_ceil(segment_len).max(1))
    }
}

fn is_blocked(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// The socket is gone, as on a phone after the application was suspended.
fn is_final(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotConnected | io::ErrorKind::BrokenPipe
    )
}

/// Whether one call for several datagrams may have failed where one call for each would not:
/// because the network card cannot split them (Linux says `EIO` or `EINVAL`), or because they are
/// longer than the MTU (`EINVAL`, or `EMSGSIZE`), which may hold for all but the last one.
pub(crate) fn may_be_offload(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    let raw = error.raw_os_error();
    error.kind() == io::ErrorKind::InvalidInput
        || (cfg!(unix) && raw == Some(EIO))
        || quinn_udp::is_msg_size_err(error)
}

#[cfg(test)]
mod tests;
