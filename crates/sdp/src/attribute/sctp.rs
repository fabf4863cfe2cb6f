//! SCTP over DTLS: `a=sctp-init` and the older `a=sctpmap`.

use core::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::value::Value;
use crate::Word;
use crate::fields::{Fields, PORT, Why, number, single};

/// `a=sctp-init`: the sender's SCTP INIT chunk, without the common header, in base64
/// (draft-hancke-tsvwg-snap). These are its bytes, not checked to be a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SctpInit(pub Box<[u8]>);

impl Value for SctpInit {
    fn parse(value: &str) -> Result<Self, Why> {
        const WHY: Why = "not base64";
        let bytes = STANDARD.decode(single(value, WHY)?).map_err(|_| WHY)?;
        Ok(Self(bytes.into()))
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(&STANDARD.encode(&self.0))
    }
}

/// `a=sctpmap:<port> <protocol> [<streams>]`, before RFC 8841 (draft-ietf-mmusic-sctp-sdp-05 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SctpMap {
    /// The SCTP port, which is also the format of the `m=` line.
    pub port: u16,
    /// What runs over it, `webrtc-datachannel`.
    pub protocol: Word,
    /// How many streams are wanted.
    pub streams: Option<u32>,
}

impl Value for SctpMap {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let port = number(fields.required("no port")?, PORT)?;
        let protocol = Word::checked(fields.required("no protocol")?);
        let streams = fields.next();
        let streams = streams.map(|streams| number(streams, "not a number of streams"));
        fields.end()?;
        Ok(Self {
            port,
            protocol,
            streams: streams.transpose()?,
        })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write!(out, "{} {}", self.port, self.protocol)?;
        match self.streams {
            Some(streams) => write!(out, " {streams}"),
            None => Ok(()),
        }
    }
}
