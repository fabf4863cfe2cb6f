/// What the IP header says of congestion, [RFC 3168 §5](https://www.rfc-editor.org/rfc/rfc3168#section-5).
///
/// `Option::None` stands for Not-ECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ecn {
    /// ECN-capable transport, codepoint 0.
    Ect0,
    /// ECN-capable transport, codepoint 1; L4S by RFC 9331.
    Ect1,
    /// Congestion experienced.
    Ce,
}

impl From<quinn_udp::EcnCodepoint> for Ecn {
    fn from(codepoint: quinn_udp::EcnCodepoint) -> Self {
        match codepoint {
            quinn_udp::EcnCodepoint::Ect0 => Self::Ect0,
            quinn_udp::EcnCodepoint::Ect1 => Self::Ect1,
            quinn_udp::EcnCodepoint::Ce => Self::Ce,
        }
    }
}

impl From<Ecn> for quinn_udp::EcnCodepoint {
    fn from(ecn: Ecn) -> Self {
        match ecn {
            Ecn::Ect0 => Self::Ect0,
            Ecn::Ect1 => Self::Ect1,
            Ecn::Ce => Self::Ce,
        }
    }
}
