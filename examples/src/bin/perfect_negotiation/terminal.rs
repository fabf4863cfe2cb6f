//! The Rust side's page: a table that is drawn in place, and what has happened below it.

use std::{
    collections::VecDeque,
    io::{self, BufRead, IsTerminal, Write},
    thread,
};

use tokio::sync::mpsc;

/// Lines read ahead; the reader waits when nobody takes them.
const READ_AHEAD: usize = 16;
/// What has happened, below the table.
const LOG_LINES: usize = 6;

/// The lines of stdin until its end, which is not the end of the program: without a terminal there
/// may be none at all.
#[allow(clippy::disallowed_methods)]
pub(crate) fn read_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(READ_AHEAD);
    // A thread of its own, since a read of stdin cannot be given up when the program ends.
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// What the terminal shows. Without one, what happens is written line by line.
pub(crate) struct Screen {
    is_terminal: bool,
    log: VecDeque<String>,
    drawn: String,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: io::stdout().is_terminal(),
            log: VecDeque::new(),
            drawn: String::new(),
        }
    }

    /// What to do first.
    pub(crate) fn headline(text: &str) {
        put(&format!("➜ {text}\n"));
    }

    /// What happens beside the negotiation.
    pub(crate) fn note(text: &str) {
        put(&format!("  {text}\n"));
    }

    /// A new table, below all that stands there.
    pub(crate) fn begin(&mut self) {
        self.drawn.clear();
        self.log.clear();
    }

    /// What we have done.
    pub(crate) fn log(&mut self, text: &str) {
        self.add("", &format!("· {text}"));
    }

    /// Two offers have met.
    pub(crate) fn glare(&mut self, text: &str) {
        self.add("\x1b[33m", &format!("⚡ {text}"));
    }

    /// What went wrong.
    pub(crate) fn error(&mut self, text: &str) {
        // The other side may have chosen the words.
        let text = text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}");
        self.add("\x1b[31m", &format!("! {text}"));
    }

    fn add(&mut self, color: &str, text: &str) {
        if !self.is_terminal {
            return put(&format!("{text}\n"));
        }
        self.log.push_back(format!("  {color}{text}\x1b[0m"));
        if self.log.len() > LOG_LINES {
            self.log.pop_front();
        }
    }

    /// Draws the table where the last one stood.
    pub(crate) fn draw(&mut self, table: &str) {
        if !self.is_terminal {
            return;
        }
        let mut text = format!("{table}\n");
        for line in &self.log {
            text += line;
            text.push('\n');
        }
        if text != self.drawn {
            let up = self.drawn.lines().count();
            let back = if up > 0 {
                format!("\x1b[{up}A\x1b[J")
            } else {
                String::new()
            };
            put(&format!("{back}{text}"));
            self.drawn = text;
        }
    }
}

fn put(text: &str) {
    let mut stdout = io::stdout().lock();
    // A closed pipe is no reason to end.
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}
