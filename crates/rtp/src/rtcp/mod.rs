//! RTCP: what peers tell each other about their streams.
//!
//! | file | packets |
//! |---|---|
//! | `compound` | packets one after another, in full or reduced size (RFC 3550 §6.1, RFC 5506) |
//! | `report` | sender and receiver reports (RFC 3550 §6.4) |
//! | `sdes`, `bye`, `app` | RFC 3550 §6.5 to §6.7 |
//! | `nack`, `key_frame`, `remb` | RFC 4585, RFC 5104, draft-alvestrand-rmcat-remb |
//! | `transport_feedback` | draft-holmer-rmcat-transport-wide-cc-extensions |
//! | `congestion_feedback` | RFC 8888 |
//! | `xr` | RFC 3611 |

mod app;
mod bye;
mod compound;
mod congestion_feedback;
mod key_frame;
mod nack;
mod remb;
mod report;
mod sdes;
mod transport_feedback;
mod xr;

pub use app::AppView;
pub use bye::{Bye, ByeView};
pub use compound::{Compound, Packet, Packets, UnknownView};
pub use congestion_feedback::{
    Arrival, CongestionFeedback, CongestionFeedbackView, Ecn, StreamArrivals, StreamArrivalsView,
};
pub use key_frame::{Fir, FirEntry, FirView, Pli};
pub use nack::{Nack, NackView};
pub use remb::{Remb, RembView};
pub use report::{ReceiverReport, ReceiverReportView, ReportBlock, SenderReport, SenderReportView};
pub use sdes::{Sdes, SdesChunkView, SdesItem, SdesView};
pub use transport_feedback::{PacketStatus, TransportFeedback, TransportFeedbackView};
pub use xr::{Dlrr, XrBlock, XrView, write_dlrr, write_receiver_reference_time};

use pc_proto::{WriteError, Writer};

/// Packet types, IANA "RTCP Control Packet Types".
pub(crate) mod packet_type {
    pub(crate) const SENDER_REPORT: u8 = 200;
    pub(crate) const RECEIVER_REPORT: u8 = 201;
    pub(crate) const SDES: u8 = 202;
    pub(crate) const BYE: u8 = 203;
    pub(crate) const APP: u8 = 204;
    /// RFC 4585 §6.2: transport layer feedback.
    pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
    /// RFC 4585 §6.3: payload-specific feedback.
    pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;
    pub(crate) const XR: u8 = 207;
}

/// The bytes of the header that all packets have.
pub(crate) const HEADER_LEN: usize = 4;
/// The most that the five bits of the header count.
pub const MAX_COUNT: usize = 31;

/// Writes the header: `V=2 | P=0 | count`, packet type, and the length in words less one.
///
/// ```text
/// |V=2|P|  count  |      PT       |             length            |
/// ```
pub(crate) fn write_header(
    writer: &mut Writer<'_>,
    count: usize,
    packet_type: u8,
    wire_len: usize,
) -> Result<(), WriteError> {
    writer.u8(0x80 | (count & MAX_COUNT) as u8)?;
    writer.u8(packet_type)?;
    writer.u16((wire_len / 4).saturating_sub(1) as u16)
}
