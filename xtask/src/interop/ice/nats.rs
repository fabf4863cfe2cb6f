//! Connections through the NATs of Linux: coturn and the mailbox in the public network, and a `peer` of
//! ours behind each NAT.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};

use super::{
    Authority, Coturn, PASSWORD, USERNAME,
    network::{Mapping, Network, PUBLIC},
};
use crate::interop::{
    mailbox::Mailbox,
    process::{Ended, Running, wait},
};

/// What a peer gives itself.
const PEER_PATIENCE: &str = "30";
/// What both together are given.
const PATIENCE: Duration = Duration::from_secs(40);

/// The addresses behind the NATs.
const HOSTS: [&str; 2] = ["10.1.0.2", "10.2.0.2"];

/// Two NATs, and whether who is behind one and who is behind the other can meet without a relay.
#[derive(Clone, Copy)]
pub(super) struct Nats {
    mappings: [Mapping; 2],
    is_direct: bool,
    /// Whether each side has one port, as an endpoint of many connections.
    has_one_port: bool,
}

/// By name. Where one of them is symmetric, the other one's filter waits for a port that nothing comes
/// from (RFC 4787 §4.1, §5).
pub(super) const CASES: [(&str, Nats); 6] = {
    use Mapping::{Independent, Symmetric};
    const fn nats(mappings: [Mapping; 2], is_direct: bool) -> Nats {
        Nats {
            mappings,
            is_direct,
            has_one_port: false,
        }
    }
    const fn one_port(nats: Nats) -> Nats {
        Nats {
            has_one_port: true,
            ..nats
        }
    }
    [
        (
            "NATs: both independent",
            nats([Independent, Independent], true),
        ),
        (
            "NATs: independent, symmetric",
            nats([Independent, Symmetric], false),
        ),
        (
            "NATs: symmetric, independent",
            nats([Symmetric, Independent], false),
        ),
        ("NATs: both symmetric", nats([Symmetric, Symmetric], false)),
        (
            "NATs: one port, independent",
            one_port(nats([Independent, Independent], true)),
        ),
        (
            "NATs: one port, symmetric",
            one_port(nats([Symmetric, Symmetric], false)),
        ),
    ]
};

/// A data channel across both NATs; the pairs in use, in words.
pub(super) fn play(nats: Nats, ours: &Path, folder: &Path) -> Result<String> {
    let Nats {
        mappings,
        is_direct,
        has_one_port,
    } = nats;
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
        if has_one_port {
            command.args(["--endpoint", &format!("{}:4000", HOSTS[at])]);
        }
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
