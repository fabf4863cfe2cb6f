use pc_proto::ParseError;

use crate::turn;

/// What the caller asked for cannot be done; nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ufrag is not 4 to 256 ice-chars (RFC 8839 §5.4).
    #[error("a ufrag has 4 to 256 letters, digits, + or /")]
    InvalidUfrag,
    /// The password is not 22 to 256 ice-chars (RFC 8839 §5.4).
    #[error("an ICE password has 22 to 256 letters, digits, + or /")]
    InvalidPassword,
    /// Other credentials came in without an ICE restart (RFC 8445 §9).
    #[error("the peer's credentials change only with an ICE restart")]
    CredentialsChanged,
    /// The candidate is for another component than 1.
    #[error("component {0}: only component 1 is used")]
    UnsupportedComponent(u16),
    /// Nothing can be sent to the candidate's address.
    #[error("unspecified, multicast and broadcast addresses and port 0 are no candidates")]
    UnusableAddress,
    /// The peer has as many candidates as an agent keeps.
    #[error("the peer has too many candidates")]
    TooManyCandidates,
    /// The agent or the client is closed.
    #[error("the agent is closed")]
    Closed,
    /// The user name of long-term credentials is not 1 to 508 bytes long (RFC 8489 §14.3).
    #[error("a TURN user name has 1 to 508 bytes")]
    InvalidUsername,
    /// An Allocate request cannot ask for this, or not for all of it at once (RFC 8656 §7.1).
    #[error("impossible allocation: {0}")]
    ImpossibleAllocation(turn::Conflict),
    /// There are as many permissions, channels or connections as a TURN client keeps.
    #[error("too many peers for one allocation")]
    TooManyPeers,
    /// Nothing is relayed to this peer: there is no allocation, or no permission yet.
    #[error("the server does not relay to this peer")]
    NotPermitted,
    /// The allocation relays something else: datagrams or TCP connections (RFC 6062 §4.1).
    #[error("the allocation does not relay that")]
    OtherTransport,
    /// The server has given no ticket to move the allocation with (RFC 8016 §3.1).
    #[error("the allocation cannot move")]
    NoMobility,
}

/// Why a datagram was dropped. It has changed no state; an error response may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The agent or the client is closed.
    #[error("the agent is closed")]
    Closed,
    /// No local candidate has the address at which it arrived.
    #[error("no local candidate at this address")]
    UnknownLocalAddress,
    /// It is not STUN, and no authenticated check has been seen on this path.
    #[error("not STUN, from a path without an authenticated check")]
    UnknownPath,
    /// It looks like STUN and is malformed.
    #[error("malformed STUN: {0}")]
    Malformed(#[from] ParseError),
    /// Its FINGERPRINT is wrong (RFC 8489 §14.7).
    #[error("wrong FINGERPRINT")]
    Fingerprint,
    /// It is STUN, but neither a Binding request, response nor indication.
    #[error("not a Binding message")]
    UnexpectedMethod,
    /// USERNAME, MESSAGE-INTEGRITY or PRIORITY is missing: 400 (RFC 8489 §9.1.3, RFC 8445 §7.1.1).
    #[error("a check without USERNAME, MESSAGE-INTEGRITY or PRIORITY")]
    BadRequest,
    /// USERNAME does not begin with a local ufrag: 401 (RFC 8489 §9.1.3).
    #[error("a check for an unknown ufrag")]
    UnknownUfrag,
    /// MESSAGE-INTEGRITY is wrong: 401 to a request, silence to a response.
    #[error("missing or wrong MESSAGE-INTEGRITY")]
    Unauthenticated,
    /// It has comprehension-required attributes that are not understood: 420 (RFC 8489 §6.3.1).
    #[error("unknown comprehension-required attribute {0:#06x}")]
    UnknownAttribute(u16),
    /// Both sides have the same role and the peer is to give way: 487 (RFC 8445 §7.3.1.1).
    #[error("role conflict")]
    RoleConflict,
    /// A response to no check that is open, or from elsewhere than the check went to.
    #[error("a response without a check")]
    UnmatchedResponse,
    /// It is from a channel that was not bound (RFC 8656 §12.6).
    #[error("ChannelData of the unknown channel {0:#06x}")]
    UnknownChannel(u16),
    /// A TURN server relays from a peer that has no permission (RFC 8656 §11.4).
    #[error("relayed from a peer without a permission")]
    NotPermitted,
    /// A check for a generation of ours that names another one of the peer's: silence, until both are
    /// negotiated.
    #[error("a check of another generation of the peer's")]
    OtherGeneration,
    /// A check that came before, from another path.
    #[error("a replayed check")]
    Replayed,
}
