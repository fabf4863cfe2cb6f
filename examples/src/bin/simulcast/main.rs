//! The W3C's "Simulcast Example": a client that sends three layers, and the server that it talks to.
//!
//! ```text
//! cargo run --release -p examples --bin simulcast                                              then open the page it names
//! cargo run --release -p examples --bin simulcast -- --connect http://127.0.0.1:8086           sends from Rust to that server
//! cargo run --release -p examples --bin simulcast -- --connect http://127.0.0.1:8086 --view    looks at what it sends on
//! cargo run --release -p examples --bin simulcast -- --self-test                               all three in one process
//! ```
//!
//! `client.rs` is the sample itself, line by line. The server (`server.rs`, `view.rs`) is a small
//! forwarding unit: whoever offers layers is its source, whoever offers to receive is a viewer and gets
//! the layer it has chosen, as one stream that no switch interrupts. Nothing is decoded in between.

#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod client;
mod control;
mod self_test;
mod server;
mod view;
mod viewer;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use examples::{
    page::{self, Page},
    program,
    signaling::SignalingChannel,
};

use crate::{client::Client, server::Room, viewer::Viewer};

const PAGE: Page = Page {
    html: include_str!("page.html"),
    script: include_str!("page.js"),
    program: "simulcast",
};

/// A server that sends the layer you choose to any number of viewers, and clients of it.
#[derive(Parser)]
struct Flags {
    /// Look at what the other program sends on, and send nothing.
    #[arg(long, requires = "connect")]
    view: bool,
    #[command(flatten)]
    common: program::PageFlags<8086>,
}

#[tokio::main]
async fn main() -> ExitCode {
    program::run("simulcast", course).await
}

async fn course(flags: Flags) -> Result<()> {
    match &flags.common.connect {
        _ if flags.common.self_test => self_test::run(flags.common.configuration()?).await,
        Some(url) => join(&flags, url).await,
        None => serve(&flags).await,
    }
}

async fn join(flags: &Flags, url: &str) -> Result<()> {
    let signaling = SignalingChannel::connect(url).await?;
    let configuration = flags.common.configuration()?;
    if flags.view {
        println!("Signaling with {url} is up; looking.");
        return Viewer::new(configuration, signaling)?
            .run_with_meter()
            .await;
    }
    println!("Signaling with {url} is up; sending three layers.");
    let mut client = Client::new(configuration, signaling)?;
    client.start()?;
    client.run_with_meter().await
}

async fn serve(flags: &Flags) -> Result<()> {
    let (address, mut arrivals) = page::serve(PAGE, &flags.common).await?;
    println!("Open http://{address} in a browser, as often as you like; Ctrl-C ends.");
    let room = Room::default();
    loop {
        let signaling = tokio::select! {
            arrived = arrivals.recv() => match arrived {
                Some(signaling) => signaling,
                None => return Ok(()),
            },
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        let (room, configuration) = (room.clone(), flags.common.configuration()?);
        tokio::spawn(async move {
            if let Err(error) = room.attend(configuration, signaling).await {
                println!("  somebody has left: {error:#}");
            }
        });
    }
}
