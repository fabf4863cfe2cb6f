//! What carries candidates to both sides.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use anyhow::{Result, anyhow, ensure};
use peerconnection::{Event, Events as OurEvents, IceCandidate, PeerConnection};
use serde_json::Value;
use tokio::sync::{Notify, oneshot};

use super::{
    super::{
        super::{browser::Events, scenario::Side},
        ours::Handle,
        state::sections,
    },
    Theirs, lock,
};

/// Whether a candidate is lost on its way.
pub(super) type IsLost = fn(&str) -> bool;

/// What becomes of a candidate on its way.
pub(super) type Alter = fn(&str) -> String;

/// One to each side.
#[derive(Default)]
pub(super) struct Couriers {
    pub(super) to_us: Arc<Courier>,
    pub(super) to_them: Arc<Courier>,
}

/// Carries candidates to one side, each behind the description it belongs to.
#[derive(Default)]
pub(super) struct Courier {
    waiting: Mutex<Vec<Value>>,
    /// The mids and user fragments that side has been told already.
    delivered: Mutex<HashSet<(String, String)>>,
    more: Notify,
    failures: Mutex<Vec<String>>,
    is_lost: Mutex<Option<IsLost>>,
    alter: Mutex<Option<Alter>>,
}

impl Couriers {
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
    pub(super) fn forget(&self, to: Side) {
        lock(&self.courier(to).delivered).clear();
        lock(&self.courier(to).waiting).clear();
    }

    /// Loses the candidates of which this says so, from now on and both ways.
    pub(super) fn withhold(&self, is_lost: IsLost) {
        let all = [&self.to_us, &self.to_them];
        all.into_iter()
            .for_each(|it| *lock(&it.is_lost) = Some(is_lost));
    }

    /// Loses every candidate for `to` from now on.
    pub(super) fn withhold_all(&self, to: Side) {
        *lock(&self.courier(to).is_lost) = Some(|_| true);
    }

    /// Makes this of every candidate, from now on and both ways.
    pub(super) fn alter(&self, alter: Alter) {
        let all = [&self.to_us, &self.to_them];
        all.into_iter()
            .for_each(|it| *lock(&it.alter) = Some(alter));
    }

    /// Candidates were refused because of a rollback, if at all.
    pub(super) fn forgive(&self) {
        let all = [&self.to_us, &self.to_them];
        all.into_iter().for_each(|it| lock(&it.failures).clear());
    }

    /// Whether every candidate was taken.
    pub(super) fn all_taken(&self) -> Result<()> {
        let failures = [&self.to_us, &self.to_them].map(|it| lock(&it.failures).clone());
        let failures = failures.concat();
        ensure!(failures.is_empty(), "candidates were refused: {failures:?}");
        Ok(())
    }

    fn courier(&self, to: Side) -> &Courier {
        match to {
            Side::Ours => &self.to_us,
            Side::Theirs => &self.to_them,
        }
    }
}

impl Courier {
    fn add(&self, mut candidate: Value) {
        let text = candidate["candidate"].as_str().unwrap_or_default();
        if lock(&self.is_lost).is_some_and(|is_lost| is_lost(text)) {
            return;
        }
        if let Some(alter) = *lock(&self.alter) {
            candidate["candidate"] = alter(text).into();
        }
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

/// Until `stopped`; then it gives the events back.
pub(super) async fn collect_ours(
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

pub(super) async fn collect_theirs(mut events: Events, courier: Arc<Courier>) {
    while let Some(event) = events.next().await {
        if event["event"] == "icecandidate" && event["pc"] == "pc" && !event["candidate"].is_null()
        {
            courier.add(event["candidate"].clone());
        }
    }
}

pub(super) async fn bring_us(courier: Arc<Courier>, pc: PeerConnection) {
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

pub(super) async fn bring_them(courier: Arc<Courier>, theirs: Theirs) {
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
