//! Who is in the chat: takes those who come, one at a time, and the lines typed here.

use std::{collections::VecDeque, future::pending, mem};

use examples::{page::Arrivals, signaling::SignalingChannel};
use peerconnection::Configuration;
use tokio::sync::mpsc;

use crate::{
    chat::{Chat, Happening},
    terminal::Screen,
};

/// How many lines may wait until somebody comes and the channel opens.
const MAX_WAITING: usize = 100;

const HELP: &str = "A line is a message. /start starts the chat, /close ends it, /quit ends all.";

/// A place for a chat of two.
pub(crate) struct Room {
    configuration: Configuration,
    screen: Screen,
    /// None in a program that came to another one's room.
    arrivals: Option<Arrivals>,
    chat: Option<Chat>,
    /// Typed while nobody was here.
    waiting: VecDeque<String>,
}

enum Next {
    Arrived(SignalingChannel),
    Typed(String),
    Happened(Happening),
    Interrupted,
}

impl Room {
    /// A room where others come.
    pub(crate) fn open(arrivals: Arrivals, configuration: Configuration, screen: Screen) -> Self {
        let waiting = VecDeque::new();
        Self {
            configuration,
            screen,
            arrivals: Some(arrivals),
            chat: None,
            waiting,
        }
    }

    /// A room with one other side, and nobody else.
    pub(crate) fn with(
        signaling: SignalingChannel,
        configuration: Configuration,
        screen: Screen,
    ) -> Self {
        let chat = Chat::new(signaling, configuration.clone(), false, screen);
        let waiting = VecDeque::new();
        Self {
            configuration,
            screen,
            arrivals: None,
            chat: Some(chat),
            waiting,
        }
    }

    /// Until `/quit` or Ctrl-C, or until the only other side has left.
    pub(crate) async fn run(mut self, mut lines: mpsc::Receiver<String>) {
        loop {
            match self.next(&mut lines).await {
                Next::Arrived(signaling) => self.welcome(signaling),
                Next::Typed(line) => match line.trim() {
                    "/quit" => break,
                    "/help" => self.screen.note(HELP),
                    _ => self.obey(line),
                },
                Next::Happened(Happening::Left) => {
                    self.chat = None;
                    self.screen.note("The other side has left.");
                    if self.arrivals.is_none() {
                        return;
                    }
                }
                Next::Happened(happening) => {
                    if let Some(chat) = &mut self.chat {
                        chat.handle(happening).await;
                    }
                }
                Next::Interrupted => break,
            }
        }
        if let Some(chat) = self.chat {
            chat.end().await;
        }
    }

    async fn next(&mut self, lines: &mut mpsc::Receiver<String>) -> Next {
        let takes_lines = match &self.chat {
            Some(chat) => chat.takes_lines(),
            None => self.waiting.len() < MAX_WAITING,
        };
        let (arrivals, chat) = (&mut self.arrivals, &mut self.chat);
        let arrival = async {
            match arrivals {
                Some(arrivals) => arrivals.recv().await,
                None => pending().await,
            }
        };
        let happening = async {
            match chat {
                Some(chat) => chat.next().await,
                None => pending().await,
            }
        };
        tokio::select! {
            Some(signaling) = arrival => Next::Arrived(signaling),
            happening = happening => Next::Happened(happening),
            Some(line) = lines.recv(), if takes_lines => Next::Typed(line),
            _ = tokio::signal::ctrl_c() => Next::Interrupted,
        }
    }

    /// Whoever comes last is the other side: a page that was reloaded, or a second browser.
    fn welcome(&mut self, signaling: SignalingChannel) {
        if let Some(chat) = self.chat.take() {
            chat.replace();
            self.screen.note("Somebody else has come and takes over.");
        } else {
            self.screen.note("Somebody has come.");
        }
        let mut chat = Chat::new(signaling, self.configuration.clone(), true, self.screen);
        for line in mem::take(&mut self.waiting) {
            chat.say(line);
        }
        self.chat = Some(chat);
    }

    fn obey(&mut self, line: String) {
        match (&mut self.chat, line.trim()) {
            (_, "") => {}
            (Some(chat), "/start") => chat.start_here(),
            (Some(chat), "/close") => chat.hang_up(),
            (None, "/start" | "/close") => self.screen.note("Nobody is here yet."),
            (Some(chat), _) => chat.say(line),
            (None, _) => {
                self.screen
                    .note("Nobody is here yet: the line waits until somebody comes.");
                self.waiting.push_back(line);
            }
        }
    }
}
