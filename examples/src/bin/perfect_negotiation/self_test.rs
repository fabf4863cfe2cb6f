//! Two peers of one process, over real sockets, that both renegotiate at random and at once.

use std::{process::ExitCode, rc::Rc, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use examples::signaling::SignalingChannel;
use indicatif::{ProgressBar, ProgressStyle};
use peerconnection::Configuration;
use tokio::{
    task::{spawn_local, yield_now},
    time::{Instant, timeout},
};

use crate::{
    operation::{Chance, Operation},
    peer::Peer,
    table::{Names, table},
    view::View,
};

/// Turns of the runtime in which nothing may happen before the peers count as at rest: a need for
/// negotiation is noticed by a task of its own.
const QUIET_TURNS: usize = 32;
/// Operations that one side does in a round, at most.
const MAX_OPERATIONS: usize = 3;

/// Runs the test, prints the summary, and says with the exit code whether all went well.
///
/// `patience` is for the first connection, and for each round.
pub(crate) async fn run(
    configuration: Configuration,
    rounds: usize,
    seed: u64,
    patience: Duration,
) -> ExitCode {
    println!("Two peers in this process renegotiate at random, {rounds} rounds, --seed {seed}.");
    match negotiate(configuration, rounds, seed, patience).await {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("FAILED: {error:#}");
            println!("Again: --self-test --rounds {rounds} --seed {seed}");
            ExitCode::FAILURE
        }
    }
}

async fn negotiate(
    configuration: Configuration,
    rounds: usize,
    seed: u64,
    patience: Duration,
) -> Result<String> {
    let begin = Instant::now();
    let (a_signaling, b_signaling) = SignalingChannel::pair();
    let (a, a_events) = Peer::new(configuration.clone(), &a_signaling, false, false, seed)?;
    let (b, b_events) = Peer::new(configuration, &b_signaling, true, false, !seed)?;
    spawn_local(a.clone().run(a_signaling, a_events));
    spawn_local(b.clone().run(b_signaling, b_events));
    let mut pair = Pair {
        a,
        b,
        chance: Chance::new(seed),
        pings: 0,
        operations: 0,
        recycled: 0,
        before: View::default(),
    };
    timeout(patience, pair.open())
        .await
        .context("the data channel did not open")??;
    let bar = ProgressBar::new(rounds as u64).with_style(
        ProgressStyle::with_template("{bar:40.cyan} {pos}/{len} rounds, {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    for round in 1..=rounds {
        let done = pair.round(patience).await;
        pair.check(done)
            .with_context(|| format!("in round {round}"))?;
        let (a, b) = (pair.a.view().counts, pair.b.view().counts);
        bar.set_message(format!("{} collisions", a.collisions + b.collisions));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(pair.summary(rounds, begin.elapsed()))
}

struct Pair {
    a: Rc<Peer>,
    b: Rc<Peer>,
    chance: Chance,
    pings: u64,
    operations: usize,
    recycled: usize,
    /// What A had at the last rest.
    before: View,
}

impl Pair {
    async fn open(&mut self) -> Result<()> {
        self.a.channel.ready().await?;
        self.b.channel.ready().await?;
        self.rest().await
    }

    /// Both do something, mostly in the same moment; then they come to rest.
    async fn round(&mut self, patience: Duration) -> Result<Vec<String>> {
        let mut done = Vec::new();
        for _ in 0..=self.chance.below(MAX_OPERATIONS) {
            for (name, peer) in [("A", self.a.clone()), ("B", self.b.clone())] {
                let operation: Operation = self.chance.operation();
                done.push(format!("{name}: {operation}"));
                peer.perform(operation);
                self.operations += 1;
            }
            // The next operations meet a negotiation at any of its points.
            for _ in 0..self.chance.below(12) {
                yield_now().await;
            }
        }
        let ended = timeout(patience, self.rest()).await;
        let log = done.join(", ");
        match ended {
            Ok(ended) => ended.map(|()| done).context(log),
            Err(_) => {
                Err(anyhow!("no rest after {patience:?}")
                    .context(format!("{log}\n{}", self.table())))
            }
        }
    }

    /// Until nothing is under way on either side, and the data channel has carried a message there
    /// and back, both ways.
    async fn rest(&mut self) -> Result<()> {
        loop {
            let mut quiet = 0;
            while quiet < QUIET_TURNS {
                yield_now().await;
                quiet = if self.is_at_rest() { quiet + 1 } else { 0 };
            }
            self.pings += 1;
            tokio::try_join!(self.a.ping(self.pings), self.b.ping(self.pings))?;
            if self.is_at_rest() {
                return Ok(());
            }
        }
    }

    fn is_at_rest(&self) -> bool {
        self.a.is_at_rest(&self.b) && self.b.is_at_rest(&self.a)
    }

    /// Whether the round left both in agreement, and nothing went wrong on its way.
    fn check(&mut self, done: Result<Vec<String>>) -> Result<()> {
        let errors = [("A", &self.a), ("B", &self.b)].map(|(name, peer)| {
            let errors = peer.take_errors().into_iter();
            errors.map(move |it| format!("{name}: {it}"))
        });
        let errors: Vec<_> = errors.into_iter().flatten().collect();
        let log = done?.join(", ");
        if !errors.is_empty() {
            bail!("{}\nafter {log}\n{}", errors.join("\n"), self.table());
        }
        let (a, b) = (self.a.view(), self.b.view());
        a.agree(&b)
            .map_err(|differ| anyhow!("{differ}\nafter {log}\n{}", self.table()))?;
        let pairs = self.before.sections.iter().zip(&a.sections);
        self.recycled += pairs.filter(|(old, new)| old.mid != new.mid).count();
        self.before = a;
        Ok(())
    }

    fn table(&self) -> String {
        let names = Names {
            here: "A",
            there: "B",
        };
        table(&names, &self.a.view(), &self.b.view())
    }

    fn summary(&self, rounds: usize, took: Duration) -> String {
        let sections = &self.before.sections;
        let stopped = sections.iter().filter(|it| it.rejected).count();
        let per_round = took.as_secs_f64() * 1e3 / rounds.max(1) as f64;
        format!(
            "\n{}\n  {rounds} rounds, {} operations, {} m-lines ({stopped} stopped), {} recycled, \
             {} pings answered, {:.1} s ({per_round:.1} ms a round)\n  OK: after every round both \
             sides had the same m-lines, and the data channel worked.",
            self.table(),
            self.operations,
            sections.len(),
            self.recycled,
            2 * self.pings,
            took.as_secs_f64(),
        )
    }
}
