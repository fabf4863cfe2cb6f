//! RSA for a handshake that knows ECDSA alone.
//!
//! `dimpl` negotiates, checks and writes nothing but ECDSA. What it is given to read and what it
//! writes is therefore its *carried* form, and what travels is the *wire* form; they differ where a
//! message names an algorithm:
//!
//! | message | wire | carried |
//! |---|---|---|
//! | ClientHello, ours | also offers RSA suites and schemes | offers ECDSA |
//! | ClientHello to a server with an RSA key | | RSA and ECDSA change places |
//! | ServerHello of DTLS 1.2 | `ECDHE_RSA` | `ECDHE_ECDSA` |
//! | CertificateRequest, ours | also takes RSA | takes ECDSA |
//! | CertificateRequest to a client with an RSA key, DTLS 1.2 | | RSA and ECDSA change places |
//! | Certificate of a DTLS 1.3 peer | `rsaEncryption` | [`MARKED`], of the same length |
//! | ServerKeyExchange, CertificateVerify | `rsa_pkcs1_sha256`, `rsa_pss_rsae_sha256` | an ECDSA scheme |
//!
//! The transcript is what makes this sound. Whatever the handshake hashes, signs or verifies goes
//! through this crate's [`signature`] and [`transcript`], which put the wire form back first. So
//! both sides hash the bytes that really travelled, every signature is made and checked over them,
//! by the algorithm that the certificate's real key has, and a message whose two forms do not belong
//! together, whoever made it so, leads to a Finished that does not match.
//!
//! In the clear, messages are translated whole ([`plain`]). What DTLS 1.3 encrypts is translated
//! inside of the cipher, fragment by fragment and byte by byte ([`protected`]).

use crate::{
    Role,
    certificate::KeyKind,
    der::{self, RSA_ENCRYPTION},
};

pub(crate) mod hellos;
pub(crate) mod plain;
pub(crate) mod protected;
pub(crate) mod signature;
#[cfg(test)]
mod tests;
pub(crate) mod transcript;

/// How many bytes a translation adds to a datagram at most: two cipher suites and two signature
/// schemes to a ClientHello, or as much to a CertificateRequest.
pub(crate) const GROWTH: usize = 8;

/// Whose handshake it is, which decides what its messages look like on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) role: Role,
    /// Our own key is an RSA key.
    pub(crate) rsa: bool,
}

impl Dialect {
    pub(crate) const fn of(client: bool, rsa: bool) -> Self {
        let role = if client { Role::Client } else { Role::Server };
        Self { role, rsa }
    }

    pub(crate) fn new(role: Role, kind: KeyKind) -> Self {
        let rsa = matches!(kind, KeyKind::Rsa { .. });
        Self { role, rsa }
    }

    pub(crate) fn is_client(self) -> bool {
        self.role == Role::Client
    }
}

/// Signature schemes, RFC 8446 §4.2.3; in DTLS 1.2 the same numbers are a hash function and a
/// signature algorithm (RFC 5246 §7.4.1.4.1).
pub(crate) mod scheme {
    pub(crate) const ECDSA_SECP256R1_SHA256: [u8; 2] = [4, 3];
    pub(crate) const ECDSA_SECP384R1_SHA384: [u8; 2] = [5, 3];
    pub(crate) const RSA_PKCS1_SHA256: [u8; 2] = [4, 1];
    pub(crate) const RSA_PSS_RSAE_SHA256: [u8; 2] = [8, 4];
}

/// What stands for the AlgorithmIdentifier of an RSA key: an object identifier that names no
/// algorithm (1.3.6.1.4), with the parameter from which `dimpl` concludes P-384.
pub(crate) const MARKED: [u8; 15] = [0x30, 13, 6, 4, 0x2B, 6, 1, 4, 6, 5, 0x2B, 0x81, 4, 0, 0x22];

/// Turns a peer's certificate into the one that travelled; the length stays.
pub(crate) fn unmark(certificate: &mut [u8]) {
    if let Some(algorithm) = der::key_algorithm_at(certificate)
        .and_then(|at| certificate.get_mut(at..at + MARKED.len()))
        .filter(|algorithm| **algorithm == MARKED)
    {
        algorithm.copy_from_slice(&RSA_ENCRYPTION);
    }
}

/// Whether the two bytes at the start of `bytes` name an RSA scheme; if so they become the ECDSA
/// scheme that stands for it.
fn carry_scheme(bytes: Option<&mut [u8]>) {
    if let Some(bytes) = bytes {
        let carried = match *bytes {
            [4, 1] => scheme::ECDSA_SECP256R1_SHA256,
            [8, 4] => scheme::ECDSA_SECP384R1_SHA384,
            _ => return,
        };
        bytes.copy_from_slice(&carried);
    }
}

/// Cipher suites of DTLS 1.2 that differ in nothing but the key: with RSA, with ECDSA.
pub(crate) const SUITES: [([u8; 2], [u8; 2]); 2] =
    [([0xC0, 0x2F], [0xC0, 0x2B]), ([0xC0, 0x30], [0xC0, 0x2C])];

/// Where the cipher suite stands in a ServerHello (RFC 5246 §7.4.1.3).
fn suite_of_server_hello(body: &mut [u8]) -> Option<&mut [u8]> {
    let session_id = usize::from(*body.get(34)?);
    body.get_mut(35 + session_id..37 + session_id)
}

fn replace(bytes: Option<&mut [u8]>, pairs: impl IntoIterator<Item = ([u8; 2], [u8; 2])>) {
    if let Some(bytes) = bytes
        && let Some((_, new)) = pairs.into_iter().find(|(old, _)| *bytes == *old)
    {
        bytes.copy_from_slice(&new);
    }
}

/// `ECDHE_RSA` to `ECDHE_ECDSA`.
fn carry_suite(server_hello: &mut [u8]) {
    replace(suite_of_server_hello(server_hello), SUITES);
}

/// `ECDHE_ECDSA` to `ECDHE_RSA`.
fn restore_suite(server_hello: &mut [u8]) {
    let back = SUITES.map(|(rsa, ecdsa)| (ecdsa, rsa));
    replace(suite_of_server_hello(server_hello), back);
}

/// Where the scheme stands in a ServerKeyExchange with a curve by name (RFC 8422 §5.4).
fn scheme_of_key_exchange(body: &mut [u8]) -> Option<&mut [u8]> {
    let public = usize::from(*body.get(3)?);
    body.get_mut(4 + public..6 + public)
}
