/// How a check nominates its pair.
///
/// A number outranks USE-CANDIDATE, and a higher number a lower one
/// (draft-thatcher-ice-renomination §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nomination {
    /// USE-CANDIDATE (RFC 8445 §7.1.2).
    UseCandidate,
    /// NOMINATION.
    Numbered(u32),
}
