//! A packet that is to be sent on, read once for all who get it.

use crate::Arrived;
use pc_proto::{ParseError, Serial16, Serial32};
use pc_rtp::{
    PacketView,
    dependency::DependencyDescriptorView,
    payload::{Format, Vp8Descriptor, Vp9Descriptor, inspect},
};

/// What a [`Rewriter`](super::Rewriter) has to know of a packet.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    pub(super) sequence_number: Serial16,
    pub(super) timestamp: Serial32,
    pub(super) marker: bool,
    pub(super) payload: &'a [u8],
    pub(super) begins_key_frame: bool,
    pub(super) descriptor: Descriptor,
    pub(super) dependencies: Option<DependencyDescriptorView<'a>>,
}

/// What stands before the payload.
#[derive(Debug, Clone, Copy)]
pub(super) enum Descriptor {
    /// Nothing that has numbers.
    Plain,
    Vp8(Vp8Descriptor),
    Vp9(Vp9Descriptor),
}

impl<'a> Incoming<'a> {
    /// Of a packet in the clear, which is not a retransmission of RFC 4588.
    ///
    /// `dependencies` is what a [`DependencyReader`](pc_rtp::dependency::DependencyReader) of the stream
    /// has read, where the extension was negotiated. With it the payload may be encrypted end to end,
    /// but for the descriptors of VP8 and VP9.
    ///
    /// # Errors
    ///
    /// The payload is not of this format.
    pub fn of_packet(
        format: Format,
        packet: &PacketView<'a>,
        dependencies: Option<DependencyDescriptorView<'a>>,
    ) -> Result<Self, ParseError> {
        Self {
            sequence_number: packet.sequence_number(),
            timestamp: packet.timestamp(),
            marker: packet.marker(),
            payload: packet.payload(),
            begins_key_frame: false,
            descriptor: Descriptor::Plain,
            dependencies,
        }
        .read(format)
    }

    /// Of a packet of which no more has been kept than this.
    ///
    /// # Errors
    ///
    /// The payload is not of this format.
    pub fn of_payload(
        format: Format,
        sequence_number: Serial16,
        timestamp: Serial32,
        marker: bool,
        payload: &'a [u8],
    ) -> Result<Self, ParseError> {
        Self {
            sequence_number,
            timestamp,
            marker,
            payload,
            begins_key_frame: false,
            descriptor: Descriptor::Plain,
            dependencies: None,
        }
        .read(format)
    }

    /// Of a packet that a [`Session`](crate::Session) took; retransmissions are what they repeat.
    ///
    /// # Errors
    ///
    /// The payload is not of this format.
    pub fn of_arrived(
        format: Format,
        arrived: &Arrived<'a>,
        dependencies: Option<DependencyDescriptorView<'a>>,
    ) -> Result<Self, ParseError> {
        Self {
            sequence_number: arrived.sequence_number,
            timestamp: arrived.packet.timestamp(),
            marker: arrived.packet.marker(),
            payload: arrived.payload,
            begins_key_frame: false,
            descriptor: Descriptor::Plain,
            dependencies,
        }
        .read(format)
    }

    fn read(mut self, format: Format) -> Result<Self, ParseError> {
        // Packets that are all padding are of no format.
        if self.payload.is_empty() {
            return Ok(self);
        }
        match format {
            Format::Vp8 => self.descriptor = Descriptor::Vp8(Vp8Descriptor::parse(self.payload)?),
            Format::Vp9 => self.descriptor = Descriptor::Vp9(Vp9Descriptor::parse(self.payload)?),
            _ => {}
        }
        self.begins_key_frame = match &self.dependencies {
            Some(view) => view.template_structure().is_some() && view.starts_frame(),
            None if format.is_audio() => true,
            None => {
                let info = inspect(format, self.payload)?;
                // H.264 and H.265 do not mark the start of a frame; a key frame's parameter sets,
                // which tell its size, come before its slices.
                let starts = info.starts_frame.unwrap_or(info.size.is_some());
                starts && info.is_key_frame == Some(true)
            }
        };
        Ok(self)
    }

    /// The sequence number it came with.
    pub const fn sequence_number(&self) -> Serial16 {
        self.sequence_number
    }

    /// The timestamp it came with.
    pub const fn timestamp(&self) -> Serial32 {
        self.timestamp
    }

    /// The payload, as it came; empty if the packet is all padding.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Whether it is the first packet of a key frame: one can switch to its encoding here.
    pub const fn begins_key_frame(&self) -> bool {
        self.begins_key_frame
    }

    /// The dependency descriptor that it was given with.
    pub const fn dependencies(&self) -> Option<&DependencyDescriptorView<'a>> {
        self.dependencies.as_ref()
    }
}
