use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use crate::{EncodedFrame, MediaFrame, MediaStreamTrack, readers::Capacity, wakers::wake};

/// One who reads a track: all frames written since [`MediaStreamTrack::frames`], in order, as far
/// as it keeps up. Any number may read one track, and each gets all of them.
///
/// A few frames wait for a reader: half a second of audio in frames of 20 ms, four pictures, 64
/// pictures in encoded form, or what [`frames_buffered`](MediaStreamTrack::frames_buffered) was
/// told. Then the oldest are lost. Of encoded pictures all are, up to the next key frame, which is
/// asked for; a reader of these also begins with a key frame.
///
/// While the track is disabled this gives silence or black frames of the same shape, and nothing
/// in place of encoded frames. What was captured while it was disabled stays hidden when it is
/// enabled again before the frame is read.
#[derive(Debug)]
pub struct TrackFrames {
    track: MediaStreamTrack,
    key: u64,
}

impl TrackFrames {
    pub(crate) fn new(track: MediaStreamTrack, capacity: Capacity) -> Self {
        let inner = track.inner();
        let gate = Arc::clone(&inner.gate);
        let key = inner.source.lock().readers.add(gate, capacity);
        Self { track, key }
    }

    /// The track that is read.
    pub fn track(&self) -> &MediaStreamTrack {
        &self.track
    }

    /// The next frame; `None` when no more will come: the track has ended, and what waited was
    /// read.
    ///
    /// Cancel safe: a frame is only taken when this returns it.
    pub async fn next(&mut self) -> Option<MediaFrame> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// [`next`](Self::next) for a thread of its own, which sleeps until there is a frame.
    pub fn blocking_next(&mut self) -> Option<MediaFrame> {
        block_on(self.next())
    }

    /// The next frame if there is one already.
    pub fn try_next(&mut self) -> Option<MediaFrame> {
        match self.read(None) {
            Poll::Ready(frame) => frame,
            Poll::Pending => None,
        }
    }

    /// [`next`](Self::next) for those who write their own futures. Only the waker of the last call
    /// is woken.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<MediaFrame>> {
        self.read(Some(context.waker().clone()))
    }

    /// How many frames this reader has lost so far, because it was slow or because an encoded frame
    /// was of no use without one that it had lost.
    pub fn lost(&self) -> u64 {
        let mut state = self.track.inner().source.lock();
        state.readers.get(self.key).map_or(0, |reader| reader.lost)
    }

    /// Asks the source for an encoded key frame ([`Request::KeyFrame`](crate::Request::KeyFrame)).
    pub fn request_key_frame(&self) {
        self.track.request_key_frame();
    }

    /// Asks the source for a key frame of one encoding
    /// ([`Request::KeyFrameOf`](crate::Request::KeyFrameOf)).
    pub fn request_key_frame_of(&self, encoding: usize) {
        if encoding < EncodedFrame::MAX_ENCODINGS {
            self.track.request_key_frames(1 << encoding);
        }
    }

    /// Asks the source for encodings of this many bits per second each
    /// ([`Request::BitrateOf`](crate::Request::BitrateOf)). It is told the least that any of its
    /// readers wants.
    pub fn request_bitrates(&self, bits_per_second: &[u32]) {
        let mut state = self.track.inner().source.lock();
        if let Some(reader) = state.readers.get(self.key) {
            let count = bits_per_second.len().min(EncodedFrame::MAX_ENCODINGS);
            reader.bitrates = bits_per_second.iter().take(count).copied().collect();
        }
        let waiters = state.requests.waiters.take();
        drop(state);
        wake(waiters);
    }

    /// Asks the source for encoded frames of this many bits per second
    /// ([`Request::Bitrate`](crate::Request::Bitrate)). It is told the least that any of its
    /// readers wants.
    pub fn request_bitrate(&self, bits_per_second: u32) {
        let mut state = self.track.inner().source.lock();
        if let Some(reader) = state.readers.get(self.key) {
            reader.bitrate = Some(bits_per_second);
        }
        let waiters = state.requests.waiters.take();
        drop(state);
        wake(waiters);
    }

    fn read(&mut self, mut waker: Option<Waker>) -> Poll<Option<MediaFrame>> {
        let mut dropped = Vec::new();
        let mut state = self.track.inner().source.lock();
        let ended = state.ended;
        let Some(reader) = state.readers.get(self.key) else {
            return Poll::Ready(None);
        };
        let next = reader.next(&mut dropped);
        let is_over = ended || reader.is_stopped();
        if next.is_none() && !is_over {
            std::mem::swap(&mut reader.waker, &mut waker);
        }
        drop(state);
        drop((waker, dropped));
        match next {
            Some((frame, true)) => Poll::Ready(frame.blank()),
            Some((frame, false)) => Poll::Ready(Some(frame)),
            None if is_over => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Drop for TrackFrames {
    fn drop(&mut self) {
        let mut state = self.track.inner().source.lock();
        let reader = state.readers.remove(self.key);
        // The least that any reader wants may be more from now on.
        let waiters = state.requests.waiters.take();
        drop(state);
        drop(reader);
        wake(waiters);
    }
}

/// Runs `future` to its end and lets the thread sleep while it waits.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
