//! What signaling carries: session descriptions and ICE candidates.

use std::fmt;

pub use pc_jsep::SdpType;

/// [`RTCSessionDescription`](https://www.w3.org/TR/webrtc/#rtcsessiondescription-class): one side of
/// the session, as it goes through signaling.
///
/// With the feature `serde` it reads and writes the JSON that browsers do: `{"type": …, "sdp": …}`.
///
/// `Debug` leaves out the values of `a=ice-pwd`.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SessionDescription {
    /// What it is in the exchange.
    #[cfg_attr(feature = "serde", serde(rename = "type", with = "sdp_type"))]
    pub kind: SdpType,
    /// The description itself, RFC 8866.
    #[cfg_attr(feature = "serde", serde(default))]
    pub sdp: String,
}

impl fmt::Debug for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PASSWORD: &str = "a=ice-pwd:";
        let shown = self.sdp.split_inclusive('\n').map(|line| {
            let is_password = line.starts_with(PASSWORD);
            if is_password {
                "a=ice-pwd:…\r\n"
            } else {
                line
            }
        });
        f.debug_struct("SessionDescription")
            .field("kind", &self.kind)
            .field("sdp", &shown.collect::<String>())
            .finish()
    }
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

    /// A provisional answer: another answer follows.
    pub fn pranswer(sdp: impl Into<String>) -> Self {
        Self {
            kind: SdpType::Pranswer,
            sdp: sdp.into(),
        }
    }

    /// Takes back the offer that waits for its answer.
    pub fn rollback() -> Self {
        Self {
            kind: SdpType::Rollback,
            sdp: String::new(),
        }
    }
}

#[cfg(feature = "serde")]
mod sdp_type {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::SdpType;

    pub(super) fn serialize<S: Serializer>(kind: &SdpType, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(kind.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SdpType, D::Error> {
        let name = String::deserialize(from)?;
        let unknown = || D::Error::custom(format!("{name:?} is no type of a description"));
        SdpType::from_name(&name).ok_or_else(unknown)
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

/// The attributes of [`RTCIceCandidate`](https://www.w3.org/TR/webrtc/#rtcicecandidate-interface)
/// that are read out of `candidate`; `None` where that is empty or malformed.
impl IceCandidate {
    /// `foundation`.
    pub fn foundation(&self) -> Option<String> {
        Some(self.parsed()?.foundation.as_str().to_owned())
    }

    /// `component`: 1 for RTP, 2 for RTCP.
    pub fn component(&self) -> Option<u16> {
        Some(self.parsed()?.component)
    }

    /// `priority`.
    pub fn priority(&self) -> Option<u32> {
        Some(self.parsed()?.priority)
    }

    /// `address`: an IP address, or a name to be resolved by multicast DNS.
    pub fn address(&self) -> Option<String> {
        Some(self.parsed()?.address.to_string())
    }

    /// `protocol`: "udp" or "tcp".
    pub fn protocol(&self) -> Option<String> {
        Some(self.parsed()?.transport.to_string().to_ascii_lowercase())
    }

    /// `port`.
    pub fn port(&self) -> Option<u16> {
        Some(self.parsed()?.port)
    }

    /// `type`: "host", "srflx", "prflx" or "relay".
    pub fn kind(&self) -> Option<String> {
        Some(self.parsed()?.kind.to_string())
    }

    /// `tcpType`: "active", "passive" or "so".
    pub fn tcp_type(&self) -> Option<String> {
        Some(self.parsed()?.tcp_type?.as_str().to_owned())
    }

    /// `relatedAddress`.
    pub fn related_address(&self) -> Option<String> {
        Some(self.parsed()?.related_address?.to_string())
    }

    /// `relatedPort`.
    pub fn related_port(&self) -> Option<u16> {
        self.parsed()?.related_port
    }

    /// Whether it names no m-section though it has to (WebRTC §4.4.2, `addIceCandidate`, step 3).
    pub(crate) fn is_nowhere(&self) -> bool {
        let is_named = self.sdp_mid.is_some() || self.sdp_m_line_index.is_some();
        !self.candidate.is_empty() && !is_named
    }

    fn parsed(&self) -> Option<pc_sdp::Candidate> {
        self.candidate.parse().ok()
    }
}
