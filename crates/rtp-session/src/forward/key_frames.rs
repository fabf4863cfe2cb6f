//! When the sender of an encoding is asked for a key frame, for all who need one.

use super::Encoding;
use std::time::{Duration, Instant};

/// Asks for a key frame once, however many viewers need one, and again until it comes; no encoding more
/// often than once in an interval: an encoder that is asked more often sends nothing else.
///
/// ```
/// use pc_rtp_session::forward::{Encoding, KeyFrameLimiter};
/// use std::time::Duration;
///
/// # #[allow(clippy::disallowed_methods)]
/// let start = std::time::Instant::now();
/// let mut limiter = KeyFrameLimiter::new(Duration::from_secs(1));
/// limiter.want(start, Encoding(0)); // a viewer
/// limiter.want(start, Encoding(0)); // and another
/// assert_eq!(limiter.poll(start), Some(Encoding(0))); // send one PLI
/// assert_eq!(limiter.poll(start), None);
/// let later = start + Duration::from_secs(1);
/// assert_eq!(limiter.poll_timeout(), Some(later)); // it may have been lost
/// limiter.key_frame(Encoding(0));
/// assert_eq!(limiter.poll_timeout(), None);
/// ```
#[derive(Debug, Clone)]
pub struct KeyFrameLimiter {
    interval: Duration,
    /// As many as there were encodings that needed one, until they are forgotten.
    wishes: Vec<Wish>,
}

#[derive(Debug, Clone)]
struct Wish {
    encoding: Encoding,
    /// Since when, if a key frame is needed.
    wanted: Option<Instant>,
    asked: Option<Instant>,
}

impl Wish {
    fn due(&self, interval: Duration) -> Option<Instant> {
        let wanted = self.wanted?;
        let next = self.asked.map(|asked| asked + interval);
        Some(next.map_or(wanted, |next| next.max(wanted)))
    }
}

impl KeyFrameLimiter {
    /// One that asks each encoding at most once in `interval`; a second is what others do.
    pub const fn new(interval: Duration) -> Self {
        Self {
            interval,
            wishes: Vec::new(),
        }
    }

    /// Somebody needs a key frame: a viewer has sent PLI or FIR, or is switched to the encoding.
    pub fn want(&mut self, now: Instant, encoding: Encoding) {
        match self.wishes.iter_mut().find(|it| it.encoding == encoding) {
            Some(wish) => wish.wanted = Some(wish.wanted.unwrap_or(now)),
            None => self.wishes.push(Wish {
                encoding,
                wanted: Some(now),
                asked: None,
            }),
        }
    }

    /// An encoding that is to be asked now, if there is one. It is asked again after the interval, until
    /// [`key_frame`](Self::key_frame) tells that one has come.
    pub fn poll(&mut self, now: Instant) -> Option<Encoding> {
        let interval = self.interval;
        let is_due = |wish: &&mut Wish| wish.due(interval).is_some_and(|due| due <= now);
        let wish = self.wishes.iter_mut().find(is_due)?;
        wish.asked = Some(now);
        Some(wish.encoding)
    }

    /// A key frame has begun to come.
    pub fn key_frame(&mut self, encoding: Encoding) {
        if let Some(wish) = self.wishes.iter_mut().find(|it| it.encoding == encoding) {
            wish.wanted = None;
        }
    }

    /// The encoding is gone, or nobody sees it any more.
    pub fn forget(&mut self, encoding: Encoding) {
        self.wishes.retain(|wish| wish.encoding != encoding);
    }

    /// When [`poll`](Self::poll) has something next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let due = |wish: &Wish| wish.due(self.interval);
        self.wishes.iter().filter_map(due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_simnet::{epoch, ms, secs};

    #[test]
    fn encodings_do_not_wait_for_each_other() {
        let mut limiter = KeyFrameLimiter::new(secs(1));
        limiter.want(epoch(), Encoding(1));
        assert_eq!(limiter.poll(epoch()), Some(Encoding(1)));
        limiter.want(epoch() + ms(10), Encoding(2));
        assert_eq!(limiter.poll(epoch() + ms(10)), Some(Encoding(2)));
        assert_eq!(limiter.poll(epoch() + ms(999)), None);
        assert_eq!(limiter.poll(epoch() + ms(1000)), Some(Encoding(1)));
    }

    #[test]
    fn a_new_wish_soon_after_a_key_frame_waits_for_the_interval() {
        let mut limiter = KeyFrameLimiter::new(secs(1));
        limiter.want(epoch(), Encoding(1));
        assert_eq!(limiter.poll(epoch()), Some(Encoding(1)));
        limiter.key_frame(Encoding(1));
        let mut asked = 0;
        for step in 0..300 {
            let now = epoch() + ms(10 * step);
            limiter.want(now, Encoding(1));
            asked += usize::from(limiter.poll(now).is_some());
        }
        assert_eq!(asked, 2, "at 1 s and at 2 s, of 300 wishes");
    }

    #[test]
    fn what_is_forgotten_is_not_asked() {
        let mut limiter = KeyFrameLimiter::new(secs(1));
        limiter.want(epoch(), Encoding(1));
        limiter.forget(Encoding(1));
        assert_eq!(
            (limiter.poll(epoch()), limiter.poll_timeout()),
            (None, None)
        );
    }
}
