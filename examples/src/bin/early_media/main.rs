//! The W3C "Peer-to-peer Example with Media before Signaling": whoever calls looks at what is to come before
//! the answer is there, for the answerer may be quicker than its answer.
//!
//! ```text
//! cargo run --release -p examples --bin early_media                                       then open the page it names
//! cargo run --release -p examples --bin early_media -- --connect http://127.0.0.1:8084    Rust at both ends
//! cargo run --release -p examples --bin early_media -- --self-test                        two peers in one process
//! ```
//!
//! `call.rs` is the sample itself, line by line. Instead of a camera and a microphone this side has a
//! tone and a moving picture; what it receives is measured and told.

#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod call;
mod self_test;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use examples::{page::Page, program, signaling::SignalingChannel};

use crate::call::Call;

const PAGE: Page = Page {
    html: include_str!("page.html"),
    script: include_str!("page.js"),
    program: "early_media",
};

/// A call whose media are looked at before its answer comes, between a browser and this program.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    common: program::PageFlags<8084>,
}

#[tokio::main]
async fn main() -> ExitCode {
    program::run("early_media", talk).await
}

async fn talk(flags: Flags) -> Result<()> {
    if flags.common.self_test {
        return self_test::run(flags.common.configuration()?).await;
    }
    if let Some(url) = &flags.common.connect {
        let signaling = SignalingChannel::connect(url).await?;
        println!("Signaling with {url} is up; calling.");
        let mut call = Call::new(flags.common.configuration()?, signaling);
        call.start()?;
        return call.run_with_meter().await;
    }
    program::meet(PAGE, &flags.common, " and call", async |signaling| {
        let mut call = Call::new(flags.common.configuration()?, signaling);
        call.run_with_meter().await
    })
    .await
}
