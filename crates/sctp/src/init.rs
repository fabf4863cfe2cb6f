//! INIT and INIT ACK, [RFC 9260 §3.3.2](https://www.rfc-editor.org/rfc/rfc9260#section-3.3.2).
//!
//! ```text
//! +---------------------------------------------------------------+
//! |                         Initiate Tag                          |
//! +---------------------------------------------------------------+
//! |           Advertised Receiver Window Credit (a_rwnd)          |
//! +-------------------------------+-------------------------------+
//! |  Number of Outbound Streams   |   Number of Inbound Streams   |
//! +-------------------------------+-------------------------------+
//! |                          Initial TSN                          |
//! +---------------------------------------------------------------+
//! |                          Parameters                           | ...
//! +---------------------------------------------------------------+
//! ```

use pc_proto::{ParseError, Reader};

use crate::wire::{chunk, push_param, read_param};

/// RFC 9260 §3.3.3.1.
const STATE_COOKIE: u16 = 7;
/// RFC 5061 §4.2.7.
const SUPPORTED_EXTENSIONS: u16 = 0x8008;
/// RFC 3758 §3.1.
const FORWARD_TSN_SUPPORTED: u16 = 0xC000;
/// RFC 9260 §3.3.2: a smaller window must not be advertised.
const MIN_WINDOW: u32 = 1500;

/// What one side tells the other about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Init {
    pub(crate) tag: u32,
    pub(crate) window: u32,
    pub(crate) outbound: u16,
    pub(crate) inbound: u16,
    pub(crate) tsn: u32,
    pub(crate) forward_tsn: bool,
}

impl Init {
    /// Reads an INIT or INIT ACK and its State Cookie, which is empty in the former.
    pub(crate) fn parse(value: &[u8]) -> Result<(Self, &[u8]), ParseError> {
        let mut reader = Reader::new(value);
        let mut init = Self {
            tag: reader.u32("initiate tag")?,
            window: reader.u32("a_rwnd")?,
            outbound: reader.u16("outbound streams")?,
            inbound: reader.u16("inbound streams")?,
            tsn: reader.u32("initial TSN")?,
            forward_tsn: false,
        };
        let valid = init.tag != 0 && init.outbound != 0 && init.inbound != 0;
        // A TSN of zero is legal and refused: the carrier cannot start there. One in 2^32.
        if !valid || init.tsn == 0 || init.window < MIN_WINDOW {
            return Err(reader.error("INIT values"));
        }
        let cookie = init.read_params(&mut reader)?;
        Ok((init, cookie))
    }

    fn read_params<'a>(&mut self, reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
        let mut cookie: &[u8] = &[];
        while reader.remaining() >= 4 {
            match read_param(reader)? {
                (STATE_COOKIE, value) => cookie = value,
                (FORWARD_TSN_SUPPORTED, _) => self.forward_tsn = true,
                (SUPPORTED_EXTENSIONS, types) => {
                    self.forward_tsn |= types.contains(&chunk::FORWARD_TSN);
                }
                _ => {}
            }
        }
        Ok(cookie)
    }

    /// The value of an INIT, or with a cookie of an INIT ACK.
    pub(crate) fn value(&self, cookie: Option<&[u8]>) -> Vec<u8> {
        let mut value = Vec::with_capacity(64);
        value.extend(self.tag.to_be_bytes());
        value.extend(self.window.to_be_bytes());
        value.extend(self.outbound.to_be_bytes());
        value.extend(self.inbound.to_be_bytes());
        value.extend(self.tsn.to_be_bytes());
        if let Some(cookie) = cookie {
            push_param(&mut value, STATE_COOKIE, cookie);
        }
        if self.forward_tsn {
            push_param(&mut value, FORWARD_TSN_SUPPORTED, &[]);
            let types = [chunk::RE_CONFIG, chunk::FORWARD_TSN];
            push_param(&mut value, SUPPORTED_EXTENSIONS, &types);
        } else {
            push_param(&mut value, SUPPORTED_EXTENSIONS, &[chunk::RE_CONFIG]);
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of draft-hancke-tsvwg-snap: an INIT chunk as dcSCTP makes it.
    #[test]
    fn reads_what_browsers_send() {
        let value = [
            0x89, 0x6c, 0xdd, 0x1d, 0x00, 0x50, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xe0, 0x79,
            0x65, 0x1d, 0xc0, 0x00, 0x00, 0x04, 0x80, 0x08, 0x00, 0x06, 0x82, 0xc0,
        ];
        let (init, cookie) = Init::parse(&value).unwrap();
        assert_eq!(init.tag, 0x896c_dd1d);
        assert_eq!((init.window, init.tsn), (0x50_0000, 0xe079_651d));
        assert!(init.forward_tsn && cookie.is_empty());
        assert_eq!(
            Init::parse(&init.value(Some(b"salt"))),
            Ok((init, &b"salt"[..]))
        );
    }

    #[test]
    fn refuses_what_must_not_be() {
        let init = Init {
            tag: 1,
            window: 1500,
            outbound: 1,
            inbound: 1,
            tsn: 1,
            forward_tsn: false,
        };
        assert!(Init::parse(&init.value(None)).is_ok());
        for wrong in [
            Init { tag: 0, ..init },
            Init {
                window: 1499,
                ..init
            },
            Init {
                outbound: 0,
                ..init
            },
            Init { inbound: 0, ..init },
        ] {
            assert!(Init::parse(&wrong.value(None)).is_err(), "{wrong:?}");
        }
        assert!(Init::parse(&init.value(None)[..15]).is_err());
        let mut short = init.value(None);
        short[19] = 3; // the length of the first parameter
        assert!(Init::parse(&short).is_err());
    }
}
