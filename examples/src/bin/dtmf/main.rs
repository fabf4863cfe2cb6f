//! The W3C's "DTMF Example": keys of a telephone between a browser and Rust, in all five variants.
//!
//! ```text
//! cargo run --release -p examples --bin dtmf                                       then open the page it names
//! cargo run --release -p examples --bin dtmf -- --connect http://127.0.0.1:8085    Rust at both ends
//! cargo run --release -p examples --bin dtmf -- --self-test                        two peers in one process
//! ```
//!
//! `variants.rs` is the sample itself, line by line. A browser plays the keys that it hears and tells
//! nobody of them; this side tells of them in the terminal, and the page what it has heard.

#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod call;
mod keypad;
mod self_test;
mod variants;

use std::{net::IpAddr, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use examples::{
    page::{self, Page},
    signaling::SignalingChannel,
};
use peerconnection::{Configuration, HostAddresses};

use crate::{
    call::{Call, until_playable},
    variants::Variant,
};

const PAGE: Page = Page {
    html: include_str!("page.html"),
    script: include_str!("page.js"),
    program: "dtmf",
};

/// Keys of a telephone between a browser and this program.
#[derive(Parser)]
struct Flags {
    /// Where to serve the page and its signaling, on 127.0.0.1; 0 takes a free port.
    #[arg(long, default_value_t = 8085)]
    port: u16,
    /// Call a program that runs already, such as http://127.0.0.1:8085, and play all variants to it.
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "self_test"])]
    connect: Option<String>,
    /// Play all variants between two peers in this process, and check what is heard.
    #[arg(long)]
    self_test: bool,
    /// Use this local address alone (may be repeated); otherwise every interface and loopback.
    #[arg(long, value_name = "IP")]
    address: Vec<IpAddr>,
}

impl Flags {
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
    let outcome = if flags.self_test {
        self_test::run(flags.configuration()).await
    } else {
        talk(&flags).await
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dtmf: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn talk(flags: &Flags) -> Result<()> {
    if let Some(url) = &flags.connect {
        let signaling = SignalingChannel::connect(url).await?;
        println!("Signaling with {url} is up; calling.");
        return play_to(Call::new(flags.configuration(), signaling)?).await;
    }
    let (address, mut arrivals) = page::serve(PAGE, flags.port).await?;
    println!("Open http://{address} in a browser and press keys; Ctrl-C ends.");
    while let Some(signaling) = arrivals.recv().await {
        println!("Somebody is here.");
        let call = Call::new(flags.configuration(), signaling)?;
        tokio::select! {
            ended = listen(call) => ended?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
        println!("The other side has left.");
    }
    Ok(())
}

/// Tells of the keys that the other side presses.
async fn listen(mut call: Call) -> Result<()> {
    let mut heard = call.keypad.heard();
    let telling = tokio::spawn(async move {
        while let Ok(key) = heard.recv().await {
            println!("  heard {}", self_test::in_words(&[key]));
        }
    });
    let outcome = call.run().await;
    telling.abort();
    call.pc.close();
    outcome
}

/// Plays all variants, and ends.
async fn play_to(mut call: Call) -> Result<()> {
    let (sender, keypad) = (call.start()?, call.keypad.clone());
    let playing = async {
        until_playable(&sender).await?;
        let dtmf = sender.dtmf().context("a sender of sound has dtmf")?;
        for variant in Variant::ALL {
            println!(
                "  {}: {}",
                variant.name(),
                self_test::in_words(&variant.keys())
            );
            variant.play(&dtmf, &keypad).await?;
        }
        Ok(())
    };
    let outcome = tokio::select! {
        ended = call.run() => ended,
        played = playing => played,
    };
    call.pc.close();
    outcome
}
