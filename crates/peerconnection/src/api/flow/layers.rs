//! Which layer of simulcast an ordinary receiver shows.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A layer of which no frame has come for so long is not sent any more.
const SILENT: Duration = Duration::from_secs(1);

/// As many layers as a session has.
const MAX_LAYERS: usize = 8;

/// Chooses among the layers that come. The picture changes at a key frame alone, so that a decoder never
/// gets a frame that builds on one of another layer.
///
/// ```text
///             wanted: b                    key frame of b
///   shows a ─────────────▶ shows a, b is ─────────────────▶ shows b
///           ◀───────────── asked for one
///             wanted: a
/// ```
///
/// What is wanted is what the application has selected; else the largest that comes.
#[derive(Debug, Default)]
pub(crate) struct LayerChoice {
    selected: Option<Arc<str>>,
    shown: Option<Arc<str>>,
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    rid: Arc<str>,
    pixels: u32,
    seen: Instant,
}

/// What becomes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is of the layer that is shown.
    Show,
    /// It is the first of another layer.
    Switch,
    /// It is of another layer.
    Leave,
    /// It is of the layer that is wanted, which waits for a key frame.
    Await,
}

impl LayerChoice {
    /// The application wants this one, or leaves it to us.
    pub(crate) fn select(&mut self, rid: Option<Arc<str>>) {
        self.selected = rid;
    }

    /// What the application wants.
    pub(crate) fn selected(&self) -> Option<&Arc<str>> {
        self.selected.as_ref()
    }

    /// What is shown.
    pub(crate) fn shown(&self) -> Option<&Arc<str>> {
        self.shown.as_ref()
    }

    /// A frame has come.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        rid: &str,
        is_key_frame: bool,
        size: Option<(u16, u16)>,
    ) -> Verdict {
        let rid = self.note(now, rid, size);
        let wanted = self.wanted(now);
        let is_shown = self.shown.as_ref() == Some(&rid);
        match wanted == Some(&rid) {
            true if is_shown => Verdict::Show,
            true if is_key_frame => {
                self.shown = Some(rid);
                Verdict::Switch
            }
            true => Verdict::Await,
            false if is_shown => Verdict::Show,
            false => Verdict::Leave,
        }
    }

    /// The layer whose frame is due next: what was selected, or the largest of those that come.
    fn wanted(&self, now: Instant) -> Option<&Arc<str>> {
        if self.selected.is_some() {
            return self.selected.as_ref();
        }
        let comes = |it: &&Known| now.saturating_duration_since(it.seen) < SILENT;
        let coming = self.known.iter().filter(comes);
        coming.max_by_key(|it| it.pixels).map(|it| &it.rid)
    }

    fn note(&mut self, now: Instant, rid: &str, size: Option<(u16, u16)>) -> Arc<str> {
        let pixels = size.map(|(width, height)| u32::from(width) * u32::from(height));
        if let Some(known) = self.known.iter_mut().find(|it| *it.rid == *rid) {
            known.seen = now;
            known.pixels = pixels.unwrap_or(known.pixels);
            return known.rid.clone();
        }
        if self.known.len() >= MAX_LAYERS {
            self.known.remove(0);
        }
        let rid: Arc<str> = rid.into();
        self.known.push(Known {
            rid: rid.clone(),
            pixels: pixels.unwrap_or(0),
            seen: now,
        });
        rid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Await, Leave, Show, Switch};
    use pc_simnet::{epoch, ms};

    const F: Option<(u16, u16)> = Some((640, 360));
    const Q: Option<(u16, u16)> = Some((160, 90));

    #[test]
    fn the_largest_layer_is_shown_from_its_key_frame_on() {
        let mut choice = LayerChoice::default();
        assert_eq!(choice.take(epoch(), "q", true, Q), Switch);
        assert_eq!(choice.take(epoch(), "q", false, None), Show);
        assert_eq!(choice.take(epoch(), "f", false, F), Await);
        assert_eq!(choice.take(epoch(), "q", false, None), Show);
        assert_eq!(choice.take(epoch(), "f", true, F), Switch);
        assert_eq!(choice.take(epoch(), "q", true, Q), Leave);
        assert_eq!(choice.shown().map(|it| &**it), Some("f"));
    }

    #[test]
    fn the_next_largest_stands_in_for_a_layer_that_is_not_sent_any_more() {
        let mut choice = LayerChoice::default();
        choice.take(epoch(), "q", true, Q);
        choice.take(epoch(), "f", true, F);
        assert_eq!(choice.take(epoch() + ms(900), "q", false, None), Leave);
        assert_eq!(choice.take(epoch() + ms(1100), "q", false, None), Await);
        assert_eq!(choice.take(epoch() + ms(1200), "q", true, Q), Switch);
        // It is back, with a delta frame first.
        assert_eq!(choice.take(epoch() + ms(2000), "f", false, None), Await);
        assert_eq!(choice.take(epoch() + ms(2010), "q", false, None), Show);
        assert_eq!(choice.take(epoch() + ms(2040), "f", true, F), Switch);
    }

    #[test]
    fn what_was_selected_is_waited_for() {
        let mut choice = LayerChoice::default();
        choice.take(epoch(), "f", true, F);
        choice.select(Some("q".into()));
        assert_eq!(choice.take(epoch(), "f", false, None), Show);
        assert_eq!(choice.take(epoch(), "q", false, None), Await);
        choice.select(Some("f".into()));
        assert_eq!(choice.take(epoch(), "f", false, None), Show);
        assert_eq!(choice.take(epoch(), "q", true, Q), Leave);
        choice.select(Some("q".into()));
        assert_eq!(choice.take(epoch() + ms(5000), "q", true, Q), Switch);
        assert_eq!(choice.take(epoch() + ms(5000), "f", true, F), Leave);
        choice.select(None);
        assert_eq!(choice.take(epoch() + ms(5010), "f", false, None), Await);
        for number in 0..100 {
            choice.take(epoch(), &number.to_string(), false, None);
        }
        assert_eq!(choice.known.len(), MAX_LAYERS);
    }
}
