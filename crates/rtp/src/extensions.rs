//! Header extensions as values, and how they are written.

use pc_proto::{WriteError, Writer};

use crate::{
    ExtensionMap, ExtensionUri as U,
    extension_view::{Form, ONE_BYTE, TWO_BYTE},
    values::{AbsCaptureTime, AbsSendTime, AudioLevel, PlayoutDelay, VideoOrientation},
};

/// The header extensions of a packet. Those that nobody has typed are raw bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extensions<'a> {
    /// The m-section it belongs to.
    pub mid: Option<&'a str>,
    /// The simulcast stream it belongs to.
    pub rid: Option<&'a str>,
    /// The simulcast stream it repairs.
    pub repaired_rid: Option<&'a str>,
    /// How loud it is.
    pub audio_level: Option<AudioLevel>,
    /// How loud each contributing source is: a byte each, in the order of the CSRCs; the low seven
    /// bits are the level (RFC 6465 §3).
    pub csrc_audio_levels: Option<&'a [u8]>,
    /// When it left.
    pub abs_send_time: Option<AbsSendTime>,
    /// Which packet of the transport it is.
    pub transport_sequence: Option<u16>,
    /// When it left, in ticks after its timestamp; 24 bits.
    pub transmission_offset: Option<i32>,
    /// Which way the picture is turned.
    pub orientation: Option<VideoOrientation>,
    /// How long to wait before it is played.
    pub playout_delay: Option<PlayoutDelay>,
    /// When it was captured.
    pub abs_capture_time: Option<AbsCaptureTime>,
    /// Camera (0) or screen (1).
    pub video_content_type: Option<u8>,
    /// The number of its frame.
    pub video_frame_tracking_id: Option<u16>,
    /// `video-timing`.
    pub video_timing: Option<&'a [u8]>,
    /// `color-space`.
    pub color_space: Option<&'a [u8]>,
    /// `video-layers-allocation00`.
    pub video_layers_allocation: Option<&'a [u8]>,
    /// The dependency descriptor of AV1's payload format.
    pub dependency_descriptor: Option<&'a [u8]>,
    /// `generic-frame-descriptor-00`.
    pub generic_frame_descriptor: Option<&'a [u8]>,
    /// `corruption-detection`.
    pub corruption_detection: Option<&'a [u8]>,
}

/// The longest element of the one-byte form, RFC 8285 §4.2.
const MAX_ONE_BYTE: usize = 16;

/// A value's bytes; short ones are made on the spot.
enum Bytes<'a> {
    Here([u8; 16], u8),
    There(&'a [u8]),
}

impl<'a> Bytes<'a> {
    fn text(text: &'a str) -> Self {
        Self::There(text.as_bytes())
    }

    fn of<const N: usize>(bytes: [u8; N]) -> Self {
        let mut all = [0; 16];
        for (slot, byte) in all.iter_mut().zip(bytes) {
            *slot = byte;
        }
        Self::Here(all, N.min(16) as u8)
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Here(bytes, len) => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::There(bytes) => bytes,
        }
    }
}

impl Extensions<'_> {
    /// Calls `each` for every value that has an id, until it fails.
    fn each<E>(
        &self,
        map: &ExtensionMap,
        mut each: impl FnMut(u8, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut put = |uri: U, bytes: Option<Bytes<'_>>| match bytes.zip(map.id_of(uri)) {
            Some((bytes, id)) => each(id, bytes.as_slice()),
            None => Ok(()),
        };
        put(
            U::SsrcAudioLevel,
            self.audio_level.map(|it| Bytes::of(it.write())),
        )?;
        put(
            U::AbsSendTime,
            self.abs_send_time.map(|it| Bytes::of(it.write())),
        )?;
        let sequence = self.transport_sequence.map(u16::to_be_bytes);
        put(U::TransportCc, sequence.map(Bytes::of))?;
        put(U::Mid, self.mid.map(Bytes::text))?;
        put(U::Rid, self.rid.map(Bytes::text))?;
        put(U::RepairedRid, self.repaired_rid.map(Bytes::text))?;
        put(
            U::VideoOrientation,
            self.orientation.map(|it| Bytes::of(it.write())),
        )?;
        put(
            U::PlayoutDelay,
            self.playout_delay.map(|it| Bytes::of(it.write())),
        )?;
        put(U::AbsCaptureTime, self.abs_capture_time.map(Bytes::from))?;
        let offset = self.transmission_offset.map(|offset| {
            let [_, bytes @ ..] = offset.to_be_bytes();
            Bytes::of(bytes)
        });
        put(U::TransmissionOffset, offset)?;
        put(
            U::VideoContentType,
            self.video_content_type.map(|it| Bytes::of([it])),
        )?;
        let tracking = self.video_frame_tracking_id.map(u16::to_be_bytes);
        put(U::VideoFrameTrackingId, tracking.map(Bytes::of))?;
        put(U::CsrcAudioLevel, self.csrc_audio_levels.map(Bytes::There))?;
        put(U::VideoTiming, self.video_timing.map(Bytes::There))?;
        put(U::ColorSpace, self.color_space.map(Bytes::There))?;
        put(
            U::VideoLayersAllocation,
            self.video_layers_allocation.map(Bytes::There),
        )?;
        put(
            U::DependencyDescriptor,
            self.dependency_descriptor.map(Bytes::There),
        )?;
        put(
            U::GenericFrameDescriptor,
            self.generic_frame_descriptor.map(Bytes::There),
        )?;
        put(
            U::CorruptionDetection,
            self.corruption_detection.map(Bytes::There),
        )
    }

    /// The form that all of them fit; `None` if there is nothing to write. Longer ones than a
    /// two-byte element takes are left out.
    pub(crate) fn form(&self, map: &ExtensionMap) -> Option<Form> {
        let mut form = None;
        let _ = self.each(map, |id, data| {
            let fits = (1..=14).contains(&id) && (1..=MAX_ONE_BYTE).contains(&data.len());
            if !fits {
                form = Some(Form::TwoByte);
            } else if form.is_none() {
                form = Some(Form::OneByte);
            }
            Ok::<(), ()>(())
        });
        form
    }

    /// How many bytes the extension takes in a header: 0 if there is nothing to write.
    pub fn wire_len(&self, map: &ExtensionMap) -> usize {
        let Some(form) = self.form(map) else { return 0 };
        let head = match form {
            Form::OneByte => 1,
            Form::TwoByte => 2,
        };
        let mut len: usize = 0;
        let _ = self.each(map, |_, data| {
            if data.len() <= 255 {
                len += head + data.len();
            }
            Ok::<(), ()>(())
        });
        4 + len.next_multiple_of(4)
    }

    /// Writes profile, length, elements and padding.
    pub(crate) fn write(
        &self,
        form: Form,
        map: &ExtensionMap,
        writer: &mut Writer<'_>,
    ) -> Result<(), WriteError> {
        let begin = writer.len();
        writer.u16(match form {
            Form::OneByte => ONE_BYTE,
            Form::TwoByte => TWO_BYTE,
        })?;
        writer.u16(0)?;
        self.each(map, |id, data| {
            match form {
                Form::OneByte => writer.u8(id << 4 | (data.len() as u8).wrapping_sub(1) & 0x0F)?,
                Form::TwoByte => {
                    let Ok(len) = u8::try_from(data.len()) else {
                        return Ok(());
                    };
                    writer.u8(id)?;
                    writer.u8(len)?;
                }
            }
            writer.bytes(data)
        })?;
        let len = writer.len() - begin - 4;
        writer.zeros(len.next_multiple_of(4) - len)?;
        let words = len.div_ceil(4) as u16;
        writer.patch(begin + 2, &words.to_be_bytes())
    }
}

impl From<AbsCaptureTime> for Bytes<'_> {
    fn from(time: AbsCaptureTime) -> Self {
        let [a, b, c, d, e, f, g, h] = time.capture.0.to_be_bytes();
        match time.clock_offset {
            None => Bytes::of([a, b, c, d, e, f, g, h]),
            Some(offset) => {
                let mut all = [0; 16];
                for (slot, byte) in all.iter_mut().zip(
                    [a, b, c, d, e, f, g, h]
                        .into_iter()
                        .chain(offset.to_be_bytes()),
                ) {
                    *slot = byte;
                }
                Bytes::of(all)
            }
        }
    }
}
