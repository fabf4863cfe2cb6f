//! Connections through the NATs of Linux, in network namespaces.
//!
//! `cargo xtask interop ice` starts itself once more in a network namespace, which becomes the
//! public network of each scenario; coturn and the mailbox are there, and a `peer` of ours behind
//! each NAT.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;

use super::{
    Authority, Coturn, PASSWORD, USERNAME,
    network::{Mapping, Network, PUBLIC, outermost},
};
use crate::interop::{
    install,
    mailbox::Mailbox,
    process::{Ended, Running, wait},
    seconds,
    selection::Selection,
};

/// What a peer gives itself.
const PEER_PATIENCE: &str = "30";
/// What both together are given.
const PATIENCE: Duration = Duration::from_secs(40);

/// Both NATs, and whether the two can meet without a relay: where one of them is symmetric, the
/// other one's filter waits for a port that nothing comes from (RFC 4787 §4.1, §5).
const CASES: [(&str, [Mapping; 2], bool); 4] = {
    use Mapping::{Independent, Symmetric};
    [
        ("NATs: both independent", [Independent, Independent], true),
        (
            "NATs: independent, symmetric",
            [Independent, Symmetric],
            false,
        ),
        (
            "NATs: symmetric, independent",
            [Symmetric, Independent],
            false,
        ),
        ("NATs: both symmetric", [Symmetric, Symmetric], false),
    ]
};

/// What `interop ice` starts in a namespace of its own.
#[derive(Args)]
pub(crate) struct Namespaces {
    #[command(flatten)]
    selection: Selection,
    /// Our `peer`.
    #[arg(long)]
    ours: PathBuf,
}

/// Starts the chosen cases in a namespace, where that is allowed.
///
/// # Errors
///
/// One of them has failed.
pub(super) fn start(selection: &Selection, work: &Path) -> Result<()> {
    let chosen = CASES.iter().map(|(name, ..)| *name);
    let chosen: Vec<_> = chosen.filter(|name| selection.has(name)).collect();
    if chosen.is_empty() {
        return Ok(());
    }
    println!("\nour side at both ends, in network namespaces");
    let way = install::install_namespaces(work).and_then(|()| outermost());
    let way = match way {
        Ok(way) => way,
        Err(why) => {
            for name in chosen {
                println!(
                    "  {name:28} left out: this machine allows no namespaces with NAT: {why:#}"
                );
            }
            return Ok(());
        }
    };
    let ours = install::build_ours(work)?;
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).args(["--fork", "--kill-child"]);
    command.arg(env::current_exe()?);
    command.args(["interop", "namespaces", "--ours"]).arg(ours);
    command.arg("--work").arg(work);
    command.args(["--retries", &selection.retries.to_string()]);
    command.args(selection.keep.then_some("--keep"));
    command.args(chosen.iter().flat_map(|name| ["--scenario", name]));
    let status = command.status().context("cannot start in a namespace")?;
    ensure!(status.success(), "a connection through NATs failed");
    Ok(())
}

impl Namespaces {
    /// Runs the cases around this process's namespace.
    ///
    /// # Errors
    ///
    /// One of them has failed; the others are run nevertheless.
    pub(crate) fn run(self) -> Result<()> {
        let logs = self.selection.work()?.join("logs/namespaces");
        let mut result = Ok(());
        for (name, mappings, is_direct) in CASES {
            if !self.selection.has(name) {
                continue;
            }
            let slug = format!("{}-{}", mappings[0], mappings[1]);
            let mut tries = 0;
            let outcome = loop {
                tries += 1;
                let folder = logs.join(&slug).join(tries.to_string());
                let begun = Instant::now();
                let outcome = play(mappings, is_direct, &self.ours, &folder);
                let time = seconds(begun.elapsed());
                match outcome {
                    Ok(told) => break Ok(format!("ok {time}: {told}")),
                    Err(error) if tries > self.selection.retries => {
                        let logs = folder.display();
                        break Err(format!("FAIL {time}\n      {error:#}\n      logs: {logs}"));
                    }
                    Err(error) => {
                        println!("  {name:28} FAIL {time}\n      {error:#}\n      trying again")
                    }
                }
            };
            match outcome {
                Ok(told) => {
                    println!("  {name:28} {told}");
                    if !self.selection.keep {
                        fs::remove_dir_all(logs.join(&slug))?;
                    }
                }
                Err(told) => {
                    println!("  {name:28} {told}");
                    result = Err(anyhow!("{name} failed"));
                }
            }
        }
        result
    }
}

/// A data channel across both NATs; the pairs in use, in words.
fn play(mappings: [Mapping; 2], is_direct: bool, ours: &Path, folder: &Path) -> Result<String> {
    fs::create_dir_all(folder).context("cannot make the log folder")?;
    let network = Network::new(mappings)?;
    let coturn = Coturn::start(&folder.join("coturn"), &Authority::new()?, false, PUBLIC)?;
    let mailbox = Mailbox::serve_at(PUBLIC, None)?;
    let server = format!("{PUBLIC}:{}", coturn.port);
    let peer = |at: usize, name: &str, remote: &str, role: &str| {
        let mut command = network.hosts[at].command(ours);
        command.args(["--signal", &mailbox.url()?, "--name", name]);
        command.args(["--remote", remote, "--json", "--seconds", PEER_PATIENCE]);
        command.args(["--ice-server", &format!("stun:{server}")]);
        command.args(["--ice-server", &format!("turn:{server}")]);
        command.args(["--ice-username", USERNAME, "--ice-credential", PASSWORD]);
        command.args(role.split_whitespace());
        Running::start(command, folder, name)
    };
    let offer = "--offer --data chat --count 400 --close connection";
    let mut running = [
        peer(0, "one", "two", offer)?,
        peer(1, "two", "one", "--answer --echo")?,
    ];
    wait(PATIENCE, |_| {
        Ok(running[0].has_ended()? && running[1].has_ended()?)
    })?;
    let [one, two] = running;
    let pairs = [pair(&one.end()?)?, pair(&two.end()?)?];
    for (local, remote) in &pairs {
        let is_relayed = local.starts_with("relay") || remote.starts_with("relay");
        ensure!(is_relayed != is_direct, "from {local} to {remote}");
    }
    let [(local, remote), _] = pairs;
    Ok(format!("from {local} to {remote}"))
}

/// The pair that one side used last, if all went well there.
fn pair(ended: &Ended) -> Result<(String, String)> {
    if ended.code != Some(0) {
        let errors = ended.of("error").map(|line| line.json["what"].to_string());
        bail!(
            "exit {:?}: {}",
            ended.code,
            errors.collect::<Vec<_>>().join(", ")
        );
    }
    let told = ended.of("transport").last().context("no pair was told")?;
    let end = |name: &str| told.json[name].as_str().map(str::to_owned);
    Ok((
        end("local").context("no local candidate")?,
        end("remote").context("no remote candidate")?,
    ))
}
