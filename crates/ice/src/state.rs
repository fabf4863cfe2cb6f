use std::fmt;

use pc_proto::FiveTuple;

use crate::Error;

/// Which side nominates the pair to use (RFC 8445 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Nominates.
    Controlling,
    /// Follows.
    Controlled,
}

impl Role {
    /// The role of the other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Controlling => "controlling",
            Self::Controlled => "controlled",
        })
    }
}

/// How connected an agent is; the words are those of `RTCIceTransportState` (W3C webrtc-pc §5.6.4).
///
/// ```text
///   New ── set_remote_credentials, a pair ──► Checking ── nothing left, patience over ──► Failed
///                                             │   ▲                                        │ ▲
///                              first response │   └── restart, a new pair ─────────────────┘ │
///                                             ▼                                              │
///        ┌─────────────────────────────── Connected ◄──────────┐                             │
///        │ nominated, both sides at       │       ▲             │ any answer                 │
///        │ their end of candidates        │       │ new pair    │                            │
///        ▼                 silence        ▼       │             │         consent expired    │
///   Completed ──────────────────────► Disconnected ─────────────┴────────────────────────────┘
///
///   any ── close ──► Closed
/// ```
///
/// A restart leaves `Connected`, `Completed` and `Disconnected` as they are while the old pair lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// There is no pair to check yet.
    New,
    /// Pairs are checked and none has answered.
    Checking,
    /// A pair has answered and carries data; better ones may still be found.
    Connected,
    /// A pair is nominated, and every other one has been checked or given up.
    Completed,
    /// The pair in use has fallen silent. Data still leaves: this may pass.
    Disconnected,
    /// No pair has answered, or consent has expired. A restart or a new pair begins anew.
    Failed,
    /// [`close`](crate::Agent::close) was called.
    Closed,
}

/// What happened inside an [`Agent`](crate::Agent).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// [`state`](crate::Agent::state) has changed to this. Closing gives no event.
    StateChanged(State),
    /// [`route`](crate::Agent::route) and [`selected_pair`](crate::Agent::selected_pair) have
    /// changed: another pair carries the data, or none does. Says it once for several changes.
    SelectedPairChanged,
    /// The first authenticated message on this path: other datagrams from it are passed up from
    /// now on, and a demultiplexer may learn it.
    PathAuthenticated(FiveTuple),
    /// The peer has answered a check of ours on this path: it not only sends from there, which
    /// could be forged, it also receives there. Comes with each answer but those to consent checks.
    PathConfirmed(FiveTuple),
    /// The path is not passed up any more: its local address went, or newer ones took its place.
    PathForgotten(FiveTuple),
    /// A role conflict was resolved by changing to this role (RFC 8445 §7.3.1.1).
    RoleChanged(Role),
}

const _: () = assert!(size_of::<Event>() <= 80);
const _: () = assert!(
    size_of::<Result<Option<&mut [u8]>, crate::Rejected>>() <= 40 && size_of::<Error>() <= 4
);
