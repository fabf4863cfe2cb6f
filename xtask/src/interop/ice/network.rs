//! A public network with two NATs and a host behind each of them, of network namespaces.
//!
//! ```text
//!  10.1.0.2 ── 10.1.0.1 │NAT│ 192.0.2.2 ──── 192.0.2.1 ┐
//!   host                                                 public: 203.0.113.1
//!  10.2.0.2 ── 10.2.0.1 │NAT│ 198.51.100.2 ─ 198.51.100.1 ┘
//! ```
//!
//! The public namespace is the one that this process runs in. The others have no names: each lives
//! as long as a process in it, which ends with the pipe that it reads from, so nothing is left behind
//! however this process ends.

use std::{
    ffi::OsStr,
    fmt,
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// The address of the servers (RFC 5737).
pub(super) const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

/// How a NAT maps what its hosts send. Both kinds let only that in which answers (address- and
/// port-dependent filtering, RFC 4787 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mapping {
    /// One public port for each port of a host: endpoint-independent, RFC 4787 §4.1.
    Independent,
    /// Another one, at random, for each address and port that a host sends to: "symmetric".
    Symmetric,
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Independent => "independent",
            Self::Symmetric => "symmetric",
        })
    }
}

/// A network namespace of its own, until this is dropped.
pub(super) struct Namespace(Child);

impl Namespace {
    pub(super) fn new() -> Result<Self> {
        // It reads from a pipe that nobody writes to, until that closes.
        let mut holder = Command::new("unshare");
        holder.args(["--net", "cat"]);
        holder.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = holder.spawn().context("cannot run unshare")?;
        // It says so when it is there.
        let own = Path::new("/proc/self/ns/net").read_link()?;
        let theirs = Path::new("/proc").join(holder.id().to_string());
        for _ in 0..1000 {
            let there = theirs.join("ns/net").read_link();
            if there.is_ok_and(|it| it != own) {
                return Ok(Self(holder));
            }
            if holder.try_wait()?.is_some() {
                bail!("no namespace can be made");
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let _ = holder.kill();
        let _ = holder.wait();
        bail!("no namespace was made in time")
    }

    /// `program`, to be run inside.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.0.id()));
        command.arg("--").arg(program);
        command
    }

    /// Runs these lines of shell inside.
    pub(super) fn script(&self, lines: &str) -> Result<()> {
        run(self.command("sh"), lines)
    }
}

/// As `ip` names it.
impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.id().fmt(f)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The two hosts, each behind its NAT.
pub(super) struct Network {
    pub(super) hosts: [Namespace; 2],
    _nats: [Namespace; 2],
}

impl Network {
    /// Builds it around this process's namespace.
    ///
    /// # Errors
    ///
    /// The system does not allow it, in the words of the command that failed.
    pub(super) fn new(mappings: [Mapping; 2]) -> Result<Self> {
        // The rest of the Internet answers nothing: where there is no route at all, coturn ends the
        // allocation that sends there.
        run(
            Command::new("sh"),
            &format!(
                "ip link set lo up; ip addr replace {PUBLIC}/32 dev lo
                ip link del rest 2> /dev/null || true
                ip link add rest type veth peer name nowhere
                ip link set rest arp off; ip link set rest up; ip link set nowhere up
                ip route add default dev rest
                echo 1 > /proc/sys/net/ipv4/ip_forward"
            ),
        )?;
        let [one, two] = mappings;
        let (first, second) = (site(1, "192.0.2", one)?, site(2, "198.51.100", two)?);
        Ok(Self {
            hosts: [first.0, second.0],
            _nats: [first.1, second.1],
        })
    }
}

/// A host, and the NAT between it and `outside`, a network of 256 addresses.
fn site(number: u8, outside: &str, mapping: Mapping) -> Result<(Namespace, Namespace)> {
    let (host, nat) = (Namespace::new()?, Namespace::new()?);
    let inside = format!("10.{number}.0");
    let random = match mapping {
        Mapping::Independent => "",
        Mapping::Symmetric => "--random-fully",
    };
    // That of the case before may still be about to go with its namespace.
    run(
        Command::new("sh"),
        &format!(
            "ip link del wan{number} 2> /dev/null || true
            ip link add wan{number} type veth peer name wan netns {nat}
            ip addr add {outside}.1/24 dev wan{number}
            ip link set wan{number} up"
        ),
    )?;
    // What is not an answer is dropped without a word, before it takes up a mapping.
    nat.script(&format!(
        "ip link set lo up
        ip link add lan type veth peer name eth0 netns {host}
        ip addr add {outside}.2/24 dev wan; ip link set wan up
        ip addr add {inside}.1/24 dev lan; ip link set lan up
        ip route add default via {outside}.1
        echo 1 > /proc/sys/net/ipv4/ip_forward
        iptables -t nat -A POSTROUTING -o wan -j MASQUERADE {random}
        iptables -A INPUT -i wan -j DROP
        iptables -A FORWARD -i wan -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        iptables -A FORWARD -i wan -j DROP"
    ))?;
    host.script(&format!(
        "ip link set lo up
        ip addr add {inside}.2/24 dev eth0; ip link set eth0 up
        ip route add default via {inside}.1"
    ))?;
    Ok((host, nat))
}

/// Runs lines of shell; the first that fails ends them.
pub(super) fn run(mut shell: Command, lines: &str) -> Result<()> {
    // iptables is where only an administrator's path looks.
    let path = std::env::var("PATH").unwrap_or_default();
    shell.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    let done = shell.args(["-e", "-c", lines]).output();
    let done = done.context("cannot run a shell")?;
    if !done.status.success() {
        bail!("{}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}

/// The command that gives another one a network of its own, if this machine allows that, with NAT.
///
/// # Errors
///
/// It does not; in the words of the command that failed.
pub(super) fn outermost() -> Result<Vec<&'static str>> {
    // All that is needed later, at once.
    const TRIAL: &str = "ip link set lo up
        unshare --net true
        ip link add wan0 type veth peer name lan0
        ip link add switch type bridge; ip link set wan0 master switch
        echo 1 > /proc/sys/net/ipv4/ip_forward
        iptables -t nat -A POSTROUTING -o wan0 -j MASQUERADE --random-fully
        iptables -A FORWARD -i wan0 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT";
    let ways = [
        vec!["unshare", "--net"],
        vec!["unshare", "--user", "--map-root-user", "--net"],
    ];
    let mut problems = Vec::new();
    for way in ways {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).arg("sh");
        match run(command, TRIAL) {
            Ok(()) => return Ok(way),
            Err(error) => problems.push(format!("{}: {error}", way.join(" "))),
        }
    }
    bail!("{}", problems.join("; "))
}
