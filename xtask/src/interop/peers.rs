//! The peers that exist, and how a process of each is started.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use clap::ValueEnum;

/// A reference peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// Chromium, driven by puppeteer-core.
    Chromium,
    /// Firefox ESR, driven by puppeteer-core over WebDriver BiDi.
    Firefox,
    /// aiortc: Python, its own ICE and SCTP, OpenSSL's DTLS 1.2.
    Aiortc,
    /// libdatachannel through node-datachannel: libjuice, usrsctp, OpenSSL.
    Libdatachannel,
    /// GStreamer's webrtcbin: libnice, OpenSSL with an RSA certificate, libvpx, libopus.
    Gstreamer,
}

impl Peer {
    /// Those that have data channels, in the order of the table.
    pub(crate) const OF_DATA: [Self; 4] = [
        Self::Chromium,
        Self::Firefox,
        Self::Aiortc,
        Self::Libdatachannel,
    ];
    /// Those that scripts can run in.
    pub(crate) const BROWSERS: [Self; 2] = [Self::Chromium, Self::Firefox];
    /// Those that have media.
    pub(crate) const OF_MEDIA: [Self; 4] =
        [Self::Chromium, Self::Firefox, Self::Aiortc, Self::Gstreamer];
    /// Those that have keys of a telephone.
    pub(crate) const OF_DTMF: [Self; 3] = [Self::Chromium, Self::Firefox, Self::Gstreamer];

    /// Its driver in `xtask/peers`.
    pub(crate) fn driver(self) -> &'static str {
        match self {
            Self::Chromium => "chromium.js",
            Self::Firefox => "firefox.js",
            Self::Aiortc => "aiortc_peer.py",
            Self::Libdatachannel => "libdatachannel.js",
            Self::Gstreamer => "gstreamer_peer.py",
        }
    }

    /// Whether the label and protocol lengths of its DATA_CHANNEL_OPEN (RFC 8832 §5.1) are in
    /// bytes. aiortc 1.16 writes the number of characters, so only ASCII arrives whole.
    pub(crate) fn counts_text_in_bytes(self) -> bool {
        self != Self::Aiortc
    }

    /// Whether scripts can run in pages of it.
    pub(crate) fn is_browser(self) -> bool {
        Self::BROWSERS.contains(&self)
    }

    /// Whether its driver runs in Node.
    pub(crate) fn is_node(self) -> bool {
        !matches!(self, Self::Aiortc | Self::Gstreamer)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Aiortc => "aiortc",
            Self::Libdatachannel => "libdatachannel",
            Self::Gstreamer => "gstreamer",
        })
    }
}

/// A program that takes the flags of `docs/interop.md`.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    name: String,
    executable: PathBuf,
    first_arguments: Vec<OsString>,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Program {
    /// Our own `peer`.
    pub(crate) fn ours(executable: PathBuf) -> Self {
        Self::new("peer".into(), executable)
    }

    /// A driver script run by `interpreter`.
    pub(crate) fn script(name: String, interpreter: PathBuf, script: &Path) -> Self {
        let mut program = Self::new(name, interpreter);
        program.first_arguments.push(script.into());
        program
    }

    /// The same with an environment variable that holds a path.
    pub(crate) fn with_path(mut self, variable: &'static str, path: PathBuf) -> Self {
        self.environment.push((variable, path));
        self
    }

    /// What to call it in a headline.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A command with everything but the session's own flags.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .args(&self.first_arguments)
            .envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }

    fn new(name: String, executable: PathBuf) -> Self {
        Self {
            name,
            executable,
            first_arguments: Vec::new(),
            environment: Vec::new(),
        }
    }
}
