//! The objects of the W3C interface as an application meets them: transceivers, senders, receivers,
//! their tracks and transports, and the calls of a connection.

#[path = "../common/sockets.rs"]
mod sockets;

mod configuration;
mod operations;
mod parameters;
mod tracks;
mod transports;

use peerconnection::{
    Configuration, Error, Event, Events, MediaKind, MediaStream, MediaStreamTrack, PeerConnection,
    SessionDescription, TrackEvent, TrackSource,
};
use sockets::{loopback, soon};

/// A connection, and its events that a test has not looked at.
struct Side {
    pc: PeerConnection,
    events: Events,
    heard: Vec<Event>,
    /// Keeps the tracks alive.
    sources: Vec<TrackSource>,
}

impl Side {
    fn new() -> Self {
        Self::of(loopback())
    }

    fn of(configuration: Configuration) -> Self {
        let (pc, events) = PeerConnection::new(configuration).unwrap();
        Self {
            pc,
            events,
            heard: Vec::new(),
            sources: Vec::new(),
        }
    }

    fn track(&mut self, kind: MediaKind, id: &str) -> MediaStreamTrack {
        let (track, source) = MediaStreamTrack::new(kind, id, "");
        self.sources.push(source);
        track
    }

    /// The events that are there.
    fn hear(&mut self) {
        while let Some(event) = self.events.try_next() {
            self.heard.push(event);
        }
    }

    /// The next event that `look` finds something in; those before are passed over.
    async fn next<T>(&mut self, what: &str, look: impl Fn(&Event) -> Option<T> + Copy) -> T {
        self.hear();
        let found = self.heard.iter().position(|event| look(event).is_some());
        if let Some(at) = found {
            let passed = self.heard.drain(..=at).next_back();
            return passed.as_ref().and_then(look).unwrap();
        }
        self.heard.clear();
        soon(what, async {
            loop {
                let event = self.events.next().await.expect(what);
                if let Some(found) = look(&event) {
                    return found;
                }
            }
        })
        .await
    }

    /// The `track` events that are there; candidates stay.
    fn track_events(&mut self) -> Vec<TrackEvent> {
        self.hear();
        let mut tracks = Vec::new();
        for event in std::mem::take(&mut self.heard) {
            match event {
                Event::Track(event) => tracks.push(event),
                other => self.heard.push(other),
            }
        }
        tracks
    }

    async fn negotiation_needed(&mut self) {
        let needed = |event: &Event| matches!(event, Event::NegotiationNeeded).then_some(());
        self.next("negotiationneeded", needed).await;
    }

    /// Whether `negotiationneeded` is fired when the driver has had its turns.
    async fn is_negotiation_needed(&mut self) -> bool {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.hear();
        let before = self.heard.len();
        self.heard
            .retain(|event| !matches!(event, Event::NegotiationNeeded));
        self.heard.len() < before
    }

    async fn offer(&mut self) -> SessionDescription {
        soon("an offer", self.pc.set_local_description(None))
            .await
            .unwrap();
        self.pc.local_description().unwrap()
    }
}

/// What signaling makes of a description.
fn as_it_is(description: SessionDescription) -> SessionDescription {
    description
}

async fn negotiate(a: &mut Side, b: &mut Side) {
    negotiate_through(a, b, as_it_is).await.unwrap();
}

/// An offer of `a` and an answer of `b`; candidates are left for [`carry`].
async fn negotiate_through(
    a: &mut Side,
    b: &mut Side,
    signaling: impl Fn(SessionDescription) -> SessionDescription,
) -> Result<(), Error> {
    soon("an exchange", async {
        let offer = a.offer().await;
        b.pc.set_remote_description(signaling(offer)).await?;
        b.pc.set_local_description(None).await?;
        let answer = b.pc.local_description().unwrap();
        a.pc.set_remote_description(signaling(answer)).await
    })
    .await
}

/// Carries candidates until the condition holds.
async fn carry(a: &mut Side, b: &mut Side, what: &str, is_done: impl Fn(&Side, &Side) -> bool) {
    soon(what, async {
        loop {
            forward(a, b).await;
            forward(b, a).await;
            if is_done(a, b) {
                return;
            }
            tokio::select! {
                event = a.events.next() => a.heard.extend(event),
                event = b.events.next() => b.heard.extend(event),
            }
        }
    })
    .await;
}

async fn forward(from: &mut Side, to: &Side) {
    from.hear();
    let is_candidate = |event: &mut Event| matches!(event, Event::IceCandidate(_));
    for event in from.heard.extract_if(.., is_candidate) {
        if let Event::IceCandidate(candidate) = event {
            to.pc.add_ice_candidate(candidate).await.unwrap();
        }
    }
}

async fn connect(a: &mut Side, b: &mut Side) {
    negotiate(a, b).await;
    carry(a, b, "the connection", are_connected).await;
}

fn are_connected(a: &Side, b: &Side) -> bool {
    use peerconnection::state::PeerConnectionState::Connected;
    a.pc.connection_state() == Connected && b.pc.connection_state() == Connected
}

fn stream(id: &str) -> MediaStream {
    MediaStream::new(id, [])
}

fn name<T>(result: Result<T, Error>) -> Option<&'static str> {
    result.err().map(|error| error.name())
}

/// How a call ended that fails, if it does, in the call itself.
fn at_once<T>(call: impl Future<Output = Result<T, Error>>) -> Option<Result<T, Error>> {
    use std::task::{Context, Poll, Waker};
    let mut call = std::pin::pin!(call);
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}
