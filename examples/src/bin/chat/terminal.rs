//! The Rust side's page: lines from stdin, lines to stdout.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    thread,
};

use tokio::sync::mpsc;

/// Bytes of a message that are shown.
const MAX_SHOWN: usize = 2000;
/// Lines read ahead; the reader waits when nobody takes them.
const READ_AHEAD: usize = 16;

/// The lines of stdin until its end. The end of the lines is not the end of the program: without a
/// terminal there may be none at all.
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

/// What the terminal shows.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    has_colors: bool,
}

impl Screen {
    /// Colors only where somebody sees them.
    pub(crate) fn new() -> Self {
        let has_colors = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { has_colors }
    }

    /// What to do first.
    pub(crate) fn headline(self, text: &str) {
        self.print("1", &format!("➜ {text}"));
    }

    /// What happens beside the messages.
    pub(crate) fn note(self, text: &str) {
        self.print("2", &format!("  {text}"));
    }

    /// What went wrong.
    pub(crate) fn error(self, text: &str) {
        self.print("31", &format!("! {text}"));
    }

    /// A message of the other side.
    pub(crate) fn heard(self, text: &str) {
        self.print("36", &format!("< {}", printable(text)));
    }

    /// A message of ours, once it is on its way.
    pub(crate) fn said(self, text: &str) {
        self.print("32", &format!("> {}", printable(text)));
    }

    fn print(self, color: &str, text: &str) {
        let mut stdout = io::stdout().lock();
        // A closed pipe is no reason to end a chat.
        let _ = if self.has_colors {
            writeln!(stdout, "\x1b[{color}m{text}\x1b[0m")
        } else {
            writeln!(stdout, "{text}")
        };
    }
}

/// The other side must not write to our terminal what the terminal would obey, nor fill it.
fn printable(text: &str) -> String {
    let shown = text
        .get(..text.floor_char_boundary(MAX_SHOWN))
        .unwrap_or(text);
    let is_obeyed = |c: char| c.is_control() && c != '\n';
    let printable = shown.replace(is_obeyed, "\u{fffd}");
    match text.len() - shown.len() {
        0 => printable,
        more => format!("{printable} … and {more} bytes more"),
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\nc"), "a\u{fffd}[2Jb\nc");
    }

    #[test]
    fn a_long_message_is_shown_in_part() {
        let text = printable(&"é".repeat(2000));
        assert!(text.ends_with("é … and 2000 bytes more"), "{text}");
    }
}
