//! Installs what the peers need and is not there: Debian packages, npm and pip packages.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{
    peers::{Peer, Program},
    progress::step,
};

/// The drivers, beside the package that runs them.
const DRIVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
/// What reads the clock of our pictures in a page.
const MEDIA_CLOCK: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/src/media_clock.js"
);
/// `fetch`, and what puppeteer-core asks for.
const OLDEST_NODE: u32 = 18;
const SYSTEM_PYTHON: &str = "/usr/bin/python3";
const GSTREAMER: [&str; 6] = [
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-nice",
    "python3-gst-1.0",
    "gir1.2-gst-plugins-bad-1.0",
];
const CHROMIUM: [&str; 1] = ["chromium"];
const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];

/// The peers of one work folder, ready to run.
pub(crate) struct Installed {
    peers: PathBuf,
    python: PathBuf,
    /// Browsers hide their addresses behind names.
    hides: bool,
}

impl Installed {
    /// The same, with browsers that hide their addresses behind names of multicast DNS.
    pub(crate) fn hiding(self) -> Self {
        Self {
            hides: true,
            ..self
        }
    }

    /// How to start `peer`.
    pub(crate) fn program(&self, peer: Peer) -> Program {
        let script = self.peers.join(peer.driver());
        if peer == Peer::Gstreamer {
            // Its bindings are packages of the system, for the system's Python.
            return Program::script(peer.to_string(), SYSTEM_PYTHON.into(), &script);
        }
        if !peer.is_node() {
            return Program::script(peer.to_string(), self.python.clone(), &script);
        }
        let node = find(&["node"]).unwrap_or_else(|| "node".into());
        let mut program = Program::script(peer.to_string(), node, &script);
        if self.hides {
            program = program.with_path("INTEROP_MDNS", "1".into());
        }
        match peer {
            Peer::Chromium => with_browser(program, "CHROMIUM", &CHROMIUM),
            Peer::Firefox => with_browser(program, "FIREFOX", &FIREFOX),
            Peer::Aiortc | Peer::Libdatachannel | Peer::Gstreamer => program,
        }
    }
}

/// Installs what `peers` need under `work`, and the browsers through apt.
///
/// # Errors
///
/// A step fails, or there is no right to install a Debian package.
pub(crate) fn install(work: &Path, peers: &[Peer]) -> Result<Installed> {
    println!("Peers in {}", work.display());
    let folder = work.join("peers");
    copy_files(DRIVERS, &folder)?;
    fs::copy(MEDIA_CLOCK, folder.join("media_clock.js")).context("cannot copy the clock")?;
    install_debian(work, &missing_packages(peers))?;
    if peers.iter().any(|peer| peer.is_node()) {
        install_npm(work, &folder)?;
    }
    let venv = work.join("venv");
    if peers.contains(&Peer::Aiortc) {
        install_pip(work, &folder, &venv)?;
    }
    Ok(Installed {
        peers: folder,
        python: venv.join("bin/python"),
        hides: false,
    })
}

/// Installs the TURN server that `interop ice` starts.
///
/// # Errors
///
/// There is no right to install a Debian package.
pub(crate) fn install_coturn(work: &Path) -> Result<()> {
    let is_there = find(&["turnserver"]).is_some();
    install_debian(work, if is_there { &[] } else { &["coturn"] })
}

/// Installs what network namespaces with NATs are made with.
///
/// # Errors
///
/// There is no right to install a Debian package.
pub(crate) fn install_namespaces(work: &Path) -> Result<()> {
    let mut missing = Vec::new();
    for (program, package) in [
        ("ip", "iproute2"),
        ("iptables", "iptables"),
        ("unshare", "util-linux"),
    ] {
        missing.extend(find(&[program]).is_none().then_some(package));
    }
    install_debian(work, &missing)
}

/// Janus, and what makes network namespaces.
///
/// # Errors
///
/// There is no right to install a Debian package.
pub(crate) fn install_janus(work: &Path) -> Result<()> {
    let mut missing = Vec::new();
    for (program, package) in [
        ("janus", "janus"),
        ("ip", "iproute2"),
        ("unshare", "util-linux"),
    ] {
        missing.extend(find(&[program]).is_none().then_some(package));
    }
    install_debian(work, &missing)
}

/// Builds our `peer` in the release profile and tells where it is.
///
/// # Errors
///
/// The build fails.
pub(crate) fn build_ours(work: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let build = |extra: &[&str]| {
        let mut command = Command::new(&cargo);
        command
            .current_dir(&root)
            .args(["build", "--release", "-p", "examples", "--bin", "peer"]);
        command.args(extra);
        command
    };
    step(
        "cargo build --release -p examples --bin peer",
        build(&[]),
        &work.join("build.log"),
    )?;
    let told = build(&["--quiet", "--message-format=json"]).output()?;
    String::from_utf8_lossy(&told.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "peer")
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .context("cargo does not tell where it put `peer`")
}

/// Copies the files of `from` into `folder`, where packages are installed beside them.
///
/// # Errors
///
/// Those of the file system.
pub(crate) fn copy_files(from: &str, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    Ok(())
}

fn missing_packages(peers: &[Peer]) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if peers.contains(&Peer::Chromium) && browser("CHROMIUM", &CHROMIUM).is_none() {
        missing.push("chromium");
    }
    if peers.contains(&Peer::Firefox) && browser("FIREFOX", &FIREFOX).is_none() {
        missing.push("firefox-esr");
    }
    if peers.iter().any(|peer| peer.is_node()) {
        missing.extend(find(&["node"]).is_none().then_some("nodejs"));
        missing.extend(find(&["npm"]).is_none().then_some("npm"));
    }
    if peers.contains(&Peer::Aiortc) && !has_venv() {
        missing.extend(["python3", "python3-venv"]);
    }
    if peers.contains(&Peer::Gstreamer) && !has_gstreamer() {
        missing.extend(GSTREAMER);
    }
    missing
}

fn install_debian(work: &Path, packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "apt-get install --no-install-recommends {}",
        packages.join(" ")
    );
    if find(&["apt-get"]).is_none() {
        bail!(
            "not a Debian system; install what these packages hold: {}",
            packages.join(" ")
        );
    }
    let log = work.join("apt.log");
    let context = || format!("as root, run: apt-get update && {by_hand}");
    step("apt-get update", apt(&["update"]), &log).with_context(context)?;
    let mut install = apt(&["install", "--yes", "--no-install-recommends"]);
    install.args(packages);
    step(&by_hand, install, &log).with_context(context)
}

fn apt(arguments: &[&str]) -> Command {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout == b"0\n");
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    if !is_root {
        command.args(["--non-interactive", "env"]);
    }
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .args(arguments);
    command
}

/// Installs the npm packages of `<folder>/package.json` beside it; the log goes to `work`.
///
/// # Errors
///
/// No Node, an old one, or npm fails.
pub(crate) fn install_npm(work: &Path, folder: &Path) -> Result<()> {
    let version = Command::new("node")
        .arg("--version")
        .output()
        .context("cannot run node")?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|n| n.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST_NODE) {
        bail!("node is {version}; the drivers need {OLDEST_NODE} or later");
    }
    once(
        &folder.join("package.json"),
        &folder.join("node_modules/.interop"),
        || {
            let mut npm = Command::new("npm");
            npm.current_dir(folder).args([
                "install",
                "--no-audit",
                "--no-fund",
                "--no-package-lock",
            ]);
            step("npm install", npm, &work.join("npm.log"))
        },
    )
}

fn install_pip(work: &Path, folder: &Path, venv: &Path) -> Result<()> {
    let wanted = folder.join("requirements.txt");
    once(&wanted, &venv.join(".interop"), || {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(venv);
        step("python3 -m venv", make, &work.join("pip.log"))?;
        let mut pip = Command::new(venv.join("bin/pip"));
        pip.args(["install", "--disable-pip-version-check", "-r"])
            .arg(&wanted);
        step("pip install aiortc", pip, &work.join("pip.log"))
    })
}

/// Runs `install` unless `stamp` says that this text of `wanted` is installed already.
fn once(wanted: &Path, stamp: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(wanted)?;
    if fs::read(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(stamp, wanted).context("cannot note what is installed")
}

fn has_venv() -> bool {
    let check = Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .output();
    check.is_ok_and(|output| output.status.success())
}

/// Whether its bindings are there, and every element that the driver puts together.
fn has_gstreamer() -> bool {
    const CHECK: &str = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst, GstWebRTC; \
        Gst.init(None); assert all(map(Gst.ElementFactory.find, 'webrtcbin nicesrc vp8enc opusenc dtlsdec srtpdec'.split()))";
    let check = Command::new(SYSTEM_PYTHON).args(["-c", CHECK]).output();
    check.is_ok_and(|output| output.status.success())
}

fn with_browser(program: Program, variable: &'static str, names: &[&str]) -> Program {
    match browser(variable, names) {
        Some(path) => program.with_path(variable, path),
        None => program,
    }
}

fn browser(variable: &str, names: &[&str]) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .or_else(|| find(names))
}

/// The first of these programs that is on the path.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    // Those of administrators may not be on the path of others.
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let folders: Vec<PathBuf> = env::split_paths(&path).chain(more).collect();
    names.iter().find_map(|name| {
        folders
            .iter()
            .map(|folder| folder.join(name))
            .find(|candidate| candidate.is_file())
    })
}
