use pc_stun::{ChannelHeader, MessageView};

/// The longest message of a stream: 65,532 bytes of attributes after a STUN header, which is longer
/// than 65,536 padded bytes after a channel's.
const MAX_FRAME: usize = 20 + 65_532;

/// How much room a read is given at least.
const MIN_SPACE: usize = 4096;

/// Cuts a TCP or TLS stream from a server into STUN and ChannelData messages
/// (RFC 8489 §6.2.2, RFC 8656 §12.5).
///
/// ```text
///          [ message | message | part of a message |      space      ]
///                    ^ start                       ^ end
/// ```
///
/// ```
/// use pc_ice::StreamFrames;
///
/// let mut frames = StreamFrames::new();
/// let read = b"\x40\x00\0\x05hello\0\0\0\x40";          // a message, and the start of another
/// frames.space()[..read.len()].copy_from_slice(read);   // a socket reads into it
/// frames.filled(read.len());
/// while let Some(message) = frames.next_frame()? {
///     assert_eq!(message.len(), 12);                    // for `handle_input` of a client
/// }
/// # Ok::<(), pc_ice::FrameError>(())
/// ```
///
/// It holds at most one message and what was read with its end: some 70 kB.
#[derive(Debug, Default)]
pub struct StreamFrames {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// The stream is out of step: what comes is neither STUN nor ChannelData. The connection is of no
/// more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither STUN nor ChannelData in the server's stream")]
pub struct FrameError;

impl StreamFrames {
    /// Of a connection that has just begun; memory comes with the first read.
    pub const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    /// Where the next bytes of the stream are to be read into. Empty, if nobody has taken the
    /// messages that are complete.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() - self.end < MIN_SPACE && self.end < MAX_FRAME {
            let wanted = (self.end + MIN_SPACE).max(self.buffer.len() * 2);
            self.buffer.resize(wanted.min(MAX_FRAME + MIN_SPACE), 0);
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// So many bytes have been read into [`space`](Self::space).
    pub fn filled(&mut self, len: usize) {
        self.end = self.end.saturating_add(len).min(self.buffer.len());
    }

    /// What has been read and not been taken: once a connection has become a peer's (RFC 6062
    /// §4.3), the peer's first bytes.
    pub fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The next whole message, padding included.
    ///
    /// # Errors
    ///
    /// The stream is out of step, from here on.
    pub fn next_frame(&mut self) -> Result<Option<&mut [u8]>, FrameError> {
        let head = self.rest();
        let Some(len) = frame_len(head)?.filter(|len| *len <= head.len()) else {
            return Ok(None);
        };
        let frame = self.start..self.start + len;
        self.start += len;
        Ok(self.buffer.get_mut(frame))
    }
}

/// Bytes of the message that begins with `head`, once there is enough of it to tell.
fn frame_len(head: &[u8]) -> Result<Option<usize>, FrameError> {
    let (enough, len) = match head.first() {
        None => return Ok(None),
        Some(first) if first >> 6 == 0 => (8, MessageView::stream_len(head)),
        Some(_) if ChannelHeader::is_channel_data(head) => (4, ChannelHeader::stream_len(head)),
        Some(_) => return Err(FrameError),
    };
    match len {
        Some(len) => Ok(Some(len)),
        None if head.len() < enough => Ok(None),
        None => Err(FrameError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out when `stream` is read in pieces of `step` bytes, and the most memory held.
    fn cut(stream: &[u8], step: usize) -> (Result<Vec<Vec<u8>>, FrameError>, usize) {
        let (mut frames, mut out, mut most) = (StreamFrames::new(), Vec::new(), 0);
        for piece in stream.chunks(step) {
            let mut rest = piece;
            while !rest.is_empty() {
                let space = frames.space();
                let len = space.len().min(rest.len());
                space[..len].copy_from_slice(&rest[..len]);
                rest = &rest[len..];
                frames.filled(len);
                most = most.max(frames.buffer.len());
                loop {
                    match frames.next_frame() {
                        Ok(Some(frame)) => out.push(frame.to_vec()),
                        Ok(None) => break,
                        Err(error) => return (Err(error), most),
                    }
                }
            }
        }
        (Ok(out), most)
    }

    fn stun(len: u16) -> Vec<u8> {
        let mut message = vec![0, 1];
        message.extend(len.to_be_bytes());
        message.extend(0x2112_A442_u32.to_be_bytes());
        message.resize(20 + usize::from(len), 7);
        message
    }

    fn channel(len: u16) -> Vec<u8> {
        let mut message = vec![0x4F, 0xFF];
        message.extend(len.to_be_bytes());
        message.resize(4 + usize::from(len).next_multiple_of(4), 9);
        message
    }

    #[test]
    fn messages_come_out_as_they_went_in_whatever_the_reads() {
        let messages = [
            stun(0),
            channel(5),
            channel(0),
            stun(65_532),
            channel(65_535),
        ];
        let stream = messages.concat();
        for step in [1, 3, 7, 1000, 5000, 1 << 20] {
            let (out, most) = cut(&stream, step);
            assert_eq!(out.unwrap(), messages, "step {step}");
            assert!(most <= MAX_FRAME + MIN_SPACE, "{most} bytes held");
        }
    }

    /// RFC 7983 §7: neither STUN nor a channel's first byte, and a STUN message without its cookie.
    #[test]
    fn a_stream_out_of_step_is_told() {
        for garbage in [&b"SSH-2.0-x"[..], &[0x50, 0, 0, 0], &[0; 8], &[0xFF]] {
            let stream = [&channel(3)[..], garbage].concat();
            assert_eq!(cut(&stream, 5).0, Err(FrameError), "{garbage:?}");
        }
    }

    #[test]
    fn whoever_takes_no_messages_gets_no_space() {
        let mut frames = StreamFrames::new();
        let mut total = 0;
        while !frames.space().is_empty() {
            let space = frames.space();
            space.fill(0x40);
            let len = space.len();
            frames.filled(len);
            total += len;
        }
        assert!(total <= MAX_FRAME + MIN_SPACE);
        frames.filled(usize::MAX);
        assert!(frames.next_frame().unwrap().is_some());
    }
}
