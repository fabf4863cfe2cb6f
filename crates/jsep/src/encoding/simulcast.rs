//! `a=rid` (RFC 8851) and `a=simulcast` (RFC 8853) of a section.

use std::collections::{HashMap, HashSet};

use pc_sdp::{
    Attribute, MediaDescription, PayloadType, Rid, RidDirection, Simulcast, SimulcastId,
    SimulcastStreams, Text, Word,
};

use super::{RidRestrictions, SendEncodings};
use crate::Error;

/// How many `a=rid` lines, and how many rids in `a=simulcast`, a section may have. Peers use three
/// to six; a description is not a place to store more.
const MAX_RIDS: usize = 64;

/// RFC 8285 §4.3: what a header extension of two bytes carries at most; a longer rid cannot be sent.
const MAX_RID_LEN: usize = 255;

/// RFC 8851 §5: the restrictions of a stream we would send that we know the meaning of.
const KNOWN_RESTRICTIONS: [&str; 7] = [
    "max-width",
    "max-height",
    "max-fps",
    "max-fs",
    "max-br",
    "max-pps",
    "max-bpp",
];

/// The simulcast that the other side offers or accepts, as it sees it: `send` comes from it, `recv`
/// goes to it. What it says of a rid without a valid `a=rid` line is left out, as if it had not been
/// there (RFC 8853 §5.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RemoteSimulcast {
    /// The streams it sends, in order.
    pub(crate) send: Vec<RidAlternatives>,
    /// The streams it receives, in order.
    pub(crate) recv: Vec<RidAlternatives>,
}

/// The alternatives of one stream, most wanted first; never empty.
pub(crate) type RidAlternatives = Vec<RemoteRid>;

/// One alternative of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteRid {
    /// The rid.
    pub(crate) id: Word,
    /// Whether it begins paused; an answer that receives it says the same.
    pub(crate) paused: bool,
    /// The payload types it is restricted to, those that the section has; all if none.
    pub(crate) payload_types: Vec<PayloadType>,
    /// Its other restrictions as they are spelled, `max-width=1280;max-fps=30`; empty if none.
    pub(crate) restrictions: String,
}

impl RemoteSimulcast {
    /// The first alternative of every stream that is received: what an offer of the peer proposes to
    /// send, for [`SendEncodings::propose`], and what its answer accepts, for
    /// [`SendEncodings::narrow`].
    pub(crate) fn accepted_rids(&self) -> Vec<String> {
        first_rids(&self.recv)
    }

    /// What may be sent of the streams that are received, by the rids of those that are restricted.
    pub(crate) fn restrictions(&self) -> Vec<(String, RidRestrictions)> {
        let first = self.recv.iter().filter_map(|stream| stream.first());
        let is_restricted =
            |rid: &&RemoteRid| !rid.restrictions.is_empty() || !rid.payload_types.is_empty();
        let read = |rid: &RemoteRid| {
            let types = rid.payload_types.clone();
            (
                rid.id.to_string(),
                RidRestrictions::read(&rid.restrictions, types),
            )
        };
        first.filter(is_restricted).map(read).collect()
    }

    /// The first alternative of every stream that is sent: of our own answer, for [`SendEncodings::narrow`].
    pub(crate) fn sent_rids(&self) -> Vec<String> {
        first_rids(&self.send)
    }
}

fn first_rids(streams: &[RidAlternatives]) -> Vec<String> {
    let first = streams.iter().filter_map(|stream| stream.first());
    first.map(|rid| rid.id.to_string()).collect()
}

/// Reads the simulcast of a section; `None` where it has none. The payload types of `pt=` are looked
/// up in the `m=` line.
///
/// # Errors
/// `InvalidAccessError` where there are more rids than anyone needs.
pub(crate) fn read_simulcast(media: &MediaDescription) -> Result<Option<RemoteSimulcast>, Error> {
    let rids = valid_rids(media)?;
    let Some(simulcast) = media.simulcast() else {
        return Ok(None);
    };
    let mut reader = Reader {
        rids,
        seen: HashSet::new(),
        count: 0,
        media,
    };
    let read = RemoteSimulcast {
        send: reader.streams(simulcast.send.as_ref(), RidDirection::Send)?,
        recv: reader.streams(simulcast.recv.as_ref(), RidDirection::Recv)?,
    };
    Ok((read != RemoteSimulcast::default()).then_some(read))
}

/// The `a=rid` lines by their id. Where an id is there twice, none of its lines counts (RFC 8851
/// §6.2.2 step 1).
fn valid_rids(media: &MediaDescription) -> Result<HashMap<&str, Option<&Rid>>, Error> {
    let mut rids = HashMap::new();
    for (index, rid) in media.rids().enumerate() {
        if index == MAX_RIDS {
            return Err(too_many(media, "a=rid lines", media.rids().count()));
        }
        let is_known = rids.contains_key(rid.id.as_str());
        let is_usable = !is_known && rid.id.len() <= MAX_RID_LEN;
        rids.insert(rid.id.as_str(), is_usable.then_some(rid));
    }
    Ok(rids)
}

fn too_many(media: &MediaDescription, what: &str, count: usize) -> Error {
    let mid = media.mid().map_or("without mid", |mid| mid.as_str());
    Error::invalid_access(format!(
        "section {mid} has {count} {what}, more than {MAX_RIDS}"
    ))
}

struct Reader<'a> {
    rids: HashMap<&'a str, Option<&'a Rid>>,
    seen: HashSet<&'a str>,
    count: usize,
    media: &'a MediaDescription,
}

impl<'a> Reader<'a> {
    fn streams(
        &mut self,
        streams: Option<&'a SimulcastStreams>,
        direction: RidDirection,
    ) -> Result<Vec<RidAlternatives>, Error> {
        let mut read = Vec::new();
        for stream in streams.into_iter().flat_map(SimulcastStreams::iter) {
            let mut alternatives = RidAlternatives::new();
            for id in stream {
                self.count += 1;
                if self.count > MAX_RIDS {
                    return Err(self.too_many_alternatives());
                }
                alternatives.extend(self.alternative(id, direction));
            }
            if !alternatives.is_empty() {
                read.push(alternatives);
            }
        }
        Ok(read)
    }

    fn too_many_alternatives(&self) -> Error {
        let simulcast = self.media.simulcast();
        let both = simulcast.map(|own| [own.send.as_ref(), own.recv.as_ref()]);
        let streams = both.into_iter().flatten().flatten();
        let count = streams.flat_map(SimulcastStreams::iter).flatten().count();
        too_many(self.media, "rids in a=simulcast", count)
    }

    /// Of rids with the same name the first counts (W3C §4.4.1.5).
    fn alternative(&mut self, id: SimulcastId<'a>, direction: RidDirection) -> Option<RemoteRid> {
        let rid = (*self.rids.get(id.rid)?)?;
        if rid.direction != direction || !self.seen.insert(id.rid) {
            return None;
        }
        Some(RemoteRid {
            id: rid.id.clone(),
            paused: id.paused,
            payload_types: payload_types(rid, self.media)?,
            restrictions: restrictions(rid)?,
        })
    }
}

/// RFC 8851 §6.2.2 step 2: what `pt=` names and the section has; `None` where nothing is left.
fn payload_types(rid: &Rid, media: &MediaDescription) -> Option<Vec<PayloadType>> {
    if !rid.restrictions().any(|(name, _)| name == "pt") {
        return Some(Vec::new());
    }
    let have = media.head.formats.payload_types();
    let have = have.iter().fold(0_u128, |set, own| set | 1 << own.value());
    let mut left = have;
    let mut types: Vec<PayloadType> = Vec::new();
    for own in rid.payload_types() {
        let bit = 1 << own.value();
        if left & bit != 0 {
            left &= !bit;
            types.push(own);
        }
    }
    (!types.is_empty()).then_some(types)
}

/// The restrictions but `pt`. `None` where one binds us, as the sender, and we do not know it (RFC
/// 8851 §6.2.2 step 3), or where the stream depends on others: layers in streams of their own are
/// neither made nor taken.
fn restrictions(rid: &Rid) -> Option<String> {
    let mut text = String::new();
    for (name, value) in rid.restrictions().filter(|(name, _)| *name != "pt") {
        let binds_us = rid.direction == RidDirection::Recv;
        if name == "depend" || (binds_us && !is_known(name, value)) {
            return None;
        }
        if !text.is_empty() {
            text.push(';');
        }
        text.push_str(name);
        if let Some(value) = value {
            text.extend(["=", value]);
        }
    }
    Some(text)
}

fn is_known(name: &str, value: Option<&str>) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let digits = value.filter(|value| value.bytes().all(is_digit));
    let number = digits.and_then(|digits| digits.parse::<f64>().ok());
    KNOWN_RESTRICTIONS.contains(&name) && number.is_some_and(|own| own > 0.0)
}

/// What an offer says of the simulcast we send, if we do, and of what we have agreed to receive: of
/// ours every rid in the order of the encodings, without restrictions (W3C §4.4.2, RFC 9429 §5.2.1). Never with `~`: a stream that is not active
/// is one the application may turn on without a new offer (W3C §5.4).
pub(crate) fn write_offer_simulcast(
    encodings: Option<&SendEncodings>,
    received: &[RidAlternatives],
    media: &mut MediaDescription,
) {
    let encodings = encodings.filter(|own| own.is_simulcast());
    let rids = encodings.into_iter().flat_map(SendEncodings::rids);
    let rids = rids.filter_map(|rid| Word::new(rid).ok());
    let mut lines: Vec<Line> = rids.map(Line::send).collect();
    let received = received.iter().filter_map(|own| own.first().cloned());
    lines.extend(received.filter_map(|rid| Line::receive(rid, media)));
    write_simulcast(&lines, media);
}

/// What an answer says of the simulcast that was offered (RFC 9429 §5.3.1): of what the offer would
/// receive, the first alternatives that we send, if we do; of what it sends, if `receive`, the first
/// alternatives, with their restrictions as far as our payload types, which are already in `media`,
/// allow (RFC 8851 §6.3).
pub(crate) fn write_answer_simulcast(
    encodings: Option<&SendEncodings>,
    offered: &RemoteSimulcast,
    receive: bool,
    media: &mut MediaDescription,
) {
    let first = |streams: &'_ [RidAlternatives]| -> Vec<RemoteRid> {
        streams
            .iter()
            .filter_map(|own| own.first().cloned())
            .collect()
    };
    let mut lines = Vec::new();
    if let Some(encodings) = encodings {
        let ours: HashSet<&str> = encodings.rids().collect();
        let kept = first(&offered.recv).into_iter().map(|rid| rid.id);
        lines.extend(kept.filter(|id| ours.contains(id.as_str())).map(Line::send));
    }
    if receive {
        let streams = first(&offered.send).into_iter();
        lines.extend(streams.filter_map(|rid| Line::receive(rid, media)));
    }
    write_simulcast(&lines, media);
}

/// A rid and how `a=simulcast` names it.
struct Line {
    rid: Rid,
    paused: bool,
}

impl Line {
    fn send(id: Word) -> Self {
        let rid = Rid {
            id,
            direction: RidDirection::Send,
            restrictions: None,
        };
        Self { rid, paused: false }
    }

    /// RFC 8851 §6.3: the direction turned round, the restrictions kept, payload types that the
    /// answer does not have taken out; `None` where none is left.
    fn receive(rid: RemoteRid, media: &MediaDescription) -> Option<Self> {
        let have = media.head.formats.payload_types();
        let kept = rid.payload_types.iter().filter(|own| have.contains(own));
        let kept: Vec<String> = kept.map(|own| own.value().to_string()).collect();
        if kept.is_empty() && !rid.payload_types.is_empty() {
            return None;
        }
        let types = (!kept.is_empty()).then(|| format!("pt={}", kept.join(",")));
        let others = (!rid.restrictions.is_empty()).then_some(rid.restrictions);
        let restrictions = types
            .into_iter()
            .chain(others)
            .collect::<Vec<_>>()
            .join(";");
        let restrictions = match restrictions.as_str() {
            "" => None,
            _ => Some(Text::new(restrictions).ok()?),
        };
        let own = Rid {
            id: rid.id,
            direction: RidDirection::Recv,
            restrictions,
        };
        Some(Self {
            rid: own,
            paused: rid.paused,
        })
    }
}

fn write_simulcast(lines: &[Line], media: &mut MediaDescription) {
    let streams = |direction| {
        let own = lines.iter().filter(|line| line.rid.direction == direction);
        let ids = own.map(|line| {
            [SimulcastId {
                rid: line.rid.id.as_str(),
                paused: line.paused,
            }]
        });
        SimulcastStreams::new(ids).ok()
    };
    let (send, recv) = (streams(RidDirection::Send), streams(RidDirection::Recv));
    if send.is_none() && recv.is_none() {
        return;
    }
    for line in lines {
        media.push(Attribute::Rid(line.rid.clone()));
    }
    media.push(Attribute::Simulcast(Box::new(Simulcast { send, recv })));
}
