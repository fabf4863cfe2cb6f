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

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use examples::{page::Page, program, signaling::SignalingChannel};

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
    #[command(flatten)]
    common: program::PageFlags<8085>,
}

#[tokio::main]
async fn main() -> ExitCode {
    program::run("dtmf", talk).await
}

async fn talk(flags: Flags) -> Result<()> {
    if flags.common.self_test {
        return self_test::run(flags.common.configuration()?).await;
    }
    if let Some(url) = &flags.common.connect {
        let signaling = SignalingChannel::connect(url).await?;
        println!("Signaling with {url} is up; calling.");
        return play_to(Call::new(flags.common.configuration()?, signaling)?).await;
    }
    program::meet(PAGE, &flags.common, " and press keys", async |signaling| {
        listen(Call::new(flags.common.configuration()?, signaling)?).await
    })
    .await
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
