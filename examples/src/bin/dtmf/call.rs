//! One side of a call: it sends sound, presses keys, and hears those of the other side.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use examples::{
    devices::TONE,
    signaling::{Callback, SignalingChannel, SignalingMessage},
};
use peerconnection::{
    Configuration, DataChannelInit, Event, Events, MediaKind, MediaStream, PeerConnection,
    RtpSender, SdpType,
    devices::{AudioConstraints, MediaStreamConstraints, get_user_media},
    dtmf,
};
use tokio::time::{Instant, sleep_until};

use crate::{
    keypad::{Keypad, Word},
    variants::Variant,
};

/// How long a connection may take, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

pub(crate) struct Call {
    signaling: SignalingChannel,
    pub(crate) pc: PeerConnection,
    events: Events,
    pub(crate) keypad: Keypad,
    /// What makes the sound that tones take the place of, and who sends it.
    microphone: Option<(MediaStream, RtpSender)>,
}

impl Call {
    pub(crate) fn new(configuration: Configuration, signaling: SignalingChannel) -> Result<Self> {
        let (pc, events) = PeerConnection::new(configuration)?;
        let init = DataChannelInit {
            negotiated: true,
            id: Some(0),
            ..Default::default()
        };
        let keypad = Keypad::new(pc.create_data_channel("keypad", init)?);
        Ok(Self {
            signaling,
            pc,
            events,
            keypad,
            microphone: None,
        })
    }

    /// Sends sound, which sets negotiation off; the sender whose keys can be pressed.
    pub(crate) fn start(&mut self) -> Result<RtpSender> {
        if let Some((_, sender)) = &self.microphone {
            return Ok(sender.clone());
        }
        let stream = get_user_media(&MediaStreamConstraints {
            audio: Some(AudioConstraints {
                frequency: TONE.into(),
                ..Default::default()
            }),
            video: None,
            synthetic: true,
        })?;
        let tracks = stream.tracks();
        let track = tracks.first().context("no microphone")?;
        let sender = self.pc.add_track(track, &[&stream])?;
        self.prefer_one_clock(&sender)?;
        self.microphone = Some((stream, sender.clone()));
        Ok(sender)
    }

    /// Has both sides use codecs with one clock: of 48,000 Hz (Opus) where the other side has telephone
    /// events with it, else of 8,000 Hz (G.711).
    ///
    /// Browsers take telephone events of 8,000 Hz beside Opus if they can, and count their durations
    /// with the clock of Opus: 500 ms become 600 ms, and are told in 100 ms.
    fn prefer_one_clock(&self, sender: &RtpSender) -> Result<()> {
        let transceivers = self.pc.transceivers();
        let own = transceivers.iter().find(|it| it.sender() == *sender);
        let own = own.context("a sender is of a transceiver")?;
        let offer = self.pc.remote_description();
        let is_wide = offer.is_none_or(|it| it.sdp.contains("telephone-event/48000"));
        let clock_rate = if is_wide { 48_000 } else { 8000 };
        let mut codecs = RtpSender::capabilities(MediaKind::Audio).codecs;
        codecs.retain(|it| it.clock_rate == clock_rate);
        Ok(own.set_codec_preferences(codecs)?)
    }

    /// Calls the callbacks until the other side has left or the connection has failed.
    pub(crate) async fn run(&mut self) -> Result<()> {
        loop {
            tokio::select! {
                biased;
                callback = self.signaling.recv_or(&mut self.events) => match callback {
                    Some(Callback::Event(event)) => self.on_event(event).await?,
                    Some(Callback::Message(message)) => self.on_message(message).await?,
                    None => return Ok(()),
                },
                word = self.keypad.word() => match word {
                    Some(word) => self.on_word(word)?,
                    None => return Ok(()),
                },
            }
        }
    }

    async fn on_event(&mut self, event: Event) -> Result<()> {
        match event {
            Event::IceCandidate(candidate) => {
                self.signaling.send(SignalingMessage::Candidate(candidate));
            }
            // The data channel alone: the other side calls.
            Event::NegotiationNeeded if self.microphone.is_none() => {}
            Event::NegotiationNeeded => {
                self.pc.set_local_description(None).await?;
                self.send_description();
            }
            // sender.dtmf.ontonechange
            Event::ToneChange(event) => self.keypad.tone_change(event.tone),
            // What the other side presses: of no W3C API.
            Event::TelephoneEvent(_, dtmf::Event::End(ended)) => {
                if let Some(tone) = ended.code.tone() {
                    let ms = u64::try_from(ended.duration.as_millis())?;
                    self.keypad.hear((tone, ms));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn send_description(&self) {
        if let Some(description) = self.pc.local_description() {
            self.signaling.send(SignalingMessage::Desc(description));
        }
    }

    async fn on_message(&mut self, message: SignalingMessage) -> Result<()> {
        match message {
            SignalingMessage::Desc(description) => {
                let kind = description.kind;
                self.pc.set_remote_description(description).await?;
                if kind == SdpType::Offer {
                    self.start()?;
                    self.pc.set_local_description(None).await?;
                    self.send_description();
                }
            }
            SignalingMessage::Candidate(candidate) => {
                self.pc.add_ice_candidate(candidate).await?;
            }
            SignalingMessage::Start(_) => {}
        }
        Ok(())
    }

    /// The other side's page wants keys pressed here.
    fn on_word(&mut self, word: Word) -> Result<()> {
        let Some((_, sender)) = &self.microphone else {
            return Ok(());
        };
        let dtmf = sender.dtmf().context("a sender of sound has dtmf")?;
        match word {
            Word::Play(name) => {
                let keypad = self.keypad.clone();
                let variant: Variant = name.parse()?;
                tokio::spawn(async move {
                    if let Err(error) = variant.play(&dtmf, &keypad).await {
                        tracing::warn!(%error, "{name} was not played");
                    }
                });
            }
            Word::Press(tones) => {
                let tones = dtmf.tone_buffer() + &tones;
                if let Err(error) = dtmf.insert_dtmf(&tones, None, None) {
                    tracing::warn!(%error, "{tones:?} was not pressed");
                }
            }
            Word::Light(_) | Word::Heard { .. } => {}
        }
        Ok(())
    }
}

/// Ends when keys can be pressed: the state that says so has no event of its own.
pub(crate) async fn until_playable(sender: &RtpSender) -> Result<()> {
    let dtmf = sender.dtmf().context("a sender of sound has dtmf")?;
    let end = Instant::now() + PATIENCE;
    while !dtmf.can_insert_dtmf() {
        ensure!(
            Instant::now() < end,
            "no connection over which keys can be pressed"
        );
        sleep_until(Instant::now() + LOOK).await;
    }
    Ok(())
}
