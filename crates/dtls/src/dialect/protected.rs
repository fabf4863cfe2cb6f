//! What DTLS 1.3 encrypts, translated inside of the cipher.
//!
//! A cipher gets one record at a time, so a message comes in fragments here, and a record read
//! cannot change its length: each byte is translated by where it stands in its message. In a record
//! written there is room for the two bytes that a CertificateRequest gains: to `dimpl` the tag of a
//! server's records is that much longer. Records that have no use for them end in zeros, the padding
//! of RFC 8446 §5.4.

use dimpl::{
    CryptoError, CryptoOperation,
    crypto::{
        Aad, Buf, Cipher, Dtls13CipherSuite, HashAlgorithm, Nonce, SupportedDtls13CipherSuite,
        TmpBuf, aws_lc_rs,
    },
};
use pc_proto::Reader;

use super::{
    Dialect, MARKED, carry_scheme,
    hellos::{CARRIED_REQUEST_13_LEN, CERTIFICATE_REQUEST_13},
    transcript::certificate_at,
};
use crate::{
    der::{self, RSA_ENCRYPTION},
    hello::{self, Fragment, fragments, message_type as msg},
    record::content_type,
};

/// The length of the tag of every suite below (RFC 8446 §B.4).
const TAG_LEN: usize = 16;

/// What a server's records have to spare.
const SPARE: usize = CERTIFICATE_REQUEST_13.len() - CARRIED_REQUEST_13_LEN;

/// One of the library's suites.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) dialect: Dialect,
    pub(crate) suite: Dtls13CipherSuite,
}

impl Suite {
    fn inner(&self) -> Option<&'static dyn SupportedDtls13CipherSuite> {
        aws_lc_rs::default_provider()
            .dtls13_cipher_suites
            .iter()
            .find(|inner| inner.suite() == self.suite)
            .copied()
    }
}

impl SupportedDtls13CipherSuite for Suite {
    fn suite(&self) -> Dtls13CipherSuite {
        self.suite
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.suite.hash_algorithm()
    }

    /// RFC 5116 §5 and RFC 8439 §2.8.
    fn key_len(&self) -> usize {
        match self.suite {
            Dtls13CipherSuite::AES_128_GCM_SHA256 => 16,
            _ => 32,
        }
    }

    fn iv_len(&self) -> usize {
        12
    }

    fn tag_len(&self) -> usize {
        if self.dialect.is_client() {
            TAG_LEN
        } else {
            TAG_LEN + SPARE
        }
    }

    /// A peer's records have no bytes to spare.
    fn min_protected_fragment_len(&self) -> usize {
        TAG_LEN
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        let inner = self
            .inner()
            .ok_or(CryptoError::OperationFailed(CryptoOperation::CreateCipher))?;
        Ok(Box::new(Translating {
            dialect: self.dialect,
            inner: inner.create_cipher(key)?,
            peer: PeerCertificate::default(),
        }))
    }

    fn encrypt_sn(&self, key: &[u8], sample: &[u8; 16]) -> [u8; 16] {
        self.inner()
            .map_or([0; 16], |inner| inner.encrypt_sn(key, sample))
    }
}

#[derive(Debug)]
struct Translating {
    dialect: Dialect,
    inner: Box<dyn Cipher>,
    peer: PeerCertificate,
}

impl Cipher for Translating {
    fn encrypt(&mut self, plaintext: &mut Buf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        // What ends a record's plaintext is its type (RFC 8446 §5.2).
        if let Some((&content_type::HANDSHAKE, content)) = plaintext.split_last()
            && let Some(wire) = self.dialect.wire_fragments(content)
        {
            plaintext.clear();
            plaintext.extend_from_slice(&wire);
            plaintext.push(content_type::HANDSHAKE);
        }
        if let Some(len) = ciphertext_len(&aad) {
            let padding = len.saturating_sub(plaintext.len() + TAG_LEN).min(SPARE);
            plaintext.resize(plaintext.len() + padding, 0);
        }
        self.inner.encrypt(plaintext, aad, nonce)
    }

    fn decrypt(
        &mut self,
        ciphertext: &mut TmpBuf<'_>,
        aad: Aad,
        nonce: Nonce,
    ) -> Result<(), CryptoError> {
        self.inner.decrypt(ciphertext, aad, nonce)?;
        let plaintext = ciphertext.as_mut();
        let end = plaintext.iter().rposition(|byte| *byte != 0);
        match end.and_then(|end| plaintext.split_at_mut_checked(end)) {
            Some((content, [content_type::HANDSHAKE, ..])) => self.carry_fragments(content),
            _ => Ok(()),
        }
    }
}

/// What the header says, which is what is authenticated in addition (RFC 9147 §4): flags with a
/// length, two bytes of the sequence number, the length.
fn ciphertext_len(aad: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(aad);
    let flags = reader.u8("flags").ok()?;
    reader.u16("sequence number").ok()?;
    let len = reader.u16("length").ok()?;
    (flags & 0b1111_1100 == 0b0010_1100 && reader.is_empty()).then_some(usize::from(len))
}

impl Dialect {
    /// The wire form of our own messages in a record, when it is not the carried form.
    fn wire_fragments(self, content: &[u8]) -> Option<Vec<u8>> {
        let translated = |fragment: &Fragment<'_>| match fragment.message_type {
            msg::CERTIFICATE_REQUEST => !self.is_client(),
            msg::CERTIFICATE_VERIFY => self.rsa,
            _ => false,
        };
        let fragments = fragments(content).ok()?;
        if !fragments.iter().any(translated) {
            return None;
        }
        let mut wire = Vec::with_capacity(content.len() + SPARE);
        for fragment in &fragments {
            match fragment.message_type {
                _ if !translated(fragment) => wire.extend(fragment.to_vec()),
                msg::CERTIFICATE_REQUEST => {
                    wire.extend(replaced(fragment, &CERTIFICATE_REQUEST_13));
                }
                _ => wire.extend(with_rsa_pss(fragment)),
            }
        }
        Some(wire)
    }
}

/// The same part of another message, which is no shorter; what it has more is in the last part.
pub(crate) fn replaced(fragment: &Fragment<'_>, message: &[u8]) -> Vec<u8> {
    let end = fragment.offset + fragment.body.len();
    let end = if end == fragment.length {
        message.len()
    } else {
        end
    };
    Fragment {
        length: message.len(),
        body: message.get(fragment.offset..end).unwrap_or_default(),
        ..*fragment
    }
    .to_vec()
}

/// A CertificateVerify of ours, `ecdsa_secp256r1_sha256` turned into `rsa_pss_rsae_sha256`.
fn with_rsa_pss(fragment: &Fragment<'_>) -> Vec<u8> {
    let mut body = fragment.body.to_vec();
    for (position, byte) in super::scheme::RSA_PSS_RSAE_SHA256.into_iter().enumerate() {
        if let Some(at) = position.checked_sub(fragment.offset)
            && let Some(old) = body.get_mut(at)
        {
            *old = byte;
        }
    }
    Fragment {
        body: &body,
        ..*fragment
    }
    .to_vec()
}

impl Translating {
    /// Turns a peer's messages into their carried form.
    ///
    /// # Errors
    ///
    /// A part of a Certificate came before the one in front of it: it is as good as lost, and comes
    /// again.
    fn carry_fragments(&mut self, content: &mut [u8]) -> Result<(), CryptoError> {
        let Ok(parsed) = fragments(content) else {
            return Ok(());
        };
        let mut headers = Vec::with_capacity(parsed.len());
        headers.extend(
            parsed
                .iter()
                .map(|part| (part.message_type, part.offset, part.body.len())),
        );
        let mut rest = content;
        for (message_type, offset, len) in headers {
            let Some((part, next)) = rest.split_at_mut_checked(hello::HEADER_LEN + len) else {
                return Ok(());
            };
            rest = next;
            let body = part.get_mut(hello::HEADER_LEN..).unwrap_or_default();
            match message_type {
                msg::CERTIFICATE => self.peer.mark(offset, body)?,
                msg::CERTIFICATE_VERIFY => carry_part_of_scheme(offset, body),
                _ => {}
            }
        }
        Ok(())
    }
}

/// As [`carry_scheme`], for a part that has perhaps only one of the two bytes.
fn carry_part_of_scheme(offset: usize, body: &mut [u8]) {
    match (offset, body) {
        (0, [one]) if *one == 8 => *one = 5,
        (0, body) => carry_scheme(body.get_mut(..2)),
        (1, [two, ..]) if *two == 4 => *two = 3,
        _ => {}
    }
}

/// The beginning of the peer's Certificate, as far as it is known: what it takes to find the
/// algorithm of its key. Of bounded length, as messages are.
#[derive(Debug, Default)]
struct PeerCertificate(Vec<u8>);

impl PeerCertificate {
    /// Puts [`MARKED`] in the place of `rsaEncryption`, as far as that is in this part of the
    /// message, which begins at `offset`.
    fn mark(&mut self, offset: usize, body: &mut [u8]) -> Result<(), CryptoError> {
        let known = self.0.len();
        if offset > known {
            return Err(CryptoError::OperationFailed(CryptoOperation::Decrypt));
        }
        self.0
            .extend_from_slice(body.get(known - offset..).unwrap_or_default());
        let Some(at) = self.algorithm_at() else {
            return Ok(());
        };
        let algorithm = self.0.get(at..).unwrap_or_default();
        // The two differ from the fourth byte on, at which it is sure that the key is an RSA key or
        // of some kind that is not supported anyway.
        let is_rsa = RSA_ENCRYPTION
            .iter()
            .zip(algorithm)
            .all(|(expected, actual)| expected == actual);
        if is_rsa {
            for (position, byte) in (at..).zip(MARKED) {
                if let Some(old) = position
                    .checked_sub(offset)
                    .and_then(|position| body.get_mut(position))
                {
                    *old = byte;
                }
            }
        }
        Ok(())
    }

    fn algorithm_at(&self) -> Option<usize> {
        let certificate = certificate_at(false, &self.0)?;
        Some(certificate + der::key_algorithm_at(self.0.get(certificate..)?)?)
    }
}
