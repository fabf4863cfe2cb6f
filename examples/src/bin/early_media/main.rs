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

use std::{net::IpAddr, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use examples::{
    page::{self, Page},
    signaling::SignalingChannel,
};
use peerconnection::{Configuration, HostAddresses};

use crate::call::Call;

const PAGE: Page = Page {
    html: include_str!("page.html"),
    script: include_str!("page.js"),
    program: "early_media",
};

/// A call whose media are looked at before its answer comes, between a browser and this program.
#[derive(Parser)]
struct Flags {
    /// Where to serve the page and its signaling, on 127.0.0.1; 0 takes a free port.
    #[arg(long, default_value_t = 8084)]
    port: u16,
    /// Call a program that runs already, such as http://127.0.0.1:8084.
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "self_test"])]
    connect: Option<String>,
    /// Call between two peers in this process, and check what each of them hears and sees.
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
            eprintln!("early_media: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn talk(flags: &Flags) -> Result<()> {
    if let Some(url) = &flags.connect {
        let signaling = SignalingChannel::connect(url).await?;
        println!("Signaling with {url} is up; calling.");
        let mut call = Call::new(flags.configuration(), signaling);
        call.start()?;
        return call.run_with_meter().await;
    }
    let (address, mut arrivals) = page::serve(PAGE, flags.port).await?;
    println!("Open http://{address} in a browser and call; Ctrl-C ends.");
    while let Some(signaling) = arrivals.recv().await {
        println!("Somebody is here.");
        let mut call = Call::new(flags.configuration(), signaling);
        tokio::select! {
            ended = call.run_with_meter() => ended?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
        println!("The other side has left.");
    }
    Ok(())
}
