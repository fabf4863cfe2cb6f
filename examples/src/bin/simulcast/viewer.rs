//! A viewer: it sees one layer, and says which.

use anyhow::Result;
use examples::{
    meter::{Meter, Reading},
    program,
    signaling::{Callback, SignalingChannel, SignalingMessage},
};
use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, Event, Events, MediaKind, Message,
    PeerConnection, TransceiverInit, rtp::TransceiverDirection,
};
use tokio::sync::watch;

use crate::control::{LABEL, News, Wish};

/// One who looks.
pub(crate) struct Viewer {
    signaling: SignalingChannel,
    pub(crate) pc: PeerConnection,
    events: Events,
    channel: DataChannel,
    news: watch::Sender<News>,
    meter: Meter,
}

/// Chooses a viewer's layer.
#[derive(Clone)]
pub(crate) struct Chooser {
    channel: DataChannel,
}

impl Chooser {
    pub(crate) async fn select(&self, rid: &str) -> Result<()> {
        self.channel.ready().await?;
        let wish = serde_json::to_string(&Wish::Select(rid.to_owned()))?;
        Ok(self.channel.send_text(&wish)?)
    }
}

impl Viewer {
    /// Wants one picture and the sound.
    pub(crate) fn new(configuration: Configuration, signaling: SignalingChannel) -> Result<Self> {
        let (pc, events) = PeerConnection::new(configuration)?;
        for kind in [MediaKind::Video, MediaKind::Audio] {
            let init = TransceiverInit {
                direction: TransceiverDirection::RecvOnly,
                ..Default::default()
            };
            pc.add_transceiver(kind, init)?;
        }
        let channel = pc.create_data_channel(LABEL, Default::default())?;
        Ok(Self {
            signaling,
            pc,
            events,
            channel,
            news: watch::Sender::default(),
            meter: Meter::default(),
        })
    }

    /// What is heard and seen, as it changes.
    pub(crate) fn readings(&self) -> watch::Receiver<Reading> {
        self.meter.readings()
    }

    /// What the server tells, as it changes.
    pub(crate) fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    pub(crate) fn chooser(&self) -> Chooser {
        Chooser {
            channel: self.channel.clone(),
        }
    }

    /// Looks until the server has left or the connection has failed.
    pub(crate) async fn run(&mut self) -> Result<()> {
        loop {
            tokio::select! {
                biased;
                callback = self.signaling.recv_or(&mut self.events) => match callback {
                    Some(Callback::Event(event)) => self.on_event(event).await?,
                    Some(Callback::Message(message)) => self.on_message(message).await?,
                    None => return Ok(()),
                },
                event = self.channel.next() => self.hear(event).await,
            }
        }
    }

    async fn on_event(&mut self, event: Event) -> Result<()> {
        match event {
            Event::NegotiationNeeded => {
                self.pc.set_local_description(None).await?;
                if let Some(offer) = self.pc.local_description() {
                    self.signaling.send(SignalingMessage::Desc(offer));
                }
            }
            Event::IceCandidate(candidate) => {
                self.signaling.send(SignalingMessage::Candidate(candidate));
            }
            Event::Track(event) => self.meter.watch(&event.track),
            _ => {}
        }
        Ok(())
    }

    async fn on_message(&mut self, message: SignalingMessage) -> Result<()> {
        match message {
            SignalingMessage::Desc(answer) => self.pc.set_remote_description(answer).await?,
            SignalingMessage::Candidate(candidate) => self.pc.add_ice_candidate(candidate).await?,
            SignalingMessage::Start(_) => {}
        }
        Ok(())
    }

    async fn hear(&self, event: Option<DataChannelEvent>) {
        match event {
            Some(DataChannelEvent::Message(Message::Text(text))) => {
                if let Ok(news) = serde_json::from_str(&text) {
                    self.news.send_replace(news);
                }
            }
            Some(_) => {}
            // Nothing more will come of it.
            None => std::future::pending().await,
        }
    }

    /// The same, with a line about what is seen each second.
    pub(crate) async fn run_with_meter(&mut self) -> Result<()> {
        let (readings, news, pc) = (self.readings(), self.news(), self.pc.clone());
        let mut before = 0;
        let tell = || {
            let (line, bytes) = readings.borrow().line(&pc, before);
            before = bytes;
            let layer = news.borrow().forwarded.clone();
            println!("  {}: {line}", layer.as_deref().unwrap_or("-"));
        };
        let outcome = program::telling(self.run(), tell).await;
        self.pc.close();
        outcome
    }
}
