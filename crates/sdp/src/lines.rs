//! The lines of one section in their order, and looking things up among them.

use core::fmt::{self, Write};

use crate::{
    Attribute, Candidate, Connection, Direction, Extmap, Fingerprint, Fmtp, Group, IceOptions,
    IcePwd, Line, Msid, Rid, RtcpFb, Rtpmap, Setup, Simulcast, Spelled, SsrcAttribute, SsrcGroup,
    Word,
};

/// The lines of a session or media section below its head, in the order they have on the wire.
///
/// Every look-up scans the section once. Where an attribute that should stand once stands more
/// often, the first counts, as in browsers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines(Vec<Spelled<Line>>);

impl Lines {
    /// The lines in order.
    pub fn iter(&self) -> core::slice::Iter<'_, Spelled<Line>> {
        self.0.iter()
    }

    /// The lines in order, for editing. A line that is borrowed mutably loses its spelling.
    pub fn iter_mut(&mut self) -> core::slice::IterMut<'_, Spelled<Line>> {
        self.0.iter_mut()
    }

    /// The attributes in order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter().filter_map(|line| line.attribute())
    }

    /// Adds a line where the order of RFC 8866 §5 wants it: after all lines of its own type,
    /// an attribute at the end.
    pub fn push(&mut self, line: impl Into<Line>) {
        let line = line.into();
        let rank = line.rank();
        let after = self.0.iter().rposition(|other| other.rank() <= rank);
        let index = after.map_or(0, |index| index + 1);
        self.0.insert(index, Spelled::new(line));
    }

    /// Puts `attribute` in the place of the first one of the same name and removes the others,
    /// or adds it at the end. The four directions count as one name.
    pub fn set(&mut self, attribute: Attribute) {
        let kind = attribute.clone();
        let is_same = |line: &Line| line.attribute().is_some_and(|own| own.is_same_kind(&kind));
        let Some(first) = self.0.iter().position(|line| is_same(line)) else {
            return self.push(attribute);
        };
        let mut index = 0;
        self.0.retain(|line| {
            index += 1;
            index - 1 <= first || !is_same(line)
        });
        if let Some(line) = self.0.get_mut(first) {
            **line = Line::Attribute(attribute);
        }
    }

    /// Keeps the lines that `keep` says yes to, as they were spelled.
    pub fn retain(&mut self, mut keep: impl FnMut(&Line) -> bool) {
        self.0.retain(|line| keep(line));
    }

    /// Removes every attribute called `name`.
    pub fn remove(&mut self, name: &str) {
        self.retain(|line| line.attribute().is_none_or(|own| own.name() != name));
    }

    /// Whether there is an attribute called `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name() == name)
    }

    pub(crate) fn append(&mut self, line: Spelled<Line>) {
        self.0.push(line);
    }

    pub(crate) fn canonicalize(&mut self) {
        self.0.iter_mut().for_each(Spelled::canonicalize);
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> fmt::Result {
        self.0.iter().try_for_each(|line| line.write(out))
    }
}

impl<'a> IntoIterator for &'a Lines {
    type Item = &'a Spelled<Line>;
    type IntoIter = core::slice::Iter<'a, Spelled<Line>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// `first!(doc, name -> Type, pattern)`: the first attribute that matches.
macro_rules! first {
    ($($(#[$doc:meta])* $name:ident -> $type:ty: $pattern:pat => $value:expr;)*) => {
        impl Lines {$(
            $(#[$doc])*
            pub fn $name(&self) -> Option<$type> {
                self.attributes().find_map(|attribute| match attribute {
                    $pattern => Some($value),
                    _ => None,
                })
            }
        )*}
    };
}

first! {
    /// `a=mid` (RFC 5888 §4).
    mid -> &Word: Attribute::Mid(mid) => mid;
    /// `a=ice-ufrag` (RFC 8839 §5.4).
    ice_ufrag -> &Word: Attribute::IceUfrag(ufrag) => ufrag;
    /// `a=ice-pwd` (RFC 8839 §5.4).
    ice_pwd -> &IcePwd: Attribute::IcePwd(pwd) => pwd;
    /// `a=ice-options` (RFC 8839 §5.6).
    ice_options -> &IceOptions: Attribute::IceOptions(options) => options;
    /// `a=setup` (RFC 4145 §4, RFC 8842 §5.2).
    setup -> Setup: Attribute::Setup(setup) => *setup;
    /// `a=tls-id` (RFC 8842 §4).
    tls_id -> &Word: Attribute::TlsId(id) => id;
    /// `a=sctp-port` (RFC 8841 §5), or the port of the older `a=sctpmap`.
    sctp_port -> u16: Attribute::SctpPort(port)
        | Attribute::SctpMap(crate::SctpMap { port, .. }) => *port;
    /// `a=max-message-size` in bytes, 0 for no limit (RFC 8841 §6).
    max_message_size -> u64: Attribute::MaxMessageSize(size) => *size;
    /// `a=sendrecv`, `a=sendonly`, `a=recvonly` or `a=inactive` (RFC 8866 §6.7).
    direction -> Direction: Attribute::Direction(direction) => *direction;
    /// `a=simulcast` (RFC 8853 §5.1).
    simulcast -> &Simulcast: Attribute::Simulcast(simulcast) => &**simulcast;
}

/// `every!(doc, name -> Type, pattern)`: all attributes that match.
macro_rules! every {
    ($($(#[$doc:meta])* $name:ident -> $type:ty: $pattern:pat => $value:expr;)*) => {
        impl Lines {$(
            $(#[$doc])*
            pub fn $name(&self) -> impl Iterator<Item = $type> {
                self.attributes().filter_map(|attribute| match attribute {
                    $pattern => Some($value),
                    _ => None,
                })
            }
        )*}
    };
}

every! {
    /// Every `a=group` (RFC 5888 §5).
    groups -> &Group: Attribute::Group(group) => group;
    /// Every `a=candidate` (RFC 8839 §5.1).
    candidates -> &Candidate: Attribute::Candidate(candidate) => &**candidate;
    /// Every `a=fingerprint` (RFC 8122 §5).
    fingerprints -> &Fingerprint: Attribute::Fingerprint(fingerprint) => fingerprint;
    /// Every `a=rtpmap` (RFC 8866 §6.6).
    rtpmaps -> &Rtpmap: Attribute::Rtpmap(rtpmap) => rtpmap;
    /// Every `a=fmtp` (RFC 8866 §6.15).
    fmtps -> &Fmtp: Attribute::Fmtp(fmtp) => fmtp;
    /// Every `a=rtcp-fb` (RFC 4585 §4.2).
    rtcp_fbs -> &RtcpFb: Attribute::RtcpFb(feedback) => feedback;
    /// Every `a=extmap` (RFC 8285 §5).
    extmaps -> &Extmap: Attribute::Extmap(extmap) => extmap;
    /// Every `a=msid` (RFC 8830 §2).
    msids -> &Msid: Attribute::Msid(msid) => msid;
    /// Every `a=ssrc` (RFC 5576 §4.1).
    ssrcs -> &SsrcAttribute: Attribute::Ssrc(ssrc) => ssrc;
    /// Every `a=ssrc-group` (RFC 5576 §4.2).
    ssrc_groups -> &SsrcGroup: Attribute::SsrcGroup(group) => group;
    /// Every `a=rid` (RFC 8851 §4).
    rids -> &Rid: Attribute::Rid(rid) => rid;
}

impl Lines {
    /// `c=` (RFC 8866 §5.7).
    pub fn connection(&self) -> Option<&Connection> {
        self.0.iter().find_map(|line| match &**line {
            Line::Connection(connection) => Some(connection),
            _ => None,
        })
    }

    /// Whether `a=end-of-candidates` is there (RFC 8840 §4.2).
    pub fn end_of_candidates(&self) -> bool {
        self.has(&Attribute::EndOfCandidates)
    }

    /// Whether this attribute is there, with this very value.
    pub fn has(&self, attribute: &Attribute) -> bool {
        self.attributes().any(|own| own == attribute)
    }
}
