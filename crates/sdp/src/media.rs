//! `m=` and the section below it (RFC 8866 §5.14).

use core::fmt::{self, Write};
use core::ops::{Deref, DerefMut};

use crate::fields::{Fields, PORT, Why, number};
use crate::number::write_number;
use crate::spelled::WriteLine;
use crate::{Attribute, Lines, PayloadType, Spelled, Word, WordList};

/// A media section: the `m=` line and the lines below it.
///
/// It dereferences to its [`Lines`], so `media.mid()`, `media.candidates()` and `media.push(…)`
/// work on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaDescription {
    /// The `m=` line.
    pub head: Spelled<MediaLine>,
    /// The lines below it.
    pub lines: Lines,
}

impl MediaDescription {
    /// A section without any lines yet.
    pub fn new(head: MediaLine) -> Self {
        Self {
            head: Spelled::new(head),
            lines: Lines::default(),
        }
    }

    /// `m=application <port> UDP/DTLS/SCTP webrtc-datachannel` (RFC 8841 §4.2, RFC 8864 §5).
    pub fn data_channel(port: u16) -> Self {
        Self::new(MediaLine {
            kind: MediaKind::Application,
            port,
            port_count: None,
            protocol: Protocol::UdpDtlsSctp,
            formats: Formats::Words(Word::checked("webrtc-datachannel").into()),
        })
    }

    /// The kind of media.
    pub fn kind(&self) -> &MediaKind {
        &self.head.kind
    }

    /// The port: 9 before there is a candidate (RFC 8840 §4.1.1), 0 when the section is rejected
    /// or, with `a=bundle-only`, waits for its group (RFC 9143 §6).
    pub fn port(&self) -> u16 {
        self.head.port
    }

    /// The transport protocol.
    pub fn protocol(&self) -> &Protocol {
        &self.head.protocol
    }

    /// Whether the port is 0 and not because the section is bundle-only (RFC 3264 §6, RFC 9143 §6).
    pub fn is_rejected(&self) -> bool {
        self.port() == 0 && !self.has(&Attribute::BundleOnly)
    }

    /// Whether the section carries WebRTC data channels: SCTP over DTLS, in the form of RFC 8841
    /// (`webrtc-datachannel` as the format) or the older one with `a=sctpmap`.
    pub fn is_data_channel(&self) -> bool {
        const FORMAT: &str = "webrtc-datachannel";
        let maps_to_channels =
            |own: &Attribute| matches!(own, Attribute::SctpMap(map) if map.protocol == FORMAT);
        let Formats::Words(formats) = &self.head.formats else {
            return false;
        };
        self.protocol().is_sctp()
            && (formats.contains(FORMAT) || self.attributes().any(maps_to_channels))
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> fmt::Result {
        self.head.write(out)?;
        self.lines.write(out)
    }
}

impl Deref for MediaDescription {
    type Target = Lines;
    fn deref(&self) -> &Lines {
        &self.lines
    }
}

impl DerefMut for MediaDescription {
    fn deref_mut(&mut self) -> &mut Lines {
        &mut self.lines
    }
}

/// `m=<kind> <port>[/<count>] <protocol> <formats>` (RFC 8866 §5.14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaLine {
    /// The kind of media.
    pub kind: MediaKind,
    /// The transport port.
    pub port: u16,
    /// How many port pairs, where it says so.
    pub port_count: Option<u16>,
    /// The transport protocol.
    pub protocol: Protocol,
    /// The formats, most wanted first.
    pub formats: Formats,
}

impl MediaLine {
    pub(crate) fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let kind = MediaKind::parse(fields.required("no media type")?);
        let port = fields.required("no port")?;
        let (port, port_count) = match port.split_once('/') {
            Some((port, count)) => (port, Some(number(count, "not a number of ports")?)),
            None => (port, None),
        };
        let port = number(port, PORT)?;
        let protocol = Protocol::parse(fields.required("no protocol")?);
        let formats = Formats::parse(fields.rest().ok_or("no format")?, &protocol)?;
        Ok(Self {
            kind,
            port,
            port_count,
            protocol,
            formats,
        })
    }
}

impl WriteLine for MediaLine {
    fn write_line(&self, out: &mut dyn Write) -> fmt::Result {
        write!(out, "m={} {}", self.kind, self.port)?;
        if let Some(count) = self.port_count {
            write!(out, "/{count}")?;
        }
        write!(out, " {}", self.protocol)?;
        match &self.formats {
            Formats::PayloadTypes(types) => types.iter().try_for_each(|own| {
                out.write_char(' ')?;
                write_number(out, own.value())
            }),
            Formats::Words(words) => write!(out, " {words}"),
        }
    }
}

/// The formats of an `m=` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formats {
    /// Of a protocol that carries RTP: payload types.
    PayloadTypes(Vec<PayloadType>),
    /// Of any other protocol. Must not be empty to be written as a line that parses.
    Words(WordList),
}

impl Formats {
    /// The payload types, none where the protocol has none.
    pub fn payload_types(&self) -> &[PayloadType] {
        match self {
            Self::PayloadTypes(types) => types,
            Self::Words(_) => &[],
        }
    }

    fn parse(formats: &str, protocol: &Protocol) -> Result<Self, Why> {
        if !protocol.is_rtp() {
            return Ok(Self::Words(WordList::split(formats, &[])));
        }
        let mut fields = Fields::new(formats);
        let mut types = Vec::new();
        while let Some(field) = fields.next() {
            types.push(PayloadType::parse(field)?);
        }
        Ok(Self::PayloadTypes(types))
    }
}

/// A closed list of spellings, and a word for everything else.
macro_rules! word_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// Any other, as it is spelled.
            Other(Word),
        }

        impl $name {
            /// The text on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(other) => other,
                }
            }

            /// What this text on the wire means.
            pub(crate) fn parse(word: &str) -> Self {
                match word {
                    $($text => Self::$variant,)*
                    other => Self::Other(Word::checked(other)),
                }
            }
        }

        impl From<Word> for $name {
            fn from(word: Word) -> Self {
                Self::parse(&word)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use word_enum;

word_enum! {
    /// The kind of media in an `m=` line.
    MediaKind {
        /// Audio.
        Audio = "audio",
        /// Video.
        Video = "video",
        /// Data channels among others.
        Application = "application",
    }
}

word_enum! {
    /// The transport protocol of an `m=` line. What each says of the transport is decided by ICE in
    /// WebRTC (RFC 9429 §5.1.2 and §5.1.3): those that name DTLS are all handled alike.
    Protocol {
        /// SCTP over DTLS over UDP (RFC 8841 §4.2).
        UdpDtlsSctp = "UDP/DTLS/SCTP",
        /// SCTP over DTLS over TCP (RFC 8841 §4.2).
        TcpDtlsSctp = "TCP/DTLS/SCTP",
        /// The spelling of SCTP over DTLS before RFC 8841.
        DtlsSctp = "DTLS/SCTP",
        /// RTP with feedback, keyed by DTLS-SRTP over UDP (RFC 5764 §8).
        UdpTlsRtpSavpf = "UDP/TLS/RTP/SAVPF",
        /// RTP keyed by DTLS-SRTP over UDP (RFC 5764 §8).
        UdpTlsRtpSavp = "UDP/TLS/RTP/SAVP",
        /// RTP with feedback, keyed by DTLS-SRTP over TCP (RFC 7850 §3).
        TcpDtlsRtpSavpf = "TCP/DTLS/RTP/SAVPF",
        /// RTP keyed by DTLS-SRTP over TCP (RFC 7850 §3).
        TcpDtlsRtpSavp = "TCP/DTLS/RTP/SAVP",
        /// Secure RTP with feedback (RFC 5124).
        RtpSavpf = "RTP/SAVPF",
        /// Secure RTP (RFC 3711 §12).
        RtpSavp = "RTP/SAVP",
        /// RTP with feedback (RFC 4585 §4.1).
        RtpAvpf = "RTP/AVPF",
        /// Plain RTP (RFC 3551).
        RtpAvp = "RTP/AVP",
    }
}

impl Protocol {
    /// Whether RTP is carried, so that formats are payload types.
    pub fn is_rtp(&self) -> bool {
        self.as_str().split('/').any(|part| part == "RTP")
    }

    /// Whether SCTP is carried over DTLS.
    pub fn is_sctp(&self) -> bool {
        matches!(self, Self::UdpDtlsSctp | Self::TcpDtlsSctp | Self::DtlsSctp)
    }
}
