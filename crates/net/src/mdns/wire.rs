//! DNS messages: [RFC 1035 §4](https://www.rfc-editor.org/rfc/rfc1035#section-4), with what RFC 6762
//! §18 makes of their fields.
//!
//! ```text
//!  | id | flags | questions | answers | authorities | additionals |   12 bytes
//!  | name | type | U class |                                          a question
//!  | name | type | F class | ttl (32) | length | data |               a record
//! ```
//!
//! U: the answer may be unicast. F: whatever else was known of this name and type is to be forgotten.

mod write;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pc_proto::{ParseError, Reader};

use super::Name;

pub(super) use write::{Query, Response};

/// The longest message, in bytes: 9,000 with the headers of IPv6 and UDP. RFC 6762 §17
const MAX_MESSAGE: usize = 9_000 - 40 - 8;
/// The longest name, in bytes. RFC 1035 §2.3.4
const MAX_NAME: usize = 255;
/// The most pointers in one name: each is to save bytes, and there are at most as many labels.
const MAX_POINTERS: usize = 32;
/// A pointer begins with these bits. RFC 1035 §4.1.4
const POINTER: u8 = 0b1100_0000;

/// RFC 1035 §4.1.1
const RESPONSE: u16 = 1 << 15;
const OPCODE_AND_RCODE: u16 = 0xF << 11 | 0xF;
/// The Internet, and any class. RFC 1035 §3.2.4, 3.2.5
const IN: u16 = 1;
const ANY: u16 = 255;
/// RFC 6762 §18.12, 18.13
const TOP_BIT: u16 = 1 << 15;

/// What a record holds, by the number that DNS gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

impl RecordType {
    /// An IPv4 address. RFC 1035 §3.4.1
    pub const A: Self = Self(1);
    /// An IPv6 address. RFC 3596 §2.1
    pub const AAAA: Self = Self(28);
    /// Which types of records a name has. RFC 4034 §4, RFC 6762 §6.1
    pub const NSEC: Self = Self(47);
    /// In questions: whatever there is. RFC 1035 §3.2.3
    pub const ANY: Self = Self(ANY);

    /// The type that an address has.
    pub const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::A,
            IpAddr::V6(_) => Self::AAAA,
        }
    }
}

/// A message that was checked from end to end.
#[derive(Debug, Clone, Copy)]
pub struct MessageView<'a> {
    bytes: &'a [u8],
    id: u16,
    flags: u16,
    /// Questions, answers, authorities, additionals.
    counts: [u16; 4],
    records_at: usize,
}

/// A question. RFC 1035 §4.1.2
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Whom it is about.
    pub name: NameView<'a>,
    /// What is asked for.
    pub kind: RecordType,
    /// Whether the answer may be sent to the one who asks alone. RFC 6762 §5.4
    pub unicast: bool,
    /// Whether it is about the Internet, as all of multicast DNS is.
    pub internet: bool,
}

/// A resource record. RFC 1035 §4.1.3
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Whom it is about.
    pub name: NameView<'a>,
    /// What it holds.
    pub kind: RecordType,
    /// Whether it replaces all that was known before. RFC 6762 §10.2
    pub flush: bool,
    /// Whether it is about the Internet.
    pub internet: bool,
    /// For how many seconds it holds; zero takes it back.
    pub ttl: u32,
    /// What it says.
    pub data: &'a [u8],
    /// In which part of the message it is.
    pub section: Section,
}

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Answers; in a query, what is known already. RFC 6762 §7.1
    Answer,
    /// Who is in charge; in a query, what is to be probed. RFC 6762 §8.2
    Authority,
    /// What may be of use.
    Additional,
}

impl<'a> MessageView<'a> {
    /// Checks every question and record.
    ///
    /// # Errors
    ///
    /// A part is cut, a name is too long or its pointers do not lead back, or bytes are left over.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        if bytes.len() > MAX_MESSAGE {
            return Err(reader.error("message longer than 9,000 bytes"));
        }
        let (id, flags) = (reader.u16("id")?, reader.u16("flags")?);
        let mut counts = [0; 4];
        for count in &mut counts {
            *count = reader.u16("count")?;
        }
        for _ in 0..counts[0] {
            Question::parse(&mut reader, bytes)?;
        }
        let view = Self {
            bytes,
            id,
            flags,
            counts,
            records_at: reader.at(),
        };
        for section in view.sections() {
            Record::parse(&mut reader, bytes, section)?;
        }
        reader.finish("bytes after the last record")?;
        Ok(view)
    }

    /// What a response to this message repeats, if the one who asks is no multicast DNS host.
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// Whether it answers, or asks otherwise.
    pub const fn is_response(&self) -> bool {
        self.flags & RESPONSE != 0
    }

    /// Whether operation and result are those of multicast DNS, zero. RFC 6762 §18.3, 18.11
    pub const fn is_plain(&self) -> bool {
        self.flags & OPCODE_AND_RCODE == 0
    }

    /// The questions.
    pub fn questions(&self) -> impl Iterator<Item = Question<'a>> {
        let (bytes, count) = (self.bytes, self.counts[0]);
        let mut reader = Reader::new(bytes);
        let header = reader.bytes(12, "header").is_ok();
        let questions = (0..count).take_while(move |_| header);
        questions.map_while(move |_| Question::parse(&mut reader, bytes).ok())
    }

    /// The records of all sections.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> {
        let bytes = self.bytes;
        let mut reader = Reader::new(bytes);
        let questions = reader.bytes(self.records_at, "questions").is_ok();
        let sections = self.sections().take_while(move |_| questions);
        sections.map_while(move |section| Record::parse(&mut reader, bytes, section).ok())
    }

    fn sections(&self) -> impl Iterator<Item = Section> + use<> {
        let [_, answers, authorities, additionals] = self.counts;
        let repeat = |section, count| std::iter::repeat_n(section, usize::from(count));
        repeat(Section::Answer, answers)
            .chain(repeat(Section::Authority, authorities))
            .chain(repeat(Section::Additional, additionals))
    }
}

impl<'a> Question<'a> {
    fn parse(reader: &mut Reader<'a>, message: &'a [u8]) -> Result<Self, ParseError> {
        let name = NameView::parse(reader, message)?;
        let kind = RecordType(reader.u16("question type")?);
        let class = reader.u16("question class")?;
        Ok(Self {
            name,
            kind,
            unicast: class & TOP_BIT != 0,
            internet: matches!(class & !TOP_BIT, IN | ANY),
        })
    }
}

impl<'a> Record<'a> {
    fn parse(
        reader: &mut Reader<'a>,
        message: &'a [u8],
        section: Section,
    ) -> Result<Self, ParseError> {
        let name = NameView::parse(reader, message)?;
        let kind = RecordType(reader.u16("record type")?);
        let class = reader.u16("record class")?;
        let ttl = reader.u32("time to live")?;
        let length = reader.u16("record length")?;
        let data = reader.bytes(length.into(), "record data")?;
        Ok(Self {
            name,
            kind,
            flush: class & TOP_BIT != 0,
            internet: class & !TOP_BIT == IN,
            ttl,
            data,
            section,
        })
    }

    /// The address it tells, if it tells one.
    pub fn address(&self) -> Option<IpAddr> {
        let ip: IpAddr = match self.kind {
            RecordType::A => Ipv4Addr::from(<[u8; 4]>::try_from(self.data).ok()?).into(),
            RecordType::AAAA => Ipv6Addr::from(<[u8; 16]>::try_from(self.data).ok()?).into(),
            _ => return None,
        };
        self.internet.then_some(ip)
    }
}

/// A name where it is in a message. RFC 1035 §4.1.4
#[derive(Clone, Copy)]
pub struct NameView<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> NameView<'a> {
    /// Reads what of the name is at the reader, and checks what is elsewhere.
    fn parse(reader: &mut Reader<'a>, message: &'a [u8]) -> Result<Self, ParseError> {
        let view = Self {
            message,
            at: reader.at(),
        };
        let (mut len, mut pointers) = (0, 0);
        let mut segment = reader.at();
        // The bytes of the name itself end with the first pointer; what follows is elsewhere.
        let mut elsewhere = None;
        loop {
            let here = elsewhere.as_mut().unwrap_or(&mut *reader);
            match next_part(here)? {
                Part::Label(label) => {
                    len += 1 + label.len();
                    if len + 1 > MAX_NAME {
                        return Err(here.error("name longer than 255 bytes"));
                    }
                }
                Part::End => return Ok(view),
                // Each leads to before where the last one led: there is no way round.
                Part::Pointer(to) if to < segment && pointers < MAX_POINTERS => {
                    (segment, pointers) = (to, pointers + 1);
                    let mut target = Reader::new(message);
                    target.bytes(to, "pointer")?;
                    elsewhere = Some(target);
                }
                Part::Pointer(_) => return Err(here.error("pointer that does not lead back")),
            }
        }
    }

    /// The labels, from the first to the one below the root.
    pub fn labels(&self) -> impl Iterator<Item = &'a [u8]> {
        let message = self.message;
        let from = move |at: usize| {
            let mut reader = Reader::new(message);
            reader.bytes(at, "name").ok().map(|_| reader)
        };
        let mut reader = from(self.at);
        std::iter::from_fn(move || {
            loop {
                match next_part(reader.as_mut()?).ok()? {
                    Part::Label(label) => return Some(label),
                    Part::Pointer(to) => reader = from(to),
                    Part::End => {
                        reader = None;
                        return None;
                    }
                }
            }
        })
    }

    /// The name, if it is of the kind that hosts have on a link.
    pub fn to_name(&self) -> Option<Name> {
        let mut labels = self.labels().map(std::str::from_utf8);
        match (labels.next()?, labels.next()?, labels.next()) {
            (Ok(label), Ok(domain), None) => format!("{label}.{domain}").parse().ok(),
            _ => None,
        }
    }

    /// Whether it is `name`, whatever the case of its letters. RFC 6762 §16
    pub fn is(&self, name: &Name) -> bool {
        let (mut these, mut those) = (self.labels(), name.labels());
        loop {
            match (these.next(), those.next()) {
                (None, None) => return true,
                (Some(this), Some(that)) if this.eq_ignore_ascii_case(that.as_bytes()) => {}
                _ => return false,
            }
        }
    }
}

impl std::fmt::Debug for NameView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for label in self.labels() {
            write!(f, "{}.", label.escape_ascii())?;
        }
        Ok(())
    }
}

enum Part<'a> {
    Label(&'a [u8]),
    Pointer(usize),
    End,
}

fn next_part<'a>(reader: &mut Reader<'a>) -> Result<Part<'a>, ParseError> {
    let before = *reader;
    match reader.u8("label length")? {
        0 => Ok(Part::End),
        length if length & POINTER == 0 => Ok(Part::Label(reader.bytes(length.into(), "label")?)),
        length if length & POINTER == POINTER => {
            let high = u16::from(length & !POINTER);
            let low = u16::from(reader.u8("pointer")?);
            Ok(Part::Pointer(usize::from(high << 8 | low)))
        }
        _ => Err(before.error("label of an unknown kind")),
    }
}

#[cfg(test)]
mod tests;
