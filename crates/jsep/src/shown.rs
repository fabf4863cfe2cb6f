//! Which ICE credentials an own m-section shows.

use crate::{IceCredentials, Session, agreement::LocalTransport};

impl Session {
    /// Those of its transport; but a section that has joined a bundle goes on showing those that it
    /// had on its own, until ICE restarts. Nobody uses them: RFC 9143 §7.1.3 has those of the tagged
    /// section count. But Firefox looks at every section for itself, takes one whose credentials
    /// change for a partial restart, and refuses that.
    ///
    /// `is_tagged`: whether the section is the tagged one of the description that is written.
    pub(crate) fn shown_credentials<'a>(
        &'a self,
        index: usize,
        mid: &str,
        is_tagged: bool,
        local: &'a LocalTransport,
    ) -> &'a IceCredentials {
        let kept = match is_tagged {
            true => None,
            false => self.kept_credentials(index, mid, local),
        };
        kept.unwrap_or(&local.credentials)
    }

    fn kept_credentials(
        &self,
        index: usize,
        mid: &str,
        local: &LocalTransport,
    ) -> Option<&IceCredentials> {
        let described = self.descriptions.current_local.as_ref()?;
        let shown = described.sections.get(index).filter(|it| !it.rejected)?;
        let runs_on = described.tagged(index)?.transport.ice.as_ref();
        let restarts = runs_on != Some(&local.credentials);
        let shown = shown
            .transport
            .ice
            .as_ref()
            .filter(|_| shown.mid.as_deref() == Some(mid));
        shown.filter(|_| !restarts)
    }
}
