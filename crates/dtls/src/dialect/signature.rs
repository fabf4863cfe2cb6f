//! Signatures with both kinds of key, over what really travelled.
//!
//! To `dimpl` an RSA key is one for ECDSA on P-256; the padding follows from what is signed.

use std::{borrow::Cow, fmt};

use dimpl::{
    CryptoError, CryptoOperation,
    crypto::{
        Buf, HashAlgorithm, KeyProvider, SignatureAlgorithm, SignatureVerifier, SigningKey,
        aws_lc_rs,
    },
};

use super::{Dialect, transcript, unmark};
use crate::{
    der::{self, PublicKey},
    hello::message_type as msg,
    rsa::{self, Padding},
};

/// What every signature of DTLS 1.3 is over begins with this (RFC 8446 §4.4.3), and none of
/// DTLS 1.2 does: those are over a ClientHello and what follows, or over two randoms and more, the
/// second of which this endpoint draws when it is the one that signs.
const CONTENT_13: [u8; 64] = [0x20; 64];

/// What is really signed.
///
/// The server signs, and the client verifies, parameters in DTLS 1.2. What the client signs and the
/// server verifies is the transcript.
fn signed<'a>(data: &'a [u8], dialect: Dialect, client_signs: bool) -> Cow<'a, [u8]> {
    if client_signs && data.first() == Some(&msg::CLIENT_HELLO) {
        transcript::wire(dialect, data)
    } else {
        Cow::Borrowed(data)
    }
}

/// Reads private keys.
#[derive(Debug)]
pub(crate) struct Keys(pub(crate) Dialect);

impl KeyProvider for Keys {
    fn load_private_key(&self, der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        if self.0.rsa {
            let key = rsa::PrivateKey::from_der(der).ok_or(CryptoError::InvalidPrivateKey)?;
            return Ok(Box::new(RsaKey {
                dialect: self.0,
                key,
            }));
        }
        let key = aws_lc_rs::default_provider()
            .key_provider
            .load_private_key(der)?;
        Ok(Box::new(EcdsaKey {
            dialect: self.0,
            key,
        }))
    }
}

#[derive(Debug)]
struct EcdsaKey {
    dialect: Dialect,
    key: Box<dyn SigningKey>,
}

impl SigningKey for EcdsaKey {
    fn sign(&mut self, data: &[u8], hash: HashAlgorithm, out: &mut Buf) -> Result<(), CryptoError> {
        let data = signed(data, self.dialect, self.dialect.is_client());
        self.key.sign(&data, hash, out)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.key.hash_algorithm()
    }

    fn supported_hash_algorithms(&self) -> &[HashAlgorithm] {
        self.key.supported_hash_algorithms()
    }
}

struct RsaKey {
    dialect: Dialect,
    key: rsa::PrivateKey,
}

impl SigningKey for RsaKey {
    fn sign(&mut self, data: &[u8], _: HashAlgorithm, out: &mut Buf) -> Result<(), CryptoError> {
        let padding = if data.starts_with(&CONTENT_13) {
            Padding::Pss
        } else {
            Padding::Pkcs1
        };
        let data = signed(data, self.dialect, self.dialect.is_client());
        let signature = self
            .key
            .sign(padding, &data)
            .ok_or(CryptoError::OperationFailed(CryptoOperation::Sign))?;
        out.clear();
        out.extend_from_slice(&signature);
        Ok(())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::SHA256
    }

    fn supported_hash_algorithms(&self) -> &[HashAlgorithm] {
        &[HashAlgorithm::SHA256]
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKey").finish_non_exhaustive()
    }
}

/// Verifies a peer's signatures.
#[derive(Debug)]
pub(crate) struct Verifier(pub(crate) Dialect);

impl SignatureVerifier for Verifier {
    fn verify_signature(
        &self,
        certificate: &[u8],
        data: &[u8],
        signature: &[u8],
        hash: HashAlgorithm,
        algorithm: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        let mut certificate = certificate.to_vec();
        unmark(&mut certificate);
        let data = signed(data, self.0, !self.0.is_client());
        let public = der::public_key(&certificate);
        if !public.is_supported() {
            return Err(CryptoError::UnsupportedPublicKeyAlgorithm);
        }
        let PublicKey::Rsa { key, .. } = public else {
            return aws_lc_rs::default_provider()
                .signature_verification
                .verify_signature(&certificate, &data, signature, hash, algorithm);
        };
        // See `carry_scheme`. PKCS #1 padding does not come this far in DTLS 1.3: the scheme that
        // stands for it is one for P-256, and the certificate is marked as one for P-384.
        let padding = match (hash, algorithm) {
            (HashAlgorithm::SHA256, SignatureAlgorithm::ECDSA) => Padding::Pkcs1,
            (HashAlgorithm::SHA384, SignatureAlgorithm::ECDSA) => Padding::Pss,
            _ => return Err(CryptoError::UnsupportedSignatureAlgorithm(algorithm)),
        };
        let valid = rsa::verify(padding, key, &data, signature);
        valid.then_some(()).ok_or(CryptoError::OperationFailed(
            CryptoOperation::VerifySignature,
        ))
    }
}
