//! The states of a connection and of its transports, by the W3C's names.

use std::fmt;

macro_rules! states {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// The W3C's spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub use pc_jsep::SignalingState;

states! {
    /// [`RTCIceGatheringState`](https://www.w3.org/TR/webrtc/#rtcicegatheringstate-enum).
    IceGatheringState {
        /// Nothing has been gathered yet.
        New = "new",
        /// Candidates are being gathered.
        Gathering = "gathering",
        /// Every candidate has been announced.
        Complete = "complete",
    }
}

states! {
    /// [`RTCIceConnectionState`](https://www.w3.org/TR/webrtc/#rtciceconnectionstate-enum).
    IceConnectionState {
        /// Nothing is being checked yet.
        New = "new",
        /// Pairs are being checked, none works yet.
        Checking = "checking",
        /// A pair works; others may still be checked.
        Connected = "connected",
        /// A pair works and the checks are over.
        Completed = "completed",
        /// The working pair has gone silent; it may come back.
        Disconnected = "disconnected",
        /// No pair works.
        Failed = "failed",
        /// The connection is closed.
        Closed = "closed",
    }
}

states! {
    /// [`RTCIceTransportState`](https://www.w3.org/TR/webrtc/#rtcicetransportstate): one transport's
    /// part of the [`IceConnectionState`].
    IceTransportState {
        /// Nothing is being checked yet.
        New = "new",
        /// Pairs are being checked, none works yet.
        Checking = "checking",
        /// A pair works; others may still be checked.
        Connected = "connected",
        /// A pair works and the checks are over.
        Completed = "completed",
        /// The working pair has gone silent; it may come back.
        Disconnected = "disconnected",
        /// No pair works.
        Failed = "failed",
        /// The transport is not used any more.
        Closed = "closed",
    }
}

states! {
    /// [`RTCIceGathererState`](https://www.w3.org/TR/webrtc/#rtcicegathererstate): one transport's
    /// part of the [`IceGatheringState`].
    IceGathererState {
        /// Nothing has been gathered yet.
        New = "new",
        /// Candidates are being gathered.
        Gathering = "gathering",
        /// Every candidate has been announced.
        Complete = "complete",
    }
}

states! {
    /// [`RTCPeerConnectionState`](https://www.w3.org/TR/webrtc/#rtcpeerconnectionstate-enum): the
    /// sum of the ICE and DTLS transports.
    PeerConnectionState {
        /// No transport has started.
        New = "new",
        /// A transport is being set up.
        Connecting = "connecting",
        /// Every transport is up.
        Connected = "connected",
        /// An ICE transport has gone silent.
        Disconnected = "disconnected",
        /// A transport failed.
        Failed = "failed",
        /// The connection is closed.
        Closed = "closed",
    }
}

states! {
    /// [`RTCDtlsTransportState`](https://www.w3.org/TR/webrtc/#rtcdtlstransportstate-enum).
    DtlsTransportState {
        /// The handshake has not started.
        New = "new",
        /// The handshake is under way, or the peer's certificate is not verified yet.
        Connecting = "connecting",
        /// The handshake is done and the peer's certificate is the one in its description.
        Connected = "connected",
        /// Closed by either side.
        Closed = "closed",
        /// Failed: the handshake, the certificate, or a fatal alert.
        Failed = "failed",
    }
}

states! {
    /// [`RTCSctpTransportState`](https://www.w3.org/TR/webrtc/#rtcsctptransportstate-enum).
    SctpTransportState {
        /// The association is being set up.
        Connecting = "connecting",
        /// The association is up.
        Connected = "connected",
        /// The association has ended.
        Closed = "closed",
    }
}

states! {
    /// [`RTCDataChannelState`](https://www.w3.org/TR/webrtc/#rtcdatachannelstate-enum).
    ///
    /// ```text
    ///              association up, or peer's OPEN         close() by either side
    ///   Connecting ─────────────────────────────▶ Open ──────────────────▶ Closing ──▶ Closed
    /// ```
    DataChannelState {
        /// Not open yet; nothing can be sent.
        Connecting = "connecting",
        /// Messages flow.
        Open = "open",
        /// Being closed: what was queued is still delivered.
        Closing = "closing",
        /// Closed.
        Closed = "closed",
    }
}
