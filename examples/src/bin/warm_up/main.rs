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

use std::{net::IpAddr, process::ExitCode, time::Duration};

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
    program: "warm_up",
};

/// A call that is set up before it begins, between a browser and this program.
#[derive(Parser)]
struct Flags {
    /// Where to serve the page and its signaling, on 127.0.0.1; 0 takes a free port.
    #[arg(long, default_value_t = 8083)]
    port: u16,
    /// Call a program that runs already, such as http://127.0.0.1:8083.
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "self_test"])]
    connect: Option<String>,
    /// Warm up between two peers in this process, start, and check what each of them hears and sees.
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
            eprintln!("warm_up: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn talk(flags: &Flags) -> Result<()> {
    if let Some(url) = &flags.connect {
        let signaling = SignalingChannel::connect(url).await?;
        println!("Signaling with {url} is up; warming up, and starting in three seconds.");
        let mut call = Call::new(flags.configuration(), signaling);
        call.warmup(false)?;
        let starter = call.starter();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            starter.start();
        });
        return call.run_with_meter().await;
    }
    let (address, mut arrivals) = page::serve(PAGE, flags.port).await?;
    println!("Open http://{address} in a browser, and start; Ctrl-C ends.");
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
