//! How far the gathering of local candidates is, per transport and in sum.

use crate::state::{IceGathererState, IceGatheringState};

/// The gathering of one transport's candidates.
///
/// ```text
///   New ──begin──▶ Gathering ──end──▶ Complete ──describe (other credentials)──▶ wanted again
/// ```
#[derive(Debug)]
pub(super) struct Gathering {
    state: IceGathererState,
    /// The generation that the local description names.
    ufrag: String,
    /// The generations whose candidates have been announced: of the local description, and of the
    /// one that a rollback returns to.
    announced: Vec<String>,
    /// The generation for which servers are being asked.
    under_way: Option<String>,
}

impl Default for Gathering {
    fn default() -> Self {
        Self {
            state: IceGathererState::New,
            ufrag: String::new(),
            announced: Vec::new(),
            under_way: None,
        }
    }
}

impl Gathering {
    /// A local description names the generation `ufrag`; `committed` is the one in use.
    pub(super) fn describe(&mut self, ufrag: &str, committed: Option<&str>) {
        if self.ufrag != ufrag {
            ufrag.clone_into(&mut self.ufrag);
        }
        self.announced
            .retain(|known| known == ufrag || Some(known.as_str()) == committed);
        let goes_on = self.under_way.as_deref() == Some(ufrag);
        if self.state == IceGathererState::Gathering && !self.is_wanted() && !goes_on {
            // A rollback took back what was being gathered, or was about to be.
            self.state = IceGathererState::Complete;
            self.under_way = None;
        }
    }

    /// Whether the candidates of the generation that is described have not been announced.
    pub(super) fn is_wanted(&self) -> bool {
        !self.announced.contains(&self.ufrag)
    }

    /// Whether that is news.
    pub(super) fn begin(&mut self) -> bool {
        let before = std::mem::replace(&mut self.state, IceGathererState::Gathering);
        before != IceGathererState::Gathering
    }

    /// The candidates of the generation that is described are under way, until the
    /// [end](Self::end).
    pub(super) fn mark_under_way(&mut self) {
        self.under_way = Some(self.ufrag.clone());
        self.mark_announced();
    }

    fn mark_announced(&mut self) {
        if self.is_wanted() {
            self.announced.push(self.ufrag.clone());
        }
    }

    pub(super) fn end(&mut self) {
        self.state = IceGathererState::Complete;
        self.under_way = None;
        self.mark_announced();
    }

    pub(super) fn state(&self) -> IceGathererState {
        self.state
    }
}

/// [WebRTC §4.3.2](https://www.w3.org/TR/webrtc/#rtcicegatheringstate-enum).
pub(super) fn sum(states: impl Iterator<Item = IceGathererState> + Clone) -> IceGatheringState {
    let mut all = states.clone();
    if states.clone().any(|it| it == IceGathererState::Gathering) {
        IceGatheringState::Gathering
    } else if states.clone().next().is_none() || all.any(|it| it == IceGathererState::New) {
        IceGatheringState::New
    } else {
        IceGatheringState::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_follows_the_specification() {
        use IceGathererState as One;
        use IceGatheringState as Sum;
        for (states, expected) in [
            (&[][..], Sum::New),
            (&[One::New], Sum::New),
            (&[One::New, One::Complete], Sum::New),
            (&[One::New, One::Gathering], Sum::Gathering),
            (&[One::Complete, One::Gathering], Sum::Gathering),
            (&[One::Complete, One::Complete], Sum::Complete),
        ] {
            assert_eq!(sum(states.iter().copied()), expected, "{states:?}");
        }
    }

    #[test]
    fn each_generation_is_wanted_once_and_a_rollback_wants_nothing() {
        let mut gathering = Gathering::default();
        gathering.describe("one1", None);
        assert!(gathering.is_wanted());
        gathering.begin();
        gathering.end();
        gathering.describe("one1", Some("one1"));
        assert!(!gathering.is_wanted());
        gathering.describe("two2", Some("one1"));
        assert!(gathering.is_wanted());
        gathering.begin();
        gathering.describe("one1", Some("one1"));
        assert!(!gathering.is_wanted());
        assert_eq!(gathering.state(), IceGathererState::Complete);
        // A rollback ends what is being gathered; an answer does not.
        for (ufrag, state) in [
            ("one1", IceGathererState::Complete),
            ("two2", IceGathererState::Gathering),
        ] {
            gathering.describe("two2", Some("one1"));
            gathering.begin();
            gathering.mark_under_way();
            gathering.describe(ufrag, Some(ufrag));
            assert_eq!(gathering.state(), state);
        }
        // What is forgotten is bounded.
        for n in 0..100 {
            gathering.describe(&format!("gen{n}"), Some("two2"));
            gathering.end();
        }
        assert!(gathering.announced.len() <= 2);
    }
}
