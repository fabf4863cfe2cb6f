//! What is wrong with a description, and where.

use thiserror::Error;

/// A description that does not parse: the line and the reason.
///
/// It carries no text of the input, so that it can be logged: a malformed line may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line}: {kind}")]
#[non_exhaustive]
pub struct ParseError {
    /// The line at fault, counted from 1 (the W3C's `sdpLineNumber`).
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub kind: ParseErrorKind,
}

impl ParseError {
    pub(crate) fn new(line: usize, kind: impl Into<ParseErrorKind>) -> Self {
        Self {
            line,
            kind: kind.into(),
        }
    }
}

/// Why a line was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The description is longer than [`MAX_LEN`](crate::MAX_LEN); the line is the one that passes it.
    #[error("the description is longer than {} bytes", crate::MAX_LEN)]
    TooLong,
    /// There are more media sections than [`MAX_MEDIA`](crate::MAX_MEDIA).
    #[error("more than {} media sections", crate::MAX_MEDIA)]
    TooManyMedia,
    /// The line is not UTF-8 (only from [`parse_bytes`](crate::SessionDescription::parse_bytes)).
    #[error("not UTF-8")]
    NotUtf8,
    /// The line holds a NUL, or a CR that does not end it (RFC 8866 §9, `byte-string`).
    #[error("a NUL or a stray CR")]
    ForbiddenCharacter,
    /// The line is not `<letter>=<value>` (RFC 8866 §5).
    #[error("not of the form <letter>=<value>")]
    NotALine,
    /// A letter that RFC 8866 §5 does not define; the whole description is to be refused.
    #[error("unknown line type {0:?}")]
    UnknownType(char),
    /// A line that may not stand here, such as a second `v=` or a `t=` in a media section.
    #[error("{0}= may not stand here")]
    Misplaced(char),
    /// The line that must stand here, or must have come before the first media section, is missing.
    #[error("{0}= is missing")]
    Missing(char),
    /// The line's or attribute's value breaks its grammar.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
}

/// A value that breaks the grammar of what it was given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what}: {why}")]
#[non_exhaustive]
pub struct InvalidValue {
    /// The line type or attribute, as in `m=` or `a=candidate`.
    pub what: &'static str,
    /// The rule that is broken.
    pub why: &'static str,
}

impl InvalidValue {
    pub(crate) const fn new(what: &'static str, why: &'static str) -> Self {
        Self { what, why }
    }
}
