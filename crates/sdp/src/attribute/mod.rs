//! `a=`: the attributes of WebRTC, typed (RFC 8866 §5.13).

mod candidate;
mod dtls;
mod group;
mod ice;
mod rid;
mod rtcp;
mod rtp;
mod sctp;
mod ssrc;
mod value;

use core::fmt::{self, Write};
use core::str::FromStr;

use crate::text::check_text;
use crate::{Decimal, InvalidValue, Text, Word, WordList};
use value::Value;

pub use candidate::{Candidate, CandidateKind, TcpType, Transport};
pub use dtls::{Crypto, Fingerprint, HashFunction, Setup};
pub use group::{Group, GroupSemantics, Msid, MsidSemantic};
pub use ice::{IceOptions, IcePwd, RemoteCandidate, RemoteCandidates, is_ice_pwd, is_ice_ufrag};
pub use rid::{Rid, RidDirection, Simulcast, SimulcastId, SimulcastStreams};
pub use rtcp::{Feedback, Rtcp, RtcpFb};
pub use rtp::{Extmap, Fmtp, Format, Rtpmap};
pub use sctp::{SctpInit, SctpMap};
pub use ssrc::{SsrcAttribute, SsrcGroup, SsrcGroupSemantics};

/// The direction of media (RFC 8866 §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways; what holds when nothing is said.
    SendRecv,
    /// From the one who writes this.
    SendOnly,
    /// To the one who writes this.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether the one who writes this sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the one who writes this receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same direction seen from the other side (RFC 3264 §6.1).
    pub const fn reversed(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            both => both,
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "sendrecv" => Self::SendRecv,
            "sendonly" => Self::SendOnly,
            "recvonly" => Self::RecvOnly,
            "inactive" => Self::Inactive,
            _ => return None,
        })
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One table from which the enum, its names, the parser and the writer are made.
macro_rules! attributes {
    (
        flags { $($(#[$flag_doc:meta])* $flag:ident = $flag_name:literal,)* }
        values { $($(#[$doc:meta])* $variant:ident($type:ty) = $name:literal,)* }
    ) => {
        /// An attribute (RFC 8866 §5.13): what WebRTC uses is typed, the rest is kept as
        /// [`Other`](Self::Other).
        ///
        /// `FromStr` takes it with or without `a=`; `Display` writes it without.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Attribute {
            $($(#[$flag_doc])* $flag,)*
            /// `a=sendrecv`, `a=sendonly`, `a=recvonly` or `a=inactive` (RFC 8866 §6.7).
            Direction(Direction),
            $($(#[$doc])* $variant($type),)*
            /// One this crate gives no meaning to, as it is spelled (RFC 8866 §5.13: such are
            /// ignored). One that carries the name of another variant parses as that variant.
            Other {
                /// What stands before the colon.
                name: Word,
                /// What stands behind it, if there is one.
                value: Option<Text>,
            },
        }

        impl Attribute {
            /// The attribute's name on the wire.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$flag => $flag_name,)*
                    Self::Direction(direction) => direction.as_str(),
                    $(Self::$variant(_) => $name,)*
                    Self::Other { name, .. } => name,
                }
            }

            fn flag(name: &str) -> Option<(Self, &'static str)> {
                if let Some(direction) = Direction::parse(name) {
                    return Some((Self::Direction(direction), "a=sendrecv"));
                }
                Some(match name {
                    $($flag_name => (Self::$flag, concat!("a=", $flag_name)),)*
                    _ => return None,
                })
            }

            /// The attribute called `name`, if it is one that has a value.
            fn valued(name: &str, value: Option<&str>) -> Option<Result<Self, InvalidValue>> {
                Some(match name {
                    $($name => parse_value(concat!("a=", $name), value).map(Self::$variant),)*
                    _ => return None,
                })
            }

            fn write_value(&self, out: &mut dyn Write) -> fmt::Result {
                match self {
                    $(Self::$flag => Ok(()),)*
                    Self::Direction(_) | Self::Other { value: None, .. } => Ok(()),
                    $(Self::$variant(value) => {
                        out.write_char(':')?;
                        value.write(out)
                    })*
                    Self::Other { value: Some(value), .. } => {
                        out.write_char(':')?;
                        out.write_str(value)
                    }
                }
            }
        }
    };
}

attributes! {
    flags {
        /// The sender is an ICE-lite agent; session level (RFC 8839 §5.3).
        IceLite = "ice-lite",
        /// No candidate will follow (RFC 8840 §4.2).
        EndOfCandidates = "end-of-candidates",
        /// One- and two-byte header extensions may be mixed (RFC 8285 §6).
        ExtmapAllowMixed = "extmap-allow-mixed",
        /// RTCP comes on the RTP port (RFC 5761 §5.1.1).
        RtcpMux = "rtcp-mux",
        /// RTCP can come on no other port (RFC 8858 §3).
        RtcpMuxOnly = "rtcp-mux-only",
        /// Reduced-size RTCP (RFC 5506 §5).
        RtcpRsize = "rtcp-rsize",
        /// The section is to be used in its bundle or not at all (RFC 9143 §6).
        BundleOnly = "bundle-only",
        /// Header extensions and CSRCs may be encrypted (RFC 9335 §4).
        Cryptex = "cryptex",
    }
    values {
        /// Sections that belong together (RFC 5888 §5).
        Group(Group) = "group",
        /// The section's name (RFC 5888 §4).
        Mid(Word) = "mid",
        /// The ICE user fragment (RFC 8839 §5.4); see [`is_ice_ufrag`].
        IceUfrag(Word) = "ice-ufrag",
        /// The ICE password (RFC 8839 §5.4).
        IcePwd(IcePwd) = "ice-pwd",
        /// ICE options such as `trickle` (RFC 8839 §5.6).
        IceOptions(IceOptions) = "ice-options",
        /// The pace of connectivity checks in milliseconds (RFC 8839 §5.5).
        IcePacing(u32) = "ice-pacing",
        /// A candidate (RFC 8839 §5.1).
        Candidate(Box<Candidate>) = "candidate",
        /// The pairs that ICE has chosen (RFC 8839 §5.2).
        RemoteCandidates(RemoteCandidates) = "remote-candidates",
        /// A certificate's hash (RFC 8122 §5).
        Fingerprint(Fingerprint) = "fingerprint",
        /// The DTLS role (RFC 4145 §4, RFC 8842 §5.2).
        Setup(Setup) = "setup",
        /// The DTLS association's name (RFC 8842 §4).
        TlsId(Word) = "tls-id",
        /// An SDES key, which WebRTC must not use (RFC 4568 §4, RFC 8827 §6.5).
        Crypto(Crypto) = "crypto",
        /// The SCTP port (RFC 8841 §5).
        SctpPort(u16) = "sctp-port",
        /// The longest message taken, in bytes, 0 for any; more than 64 bits can say is
        /// `u64::MAX` (RFC 8841 §6).
        MaxMessageSize(u64) = "max-message-size",
        /// The SCTP INIT chunk, ahead of time (draft-hancke-tsvwg-snap).
        SctpInit(SctpInit) = "sctp-init",
        /// What RFC 8841 replaced by `a=sctp-port`.
        SctpMap(SctpMap) = "sctpmap",
        /// A payload type's codec (RFC 8866 §6.6).
        Rtpmap(Rtpmap) = "rtpmap",
        /// A format's parameters (RFC 8866 §6.15).
        Fmtp(Fmtp) = "fmtp",
        /// A header extension (RFC 8285 §5).
        Extmap(Extmap) = "extmap",
        /// Feedback that a format may get (RFC 4585 §4.2).
        RtcpFb(RtcpFb) = "rtcp-fb",
        /// Where RTCP goes (RFC 3605 §2.1).
        Rtcp(Rtcp) = "rtcp",
        /// Extended reports (RFC 3611 §5.1), as in `rcvr-rtt=all`.
        RtcpXr(WordList) = "rtcp-xr",
        /// The stream and track of a section (RFC 8830 §2).
        Msid(Msid) = "msid",
        /// Whether and which msids are used (draft-ietf-mmusic-msid before RFC 8830).
        MsidSemantic(MsidSemantic) = "msid-semantic",
        /// An attribute of one RTP source (RFC 5576 §4.1).
        Ssrc(SsrcAttribute) = "ssrc",
        /// RTP sources that belong together (RFC 5576 §4.2).
        SsrcGroup(SsrcGroup) = "ssrc-group",
        /// An RTP stream's name and its restrictions (RFC 8851 §4).
        Rid(Rid) = "rid",
        /// Streams of one source at once (RFC 8853 §5.1).
        Simulcast(Box<Simulcast>) = "simulcast",
        /// Milliseconds of media in a packet (RFC 8866 §6.4).
        Ptime(Decimal) = "ptime",
        /// Most milliseconds of media in a packet (RFC 8866 §6.5).
        Maxptime(Decimal) = "maxptime",
        /// Most video frames in a second (RFC 8866 §6.13).
        Framerate(Decimal) = "framerate",
    }
}

fn parse_value<V: Value>(what: &'static str, value: Option<&str>) -> Result<V, InvalidValue> {
    let value = value.ok_or(InvalidValue::new(what, "no value"))?;
    V::parse(value).map_err(|why| InvalidValue::new(what, why))
}

impl Attribute {
    /// Reads what follows `a=` in a line known to hold no NUL, CR or LF.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidValue> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text.trim_end_matches([' ', '\t']), None),
        };
        if let Some(attribute) = Self::valued(name, value) {
            return attribute;
        }
        if let Some((flag, what)) = Self::flag(name) {
            return match value {
                None => Ok(flag),
                Some(_) => Err(InvalidValue::new(what, "takes no value")),
            };
        }
        let name = Word::new(name).map_err(|_| {
            InvalidValue::new(
                "a=",
                "the attribute's name is empty or has white space in it",
            )
        })?;
        let value = value.map(Text::checked);
        Ok(Self::Other { name, value })
    }

    /// Whether both have one name; all directions count as one.
    pub(crate) fn is_same_kind(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Direction(_), Self::Direction(_)) => true,
            _ => self.name() == other.name(),
        }
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(self.name())?;
        self.write_value(out)
    }
}

impl FromStr for Attribute {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        check_text(text).map_err(|why| InvalidValue::new("a=", why))?;
        Self::parse(text.strip_prefix("a=").unwrap_or(text))
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

#[cfg(test)]
mod tests;
