//! RSA signatures, [RFC 8017](https://www.rfc-editor.org/rfc/rfc8017), with SHA-256: those of
//! `RSASSA-PKCS1-v1_5` and those of `RSASSA-PSS`, which a key of the one kind makes too.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
        RsaEncoding, RsaKeyPair, RsaParameters, UnparsedPublicKey,
    },
};

/// The lengths of a modulus in bytes that are used here: at least the 2,048 bits of NIST SP 800-57
/// (and of W3C `generateCertificate`), at most what `dimpl` has room for in a signature.
pub(crate) const MODULUS_LEN: std::ops::RangeInclusive<usize> = 256..=512;

/// How a signature is padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// `rsa_pkcs1_sha256`, for certificates and DTLS 1.2.
    Pkcs1,
    /// `rsa_pss_rsae_sha256`, the only one in DTLS 1.3 (RFC 8446 §4.2.3).
    Pss,
}

/// A private key.
pub(crate) struct PrivateKey(RsaKeyPair);

impl PrivateKey {
    /// From PKCS #8 or PKCS #1 DER.
    pub(crate) fn from_der(der: &[u8]) -> Option<Self> {
        let key = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
        key.ok()
            .filter(|key| MODULUS_LEN.contains(&key.public_modulus_len()))
            .map(Self)
    }

    /// The length of a signature in bytes.
    pub(crate) fn signature_len(&self) -> usize {
        self.0.public_modulus_len()
    }

    pub(crate) fn sign(&self, padding: Padding, message: &[u8]) -> Option<Vec<u8>> {
        let encoding: &'static dyn RsaEncoding = match padding {
            Padding::Pkcs1 => &RSA_PKCS1_SHA256,
            Padding::Pss => &RSA_PSS_SHA256,
        };
        let mut signature = vec![0; self.signature_len()];
        self.0
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .ok()?;
        Some(signature)
    }
}

/// Whether `signature` is the one of `message` by the `RSAPublicKey` in `key`.
pub(crate) fn verify(padding: Padding, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let parameters: &'static RsaParameters = match padding {
        Padding::Pkcs1 => &RSA_PKCS1_2048_8192_SHA256,
        Padding::Pss => &RSA_PSS_2048_8192_SHA256,
    };
    UnparsedPublicKey::new(parameters, key)
        .verify(message, signature)
        .is_ok()
}
