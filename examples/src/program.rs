//! What the programs with a page have in common: their flags, their course, and how they end.

#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::{net::IpAddr, pin::pin, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Args, Parser};
use peerconnection::{Configuration, HostAddresses};

use crate::{
    page::{self, Page},
    servers::ServerFlags,
    signaling::SignalingChannel,
};

/// The flags that every program with a page has; `PORT` is where that is, unless told otherwise.
#[derive(Debug, Clone, Args)]
pub struct PageFlags<const PORT: u16> {
    /// Where to serve the page and its signaling, on 127.0.0.1; 0 takes a free port.
    #[arg(long, default_value_t = PORT, conflicts_with = "self_test")]
    pub port: u16,
    /// Be the other side of a program that runs already.
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = ["port", "self_test"],
        help = format!("Be the other side of a program that runs already, such as http://127.0.0.1:{PORT}"),
    )]
    pub connect: Option<String>,
    /// Run both sides in this process, and check what each of them gets of the other.
    #[arg(long)]
    pub self_test: bool,
    /// Use this local address alone (may be repeated); otherwise every interface and loopback.
    #[arg(long, value_name = "IP")]
    address: Vec<IpAddr>,
    /// The servers to reach the other side through; the page uses the same.
    #[command(flatten)]
    pub servers: ServerFlags,
}

impl<const PORT: u16> PageFlags<PORT> {
    /// What connections are made with. Loopback is among the addresses so that two programs of a
    /// machine without a network meet.
    ///
    /// # Errors
    ///
    /// The file of the servers' authorities is none.
    pub fn configuration(&self) -> Result<Configuration> {
        let host_addresses = match self.address.as_slice() {
            [] => HostAddresses::InterfacesAndLoopback,
            addresses => HostAddresses::Only(addresses.to_vec()),
        };
        let mut configuration = Configuration {
            host_addresses,
            ..Default::default()
        };
        self.servers.add_to(&mut configuration)?;
        Ok(configuration)
    }
}

/// Runs a program with the flags of its command line.
pub async fn run<F: Parser>(program: &str, course: impl AsyncFnOnce(F) -> Result<()>) -> ExitCode {
    crate::log_to_stderr();
    end(program, course(F::parse()).await)
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
pub async fn meet<const PORT: u16>(
    page: Page,
    flags: &PageFlags<PORT>,
    hint: &str,
    mut with: impl AsyncFnMut(SignalingChannel) -> Result<()>,
) -> Result<()> {
    let (address, mut arrivals) = page::serve(page, flags).await?;
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

/// Runs `call` to its end, and has something told each second until then.
pub async fn telling<T>(call: impl Future<Output = T>, mut tell: impl FnMut()) -> T {
    let mut call = pin!(call);
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            ended = &mut call => return ended,
            _ = ticks.tick() => tell(),
        }
    }
}
