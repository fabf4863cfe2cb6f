//! The [call flow browser to browser] of the W3C between two of ours: which events come in which order,
//! what can be read at each, and what is signaled when.
//!
//! [call flow browser to browser]: https://www.w3.org/TR/webrtc/#call-flow-browser-to-browser

#[path = "common/sockets.rs"]
mod sockets;

use std::pin::pin;

use peerconnection::{
    Configuration, DtlsTransport, Event, Events, IceCandidate, IceTransport, MediaKind,
    MediaStream, MediaStreamTrack, PeerConnection, SdpType, TcpCandidates, TrackSource,
    rtp::TransceiverDirection, state::*,
};
use sockets::{loopback, soon};

/// One side, and what happened there, in words.
struct Side {
    pc: PeerConnection,
    events: Events,
    story: Vec<String>,
    /// Transports in the order in which they are first heard of.
    ice: Vec<IceTransport>,
    candidates: Vec<IceCandidate>,
    /// Keeps the tracks alive.
    _sources: Vec<TrackSource>,
}

impl Side {
    fn new() -> Self {
        let (pc, events) = PeerConnection::new(one_candidate()).unwrap();
        Self {
            pc,
            events,
            story: Vec::new(),
            ice: Vec::new(),
            candidates: Vec::new(),
            _sources: Vec::new(),
        }
    }

    /// `getUserMedia` and `addTrack` of the flow.
    fn add_tracks(&mut self, name: &str) {
        let stream = MediaStream::new(format!("{name}-stream"), []);
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let (track, source) = MediaStreamTrack::new(kind, format!("{name}-{kind}"), "");
            self.pc.add_track(&track, &[&stream]).unwrap();
            self._sources.push(source);
        }
    }

    /// Awaits a call, and reads the state when it resolves; nothing but `signalingstatechange`, `track`
    /// and the closing of transports comes before, whoever is asked first.
    async fn call<T>(
        &mut self,
        what: &str,
        call: impl Future<Output = Result<T, peerconnection::Error>>,
    ) -> T {
        let mut call = pin!(call);
        let value = soon(what, async {
            loop {
                tokio::select! {
                    biased;
                    event = self.events.next() => self.hear(event.unwrap()),
                    value = &mut call => break value.unwrap(),
                }
            }
        });
        let value = value.await;
        self.story.push(format!("{what} resolved"));
        value
    }

    async fn until(&mut self, last: &str) {
        soon(last, async {
            while !self.story.iter().any(|it| it == last) {
                let event = self.events.next().await.unwrap();
                self.hear(event);
            }
        })
        .await;
    }

    fn hear(&mut self, event: Event) {
        let words = match event {
            Event::NegotiationNeeded => {
                assert_eq!(self.pc.signaling_state(), SignalingState::Stable);
                "negotiationneeded".to_owned()
            }
            Event::SignalingStateChange(state) => {
                self.check_signaling(state);
                format!("signaling {state}")
            }
            Event::Track(event) => {
                assert!(event.track.muted());
                assert!(self.pc.receivers().contains(&event.receiver));
                assert_eq!(event.receiver.track().id(), event.track.id());
                assert_eq!(event.transceiver.receiver(), event.receiver);
                assert_eq!(event.streams.len(), 1);
                assert!(event.streams[0].track_by_id(event.track.id()).is_some());
                let stream = event.streams[0].id();
                format!("track {} in {stream}", event.track.kind())
            }
            Event::IceCandidate(None) => {
                assert_eq!(self.pc.ice_gathering_state(), IceGatheringState::Complete);
                "candidate null".to_owned()
            }
            Event::IceCandidate(Some(candidate)) => {
                let mid = candidate.sdp_mid.clone().unwrap();
                let is_last = candidate.candidate.is_empty();
                self.candidates.push(candidate);
                let kind = if is_last {
                    "end of candidates"
                } else {
                    "candidate"
                };
                format!("{kind} of {mid}")
            }
            Event::IceGatheringStateChange(state) => format!("gathering {state}"),
            Event::IceTransportGatheringStateChange(transport, state) => {
                format!("ice {} gathering {state}", place(&mut self.ice, transport))
            }
            Event::IceTransportStateChange(transport, state) => {
                format!("ice {} {state}", place(&mut self.ice, transport))
            }
            Event::SelectedCandidatePairChange(transport) => {
                assert!(transport.selected_candidate_pair().is_some());
                format!("ice {} selected", place(&mut self.ice, transport))
            }
            Event::DtlsTransportStateChange(transport, state) => {
                self.check_dtls(&transport, state);
                let ice = transport.ice_transport();
                format!("dtls {} {state}", place(&mut self.ice, ice))
            }
            Event::IceConnectionStateChange(state) => format!("iceconnection {state}"),
            Event::ConnectionStateChange(state) => {
                self.check_connection(state);
                format!("connection {state}")
            }
            other => panic!("{other:?}"),
        };
        self.story.push(words);
    }

    /// All that a description changes has changed when the first event tells of it.
    fn check_signaling(&self, state: SignalingState) {
        let pc = &self.pc;
        assert_eq!(pc.signaling_state(), state);
        let pending = [
            pc.pending_local_description(),
            pc.pending_remote_description(),
        ];
        let current = [
            pc.current_local_description(),
            pc.current_remote_description(),
        ];
        let (pending, current) = (
            pending.map(|it| it.map(|it| it.kind)),
            current.map(|it| it.map(|it| it.kind)),
        );
        let transceivers = pc.transceivers();
        assert_eq!(transceivers.len(), 2);
        assert_eq!(transceivers[0].mid().as_deref(), Some("0"));
        assert_eq!(transceivers[1].mid().as_deref(), Some("1"));
        let directions: Vec<_> = transceivers
            .iter()
            .map(|it| it.current_direction())
            .collect();
        match state {
            SignalingState::HaveLocalOffer => {
                assert_eq!(pending, [Some(SdpType::Offer), None]);
                assert_eq!(directions, [None, None]);
                assert!(
                    transceivers
                        .iter()
                        .all(|it| it.sender().transport().is_some())
                );
            }
            SignalingState::HaveRemoteOffer => {
                assert_eq!(pending, [None, Some(SdpType::Offer)]);
                assert_eq!(directions, [None, None]);
            }
            SignalingState::Stable => {
                assert_eq!(pending, [None, None]);
                assert!(current.iter().all(Option::is_some));
                let both = Some(TransceiverDirection::SendRecv);
                assert_eq!(directions, [both, both]);
                let transports = transceivers.iter().map(|it| it.sender().transport());
                let transports: Vec<_> = transports.map(Option::unwrap).collect();
                assert_eq!(transports[0], transports[1], "bundled");
            }
            other => panic!("{other}"),
        }
    }

    /// The sums are of the states that the transports have.
    fn check_connection(&self, state: PeerConnectionState) {
        if state == PeerConnectionState::Connected {
            assert_eq!(self.pc.connection_state(), state);
            let told = self.story.iter();
            assert!(told.clone().any(|it| it == "dtls 0 connected"));
            assert!(told.clone().any(|it| it == "iceconnection connected"));
        }
    }

    fn check_dtls(&self, transport: &DtlsTransport, state: DtlsTransportState) {
        if state == DtlsTransportState::Connected {
            assert_eq!(transport.remote_certificates().len(), 1);
            // The states change together, then their events come.
            assert_eq!(self.pc.connection_state(), PeerConnectionState::Connected);
        }
    }

    /// Takes what there is to be signaled.
    async fn send_candidates(&mut self, to: &mut Self, what: &str) {
        for candidate in std::mem::take(&mut self.candidates) {
            to.call(what, to.pc.clone().add_ice_candidate(candidate))
                .await;
        }
    }
}

/// The number that a transport has in the story.
fn place(known: &mut Vec<IceTransport>, one: IceTransport) -> usize {
    known.iter().position(|it| *it == one).unwrap_or_else(|| {
        known.push(one);
        known.len() - 1
    })
}

/// Without what depends on which datagram is quicker: when checks of other pairs are over, which pair
/// is found first, and where among it all the candidates are added.
fn without_chance(story: &[String]) -> Vec<&str> {
    let chances = [" completed", " selected", "addIceCandidate resolved"];
    let is_told = |it: &&String| !chances.iter().any(|chance| it.ends_with(chance));
    story.iter().filter(is_told).map(String::as_str).collect()
}

/// As the figure has it, a candidate for each transport.
fn one_candidate() -> Configuration {
    Configuration {
        tcp_candidates: TcpCandidates::Disabled,
        ..loopback()
    }
}

#[tokio::test]
async fn the_call_flow_of_the_specification() {
    let (mut a, mut b) = (Side::new(), Side::new());
    a.add_tracks("a");
    a.until("negotiationneeded").await;

    // A promise is pending while the state is old.
    let pc = a.pc.clone();
    let offering = pc.set_local_description(None);
    assert_eq!(a.pc.signaling_state(), SignalingState::Stable);
    assert_eq!(a.pc.local_description(), None);
    a.call("setLocalDescription", offering).await;
    let offer = a.pc.local_description().unwrap();
    // No candidate, for none has come yet.
    assert!(!offer.sdp.contains("a=candidate:"), "{}", offer.sdp);

    let receiving = b.pc.clone().set_remote_description(offer);
    b.call("setRemoteDescription", receiving).await;
    b.add_tracks("b");
    let answer = b.call("createAnswer", b.pc.clone().create_answer()).await;
    let answering = b.pc.clone().set_local_description(answer);
    b.call("setLocalDescription", answering).await;
    let answer = b.pc.local_description().unwrap();
    assert_eq!(answer.kind, SdpType::Answer);

    let accepting = a.pc.clone().set_remote_description(answer);
    a.call("setRemoteDescription", accepting).await;
    b.until("candidate null").await;
    a.send_candidates(&mut b, "addIceCandidate").await;
    b.send_candidates(&mut a, "addIceCandidate").await;
    let last = "connection connected";
    tokio::join!(a.until(last), b.until(last));

    assert_eq!(
        without_chance(&a.story),
        [
            "negotiationneeded",
            "signaling have-local-offer",
            "setLocalDescription resolved",
            "ice 0 gathering gathering",
            "ice 1 gathering gathering",
            "gathering gathering",
            "candidate of 0",
            "end of candidates of 0",
            "ice 0 gathering complete",
            "candidate of 1",
            "end of candidates of 1",
            "ice 1 gathering complete",
            "gathering complete",
            "candidate null",
            "signaling stable",
            "track audio in b-stream",
            "track video in b-stream",
            "ice 1 closed",
            "dtls 1 closed",
            "setRemoteDescription resolved",
            "ice 0 checking",
            "iceconnection checking",
            "connection connecting",
            "ice 0 connected",
            "iceconnection connected",
            "dtls 0 connecting",
            "dtls 0 connected",
            "connection connected",
        ]
    );
    assert_eq!(
        without_chance(&b.story),
        [
            "signaling have-remote-offer",
            "track audio in a-stream",
            "track video in a-stream",
            "setRemoteDescription resolved",
            "createAnswer resolved",
            "signaling stable",
            "setLocalDescription resolved",
            "ice 0 gathering gathering",
            "gathering gathering",
            "candidate of 0",
            "end of candidates of 0",
            "ice 0 gathering complete",
            "gathering complete",
            "candidate null",
            "ice 0 checking",
            "iceconnection checking",
            "connection connecting",
            "ice 0 connected",
            "iceconnection connected",
            "dtls 0 connecting",
            "dtls 0 connected",
            "connection connected",
        ]
    );
}

#[tokio::test]
async fn a_close_fires_nothing_here() {
    let (mut a, mut b) = (Side::new(), Side::new());
    a.add_tracks("a");
    a.until("negotiationneeded").await;
    a.call(
        "setLocalDescription",
        a.pc.clone().set_local_description(None),
    )
    .await;
    a.until("candidate null").await;
    let offer = a.pc.local_description().unwrap();
    b.call(
        "setRemoteDescription",
        b.pc.clone().set_remote_description(offer),
    )
    .await;
    b.add_tracks("b");
    b.call(
        "setLocalDescription",
        b.pc.clone().set_local_description(None),
    )
    .await;
    b.until("candidate null").await;
    let received: Vec<_> = b.pc.receivers().iter().map(|it| it.track()).collect();
    let transceivers = b.pc.transceivers();
    let transport = transceivers[0].sender().transport().unwrap();
    // What has happened is told; from here on there is no time for more to happen.
    while b.events.try_next().is_some() {}
    b.pc.close();
    assert_eq!(b.pc.signaling_state(), SignalingState::Closed);
    assert_eq!(b.pc.connection_state(), PeerConnectionState::Closed);
    assert_eq!(b.pc.ice_connection_state(), IceConnectionState::Closed);
    assert_eq!(transport.state(), DtlsTransportState::Closed);
    assert_eq!(transport.ice_transport().state(), IceTransportState::Closed);
    for transceiver in &transceivers {
        assert_eq!(transceiver.direction(), TransceiverDirection::Stopped);
        assert_eq!(
            transceiver.current_direction(),
            Some(TransceiverDirection::Stopped)
        );
        assert_eq!(transceiver.mid(), None);
    }
    assert!(
        received
            .iter()
            .all(|track| { track.ready_state() == peerconnection::MediaStreamTrackState::Ended })
    );
    assert_eq!(b.pc.transceivers(), transceivers);
    assert!(b.pc.senders().is_empty() && b.pc.receivers().is_empty());
    assert!(soon("the end", b.events.next()).await.is_none());
}
