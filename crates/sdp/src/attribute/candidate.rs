//! `a=candidate` (RFC 8839 §5.1), which also travels alone when trickled (RFC 8840 §4.3).
//!
//! ```text
//! candidate:<foundation> <component> <transport> <priority> <address> <port> typ <kind>
//!     [raddr <address>] [rport <port>] [tcptype <type>] [<name> <value>]…
//! ```

use core::fmt::{self, Write};
use core::str::FromStr;

use super::ice::parse_component;
use super::value::Value;
use crate::fields::{Fields, PORT, Why, number};
use crate::media::word_enum;
use crate::number::write_number;
use crate::text::check_text;
use crate::{Host, InvalidValue, Word, WordList};

word_enum! {
    /// A candidate's kind (RFC 8839 §5.1, `candidate-types`). One that is not known is to be ignored.
    CandidateKind {
        /// An address of the machine's own.
        Host = "host",
        /// Seen by a STUN server.
        ServerReflexive = "srflx",
        /// Seen by the peer.
        PeerReflexive = "prflx",
        /// On a TURN server.
        Relay = "relay",
    }
}

/// A candidate's transport (RFC 8839 §5.1, RFC 6544 §4.5). Read in any case, written in lower case
/// as browsers do in `RTCIceCandidate.protocol`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// Any other; such a candidate is to be ignored.
    Other(Word),
}

impl Transport {
    /// The text on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Other(other) => other,
        }
    }

    fn parse(word: &str) -> Self {
        if word.eq_ignore_ascii_case("udp") {
            Self::Udp
        } else if word.eq_ignore_ascii_case("tcp") {
            Self::Tcp
        } else {
            Self::Other(Word::checked(word))
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which side of a TCP candidate connects (RFC 6544 §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TcpType {
    /// It connects; its port is 9 and means nothing.
    Active,
    /// It listens.
    Passive,
    /// Both connect at once.
    SimultaneousOpen,
}

impl TcpType {
    /// The text on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::SimultaneousOpen => "so",
        }
    }

    fn parse(word: &str) -> Result<Self, Why> {
        match word {
            "active" => Ok(Self::Active),
            "passive" => Ok(Self::Passive),
            "so" => Ok(Self::SimultaneousOpen),
            _ => Err("the tcptype is not active, passive or so"),
        }
    }
}

/// An ICE candidate (RFC 8839 §5.1).
///
/// `FromStr` and `Display` are the W3C's `RTCIceCandidate.candidate`: `candidate:` and what follows.
/// `FromStr` also takes it with `a=` before it. An empty string, which in the W3C's API means the
/// end of candidates, is not a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Equal for candidates of the same kind, base and server (RFC 8445 §5.1.1.3).
    pub foundation: Word,
    /// 1 to 256; 1 is RTP or data, 2 RTCP.
    pub component: u16,
    /// The transport.
    pub transport: Transport,
    /// The priority (RFC 8445 §5.1.2).
    pub priority: u32,
    /// The address, or a name such as `<uuid>.local`.
    pub address: Host,
    /// The port.
    pub port: u16,
    /// The kind.
    pub kind: CandidateKind,
    /// `raddr`, the address it derives from.
    pub related_address: Option<Host>,
    /// `rport`, the port it derives from.
    pub related_port: Option<u16>,
    /// `tcptype` (RFC 6544 §4.5).
    pub tcp_type: Option<TcpType>,
    /// `generation`, counting ICE restarts in libwebrtc.
    pub generation: Option<u32>,
    /// `ufrag`, the generation's user fragment (RFC 8838 §13).
    pub ufrag: Option<Word>,
    /// `network-id`, numbering libwebrtc's network interfaces (draft-thatcher-ice-network-cost). One that
    /// is no number is among the extensions.
    pub network_id: Option<u16>,
    /// `network-cost`, 0 (free) to 999 in libwebrtc; as it was written, whatever its bounds. One that is
    /// no number is among the extensions.
    pub network_cost: Option<u16>,
    /// Names and values of all other extensions, in order (RFC 8839 §5.1: to be ignored).
    pub extensions: WordList,
}

impl Candidate {
    /// A candidate with no more than what every candidate has.
    pub fn new(
        foundation: Word,
        component: u16,
        transport: Transport,
        priority: u32,
        (address, port): (Host, u16),
        kind: CandidateKind,
    ) -> Self {
        Self {
            foundation,
            component,
            transport,
            priority,
            address,
            port,
            kind,
            related_address: None,
            related_port: None,
            tcp_type: None,
            generation: None,
            ufrag: None,
            network_id: None,
            network_cost: None,
            extensions: WordList::default(),
        }
    }

    /// The value of the extension `name` among the [`extensions`](Self::extensions).
    pub fn extension(&self, name: &str) -> Option<&str> {
        let mut words = self.extensions.iter();
        while let Some(own) = words.next() {
            let value = words.next();
            if own == name {
                return value;
            }
        }
        None
    }

    /// Reads names and values to the end.
    fn parse_extensions(&mut self, mut fields: Fields<'_>) -> Result<(), Why> {
        let mut others = String::new();
        while let Some(name) = fields.next() {
            let value = fields.required("an extension has no value")?;
            match name {
                "raddr" => self.related_address = Some(Host::parse(value)),
                "rport" => self.related_port = Some(number(value, PORT)?),
                "tcptype" => self.tcp_type = Some(TcpType::parse(value)?),
                "generation" => self.generation = Some(number(value, "not a generation")?),
                "ufrag" => self.ufrag = Some(Word::checked(value)),
                // Of no standard, so that nothing is refused for it (RFC 8839 §5.1).
                "network-id" if is_number(value) => self.network_id = value.parse().ok(),
                "network-cost" if is_number(value) => self.network_cost = value.parse().ok(),
                _ => others.extend([name, " ", value, " "]),
            }
        }
        self.extensions = WordList::split(&others, &[]);
        Ok(())
    }
}

impl Value for Candidate {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let foundation = Word::checked(fields.required("no foundation")?);
        let component = parse_component(fields.required("no component")?)?;
        let transport = Transport::parse(fields.required("no transport")?);
        let priority = number(fields.required("no priority")?, "not a priority (32 bits)")?;
        let address = Host::parse(fields.required("no address")?);
        let port = number(fields.required("no port")?, PORT)?;
        if fields.next() != Some("typ") {
            return Err("no typ");
        }
        let kind = CandidateKind::parse(fields.required("no type")?);
        let at = (address, port);
        let mut candidate = Self::new(foundation, component, transport, priority, at, kind);
        candidate.parse_extensions(fields)?;
        Ok(candidate)
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(&self.foundation)?;
        out.write_char(' ')?;
        write_number(out, self.component)?;
        write_words(out, &[" ", self.transport.as_str(), " "])?;
        write_number(out, self.priority)?;
        write!(out, " {} ", self.address)?;
        write_number(out, self.port)?;
        write_words(out, &[" typ ", self.kind.as_str()])?;
        if let Some(address) = &self.related_address {
            write!(out, " raddr {address}")?;
        }
        write_extension(out, " rport ", self.related_port)?;
        if let Some(tcp_type) = self.tcp_type {
            write_words(out, &[" tcptype ", tcp_type.as_str()])?;
        }
        write_extension(out, " generation ", self.generation)?;
        if let Some(ufrag) = &self.ufrag {
            write_words(out, &[" ufrag ", ufrag])?;
        }
        write_extension(out, " network-id ", self.network_id)?;
        write_extension(out, " network-cost ", self.network_cost)?;
        if !self.extensions.is_empty() {
            write_words(out, &[" ", self.extensions.as_str()])?;
        }
        Ok(())
    }
}

/// Whether this is a number of 16 bits.
fn is_number(value: &str) -> bool {
    number::<u16>(value, "not a number").is_ok()
}

fn write_words(out: &mut dyn Write, words: &[&str]) -> fmt::Result {
    words.iter().try_for_each(|word| out.write_str(word))
}

fn write_extension(out: &mut dyn Write, name: &str, value: Option<impl Into<u64>>) -> fmt::Result {
    match value {
        Some(value) => out.write_str(name).and_then(|()| write_number(out, value)),
        None => Ok(()),
    }
}

impl FromStr for Candidate {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |why| InvalidValue::new("candidate", why);
        check_text(text).map_err(invalid)?;
        let text = text.strip_prefix("a=").unwrap_or(text);
        let value = text
            .strip_prefix("candidate:")
            .ok_or(invalid("does not begin with candidate:"))?;
        Self::parse(value).map_err(invalid)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("candidate:")?;
        self.write(f)
    }
}
