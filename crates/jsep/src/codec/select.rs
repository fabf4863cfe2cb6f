//! The capabilities that a section may use, in order of preference.

use super::identity::{Identity, identities};
use super::{Codec, CodecCapability, KindCapabilities};

/// A capability that may be used.
pub(super) struct Selected<'a> {
    pub(super) capability: &'a CodecCapability,
    pub(super) identity: Identity,
}

/// Those of `all` that fit the direction and the preferences, in order of preference, each rtx
/// behind what it repairs. One that refers to what is not selected is left out, and so is a second
/// one that means the same.
///
/// W3C createOffer: a section that sends has no codec that cannot be sent, one that receives none
/// that cannot be received.
pub(super) fn select<'a>(
    all: &'a KindCapabilities,
    preferences: Option<&[Codec]>,
    sends: bool,
    receives: bool,
) -> Vec<Selected<'a>> {
    let fits = |own: &&CodecCapability| (own.send || !sends) && (own.receive || !receives);
    let usable: Vec<_> = all.codecs.iter().filter(fits).collect();
    let wanted = match preferences {
        Some(preferences) => preferred(&usable, preferences),
        None => usable,
    };
    let numbered: Vec<_> = wanted
        .iter()
        .map(|own| (own.payload_type, &own.codec))
        .collect();
    let mut selected: Vec<Selected<'a>> = Vec::new();
    for (capability, identity) in wanted.into_iter().zip(identities(&numbered)) {
        let Some(identity) = identity else { continue };
        if selected.iter().all(|other| other.identity != identity) {
            selected.push(Selected {
                capability,
                identity,
            });
        }
    }
    rtx_behind(selected)
}

fn preferred<'a>(
    usable: &[&'a CodecCapability],
    preferences: &[Codec],
) -> Vec<&'a CodecCapability> {
    let shown: Vec<_> = usable.iter().map(|own| own.shown()).collect();
    let same_as = |preference: &Codec| {
        let same = usable.iter().zip(&shown);
        let same = same.filter(|(_, own)| *own == preference);
        same.map(|(own, _)| *own).collect::<Vec<_>>()
    };
    preferences.iter().flat_map(same_as).collect()
}

/// Moves every rtx behind what it repairs.
pub(super) fn rtx_behind(selected: Vec<Selected<'_>>) -> Vec<Selected<'_>> {
    let (mut rtx, others): (Vec<_>, Vec<_>) =
        selected.into_iter().partition(|own| own.identity.is_rtx());
    let mut ordered = Vec::with_capacity(rtx.len() + others.len());
    for codec in others {
        let repair = rtx
            .iter()
            .position(|own| own.identity.repairs(&codec.identity));
        ordered.push(codec);
        ordered.extend(repair.map(|index| rtx.swap_remove(index)));
    }
    ordered
}
