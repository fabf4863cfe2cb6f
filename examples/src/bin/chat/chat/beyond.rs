//! What the sample leaves out: both sides starting at once, starting again, waiting lines, and
//! saying what happens.

use std::time::Duration;

use examples::signaling::SignalingMessage;
use peerconnection::{
    DataChannel, Message, PeerConnection, SdpType,
    state::{DataChannelState, PeerConnectionState, SignalingState},
};
use tokio::time::timeout;

use super::Chat;

/// How many bytes may wait in the channel before lines are left in the terminal.
const HIGH_WATER: usize = 1 << 20;
/// When lines are taken from the terminal again.
const LOW_WATER: usize = 1 << 16;
/// How many lines may wait until the channel opens.
const MAX_WAITING: usize = 100;
/// How long the other side's last datagrams may take.
const FAREWELL: Duration = Duration::from_millis(500);

impl Chat {
    /// `start(true)`, unless there is a chat already.
    pub(crate) fn start_here(&mut self) {
        if self.pc.is_some() {
            return self.screen.note("The chat has been started already.");
        }
        self.screen.note("Starting the chat.");
        if let Err(error) = self.start(true) {
            self.screen.error(&error.to_string());
            self.let_go();
        }
    }

    /// Sends a line, or keeps it until the channel is open; starts the chat when nobody has.
    pub(crate) fn say(&mut self, line: String) {
        match &self.channel {
            Some(channel) if channel.ready_state() == DataChannelState::Open => {
                match channel.send_text(&line) {
                    Ok(()) => self.screen.said(&line),
                    Err(error) => self.screen.error(&error.to_string()),
                }
            }
            _ => {
                self.waiting.push_back(line);
                if self.pc.is_none() {
                    self.start_here();
                }
            }
        }
    }

    /// Whether [`say`](Self::say) has room for more.
    pub(crate) fn takes_lines(&self) -> bool {
        let buffered = self
            .channel
            .as_ref()
            .map_or(0, DataChannel::buffered_amount);
        buffered <= HIGH_WATER && self.waiting.len() < MAX_WAITING
    }

    /// Ends the chat; the other side stays, and either may start again.
    pub(crate) fn hang_up(&mut self) {
        if self.pc.is_some() {
            self.screen.note("The chat is over.");
            self.let_go();
        }
    }

    /// Ends the chat and waits until the other side can know.
    pub(crate) async fn end(mut self) {
        if let Some(pc) = self.pc.take() {
            pc.close();
        }
        if let Some(mut events) = self.events.take() {
            let _ = timeout(FAREWELL, async { while events.next().await.is_some() {} }).await;
        }
    }

    /// Ends the chat since somebody else has come.
    pub(crate) fn replace(mut self) {
        self.let_go();
        self.signaling.replace();
    }

    /// What the sample leaves open: both start at once, and one side starts anew.
    pub(super) fn is_unwanted(&mut self, message: &SignalingMessage) -> bool {
        match (message, &self.pc) {
            (SignalingMessage::Desc(desc), Some(pc)) if desc.kind == SdpType::Offer => {
                let is_collision = pc.signaling_state() == SignalingState::HaveLocalOffer;
                self.ignores_theirs = is_collision && !self.gives_way;
                if !self.ignores_theirs {
                    // The sample never offers twice: this is the offer of a new connection.
                    self.let_go();
                }
                self.ignores_theirs
            }
            (SignalingMessage::Desc(_), Some(_)) => {
                self.ignores_theirs = false;
                false
            }
            (SignalingMessage::Desc(desc), None) => desc.kind != SdpType::Offer,
            (SignalingMessage::Candidate(_), Some(_)) => self.ignores_theirs,
            // Of a connection that is over.
            (SignalingMessage::Candidate(_), None) | (SignalingMessage::Start(_), _) => true,
        }
    }

    /// The connection is over, whoever ended it.
    pub(super) fn let_go(&mut self) {
        if let Some(pc) = self.pc.take() {
            pc.close();
        }
        self.channel = None;
        self.events = None;
    }

    pub(super) fn send_local_description(&self, pc: &PeerConnection) {
        if let Some(description) = pc.local_description() {
            self.signaling.send(SignalingMessage::Desc(description));
        }
    }

    pub(super) fn show_state(&mut self, pc: &PeerConnection, state: PeerConnectionState) {
        match state {
            PeerConnectionState::Connected => {
                let after = self.started.elapsed().as_millis();
                self.screen
                    .note(&format!("Connected after {after} ms{}.", path(pc)));
            }
            PeerConnectionState::Failed => {
                self.screen
                    .error("The connection failed. A line or /start begins a new one.");
                self.let_go();
            }
            state => self.screen.note(&format!("The connection is {state}.")),
        }
    }

    pub(super) fn enable_chat(&mut self) {
        let Some(channel) = &self.channel else { return };
        channel.set_buffered_amount_low_threshold(LOW_WATER);
        self.screen.note("The chat is open: type, and press Enter.");
        for line in std::mem::take(&mut self.waiting) {
            self.say(line);
        }
    }

    pub(super) fn show_chat_message(&self, message: &Message) {
        match message {
            Message::Text(text) => self.screen.heard(text),
            Message::Binary(bytes) => self.screen.heard(&format!("({} bytes)", bytes.len())),
        }
    }
}

/// The way to the other side, and how it is protected, as far as known.
fn path(pc: &PeerConnection) -> String {
    let info = pc.transport_info();
    let mut path = String::new();
    if let Some((local, remote)) = info.candidate_pair {
        path += &format!(", {local} to {remote}");
    }
    if let Some(cipher) = info.dtls_cipher {
        path += &format!(", {cipher}");
    }
    path
}
