//! A stream whose frames nobody wants for a while, or that lacks too much.

use std::time::Instant;

use super::{Media, Stream};

impl Stream {
    /// Whether its frames are wanted. One that goes on does so with a key frame, which is asked for.
    pub(in crate::receive) fn set_paused(&mut self, now: Instant, is_paused: bool) {
        if std::mem::replace(&mut self.is_paused, is_paused) == is_paused {
            return;
        }
        self.nack.clear();
        if let Media::Video(buffer) = &mut self.media {
            buffer.begin_anew();
        }
        match is_paused {
            true => self.key_frame.fulfil(),
            false if matches!(self.media, Media::Video(_)) => self.key_frame.want(now),
            false => {}
        }
    }

    /// A key frame is asked for, unless nobody wants its frames.
    pub(in crate::receive) fn request_key_frame(&mut self, now: Instant) {
        if !self.is_paused {
            self.key_frame.want(now);
        }
    }

    /// Too much is missing: only a key frame helps.
    pub(super) fn lose(&mut self, now: Instant) {
        if let Media::Video(buffer) = &mut self.media {
            buffer.give_up();
            self.request_key_frame(now);
        }
    }
}
