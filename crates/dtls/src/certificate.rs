//! The certificate of an endpoint.

use std::{fmt, sync::Arc, time::Duration};

use dimpl::crypto::{Buf, SignatureAlgorithm, aws_lc_rs};
use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256};
use zeroize::Zeroizing;

use crate::{Fingerprint, HashAlgorithm, der};

/// How long before its making a certificate is already valid: a day, as browsers do it, for peers
/// whose clock is late.
const BACKDATED: Duration = Duration::from_secs(24 * 3600);

/// How long a certificate is valid: 30 days, the default of W3C `generateCertificate`.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// A self-signed certificate and its private key; cloning it is cheap.
///
/// ```
/// use pc_dtls::{Certificate, HashAlgorithm};
/// use std::time::Duration;
///
/// // The time since the Unix epoch; an application takes it from `SystemTime`.
/// let now = Duration::from_secs(1_790_000_000);
/// let certificate = Certificate::generate(now)?;
/// assert_eq!(certificate.expires(), now + Duration::from_secs(30 * 24 * 3600));
/// // What goes into the session description as `a=fingerprint`:
/// assert!(certificate.fingerprint(HashAlgorithm::Sha256).to_string().starts_with("sha-256 "));
/// // Kept for the next run:
/// let same = Certificate::from_der(certificate.der(), certificate.private_key_der())?;
/// assert_eq!(same, certificate);
/// # Ok::<(), pc_dtls::CertificateError>(())
/// ```
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
    expires: Duration,
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
    /// The private key is not an ECDSA P-256 or P-384 key in PKCS #8 or SEC 1 DER.
    #[error("the private key is not an ECDSA P-256 or P-384 key in DER")]
    PrivateKey,
    /// The private key is not that of the certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
}

impl Certificate {
    /// Makes a certificate as browsers do: ECDSA on P-256, self-signed, subject `CN=WebRTC`, a
    /// serial number of its own, valid from a day before `now` until 30 days after.
    ///
    /// `now` is the time since the Unix epoch. The key comes from the cryptographic library's own
    /// random generator, seeded by the operating system: a key is not replayed from a seed.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Generation`] or [`CertificateError::Time`].
    pub fn generate(now: Duration) -> Result<Self, CertificateError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
            .map_err(|_| CertificateError::Generation)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "WebRTC");
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.is_ca = IsCa::NoCa;
        // Whole seconds are all that a certificate can say.
        let now = Duration::from_secs(now.as_secs());
        let end = now
            .checked_add(LIFETIME)
            .filter(|end| end.as_secs() < YEAR_10000);
        let end = end.ok_or(CertificateError::Time)?;
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_before = epoch + now.saturating_sub(BACKDATED);
        params.not_after = epoch + end;
        // The serial number is left to `rcgen`: a hash of the fresh public key, so unique.
        let signed = params
            .self_signed(&key)
            .map_err(|_| CertificateError::Generation)?;
        Self::from_der(signed.der(), &Zeroizing::new(key.serialize_der()))
    }

    /// A certificate made earlier.
    ///
    /// `private_key` is PKCS #8 or SEC 1 DER. Whether the certificate has expired is not checked.
    ///
    /// # Errors
    ///
    /// The certificate or the key cannot be read, or they do not belong together.
    pub fn from_der(certificate: &[u8], private_key: &[u8]) -> Result<Self, CertificateError> {
        let expires = der::not_after(certificate).map_err(CertificateError::Malformed)?;
        check_pair(certificate, private_key)?;
        Ok(Self(Arc::new(Inner {
            der: certificate.to_vec(),
            private_key: Zeroizing::new(private_key.to_vec()),
            expires,
        })))
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

    /// When it expires, as the time since the Unix epoch.
    pub fn expires(&self) -> Duration {
        self.0.expires
    }

    /// Its fingerprint for the session description.
    pub fn fingerprint(&self, algorithm: HashAlgorithm) -> Fingerprint {
        Fingerprint::of(algorithm, self.der())
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
fn check_pair(certificate: &[u8], private_key: &[u8]) -> Result<(), CertificateError> {
    let provider = aws_lc_rs::default_provider();
    let mut key = provider
        .key_provider
        .load_private_key(private_key)
        .map_err(|_| CertificateError::PrivateKey)?;
    let hash = key.hash_algorithm();
    let mut signature = Buf::new();
    key.sign(b"pc-dtls", hash, &mut signature)
        .map_err(|_| CertificateError::PrivateKey)?;
    provider
        .signature_verification
        .verify_signature(
            certificate,
            b"pc-dtls",
            &signature,
            hash,
            SignatureAlgorithm::ECDSA,
        )
        .map_err(|_| CertificateError::KeyMismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_790_000_000);

    #[test]
    fn two_certificates_share_nothing() {
        let (a, b) = (
            Certificate::generate(NOW).unwrap(),
            Certificate::generate(NOW).unwrap(),
        );
        assert_ne!(a, b);
        // The serial number follows the version, `[0] { INTEGER 2 }`.
        let serial = |certificate: &Certificate| {
            let version = [0xA0, 3, 2, 1, 2];
            let at = certificate
                .der()
                .windows(5)
                .position(|bytes| bytes == version);
            certificate.der()[at.unwrap() + 5..][..20].to_vec()
        };
        assert_eq!(serial(&a)[0], 2, "an INTEGER");
        assert_ne!(serial(&a), serial(&b));
        assert!(a.der().windows(6).any(|bytes| bytes == b"WebRTC"));
    }

    #[test]
    fn the_key_must_belong_to_the_certificate() {
        let (a, b) = (
            Certificate::generate(NOW).unwrap(),
            Certificate::generate(NOW).unwrap(),
        );
        let error = |der: &[u8], key: &[u8]| Certificate::from_der(der, key).unwrap_err();
        assert_eq!(
            error(a.der(), b.private_key_der()),
            CertificateError::KeyMismatch
        );
        assert_eq!(error(a.der(), b""), CertificateError::PrivateKey);
        assert!(matches!(
            error(b"", a.private_key_der()),
            CertificateError::Malformed(_)
        ));
        assert_eq!(
            Certificate::generate(Duration::MAX),
            Err(CertificateError::Time)
        );
    }

    #[test]
    fn the_private_key_is_never_printed() {
        let text = format!("{:?}", Certificate::generate(NOW).unwrap());
        assert!(text.contains("sha-256") && !text.contains("key"), "{text}");
    }
}
