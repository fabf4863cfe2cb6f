//! The sample itself: [WebRTC §10.5], with its lines in their order.
//!
//! JavaScript hands callbacks to objects; here the same callbacks are the arms of `match`, and
//! [`Chat::next`] is the event loop. What the sample leaves out, and a program that is meant to be
//! used cannot, is in `beyond.rs`.
//!
//! [WebRTC §10.5]: https://www.w3.org/TR/webrtc/#peer-to-peer-data-example

mod beyond;

use std::{collections::VecDeque, future::pending};

use anyhow::Result;
use examples::{
    servers::tell_errors,
    signaling::{SignalingChannel, SignalingMessage},
};
use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, DataChannelInit, Event, Events, PeerConnection,
    RtcErrorDetail, SdpType,
};
use tokio::time::Instant;

use crate::terminal::Screen;

/// A chat with whoever is at the other end of a signaling channel.
pub(crate) struct Chat {
    // const signaling = new SignalingChannel(); // handles JSON.stringify/parse
    signaling: SignalingChannel,
    // const configuration = {…};
    configuration: Configuration,
    // let pc;
    pc: Option<PeerConnection>,
    events: Option<Events>,
    // let channel;
    channel: Option<DataChannel>,

    /// When both start at once: whether our own offer is taken back.
    gives_way: bool,
    /// Their offer lost against ours, and so did its candidates.
    ignores_theirs: bool,
    /// Typed before the channel was open.
    waiting: VecDeque<String>,
    started: Instant,
    screen: Screen,
}

/// What calls one of the sample's callbacks.
pub(crate) enum Happening {
    Signaling(SignalingMessage),
    Connection(Event),
    Channel(DataChannelEvent),
    /// The signaling channel has ended, and the other side with it.
    Left,
}

impl Chat {
    /// Nothing is started yet.
    pub(crate) fn new(
        signaling: SignalingChannel,
        configuration: Configuration,
        gives_way: bool,
        screen: Screen,
    ) -> Self {
        Self {
            signaling,
            configuration,
            pc: None,
            events: None,
            channel: None,
            gives_way,
            ignores_theirs: false,
            waiting: VecDeque::new(),
            started: Instant::now(),
            screen,
        }
    }

    // // call start(true) to initiate
    // function start(isInitiator) {
    fn start(&mut self, is_initiator: bool) -> Result<()> {
        self.started = Instant::now();
        // pc = new RTCPeerConnection(configuration);
        let (pc, events) = PeerConnection::new(self.configuration.clone())?;

        // pc.onicecandidate = …; pc.onnegotiationneeded = …; pc.ondatachannel = …;
        // see on_connection_event
        self.events = Some(events);

        // if (isInitiator) {
        if is_initiator {
            // create data channel and setup chat
            self.channel = Some(pc.create_data_channel("chat", DataChannelInit::default())?);
            // setupChat(); see on_channel_event
        }
        self.pc = Some(pc);
        Ok(())
    }

    async fn on_connection_event(&mut self, event: Event) -> Result<()> {
        let Some(pc) = self.pc.clone() else {
            return Ok(());
        };
        match event {
            // send any ice candidates to the other peer
            // pc.onicecandidate = ({candidate}) => {
            Event::IceCandidate(candidate) => {
                self.signaling.send(SignalingMessage::Candidate(candidate));
            }

            // let the "negotiationneeded" event trigger offer generation
            // pc.onnegotiationneeded = async () => {
            Event::NegotiationNeeded => {
                pc.set_local_description(pc.create_offer(None).await?)
                    .await?;
                // send the offer to the other peer
                self.send_local_description(&pc);
            }

            // setup chat on incoming data channel
            // pc.ondatachannel = (event) => {
            Event::DataChannel(channel) => {
                self.channel = Some(channel);
                // setupChat(); see on_channel_event
            }

            // Not in the sample: what a user wants to see.
            Event::ConnectionStateChange(state) => self.show_state(&pc, state),
            Event::DtlsTransportError(_, error) => self.screen.error(&error.to_string()),
            _ => {}
        }
        Ok(())
    }

    // signaling.onmessage = async ({desc, candidate}) => {
    async fn on_message(&mut self, message: SignalingMessage) -> Result<()> {
        if self.is_unwanted(&message) {
            return Ok(());
        }
        // if (!pc) start(false);
        let pc = match &self.pc {
            Some(pc) => pc.clone(),
            None => {
                self.screen.note("The other side has started.");
                self.start(false)?;
                let Some(pc) = self.pc.clone() else {
                    return Ok(());
                };
                pc
            }
        };

        match message {
            // if we get an offer, we need to reply with an answer
            SignalingMessage::Desc(desc) if desc.kind == SdpType::Offer => {
                pc.set_remote_description(desc).await?;
                pc.set_local_description(pc.create_answer().await?).await?;
                self.send_local_description(&pc);
            }
            SignalingMessage::Desc(desc) => {
                pc.set_remote_description(desc).await?;
            }
            SignalingMessage::Candidate(candidate) => {
                pc.add_ice_candidate(candidate).await?;
            }
            // Of the warm-up alone.
            SignalingMessage::Start(_) => {}
        }
        Ok(())
    }

    // function setupChat() {
    fn on_channel_event(&mut self, event: DataChannelEvent) {
        match event {
            // e.g. enable send button
            // channel.onopen = () => enableChat(channel);
            DataChannelEvent::Open => self.enable_chat(),
            // channel.onmessage = (event) => showChatMessage(event.data);
            DataChannelEvent::Message(message) => self.show_chat_message(&message),

            // Not in the sample.
            // A browser that closes its connection aborts the association: that is no failure.
            DataChannelEvent::Error(error) if error.detail != RtcErrorDetail::SctpFailure => {
                self.screen.error(&error.to_string());
            }
            DataChannelEvent::Close => {
                self.screen
                    .note("The chat is over. A line or /start begins a new one.");
                self.let_go();
            }
            _ => {}
        }
    }

    /// The next call of a callback. Cancel safe.
    pub(crate) async fn next(&mut self) -> Happening {
        let Self {
            signaling,
            events,
            channel,
            ..
        } = self;
        let event = async {
            match events {
                Some(events) => events.next().await.inspect(tell_errors),
                None => pending().await,
            }
        };
        let channel_event = async {
            match channel {
                Some(channel) => channel.next().await,
                None => pending().await,
            }
        };
        tokio::select! {
            // What happens to the connection is told before what happens in it.
            biased;
            message = signaling.recv() => message.map_or(Happening::Left, Happening::Signaling),
            Some(event) = event => Happening::Connection(event),
            Some(event) = channel_event => Happening::Channel(event),
        }
    }

    /// Calls the callback.
    pub(crate) async fn handle(&mut self, happening: Happening) {
        // try { … } catch (err) { console.error(err); }
        let outcome = match happening {
            Happening::Signaling(message) => self.on_message(message).await,
            Happening::Connection(event) => self.on_connection_event(event).await,
            Happening::Channel(event) => {
                self.on_channel_event(event);
                Ok(())
            }
            Happening::Left => Ok(()),
        };
        if let Err(error) = outcome {
            self.screen.error(&error.to_string());
        }
    }
}
