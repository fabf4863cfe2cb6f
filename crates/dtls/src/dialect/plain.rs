//! Messages in the clear: the ClientHello, and most of a DTLS 1.2 handshake.

use super::{
    Dialect, carry_scheme, carry_suite, hellos,
    hellos::CERTIFICATE_REQUEST_12,
    protected::replaced,
    restore_suite,
    scheme::{ECDSA_SECP256R1_SHA256, RSA_PKCS1_SHA256},
    scheme_of_key_exchange,
};
use crate::{
    Version,
    certificate::KeyKind,
    hello::{self, Fragment, Reassembly, fragments, message_type as msg},
    record::{self, Header, Record, Records, content_type},
};

/// One connection's translation of what is in the clear.
#[derive(Debug)]
pub(crate) struct Translation {
    dialect: Dialect,
    own: KeyKind,
    /// Messages of which a part has come, by their type.
    partial: [(u8, Reassembly); 3],
}

impl Translation {
    pub(crate) fn new(dialect: Dialect, own: KeyKind) -> Self {
        let partial = [
            msg::SERVER_KEY_EXCHANGE,
            msg::CERTIFICATE_REQUEST,
            msg::CERTIFICATE_VERIFY,
        ];
        Self {
            dialect,
            own,
            partial: partial.map(|message_type| (message_type, Reassembly::default())),
        }
    }

    /// Forgets what has come of messages, once no more of them are expected.
    pub(crate) fn forget(&mut self) {
        for (_, reassembly) in &mut self.partial {
            *reassembly = Reassembly::default();
        }
    }

    /// Turns a peer's ClientHello, header included, into its carried form.
    pub(crate) fn carry_client_hello(&self, message: &mut [u8]) {
        if self.dialect.rsa
            && let Some(body) = message.get_mut(hello::HEADER_LEN..)
        {
            hellos::swap_client_hello(body);
        }
    }

    /// The carried form of a peer's record.
    ///
    /// `None` when that is the wire form. Empty when there is nothing to hand on yet: a message that
    /// is translated is collected first, and then comes in one record.
    pub(crate) fn carry(
        &mut self,
        version: Option<Version>,
        record: &Record<'_>,
    ) -> Option<Vec<u8>> {
        let Header::Fixed {
            content_type: content_type::HANDSHAKE,
            epoch: 0,
            sequence,
        } = record.header
        else {
            return None;
        };
        let fragments = fragments(record.fragment).ok()?;
        let is_hello = |fragment: &Fragment<'_>| fragment.message_type == msg::SERVER_HELLO;
        let is_translated = |fragment: &Fragment<'_>| {
            let collected = self
                .partial
                .iter()
                .any(|(kind, _)| *kind == fragment.message_type);
            is_hello(fragment) || collected && version != Some(Version::Dtls13)
        };
        if !fragments.iter().any(is_translated) {
            return None;
        }
        let mut messages = Vec::with_capacity(record.fragment.len());
        for fragment in &fragments {
            let slot = self
                .partial
                .iter_mut()
                .find(|(kind, _)| *kind == fragment.message_type);
            let mut message = match slot {
                Some((_, reassembly)) => match reassembly.push(fragment) {
                    Some(message) => message,
                    None => continue,
                },
                None => fragment.to_vec(),
            };
            if let Some(body) = message.get_mut(hello::HEADER_LEN..) {
                self.carry_body(fragment.message_type, body);
            }
            messages.extend(message);
        }
        if messages.is_empty() {
            return Some(messages);
        }
        Some(record::plaintext(
            content_type::HANDSHAKE,
            sequence,
            &[&messages],
        ))
    }

    fn carry_body(&self, message_type: u8, body: &mut [u8]) {
        match message_type {
            msg::SERVER_HELLO => carry_suite(body),
            msg::SERVER_KEY_EXCHANGE => carry_scheme(scheme_of_key_exchange(body)),
            msg::CERTIFICATE_REQUEST if self.dialect.rsa => {
                hellos::swap_certificate_request(body);
            }
            msg::CERTIFICATE_VERIFY => carry_scheme(body.get_mut(..2)),
            _ => {}
        }
    }

    /// The wire form of a datagram of ours, when it is not the carried form.
    pub(crate) fn wire(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        if datagram.first() != Some(&content_type::HANDSHAKE) {
            return None;
        }
        let mut wire = Vec::with_capacity(datagram.len() + super::GROWTH);
        for record in Records::new(datagram) {
            let record = record.ok()?;
            match record.header {
                Header::Fixed {
                    content_type: content_type::HANDSHAKE,
                    epoch: 0,
                    sequence,
                } => {
                    let messages: Vec<u8> = fragments(record.fragment)
                        .ok()?
                        .iter()
                        .flat_map(|fragment| self.wire_fragment(fragment))
                        .collect();
                    wire.extend(record::plaintext(
                        content_type::HANDSHAKE,
                        sequence,
                        &[&messages],
                    ));
                }
                _ => wire.extend_from_slice(record.bytes),
            }
        }
        Some(wire)
    }

    fn wire_fragment(&self, fragment: &Fragment<'_>) -> Vec<u8> {
        let is_client = self.dialect.is_client();
        let mut body = fragment.body.to_vec();
        match (fragment.message_type, self.own) {
            // One that does not fit into a datagram is not translated.
            (msg::CLIENT_HELLO, _) if is_client && fragment.is_whole() => {
                if let Some(hello) = self.dialect.wire_client_hello(&body) {
                    body = hello;
                }
                return Fragment {
                    length: body.len(),
                    body: &body,
                    ..*fragment
                }
                .to_vec();
            }
            (msg::CERTIFICATE_REQUEST, _) => return replaced(fragment, &CERTIFICATE_REQUEST_12),
            (msg::SERVER_HELLO, KeyKind::Rsa { .. }) => restore_suite(&mut body),
            (msg::SERVER_KEY_EXCHANGE, KeyKind::Rsa { signature_len }) => {
                // It ends in the scheme, the signature's length, and the signature.
                let scheme_at = fragment.length.checked_sub(2 + 2 + signature_len);
                sign_with_rsa(scheme_at, fragment.offset, &mut body);
            }
            (msg::CERTIFICATE_VERIFY, KeyKind::Rsa { .. }) => {
                sign_with_rsa(Some(0), fragment.offset, &mut body);
            }
            _ => {}
        }
        Fragment {
            body: &body,
            ..*fragment
        }
        .to_vec()
    }
}

/// Turns `ecdsa_secp256r1_sha256` at `scheme_at` into `rsa_pkcs1_sha256`, in the part of a message
/// that begins at `offset`: they differ in the second byte.
fn sign_with_rsa(scheme_at: Option<usize>, offset: usize, body: &mut [u8]) {
    let ([_, ecdsa], [_, rsa]) = (ECDSA_SECP256R1_SHA256, RSA_PKCS1_SHA256);
    if let Some(byte) = scheme_at
        .and_then(|at| (at + 1).checked_sub(offset))
        .and_then(|at| body.get_mut(at))
        .filter(|byte| **byte == ecdsa)
    {
        *byte = rsa;
    }
}
