//! Line by line through a description.

use crate::line::Origin;
use crate::lines::Lines;
use crate::media::MediaLine;
use crate::{
    InvalidValue, Line, MediaDescription, ParseError, ParseErrorKind, SessionDescription, Spelled,
    Text,
};

/// The longest description taken, in bytes: 1 MiB, some ninety times a browser's offer of two
/// audio, two video sections and data channels.
pub const MAX_LEN: usize = 1 << 20;

/// The most media sections taken.
pub const MAX_MEDIA: usize = 1_000;

pub(crate) fn parse_bytes(bytes: &[u8]) -> Result<SessionDescription, ParseError> {
    check_len(bytes)?;
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let line = line_at(bytes, error.valid_up_to());
        ParseError::new(line, ParseErrorKind::NotUtf8)
    })?;
    parse(text)
}

pub(crate) fn parse(text: &str) -> Result<SessionDescription, ParseError> {
    check_len(text.as_bytes())?;
    let mut input = Input::new(text);
    let mut session = parse_head(&mut input)?;
    let mut has_timing = false;
    while let Some(line) = input.next()? {
        if line.letter == b'm' {
            if !has_timing {
                return Err(line.error(ParseErrorKind::Missing('t')));
            }
            session.media.push(parse_media(&line, session.media.len())?);
            continue;
        }
        has_timing |= line.letter == b't';
        match session.media.last_mut() {
            Some(media) => append(&mut media.lines, &line, b"icbka")?,
            None => append(&mut session.lines, &line, b"iuepcbtrzka")?,
        }
    }
    if !has_timing {
        return Err(input.error_at_end('t'));
    }
    Ok(session)
}

/// `v=`, `o=` and `s=`, which must come first and in this order (RFC 8866 §5).
fn parse_head(input: &mut Input<'_>) -> Result<SessionDescription, ParseError> {
    let version = input.expect('v')?;
    if version.value != "0" {
        let why = "the version is not 0";
        return Err(version.error(InvalidValue::new("v=", why)));
    }
    let line = input.expect('o')?;
    let origin =
        Origin::parse(line.value).map_err(|why| line.error(InvalidValue::new("o=", why)))?;
    let name = input.expect('s')?;
    Ok(SessionDescription {
        origin: Spelled::read(origin, line.text),
        name: Text::checked(name.value),
        lines: Lines::default(),
        media: Vec::new(),
    })
}

fn parse_media(line: &InputLine<'_>, before: usize) -> Result<MediaDescription, ParseError> {
    if before >= MAX_MEDIA {
        return Err(line.error(ParseErrorKind::TooManyMedia));
    }
    let head =
        MediaLine::parse(line.value).map_err(|why| line.error(InvalidValue::new("m=", why)))?;
    Ok(MediaDescription {
        head: Spelled::read(head, line.text),
        lines: Lines::default(),
    })
}

fn append(lines: &mut Lines, line: &InputLine<'_>, allowed: &[u8]) -> Result<(), ParseError> {
    let letter = char::from(line.letter);
    match Line::parse(line.letter, line.value) {
        Some(_) if !allowed.contains(&line.letter) => {
            Err(line.error(ParseErrorKind::Misplaced(letter)))
        }
        Some(Ok(value)) => {
            lines.append(Spelled::read(value, line.text));
            Ok(())
        }
        Some(Err(invalid)) => Err(line.error(invalid)),
        None if matches!(line.letter, b'v' | b'o' | b's') => {
            Err(line.error(ParseErrorKind::Misplaced(letter)))
        }
        None => Err(line.error(ParseErrorKind::UnknownType(letter))),
    }
}

fn check_len(bytes: &[u8]) -> Result<(), ParseError> {
    if bytes.len() > MAX_LEN {
        let line = line_at(bytes, MAX_LEN);
        return Err(ParseError::new(line, ParseErrorKind::TooLong));
    }
    Ok(())
}

/// The line of the byte at `offset`.
fn line_at(bytes: &[u8], offset: usize) -> usize {
    let before = bytes.iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// The lines still to be read.
struct Input<'a> {
    lines: core::str::Split<'a, char>,
    number: usize,
}

/// One line, its parts, and which it is.
struct InputLine<'a> {
    number: usize,
    text: &'a str,
    letter: u8,
    value: &'a str,
}

impl<'a> Input<'a> {
    fn new(text: &'a str) -> Self {
        let lines = text.trim_end_matches(['\r', '\n']).split('\n');
        Self { lines, number: 0 }
    }

    fn next(&mut self) -> Result<Option<InputLine<'a>>, ParseError> {
        let Some(text) = self.lines.next() else {
            return Ok(None);
        };
        self.number += 1;
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.as_bytes().contains(&b'\r') || text.as_bytes().contains(&0) {
            let kind = ParseErrorKind::ForbiddenCharacter;
            return Err(ParseError::new(self.number, kind));
        }
        let split = text.split_once('=').filter(|(letter, _)| letter.len() == 1);
        let (letter, value) =
            split.ok_or(ParseError::new(self.number, ParseErrorKind::NotALine))?;
        Ok(Some(InputLine {
            number: self.number,
            text,
            letter: letter.bytes().next().unwrap_or_default(),
            value,
        }))
    }

    /// The next line, which must be of type `letter`.
    fn expect(&mut self, letter: char) -> Result<InputLine<'a>, ParseError> {
        match self.next()? {
            Some(line) if char::from(line.letter) == letter => Ok(line),
            Some(line) => Err(line.error(ParseErrorKind::Missing(letter))),
            None => Err(self.error_at_end(letter)),
        }
    }

    fn error_at_end(&self, missing: char) -> ParseError {
        ParseError::new(self.number + 1, ParseErrorKind::Missing(missing))
    }
}

impl InputLine<'_> {
    fn error(&self, kind: impl Into<ParseErrorKind>) -> ParseError {
        ParseError::new(self.number, kind)
    }
}
