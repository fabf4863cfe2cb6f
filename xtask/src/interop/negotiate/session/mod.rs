//! Two connections, ours and a browser's, and the signaling between them.

mod agreed;
mod courier;
mod exchange;
mod theirs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use peerconnection::{Configuration, Events as OurEvents};
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    super::{
        browser::Page,
        peers::Peer,
        scenario::{Role, Side},
    },
    ours::{self, Ours},
};
use courier::{Couriers, bring_them, bring_us, collect_ours, collect_theirs};
pub(super) use theirs::Theirs;

/// A session of one scenario. Candidates trickle by themselves; descriptions are the script's.
pub(super) struct Session {
    pub(super) peer: Peer,
    /// Who makes the first offer.
    pub(super) role: Role,
    pub(super) ours: Ours,
    pub(super) theirs: Theirs,
    couriers: Couriers,
    tasks: Vec<JoinHandle<()>>,
    /// Ends the trickling of our candidates, and gives our events.
    listening: Option<(oneshot::Sender<()>, oneshot::Receiver<OurEvents>)>,
    /// What signaling does to every description on its way.
    pub(super) tamper: fn(&str) -> String,
    told: Arc<Mutex<Vec<String>>>,
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
        let couriers = Couriers::default();
        let Couriers { to_us, to_them } = &couriers;
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

    /// `to` has this description: its candidates may follow.
    pub(super) fn delivered(&self, to: Side, sdp: &str) {
        self.couriers.delivered(to, sdp);
    }

    /// Candidates that trickle are lost on their way where this says so.
    pub(super) fn withhold(&self, is_lost: fn(&str) -> bool) {
        self.couriers.withhold(is_lost);
    }

    /// So are all that trickle to `to`.
    pub(super) fn withhold_all(&self, to: Side) {
        self.couriers.withhold_all(to);
    }

    /// Makes this of candidates that are not in descriptions.
    pub(super) fn alter(&self, alter: fn(&str) -> String) {
        self.couriers.alter(alter);
    }

    /// Candidates were refused because of a rollback, if at all.
    pub(super) fn forgive(&self) {
        self.couriers.forgive();
    }

    /// Whether every candidate was taken.
    pub(super) fn candidates_taken(&self) -> Result<()> {
        self.couriers.all_taken()
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What most sessions have: loopback alone.
pub(super) fn plain() -> Configuration {
    ours::configuration()
}
