//! One side: a connection, the sample that negotiates it, and a data channel that must outlive it all.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::{Context, Waker},
};

use anyhow::{Result, bail};
use examples::{
    servers::tell_errors,
    signaling::{SignalingChannel, SignalingMessage},
};
use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, DataChannelInit, Event, Events, IceCandidate,
    MediaStream, PeerConnection, SdpType, SessionDescription, state::*,
};
use tokio::{sync::watch, task::spawn_local};

use crate::{
    operation::{Chance, Operation, Tracks},
    perfect::Perfect,
    view::{DIRECTIONS, KINDS, Note, View},
};

/// A peer that negotiates by the sample. Lives in one thread, as JavaScript does.
pub(crate) struct Peer {
    pub(crate) pc: PeerConnection,
    pub(crate) channel: DataChannel,
    perfect: Perfect,
    polite: bool,
    /// Whether to add an audio and a video track as soon as the channel is open.
    starts: bool,
    tracks: RefCell<Tracks>,
    chance: RefCell<Chance>,
    /// Callbacks that wait at an `await`.
    callbacks: Cell<usize>,
    /// Offers that are to be rolled back once before they are taken.
    hesitations: Cell<usize>,
    /// An offer is set only to be taken back.
    is_rolling_back: Cell<bool>,
    /// What went wrong, for whoever watches.
    errors: RefCell<Vec<String>>,
    /// What the other side has, as it told last.
    remote: RefCell<View>,
    pongs: watch::Sender<u64>,
}

impl Peer {
    /// A connection with a data channel. The channel is announced by nobody, so either side may be
    /// the first to offer it, and both may at once.
    pub(crate) fn new(
        configuration: Configuration,
        signaling: &SignalingChannel,
        polite: bool,
        starts: bool,
        seed: u64,
    ) -> Result<(Rc<Self>, Events)> {
        let (pc, events) = PeerConnection::new(configuration)?;
        let init = DataChannelInit {
            negotiated: true,
            id: Some(0),
            ..Default::default()
        };
        let channel = pc.create_data_channel("view", init)?;
        let peer = Self {
            perfect: Perfect::new(pc.clone(), signaling.sender(), polite),
            pc,
            channel,
            polite,
            starts,
            tracks: RefCell::default(),
            chance: RefCell::new(Chance::new(seed)),
            callbacks: Cell::new(0),
            hesitations: Cell::new(0),
            is_rolling_back: Cell::new(false),
            errors: RefCell::default(),
            remote: RefCell::default(),
            pongs: watch::Sender::new(0),
        };
        Ok((Rc::new(peer), events))
    }

    // call start() anytime on either end to add camera and microphone to connection
    // async function start() {
    fn start(&self) -> Result<()> {
        let (mut tracks, mut chance) = (self.tracks.borrow_mut(), self.chance.borrow_mut());
        // const stream = await navigator.mediaDevices.getUserMedia(constraints);
        let stream = MediaStream::new("main", []);
        // for (const track of stream.getTracks()) {
        for kind in KINDS {
            let track = tracks.add(kind, chance.id());
            // pc.addTrack(track, stream);
            self.pc.add_track(&track, &[&stream])?;
        }
        Ok(())
    }

    /// Calls the callbacks until the other side has left or the connection has failed.
    pub(crate) async fn run(self: Rc<Self>, mut signaling: SignalingChannel, mut events: Events) {
        loop {
            tokio::select! {
                // In a browser what has happened is told before what comes next.
                biased;
                event = events.next() => match event.inspect(tell_errors) {
                    Some(event) => self.on_event(event),
                    None => return,
                },
                message = signaling.recv() => match message {
                    Some(message) => self.on_message(message),
                    None => return,
                },
                event = self.channel.next() => match event {
                    Some(event) => self.on_channel_event(event),
                    None => return,
                },
            }
        }
    }

    /// Calls a callback as JavaScript does: at once as far as its first `await`, and whenever that
    /// is over from there on. `console.error(err)` is for what comes out of it.
    fn call(self: &Rc<Self>, callback: impl Future<Output = Result<()>> + 'static) {
        let peer = self.clone();
        let callback = async move {
            if let Err(error) = callback.await {
                peer.errors.borrow_mut().push(format!("{error:#}"));
            }
            peer.callbacks.set(peer.callbacks.get() - 1);
        };
        self.callbacks.set(self.callbacks.get() + 1);
        let mut callback = Box::pin(callback);
        // The task asks once more, with a waker of its own.
        let mut at_once = Context::from_waker(Waker::noop());
        if callback.as_mut().poll(&mut at_once).is_pending() {
            spawn_local(callback);
        }
    }

    fn on_event(self: &Rc<Self>, event: Event) {
        match event {
            Event::NegotiationNeeded => {
                let peer = self.clone();
                self.call(async move { peer.perfect.on_negotiation_needed().await });
            }
            Event::IceCandidate(candidate) if self.is_signaled(candidate.as_ref()) => {
                self.perfect.on_ice_candidate(candidate);
            }
            Event::DtlsTransportError(_, error) => self.report(&error.to_string()),
            Event::ConnectionStateChange(PeerConnectionState::Failed) => {
                self.report("the connection has failed");
            }
            _ => {}
        }
    }

    fn on_message(self: &Rc<Self>, message: SignalingMessage) {
        self.perfect.count(|counts| counts.received += 1);
        if let SignalingMessage::Desc(description) = &message {
            self.hesitate(description);
        }
        let peer = self.clone();
        self.call(async move { peer.perfect.on_message(message).await });
    }

    fn on_channel_event(self: &Rc<Self>, event: DataChannelEvent) {
        match event {
            DataChannelEvent::Open if self.starts => {
                if let Err(error) = self.start() {
                    self.report(&error.to_string());
                }
            }
            DataChannelEvent::Message(peerconnection::Message::Text(text)) => {
                match serde_json::from_str(&text) {
                    Ok(Note::View(view)) => *self.remote.borrow_mut() = view,
                    Ok(Note::Ping(number)) => {
                        self.tell(&Note::Pong(number));
                    }
                    Ok(Note::Glare(_)) => {
                        let (kind, direction) = (KINDS[0], DIRECTIONS[0]);
                        self.perform(Operation::AddTransceiver(kind, direction));
                    }
                    Ok(Note::Pong(number)) => {
                        self.pongs.send_replace(number);
                    }
                    Err(error) => self.report(&format!("not a note: {error}")),
                }
            }
            DataChannelEvent::Close => self.report("the data channel has closed"),
            _ => {}
        }
    }

    // ---- Beside the sample: operations, and rolling back. ----

    /// Whether the first tracks have been described, after which everything goes. Between browsers a
    /// first glare may be for good; `page.js` says why.
    pub(crate) fn has_started(&self) -> bool {
        self.pc.transceivers().iter().any(|it| it.mid().is_some())
    }

    /// Does what one of the random choices says.
    pub(crate) fn perform(self: &Rc<Self>, operation: Operation) {
        match operation {
            Operation::Hesitate => self.hesitations.set(1),
            Operation::RollBack => self.roll_back(),
            _ => {
                let (mut tracks, mut chance) = (self.tracks.borrow_mut(), self.chance.borrow_mut());
                if operation == Operation::RestartIce {
                    self.perfect.count(|counts| counts.ice_restarts += 1);
                }
                if let Err(error) = operation.change(&self.pc, &mut tracks, &mut chance) {
                    self.report(&format!("{operation}: {error}"));
                }
            }
        }
    }

    /// Whether nothing is under way, so that two calls in a row stay together.
    fn is_idle(&self) -> bool {
        self.callbacks.get() == 0
            && !self.perfect.is_busy()
            && self.pc.signaling_state() == SignalingState::Stable
    }

    /// Makes an offer and takes it back. An impolite side may have ignored an offer meanwhile, as it
    /// would with one of its own under way: the restart sees to it that a real one follows.
    fn roll_back(self: &Rc<Self>) {
        if !self.is_idle() {
            return;
        }
        self.pc.restart_ice();
        self.is_rolling_back.set(true);
        let offer = self.pc.set_local_description(None);
        let rollback = self
            .pc
            .set_local_description(SessionDescription::rollback());
        let peer = self.clone();
        self.call(async move {
            let outcome = async {
                offer.await?;
                rollback.await
            }
            .await;
            peer.is_rolling_back.set(false);
            peer.count_rollback();
            Ok(outcome?)
        });
    }

    /// Sets an offer and takes it back, before the sample sets it again.
    fn hesitate(self: &Rc<Self>, description: &SessionDescription) {
        let is_offer = description.kind == SdpType::Offer;
        if !is_offer || !self.is_idle() || self.hesitations.replace(0) == 0 {
            return;
        }
        let offer = self.pc.set_remote_description(description.clone());
        let rollback = self
            .pc
            .set_remote_description(SessionDescription::rollback());
        self.count_rollback();
        self.call(async move {
            offer.await?;
            Ok(rollback.await?)
        });
    }

    /// Candidates of an offer that was taken back before it was sent are nobody's.
    fn is_signaled(&self, candidate: Option<&IceCandidate>) -> bool {
        let Some(ufrag) = candidate.and_then(|it| it.username_fragment.as_deref()) else {
            return true;
        };
        let local = self.pc.local_description();
        let line = format!("a=ice-ufrag:{ufrag}");
        !self.is_rolling_back.get()
            && local.is_some_and(|local| local.sdp.lines().any(|it| it == line))
    }

    fn count_rollback(&self) {
        self.perfect.count(|counts| counts.rollbacks += 1);
    }

    // ---- What others see. ----

    pub(crate) fn view(&self) -> View {
        View::of(&self.pc, self.polite, self.perfect.counts.get())
    }

    /// What the other side told of itself last.
    pub(crate) fn remote_view(&self) -> View {
        self.remote.borrow().clone()
    }

    /// Tells the other side over the data channel; whether there is one yet.
    pub(crate) fn tell(&self, note: &Note) -> bool {
        let is_open = self.channel.ready_state() == DataChannelState::Open;
        if is_open
            && let Ok(json) = serde_json::to_string(note)
            && let Err(error) = self.channel.send_text(&json)
        {
            self.report(&error.to_string());
        }
        is_open
    }

    /// Whether the data channel still takes a message there and an answer back.
    pub(crate) async fn ping(&self, number: u64) -> Result<()> {
        let mut pongs = self.pongs.subscribe();
        self.tell(&Note::Ping(number));
        if pongs.wait_for(|last| *last == number).await.is_err() {
            bail!("the peer is gone");
        }
        Ok(())
    }

    /// Whether all that was under way here is done: stable, no callback waits, and what the other
    /// side has sent was taken.
    pub(crate) fn is_at_rest(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.perfect.counts.get(), other.perfect.counts.get());
        self.is_idle() && ours.received == theirs.sent
    }

    /// What went wrong since this was asked last.
    pub(crate) fn take_errors(&self) -> Vec<String> {
        std::mem::take(&mut self.errors.borrow_mut())
    }

    fn report(&self, error: &str) {
        self.errors.borrow_mut().push(error.to_owned());
    }
}
