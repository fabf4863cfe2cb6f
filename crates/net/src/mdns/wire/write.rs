//! The two messages that are written: a question for addresses, and what is known of one name.

use std::net::IpAddr;

use pc_proto::{WriteError, Writer};

use super::{IN, RESPONSE, RecordType, TOP_BIT};
use crate::mdns::Name;

/// Where the first name of a message is, as a pointer.
const FIRST_NAME: u16 = 0xC000 | 12;
/// RFC 1035 §4.1.1, RFC 6762 §18.4
const AUTHORITATIVE: u16 = 1 << 10;

/// A question for the addresses of one name.
#[derive(Debug, Clone, Copy)]
pub(in crate::mdns) struct Query<'a> {
    pub(in crate::mdns) name: &'a Name,
    /// The answer may be sent to us alone.
    pub(in crate::mdns) unicast: bool,
}

impl Query<'_> {
    pub(in crate::mdns) fn write(&self, w: &mut Writer<'_>) -> Result<(), WriteError> {
        write_header(w, 0, 0, [2, 0, 0])?;
        let class = IN | if self.unicast { TOP_BIT } else { 0 };
        write_name(w, self.name)?;
        w.u16(RecordType::A.0)?;
        w.u16(class)?;
        w.u16(FIRST_NAME)?;
        w.u16(RecordType::AAAA.0)?;
        w.u16(class)
    }
}

/// What is known of one name.
#[derive(Debug, Clone, Copy)]
pub(in crate::mdns) struct Response<'a> {
    pub(in crate::mdns) name: &'a Name,
    pub(in crate::mdns) ip: IpAddr,
    /// In seconds; zero takes the name back.
    pub(in crate::mdns) ttl: u32,
    /// Whether the address was asked for.
    pub(in crate::mdns) address: bool,
    /// Whether something was asked for that there is not. RFC 6762 §6.1
    pub(in crate::mdns) absence: bool,
    /// The id and the question of one who is no multicast DNS host. RFC 6762 §6.7
    pub(in crate::mdns) legacy: Option<(u16, RecordType)>,
}

impl Response<'_> {
    pub(in crate::mdns) fn write(&self, w: &mut Writer<'_>) -> Result<(), WriteError> {
        let (id, questions) = self.legacy.map_or((0, 0), |(id, _)| (id, 1));
        // What there is not is an answer by itself, and of use beside one.
        let additional = self.address && self.absence;
        let counts = [questions, 1, u16::from(additional)];
        write_header(w, id, RESPONSE | AUTHORITATIVE, counts)?;
        let mut name_is_written = false;
        if let Some((_, kind)) = self.legacy {
            write_name(w, self.name)?;
            w.u16(kind.0)?;
            w.u16(IN)?;
            name_is_written = true;
        }
        if self.address {
            self.write_record_head(w, RecordType::of(self.ip), name_is_written)?;
            match self.ip {
                IpAddr::V4(ip) => write_data(w, &ip.octets())?,
                IpAddr::V6(ip) => write_data(w, &ip.octets())?,
            }
            name_is_written = true;
        }
        if self.absence {
            self.write_record_head(w, RecordType::NSEC, name_is_written)?;
            self.write_nsec(w)?;
        }
        Ok(())
    }

    fn write_record_head(
        &self,
        w: &mut Writer<'_>,
        kind: RecordType,
        name_is_written: bool,
    ) -> Result<(), WriteError> {
        match name_is_written {
            true => w.u16(FIRST_NAME)?,
            false => write_name(w, self.name)?,
        }
        w.u16(kind.0)?;
        // One who is no multicast DNS host would take the bit for another class. RFC 6762 §10.2
        let flush = if self.legacy.is_none() { TOP_BIT } else { 0 };
        w.u16(IN | flush)?;
        w.u32(self.ttl)
    }

    /// The name itself stands for the next one, and a bit for each type that there is: of window 0
    /// alone, up to the last byte that is not zero. RFC 4034 §4.1.2, RFC 6762 §6.1
    fn write_nsec(&self, w: &mut Writer<'_>) -> Result<(), WriteError> {
        let kind = RecordType::of(self.ip).0;
        let bitmap = [0, 0, 0, 0x80 >> (kind % 8)];
        let len = usize::from(kind / 8 + 1);
        let bitmap = bitmap.get(bitmap.len() - len..).unwrap_or_default();
        w.u16(2 + 2 + len as u16)?;
        w.u16(FIRST_NAME)?;
        w.u8(0)?;
        w.u8(len as u8)?;
        w.bytes(bitmap)
    }
}

fn write_header(
    w: &mut Writer<'_>,
    id: u16,
    flags: u16,
    [questions, answers, additionals]: [u16; 3],
) -> Result<(), WriteError> {
    for field in [id, flags, questions, answers, 0, additionals] {
        w.u16(field)?;
    }
    Ok(())
}

fn write_name(w: &mut Writer<'_>, name: &Name) -> Result<(), WriteError> {
    for label in name.labels() {
        w.u8(label.len() as u8)?;
        w.bytes(label.as_bytes())?;
    }
    w.u8(0)
}

fn write_data(w: &mut Writer<'_>, data: &[u8]) -> Result<(), WriteError> {
    w.u16(data.len() as u16)?;
    w.bytes(data)
}
