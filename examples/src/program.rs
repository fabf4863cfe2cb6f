//! What the programs with a page have in common: their flags, and how they end.

#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::{net::IpAddr, process::ExitCode};

use anyhow::Result;
use clap::Args;
use peerconnection::{Configuration, HostAddresses};

use crate::{
    page::{self, Page},
    signaling::SignalingChannel,
};

/// The flags that every program with a page has, beside `--port`, whose default is its own.
#[derive(Debug, Clone, Args)]
pub struct PageFlags {
    /// Be the other side of a program that runs already, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "self_test"])]
    pub connect: Option<String>,
    /// Run both sides in this process, and check what each of them gets of the other.
    #[arg(long)]
    pub self_test: bool,
    /// Use this local address alone (may be repeated); otherwise every interface and loopback.
    #[arg(long, value_name = "IP")]
    address: Vec<IpAddr>,
}

impl PageFlags {
    /// What connections are made with. Loopback is among the addresses so that two programs of a
    /// machine without a network meet.
    pub fn configuration(&self) -> Configuration {
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

/// The exit code, after the error, if there is one, was told.
pub fn end(program: &str, outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Serves the page and meets those who come, one after the other, until Ctrl-C. `hint` is what to
/// do with the page.
///
/// # Errors
///
/// The port cannot be had, or a meeting went wrong.
pub async fn meet(
    page: Page,
    port: u16,
    hint: &str,
    mut with: impl AsyncFnMut(SignalingChannel) -> Result<()>,
) -> Result<()> {
    let (address, mut arrivals) = page::serve(page, port).await?;
    println!("Open http://{address} in a browser{hint}; Ctrl-C ends.");
    while let Some(signaling) = arrivals.recv().await {
        println!("Somebody is here.");
        tokio::select! {
            ended = with(signaling) => ended?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
        println!("The other side has left.");
    }
    Ok(())
}
