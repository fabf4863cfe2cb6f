//! The states of the transports, and their sums.

use std::collections::VecDeque;

use super::{Event, transport::Told, transports::Transports};
use crate::state::{
    DtlsTransportState, IceConnectionState, IceTransportState, PeerConnectionState,
    SctpTransportState,
};

/// The sums as the last events told them.
#[derive(Debug, Clone, Copy)]
pub(super) struct States {
    pub(super) ice: IceConnectionState,
    pub(super) sctp: Option<SctpTransportState>,
    pub(super) connection: PeerConnectionState,
}

impl States {
    pub(super) const NEW: Self = Self {
        ice: IceConnectionState::New,
        sctp: None,
        connection: PeerConnectionState::New,
    };

    pub(super) fn close(&mut self) {
        self.ice = IceConnectionState::Closed;
        self.sctp = self.sctp.map(|_| SctpTransportState::Closed);
        self.connection = PeerConnectionState::Closed;
    }

    /// Takes the transports' states over, all at once, and then tells of each that has changed, in
    /// the order of [WebRTC §5.6] and [§5.5]: transports before the sum.
    ///
    /// [WebRTC §5.6]: https://www.w3.org/TR/webrtc/#rtcicetransport-interface
    /// [§5.5]: https://www.w3.org/TR/webrtc/#rtcdtlstransport-interface
    pub(super) fn follow(
        &mut self,
        transports: &mut Transports,
        sctp: Option<SctpTransportState>,
        events: &mut VecDeque<Event>,
    ) {
        let before = *self;
        let states = transports.states();
        self.ice = ice_sum(states.clone().map(|told| told.ice));
        self.connection = sum(states);
        self.sctp = sctp;
        transports.tell_ice(events);
        if self.ice != before.ice {
            events.push_back(Event::IceConnectionStateChange(self.ice));
        }
        transports.tell_dtls(events);
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

/// [WebRTC §4.3.4](https://www.w3.org/TR/webrtc/#rtciceconnectionstate-enum), in the order there;
/// a connection that is closed is not asked.
fn ice_sum(states: impl Iterator<Item = IceTransportState> + Clone) -> IceConnectionState {
    use IceConnectionState as Sum;
    use IceTransportState as One;
    let any = |which: &[One]| states.clone().any(|it| which.contains(&it));
    if any(&[One::Failed]) {
        Sum::Failed
    } else if any(&[One::Disconnected]) {
        Sum::Disconnected
    } else if !any(&[One::Checking, One::Completed, One::Connected]) {
        // All are new or closed, or there are none.
        Sum::New
    } else if any(&[One::New, One::Checking]) {
        Sum::Checking
    } else if any(&[One::Connected]) {
        Sum::Connected
    } else {
        Sum::Completed
    }
}

/// [WebRTC §4.3.3](https://www.w3.org/TR/webrtc/#rtcpeerconnectionstate-enum), in the order there;
/// a connection that is closed is not asked.
fn sum(states: impl Iterator<Item = Told> + Clone) -> PeerConnectionState {
    use DtlsTransportState as Dtls;
    use IceTransportState as Ice;
    let any = |is: &dyn Fn(&Told) -> bool| states.clone().any(|it| is(&it));
    if any(&|it| it.ice == Ice::Failed || it.dtls == Dtls::Failed) {
        PeerConnectionState::Failed
    } else if any(&|it| it.ice == Ice::Disconnected) {
        PeerConnectionState::Disconnected
    } else if !any(&|it| {
        !matches!(it.ice, Ice::New | Ice::Closed) || !matches!(it.dtls, Dtls::New | Dtls::Closed)
    }) {
        PeerConnectionState::New
    } else if any(&|it| {
        matches!(it.ice, Ice::New | Ice::Checking)
            || matches!(it.dtls, Dtls::New | Dtls::Connecting)
    }) {
        PeerConnectionState::Connecting
    } else {
        PeerConnectionState::Connected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DtlsTransportState as Dtls;
    use IceTransportState as Ice;

    #[test]
    fn the_sum_of_one_follows_the_specification() {
        use PeerConnectionState as Sum;
        for (ice, dtls, expected) in [
            (Ice::New, Dtls::New, Sum::New),
            (Ice::Closed, Dtls::Closed, Sum::New),
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
            let states = [Told { ice, dtls }];
            assert_eq!(sum(states.into_iter()), expected, "{ice} {dtls}");
        }
        assert_eq!(sum([].into_iter()), Sum::New);
    }

    #[test]
    fn the_sum_of_several_follows_the_specification() {
        use PeerConnectionState as Sum;
        for (states, expected) in [
            (
                [(Ice::Connected, Dtls::Connected), (Ice::New, Dtls::New)],
                Sum::Connecting,
            ),
            (
                [
                    (Ice::Connected, Dtls::Connected),
                    (Ice::Closed, Dtls::Closed),
                ],
                Sum::Connected,
            ),
            (
                [
                    (Ice::Connected, Dtls::Connected),
                    (Ice::Disconnected, Dtls::Connected),
                ],
                Sum::Disconnected,
            ),
            (
                [
                    (Ice::Failed, Dtls::New),
                    (Ice::Disconnected, Dtls::Connected),
                ],
                Sum::Failed,
            ),
            (
                [
                    (Ice::Connected, Dtls::Failed),
                    (Ice::Connected, Dtls::Connected),
                ],
                Sum::Failed,
            ),
            (
                [(Ice::New, Dtls::New), (Ice::Checking, Dtls::New)],
                Sum::Connecting,
            ),
            (
                [
                    (Ice::Completed, Dtls::Connected),
                    (Ice::Connected, Dtls::Closed),
                ],
                Sum::Connected,
            ),
        ] {
            let told = states.map(|(ice, dtls)| Told { ice, dtls });
            assert_eq!(sum(told.into_iter()), expected, "{states:?}");
        }
    }

    #[test]
    fn the_ice_sum_follows_the_specification() {
        use IceConnectionState as Sum;
        for (states, expected) in [
            (&[][..], Sum::New),
            (&[Ice::New, Ice::Closed], Sum::New),
            (&[Ice::New, Ice::Checking], Sum::Checking),
            (&[Ice::New, Ice::Connected], Sum::Checking),
            (&[Ice::Checking, Ice::Completed], Sum::Checking),
            (&[Ice::Connected, Ice::Completed], Sum::Connected),
            (&[Ice::Connected, Ice::Closed], Sum::Connected),
            (
                &[Ice::Completed, Ice::Closed, Ice::Completed],
                Sum::Completed,
            ),
            (&[Ice::Completed, Ice::Disconnected], Sum::Disconnected),
            (&[Ice::New, Ice::Disconnected], Sum::Disconnected),
            (&[Ice::Failed, Ice::Disconnected], Sum::Failed),
            (&[Ice::Failed, Ice::New, Ice::Completed], Sum::Failed),
        ] {
            assert_eq!(ice_sum(states.iter().copied()), expected, "{states:?}");
        }
    }
}
