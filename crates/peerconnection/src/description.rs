//! What signaling carries: session descriptions and ICE candidates.

use std::fmt;

/// [`RTCSdpType`](https://www.w3.org/TR/webrtc/#rtcsdptype): what a description is in the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum SdpType {
    /// An offer.
    Offer,
    /// A provisional answer. Not supported yet: refused by name.
    Pranswer,
    /// The final answer.
    Answer,
    /// Takes back the last offer. Not supported yet: refused by name.
    Rollback,
}

impl fmt::Display for SdpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offer => "offer",
            Self::Pranswer => "pranswer",
            Self::Answer => "answer",
            Self::Rollback => "rollback",
        })
    }
}

/// [`RTCSessionDescription`](https://www.w3.org/TR/webrtc/#rtcsessiondescription-class): one side of
/// the session, as it goes through signaling.
///
/// With the feature `serde` it reads and writes the JSON that browsers do: `{"type": …, "sdp": …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SessionDescription {
    /// Offer or answer.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub kind: SdpType,
    /// The description itself, RFC 8866.
    #[cfg_attr(feature = "serde", serde(default))]
    pub sdp: String,
}

impl SessionDescription {
    /// An offer.
    pub fn offer(sdp: impl Into<String>) -> Self {
        Self {
            kind: SdpType::Offer,
            sdp: sdp.into(),
        }
    }

    /// An answer.
    pub fn answer(sdp: impl Into<String>) -> Self {
        Self {
            kind: SdpType::Answer,
            sdp: sdp.into(),
        }
    }
}

/// [`RTCIceCandidateInit`](https://www.w3.org/TR/webrtc/#rtcicecandidate-interface): one trickled
/// candidate, as it goes through signaling.
///
/// With the feature `serde` it reads and writes the JSON that browsers do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default))]
pub struct IceCandidate {
    /// The `candidate:…` value of RFC 8839 §5.1; empty says that no more will come.
    pub candidate: String,
    /// The `a=mid` of the m-section it belongs to.
    pub sdp_mid: Option<String>,
    /// The index of that m-section, counted from 0, for when there is no mid.
    #[cfg_attr(feature = "serde", serde(rename = "sdpMLineIndex"))]
    pub sdp_m_line_index: Option<u16>,
    /// The `a=ice-ufrag` of the generation it belongs to.
    pub username_fragment: Option<String>,
}
