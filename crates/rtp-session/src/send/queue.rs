//! What waits to leave, in three lines: sound, packets that are sent again, pictures.

use super::history::Index;
use crate::{Codec, SenderId};
use std::collections::VecDeque;

/// How many packets wait to be sent again at most, all streams together.
const MAX_AGAIN: usize = 1024;

/// The packets `next..end` of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) sender: SenderId,
    pub(super) encoding: usize,
    pub(super) next: Index,
    pub(super) end: Index,
}

/// Who goes first: sound is not paced; then what was lost, as others wait for it; then the rest, in
/// the order in which it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Audio,
    Again,
    Video,
}

impl Line {
    /// Where a codec's packets wait.
    pub(super) fn of(codec: &Codec) -> Self {
        if codec.format.is_audio() {
            Self::Audio
        } else {
            Self::Video
        }
    }
}

/// The three lines.
#[derive(Debug, Default)]
pub(super) struct Queue {
    audio: VecDeque<Waiting>,
    again: VecDeque<Waiting>,
    video: VecDeque<Waiting>,
    /// Payload bytes in the line of pictures.
    pub(super) video_bytes: usize,
}

impl Queue {
    pub(super) fn push(&mut self, line: Line, waiting: Waiting, bytes: usize) {
        if line == Line::Video {
            self.video_bytes += bytes;
        }
        self.line(line).push_back(waiting);
    }

    /// Whether another packet can be sent again.
    pub(super) fn has_room_for_again(&self) -> bool {
        self.again.len() < MAX_AGAIN
    }

    /// The line that is served next; `paced` is whether the paced ones may be.
    pub(super) fn next(&self, paced: bool) -> Option<(Line, Waiting)> {
        let front = |line, queue: &VecDeque<Waiting>| Some((line, *queue.front()?));
        front(Line::Audio, &self.audio).or_else(|| {
            let again = || front(Line::Again, &self.again);
            paced.then(|| again().or_else(|| front(Line::Video, &self.video)))?
        })
    }

    /// The first of a line has come as far as `next`.
    pub(super) fn advance(&mut self, line: Line, next: Index) {
        let queue = self.line(line);
        match queue.front_mut() {
            Some(first) if next < first.end => first.next = next,
            _ => drop(queue.pop_front()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.audio.is_empty() && !self.is_paced_waiting()
    }

    pub(super) fn is_paced_waiting(&self) -> bool {
        !self.again.is_empty() || !self.video.is_empty()
    }

    /// Takes out what waits of an encoding.
    pub(super) fn cancel(&mut self, sender: SenderId, encoding: usize) {
        for line in [Line::Audio, Line::Again, Line::Video] {
            self.line(line)
                .retain(|waiting| (waiting.sender, waiting.encoding) != (sender, encoding));
        }
    }

    fn line(&mut self, line: Line) -> &mut VecDeque<Waiting> {
        match line {
            Line::Audio => &mut self.audio,
            Line::Again => &mut self.again,
            Line::Video => &mut self.video,
        }
    }
}
