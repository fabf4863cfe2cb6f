//! Two peers of one process, over real sockets: does it work on this machine, and how fast?

use std::{convert::Infallible, process::ExitCode, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use examples::{
    servers::tell_errors,
    signaling::{SignalingChannel, SignalingMessage},
};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, DataChannelInit, Event, Events, Message,
    PeerConnection, SdpType, state::PeerConnectionState,
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use crate::{
    plan::{Content, Plan},
    summary::{Direction, Summary},
};

/// How long the other side may take to notice that the connection was closed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Runs the test, prints the summary, and says with the exit code whether all went well.
pub(crate) async fn run(
    configuration: Configuration,
    messages: usize,
    patience: Duration,
) -> ExitCode {
    println!("Two peers in this process, {messages} messages each way of 0 B to 256 KiB.");
    let outcome = timeout(patience, exchange(configuration, messages))
        .await
        .unwrap_or_else(|_| Err(anyhow!("not done after {} s", patience.as_secs())));
    match outcome {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn exchange(configuration: Configuration, messages: usize) -> Result<Summary> {
    let progress = MultiProgress::new();
    let (to_b, to_a) = (Plan::new(1, messages), Plan::new(2, messages));
    let (a_signaling, b_signaling) = SignalingChannel::pair();
    let mut a = Peer::new("A", &configuration, a_signaling)?;
    let mut b = Peer::new("B", &configuration, b_signaling)?;

    let begin = Instant::now();
    let offered =
        a.pc.create_data_channel("chat", DataChannelInit::default())?;
    let (accepted, accept) = oneshot::channel::<DataChannel>();
    let (a_bar, b_bar) = (
        bar(&progress, "A to B", &to_b),
        bar(&progress, "B to A", &to_a),
    );
    let conversation = async {
        let b_channel = async { accept.await.context("B's connection ended") };
        let (a_channel, b_channel) = tokio::try_join!(open(offered), b_channel)?;
        let opened = begin.elapsed();
        b_channel.ready().await?;
        let ((), (), b_to_a, a_to_b) = tokio::try_join!(
            send_all(&a_channel, &to_b),
            send_all(&b_channel, &to_a),
            receive_all("A", &a_channel, &to_a, &b_bar),
            receive_all("B", &b_channel, &to_b, &a_bar),
        )?;
        Ok::<_, anyhow::Error>((opened, a_to_b, b_to_a, b_channel, a_channel))
    };
    let (opened, a_to_b, b_to_a, b_channel, _a_channel) = tokio::select! {
        outcome = conversation => outcome?,
        Err(error) = a.negotiate(None) => return Err(error),
        Err(error) = b.negotiate(Some(accepted)) => return Err(error),
    };
    let (info, other) = (a.pc.transport_info(), b.pc.transport_info());
    let rejected = [info.datagrams_rejected, other.datagrams_rejected];

    a.pc.close();
    let closed = Instant::now();
    timeout(CLOSE_PATIENCE, end_of(&b_channel))
        .await
        .map_err(|_| anyhow!("B has not noticed in {CLOSE_PATIENCE:?} that A closed"))??;
    let closed = closed.elapsed();
    Ok(Summary {
        opened,
        a_to_b,
        b_to_a,
        closed,
        info,
        rejected,
    })
}

/// One side, with what it needs to be reached.
struct Peer {
    name: &'static str,
    pc: PeerConnection,
    events: Events,
    signaling: SignalingChannel,
}

impl Peer {
    fn new(
        name: &'static str,
        configuration: &Configuration,
        signaling: SignalingChannel,
    ) -> Result<Self> {
        let (pc, events) = PeerConnection::new(configuration.clone())?;
        Ok(Self {
            name,
            pc,
            events,
            signaling,
        })
    }

    /// Exchanges descriptions and candidates for as long as the connection lives.
    async fn negotiate(
        &mut self,
        mut accepted: Option<oneshot::Sender<DataChannel>>,
    ) -> Result<Infallible> {
        let name = self.name;
        loop {
            tokio::select! {
                event = self.events.next() => match event.inspect(tell_errors) {
                    Some(Event::DataChannel(channel)) => {
                        if let Some(accepted) = accepted.take() {
                            let _ = accepted.send(channel);
                        }
                    }
                    Some(event) => self.on_event(event).await.context(name)?,
                    None => bail!("{name}: the connection ended"),
                },
                message = self.signaling.recv() => {
                    let message = message.context("signaling ended")?;
                    self.on_message(message).await.context(name)?;
                }
            }
        }
    }

    async fn on_event(&mut self, event: Event) -> Result<()> {
        match event {
            Event::IceCandidate(candidate) => {
                self.signaling.send(SignalingMessage::Candidate(candidate));
            }
            Event::NegotiationNeeded => {
                self.pc.set_local_description(None).await?;
                self.send_description();
            }
            Event::DtlsTransportError(_, error) => return Err(error.into()),
            Event::ConnectionStateChange(PeerConnectionState::Failed) => bail!("no connection"),
            _ => {}
        }
        Ok(())
    }

    async fn on_message(&mut self, message: SignalingMessage) -> Result<()> {
        match message {
            SignalingMessage::Desc(description) => {
                let is_offer = description.kind == SdpType::Offer;
                self.pc.set_remote_description(description).await?;
                if is_offer {
                    self.pc.set_local_description(None).await?;
                    self.send_description();
                }
            }
            SignalingMessage::Candidate(candidate) => self.pc.add_ice_candidate(candidate).await?,
            // Of the warm-up alone.
            SignalingMessage::Start(_) => {}
        }
        Ok(())
    }

    fn send_description(&self) {
        if let Some(description) = self.pc.local_description() {
            self.signaling.send(SignalingMessage::Desc(description));
        }
    }
}

async fn open(channel: DataChannel) -> Result<DataChannel> {
    channel.ready().await?;
    Ok(channel)
}

async fn send_all(channel: &DataChannel, plan: &Plan) -> Result<()> {
    for content in plan.contents() {
        channel.ready().await?;
        match content {
            Content::Text(text) => channel.send_text(text)?,
            Content::Binary(bytes) => channel.send(bytes)?,
        }
    }
    Ok(())
}

async fn receive_all(
    name: &str,
    channel: &DataChannel,
    plan: &Plan,
    bar: &ProgressBar,
) -> Result<Direction> {
    let begin = Instant::now();
    let mut number = 0;
    while number < plan.len() {
        match channel.next().await {
            Some(DataChannelEvent::Message(message)) => {
                let (is_text, bytes) = match &message {
                    Message::Text(text) => (true, text.as_bytes()),
                    Message::Binary(bytes) => (false, &bytes[..]),
                };
                plan.check(number, is_text, bytes)
                    .map_err(|wrong| anyhow!("{name}: {wrong}"))?;
                bar.inc(bytes.len() as u64);
                number += 1;
            }
            Some(DataChannelEvent::Error(error)) => return Err(error.into()),
            Some(DataChannelEvent::Close) | None => {
                bail!(
                    "{name}: the channel closed after {number} messages of {}",
                    plan.len()
                );
            }
            Some(_) => {}
        }
    }
    bar.finish();
    Ok(Direction {
        messages: plan.len(),
        bytes: plan.bytes(),
        took: begin.elapsed(),
    })
}

/// Waits for the channel's close; anything else that comes was never sent.
async fn end_of(channel: &DataChannel) -> Result<()> {
    loop {
        match channel.next().await {
            Some(DataChannelEvent::Close) | None => return Ok(()),
            Some(DataChannelEvent::Message(_)) => bail!("a message came that was never sent"),
            Some(_) => {}
        }
    }
}

fn bar(progress: &MultiProgress, name: &'static str, plan: &Plan) -> ProgressBar {
    const TEMPLATE: &str = "{prefix} {bar:40.cyan} {bytes:>11}/{total_bytes} {bytes_per_sec:>13}";
    let style =
        ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    progress.add(
        ProgressBar::new(plan.bytes())
            .with_style(style)
            .with_prefix(name),
    )
}
