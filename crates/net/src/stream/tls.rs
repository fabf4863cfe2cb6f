//! TLS towards servers whose certificate is checked: RFC 8489 §6.2.3, RFC 8656 §3.1.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::StreamError;

/// Which certificates of servers are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// Whether those are that the operating system trusts; they are read from where it keeps them,
    /// or from where the environment's `SSL_CERT_FILE` and `SSL_CERT_DIR` say.
    pub system_roots: bool,
    /// Certificates (DER) of further authorities that are trusted, as of a company's own.
    pub roots: Vec<Vec<u8>>,
    /// SHA-256 hashes of servers' certificates (DER). If there are any, only these servers are
    /// believed, and whoever holds the key of such a certificate is: its names, dates and issuer
    /// are not looked at, so that it may be self-signed.
    pub pins: Vec<[u8; 32]>,
}

impl Default for TlsOptions {
    /// The roots of the operating system alone.
    fn default() -> Self {
        Self {
            system_roots: true,
            roots: Vec::new(),
            pins: Vec::new(),
        }
    }
}

impl TlsOptions {
    /// Adds every certificate in `pem` to the [`roots`](Self::roots).
    ///
    /// # Errors
    ///
    /// There is none, or one is not PEM; the roots are as before.
    pub fn add_roots_pem(&mut self, pem: &[u8]) -> Result<(), StreamError> {
        let bad = |what: String| StreamError::BadCertificate(what);
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let found = found.map_err(|error| bad(error.to_string()))?;
        if found.is_empty() {
            return Err(bad("no certificate in the PEM text".into()));
        }
        self.roots.extend(found.iter().map(|der| der.to_vec()));
        Ok(())
    }
}

/// What every TLS stream needs: made once, since the roots of the system are a file to be read, and
/// cloned for each connection.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
}

impl TlsClient {
    /// Reads the roots and makes ready. It may read files: tens of milliseconds on some systems.
    ///
    /// # Errors
    ///
    /// A root is no certificate, or there is none and no pin either.
    pub fn new(options: &TlsOptions) -> Result<Self, StreamError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new(options, &provider)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| StreamError::Tls(error.to_string()))?
            .dangerous() // what stands in for the standard verifier is below
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// Shakes hands with the server `name` over `tcp`.
    pub(super) async fn handshake(
        &self,
        tcp: TcpStream,
        name: &str,
    ) -> Result<TlsStream<TcpStream>, StreamError> {
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        let bare = bare.unwrap_or(name); // an IPv6 address as URLs write it
        let bad_name = |_| StreamError::BadName(name.into());
        let server = ServerName::try_from(bare.to_owned()).map_err(bad_name)?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let connected = connector.connect(server, tcp).await;
        connected.map_err(|error| of_tls(error, bare))
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").finish_non_exhaustive()
    }
}

/// How long is too long for both handshakes, seen from the second.
pub(super) const fn tls_timeout(remote: SocketAddr, limit: Duration) -> StreamError {
    StreamError::TimedOut {
        what: "TLS handshake",
        remote,
        limit,
    }
}

/// What came of a handshake with `name`, or of a record.
pub(super) fn of_tls(error: io::Error, name: &str) -> StreamError {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(Error::InvalidCertificate(why)) => of_certificate(why, name),
        Some(other) => StreamError::Tls(other.to_string()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            StreamError::Tls("the server closed the connection in the handshake".into())
        }
        None => StreamError::Io(error),
    }
}

fn of_certificate(why: &CertificateError, name: &str) -> StreamError {
    use CertificateError::*;
    match why {
        NotValidForName => StreamError::WrongName {
            expected: name.into(),
            presented: Vec::new(),
        },
        NotValidForNameContext { presented, .. } => StreamError::WrongName {
            expected: name.into(),
            presented: presented.iter().map(|name| plain(name)).collect(),
        },
        Expired => StreamError::Expired(None),
        ExpiredContext { time, not_after } => {
            let by = time.as_secs().saturating_sub(not_after.as_secs());
            StreamError::Expired(Some(Duration::from_secs(by)))
        }
        NotValidYet | NotValidYetContext { .. } => StreamError::NotYetValid,
        Revoked => StreamError::Revoked,
        UnknownIssuer => StreamError::UnknownIssuer,
        // Nobody but the verifier below says so.
        ApplicationVerificationFailure => StreamError::NotPinned,
        // What `openssl req -x509` makes: it may sign others, so it may not stand for a server.
        Other(cause) if cause.to_string().contains("CaUsedAsEndEntity") => {
            let what = "it is an authority's, not a server's; believe it by its hash (pins)";
            StreamError::BadCertificate(what.into())
        }
        other => StreamError::BadCertificate(other.to_string()),
    }
}

/// `webpki` writes the names of a certificate as its parts: `DnsName("a.example")`.
fn plain(name: &str) -> String {
    name.split('"').nth(1).unwrap_or(name).into()
}

/// Believes those who are pinned, or those whom the roots vouch for.
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None` where pins decide alone.
    roots: Option<Arc<WebPkiServerVerifier>>,
    pins: Vec<[u8; 32]>,
}

impl Verifier {
    fn new(options: &TlsOptions, provider: &Arc<CryptoProvider>) -> Result<Self, StreamError> {
        let roots = if options.pins.is_empty() {
            let roots = Arc::new(read_roots(options)?);
            let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
            Some(builder.build().map_err(|_| StreamError::NoRoots)?)
        } else {
            None
        };
        Ok(Self {
            provider: Arc::clone(provider),
            roots,
            pins: options.pins.clone(),
        })
    }
}

fn read_roots(options: &TlsOptions) -> Result<RootCertStore, StreamError> {
    let mut roots = RootCertStore::empty();
    for der in &options.roots {
        let added = roots.add(CertificateDer::from(der.as_slice()));
        added.map_err(|error| StreamError::BadCertificate(error.to_string()))?;
    }
    if options.system_roots {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some roots of the system are not readable");
        }
        // Some systems keep roots that are none by today's rules: the others are as good.
        let (added, ignored) = roots.add_parsable_certificates(found.certs);
        tracing::debug!(added, ignored, "roots of the system");
    }
    if roots.is_empty() {
        return Err(StreamError::NoRoots);
    }
    Ok(roots)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(roots) = &self.roots else {
            let hash: [u8; 32] = Sha256::digest(end_entity).into();
            return match self.pins.contains(&hash) {
                true => Ok(ServerCertVerified::assertion()),
                false => Err(CertificateError::ApplicationVerificationFailure.into()),
            };
        };
        roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("pins", &self.pins.len())
            .finish_non_exhaustive()
    }
}
