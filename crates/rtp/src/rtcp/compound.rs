//! Packets one after another, [RFC 3550 §6.1](https://www.rfc-editor.org/rfc/rfc3550#section-6.1).

use pc_proto::{ParseError, Reader};

use super::{
    AppView, ByeView, CongestionFeedbackView, FirView, NackView, Pli, ReceiverReportView, RembView,
    SdesView, SenderReportView, TransportFeedbackView, XrView, packet_type,
};

/// What one datagram of RTCP holds. A reduced-size one (RFC 5506) need not begin with a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compound<'a> {
    bytes: &'a [u8],
}

impl<'a> Compound<'a> {
    /// Checks the headers of all packets (RFC 3550 §A.2): versions, and lengths that fill the datagram.
    ///
    /// # Errors
    ///
    /// There is none, a version is not 2, a packet is longer than what is left, or padding is not in
    /// the last one.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        loop {
            let at = reader.at();
            let raw = Raw::read(&mut reader)?;
            if reader.is_empty() {
                return Ok(Self { bytes });
            }
            if raw.is_padded {
                let what = "RTCP padding before the last packet";
                return Err(ParseError { what, at });
            }
        }
    }

    /// The packets in their order. One whose contents are malformed is an error of its own; the next
    /// can still be read.
    pub fn packets(&self) -> Packets<'a> {
        Packets {
            reader: Reader::new(self.bytes),
        }
    }
}

/// The packets of a [`Compound`].
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    reader: Reader<'a>,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        match Raw::read(&mut self.reader) {
            Ok(raw) => Some(Packet::read(raw)),
            Err(error) => {
                // Ruled out by `parse`; in any case the end.
                self.reader = Reader::new(&[]);
                Some(Err(error))
            }
        }
    }
}

/// A packet by its header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) count: u8,
    pub(super) packet_type: u8,
    pub(super) body: &'a [u8],
    is_padded: bool,
}

impl<'a> Raw<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let at = reader.at();
        let [first, packet_type] = reader.array::<2>("RTCP header")?;
        if first >> 6 != 2 {
            let what = "RTCP version other than 2";
            return Err(ParseError { what, at });
        }
        let words = reader.u16("RTCP length")?;
        let mut body = reader.bytes(usize::from(words) * 4, "RTCP packet")?;
        let is_padded = first & 0x20 != 0;
        if is_padded {
            let count = usize::from(body.last().copied().unwrap_or(0));
            let len = body.len().checked_sub(count).filter(|_| count > 0);
            let len = len.ok_or_else(|| reader.error("RTCP padding"))?;
            body = body.get(..len).unwrap_or_default();
        }
        Ok(Self {
            count: first & 0x1F,
            packet_type,
            body,
            is_padded,
        })
    }
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet<'a> {
    /// RFC 3550 §6.4.1.
    SenderReport(SenderReportView<'a>),
    /// RFC 3550 §6.4.2.
    ReceiverReport(ReceiverReportView<'a>),
    /// RFC 3550 §6.5.
    Sdes(SdesView<'a>),
    /// RFC 3550 §6.6.
    Bye(ByeView<'a>),
    /// RFC 3550 §6.7.
    App(AppView<'a>),
    /// RFC 3611.
    Xr(XrView<'a>),
    /// RFC 4585 §6.2.1.
    Nack(NackView<'a>),
    /// RFC 4585 §6.3.1.
    Pli(Pli),
    /// RFC 5104 §4.3.1.
    Fir(FirView<'a>),
    /// draft-alvestrand-rmcat-remb.
    Remb(RembView<'a>),
    /// draft-holmer-rmcat-transport-wide-cc-extensions.
    TransportFeedback(TransportFeedbackView<'a>),
    /// RFC 8888.
    CongestionFeedback(CongestionFeedbackView<'a>),
    /// Anything else.
    Unknown(UnknownView<'a>),
}

impl<'a> Packet<'a> {
    fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        use packet_type as T;
        let unknown = Self::Unknown(UnknownView {
            packet_type: raw.packet_type,
            count: raw.count,
            body: raw.body,
        });
        Ok(match (raw.packet_type, raw.count) {
            (T::SENDER_REPORT, _) => Self::SenderReport(SenderReportView::read(raw)?),
            (T::RECEIVER_REPORT, _) => Self::ReceiverReport(ReceiverReportView::read(raw)?),
            (T::SDES, _) => Self::Sdes(SdesView::read(raw)?),
            (T::BYE, _) => Self::Bye(ByeView::read(raw)?),
            (T::APP, _) => Self::App(AppView::read(raw)?),
            (T::XR, _) => Self::Xr(XrView::read(raw)?),
            (T::TRANSPORT_FEEDBACK, 1) => Self::Nack(NackView::read(raw)?),
            (T::TRANSPORT_FEEDBACK, 11) => {
                Self::CongestionFeedback(CongestionFeedbackView::read(raw)?)
            }
            (T::TRANSPORT_FEEDBACK, 15) => {
                Self::TransportFeedback(TransportFeedbackView::read(raw)?)
            }
            (T::PAYLOAD_FEEDBACK, 1) => Self::Pli(Pli::read(raw)?),
            (T::PAYLOAD_FEEDBACK, 4) => Self::Fir(FirView::read(raw)?),
            (T::PAYLOAD_FEEDBACK, 15) => match RembView::read(raw)? {
                Some(remb) => Self::Remb(remb),
                None => unknown,
            },
            _ => unknown,
        })
    }
}

/// A packet that has no type here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownView<'a> {
    /// Its packet type.
    pub packet_type: u8,
    /// The five bits of its header: a count or a format.
    pub count: u8,
    /// What follows the header, without padding.
    pub body: &'a [u8],
}
