//! What negotiation decides about transports.

use std::fmt;

use pc_sdp::{Candidate, Fingerprint};

use crate::TransportId;

/// What one ICE and DTLS transport is to be, now: whoever owns the transports makes those that are
/// new, brings the others in line, and ends those that are in the list no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportPlan {
    /// Which transport.
    pub id: TransportId,
    /// The m-sections that use it. Candidates are announced for the first one (the "tagged" section,
    /// RFC 9143 §7.1.1).
    pub sections: Vec<SectionName>,
    /// The credentials of the local description that was set last: candidates are gathered and
    /// announced under these. While an ICE restart is being negotiated they are newer than
    /// [`PeerTransport::local`].
    pub local: IceCredentials,
    /// The other side, once an answer, perhaps a provisional one, has decided; nothing is to be sent
    /// before.
    pub peer: Option<PeerTransport>,
}

/// Where an m-section is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SectionName {
    /// Its index among the m-sections.
    pub index: usize,
    /// Its mid.
    pub mid: String,
}

/// The peer's side of a transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerTransport {
    /// Our credentials in the generation of ICE that `remote` belongs to.
    pub local: IceCredentials,
    /// The peer's credentials. Other ones than before: ICE restarts (RFC 8445 §9).
    pub remote: IceCredentials,
    /// The peer is an ICE-lite agent (RFC 8445 §2.5).
    pub lite: bool,
    /// Both sides have said `a=ice-options:renomination` (draft-thatcher-ice-renomination §3).
    pub renomination: bool,
    /// The candidates known so far.
    pub candidates: Vec<Candidate>,
    /// No more candidates will come in this generation (RFC 8838 §13).
    pub end_of_candidates: bool,
    /// Whether we are the DTLS client (RFC 8842 §5).
    pub dtls_client: bool,
    /// What the peer's certificate must match, one of them (RFC 8122 §5). Never empty.
    pub fingerprints: Vec<Fingerprint>,
    /// `a=tls-id`, if the peer has given one: another one than before asks for a new DTLS association
    /// (RFC 8842 §4).
    pub tls_id: Option<String>,
}

/// A user fragment and its password (RFC 8839 §5.4).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IceCredentials {
    /// 4 to 256 ice-chars.
    pub ufrag: String,
    /// 22 to 256 ice-chars.
    pub pwd: String,
}

impl fmt::Debug for IceCredentials {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCredentials")
            .field("ufrag", &self.ufrag)
            .finish_non_exhaustive()
    }
}

/// What negotiation decides about data channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPlan {
    /// The transport they run on.
    pub transport: TransportId,
    /// The section's mid.
    pub mid: String,
    /// The peer's SCTP port (RFC 8841 §5) and limit of a message in bytes, 0 for any (§6), once an
    /// answer has decided.
    pub peer: Option<PeerData>,
}

/// The peer's side of the SCTP association.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerData {
    /// `a=sctp-port`.
    pub port: u16,
    /// `a=max-message-size`: 65,536 where nothing is said, 0 for any.
    pub max_message_size: u64,
}
