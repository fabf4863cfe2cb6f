//! The W3C "Peer-to-peer Data Example": a browser chats with a Rust program.
//!
//! ```text
//! cargo run --release -p examples --bin chat                                   then open the page it names
//! cargo run --release -p examples --bin chat -- --connect http://127.0.0.1:8080    Rust at both ends
//! cargo run --release -p examples --bin chat -- --self-test                    two peers in one process
//! ```
//!
//! `chat.rs` is the sample itself, line by line; the rest is what a page and a terminal need.

#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod chat;
mod plan;
mod room;
mod self_test;
mod summary;
mod terminal;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use examples::{
    page::{self, Page},
    program,
    signaling::SignalingChannel,
};

use crate::{room::Room, terminal::Screen};

const PAGE: Page = Page {
    html: include_str!("page.html"),
    script: include_str!("page.js"),
    program: "chat",
};

/// Chat between a browser and Rust, or between two Rust programs, over a WebRTC data channel.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    common: program::PageFlags<8080>,
    /// With --self-test: how many messages go each way.
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "self_test")]
    messages: usize,
    /// With --self-test: give up after this time.
    #[arg(long, value_name = "S", default_value_t = 120, requires = "self_test")]
    seconds: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    examples::log_to_stderr();
    let flags = Flags::parse();
    if flags.common.self_test {
        let configuration = match flags.common.configuration() {
            Ok(configuration) => configuration,
            Err(error) => return program::end("chat", Err(error)),
        };
        let patience = Duration::from_secs(flags.seconds);
        return self_test::run(configuration, flags.messages, patience).await;
    }
    program::end("chat", chat(&flags).await)
}

async fn chat(flags: &Flags) -> anyhow::Result<()> {
    let screen = Screen::new();
    let lines = terminal::read_lines();
    let room = match &flags.common.connect {
        Some(url) => {
            let signaling = SignalingChannel::connect(url).await?;
            screen.note(&format!("Signaling with {url} is up."));
            screen.note("Type a line to start the chat, or wait until the other side does.");
            Room::with(signaling, flags.common.configuration()?, screen)
        }
        None => {
            let (address, arrivals) = page::serve(PAGE, &flags.common).await?;
            screen.headline(&format!("Open http://{address} in a browser"));
            screen.note("or be the other side in a second terminal:");
            screen.note(&format!(
                "  cargo run --release -p examples --bin chat -- --connect http://{address}"
            ));
            screen.note("Then press Start there or type a line here. /help tells the rest.");
            Room::open(arrivals, flags.common.configuration()?, screen)
        }
    };
    room.run(lines).await;
    Ok(())
}
