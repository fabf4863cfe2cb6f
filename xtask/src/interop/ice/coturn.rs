//! coturn on loopback: UDP, TCP and TLS, with certificates of an authority made here.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
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
    /// Starts one in `folder`, on free ports.
    ///
    /// # Errors
    ///
    /// It does not listen in time; its log is in the folder.
    pub(crate) fn start(folder: &Path, authority: &Authority, is_expired: bool) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let [certificate, key] = authority.issue(folder, is_expired)?;
        let (port, tls_port) = (free_port()?, free_port()?);
        let path = |name: &str| folder.join(name).display().to_string();
        let configuration = format!(
            "listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={port}\ntls-listening-port={tls_port}\n\
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
            .wait()
            .with_context(|| format!("logs: {}", folder.display()))?;
        Ok(coturn)
    }

    fn wait(&self) -> Result<()> {
        let begun = Instant::now();
        for port in [self.port, self.tls_port] {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                ensure!(
                    begun.elapsed() < PATIENCE,
                    "coturn does not listen on {port}"
                );
                thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }
}

/// A port that nobody uses, neither for TCP nor for UDP.
fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = tcp.local_addr()?.port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port")
}
