//! Reading the payload types of a section.

use std::collections::BTreeMap;

use pc_sdp::{Feedback, Format, MediaDescription, MediaKind, PayloadType, Rtpmap};

use super::payload_type::LOOKS_LIKE_RTCP;
use super::{Codec, CodecParameters};
use crate::Error;

/// A media subtype's name has at most so many characters (RFC 6838 §4.2).
const MAX_NAME: usize = 127;

/// The most kinds of feedback kept for one payload type, and how long one may be: more than anyone
/// has. They bound what `a=rtcp-fb:*`, kept once for every payload type, makes of a description.
const MAX_FEEDBACK: usize = 16;
const MAX_FEEDBACK_LEN: usize = 32;

/// The payload types of a section as the peer writes them, most wanted first. One whose meaning is
/// not said, in the description or by RFC 3551, is passed over.
///
/// # Errors
/// `InvalidAccessError` for a payload type that looks like RTCP on a shared port (RFC 5761 §4),
/// and for one that is mapped to two codecs.
pub(crate) fn read_codecs(media: &MediaDescription) -> Result<Vec<CodecParameters>, Error> {
    let mut section = Section::default();
    for payload_type in media.head.formats.payload_types() {
        section.list(*payload_type);
    }
    if media.has(&pc_sdp::Attribute::RtcpMux) {
        section.check_rtcp_mux()?;
    }
    for rtpmap in media.rtpmaps() {
        section.map(media.kind(), rtpmap)?;
    }
    for fmtp in media.fmtps() {
        section.add_parameters(&fmtp.format, &fmtp.parameters);
    }
    for rtcp_fb in media.rtcp_fbs() {
        section.add_feedback(&rtcp_fb.format, &rtcp_fb.feedback);
    }
    Ok(section.into_codecs(media.kind()))
}

/// The payload types of a section while it is read.
#[derive(Default)]
struct Section {
    order: Vec<PayloadType>,
    entries: BTreeMap<PayloadType, Entry>,
}

#[derive(Default)]
struct Entry {
    mapping: Mapping,
    line: Option<String>,
    feedback: Vec<Feedback>,
}

#[derive(Default)]
enum Mapping {
    /// No `a=rtpmap`.
    #[default]
    Unsaid,
    /// An `a=rtpmap` that is no codec.
    Nothing,
    Codec(Codec),
}

impl Section {
    fn list(&mut self, payload_type: PayloadType) {
        if !self.entries.contains_key(&payload_type) {
            self.order.push(payload_type);
            self.entries.insert(payload_type, Entry::default());
        }
    }

    fn check_rtcp_mux(&self) -> Result<(), Error> {
        let like_rtcp = |own: &&PayloadType| LOOKS_LIKE_RTCP.contains(&own.value());
        match self.order.iter().find(like_rtcp) {
            Some(own) => Err(Error::invalid_access(format!(
                "payload type {own} must not be used with rtcp-mux (RFC 5761 section 4)"
            ))),
            None => Ok(()),
        }
    }

    fn map(&mut self, kind: &MediaKind, rtpmap: &Rtpmap) -> Result<(), Error> {
        let Some(entry) = self.entries.get_mut(&rtpmap.payload_type) else {
            return Ok(());
        };
        let codec = mapped(kind, rtpmap);
        match (&entry.mapping, codec) {
            (Mapping::Unsaid, Some(codec)) => entry.mapping = Mapping::Codec(codec),
            (Mapping::Unsaid | Mapping::Nothing, None) => entry.mapping = Mapping::Nothing,
            (Mapping::Codec(own), Some(codec)) if *own == codec => {}
            _ => {
                let number = rtpmap.payload_type;
                return Err(Error::invalid_access(format!(
                    "payload type {number} is mapped to two codecs"
                )));
            }
        }
        Ok(())
    }

    /// There should be one line for a format (RFC 8866 §6.15); where there are more, browsers
    /// take them as one.
    fn add_parameters(&mut self, format: &Format, parameters: &str) {
        let Format::PayloadType(number) = format else {
            return;
        };
        let Some(entry) = self.entries.get_mut(number) else {
            return;
        };
        match &mut entry.line {
            None => entry.line = Some(parameters.to_owned()),
            Some(line) if line == parameters => {}
            Some(line) => {
                line.push(';');
                line.push_str(parameters);
            }
        }
    }

    fn add_feedback(&mut self, format: &Format, feedback: &Feedback) {
        if feedback.as_str().len() > MAX_FEEDBACK_LEN {
            return;
        }
        match format {
            Format::PayloadType(number) => {
                if let Some(entry) = self.entries.get_mut(number) {
                    entry.add_feedback(feedback);
                }
            }
            Format::Any => {
                for entry in self.entries.values_mut() {
                    entry.add_feedback(feedback);
                }
            }
            Format::Name(_) => {}
        }
    }

    fn into_codecs(mut self, kind: &MediaKind) -> Vec<CodecParameters> {
        let codec = |payload_type: PayloadType| {
            let entry = self.entries.remove(&payload_type)?;
            let mut codec = match entry.mapping {
                Mapping::Codec(codec) => codec,
                Mapping::Unsaid => static_codec(kind, payload_type)?,
                Mapping::Nothing => return None,
            };
            codec.sdp_fmtp_line = entry.line;
            Some(CodecParameters {
                payload_type,
                codec,
                feedback: entry.feedback,
            })
        };
        self.order.into_iter().filter_map(codec).collect()
    }
}

impl Entry {
    fn add_feedback(&mut self, feedback: &Feedback) {
        if self.feedback.len() < MAX_FEEDBACK && !self.feedback.contains(feedback) {
            self.feedback.push(feedback.clone());
        }
    }
}

/// What `a=rtpmap` says, if that is a codec.
fn mapped(kind: &MediaKind, rtpmap: &Rtpmap) -> Option<Codec> {
    let name = rtpmap.encoding.as_str();
    if name.len() > MAX_NAME || rtpmap.clock_rate == 0 {
        return None;
    }
    let channels = match (kind, &rtpmap.parameters) {
        (MediaKind::Audio, Some(channels)) => {
            Some(channels.parse().ok().filter(|channels| *channels > 0)?)
        }
        (MediaKind::Audio, None) => Some(1),
        _ => None,
    };
    Some(codec(kind, name, rtpmap.clock_rate, channels))
}

fn codec(kind: &MediaKind, name: &str, clock_rate: u32, channels: Option<u16>) -> Codec {
    Codec {
        mime_type: format!("{}/{name}", kind.as_str()),
        clock_rate,
        channels,
        sdp_fmtp_line: None,
    }
}

/// The payload types that need no `a=rtpmap` (RFC 3551 §6, tables 4 and 5).
fn static_codec(kind: &MediaKind, payload_type: PayloadType) -> Option<Codec> {
    let number = payload_type.value();
    if *kind == MediaKind::Video {
        let name = match number {
            25 => "CelB",
            26 => "JPEG",
            28 => "nv",
            31 => "H261",
            32 => "MPV",
            33 => "MP2T",
            34 => "H263",
            _ => return None,
        };
        return Some(codec(kind, name, 90_000, None));
    }
    let (name, clock_rate, channels) = match number {
        0 => ("PCMU", 8_000, 1),
        3 => ("GSM", 8_000, 1),
        4 => ("G723", 8_000, 1),
        5 => ("DVI4", 8_000, 1),
        6 => ("DVI4", 16_000, 1),
        7 => ("LPC", 8_000, 1),
        8 => ("PCMA", 8_000, 1),
        9 => ("G722", 8_000, 1),
        10 => ("L16", 44_100, 2),
        11 => ("L16", 44_100, 1),
        12 => ("QCELP", 8_000, 1),
        13 => ("CN", 8_000, 1),
        14 => ("MPA", 90_000, 1),
        15 => ("G728", 8_000, 1),
        16 => ("DVI4", 11_025, 1),
        17 => ("DVI4", 22_050, 1),
        18 => ("G729", 8_000, 1),
        _ => return None,
    };
    (*kind == MediaKind::Audio).then(|| codec(kind, name, clock_rate, Some(channels)))
}
