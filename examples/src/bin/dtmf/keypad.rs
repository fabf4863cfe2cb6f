//! The keypad of this side, and what it tells the other's page.

use peerconnection::{DataChannel, state::DataChannelState};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// How many tones may pass before a variant that plays takes the first of them: more than any has.
const TONES: usize = 64;

/// What goes through the data channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Word {
    /// This key of the sender's keypad is lit; an empty string: none.
    Light(String),
    /// The sender has heard this key, for so many milliseconds.
    Heard { tone: String, ms: u64 },
    /// The receiver is to play this variant.
    Play(String),
    /// The receiver is to press these keys.
    Press(String),
}

/// A key that the other side has pressed, and for how many milliseconds.
pub(crate) type Key = (char, u64);

/// What lights, and is told of, while keys are pressed.
#[derive(Debug, Clone)]
pub(crate) struct Keypad {
    channel: DataChannel,
    tones: broadcast::Sender<Option<char>>,
    lights: broadcast::Sender<Option<char>>,
    heard: broadcast::Sender<Key>,
}

impl Keypad {
    pub(crate) fn new(channel: DataChannel) -> Self {
        let (tones, _) = broadcast::channel(TONES);
        let (lights, _) = broadcast::channel(TONES);
        let (heard, _) = broadcast::channel(TONES);
        Self {
            channel,
            tones,
            lights,
            heard,
        }
    }

    /// The tones of this side from now on: what `ontonechange` is called with.
    pub(crate) fn tones(&self) -> broadcast::Receiver<Option<char>> {
        self.tones.subscribe()
    }

    /// The keys that light from now on, and `None` as each goes off.
    pub(crate) fn lights(&self) -> broadcast::Receiver<Option<char>> {
        self.lights.subscribe()
    }

    /// What the other side presses from now on.
    pub(crate) fn heard(&self) -> broadcast::Receiver<Key> {
        self.heard.subscribe()
    }

    /// `tonechange`: who plays is told, and the other side's page lights the key.
    pub(crate) fn tone_change(&self, tone: Option<char>) {
        // Nobody need listen.
        let _ = self.tones.send(tone);
        self.show(tone);
    }

    /// `lightKey()`.
    pub(crate) fn light(&self, key: Option<char>) {
        let _ = self.lights.send(key);
        self.show(key);
    }

    fn show(&self, key: Option<char>) {
        let name = key.map_or(String::new(), String::from);
        self.say(&Word::Light(name));
    }

    /// The other side has pressed a key.
    pub(crate) fn hear(&self, (tone, ms): Key) {
        let _ = self.heard.send((tone, ms));
        let tone = tone.to_string();
        self.say(&Word::Heard { tone, ms });
    }

    /// What is said before anybody listens is not said.
    fn say(&self, word: &Word) {
        if self.channel.ready_state() != DataChannelState::Open {
            return;
        }
        let told = serde_json::to_string(word).map(|text| self.channel.send_text(&text));
        tracing::debug!(?word, ?told, "said");
    }

    /// What the other side says.
    pub(crate) async fn word(&self) -> Option<Word> {
        use peerconnection::{DataChannelEvent, Message};
        loop {
            let event = self.channel.next().await?;
            if let DataChannelEvent::Message(Message::Text(text)) = event
                && let Ok(word) = serde_json::from_str(&text)
            {
                return Some(word);
            }
        }
    }
}
