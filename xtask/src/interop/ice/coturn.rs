//! coturn, on loopback or in a namespace: UDP, TCP and TLS, with certificates of an authority made here.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};

use super::super::process::Running;

pub(crate) const USERNAME: &str = "u";
pub(crate) const PASSWORD: &str = "p";
/// What it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that runs as long as this is held.
pub(crate) struct Coturn {
    _process: Running,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
}

/// Who signs the servers' certificates.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let mut params = CertificateParams::new([])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "An authority for tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes the certificate and the key of a server at localhost, which may have expired.
    fn issue(&self, folder: &Path, is_expired: bool) -> Result<[PathBuf; 2]> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["localhost".to_owned()])?;
        if is_expired {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer)?;
        let paths = ["cert.pem", "key.pem"].map(|name| folder.join(name));
        fs::write(&paths[0], certificate.pem())?;
        fs::write(&paths[1], key.serialize_pem())?;
        Ok(paths)
    }
}

impl Coturn {
    /// Starts one in `folder`, on free ports of `ip`.
    ///
    /// # Errors
    ///
    /// It does not listen in time; its log is in the folder.
    pub(crate) fn start(
        folder: &Path,
        authority: &Authority,
        is_expired: bool,
        ip: Ipv4Addr,
    ) -> Result<Self> {
        Self::start_with(folder, authority, is_expired, &[ip.into()], "")
    }

    /// Starts one that listens on several addresses, and relays from them, with further lines of
    /// configuration.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub(crate) fn start_with(
        folder: &Path,
        authority: &Authority,
        is_expired: bool,
        ips: &[IpAddr],
        further: &str,
    ) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let [certificate, key] = authority.issue(folder, is_expired)?;
        let (port, tls_port) = (free_port(ips)?, free_port(ips)?);
        let path = |name: &str| folder.join(name).display().to_string();
        let at = |ip| format!("listening-ip={ip}\nrelay-ip={ip}\n");
        let addresses: String = ips.iter().map(at).collect();
        // Where there are two addresses it would take the ports that follow for RFC 5780, which may be
        // those of another server of this run.
        let configuration = format!(
            "{addresses}listening-port={port}\ntls-listening-port={tls_port}\n{further}no-rfc5780\n\
             realm=test.local\nlt-cred-mech\nuser={USERNAME}:{PASSWORD}\nfingerprint\ncert={}\npkey={}\n\
             allow-loopback-peers\ncli-password=x\nno-cli\nno-multicast-peers\nlog-file=stdout\npidfile={}\nuserdb={}\n",
            certificate.display(),
            key.display(),
            path("pid"),
            path("db"),
        );
        fs::write(folder.join("turnserver.conf"), configuration)?;
        let mut command = Command::new("turnserver");
        command.arg("-c").arg(folder.join("turnserver.conf"));
        let process = Running::start(command, folder, "turnserver")?;
        let coturn = Self {
            _process: process,
            port,
            tls_port,
        };
        coturn
            .wait(ips)
            .with_context(|| format!("logs: {}", folder.display()))?;
        Ok(coturn)
    }

    fn wait(&self, ips: &[IpAddr]) -> Result<()> {
        let begun = Instant::now();
        let ports = [self.port, self.tls_port];
        for (ip, port) in ips.iter().flat_map(|ip| ports.map(|port| (*ip, port))) {
            while TcpStream::connect((ip, port)).is_err() {
                ensure!(
                    begun.elapsed() < PATIENCE,
                    "coturn does not listen at {ip} on {port}"
                );
                thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }
}

/// A port that nobody uses at any of these addresses, neither for TCP nor for UDP.
fn free_port(ips: &[IpAddr]) -> Result<u16> {
    for _ in 0..100 {
        let first = ips.first().context("no address to listen on")?;
        let port = UdpSocket::bind((*first, 0))?.local_addr()?.port();
        let is_free = |ip: &IpAddr| {
            UdpSocket::bind((*ip, port)).is_ok() && TcpListener::bind((*ip, port)).is_ok()
        };
        if ips.iter().all(is_free) {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port")
}
