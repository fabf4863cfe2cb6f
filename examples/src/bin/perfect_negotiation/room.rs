//! Who is at the other side: takes those who come, one at a time, and does things at random.

use std::{future::pending, rc::Rc, time::Duration};

use anyhow::Result;
use examples::{page::Arrivals, signaling::SignalingChannel};
use peerconnection::Configuration;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_local},
    time::{Instant, Interval, MissedTickBehavior, interval},
};

use crate::{
    operation::{Chance, Operation},
    peer::Peer,
    table::{Names, table},
    terminal::{self, Screen},
    view::{Counts, Note, View},
};

/// How often what is shown, here and at the other side, is brought up to date.
const REFRESH: Duration = Duration::from_millis(100);
/// Operations a second at most.
const MAX_RATE: f64 = 1000.0;

/// A place for two.
pub(crate) struct Room {
    configuration: Configuration,
    polite: bool,
    chance: Chance,
    /// When to do something at random.
    clock: Option<Interval>,
    refresh: Interval,
    lines: mpsc::Receiver<String>,
    screen: Screen,
}

/// Why a session is over.
enum Ended {
    Left,
    Quit,
    Replaced(SignalingChannel),
}

/// One other side.
struct Session {
    peer: Rc<Peer>,
    run: JoinHandle<()>,
    /// What the other side knows of us.
    told: View,
    /// Those that were shown.
    collisions: u64,
    began: Instant,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.run.abort();
        self.peer.pc.close();
    }
}

impl Room {
    pub(crate) fn new(configuration: Configuration, polite: bool, rate: f64, seed: u64) -> Self {
        let every = |period: Duration| {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let clock = (rate > 0.0).then(|| every(Duration::from_secs_f64(1.0 / rate.min(MAX_RATE))));
        Self {
            configuration,
            polite,
            chance: Chance::new(seed),
            clock,
            refresh: every(REFRESH),
            lines: terminal::read_lines(),
            screen: Screen::new(),
        }
    }

    /// With one other side, and nobody else.
    pub(crate) async fn join(&mut self, signaling: SignalingChannel) -> Result<()> {
        if let Ended::Left = self.session(signaling, None).await? {
            Screen::note("The other side has left.");
        }
        Ok(())
    }

    /// With whoever comes last: a page that was reloaded, or a second browser.
    pub(crate) async fn serve(&mut self, mut arrivals: Arrivals) -> Result<()> {
        let mut next = None;
        loop {
            let arrived = match next.take() {
                Some(signaling) => Some(signaling),
                None => self.wait_for(&mut arrivals).await,
            };
            let Some(signaling) = arrived else {
                return Ok(());
            };
            match self.session(signaling, Some(&mut arrivals)).await? {
                Ended::Left => Screen::note("The other side has left."),
                Ended::Replaced(signaling) => {
                    Screen::note("Somebody else has come and takes over.");
                    next = Some(signaling);
                }
                Ended::Quit => return Ok(()),
            }
        }
    }

    async fn wait_for(&mut self, arrivals: &mut Arrivals) -> Option<SignalingChannel> {
        loop {
            tokio::select! {
                signaling = arrivals.recv() => return signaling,
                Some(line) = self.lines.recv() => match line.trim() {
                    "q" => return None,
                    _ => Screen::note("Nobody is here yet."),
                },
                _ = tokio::signal::ctrl_c() => return None,
            }
        }
    }

    async fn session(
        &mut self,
        signaling: SignalingChannel,
        mut arrivals: Option<&mut Arrivals>,
    ) -> Result<Ended> {
        let sender = signaling.sender();
        let seed = self.chance.below(usize::MAX) as u64;
        let (peer, events) = Peer::new(
            self.configuration.clone(),
            &signaling,
            self.polite,
            // Whoever comes, starts.
            arrivals.is_none(),
            seed,
        )?;
        let mut session = Session {
            run: spawn_local(peer.clone().run(signaling, events)),
            peer,
            told: View::default(),
            collisions: 0,
            began: Instant::now(),
        };
        Screen::note("Somebody is here. Enter does something at random, q quits.");
        self.screen.begin();
        loop {
            let arrival = async {
                match &mut arrivals {
                    Some(arrivals) => arrivals.recv().await,
                    None => pending().await,
                }
            };
            let tick = async {
                match &mut self.clock {
                    Some(clock) => clock.tick().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                _ = &mut session.run => return Ok(Ended::Left),
                Some(signaling) = arrival => {
                    sender.replace();
                    return Ok(Ended::Replaced(signaling));
                }
                _ = tick => self.perform(&session),
                Some(line) = self.lines.recv() => match line.trim() {
                    "q" => return Ok(Ended::Quit),
                    _ => self.perform(&session),
                },
                _ = self.refresh.tick() => self.show(&mut session),
                _ = tokio::signal::ctrl_c() => return Ok(Ended::Quit),
            }
        }
    }

    fn perform(&mut self, session: &Session) {
        if !session.peer.has_started() {
            return;
        }
        let operation: Operation = self.chance.operation();
        self.screen.log(&operation.to_string());
        session.peer.perform(operation);
    }

    /// Brings the terminal and the other side up to date.
    fn show(&mut self, session: &mut Session) {
        for error in session.peer.take_errors() {
            self.screen.error(&error);
        }
        let (view, remote) = (session.peer.view(), session.peer.remote_view());
        if is_news(&view, &session.told) && session.peer.tell(&Note::View(view.clone())) {
            session.told = view.clone();
        }
        if view.counts.collisions > session.collisions {
            session.collisions = view.counts.collisions;
            let outcome = if self.polite {
                "we give way"
            } else {
                "theirs is ignored"
            };
            self.screen
                .glare(&format!("glare: offers have met, {outcome}"));
        }
        let names = Names {
            here: "here",
            there: "there",
        };
        let states = format!(
            "  {} for {} s",
            session.peer.pc.connection_state(),
            session.began.elapsed().as_secs()
        );
        self.screen
            .draw(&format!("{states}\n{}", table(&names, &view, &remote)));
    }
}

/// Whether there is something new to tell: what signaling has carried alone is not.
fn is_news(view: &View, told: &View) -> bool {
    let plain = |view: &View| View {
        counts: Counts {
            sent: 0,
            received: 0,
            ..view.counts
        },
        ..view.clone()
    };
    plain(view) != plain(told)
}
