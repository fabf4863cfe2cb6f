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

use std::{net::IpAddr, process::ExitCode, time::Duration};

use clap::Parser;
use examples::{
    page::{self, Page},
    signaling::SignalingChannel,
};
use peerconnection::{Configuration, HostAddresses};

use crate::{room::Room, terminal::Screen};

const PAGE: Page = Page {
    html: include_str!("page.html"),
    script: include_str!("page.js"),
    program: "chat",
};

/// Chat between a browser and Rust, or between two Rust programs, over a WebRTC data channel.
#[derive(Parser)]
struct Flags {
    /// Where to serve the page and its signaling, on 127.0.0.1; 0 takes a free port.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Be the other side of a chat that runs already, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "self_test"])]
    connect: Option<String>,
    /// Connect two peers in this process, exchange messages with checksums, and tell how it went.
    #[arg(long)]
    self_test: bool,
    /// With --self-test: how many messages go each way.
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "self_test")]
    messages: usize,
    /// With --self-test: give up after this time.
    #[arg(long, value_name = "S", default_value_t = 120, requires = "self_test")]
    seconds: u64,
    /// Use this local address alone (may be repeated); otherwise every interface and loopback.
    #[arg(long, value_name = "IP")]
    address: Vec<IpAddr>,
}

impl Flags {
    /// Loopback is among the addresses so that two programs of a machine without a network meet.
    fn configuration(&self) -> Configuration {
        let host_addresses = match self.address.as_slice() {
            [] => HostAddresses::InterfacesAndLoopback,
            addresses => HostAddresses::Only(addresses.to_vec()),
        };
        Configuration {
            host_addresses,
            ..Default::default()
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    examples::log_to_stderr();
    let flags = Flags::parse();
    if flags.self_test {
        let patience = Duration::from_secs(flags.seconds);
        return self_test::run(flags.configuration(), flags.messages, patience).await;
    }
    match chat(&flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn chat(flags: &Flags) -> anyhow::Result<()> {
    let screen = Screen::new();
    let lines = terminal::read_lines();
    let room = match &flags.connect {
        Some(url) => {
            let signaling = SignalingChannel::connect(url).await?;
            screen.note(&format!("Signaling with {url} is up."));
            screen.note("Type a line to start the chat, or wait until the other side does.");
            Room::with(signaling, flags.configuration(), screen)
        }
        None => {
            let (address, arrivals) = page::serve(PAGE, flags.port).await?;
            screen.headline(&format!("Open http://{address} in a browser"));
            screen.note("or be the other side in a second terminal:");
            screen.note(&format!(
                "  cargo run --release -p examples --bin chat -- --connect http://{address}"
            ));
            screen.note("Then press Start there or type a line here. /help tells the rest.");
            Room::open(arrivals, flags.configuration(), screen)
        }
    };
    room.run(lines).await;
    Ok(())
}
