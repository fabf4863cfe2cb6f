//! One end of a handover, in the namespace of its host: a connection with sound and two data channels.
//!
//! Signaling and orders come by stdin, one JSON object a line, and everything worth telling goes to
//! stdout: no network but the two that it is about carries anything.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Args;
use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, DataChannelInit, Event, Events, IceCandidate,
    IceServer, IceTransportPolicy, PeerConnection, SdpType, SessionDescription,
    devices::{AudioConstraints, MediaStreamConstraints, get_user_media},
    state::{DataChannelState, SignalingState},
    stats::Stats,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

/// Between two messages, and between two looks at what has come.
const INTERVAL: Duration = Duration::from_millis(20);

/// What `interop namespaces` starts on each host.
#[derive(Args)]
pub(crate) struct End {
    /// Makes the first offer.
    #[arg(long)]
    offer: bool,
    /// Has relayed addresses of this TURN server alone, and asks for a ticket with which they move.
    #[arg(long, requires = "username")]
    relay: Option<String>,
    /// Of the server.
    #[arg(long, requires = "credential")]
    username: Option<String>,
    /// Of the server.
    #[arg(long)]
    credential: Option<String>,
}

/// What is told of the longest silences since the last [`Order::Watch`], in ms.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Gaps {
    /// Of messages that are sent once.
    pub(super) loose: u64,
    /// Of those that are sent until they arrive, in their order.
    pub(super) strict: u64,
    /// Of packets with sound.
    pub(super) sound: u64,
    /// How long ago anything at all came.
    pub(super) last: u64,
}

/// A line that is read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Order {
    Description(SessionDescription),
    Candidate(IceCandidate),
    /// Silences count from here.
    Watch,
    /// [`Gaps`] are wanted.
    Tell,
}

impl End {
    /// # Errors
    ///
    /// A call of the connection has failed.
    pub(crate) fn run(self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let (mut talk, events) = Talk::new(self.offer, self.configuration())?;
            talk.live(events).await
        })
    }

    fn configuration(&self) -> Configuration {
        let Some(url) = &self.relay else {
            return Configuration::default();
        };
        let username = self.username.as_deref().unwrap_or_default();
        let credential = self.credential.as_deref().unwrap_or_default();
        let server = IceServer::turn(url, username, credential);
        Configuration {
            ice_servers: vec![server],
            ice_transport_policy: IceTransportPolicy::Relay,
            relay_mobility: true,
            ..Configuration::default()
        }
    }
}

/// When something came last, and the longest that nothing did.
struct Silence {
    last: Instant,
    longest: Duration,
}

impl Silence {
    fn new() -> Self {
        Self {
            last: Instant::now(),
            longest: Duration::ZERO,
        }
    }

    fn broken(&mut self) {
        self.longest = self.so_far();
        self.last = Instant::now();
    }

    fn so_far(&self) -> Duration {
        self.longest.max(self.last.elapsed())
    }
}

/// The connection, and what it hears.
struct Talk {
    pc: PeerConnection,
    offers: bool,
    /// Whether there has been an offer: before, only one side makes one.
    is_begun: bool,
    loose: DataChannel,
    strict: DataChannel,
    silences: [Silence; 3],
    /// With sound, so far.
    packets: u64,
}

impl Talk {
    fn new(offers: bool, configuration: Configuration) -> Result<(Self, Events)> {
        let (pc, events) = PeerConnection::new(configuration)?;
        let stream = get_user_media(&MediaStreamConstraints {
            audio: Some(AudioConstraints::default()),
            synthetic: true,
            ..Default::default()
        })?;
        for track in stream.tracks() {
            pc.add_track(&track, &[&stream])?;
        }
        let channel = |label: &str, id, is_strict| {
            pc.create_data_channel(
                label,
                DataChannelInit {
                    ordered: is_strict,
                    max_retransmits: (!is_strict).then_some(0),
                    negotiated: true,
                    id: Some(id),
                    ..Default::default()
                },
            )
        };
        let talk = Self {
            offers,
            is_begun: false,
            loose: channel("loose", 0, false)?,
            strict: channel("strict", 2, true)?,
            silences: [Silence::new(), Silence::new(), Silence::new()],
            packets: 0,
            pc,
        };
        Ok((talk, events))
    }

    /// Until there are no orders any more.
    async fn live(&mut self, mut events: Events) -> Result<()> {
        let mut orders = BufReader::new(tokio::io::stdin()).lines();
        let mut ticks = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                order = orders.next_line() => {
                    let Some(order) = order? else { break };
                    self.follow(serde_json::from_str(&order)?).await?;
                }
                Some(event) = events.next() => self.hear(event).await?,
                Some(event) = self.loose.next() => self.message(0, &event),
                Some(event) = self.strict.next() => self.message(1, &event),
                _ = ticks.tick() => self.tick()?,
            }
        }
        self.pc.close();
        Ok(())
    }

    async fn follow(&mut self, order: Order) -> Result<()> {
        match order {
            Order::Description(description) => self.take(description).await?,
            Order::Candidate(candidate) => self.pc.add_ice_candidate(candidate).await?,
            Order::Watch => self.silences = [Silence::new(), Silence::new(), Silence::new()],
            Order::Tell => {
                let [loose, strict, sound] = &self.silences;
                let ms = |time: Duration| time.as_millis() as u64;
                let last = self.silences.iter().map(|it| it.last.elapsed()).max();
                tell(json!({"event": "gaps", "gaps": Gaps {
                    loose: ms(loose.so_far()),
                    strict: ms(strict.so_far()),
                    sound: ms(sound.so_far()),
                    last: ms(last.unwrap_or_default()),
                }}));
            }
        }
        Ok(())
    }

    /// Perfect negotiation: who made the first offer is the one that does not give way.
    async fn take(&mut self, description: SessionDescription) -> Result<()> {
        let is_offer = description.kind == SdpType::Offer;
        let collides = is_offer && self.pc.signaling_state() != SignalingState::Stable;
        if collides && self.offers {
            return Ok(());
        }
        self.is_begun = true;
        self.pc.set_remote_description(description).await?;
        if is_offer {
            self.describe().await?;
        }
        Ok(())
    }

    async fn describe(&mut self) -> Result<()> {
        self.is_begun = true;
        self.pc.set_local_description(None).await?;
        let description = self.pc.local_description().context("no description")?;
        tell(json!({"event": "description", "description": description}));
        Ok(())
    }

    async fn hear(&mut self, event: Event) -> Result<()> {
        match event {
            Event::NegotiationNeeded => {
                tell(json!({"event": "negotiationneeded", "counts": self.is_begun}));
                if self.offers || self.is_begun {
                    self.describe().await?;
                }
            }
            Event::IceCandidate(Some(candidate)) => {
                tell(json!({"event": "candidate", "candidate": candidate}));
            }
            Event::IceConnectionStateChange(state) => {
                tell(json!({"event": "ice", "state": state.to_string()}));
            }
            Event::SelectedCandidatePairChange(_) => {
                let pair = self.pc.transport_info().candidate_pair;
                let (local, remote) = pair.unwrap_or_default();
                tell(json!({"event": "pair", "local": local, "remote": remote}));
            }
            _ => {}
        }
        Ok(())
    }

    fn message(&mut self, of: usize, event: &DataChannelEvent) {
        match event {
            DataChannelEvent::Message(_) => self.silences[of].broken(),
            DataChannelEvent::Open => tell(json!({"event": "open"})),
            DataChannelEvent::Close => tell(json!({"event": "closed"})),
            _ => {}
        }
    }

    fn tick(&mut self) -> Result<()> {
        for channel in [&self.loose, &self.strict] {
            if channel.ready_state() == DataChannelState::Open {
                channel.send_text("still here")?;
            }
        }
        let stats = self.pc.stats(None)?;
        let packets = stats.iter().map(|it| match it {
            Stats::InboundRtp(it) => it.packets_received,
            _ => 0,
        });
        let packets: u64 = packets.sum();
        if packets > self.packets {
            self.packets = packets;
            self.silences[2].broken();
        }
        Ok(())
    }
}

fn tell(line: Value) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the orders end then, too.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
