//! The W3C "Simple Peer-to-peer Example": a call with sound and picture between a browser and Rust.
//!
//! ```text
//! cargo run --release -p examples --bin simple_call                                       then open the page it names
//! cargo run --release -p examples --bin simple_call -- --connect http://127.0.0.1:8082    Rust at both ends
//! cargo run --release -p examples --bin simple_call -- --self-test                        two peers in one process
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
    program: "simple_call",
};

/// A call with sound and picture between a browser and this program.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    common: program::PageFlags<8082>,
}

#[tokio::main]
async fn main() -> ExitCode {
    program::run("simple_call", talk).await
}

async fn talk(flags: Flags) -> Result<()> {
    if flags.common.self_test {
        return self_test::run(flags.common.configuration()?).await;
    }
    if let Some(url) = &flags.common.connect {
        let signaling = SignalingChannel::connect(url).await?;
        println!("Signaling with {url} is up; calling.");
        let mut call = Call::new(flags.common.configuration()?, signaling)?;
        call.start()?;
        return call.run_with_meter().await;
    }
    program::meet(PAGE, &flags.common, " and call", async |signaling| {
        let mut call = Call::new(flags.common.configuration()?, signaling)?;
        call.run_with_meter().await
    })
    .await
}
