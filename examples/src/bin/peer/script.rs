//! What the peer does, from the first description to the last line.

use std::{cell::RefCell, future::pending, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use examples::mailbox::{self, Mailbox};
use futures_util::FutureExt;
use peerconnection::{
    Event, Events, IceCandidateError, PeerConnection,
    state::{DtlsTransportState, IceGatheringState, PeerConnectionState},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    channel::Report,
    channels::Channels,
    flags::{Close, Flags},
    lines::{Attributes, Line, Lines, Origin, Outcome, State},
    media::{Came, Media},
    negotiation::{farewell, negotiate},
    traffic::Tally,
};

/// After the close of our channel: so long the remote may see that as what it is.
const AFTER_OUR_CLOSE: Duration = Duration::from_millis(500);
/// After the last close by the remote: so long our side of a stream reset may take.
const AFTER_THEIR_CLOSE: Duration = Duration::from_secs(1);

/// One run.
pub(crate) struct Script {
    flags: Arc<Flags>,
    lines: Lines,
    phase: Phase,
    channels: Channels,
    reports: mpsc::UnboundedReceiver<Report>,
    /// How many channels have to open, once the descriptions are exchanged.
    expected: Option<usize>,
    echoed: bool,
    /// What came of sound and pictures is told.
    measured: bool,
    /// The other peer has said that it closes the connection.
    has_left: bool,
    wrong: bool,
    sent: Tally,
    received: Tally,
}

/// ```text
///           N channels open         echoes in            channel closed
///   Opening ───────────────▶ Running ────────▶ Closing ──────────────▶ Lingering ──▶ end
///                               │   done, --close channel                 ▲
///                               ├─────────▶ Waiting ──────────────────────┘
///                               │   done, no --close      all channels closed
///                               └─────────▶ end
///                                   done, --close connection
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Running,
    Closing,
    Waiting,
    Lingering { until: Instant, by_remote: bool },
}

impl Script {
    pub(crate) fn new(flags: Flags, lines: Lines) -> Self {
        let flags = Arc::new(flags);
        let echoed = flags.count.unwrap_or(0) == 0;
        let (reporting, reports) = mpsc::unbounded_channel();
        Self {
            channels: Channels::new(flags.clone(), reporting),
            reports,
            flags,
            lines,
            phase: Phase::Opening,
            expected: None,
            echoed,
            measured: false,
            has_left: false,
            wrong: false,
            sent: Tally::default(),
            received: Tally::default(),
        }
    }

    /// Runs the script and prints its lines.
    pub(crate) async fn run(mut self) -> Outcome {
        let result = self.play().await.unwrap_or_else(|error| {
            self.complain(format!("{error:#}"));
            Outcome::Failed
        });
        self.lines.print(&Line::End {
            result,
            sent: self.sent,
            received: self.received,
        });
        result
    }

    async fn play(&mut self) -> Result<Outcome> {
        let media = RefCell::new(Media::new(self.flags.clone()));
        media.borrow().check_codecs()?;
        let mailbox = self.mailbox().await?;
        let (pc, mut events) = PeerConnection::new(self.flags.configuration()?)?;
        let patience = self.flags.patience();
        let outcome = timeout(patience, self.play_with(&pc, &mut events, mailbox, &media)).await;
        farewell(&pc, events).await;
        media.into_inner().finish(&self.lines).await?;
        outcome.unwrap_or_else(|_| {
            self.complain(format!(
                "not over after {} s: {}",
                patience.as_secs(),
                self.doing()
            ));
            Ok(Outcome::Timeout)
        })
    }

    async fn play_with(
        &mut self,
        pc: &PeerConnection,
        events: &mut Events,
        mailbox: Mailbox,
        media: &RefCell<Media>,
    ) -> Result<Outcome> {
        let (gathered, is_gathered) = oneshot::channel();
        let mut gathered = Some(gathered);
        let flags = self.flags.clone();
        let (created, mut creation) = oneshot::channel();
        let negotiation = negotiate(pc, &flags, &mailbox, is_gathered, created, media);
        tokio::pin!(negotiation);
        let looking = pending::<Vec<Came>>().left_future();
        tokio::pin!(looking);
        loop {
            tokio::select! {
                biased;
                Ok(channel) = &mut creation, if !creation.is_terminated() => {
                    self.channels.adopt(channel, Origin::Created);
                }
                outcome = &mut negotiation, if self.expected.is_none() => {
                    outcome?;
                    let channels = usize::from(pc.sctp().is_some());
                    self.expected = Some(self.flags.channels.unwrap_or(channels));
                    looking.set(media.borrow().look(pc).right_future());
                }
                came = &mut looking, if !self.measured => {
                    self.measured = true;
                    came.into_iter().for_each(|it| self.lines.print(&Line::Media(it)));
                }
                Some(event) = events.next() => match event {
                    Event::IceGatheringStateChange(IceGatheringState::Complete) => {
                        gathered.take().map(|it| it.send(()));
                    }
                    event => self.on_event(pc, event, media)?,
                },
                Some(report) = self.reports.recv() => self.on_report(pc, report),
                () = alarm(self.phase) => {}
            }
            if let Some(outcome) = self.step(pc.connection_state()) {
                return Ok(outcome);
            }
        }
    }

    async fn mailbox(&self) -> Result<Mailbox> {
        let mut url = self.flags.signal.clone();
        if let Some(port) = self.flags.serve_signal {
            let served = format!("http://{}", mailbox::serve(port).await?);
            self.lines.print(&Line::Signal {
                url: served.clone(),
            });
            url.get_or_insert(served);
        }
        let url = url.context("no mailbox")?;
        Mailbox::new(&url, &self.flags.name, &self.flags.remote)
    }

    fn on_event(
        &mut self,
        pc: &PeerConnection,
        event: Event,
        media: &RefCell<Media>,
    ) -> Result<()> {
        match event {
            Event::ConnectionStateChange(state) => {
                self.lines.print(&Line::State {
                    connection: State(state),
                });
                if state == PeerConnectionState::Connected {
                    self.lines.print(&Line::transport(pc.transport_info()));
                }
            }
            Event::SelectedCandidatePairChange(_) => {
                self.lines.print(&Line::transport(pc.transport_info()));
            }
            Event::IceCandidateError(error) => {
                let IceCandidateError {
                    url,
                    error_code: code,
                    error_text: text,
                    ..
                } = error;
                self.lines.print(&Line::CandidateError { url, code, text });
            }
            Event::DataChannel(channel) => {
                self.lines
                    .print(&Line::DataChannel(Attributes::of(&channel)));
                self.channels.adopt(channel, Origin::Accepted);
            }
            Event::DtlsTransportStateChange(_, DtlsTransportState::Closed) => self.has_left = true,
            Event::Track(event) => media.borrow_mut().receive(&event.receiver, &self.lines)?,
            // The connection's state follows.
            Event::DtlsTransportError(_, error) => self.lines.print(&Line::Error {
                what: error.to_string(),
            }),
            _ => {}
        }
        Ok(())
    }

    fn on_report(&mut self, pc: &PeerConnection, report: Report) {
        match report {
            Report::Opened(number) => {
                self.channels
                    .open(number)
                    .iter()
                    .for_each(|line| self.lines.print(line));
            }
            Report::Sent(kind) => self.sent.add(kind),
            Report::Received(kind) => self.received.add(kind),
            Report::Echoed => self.echoed = true,
            Report::Troubled(what) => self.lines.print(&Line::ChannelError { what }),
            Report::Closed(number) => {
                let line = self.channels.close(number, pc.connection_state());
                line.iter().for_each(|line| self.lines.print(line));
                if matches!(self.phase, Phase::Opening | Phase::Running) {
                    self.complain("a channel closed before the script was done".to_owned());
                }
            }
            Report::Wrong(what) => self.complain(what),
        }
    }

    /// Takes the next step, if it is time for it; the outcome after the last.
    fn step(&mut self, state: PeerConnectionState) -> Option<Outcome> {
        if self.wrong {
            return Some(Outcome::Failed);
        }
        if state == PeerConnectionState::Failed && self.channels.opened() == 0 {
            return Some(Outcome::ConnectionFailed);
        }
        let are_open = self.expected.is_some_and(|it| self.channels.opened() >= it);
        if self.phase == Phase::Opening && are_open {
            self.channels.start_sending();
            self.phase = Phase::Running;
        }
        if self.phase == Phase::Running && self.echoed && self.measured {
            self.lines.print(&Line::Done {});
            match self.flags.close {
                Some(Close::Connection) => return Some(Outcome::Ok),
                Some(Close::Channel) => {
                    self.channels.close_ours();
                    self.phase = Phase::Closing;
                }
                None => self.phase = Phase::Waiting,
            }
        }
        self.step_to_the_end(state)
    }

    fn step_to_the_end(&mut self, state: PeerConnectionState) -> Option<Outcome> {
        use PeerConnectionState::{Closed, Disconnected, Failed};
        if self.phase == Phase::Closing && self.channels.is_ours_closed() {
            let until = Instant::now() + AFTER_OUR_CLOSE;
            self.phase = Phase::Lingering {
                until,
                by_remote: false,
            };
        }
        let is_over = match self.expected {
            // Without channels there is the connection to tell.
            Some(0) => self.has_left || matches!(state, Disconnected | Failed | Closed),
            _ => self.channels.are_closed(),
        };
        if self.phase == Phase::Waiting && is_over {
            let until = Instant::now() + AFTER_THEIR_CLOSE;
            self.phase = Phase::Lingering {
                until,
                by_remote: true,
            };
        }
        match self.phase {
            Phase::Lingering { until, by_remote } => {
                let is_over = by_remote && matches!(state, Disconnected | Failed | Closed);
                (is_over || until <= Instant::now()).then_some(Outcome::Ok)
            }
            _ if state == Failed => {
                self.complain("the connection failed".to_owned());
                Some(Outcome::Failed)
            }
            _ => None,
        }
    }

    fn complain(&mut self, what: String) {
        self.lines.print(&Line::Error { what });
        self.wrong = true;
    }

    fn doing(&self) -> String {
        match self.phase {
            Phase::Opening => {
                let opened = self.channels.opened();
                match self.expected {
                    Some(expected) => format!("{opened} of {expected} channels have opened"),
                    None => "the descriptions are not exchanged".to_owned(),
                }
            }
            Phase::Running if !self.measured => "sound or pictures are missing".to_owned(),
            Phase::Running => "echoes are missing".to_owned(),
            Phase::Closing => "our channel has not closed".to_owned(),
            Phase::Waiting => "the other peer has closed nothing".to_owned(),
            Phase::Lingering { .. } => "about to end".to_owned(),
        }
    }
}

/// When the phase ends by itself, if it does.
async fn alarm(phase: Phase) {
    match phase {
        Phase::Lingering { until, .. } => sleep_until(until).await,
        _ => pending().await,
    }
}
