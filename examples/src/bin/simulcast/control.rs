//! What a viewer and the server tell each other over a data channel.

use peerconnection::RtpLayer;
use serde::{Deserialize, Serialize};

/// What the viewer's channel is called.
pub(crate) const LABEL: &str = "layers";

/// From a viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Wish {
    /// Send this layer on.
    Select(String),
}

/// From the server, twice a second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct News {
    /// What the source sends.
    pub(crate) layers: Vec<LayerNews>,
    /// The layer that this viewer has chosen.
    pub(crate) selected: Option<String>,
    /// The layer that is sent on to it: another one while that waits for a key frame.
    pub(crate) forwarded: Option<String>,
    /// How many look.
    pub(crate) viewers: usize,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LayerNews {
    pub(crate) rid: String,
    /// Width and height in pixels, once a key frame has told.
    pub(crate) size: Option<(u32, u32)>,
    /// In bits a second.
    pub(crate) bit_rate: u64,
    /// Frames a second.
    pub(crate) frame_rate: u32,
    /// Whether it is being sent.
    pub(crate) is_active: bool,
}

impl LayerNews {
    pub(crate) fn of(layer: &RtpLayer) -> Option<Self> {
        Some(Self {
            rid: layer.rid.as_deref()?.to_owned(),
            size: layer.size,
            bit_rate: layer.bit_rate,
            frame_rate: layer.frame_rate,
            is_active: layer.is_active,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_page_says_and_reads() {
        let wish: Wish = serde_json::from_str(r#"{"select":"h"}"#).unwrap();
        assert_eq!(wish, Wish::Select("h".into()));
        let news = News {
            layers: vec![LayerNews {
                rid: "f".into(),
                size: Some((640, 360)),
                bit_rate: 1,
                frame_rate: 2,
                is_active: true,
            }],
            ..News::default()
        };
        let text = serde_json::to_string(&news).unwrap();
        assert_eq!(
            text,
            r#"{"layers":[{"rid":"f","size":[640,360],"bitRate":1,"frameRate":2,"isActive":true}],"selected":null,"forwarded":null,"viewers":0}"#
        );
    }
}
