//! Two connections, ours and a browser's, and the signaling between them.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result, anyhow, ensure};
use peerconnection::{
    Configuration, Event, Events as OurEvents, IceCandidate, SdpType, SessionDescription,
};
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
};

use super::{
    super::{
        browser::{Events, Page, PageError},
        peers::Peer,
        scenario::{Role, Side},
    },
    ours::{self, Handle, Ours},
    state::{Section, State, reversed, sections},
};

/// A session of one scenario. Candidates trickle by themselves; descriptions are the script's.
pub(super) struct Session {
    pub(super) peer: Peer,
    /// Who makes the first offer.
    pub(super) role: Role,
    pub(super) ours: Ours,
    pub(super) theirs: Theirs,
    couriers: [Arc<Courier>; 2],
    tasks: Vec<JoinHandle<()>>,
    /// Ends the trickling of our candidates, and gives our events.
    listening: Option<(oneshot::Sender<()>, oneshot::Receiver<OurEvents>)>,
    /// What signaling does to every description on its way.
    pub(super) tamper: fn(&str) -> String,
    told: Arc<Mutex<Vec<String>>>,
}

/// The browser's side: the connection `pc` of a page.
#[derive(Clone)]
pub(super) struct Theirs {
    pub(super) page: Page,
}

/// Carries candidates to one side, each behind the description it belongs to.
#[derive(Default)]
struct Courier {
    waiting: Mutex<Vec<Value>>,
    /// The mids and user fragments that side has been told already.
    delivered: Mutex<HashSet<(String, String)>>,
    more: Notify,
    failures: Mutex<Vec<String>>,
}

impl Theirs {
    /// Runs `js` with the connection as `it`; an error tells what threw.
    pub(super) async fn run(&self, js: &str, arg: impl Into<Value>) -> Result<Value> {
        let result = self.tried(js, arg).await;
        result.with_context(|| format!("the browser, in `{js}`"))
    }

    /// The same for what may throw.
    pub(super) async fn tried(&self, js: &str, arg: impl Into<Value>) -> Result<Value, PageError> {
        self.page
            .eval(&format!("const it = pc('pc'); {js}"), arg)
            .await
    }

    /// `setLocalDescription()` and what it has made.
    pub(super) async fn describe(&self) -> Result<SessionDescription> {
        let made = self
            .run(
                "await it.setLocalDescription(); return it.localDescription",
                (),
            )
            .await?;
        Ok(serde_json::from_value(made)?)
    }

    /// What two peers must agree on.
    pub(super) async fn state(&self) -> Result<State> {
        let state = self
            .run(
                "return { ...state('pc'), transports: transports('pc') }",
                (),
            )
            .await?;
        serde_json::from_value(state).context("a state")
    }

    /// Its log so far.
    pub(super) async fn log(&self) -> Result<Vec<Value>> {
        let log = self.run("return log('pc')", ()).await?;
        Ok(serde_json::from_value(log)?)
    }

    /// How many entries the log has.
    pub(super) async fn mark(&self) -> Result<usize> {
        Ok(self.log().await?.len())
    }

    /// The first entry from index `from` on that is `event`.
    pub(super) async fn until_logged(&self, from: usize, event: &str) -> Result<Value> {
        let arg = json!({"from": from, "event": event});
        self.run("return untilLogged('pc', arg.event, arg.from)", arg)
            .await
    }

    /// Waits for a condition of JavaScript.
    pub(super) async fn until(&self, condition: &str) -> Result<()> {
        let js = format!(
            "await until(() => ({condition}), {})",
            Value::from(condition)
        );
        self.run(&js, ()).await.map(drop)
    }
}

impl Session {
    /// Both connections, with these configurations.
    pub(super) async fn start(
        peer: Peer,
        role: Role,
        page: Page,
        configuration: Configuration,
        theirs: &str,
    ) -> Result<Self> {
        page.eval(&format!("create('pc', {theirs})"), ()).await?;
        let (ours, our_events) = Ours::new(configuration)?;
        let (give_back, given_back) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let events = page.events();
        let theirs = Theirs { page };
        let couriers = [Arc::<Courier>::default(), Arc::<Courier>::default()];
        let [to_us, to_them] = &couriers;
        let pc = ours.pc.clone();
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let tasks = vec![
            tokio::spawn(collect_theirs(events, to_us.clone())),
            tokio::spawn(collect_ours(
                our_events,
                ours.handle(),
                to_them.clone(),
                stopped,
                give_back,
            )),
            tokio::spawn(bring_us(to_us.clone(), pc)),
            tokio::spawn(bring_them(to_them.clone(), theirs.clone())),
        ];
        Ok(Self {
            peer,
            role,
            ours,
            theirs,
            couriers,
            tasks,
            listening: Some((stop, given_back)),
            tamper: str::to_owned,
            told,
        })
    }

    /// The side that makes the first offer.
    pub(super) fn offerer(&self) -> Side {
        match self.role {
            Role::Offer => Side::Ours,
            Role::Answer => Side::Theirs,
        }
    }

    fn courier(&self, to: Side) -> &Courier {
        let [to_us, to_them] = &self.couriers;
        match to {
            Side::Ours => to_us,
            Side::Theirs => to_them,
        }
    }

    /// `setLocalDescription()` of one side, and what it has made.
    pub(super) async fn describe(&self, side: Side) -> Result<SessionDescription> {
        let made = match side {
            Side::Ours => self
                .ours
                .describe()
                .await
                .context("our setLocalDescription()"),
            Side::Theirs => self.theirs.describe().await,
        }?;
        self.tell(&format!("{} made an {}", side.name(), made.kind), &made.sdp);
        Ok(made)
    }

    /// A description of `kind` of one side by `createOffer` or `createAnswer`, and set there.
    pub(super) async fn describe_as(
        &self,
        side: Side,
        kind: SdpType,
    ) -> Result<SessionDescription> {
        let made = match side {
            Side::Ours => {
                let pc = &self.ours.pc;
                let made = if kind == SdpType::Offer {
                    pc.create_offer(None).await?
                } else {
                    pc.create_answer().await?
                };
                let made = SessionDescription { kind, ..made };
                pc.set_local_description(made.clone()).await?;
                made
            }
            Side::Theirs => {
                let js = "const made = arg === 'offer' ? await it.createOffer() : await it.createAnswer(); \
                    const description = { type: arg, sdp: made.sdp }; \
                    await it.setLocalDescription(description); return description";
                serde_json::from_value(self.theirs.run(js, kind.as_str()).await?)?
            }
        };
        self.tell(&format!("{} made {kind}", side.name()), &made.sdp);
        Ok(made)
    }

    /// Takes back the pending offer on one side, `local`ly or as if signaling had said so.
    pub(super) async fn roll_back(&self, side: Side, local: bool) -> Result<()> {
        self.forget(if local { side.other() } else { side });
        match (side, local) {
            (Side::Ours, true) => Ok(self
                .ours
                .pc
                .set_local_description(SessionDescription::rollback())
                .await?),
            (Side::Ours, false) => Ok(self
                .ours
                .pc
                .set_remote_description(SessionDescription::rollback())
                .await?),
            (Side::Theirs, local) => {
                let js = "await (arg ? it.setLocalDescription({ type: 'rollback' }) : it.setRemoteDescription({ type: 'rollback' }))";
                self.theirs.run(js, local).await.map(drop)
            }
        }
    }

    /// `signalingState` of one side.
    pub(super) async fn signaling_state(&self, side: Side) -> Result<String> {
        Ok(match side {
            Side::Ours => self.ours.pc.signaling_state().to_string(),
            Side::Theirs => {
                let state = self.theirs.run("return it.signalingState", ()).await?;
                state.as_str().unwrap_or_default().to_owned()
            }
        })
    }

    /// The log of one side from index `from` on.
    pub(super) async fn log(&self, side: Side, from: usize) -> Result<Vec<Value>> {
        let log = match side {
            Side::Ours => self.ours.log(),
            Side::Theirs => self.theirs.log().await?,
        };
        Ok(log.get(from..).unwrap_or_default().to_vec())
    }

    /// How many entries the log of one side has.
    pub(super) async fn mark(&self, side: Side) -> Result<usize> {
        Ok(self.log(side, 0).await?.len())
    }

    /// Waits for an entry in the log of one side, from index `from` on.
    pub(super) async fn until_logged(&self, side: Side, from: usize, event: &str) -> Result<Value> {
        match side {
            Side::Ours => self.ours.until_logged(from, event, |_| true).await,
            Side::Theirs => self.theirs.until_logged(from, event).await,
        }
    }

    /// `setRemoteDescription` of one side; then the candidates that belong to it.
    pub(super) async fn deliver(&self, to: Side, description: &SessionDescription) -> Result<()> {
        let mut sent = description.clone();
        sent.sdp = (self.tamper)(&sent.sdp);
        let kind = sent.kind;
        match to {
            Side::Ours => {
                let set = self.ours.pc.set_remote_description(sent.clone()).await;
                set.with_context(|| format!("our setRemoteDescription({kind})"))?;
            }
            Side::Theirs => {
                let arg = serde_json::to_value(&sent)?;
                self.theirs
                    .run("await it.setRemoteDescription(arg)", arg)
                    .await?;
            }
        }
        self.delivered(to, &sent.sdp);
        Ok(())
    }

    /// `to` has this description: its candidates may follow.
    pub(super) fn delivered(&self, to: Side, sdp: &str) {
        let courier = self.courier(to);
        let described = sections(sdp);
        let generations = described.iter().filter_map(|section| {
            let ufrag = section.values("ice-ufrag").next()?;
            Some((section.mid.clone()?, ufrag.to_owned()))
        });
        lock(&courier.delivered).extend(generations);
        courier.more.notify_one();
    }

    /// What `to` was told does not hold any more: candidates that are under way may be refused.
    fn forget(&self, to: Side) {
        lock(&self.courier(to).delivered).clear();
        lock(&self.courier(to).waiting).clear();
    }

    /// Candidates were refused because of a rollback, if at all.
    pub(super) fn forgive(&self) {
        self.couriers
            .iter()
            .for_each(|it| lock(&it.failures).clear());
    }

    /// One whole exchange. The answer is held against the offer.
    pub(super) async fn exchange(&self, offerer: Side) -> Result<[SessionDescription; 2]> {
        let offer = self.describe(offerer).await?;
        self.deliver(offerer.other(), &offer).await?;
        let answer = self.describe(offerer.other()).await?;
        self.deliver(offerer, &answer).await?;
        check_answer(&offer.sdp, &answer.sdp)?;
        self.agree().await?;
        Ok([offer, answer])
    }

    /// Both sides stable, with the same sections, mids and mirrored directions.
    pub(super) async fn agree(&self) -> Result<()> {
        let (ours, theirs) = (self.ours.state(), self.theirs.state().await?);
        ensure!(
            ours.signaling_state == "stable",
            "we are {}",
            ours.signaling_state
        );
        ensure!(
            theirs.signaling_state == "stable",
            "they are {}",
            theirs.signaling_state
        );
        let (local, remote) = (ours.by_mid(), theirs.by_mid());
        let differ = || format!("transceivers differ: ours {local:?}, theirs {remote:?}");
        ensure!(local.len() == remote.len(), differ());
        for (one, other) in local.iter().zip(&remote) {
            let current = other.current_direction.as_deref().map(reversed);
            let same = one.mid == other.mid && one.kind == other.kind;
            ensure!(
                same && one.current_direction.as_deref() == current,
                differ()
            );
        }
        self.same_sections().await
    }

    /// What each side calls its own description is what the other has of it.
    async fn same_sections(&self) -> Result<()> {
        let js = "return [it.currentLocalDescription.sdp, it.currentRemoteDescription.sdp]";
        let theirs: [String; 2] = serde_json::from_value(self.theirs.run(js, ()).await?)?;
        let text = |it: Option<SessionDescription>| it.map(|it| it.sdp).unwrap_or_default();
        let ours = [
            text(self.ours.pc.current_remote_description()),
            text(self.ours.pc.current_local_description()),
        ];
        for (one, other) in ours.iter().zip(&theirs) {
            let outline = |sdp: &str| -> Vec<_> {
                let all = sections(sdp).into_iter();
                all.map(|it| (it.media, it.mid, it.rejected)).collect()
            };
            let (one, other) = (outline(one), outline(other));
            ensure!(
                one == other,
                "m-sections differ: ours {one:?}, theirs {other:?}"
            );
        }
        Ok(())
    }

    /// Both sides connected, over `transports` transports that are all up.
    pub(super) async fn connected(&self, transports: usize) -> Result<()> {
        let connected =
            |pc: &peerconnection::PeerConnection| pc.connection_state().as_str() == "connected";
        let theirs = self.theirs.until("it.connectionState === 'connected'");
        let ours = self.ours.until("connectionState is connected", connected);
        let (ours, theirs) = tokio::join!(ours, theirs);
        if ours.is_err() || theirs.is_err() {
            let seen = format!(
                "ours {:?}, theirs {:?}",
                self.ours.state(),
                self.theirs.state().await?
            );
            ours.and(theirs).context(seen)?;
        }
        for (side, state) in [
            (Side::Ours, self.ours.state()),
            (Side::Theirs, self.theirs.state().await?),
        ] {
            let up = state.transports.iter().filter(|it| it.is_up()).count();
            ensure!(
                up == transports && state.transports.len() == transports,
                "{}: {transports} transports were due: {:?}",
                side.name(),
                state.transports
            );
        }
        Ok(())
    }

    /// Each mid's kind and our `currentDirection`, in the order of m-sections.
    pub(super) fn directions(&self, expected: &[(&str, &str)]) -> Result<()> {
        let state = self.ours.state();
        let seen: Vec<_> = state
            .transceivers
            .iter()
            .map(|it| {
                (
                    it.kind.as_str(),
                    it.current_direction.as_deref().unwrap_or("none"),
                )
            })
            .collect();
        ensure!(
            seen == expected,
            "our currentDirections: {seen:?} instead of {expected:?}"
        );
        Ok(())
    }

    /// A message each way over the channel `label`, which either side has made.
    pub(super) async fn talk(&self, label: &str, text: &str) -> Result<()> {
        let open = format!("channel('pc', {label:?})?.readyState === 'open'");
        self.theirs.until(&open).await?;
        let named = |_: &_| {
            let channel = self.ours.channel(label);
            channel.is_some_and(|it| it.ready_state().as_str() == "open")
        };
        self.ours.until("the data channel is open", named).await?;
        let channel = self.ours.channel(label).context("no channel")?;
        let (ours, theirs) = (self.ours.mark(), self.theirs.mark().await?);
        channel.send_text(text)?;
        let said = self.theirs.until_logged(theirs, "channel.message").await?;
        ensure!(said["text"] == text, "they got {said} instead of {text}");
        let js = "channel('pc', arg.label).send(arg.text)";
        self.theirs
            .run(js, json!({"label": label, "text": text}))
            .await?;
        let heard = self
            .ours
            .until_logged(ours, "channel.message", |_| true)
            .await?;
        ensure!(heard["text"] == text, "we got {heard} instead of {text}");
        Ok(())
    }

    /// Whether every candidate was taken.
    pub(super) fn candidates_taken(&self) -> Result<()> {
        let failures: Vec<_> = self
            .couriers
            .iter()
            .flat_map(|it| lock(&it.failures).clone())
            .collect();
        ensure!(failures.is_empty(), "candidates were refused: {failures:?}");
        Ok(())
    }

    /// From here on the script takes our events, and carries candidates both ways.
    pub(super) async fn take_events(&mut self) -> Result<OurEvents> {
        let (stop, given_back) = self.listening.take().context("the events are taken")?;
        let _ = stop.send(());
        let events = given_back.await.context("no events")?;
        self.tasks.drain(..).for_each(|task| task.abort());
        Ok(events)
    }

    /// A task that ends with the session.
    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }

    /// Writes something into the protocol of the signaling.
    pub(super) fn tell(&self, what: &str, text: &str) {
        lock(&self.told).push(format!("--- {what}\n{text}\n"));
    }

    /// The protocol of the signaling.
    pub(super) fn told(&self) -> String {
        lock(&self.told).concat()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What an answer must keep of its offer: sections, payload types, ids of header extensions (RFC
/// 3264 §6, §6.1; RFC 8285 §6).
pub(super) fn check_answer(offer: &str, answer: &str) -> Result<()> {
    let (offered, answered) = (sections(offer), sections(answer));
    let outline = |all: &[Section]| -> Vec<_> {
        all.iter()
            .map(|it| (it.media.clone(), it.mid.clone()))
            .collect()
    };
    let (one, other) = (outline(&offered), outline(&answered));
    ensure!(
        one == other,
        "the answer's sections {other:?}, the offer's {one:?}"
    );
    for (offered, answered) in offered.iter().zip(&answered).filter(|(_, it)| !it.rejected) {
        for name in ["rtpmap", "extmap"] {
            let number = |value: &str| value.split([' ', '/']).next().map(str::to_owned);
            // One channel may be said or left out, RFC 8866 §6.6.
            let meaning = |value: &str| {
                let words = value.split(' ').nth(1).map(str::to_ascii_lowercase);
                words.map(|it| it.trim_end_matches("/1").to_owned())
            };
            for value in answered.values(name) {
                let same = offered.values(name).find(|it| number(it) == number(value));
                ensure!(
                    same.map(meaning) == Some(meaning(value)),
                    "a={name}:{value} of the answer is {same:?} in the offer"
                );
            }
        }
    }
    Ok(())
}

/// Until `stopped`; then it gives the events back.
async fn collect_ours(
    mut events: OurEvents,
    ours: Handle,
    courier: Arc<Courier>,
    mut stopped: oneshot::Receiver<()>,
    give_back: oneshot::Sender<OurEvents>,
) {
    loop {
        tokio::select! {
            biased;
            event = events.next() => {
                let Some(event) = event else { break };
                ours.take(&event);
                if let Event::IceCandidate(Some(candidate)) = event {
                    courier.add(serde_json::to_value(candidate).unwrap_or_default());
                }
            }
            Ok(()) = &mut stopped => break,
        }
    }
    let _ = give_back.send(events);
}

async fn collect_theirs(mut events: Events, courier: Arc<Courier>) {
    while let Some(event) = events.next().await {
        if event["event"] == "icecandidate" && event["pc"] == "pc" && !event["candidate"].is_null()
        {
            courier.add(event["candidate"].clone());
        }
    }
}

async fn bring_us(courier: Arc<Courier>, pc: peerconnection::PeerConnection) {
    loop {
        courier.more.notified().await;
        for value in courier.due() {
            let taken = match serde_json::from_value::<IceCandidate>(value.clone()) {
                Ok(candidate) => pc
                    .add_ice_candidate(candidate)
                    .await
                    .map_err(|e| anyhow!(e)),
                Err(error) => Err(anyhow!(error)),
            };
            courier.outcome(&value, taken);
        }
    }
}

async fn bring_them(courier: Arc<Courier>, theirs: Theirs) {
    loop {
        courier.more.notified().await;
        for value in courier.due() {
            let taken = theirs
                .run("await it.addIceCandidate(arg)", value.clone())
                .await;
            courier.outcome(&value, taken.map(drop));
        }
    }
}

impl Courier {
    fn add(&self, candidate: Value) {
        lock(&self.waiting).push(candidate);
        self.more.notify_one();
    }

    /// The candidates whose generation has been described.
    fn due(&self) -> Vec<Value> {
        let delivered = lock(&self.delivered);
        let due = |candidate: &mut Value| {
            let text = |key: &str| candidate[key].as_str().unwrap_or_default().to_owned();
            delivered.contains(&(text("sdpMid"), text("usernameFragment")))
        };
        lock(&self.waiting).extract_if(.., due).collect()
    }

    fn outcome(&self, candidate: &Value, taken: Result<()>) {
        if let Err(error) = taken {
            lock(&self.failures).push(format!("{candidate}: {error:#}"));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What most sessions have: loopback alone.
pub(super) fn plain() -> Configuration {
    ours::configuration()
}
