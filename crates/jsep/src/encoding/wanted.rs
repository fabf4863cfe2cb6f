//! The simulcast that we ask a peer for (RFC 8853 §5.3).

use std::collections::HashSet;

use pc_sdp::Word;

use super::{
    simulcast::{RemoteRid, RidAlternatives},
    validate::is_rid,
};
use crate::Error;

/// As many streams as are received of one section.
const MAX_WANTED: usize = 8;

/// The streams of these rids, in their order, without restrictions.
///
/// # Errors
/// `TypeError`: what is no rid, or is there twice, or too many.
pub(crate) fn wanted_streams(rids: &[String]) -> Result<Vec<RidAlternatives>, Error> {
    if rids.len() > MAX_WANTED {
        let count = rids.len();
        return Err(Error::type_error(format!(
            "{count} layers are more than {MAX_WANTED}"
        )));
    }
    let mut seen = HashSet::new();
    let mut streams = Vec::with_capacity(rids.len());
    for rid in rids {
        let word = Word::new(rid.as_str()).ok();
        let id = word.filter(|_| is_rid(rid) && seen.insert(rid));
        let wrong = || Error::type_error(format!("rid {rid:?} is none, or is there twice"));
        streams.push(vec![RemoteRid {
            id: id.ok_or_else(wrong)?,
            paused: false,
            payload_types: Vec::new(),
            restrictions: String::new(),
        }]);
    }
    Ok(streams)
}
