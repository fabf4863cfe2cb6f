//! The chores of this repository: `cargo xtask …`. See `docs/interop.md` for the interop runs and
//! `docs/w3c-coverage.toml` for the W3C coverage.

// A program of the repository: it drives real processes on real time and talks to its user.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod interop;
mod w3c;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run our peer against real browsers and other stacks.
    #[command(subcommand)]
    Interop(interop::Interop),
    /// Write `docs/w3c-coverage.md`: the W3C IDL held against our items.
    W3c(w3c::W3c),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Interop(interop) => interop.run(),
        Chore::W3c(w3c) => w3c.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
