//! The W3C "Perfect Negotiation Example": two peers that renegotiate whenever they like.
//!
//! ```text
//! cargo run --release -p examples --bin perfect_negotiation                                       then open the page it names
//! cargo run --release -p examples --bin perfect_negotiation -- --connect http://127.0.0.1:8081    Rust at both ends
//! cargo run --release -p examples --bin perfect_negotiation -- --self-test                        two peers in one process
//! ```
//!
//! `perfect.rs` is the sample itself, line by line; the rest does what a session can suffer, at
//! random, and shows it.

#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod operation;
mod peer;
mod perfect;
mod room;
mod self_test;
mod table;
mod terminal;
mod view;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    process::ExitCode,
    time::Duration,
};

use anyhow::Result;
use clap::Parser;
use examples::{
    page::{self, Page},
    program,
    signaling::SignalingChannel,
};
use tokio::task::LocalSet;

use crate::{room::Room, terminal::Screen};

/// The page's manners are what ours are not.
const fn page_that_is(polite: bool) -> Page {
    let script = if polite {
        concat!("const polite = true;\n", include_str!("page.js"))
    } else {
        concat!("const polite = false;\n", include_str!("page.js"))
    };
    Page {
        html: include_str!("page.html"),
        script,
        program: "perfect_negotiation",
    }
}

/// Two peers that add, remove, stop, restart and roll back at random, and always come to agree.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    common: program::PageFlags<8081>,
    /// Ignore offers that collide with our own, and have the page be polite instead.
    #[arg(long, conflicts_with_all = ["connect", "self_test"])]
    impolite: bool,
    /// With --connect: be polite, since the other program runs with --impolite.
    #[arg(long, requires = "connect")]
    polite: bool,
    /// How many operations a second to do here at random; 0 leaves it to the keyboard.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 1.0)]
    random: f64,
    /// With --self-test: how many rounds.
    #[arg(long, value_name = "N", default_value_t = 200, requires = "self_test")]
    rounds: usize,
    /// With --self-test: how long the peers may take to connect, or to come to rest after a round.
    #[arg(long, value_name = "S", default_value_t = 20, requires = "self_test")]
    seconds: u64,
    /// Repeat the operations that this seed chooses; a new one is printed otherwise.
    #[arg(long)]
    seed: Option<u64>,
}

impl Flags {
    fn seed(&self) -> u64 {
        let random = || RandomState::new().build_hasher().finish();
        self.seed.unwrap_or_else(random)
    }
}

/// One thread, as JavaScript has: the sample relies on it.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    examples::log_to_stderr();
    let flags = Flags::parse();
    let tasks = LocalSet::new();
    if flags.common.self_test {
        let patience = Duration::from_secs(flags.seconds);
        let configuration = match flags.common.configuration() {
            Ok(configuration) => configuration,
            Err(error) => return program::end("perfect_negotiation", Err(error)),
        };
        let test = self_test::run(configuration, flags.rounds, flags.seed(), patience);
        return tasks.run_until(test).await;
    }
    program::end(
        "perfect_negotiation",
        tasks.run_until(negotiate(&flags)).await,
    )
}

async fn negotiate(flags: &Flags) -> Result<()> {
    let seed = flags.seed();
    let polite = flags.polite || (flags.common.connect.is_none() && !flags.impolite);
    let mut room = Room::new(flags.common.configuration()?, polite, flags.random, seed);
    if let Some(url) = &flags.common.connect {
        let signaling = SignalingChannel::connect(url).await?;
        Screen::headline(&format!("Signaling with {url} is up; --seed {seed}."));
        return room.join(signaling).await;
    }
    let (address, arrivals) = page::serve(page_that_is(!polite), &flags.common).await?;
    Screen::headline(&format!("Open http://{address} in a browser"));
    Screen::note("or be the other side in a second terminal:");
    let manners = if polite { "" } else { " --polite" };
    Screen::note(&format!(
        "  cargo run --release -p examples --bin perfect_negotiation -- --connect http://{address}{manners}"
    ));
    Screen::note(&format!(
        "--seed {seed} repeats the operations of this side."
    ));
    room.serve(arrivals).await
}
