//! Datagrams in a byte stream: [RFC 4571 §2](https://www.rfc-editor.org/rfc/rfc4571#section-2) for
//! ICE over TCP (RFC 6544 §3), and STUN's own lengths towards a TURN server (RFC 8489 §6.2.2,
//! [RFC 8656 §12.5](https://www.rfc-editor.org/rfc/rfc8656#section-12.5)).
//!
//! ```text
//!  RFC 4571   |  length (16)  |  datagram                       |
//!
//!  STUN       |00  type (16)  |  length (16)  |  cookie, transaction, attributes  |   20 + length
//!  Channel    |01 number (16) |  length (16)  |  data  |  padding to a multiple of 4  |
//! ```

use thiserror::Error;

/// The longest datagram that either framing can carry, in bytes.
pub const MAX_FRAME: usize = 20 + 0xFFFC;

/// What the buffer of a [`Decoder`] has at first, in bytes: one record of TLS.
const FIRST_BUFFER: usize = 16 << 10;
/// Less room than this is not worth a read.
const LEAST_ROOM: usize = 4 << 10;
/// The magic cookie of a STUN message. RFC 8489 §5
const MAGIC_COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
/// Bytes of a STUN message before its attributes. RFC 8489 §5
const STUN_HEADER: usize = 20;
/// Bytes of ChannelData before the data. RFC 8656 §12.4
const CHANNEL_HEADER: usize = 4;
/// Bytes in front of a datagram. RFC 4571 §2
const LENGTH_FIELD: usize = 2;

/// How datagrams are told apart in a byte stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Each datagram after its length in two bytes: ICE over TCP. RFC 4571 §2, RFC 6544 §3
    Rfc4571,
    /// STUN messages and ChannelData, whose own headers tell their length: a TURN or STUN server
    /// over TCP or TLS. RFC 8489 §6.2.2, RFC 8656 §12.5
    Turn,
}

/// Why bytes and datagrams do not go together. A stream is of no use after it: nobody knows where
/// the next datagram begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FramingError {
    /// A datagram is longer than the receiver takes, or than the framing can say.
    #[error("a datagram of {len} bytes, where {limit} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// Neither a STUN message nor ChannelData stands where one should begin.
    #[error("neither a STUN message nor ChannelData begins with byte {0:#04x}")]
    NotTurn(u8),
    /// A datagram to be sent is not as long as its own header says.
    #[error("a datagram of {len} bytes whose header tells another length")]
    WrongLength {
        /// Its length in bytes.
        len: usize,
    },
}

/// Where a frame's parts are, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    /// In front of the datagram, and no part of it.
    before: usize,
    /// Of the datagram.
    len: usize,
    /// Behind the datagram, and no part of it.
    padding: usize,
}

impl Head {
    const fn total(self) -> usize {
        self.before + self.len + self.padding
    }
}

impl Framing {
    /// How many bytes in front of a datagram [`seal`](Self::seal) needs.
    pub const fn headroom(self) -> usize {
        match self {
            Self::Rfc4571 => LENGTH_FIELD,
            Self::Turn => 0,
        }
    }

    /// How many bytes behind a datagram [`seal`](Self::seal) needs.
    pub const fn tailroom(self) -> usize {
        match self {
            Self::Rfc4571 => 0,
            Self::Turn => 3,
        }
    }

    /// Frames a datagram in place: `room` is the datagram with [`headroom`](Self::headroom) before
    /// and [`tailroom`](Self::tailroom) behind it. Returns how many bytes of `room`, from its start,
    /// go into the stream: what `TransmitBuf::wrap` of `pc-proto` calls for.
    ///
    /// # Errors
    ///
    /// The datagram does not fit the framing.
    pub fn seal(self, room: &mut [u8]) -> Result<usize, FramingError> {
        let room_len = room.len();
        let len = room_len.saturating_sub(self.headroom() + self.tailroom());
        match self {
            Self::Rfc4571 => {
                let field = length_field(len)?;
                let head = room.first_chunk_mut::<LENGTH_FIELD>();
                *head.ok_or(FramingError::WrongLength { len })? = field;
                Ok(room_len)
            }
            Self::Turn => {
                let (datagram, tail) = room.split_at_mut(len);
                let padding = turn_padding(datagram)?;
                tail.iter_mut().take(padding).for_each(|byte| *byte = 0);
                Ok(len + padding)
            }
        }
    }

    /// Appends a datagram, framed, to `stream`.
    ///
    /// # Errors
    ///
    /// The datagram does not fit the framing; `stream` is as before.
    pub fn append(self, datagram: &[u8], stream: &mut Vec<u8>) -> Result<(), FramingError> {
        match self {
            Self::Rfc4571 => {
                stream.extend_from_slice(&length_field(datagram.len())?);
                stream.extend_from_slice(datagram);
            }
            Self::Turn => {
                let padding = turn_padding(datagram)?;
                stream.extend_from_slice(datagram);
                stream.extend(std::iter::repeat_n(0, padding));
            }
        }
        Ok(())
    }

    /// The parts of the frame that begins with `bytes`; `None` while too few bytes are there.
    fn head(self, bytes: &[u8]) -> Result<Option<Head>, FramingError> {
        match self {
            Self::Rfc4571 => Ok(bytes.first_chunk().map(|length| Head {
                before: LENGTH_FIELD,
                len: usize::from(u16::from_be_bytes(*length)),
                padding: 0,
            })),
            Self::Turn => turn_head(bytes),
        }
    }
}

fn length_field(len: usize) -> Result<[u8; LENGTH_FIELD], FramingError> {
    let limit = usize::from(u16::MAX);
    let length = u16::try_from(len).map_err(|_| FramingError::TooLong { len, limit })?;
    Ok(length.to_be_bytes())
}

/// What tells the two apart is in the first byte: RFC 8656 §12.
fn turn_head(bytes: &[u8]) -> Result<Option<Head>, FramingError> {
    let Some(&first) = bytes.first() else {
        return Ok(None);
    };
    let wrong = FramingError::NotTurn(first);
    let length = |[_, _, high, low]: &[u8; 4]| usize::from(u16::from_be_bytes([*high, *low]));
    let length = bytes.first_chunk().map(length);
    match first {
        0x00..=0x3F => {
            // Checked as far as it has come, so that what is no STUN is not waited for.
            let cookie = bytes.iter().skip(4).zip(MAGIC_COOKIE);
            let is_stun = cookie.into_iter().all(|(byte, wanted)| *byte == wanted);
            if !is_stun || length.is_some_and(|length| !length.is_multiple_of(4)) {
                return Err(wrong);
            }
            Ok(length.map(|length| Head {
                before: 0,
                len: STUN_HEADER + length,
                padding: 0,
            }))
        }
        // RFC 8656 §12: channel numbers 0x4000 to 0x4FFF; the others are reserved.
        0x40..=0x4F => Ok(length.map(|length| Head {
            before: 0,
            len: CHANNEL_HEADER + length,
            padding: length.next_multiple_of(4) - length,
        })),
        0x50.. => Err(wrong),
    }
}

/// How many bytes of padding a datagram still needs towards a TURN server.
fn turn_padding(datagram: &[u8]) -> Result<usize, FramingError> {
    let len = datagram.len();
    let head = turn_head(datagram)?.ok_or(FramingError::WrongLength { len })?;
    match head.total().checked_sub(len) {
        Some(missing) if missing == 0 || missing == head.padding => Ok(missing),
        _ => Err(FramingError::WrongLength { len }),
    }
}

/// Takes the bytes of a stream and lends the datagrams in them, where they are.
///
/// ```
/// use pc_net::{Decoder, Framing};
/// let mut decoder = Decoder::new(Framing::Rfc4571);
/// let stream = [0, 2, b'h', b'i', 0, 5, b't'];
/// decoder.room()[..7].copy_from_slice(&stream); // a socket's `read` does this
/// decoder.filled(7);
/// assert_eq!(decoder.next_frame()?, Some(&mut b"hi".to_vec()[..]));
/// assert_eq!(decoder.next_frame()?, None); // the rest has not come yet
/// # Ok::<(), pc_net::FramingError>(())
/// ```
///
/// Its memory grows with the bytes that have come, not with the lengths they tell, and never
/// beyond one datagram of the longest kind; bytes are moved only where a datagram is cut.
pub struct Decoder {
    framing: Framing,
    limit: usize,
    bytes: Vec<u8>,
    /// Bytes from here on have not been lent yet.
    start: usize,
    /// Bytes from here on have not come yet.
    end: usize,
}

impl Decoder {
    /// Takes datagrams as long as the framing can say.
    pub const fn new(framing: Framing) -> Self {
        Self::with_limit(framing, MAX_FRAME)
    }

    /// Takes datagrams of at most `limit` bytes; a longer one is an error.
    pub const fn with_limit(framing: Framing, limit: usize) -> Self {
        Self {
            framing,
            limit,
            bytes: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    /// How the stream is framed.
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// From the next datagram on, the stream is framed in another way: the data connection of a
    /// TCP allocation turns from TURN's to the peer's framing. RFC 6062 §4.3
    pub const fn set_framing(&mut self, framing: Framing) {
        self.framing = framing;
    }

    /// Where the next bytes of the stream go. It is empty only while whole datagrams wait in
    /// [`next_frame`](Self::next_frame), or after its error.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.bytes.len() - self.end < LEAST_ROOM && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.bytes.len() == self.end {
            let twice = (2 * self.bytes.len()).max(FIRST_BUFFER);
            let most = (self.limit.min(MAX_FRAME) + 4).max(FIRST_BUFFER);
            self.bytes.resize(twice.min(most), 0);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// `len` bytes have been written to the start of [`room`](Self::room).
    pub fn filled(&mut self, len: usize) {
        self.end = (self.end + len).min(self.bytes.len());
    }

    /// The next datagram that is there as a whole, where it came to lie. Null packets, of length
    /// zero (RFC 4571 §2), are passed over.
    ///
    /// # Errors
    ///
    /// What the stream holds is no datagram: so it is from then on.
    pub fn next_frame(&mut self) -> Result<Option<&mut [u8]>, FramingError> {
        let frame = loop {
            let unread = self.bytes.get(self.start..self.end).unwrap_or_default();
            let Some(head) = self.framing.head(unread)? else {
                return Ok(None);
            };
            if head.len > self.limit {
                let (len, limit) = (head.len, self.limit);
                return Err(FramingError::TooLong { len, limit });
            }
            if unread.len() < head.total() {
                return Ok(None);
            }
            let from = self.start + head.before;
            self.start += head.total();
            if head.len > 0 {
                break from..from + head.len;
            }
        };
        Ok(self.bytes.get_mut(frame))
    }

    /// Whether [`next_frame`](Self::next_frame) would lend a datagram or fail now.
    pub fn is_ready(&self) -> bool {
        let mut unread = self.bytes.get(self.start..self.end).unwrap_or_default();
        loop {
            match self.framing.head(unread) {
                Err(_) => return true,
                Ok(None) => return false,
                Ok(Some(head)) if head.len == 0 => {
                    unread = unread.get(head.total()..).unwrap_or_default();
                }
                Ok(Some(head)) => return head.len > self.limit || unread.len() >= head.total(),
            }
        }
    }

    /// Bytes that have come and are not lent yet: where a stream ends with some, a datagram is
    /// cut.
    pub const fn unread(&self) -> usize {
        self.end - self.start
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("framing", &self.framing)
            .field("limit", &self.limit)
            .field("unread", &self.unread())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
