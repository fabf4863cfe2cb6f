//! The encodings of one sender, from its making through offers, answers and rollback.

use pc_sdp::PayloadType;

use super::validate::{
    Call, check_codecs, check_finite, check_members, check_rids, check_scalability,
    drop_members_of_video,
};
use super::{DegradationPreference, EncodingParameters, RtcpParameters, SendParameters};
use crate::codec::{Codec, CodecParameters, receivable};
use crate::extension::HeaderExtension;
use crate::{Error, MediaKind};

/// W3C §5.1, "maxN": a picture in eight sizes is more than any peer asks for; audio has no sizes.
const fn max_encodings(kind: MediaKind) -> usize {
    match kind {
        MediaKind::Audio => 1,
        MediaKind::Video => 8,
    }
}

/// `[[SendEncodings]]` and `[[LastReturnedParameters]]` of a sender (W3C §5.2). There is always at
/// least one encoding.
///
/// ```text
///                  propose (an offer that wants simulcast)
///   one, no rid  ─────────────────────────────────────────▶  some, each with a rid
///                ◀─────────────────────────────────────────   │  ▲
///                  roll_back (before the answer)              └──┘ narrow (an answer): fewer,
///                                                                  never more again
/// ```
#[derive(Debug, Clone)]
pub(crate) struct SendEncodings {
    kind: MediaKind,
    encodings: Vec<EncodingParameters>,
    degradation_preference: Option<DegradationPreference>,
    last_returned: Option<SendParameters>,
}

impl SendEncodings {
    /// `addTransceiver`'s `sendEncodings` (W3C §5.1); `codecs` are what `getCapabilities` of the
    /// sender lists, and `can` says whether one can be sent in a scalability mode. Of more than 8 (audio: 1) those at the end are dropped.
    ///
    /// # Errors
    /// `TypeError` for rids that are no rids, the same, or not there for all; `RangeError` for
    /// numbers out of range; `OperationError` for a codec, scalability mode or
    /// `scaleResolutionDownTo` that cannot be; `InvalidModificationError` for `ptime` together
    /// with `adaptivePtime`.
    pub(crate) fn new(
        kind: MediaKind,
        init: Vec<EncodingParameters>,
        codecs: &[Codec],
        can: impl Fn(&Codec, &str) -> bool,
    ) -> Result<Self, Error> {
        let call = Call::AddTransceiver;
        let mut encodings = init;
        check_finite(&encodings)?;
        check_rids(&encodings)?;
        check_codecs(call, &encodings, |codec| codecs.contains(codec))?;
        check_scalability(call, &encodings, &codecs.iter().collect::<Vec<_>>(), can)?;
        drop_members_of_video(kind, &mut encodings);
        check_members(call, &encodings)?;
        let is_scaled = |own: &EncodingParameters| own.scale_resolution_down_by.is_some();
        let any_is_scaled = encodings.iter().any(is_scaled);
        encodings.truncate(max_encodings(kind));
        if encodings.is_empty() {
            return Ok(Self::single(kind));
        }
        if any_is_scaled {
            fill_scale(&mut encodings);
        } else if kind == MediaKind::Video {
            scale_by_powers_of_two(&mut encodings);
        }
        if let [lone] = encodings.as_mut_slice() {
            lone.rid = None;
        }
        Ok(Self::from_encodings(kind, encodings))
    }

    /// What a sender has that was made without `sendEncodings` (W3C §5.2, "create an RTCRtpSender").
    pub(crate) fn single(kind: MediaKind) -> Self {
        let mut encodings = vec![EncodingParameters::default()];
        if kind == MediaKind::Video {
            fill_scale(&mut encodings);
        }
        Self::from_encodings(kind, encodings)
    }

    fn from_encodings(kind: MediaKind, encodings: Vec<EncodingParameters>) -> Self {
        Self {
            kind,
            encodings,
            degradation_preference: None,
            last_returned: None,
        }
    }

    /// The encodings in the order of simulcast.
    pub(crate) fn encodings(&self) -> &[EncodingParameters] {
        &self.encodings
    }

    /// Whether there is more than one stream, each with a rid: what an offer says in `a=simulcast`
    /// (W3C §4.4.2).
    pub(crate) fn is_simulcast(&self) -> bool {
        self.rids().nth(1).is_some()
    }

    /// The rids, in order.
    pub(crate) fn rids(&self) -> impl Iterator<Item = &str> {
        self.encodings.iter().filter_map(|own| own.rid.as_deref())
    }

    /// A remote offer would receive these streams (W3C §4.4.1.5, "proposedSendEncodings"). Only a
    /// video sender that has one encoding without rid takes them; of more than 8 those at the end
    /// are dropped. Whether they begin paused is of no account: pausing is not signalled in SDP (W3C
    /// §5.4), `active` is the application's.
    pub(crate) fn propose(&mut self, rids: &[String]) {
        let [EncodingParameters { rid: None, .. }] = self.encodings.as_slice() else {
            return;
        };
        if rids.is_empty() || self.kind == MediaKind::Audio {
            return;
        }
        let mut proposed: Vec<EncodingParameters> = Vec::new();
        for rid in rids {
            if proposed.len() == max_encodings(self.kind) {
                break;
            }
            if proposed.iter().all(|own| own.rid.as_ref() != Some(rid)) {
                proposed.push(EncodingParameters {
                    rid: Some(rid.clone()),
                    ..EncodingParameters::default()
                });
            }
        }
        scale_by_powers_of_two(&mut proposed);
        self.encodings = proposed;
        self.last_returned = None;
    }

    /// An answer, ours or the peer's, keeps these streams alone (W3C §4.4.1.5). Where it keeps none
    /// the first goes on by itself, its rid kept: simulcast that has been narrowed stays so.
    pub(crate) fn narrow(&mut self, accepted: &[String]) {
        if self.encodings.len() < 2 {
            return;
        }
        let is_kept = |own: &EncodingParameters| {
            let rid = own.rid.as_deref();
            rid.is_some_and(|rid| accepted.iter().any(|other| other == rid))
        };
        if self.encodings.iter().any(is_kept) {
            self.encodings.retain(is_kept);
        } else {
            self.encodings.truncate(1);
        }
        self.last_returned = None;
    }

    /// The offer is taken back, and with it the streams it proposed; `stable` is a copy from before
    /// the offer. What `setParameters` did meanwhile to streams that stay is not undone (W3C
    /// §4.4.1.5, `[[LastStableRidlessSendEncodings]]`).
    pub(crate) fn roll_back(&mut self, stable: &Self) {
        if stable.rids().next().is_none() && self.rids().next().is_some() {
            self.encodings.clone_from(&stable.encodings);
            self.last_returned = None;
        }
    }

    /// `getParameters` (W3C §5.2): the same as last time until that is forgotten, else with a new
    /// transaction id.
    pub(crate) fn parameters(
        &mut self,
        transaction_id: impl FnOnce() -> String,
        codecs: &[CodecParameters],
        header_extensions: &[HeaderExtension],
        rtcp: &RtcpParameters,
    ) -> SendParameters {
        let fresh = || SendParameters {
            transaction_id: transaction_id(),
            encodings: self.encodings.clone(),
            header_extensions: header_extensions.to_vec(),
            rtcp: rtcp.clone(),
            codecs: codecs.to_vec(),
            degradation_preference: self.degradation_preference,
        };
        self.last_returned.get_or_insert_with(fresh).clone()
    }

    /// `setParameters` (W3C §5.2); `implemented` is what `getCapabilities` of the sender lists, to
    /// choose from before codecs are negotiated, and `can` says whether one can be sent in a
    /// scalability mode.
    ///
    /// # Errors
    /// `InvalidStateError` without a `getParameters` that is still valid;
    /// `InvalidModificationError` for a change of what is read-only, of the number or order of
    /// encodings, and for a codec, scalability mode, `scaleResolutionDownTo` or `adaptivePtime`
    /// that cannot be; `RangeError` and `TypeError` for numbers out of range. Nothing changes then.
    pub(crate) fn set_parameters(
        &mut self,
        parameters: SendParameters,
        implemented: &[Codec],
        can: impl Fn(&Codec, &str) -> bool,
    ) -> Result<(), Error> {
        let call = Call::SetParameters;
        check_finite(&parameters.encodings)?;
        let Some(last) = &self.last_returned else {
            return Err(Error::invalid_state(
                "setParameters without getParameters in the same task",
            ));
        };
        check_read_only(last, &parameters)?;
        let SendParameters {
            mut encodings,
            codecs,
            degradation_preference,
            ..
        } = parameters;
        check_choice(call, &encodings, &codecs, implemented, can)?;
        drop_members_of_video(self.kind, &mut encodings);
        if self.kind == MediaKind::Video {
            fill_scale(&mut encodings);
        }
        check_members(call, &encodings)?;
        self.last_returned = None;
        self.encodings = encodings;
        self.degradation_preference = degradation_preference;
        Ok(())
    }

    /// The event loop has turned, or a description was applied: the next `getParameters` begins a
    /// new transaction (W3C §5.2).
    pub(crate) fn forget_last_returned(&mut self) {
        self.last_returned = None;
    }

    /// Codecs are negotiated: an encoding's own that is none of them is cleared (W3C §4.4.1.5).
    /// None negotiated, as for a sender that does not send, clears nothing.
    pub(crate) fn retain_codecs(&mut self, negotiated: &[CodecParameters]) {
        if negotiated.is_empty() {
            return;
        }
        for own in &mut self.encodings {
            let is_there =
                |codec: &Codec| negotiated.iter().any(|other| is_same(&other.codec, codec));
            own.codec.take_if(|codec| !is_there(codec));
        }
    }
}

/// W3C §5.2: what `setParameters` may not change.
fn check_read_only(last: &SendParameters, new: &SendParameters) -> Result<(), Error> {
    if new.encodings.len() != last.encodings.len() {
        let (new, last) = (new.encodings.len(), last.encodings.len());
        let message = format!("{new} encodings where there were {last}");
        return Err(Error::invalid_modification(message));
    }
    let mut rids = new.encodings.iter().zip(&last.encodings);
    let member = if new.transaction_id != last.transaction_id {
        "transactionId"
    } else if rids.any(|(new, last)| new.rid != last.rid) {
        "rid, or the order of the encodings,"
    } else if new.header_extensions != last.header_extensions {
        "headerExtensions"
    } else if new.rtcp != last.rtcp {
        "rtcp"
    } else if new.codecs != last.codecs {
        "codecs"
    } else {
        return Ok(());
    };
    let message = format!("{member} is not what getParameters returned");
    Err(Error::invalid_modification(message))
}

/// The codecs and scalability modes that `setParameters` chooses (W3C §5.2, webrtc-svc §4.2): of
/// those negotiated, where there are any. An encoding without a codec of its own is sent with the
/// first.
fn check_choice(
    call: Call,
    encodings: &[EncodingParameters],
    negotiated: &[CodecParameters],
    implemented: &[Codec],
    can: impl Fn(&Codec, &str) -> bool,
) -> Result<(), Error> {
    let own = negotiated.iter().map(|own| &own.codec);
    if negotiated.is_empty() {
        check_codecs(call, encodings, |codec| {
            implemented.iter().any(|other| is_same(other, codec))
        })?;
        return check_scalability(
            call,
            encodings,
            &implemented.iter().collect::<Vec<_>>(),
            can,
        );
    }
    check_codecs(call, encodings, |codec| {
        own.clone().any(|other| is_same(other, codec))
    })?;
    let first: Vec<_> = own.filter(|codec| codec.is_media()).take(1).collect();
    check_scalability(call, encodings, &first, can)
}

fn fill_scale(encodings: &mut [EncodingParameters]) {
    for own in encodings {
        own.scale_resolution_down_by.get_or_insert(1.0);
    }
}

/// W3C §5.1: the smallest picture first, the last in full size.
fn scale_by_powers_of_two(encodings: &mut [EncodingParameters]) {
    let mut scale = 1.0;
    for own in encodings.iter_mut().rev() {
        own.scale_resolution_down_by = Some(scale);
        scale *= 2.0;
    }
}

/// The codec dictionary match of W3C §5.3.1 that passes over what may differ between the directions.
/// A line of parameters that is left out counts as an empty one: peers say of VP8, or do not say,
/// how large a picture they take.
pub(crate) fn is_same(first: &Codec, second: &Codec) -> bool {
    // Any number will do: only rtx and red refer to one, and neither is chosen to send with.
    let Some(payload_type) = PayloadType::new(0) else {
        return false;
    };
    let of = |codec: &Codec| {
        [CodecParameters {
            payload_type,
            codec: codec.clone(),
            feedback: Vec::new(),
        }]
    };
    first == second || !receivable(&of(first), &of(second)).is_empty()
}
