use std::{fmt, sync::Arc};

use pc_jsep::{TransceiverId, TransceiverView};
use pc_media::MediaKind;

use super::{RtpReceiver, RtpSender, media::Tracks, shared::Shared};
use crate::{
    Error,
    rtp::{Codec, HeaderExtension, HeaderExtensionCapability, TransceiverDirection},
};

/// [`RTCRtpTransceiver`](https://www.w3.org/TR/webrtc/#rtcrtptransceiver-interface): a sender and a
/// receiver that share an m-section. A cheap, cloneable handle; it does not keep its connection
/// open.
#[derive(Clone)]
pub struct RtpTransceiver {
    pub(crate) part: Part,
}

/// What a transceiver's handle and those of its halves are made of.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: TransceiverId,
    pub(crate) kind: MediaKind,
    pub(crate) tracks: Arc<Tracks>,
}

impl Part {
    /// What the engine knows of it; `None` once it has stopped and been forgotten.
    pub(crate) fn view<T>(&self, look: impl FnOnce(TransceiverView<'_>) -> T) -> Option<T> {
        let inner = self.shared.lock();
        inner.engine.transceiver(self.id).map(look)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared) && self.id == other.id
    }
}

impl RtpTransceiver {
    /// `mid`: the name of its m-section; `None` before it has one, and when it has stopped.
    pub fn mid(&self) -> Option<String> {
        self.part
            .view(|transceiver| transceiver.mid().map(str::to_owned))?
    }

    /// Audio or video.
    pub fn kind(&self) -> MediaKind {
        self.part.kind
    }

    /// `sender`.
    pub fn sender(&self) -> RtpSender {
        RtpSender {
            part: self.part.clone(),
        }
    }

    /// `receiver`.
    pub fn receiver(&self) -> RtpReceiver {
        RtpReceiver {
            part: self.part.clone(),
        }
    }

    /// `direction`: what the application wants.
    pub fn direction(&self) -> TransceiverDirection {
        let direction = self.part.view(|transceiver| transceiver.direction());
        direction.unwrap_or(TransceiverDirection::Stopped)
    }

    /// Sets `direction`; the next exchange of descriptions tells the peer.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: it is stopped, or the connection is closed; `TypeError`: to "stopped".
    pub fn set_direction(&self, direction: TransceiverDirection) -> Result<(), Error> {
        let mut inner = self.part.shared.lock();
        inner.engine.set_direction(self.part.id, direction)?;
        drop(inner);
        self.part.shared.wake_driver();
        Ok(())
    }

    /// `currentDirection`: what the last exchange has decided; `None` before the first.
    pub fn current_direction(&self) -> Option<TransceiverDirection> {
        let current = self
            .part
            .view(|transceiver| transceiver.current_direction());
        current.unwrap_or(Some(TransceiverDirection::Stopped))
    }

    /// `stop()`: ends the receiver's track now and the m-section with the next exchange.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the connection is closed.
    pub fn stop(&self) -> Result<(), Error> {
        let mut inner = self.part.shared.lock();
        inner.engine.stop_transceiver(self.part.id)?;
        drop(inner);
        self.part.tracks.stop();
        self.part.shared.wake_driver();
        Ok(())
    }

    /// `setCodecPreferences()`: which codecs to offer and to answer, in which order; none resets.
    ///
    /// # Errors
    ///
    /// `InvalidModificationError`: one is not among the capabilities, or none carries media.
    pub fn set_codec_preferences(&self, codecs: Vec<Codec>) -> Result<(), Error> {
        let mut inner = self.part.shared.lock();
        inner.engine.set_codec_preferences(self.part.id, codecs)
    }

    /// `getHeaderExtensionsToNegotiate()`
    /// ([webrtc-extensions](https://www.w3.org/TR/webrtc-extensions/#rtcrtptransceiver-extensions)).
    pub fn header_extensions_to_negotiate(&self) -> Vec<HeaderExtensionCapability> {
        let wanted = |it: TransceiverView<'_>| it.header_extensions_to_negotiate().to_vec();
        self.part.view(wanted).unwrap_or_default()
    }

    /// `setHeaderExtensionsToNegotiate()`: the same extensions in the same order, with the directions
    /// that are wanted; "stopped" leaves one out.
    ///
    /// # Errors
    ///
    /// `InvalidModificationError`: others than there are, or without the mid.
    pub fn set_header_extensions_to_negotiate(
        &self,
        extensions: Vec<HeaderExtensionCapability>,
    ) -> Result<(), Error> {
        let mut inner = self.part.shared.lock();
        let engine = &mut inner.engine;
        engine.set_header_extensions_to_negotiate(self.part.id, extensions)
    }

    /// `getNegotiatedHeaderExtensions()`: those that both sides use.
    pub fn negotiated_header_extensions(&self) -> Vec<HeaderExtension> {
        let negotiated = |it: TransceiverView<'_>| it.header_extensions().to_vec();
        self.part.view(negotiated).unwrap_or_default()
    }
}

impl PartialEq for RtpTransceiver {
    /// Whether both are handles of one transceiver.
    fn eq(&self, other: &Self) -> bool {
        self.part.is_same(&other.part)
    }
}

impl Eq for RtpTransceiver {}

impl fmt::Debug for RtpTransceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpTransceiver")
            .field("kind", &self.kind())
            .field("mid", &self.mid())
            .field("direction", &self.direction())
            .field("current_direction", &self.current_direction())
            .finish_non_exhaustive()
    }
}
