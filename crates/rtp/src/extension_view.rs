//! Header extensions as they come, [RFC 8285](https://www.rfc-editor.org/rfc/rfc8285).
//!
//! ```text
//!  one byte:   |  ID   | len-1 |  data …          profile 0xBEDE
//!  two bytes:  |      ID       |      len      |  data …     profile 0x100x
//! ```

use crate::{ExtensionMap, ExtensionUri, Extensions, values};

/// The profile of one-byte headers, RFC 8285 §4.2.
pub(crate) const ONE_BYTE: u16 = 0xBEDE;
/// The profile of two-byte headers, RFC 8285 §4.3; the low four bits are the application's.
pub(crate) const TWO_BYTE: u16 = 0x1000;
/// The same two, encrypted: RFC 9335 §5.1.
const CRYPTEX: [u16; 2] = [0xC0DE, 0xC2DE];

/// The header extension of a packet: an iterator of ids and data. What of it is malformed is not
/// there, nor is what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExtensionsView<'a> {
    profile: u16,
    data: &'a [u8],
}

impl<'a> ExtensionsView<'a> {
    pub(crate) const fn new(profile: u16, data: &'a [u8]) -> Self {
        Self { profile, data }
    }

    /// The 16 bits "defined by profile"; 0 without an extension.
    pub const fn profile(&self) -> u16 {
        self.profile
    }

    /// Whether this is the encrypted extension of Cryptex (RFC 9335 §5.1), which only SRTP can read.
    pub fn is_cryptex(&self) -> bool {
        CRYPTEX.contains(&self.profile)
    }

    /// How many bytes the elements have, padding included.
    pub(crate) const fn len(&self) -> usize {
        self.data.len()
    }

    /// All of them, in the order of the packet.
    pub fn iter(&self) -> Elements<'a> {
        let form = match self.profile {
            ONE_BYTE => Some(Form::OneByte),
            profile if profile & 0xFFF0 == TWO_BYTE => Some(Form::TwoByte),
            _ => None,
        };
        Elements {
            form: form.unwrap_or(Form::OneByte),
            rest: if form.is_some() { self.data } else { &[] },
        }
    }

    /// The values that this side knows of. One that is malformed is left out, and of one that is
    /// there twice the last counts.
    pub fn read(&self, map: &ExtensionMap) -> Extensions<'a> {
        let mut found = Extensions::default();
        for (id, data) in self.iter() {
            if let Some(uri) = map.uri_of(id) {
                read_one(&mut found, uri, data);
            }
        }
        found
    }
}

fn read_one<'a>(found: &mut Extensions<'a>, uri: ExtensionUri, data: &'a [u8]) {
    use ExtensionUri as U;
    match uri {
        U::SsrcAudioLevel => found.audio_level = values::AudioLevel::read(data),
        U::CsrcAudioLevel => found.csrc_audio_levels = Some(data),
        U::TransmissionOffset => found.transmission_offset = values::read_i24(data),
        U::Mid => found.mid = values::read_text(data),
        U::Rid => found.rid = values::read_text(data),
        U::RepairedRid => found.repaired_rid = values::read_text(data),
        U::AbsSendTime => found.abs_send_time = values::AbsSendTime::read(data),
        U::AbsCaptureTime => found.abs_capture_time = values::AbsCaptureTime::read(data),
        U::TransportCc | U::TransportCc02 => found.transport_sequence = values::read_u16(data),
        U::VideoOrientation => found.orientation = values::VideoOrientation::read(data),
        U::PlayoutDelay => found.playout_delay = values::PlayoutDelay::read(data),
        U::VideoContentType => found.video_content_type = data.first().copied(),
        U::VideoFrameTrackingId => found.video_frame_tracking_id = values::read_u16(data),
        U::VideoTiming => found.video_timing = Some(data),
        U::ColorSpace => found.color_space = Some(data),
        U::VideoLayersAllocation => found.video_layers_allocation = Some(data),
        U::DependencyDescriptor => found.dependency_descriptor = Some(data),
        U::GenericFrameDescriptor => found.generic_frame_descriptor = Some(data),
        U::CorruptionDetection => found.corruption_detection = Some(data),
    }
}

impl<'a> IntoIterator for ExtensionsView<'a> {
    type Item = (u8, &'a [u8]);
    type IntoIter = Elements<'a>;

    fn into_iter(self) -> Elements<'a> {
        self.iter()
    }
}

/// Which of the two forms elements have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    OneByte,
    TwoByte,
}

/// The elements of a header extension, each with its id.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    form: Form,
    rest: &'a [u8],
}

impl Elements<'_> {
    /// How many bytes have not been looked at.
    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (&first, rest) = self.rest.split_first()?;
            self.rest = rest;
            // RFC 8285 §4.1.1: a byte of 0 is padding.
            if first == 0 {
                continue;
            }
            let (id, len) = match self.form {
                Form::OneByte => (first >> 4, usize::from(first & 0x0F) + 1),
                Form::TwoByte => {
                    let (&len, rest) = self.rest.split_first()?;
                    self.rest = rest;
                    (first, usize::from(len))
                }
            };
            if self.form == Form::OneByte && (id == 15 || id == 0) {
                // §4.2: id 15 ends the extension; id 0 with a length is no element.
                self.rest = &[];
                return None;
            }
            let Some((data, rest)) = self.rest.split_at_checked(len) else {
                self.rest = &[];
                return None;
            };
            self.rest = rest;
            return Some((id, data));
        }
    }
}
