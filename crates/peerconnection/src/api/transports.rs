use std::{fmt, sync::Arc};

use pc_ice::Role;
use pc_jsep::TransportId;

use super::{shared::Shared, transceiver::Part};
use crate::{
    IceCandidate, engine,
    state::{DtlsTransportState, IceGathererState, IceTransportState, SctpTransportState},
};

/// [`RTCDtlsTransport`](https://www.w3.org/TR/webrtc/#rtcdtlstransport-interface): what several
/// m-sections of a bundle share. A cheap handle; two are equal when they are of one transport.
#[derive(Clone)]
pub struct DtlsTransport {
    shared: Arc<Shared>,
    id: TransportId,
}

impl DtlsTransport {
    pub(crate) fn new(shared: Arc<Shared>, id: TransportId) -> Self {
        Self { shared, id }
    }

    pub(crate) fn of(part: &Part) -> Option<Self> {
        let id = part.view(|transceiver| transceiver.transport())??;
        Some(Self::new(part.shared.clone(), id))
    }

    /// `iceTransport`.
    pub fn ice_transport(&self) -> IceTransport {
        IceTransport {
            shared: self.shared.clone(),
            id: self.id,
        }
    }

    /// `state`.
    pub fn state(&self) -> DtlsTransportState {
        let inner = self.shared.lock();
        let state = inner.engine.transport(self.id).map(|it| it.dtls_state());
        state.unwrap_or(DtlsTransportState::Closed)
    }

    /// `getRemoteCertificates()`: in DER, the peer's own first; none before the handshake.
    pub fn remote_certificates(&self) -> Vec<Vec<u8>> {
        let inner = self.shared.lock();
        let transport = inner.engine.transport(self.id);
        let certificates = transport.into_iter();
        certificates
            .flat_map(|it| it.remote_certificates())
            .map(<[u8]>::to_vec)
            .collect()
    }
}

/// [`RTCIceTransport`](https://www.w3.org/TR/webrtc/#rtcicetransport-interface). A cheap handle; two
/// are equal when they are of one transport.
#[derive(Clone)]
pub struct IceTransport {
    shared: Arc<Shared>,
    id: TransportId,
}

/// [`RTCIceRole`](https://www.w3.org/TR/webrtc/#rtcicerole): which side decides about the pair in
/// use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IceRole {
    /// Not decided yet.
    Unknown,
    /// This side decides.
    Controlling,
    /// The peer does.
    Controlled,
}

/// [`RTCIceComponent`](https://www.w3.org/TR/webrtc/#rtcicecomponent): always RTP, for RTCP is
/// multiplexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IceComponent {
    /// RTP, and everything that shares its transport.
    Rtp,
}

/// [`RTCIceCandidatePair`](https://www.w3.org/TR/webrtc/#rtcicecandidatepair).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceCandidatePair {
    /// Ours.
    pub local: IceCandidate,
    /// The peer's.
    pub remote: IceCandidate,
}

/// [`RTCIceParameters`](https://www.w3.org/TR/webrtc/#rtciceparameters).
#[derive(Clone, PartialEq, Eq)]
pub struct IceParameters {
    /// `usernameFragment`.
    pub username_fragment: String,
    /// `password`.
    pub password: String,
}

impl fmt::Debug for IceParameters {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceParameters")
            .field("username_fragment", &self.username_fragment)
            .finish_non_exhaustive()
    }
}

impl From<&engine::IceCredentials> for IceParameters {
    fn from(credentials: &engine::IceCredentials) -> Self {
        Self {
            username_fragment: credentials.ufrag.clone(),
            password: credentials.pwd.clone(),
        }
    }
}

impl IceTransport {
    pub(crate) fn new(shared: Arc<Shared>, id: TransportId) -> Self {
        Self { shared, id }
    }

    /// What the engine knows of it; `None` once it has ended.
    fn view<T>(&self, look: impl FnOnce(engine::TransportView<'_>) -> T) -> Option<T> {
        let inner = self.shared.lock();
        inner.engine.transport(self.id).map(look)
    }

    /// `role`.
    pub fn role(&self) -> IceRole {
        match self.view(|transport| transport.ice_role()).flatten() {
            None => IceRole::Unknown,
            Some(Role::Controlling) => IceRole::Controlling,
            Some(Role::Controlled) => IceRole::Controlled,
        }
    }

    /// `component`.
    pub fn component(&self) -> IceComponent {
        IceComponent::Rtp
    }

    /// `state`.
    pub fn state(&self) -> IceTransportState {
        let state = self.view(|transport| transport.ice_state());
        state.unwrap_or(IceTransportState::Closed)
    }

    /// `gatheringState`.
    pub fn gathering_state(&self) -> IceGathererState {
        let state = self.view(|transport| transport.gathering_state());
        state.unwrap_or(IceGathererState::Complete)
    }

    /// `getLocalCandidates()`: those of the current generation.
    pub fn local_candidates(&self) -> Vec<IceCandidate> {
        let candidates = self.view(|transport| transport.local_candidates());
        candidates.unwrap_or_default()
    }

    /// `getRemoteCandidates()`: those that were signaled.
    pub fn remote_candidates(&self) -> Vec<IceCandidate> {
        let candidates = self.view(|transport| transport.remote_candidates());
        candidates.unwrap_or_default()
    }

    /// `getSelectedCandidatePair()`: the one in use.
    pub fn selected_candidate_pair(&self) -> Option<IceCandidatePair> {
        let pair = self.view(|transport| transport.selected_candidate_pair())?;
        pair.map(|(local, remote)| IceCandidatePair { local, remote })
    }

    /// `getLocalParameters()`: those of the local description.
    pub fn local_parameters(&self) -> Option<IceParameters> {
        self.view(|transport| transport.local_parameters().into())
    }

    /// `getRemoteParameters()`: those of the peer's last description that was answered, or is an
    /// answer.
    pub fn remote_parameters(&self) -> Option<IceParameters> {
        self.view(|transport| transport.remote_parameters().map(IceParameters::from))?
    }
}

/// [`RTCSctpTransport`](https://www.w3.org/TR/webrtc/#rtcsctptransport-interface): what all data
/// channels share. A cheap handle.
#[derive(Clone)]
pub struct SctpTransport {
    shared: Arc<Shared>,
}

impl SctpTransport {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// `transport`; `None` once there is no section for data channels any more.
    pub fn transport(&self) -> Option<DtlsTransport> {
        let id = self.shared.lock().engine.data_transport()?;
        Some(DtlsTransport::new(self.shared.clone(), id))
    }

    /// `state`.
    pub fn state(&self) -> SctpTransportState {
        let state = self.shared.lock().engine.sctp_state();
        state.unwrap_or(SctpTransportState::Closed)
    }

    /// `maxMessageSize`: how many bytes a message to the peer may have; `None` before the peer has
    /// said so.
    pub fn max_message_size(&self) -> Option<usize> {
        self.shared.lock().engine.max_message_size()
    }

    /// `maxChannels`: how many channels there can be; `None` before the association is up.
    pub fn max_channels(&self) -> Option<u16> {
        self.shared.lock().engine.max_channels()
    }
}

macro_rules! handles {
    ($($name:ident: $($own:ident)?;)*) => {$(
        impl PartialEq for $name {
            /// Whether both are handles of one transport.
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.shared, &other.shared) $(&& self.$own == other.$own)?
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("state", &self.state())
                    .finish_non_exhaustive()
            }
        }
    )*};
}
handles! {
    DtlsTransport: id;
    IceTransport: id;
    SctpTransport: ;
}
