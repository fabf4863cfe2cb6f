//! The W3C's perfect negotiation (webrtc-pc §10.7) on both sides, with glare made on purpose.

use std::{
    collections::HashSet,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use peerconnection::{
    Event, Events as OurEvents, IceCandidate, MediaKind, PeerConnection, SdpType,
    SessionDescription, TransceiverInit, rtp::TransceiverDirection,
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::{
    super::{
        browser::Events,
        peers::Peer,
        scenario::{Role, Side},
    },
    media::{add, make_channel},
    ours::{self, Ours},
    session::{Session, Theirs},
    state::ufrags,
};

/// How often both offer at once.
const ROUNDS: usize = 50;
/// Nothing has moved for this long: both are done.
const QUIET: Duration = Duration::from_millis(30);
const PATIENCE: Duration = Duration::from_secs(15);

/// What goes each way. Nothing is delivered while the gate is shut.
struct Signaling {
    gate: watch::Sender<bool>,
    /// Messages that are under way or being handled.
    busy: AtomicUsize,
    failures: mpsc::UnboundedSender<String>,
    /// The user fragments of every description so far.
    described: Mutex<HashSet<String>>,
}

/// The sample's variables, on our side.
struct Perfect {
    pc: PeerConnection,
    polite: bool,
    making_offer: AtomicBool,
    ignore_offer: AtomicBool,
    is_setting_remote_answer_pending: AtomicBool,
    out: mpsc::UnboundedSender<Value>,
    signaling: Arc<Signaling>,
}

impl Signaling {
    fn note(&self, message: &Value) {
        let sdp = message["description"]["sdp"].as_str().unwrap_or_default();
        self.described().extend(ufrags(sdp));
    }

    /// Whether the candidate is of a generation that has been described, if only once. After the next
    /// restart the W3C's algorithm refuses it, and the sample has the error printed. Chromium comes
    /// late with those of a generation that a rollback has brought back.
    fn was_described(&self, candidate: &Value) -> bool {
        let ufrag = candidate["usernameFragment"].as_str();
        ufrag.is_some_and(|ufrag| self.described().contains(ufrag))
    }

    fn described(&self) -> MutexGuard<'_, HashSet<String>> {
        self.described
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

type Callback = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Both offer at once, fifty times; what both want is there in the end, and the channel never ceases.
/// As the one whose offers stand (the impolite one) in the role of the offerer.
pub(super) async fn glare(session: &mut Session) -> Result<()> {
    // The first exchange has both kinds of media: Chromium keeps the header extension ids of an offer
    // that it has taken back for a kind that it has not negotiated yet, and they collide later on.
    for kind in ["audio", "video"] {
        add(session, Side::Ours, kind, &["main"]).await?;
    }
    make_channel(session, Side::Ours, "chat").await?;
    session.exchange(Side::Ours).await?;
    session.connected(1).await?;
    let (failures, mut failed) = mpsc::unbounded_channel();
    let signaling = Arc::new(Signaling {
        gate: watch::Sender::new(true),
        busy: AtomicUsize::new(0),
        failures,
        described: Mutex::default(),
    });
    let polite = session.role == Role::Answer;
    perfect(session, &signaling, polite).await?;
    for round in 0..ROUNDS {
        let played = tokio::select! {
            played = play(session, &signaling, round) => played,
            failure = failed.recv() => Err(anyhow::anyhow!("{failure:?}")),
        };
        played.with_context(|| format!("round {round}"))?;
    }
    session.connected(1).await
}

/// Lets the sample listen on both sides from here on.
async fn perfect(session: &mut Session, signaling: &Arc<Signaling>, polite: bool) -> Result<()> {
    let (to_us, messages) = mpsc::unbounded_channel();
    let (out, to_them) = mpsc::unbounded_channel();
    let events = session.take_events().await?;
    let state = Perfect {
        pc: session.ours.pc.clone(),
        polite,
        making_offer: AtomicBool::new(false),
        ignore_offer: AtomicBool::new(false),
        is_setting_remote_answer_pending: AtomicBool::new(false),
        out,
        signaling: signaling.clone(),
    };
    let handle = session.ours.handle();
    session.spawn(run(Arc::new(state), handle, events, messages));
    // `signal` is told by nothing but the sample.
    let page = session.theirs.page.events();
    session.spawn(hear(page, to_us, signaling.clone()));
    let theirs = session.theirs.clone();
    session.spawn(speak(to_them, theirs, signaling.clone()));
    session
        .theirs
        .run("perfect('pc', arg)", !polite)
        .await
        .map(drop)
}

/// One round: both offer, then both hear of it.
async fn play(session: &Session, signaling: &Signaling, round: usize) -> Result<()> {
    let marks = [
        session.mark(Side::Ours).await?,
        session.mark(Side::Theirs).await?,
    ];
    signaling.gate.send_replace(false);
    change_ours(session, round)?;
    session.theirs.run(change_theirs(round), ()).await?;
    let offers = |pc: &PeerConnection| pc.signaling_state().as_str() == "have-local-offer";
    session.ours.until("we offer", offers).await?;
    session
        .theirs
        .until("it.signalingState === 'have-local-offer'")
        .await?;
    signaling.gate.send_replace(true);
    settle(session, signaling).await?;
    // The polite side has taken its offer back, and the other has not.
    for (side, mark) in [Side::Ours, Side::Theirs].into_iter().zip(marks) {
        let log = session.log(side, mark).await?;
        let took_back = log.iter().any(|it| it["state"] == "have-remote-offer");
        let polite = (side == Side::Ours) == (session.role == Role::Answer);
        ensure!(
            took_back || !polite,
            "{} is polite, and took no offer",
            side.name()
        );
    }
    session.agree().await?;
    session.talk("chat", &format!("round {round}")).await
}

/// What is done here. Over five rounds a transceiver comes, changes, and goes.
fn change_ours(session: &Session, round: usize) -> Result<()> {
    let ours = &session.ours;
    // Firefox refuses an offer that restarts ICE where it has to take back one of its own that does
    // not, from other browsers, too.
    let may_restart = session.peer != Peer::Firefox || session.role == Role::Answer;
    let last = ours
        .pc
        .transceivers()
        .into_iter()
        .last()
        .context("no transceiver")?;
    match round % 5 {
        0 => drop(ours.add_transceiver(MediaKind::Audio, TransceiverInit::default())?),
        1 => last.set_direction(toggled(last.direction()))?,
        2 if may_restart => ours.pc.restart_ice(),
        2 => last.set_direction(toggled(last.direction()))?,
        3 => drop(ours.add_transceiver(MediaKind::Video, TransceiverInit::default())?),
        _ => stop_own(ours)?,
    }
    Ok(())
}

fn toggled(direction: TransceiverDirection) -> TransceiverDirection {
    match direction {
        TransceiverDirection::SendRecv => TransceiverDirection::Inactive,
        _ => TransceiverDirection::SendRecv,
    }
}

/// Stops what was added here, all but the first two.
fn stop_own(ours: &Ours) -> Result<()> {
    for transceiver in ours.pc.transceivers().into_iter().skip(2) {
        if transceiver.sender().track().is_some() {
            transceiver.stop()?;
        }
    }
    Ok(())
}

/// What is done there, in another order.
fn change_theirs(round: usize) -> &'static str {
    match round % 5 {
        0 => "await addFakeTransceiver('pc', 'video')",
        1 => {
            "const last = it.getTransceivers().at(-1); last.direction = last.direction === 'sendrecv' ? 'recvonly' : 'sendrecv'"
        }
        2 => "await addFakeTransceiver('pc', 'audio')",
        3 => "it.restartIce()",
        _ => {
            "it.getTransceivers().slice(2).filter(({ sender }) => sender.track).forEach((own) => own.stop())"
        }
    }
}

/// Both are stable, no message is under way, and it stays so.
async fn settle(session: &Session, signaling: &Signaling) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut quiet_since = None;
    loop {
        let theirs = session
            .theirs
            .run("return [it.signalingState, log('pc').length]", ())
            .await?;
        let now = (
            theirs,
            session.ours.mark(),
            session.ours.pc.signaling_state(),
        );
        let is_stable = now.0[0] == "stable" && now.2.as_str() == "stable";
        let idle = signaling.busy.load(Relaxed) == 0;
        match &quiet_since {
            Some((seen, since)) if *seen == now && idle && is_stable => {
                if Instant::elapsed(since) > QUIET {
                    return Ok(());
                }
            }
            _ => quiet_since = Some((now, Instant::now())),
        }
        if Instant::now() > deadline {
            bail!(
                "not stable within {PATIENCE:?}: ours {:?}",
                session.ours.state()
            );
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Our side's callbacks, one after another as in a browser: what a promise has decided is acted on
/// before the next event is told.
async fn run(
    perfect: Arc<Perfect>,
    ours: ours::Handle,
    mut events: OurEvents,
    mut messages: mpsc::UnboundedReceiver<Value>,
) {
    let mut callbacks: Vec<Callback> = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = poll_fn(|context| progress(&mut callbacks, context)) => {}
            event = events.next() => {
                let Some(event) = event else { return };
                ours.take(&event);
                match event {
                    Event::NegotiationNeeded => callbacks.push(perfect.clone().on_negotiation_needed()),
                    Event::IceCandidate(Some(candidate)) => perfect.send(&json!({"candidate": candidate})),
                    _ => {}
                }
            }
            message = messages.recv() => match message {
                Some(message) => callbacks.push(perfect.clone().on_message(message)),
                None => return,
            },
        }
    }
}

fn progress(callbacks: &mut Vec<Callback>, context: &mut Context<'_>) -> Poll<()> {
    let before = callbacks.len();
    callbacks.retain_mut(|callback| callback.as_mut().poll(context).is_pending());
    if callbacks.len() < before {
        Poll::Ready(())
    } else {
        Poll::Pending
    }
}

impl Perfect {
    fn send(&self, message: &Value) {
        self.signaling.busy.fetch_add(1, Relaxed);
        let _ = self.out.send(message.clone());
    }

    fn send_description(&self) {
        self.send(&json!({"description": self.pc.local_description()}));
    }

    fn fail(&self, what: &str, error: &dyn std::fmt::Display) {
        let _ = self.signaling.failures.send(format!("we, {what}: {error}"));
    }

    /// Calls are made at once, as far as the first `await`.
    fn on_negotiation_needed(self: Arc<Self>) -> Callback {
        self.making_offer.store(true, Relaxed);
        let call = self.pc.set_local_description(None);
        Box::pin(async move {
            match call.await {
                Ok(()) => self.send_description(),
                Err(error) => self.fail("on negotiationneeded", &error),
            }
            self.making_offer.store(false, Relaxed);
        })
    }

    fn on_message(self: Arc<Self>, message: Value) -> Callback {
        let description: Result<SessionDescription, _> =
            serde_json::from_value(message["description"].clone());
        match description {
            Ok(description) => self.on_description(description),
            Err(_) => self.on_candidate(message["candidate"].clone()),
        }
    }

    fn on_description(self: Arc<Self>, description: SessionDescription) -> Callback {
        let kind = description.kind;
        let is_stable = self.pc.signaling_state().as_str() == "stable";
        let pending = self.is_setting_remote_answer_pending.load(Relaxed);
        let ready = !self.making_offer.load(Relaxed) && (is_stable || pending);
        let collision = kind == SdpType::Offer && !ready;
        let ignore = !self.polite && collision;
        self.ignore_offer.store(ignore, Relaxed);
        if ignore {
            return Box::pin(async move { self.done() });
        }
        let answers = kind == SdpType::Answer;
        self.is_setting_remote_answer_pending
            .store(answers, Relaxed);
        let call = self.pc.set_remote_description(description);
        Box::pin(async move {
            let set = call.await;
            self.is_setting_remote_answer_pending.store(false, Relaxed);
            let done = match set {
                Ok(()) if kind == SdpType::Offer => self.pc.set_local_description(None).await,
                other => other,
            };
            match done {
                Ok(()) if kind == SdpType::Offer => self.send_description(),
                Ok(()) => {}
                Err(error) => self.fail(&format!("on an {kind}"), &error),
            }
            self.done();
        })
    }

    fn on_candidate(self: Arc<Self>, candidate: Value) -> Callback {
        let late = self.signaling.was_described(&candidate);
        let candidate: Option<IceCandidate> = serde_json::from_value(candidate).ok();
        let call = self.pc.add_ice_candidate(candidate);
        Box::pin(async move {
            if let Err(error) = call.await
                && !self.ignore_offer.load(Relaxed)
                && !late
            {
                self.fail("on a candidate", &error);
            }
            self.done();
        })
    }

    fn done(&self) {
        self.signaling.busy.fetch_sub(1, Relaxed);
    }
}

/// From the page to us.
async fn hear(mut events: Events, to_us: mpsc::UnboundedSender<Value>, signaling: Arc<Signaling>) {
    let mut gate = signaling.gate.subscribe();
    while let Some(event) = events.next().await {
        if event["event"] == "failed" {
            let _ = signaling.failures.send(format!("they: {event}"));
        }
        if event["event"] == "signal" {
            signaling.busy.fetch_add(1, Relaxed);
            let _ = gate.wait_for(|open| *open).await;
            signaling.note(&event["message"]);
            let _ = to_us.send(event["message"].clone());
        }
    }
}

/// From us to the page; calls start in their order, and do not wait for one another.
async fn speak(
    mut messages: mpsc::UnboundedReceiver<Value>,
    theirs: Theirs,
    signaling: Arc<Signaling>,
) {
    let mut gate = signaling.gate.subscribe();
    while let Some(message) = messages.recv().await {
        let _ = gate.wait_for(|open| *open).await;
        signaling.note(&message);
        let (theirs, signaling) = (theirs.clone(), signaling.clone());
        tokio::spawn(async move {
            let late = signaling.was_described(&message["candidate"]);
            let js = "await receive('pc', arg)";
            if let Err(error) = theirs.run(js, message.clone()).await
                && !late
            {
                let kind = &message["description"]["type"];
                let _ = signaling
                    .failures
                    .send(format!("they, on {kind}: {error:#}"));
            }
            signaling.busy.fetch_sub(1, Relaxed);
        });
    }
}
