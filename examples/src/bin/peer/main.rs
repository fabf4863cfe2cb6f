//! A peer for scripts and for tests against other implementations: one process is one connection.
//!
//! ```text
//! peer --serve-signal 9000 --name a --remote b --offer --data chat --count 40 --close connection
//! peer --signal http://127.0.0.1:9000 --name b --remote a --answer --echo
//!
//! peer --serve-signal 9000 --name a --remote b --offer --audio --video --codec VP9 --close connection
//! peer --signal http://127.0.0.1:9000 --name b --remote a --answer --echo --record it.ogg --record it.ivf
//! ```
//!
//! Signaling is the HTTP mailbox of `examples::mailbox`. Every event is a line on stdout, with
//! `--json` a JSON object; the last line is `end`. The exit code is 0 when all went as asked, 1 when
//! something was wrong, 2 for wrong flags, 3 when no connection came about, 4 when time ran out.

#![allow(clippy::disallowed_methods, reason = "a program may wait")]

mod channel;
mod channels;
mod flags;
mod lines;
mod media;
mod negotiation;
mod script;
mod traffic;
mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::{flags::Flags, lines::Lines, script::Script};

#[tokio::main]
async fn main() -> ExitCode {
    examples::log_to_stderr();
    let flags = Flags::parse();
    let lines = Lines::new(flags.json);
    Script::new(flags, lines).run().await.exit_code()
}
