//! The W3C "Advanced Peer-to-peer Example with Warm-up": everything but the media is up before anybody
//! wants to be heard, so that sound and picture begin at once.
//!
//! ```text
//! cargo run --release -p examples --bin warm_up                                       then open the page it names
//! cargo run --release -p examples --bin warm_up -- --connect http://127.0.0.1:8083    Rust at both ends
//! cargo run --release -p examples --bin warm_up -- --self-test                        two peers in one process
//! ```
//!
//! `call.rs` is the sample itself, line by line. Instead of a camera and a microphone this side has a
//! tone and a moving picture; what it receives is measured and told.

#![allow(clippy::print_stdout, reason = "a program talks to its user")]
#![allow(clippy::disallowed_methods, reason = "and may wait")]

mod call;
mod self_test;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use examples::{page::Page, program, signaling::SignalingChannel};

use crate::call::Call;

const PAGE: Page = Page {
    html: include_str!("page.html"),
    script: include_str!("page.js"),
    program: "warm_up",
};

/// A call that is set up before it begins, between a browser and this program.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    common: program::PageFlags<8083>,
}

#[tokio::main]
async fn main() -> ExitCode {
    program::run("warm_up", talk).await
}

async fn talk(flags: Flags) -> Result<()> {
    if flags.common.self_test {
        return self_test::run(flags.common.configuration()?).await;
    }
    if let Some(url) = &flags.common.connect {
        let signaling = SignalingChannel::connect(url).await?;
        println!("Signaling with {url} is up; warming up, and starting in three seconds.");
        let mut call = Call::new(flags.common.configuration()?, signaling);
        call.warmup(false)?;
        let starter = call.starter();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            starter.start();
        });
        return call.run_with_meter().await;
    }
    program::meet(PAGE, &flags.common, ", and start", async |signaling| {
        let mut call = Call::new(flags.common.configuration()?, signaling);
        call.run_with_meter().await
    })
    .await
}
