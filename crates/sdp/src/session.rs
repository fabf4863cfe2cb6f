//! A whole description, and what its media sections inherit from it.

use core::fmt;
use core::ops::{Deref, DerefMut};
use core::str::FromStr;

use crate::{
    Attribute, Candidate, Connection, Direction, Fingerprint, Group, GroupSemantics, IceOptions,
    IcePwd, Lines, MediaDescription, Origin, ParseError, Setup, Spelled, Text, Timing, Word, parse,
};

/// A session description: `v=0`, `o=`, `s=`, the session's lines and the media sections
/// (RFC 8866 §5).
///
/// It dereferences to its session-level [`Lines`]. `Display` writes it with CRLF after every line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDescription {
    /// `o=`.
    pub origin: Spelled<Origin>,
    /// `s=`, `-` where there is no name (RFC 8866 §5.3).
    pub name: Text,
    /// The lines before the first media section.
    pub lines: Lines,
    /// The media sections in order.
    pub media: Vec<MediaDescription>,
}

impl SessionDescription {
    /// A description with `s=-` and `t=0 0` and nothing else (RFC 9429 §5.2.1).
    pub fn new(origin: Origin) -> Self {
        let mut lines = Lines::default();
        lines.push(Timing::default());
        Self {
            origin: Spelled::new(origin),
            name: Text::checked("-"),
            lines,
            media: Vec::new(),
        }
    }

    /// Reads a description whose lines end in CRLF or LF, the last one perhaps in neither.
    /// Empty lines after the last are dropped.
    ///
    /// # Errors
    /// The first line that breaks RFC 8866 or the grammar of an attribute in this crate.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
    }

    /// Like [`parse`](Self::parse), from bytes that may not be UTF-8.
    ///
    /// # Errors
    /// As `parse`; also the first line that is not UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, ParseError> {
        parse::parse_bytes(bytes)
    }

    /// Drops every kept spelling, so that each line is written in its canonical form.
    pub fn canonicalize(&mut self) {
        self.origin.canonicalize();
        self.lines.canonicalize();
        for media in &mut self.media {
            media.head.canonicalize();
            media.lines.canonicalize();
        }
    }

    /// The first media section with this mid.
    pub fn media_by_mid(&self, mid: &str) -> Option<&MediaDescription> {
        self.media
            .iter()
            .find(|media| media.mid().is_some_and(|own| own == mid))
    }

    /// Every `a=group:BUNDLE` (RFC 9143 §4).
    pub fn bundle_groups(&self) -> impl Iterator<Item = &Group> {
        self.groups()
            .filter(|group| group.semantics == GroupSemantics::Bundle)
    }
}

/// What holds for a media section: its own value, or else the session's.
impl SessionDescription {
    /// The fingerprints that hold for `media`: its own, or the session's where it has none
    /// (RFC 8122 §5).
    pub fn fingerprints_for<'a>(
        &'a self,
        media: &'a MediaDescription,
    ) -> impl Iterator<Item = &'a Fingerprint> {
        let has_own = media.fingerprints().next().is_some();
        let lines = if has_own { &media.lines } else { &self.lines };
        lines.fingerprints()
    }

    /// The DTLS role for `media` (RFC 4145 §4: a session-level value is the default).
    pub fn setup_for(&self, media: &MediaDescription) -> Option<Setup> {
        media.setup().or_else(|| self.setup())
    }

    /// The TLS id for `media` (RFC 8842 §4).
    pub fn tls_id_for<'a>(&'a self, media: &'a MediaDescription) -> Option<&'a Word> {
        media.tls_id().or_else(|| self.tls_id())
    }

    /// The ICE user fragment for `media` (RFC 8839 §5.4).
    pub fn ice_ufrag_for<'a>(&'a self, media: &'a MediaDescription) -> Option<&'a Word> {
        media.ice_ufrag().or_else(|| self.ice_ufrag())
    }

    /// The ICE password for `media` (RFC 8839 §5.4).
    pub fn ice_pwd_for<'a>(&'a self, media: &'a MediaDescription) -> Option<&'a IcePwd> {
        media.ice_pwd().or_else(|| self.ice_pwd())
    }

    /// The ICE options for `media`: its own, then the session's (RFC 8839 §5.6).
    pub fn ice_options_for<'a>(
        &'a self,
        media: &'a MediaDescription,
    ) -> impl Iterator<Item = &'a str> {
        let own = media.ice_options().into_iter();
        own.chain(self.ice_options()).flat_map(IceOptions::iter)
    }

    /// Whether the sender is an ICE-lite agent (RFC 8839 §5.3).
    pub fn is_ice_lite(&self) -> bool {
        self.has(&Attribute::IceLite)
    }

    /// Whether no candidate will follow for `media` (RFC 8840 §4.2: said by it or by the session).
    pub fn end_of_candidates_for(&self, media: &MediaDescription) -> bool {
        media.end_of_candidates() || self.end_of_candidates()
    }

    /// The candidates of every section with its index, in order.
    pub fn candidates_by_media(&self) -> impl Iterator<Item = (usize, &Candidate)> {
        let sections = self.media.iter().enumerate();
        sections
            .flat_map(|(index, media)| media.candidates().map(move |candidate| (index, candidate)))
    }

    /// The direction of `media`; sendrecv where nothing is said (RFC 8866 §6.7).
    pub fn direction_for(&self, media: &MediaDescription) -> Direction {
        let own = media.direction().or_else(|| self.direction());
        own.unwrap_or(Direction::SendRecv)
    }

    /// `c=` for `media` (RFC 8866 §5.7).
    pub fn connection_for<'a>(&'a self, media: &'a MediaDescription) -> Option<&'a Connection> {
        media.connection().or_else(|| self.connection())
    }

    /// Whether one- and two-byte header extensions may be mixed for `media` (RFC 8285 §6).
    pub fn extmap_allow_mixed_for(&self, media: &MediaDescription) -> bool {
        media.has(&Attribute::ExtmapAllowMixed) || self.has(&Attribute::ExtmapAllowMixed)
    }
}

impl Deref for SessionDescription {
    type Target = Lines;
    fn deref(&self) -> &Lines {
        &self.lines
    }
}

impl DerefMut for SessionDescription {
    fn deref_mut(&mut self) -> &mut Lines {
        &mut self.lines
    }
}

impl FromStr for SessionDescription {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=0\r\n")?;
        self.origin.write(f)?;
        write!(f, "s={}\r\n", self.name)?;
        self.lines.write(f)?;
        self.media.iter().try_for_each(|media| media.write(f))
    }
}
