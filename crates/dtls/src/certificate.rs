//! The certificate of an endpoint.

use std::{fmt, sync::Arc, time::Duration};

use dimpl::crypto::{Buf, SignatureAlgorithm, aws_lc_rs};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_RSA_SHA256,
};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Fingerprint, HashAlgorithm,
    der::{self, PublicKey},
    pem,
    rsa::{self, Padding},
};

/// How long before its making a certificate is already valid: a day, as browsers do it, for peers
/// whose clock is late.
const BACKDATED: Duration = Duration::from_secs(24 * 3600);

/// What kind of key a certificate is made with: the two that W3C `generateCertificate` requires
/// (webrtc-pc §4.9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// `{ name: "ECDSA", namedCurve: "P-256" }`, as browsers have it unless told otherwise.
    #[default]
    EcdsaP256,
    /// `{ name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: 65537, hash: "SHA-256" }`.
    /// Making one takes several hundred times as long: a tenth of a second and more, by chance.
    Rsa2048,
}

/// What [`Certificate::generate_with`] makes.
///
/// ```
/// use pc_dtls::{CertificateOptions, KeyAlgorithm};
/// use std::time::Duration;
/// let mut options = CertificateOptions::new(KeyAlgorithm::Rsa2048);
/// options.expires_in = Duration::from_secs(3600);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CertificateOptions {
    /// The kind of key.
    pub algorithm: KeyAlgorithm,
    /// How long from now on the certificate is valid; 30 days, and never more than
    /// [`MAX_LIFETIME`](Self::MAX_LIFETIME), to which longer ones are cut (webrtc-pc §4.9.1). Whole
    /// seconds count.
    pub expires_in: Duration,
}

impl CertificateOptions {
    /// A year: 31,536,000,000 ms (webrtc-pc §4.9.1).
    pub const MAX_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);

    /// A certificate with this kind of key, valid for 30 days.
    pub const fn new(algorithm: KeyAlgorithm) -> Self {
        Self {
            algorithm,
            expires_in: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

impl Default for CertificateOptions {
    /// ECDSA on P-256, valid for 30 days.
    fn default() -> Self {
        Self::new(KeyAlgorithm::default())
    }
}

/// A self-signed certificate and its private key, W3C `RTCCertificate`; cloning it is cheap.
///
/// ```
/// use pc_dtls::{Certificate, CertificateOptions, HashAlgorithm, KeyAlgorithm};
/// use std::time::Duration;
///
/// // The time since the Unix epoch; an application takes it from `SystemTime`.
/// let now = Duration::from_secs(1_790_000_000);
/// let certificate = Certificate::generate(now)?;
/// assert_eq!(certificate.expires(), now + Duration::from_secs(30 * 24 * 3600));
/// // What goes into the session description as `a=fingerprint`:
/// assert!(certificate.fingerprint(HashAlgorithm::Sha256).to_string().starts_with("sha-256 "));
/// // Kept for the next run:
/// let same = Certificate::from_pem(&certificate.to_pem())?;
/// assert_eq!(same, certificate);
///
/// let rsa = Certificate::generate_with(CertificateOptions::new(KeyAlgorithm::Rsa2048), now)?;
/// assert!(!rsa.has_expired(now));
/// # Ok::<(), pc_dtls::CertificateError>(())
/// ```
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
    expires: Duration,
    kind: KeyKind,
}

/// What tells one private key from another in a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// On P-256 or P-384.
    Ecdsa,
    /// Whose signatures are so long, in bytes.
    Rsa { signature_len: usize },
}

/// Why a certificate cannot be made or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The cryptographic library made none.
    #[error("the certificate could not be generated")]
    Generation,
    /// `now` is so late that the validity cannot be written (after the year 9999).
    #[error("the time is out of the range of a certificate")]
    Time,
    /// Not a certificate in DER.
    #[error("not a certificate in DER: {0}")]
    Malformed(pc_proto::ParseError),
    /// The certificate is for a key of a kind that is not supported.
    #[error(
        "the certificate's key is neither ECDSA on P-256 or P-384 nor RSA of 2048 to 4096 bits"
    )]
    KeyAlgorithm,
    /// The private key is not one of a kind that is supported, in PKCS #8, SEC 1 or PKCS #1 DER.
    #[error("the private key is not, in DER, ECDSA on P-256 or P-384 nor RSA of 2048 to 4096 bits")]
    PrivateKey,
    /// The private key is not that of the certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// Not a certificate and a private key in PEM.
    #[error("in the PEM text, {what} at line {line}")]
    Pem {
        /// What is there, or is not.
        what: &'static str,
        /// The line, counted from 1.
        line: usize,
    },
}

impl Certificate {
    /// Makes a certificate as browsers do unless told otherwise:
    /// [`generate_with`](Self::generate_with) the defaults.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Generation`] or [`CertificateError::Time`].
    pub fn generate(now: Duration) -> Result<Self, CertificateError> {
        Self::generate_with(CertificateOptions::default(), now)
    }

    /// Makes a certificate as browsers do (webrtc-pc §4.9.1): self-signed with SHA-256, subject
    /// `CN=WebRTC`, a serial number of its own, valid from a day before `now` on.
    ///
    /// `now` is the time since the Unix epoch. The key comes from the cryptographic library's own
    /// random generator, seeded by the operating system: a key is not replayed from a seed.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Generation`] or [`CertificateError::Time`].
    pub fn generate_with(
        options: CertificateOptions,
        now: Duration,
    ) -> Result<Self, CertificateError> {
        let algorithm = match options.algorithm {
            KeyAlgorithm::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            KeyAlgorithm::Rsa2048 => &PKCS_RSA_SHA256,
        };
        let mut key = KeyPair::generate_for(algorithm).map_err(|_| CertificateError::Generation)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "WebRTC");
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.is_ca = IsCa::NoCa;
        // Whole seconds are all that a certificate can say.
        let now = Duration::from_secs(now.as_secs());
        let lifetime = options.expires_in.min(CertificateOptions::MAX_LIFETIME);
        let end = now
            .checked_add(Duration::from_secs(lifetime.as_secs()))
            .filter(|end| end.as_secs() < YEAR_10000);
        let end = end.ok_or(CertificateError::Time)?;
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_before = epoch + now.saturating_sub(BACKDATED);
        params.not_after = epoch + end;
        // The serial number is left to `rcgen`: a hash of the fresh public key, so unique.
        let signed = params
            .self_signed(&key)
            .map_err(|_| CertificateError::Generation)?;
        let made = Self::from_der(signed.der(), &Zeroizing::new(key.serialize_der()));
        key.zeroize();
        made
    }

    /// A certificate made earlier.
    ///
    /// `private_key` is PKCS #8 DER, or SEC 1 for ECDSA, or PKCS #1 for RSA. Whether the certificate
    /// has expired is not checked.
    ///
    /// # Errors
    ///
    /// The certificate or the key cannot be read, is of a kind that is not supported, or they do not
    /// belong together.
    pub fn from_der(certificate: &[u8], private_key: &[u8]) -> Result<Self, CertificateError> {
        let expires = der::not_after(certificate).map_err(CertificateError::Malformed)?;
        let kind = check_pair(certificate, private_key)?;
        Ok(Self(Arc::new(Inner {
            der: certificate.to_vec(),
            private_key: Zeroizing::new(private_key.to_vec()),
            expires,
            kind,
        })))
    }

    /// A certificate made earlier, from text as [`to_pem`](Self::to_pem) writes it.
    ///
    /// One `CERTIFICATE` and one `PRIVATE KEY` (or `EC PRIVATE KEY`, `RSA PRIVATE KEY`), in either
    /// order; what stands outside of the blocks is ignored (RFC 7468 §2).
    ///
    /// # Errors
    ///
    /// [`CertificateError::Pem`], and those of [`from_der`](Self::from_der).
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let contents = pem::read(text)?;
        Self::from_der(&contents.certificate, &contents.private_key)
    }

    /// The certificate and the private key as PEM text (RFC 7468), to keep them for the next run;
    /// erased from memory when it is dropped. Whoever has it can pose as this endpoint.
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::write(&self.0.der, &self.0.private_key)
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The private key in DER, to keep it for the next run. Whoever has it can pose as this
    /// endpoint.
    pub fn private_key_der(&self) -> &[u8] {
        &self.0.private_key
    }

    /// When it expires, as the time since the Unix epoch; `RTCCertificate.expires` is that in
    /// milliseconds.
    pub fn expires(&self) -> Duration {
        self.0.expires
    }

    /// Whether it has expired at `now`, the time since the Unix epoch. A connection takes it all the
    /// same; W3C's constructor of `RTCPeerConnection` does not (webrtc-pc §4.4.1.1).
    pub fn has_expired(&self, now: Duration) -> bool {
        self.0.expires <= now
    }

    /// Its fingerprint for the session description.
    pub fn fingerprint(&self, algorithm: HashAlgorithm) -> Fingerprint {
        Fingerprint::of(algorithm, self.der())
    }

    /// Its fingerprints, W3C `getFingerprints()`: the one with SHA-256, which every endpoint knows,
    /// and those with the hash functions in `more`, each once.
    pub fn fingerprints(&self, more: &[HashAlgorithm]) -> Vec<Fingerprint> {
        let mut algorithms = vec![HashAlgorithm::Sha256];
        for algorithm in more {
            if !algorithms.contains(algorithm) {
                algorithms.push(*algorithm);
            }
        }
        algorithms
            .into_iter()
            .map(|algorithm| self.fingerprint(algorithm))
            .collect()
    }

    pub(crate) fn kind(&self) -> KeyKind {
        self.0.kind
    }

    /// What an impostor has: one certificate, and the key of another.
    #[cfg(test)]
    pub(crate) fn of_impostor(shown: &Self, own: &Self) -> Self {
        Self(Arc::new(Inner {
            der: shown.0.der.clone(),
            private_key: own.0.private_key.clone(),
            expires: shown.0.expires,
            kind: own.0.kind,
        }))
    }
}

/// 10000-01-01, the first second that a certificate cannot say (RFC 5280 §4.1.2.5).
const YEAR_10000: u64 = 253_402_300_800;

impl PartialEq for Certificate {
    /// Two are equal when their certificates are, whatever the encoding of the key.
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.fingerprint(HashAlgorithm::Sha256))
            .field("expires", &self.0.expires)
            .finish_non_exhaustive()
    }
}

/// Signs with the key and verifies with the certificate. It also rules out what `dimpl` would
/// panic on: an empty certificate and a key that it cannot load.
fn check_pair(certificate: &[u8], private_key: &[u8]) -> Result<KeyKind, CertificateError> {
    match der::public_key(certificate) {
        PublicKey::Ecdsa => check_ecdsa(certificate, private_key),
        public @ PublicKey::Rsa { key, .. } if public.is_supported() => check_rsa(key, private_key),
        _ => Err(CertificateError::KeyAlgorithm),
    }
}

const MESSAGE: &[u8] = b"pc-dtls";

fn check_ecdsa(certificate: &[u8], private_key: &[u8]) -> Result<KeyKind, CertificateError> {
    let provider = aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(private_key);
    let Ok(mut key) = key else {
        return Err(match rsa::PrivateKey::from_der(private_key) {
            Some(_) => CertificateError::KeyMismatch,
            None => CertificateError::PrivateKey,
        });
    };
    let hash = key.hash_algorithm();
    let mut signature = Buf::new();
    key.sign(MESSAGE, hash, &mut signature)
        .map_err(|_| CertificateError::PrivateKey)?;
    provider
        .signature_verification
        .verify_signature(
            certificate,
            MESSAGE,
            &signature,
            hash,
            SignatureAlgorithm::ECDSA,
        )
        .map_err(|_| CertificateError::KeyMismatch)?;
    Ok(KeyKind::Ecdsa)
}

fn check_rsa(public_key: &[u8], private_key: &[u8]) -> Result<KeyKind, CertificateError> {
    let Some(key) = rsa::PrivateKey::from_der(private_key) else {
        let ecdsa = aws_lc_rs::default_provider()
            .key_provider
            .load_private_key(private_key);
        return Err(match ecdsa {
            Ok(_) => CertificateError::KeyMismatch,
            Err(_) => CertificateError::PrivateKey,
        });
    };
    let signature = key
        .sign(Padding::Pkcs1, MESSAGE)
        .ok_or(CertificateError::PrivateKey)?;
    if !rsa::verify(Padding::Pkcs1, public_key, MESSAGE, &signature) {
        return Err(CertificateError::KeyMismatch);
    }
    let signature_len = key.signature_len();
    Ok(KeyKind::Rsa { signature_len })
}

#[cfg(test)]
mod tests;
