//! The states of the transports, and their sum.

use std::collections::VecDeque;

use pc_dtls as dtls;
use pc_ice as ice;

use super::{Event, transport::Transport};
use crate::state::{
    DtlsTransportState, IceConnectionState, PeerConnectionState, SctpTransportState,
};

/// The states as the last events told them.
#[derive(Debug, Clone, Copy)]
pub(super) struct States {
    pub(super) ice: IceConnectionState,
    pub(super) dtls: DtlsTransportState,
    pub(super) sctp: Option<SctpTransportState>,
    pub(super) connection: PeerConnectionState,
}

impl States {
    pub(super) const NEW: Self = Self {
        ice: IceConnectionState::New,
        dtls: DtlsTransportState::New,
        sctp: None,
        connection: PeerConnectionState::New,
    };

    pub(super) fn close(&mut self) {
        self.ice = IceConnectionState::Closed;
        self.dtls = DtlsTransportState::Closed;
        self.sctp = self.sctp.map(|_| SctpTransportState::Closed);
        self.connection = PeerConnectionState::Closed;
    }

    /// Takes the transports' states over, all at once, and then tells of each that has changed, in
    /// the order of [WebRTC §5.5] and [§5.6]: transports before the sum.
    ///
    /// [WebRTC §5.5]: https://www.w3.org/TR/webrtc/#rtcdtlstransport-interface
    /// [§5.6]: https://www.w3.org/TR/webrtc/#rtcicetransport-interface
    pub(super) fn follow(
        &mut self,
        transport: &Transport,
        sctp: Option<SctpTransportState>,
        events: &mut VecDeque<Event>,
    ) {
        let before = *self;
        self.ice = ice_state(transport.ice.state());
        self.dtls = dtls_state(transport);
        self.sctp = sctp;
        self.connection = sum(self.ice, self.dtls);
        if self.dtls != before.dtls {
            events.push_back(Event::DtlsStateChange(self.dtls));
        }
        if self.ice != before.ice {
            events.push_back(Event::IceConnectionStateChange(self.ice));
        }
        if self.connection != before.connection {
            events.push_back(Event::ConnectionStateChange(self.connection));
        }
        if let Some(sctp) = self.sctp
            && before.sctp != self.sctp
            // The transport is made in this state: that is no change.
            && (before.sctp, sctp) != (None, SctpTransportState::Connecting)
        {
            events.push_back(Event::SctpStateChange(sctp));
        }
    }
}

fn ice_state(state: ice::State) -> IceConnectionState {
    match state {
        ice::State::New => IceConnectionState::New,
        ice::State::Checking => IceConnectionState::Checking,
        ice::State::Connected => IceConnectionState::Connected,
        ice::State::Completed => IceConnectionState::Completed,
        ice::State::Disconnected => IceConnectionState::Disconnected,
        ice::State::Failed => IceConnectionState::Failed,
        ice::State::Closed => IceConnectionState::Closed,
    }
}

fn dtls_state(transport: &Transport) -> DtlsTransportState {
    match transport.dtls().map(dtls::Connection::state) {
        None if transport.is_dtls_broken() => DtlsTransportState::Failed,
        None | Some(dtls::State::New) => DtlsTransportState::New,
        Some(dtls::State::Connecting) => DtlsTransportState::Connecting,
        Some(dtls::State::Connected) => DtlsTransportState::Connected,
        Some(dtls::State::Closed) => DtlsTransportState::Closed,
        Some(dtls::State::Failed) => DtlsTransportState::Failed,
    }
}

/// [WebRTC §4.3.3](https://www.w3.org/TR/webrtc/#rtcpeerconnectionstate-enum), in the order there.
fn sum(ice: IceConnectionState, dtls: DtlsTransportState) -> PeerConnectionState {
    use DtlsTransportState as Dtls;
    use IceConnectionState as Ice;
    match (ice, dtls) {
        (Ice::Closed, _) => PeerConnectionState::Closed,
        (Ice::Failed, _) | (_, Dtls::Failed) => PeerConnectionState::Failed,
        (Ice::Disconnected, _) => PeerConnectionState::Disconnected,
        (Ice::New, Dtls::New | Dtls::Closed) => PeerConnectionState::New,
        (Ice::New | Ice::Checking, _) | (_, Dtls::New | Dtls::Connecting) => {
            PeerConnectionState::Connecting
        }
        (Ice::Connected | Ice::Completed, Dtls::Connected | Dtls::Closed) => {
            PeerConnectionState::Connected
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_follows_the_specification() {
        use DtlsTransportState as Dtls;
        use IceConnectionState as Ice;
        use PeerConnectionState as Sum;
        for (ice, dtls, expected) in [
            (Ice::New, Dtls::New, Sum::New),
            (Ice::Checking, Dtls::New, Sum::Connecting),
            (Ice::Connected, Dtls::New, Sum::Connecting),
            (Ice::Completed, Dtls::Connecting, Sum::Connecting),
            (Ice::Connected, Dtls::Connected, Sum::Connected),
            (Ice::Completed, Dtls::Closed, Sum::Connected),
            (Ice::Disconnected, Dtls::Connected, Sum::Disconnected),
            (Ice::Connected, Dtls::Failed, Sum::Failed),
            (Ice::Disconnected, Dtls::Failed, Sum::Failed),
            (Ice::Failed, Dtls::Connected, Sum::Failed),
        ] {
            assert_eq!(sum(ice, dtls), expected, "{ice} {dtls}");
        }
    }
}
