//! The frames that wait for whoever reads a track, kept at its source.

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use crate::{EncodedFrame, MediaFrame, MediaKind};

/// What of a track decides whether its readers get a frame. Readers share it with their track, so
/// that a source knows no track.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) enabled: AtomicBool,
    /// Stopped, after this many changes of the source. Written under the source's lock.
    pub(crate) stopped: OnceLock<u64>,
}

impl Gate {
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.get().is_some()
    }
}

/// How many frames may wait for one reader.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Capacity {
    /// As many as suits what they are.
    Usual,
    /// What the reader asked for.
    Frames(usize),
}

impl Capacity {
    /// Half a second of audio in frames of 20 ms; pictures, which are large, for an encoder that
    /// is late once; encoded pictures for two seconds, as one that is lost costs a key frame, and
    /// that for each of so many encodings.
    fn of(self, frame: &MediaFrame, kind: MediaKind, encodings: usize) -> usize {
        match (self, frame, kind) {
            (Self::Frames(frames), ..) => frames.max(1),
            (Self::Usual, MediaFrame::Encoded(_), MediaKind::Video) => 64 * encodings,
            (Self::Usual, _, MediaKind::Audio) => 25,
            (Self::Usual, _, MediaKind::Video) => 4,
        }
    }
}

/// All who read tracks of one source.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    next_key: u64,
    readers: Vec<Reader>,
}

/// What a source does once its lock is released: wakers are code of the caller's, and so is the
/// drop of what a frame holds.
#[must_use = "drop it outside the lock"]
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) wakers: Vec<Waker>,
    pub(crate) dropped: Vec<MediaFrame>,
    /// A bit for each encoding of which some reader can do nothing with what it gets before a key
    /// frame comes.
    pub(crate) needs_key_frames: u8,
}

impl Readers {
    pub(crate) fn add(&mut self, gate: Arc<Gate>, capacity: Capacity) -> u64 {
        self.next_key += 1;
        self.readers.push(Reader {
            key: self.next_key,
            gate,
            capacity,
            queue: VecDeque::new(),
            lost: 0,
            chains: [Chain::Broken; EncodedFrame::MAX_ENCODINGS],
            bitrate: None,
            bitrates: Vec::new(),
            waker: None,
        });
        self.next_key
    }

    #[must_use = "drop it outside the lock"]
    pub(crate) fn remove(&mut self, key: u64) -> Option<Reader> {
        let at = self.readers.iter().position(|reader| reader.key == key)?;
        Some(self.readers.swap_remove(at))
    }

    pub(crate) fn get(&mut self, key: u64) -> Option<&mut Reader> {
        self.readers.iter_mut().find(|reader| reader.key == key)
    }

    /// Whether there is one whose track is not stopped.
    pub(crate) fn any_live(&self) -> bool {
        self.readers.iter().any(|it| !it.gate.is_stopped())
    }

    /// Gives `frame` to all whose track is live.
    pub(crate) fn write(&mut self, frame: &MediaFrame, kind: MediaKind) -> Outcome {
        let mut outcome = Outcome::default();
        for reader in &mut self.readers {
            reader.write(frame, kind, &mut outcome);
        }
        outcome
    }

    /// Those who wait, be it for a frame or the end.
    pub(crate) fn take_wakers(&mut self) -> Vec<Waker> {
        let wakers = self.readers.iter_mut().filter_map(|it| it.waker.take());
        wakers.collect()
    }

    /// The lowest rate that any of them wants, in bits per second.
    pub(crate) fn bitrate(&self) -> Option<u32> {
        let live = self.readers.iter().filter(|it| !it.gate.is_stopped());
        live.filter_map(|it| it.bitrate).min()
    }

    /// The same of one encoding.
    pub(crate) fn bitrate_of(&self, encoding: usize) -> Option<u32> {
        let live = self.readers.iter().filter(|it| !it.gate.is_stopped());
        live.filter_map(|it| it.bitrates.get(encoding).copied())
            .min()
    }
}

/// One who reads a track.
#[derive(Debug)]
pub(crate) struct Reader {
    key: u64,
    gate: Arc<Gate>,
    capacity: Capacity,
    queue: VecDeque<Waiting>,
    /// Frames that it was too slow for.
    pub(crate) lost: u64,
    /// One for each encoding.
    chains: [Chain; EncodedFrame::MAX_ENCODINGS],
    pub(crate) bitrate: Option<u32>,
    /// What it wants of each encoding.
    pub(crate) bitrates: Vec<u32>,
    pub(crate) waker: Option<Waker>,
}

#[derive(Debug)]
struct Waiting {
    frame: MediaFrame,
    /// The track was enabled when the frame came.
    was_enabled: bool,
}

/// Whether a reader can make sense of the next picture of an encoding, which builds on those before
/// it.
///
/// ```text
///                  a delta frame comes, and a key frame is asked for
///          Broken ───────────────────────────────────────────────► Asked
///            ▲ │                                                      │
///  frames    │ │ a key frame comes                a key frame comes   │
///  are lost  │ ▼                                                      │
///          Whole ◄────────────────────────────────────────────────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chain {
    Whole,
    Broken,
    Asked,
}

impl Reader {
    fn write(&mut self, frame: &MediaFrame, kind: MediaKind, outcome: &mut Outcome) {
        if self.gate.is_stopped() {
            return;
        }
        let was_enabled = self.gate.is_enabled();
        let encodings = self.chains.iter().rposition(|it| *it != Chain::Broken);
        let capacity = self.capacity.of(frame, kind, encodings.unwrap_or(0) + 1);
        if let Some(encoding) = frame.encoding() {
            if !was_enabled {
                self.chains = [Chain::Broken; EncodedFrame::MAX_ENCODINGS];
                return;
            }
            if kind == MediaKind::Video && self.queue.len() >= capacity {
                // What would be left after a loss cannot be decoded.
                self.lost += self.queue.len() as u64;
                self.skip_encoded(&mut outcome.dropped);
            }
            if !self.continues(frame, encoding, outcome) {
                self.lost += 1;
                return;
            }
        }
        while self.queue.len() >= capacity {
            let oldest = self.queue.pop_front();
            outcome.dropped.extend(oldest.map(|it| it.frame));
            self.lost += 1;
        }
        let frame = frame.clone();
        self.queue.push_back(Waiting { frame, was_enabled });
        outcome.wakers.extend(self.waker.take());
    }

    /// Whether an encoded frame is of use after those of its encoding before it.
    fn continues(&mut self, frame: &MediaFrame, encoding: usize, outcome: &mut Outcome) -> bool {
        let Some(chain) = self.chains.get_mut(encoding) else {
            return false;
        };
        if !frame.is_delta() {
            *chain = Chain::Whole;
        } else if *chain == Chain::Broken {
            *chain = Chain::Asked;
            outcome.needs_key_frames |= 1 << encoding;
        }
        *chain == Chain::Whole
    }

    /// The next frame, and whether something blank is to be given in its place: the track was
    /// disabled when it came, or is now.
    pub(crate) fn next(&mut self, dropped: &mut Vec<MediaFrame>) -> Option<(MediaFrame, bool)> {
        let Waiting { frame, was_enabled } = self.queue.pop_front()?;
        let is_blank = !(was_enabled && self.gate.is_enabled());
        if is_blank && matches!(frame, MediaFrame::Encoded(_)) {
            dropped.push(frame);
            self.skip_encoded(dropped);
            return None;
        }
        Some((frame, is_blank))
    }

    /// Whether no more frames will be written for it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.gate.is_stopped()
    }

    fn skip_encoded(&mut self, dropped: &mut Vec<MediaFrame>) {
        dropped.extend(mem::take(&mut self.queue).into_iter().map(|it| it.frame));
        self.chains = [Chain::Broken; EncodedFrame::MAX_ENCODINGS];
    }
}
