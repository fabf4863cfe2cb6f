//! The handshake's transcript as both sides saw it.
//!
//! `dimpl` keeps the messages in their carried form, and hashes all of them anew whenever it needs
//! to. Here each is turned back into its wire form first. What it takes to do so without doubt is in
//! the transcript: nothing is hashed in DTLS 1.2 before the server's Certificate, which says which
//! kind of cipher suite the ServerHello chose, and each CertificateVerify follows its Certificate.

use std::borrow::Cow;

use dimpl::crypto::{Buf, HashAlgorithm, HashContext, HashProvider, aws_lc_rs};
use pc_proto::{Reader, Writer};

use super::{
    Dialect, MARKED, hellos,
    hellos::{CERTIFICATE_REQUEST_12, CERTIFICATE_REQUEST_13},
    restore_suite, scheme, scheme_of_key_exchange, unmark,
};
use crate::{
    der::{self, PublicKey},
    hello::message_type as msg,
};

/// The hash functions of a handshake.
#[derive(Debug)]
pub(crate) struct Transcripts(pub(crate) Dialect);

impl HashProvider for Transcripts {
    fn create_hash(&self, algorithm: HashAlgorithm) -> Box<dyn HashContext> {
        Box::new(WireHash {
            dialect: self.0,
            algorithm,
            carried: Vec::new(),
        })
    }
}

#[derive(Debug)]
struct WireHash {
    dialect: Dialect,
    algorithm: HashAlgorithm,
    carried: Vec<u8>,
}

impl HashContext for WireHash {
    fn update(&mut self, data: &[u8]) {
        self.carried.extend_from_slice(data);
    }

    fn clone_and_finalize(&self, out: &mut Buf) {
        let mut hash = aws_lc_rs::default_provider()
            .hash_provider
            .create_hash(self.algorithm);
        hash.update(&wire(self.dialect, &self.carried));
        hash.clone_and_finalize(out);
    }
}

/// What stands for a first ClientHello that was answered by a HelloRetryRequest (RFC 8446 §4.4.1).
const MESSAGE_HASH: u8 = 254;

struct Message<'a> {
    message_type: u8,
    /// DTLS 1.2 has it in the transcript (RFC 6347 §4.2.6), DTLS 1.3 has not (RFC 9147 §5.2).
    message_seq: Option<u16>,
    body: &'a [u8],
}

/// The wire form of a transcript. What is none stays as it is.
pub(crate) fn wire(dialect: Dialect, carried: &[u8]) -> Cow<'_, [u8]> {
    let Some(messages) = parse(carried) else {
        return Cow::Borrowed(carried);
    };
    let rsa: Vec<bool> = messages
        .iter()
        .filter(|message| message.message_type == msg::CERTIFICATE)
        .map(|message| has_rsa_key(message))
        .collect();
    let mut wire = Vec::with_capacity(carried.len() + super::GROWTH);
    let mut certificates = 0;
    for message in &messages {
        certificates += usize::from(message.message_type == msg::CERTIFICATE);
        // The server's certificate is the first, the client's the second.
        let of_server = rsa.first().copied().unwrap_or(false);
        let of_last = certificates.checked_sub(1).and_then(|at| rsa.get(at));
        let keys = Keys {
            of_server,
            of_sender: of_last.copied().unwrap_or(false),
            from_client: certificates > 1,
        };
        message.write(&dialect.wire_body(message, keys), &mut wire);
    }
    Cow::Owned(wire)
}

fn parse(carried: &[u8]) -> Option<Vec<Message<'_>>> {
    // A ClientHello's body begins with 0xFEFD, its number in DTLS 1.2 with a zero.
    let is_12 = match carried {
        [msg::CLIENT_HELLO, _, _, _, next, ..] => *next == 0,
        [MESSAGE_HASH, ..] => false,
        _ => return None,
    };
    let (mut reader, mut messages) = (Reader::new(carried), Vec::with_capacity(10));
    while !reader.is_empty() {
        let message_type = reader.u8("msg_type").ok()?;
        let length = reader.u24("length").ok()?;
        let message_seq = if is_12 {
            let number = reader.u16("message_seq").ok()?;
            let offset = reader.u24("fragment_offset").ok()?;
            let fragment_length = reader.u24("fragment_length").ok()?;
            ((offset, fragment_length) == (0, length)).then_some(())?;
            Some(number)
        } else {
            None
        };
        messages.push(Message {
            message_type,
            message_seq,
            body: reader.bytes(length as usize, "body").ok()?,
        });
    }
    Some(messages)
}

impl Message<'_> {
    fn is_12(&self) -> bool {
        self.message_seq.is_some()
    }

    fn write(&self, body: &[u8], out: &mut Vec<u8>) {
        let length = u32::try_from(body.len()).unwrap_or(0);
        let mut header = [0; crate::hello::HEADER_LEN];
        let mut writer = Writer::new(&mut header);
        // There is room for all of it, so nothing of this fails.
        let _ = writer.u8(self.message_type);
        let _ = writer.u24(length);
        if let Some(number) = self.message_seq {
            let _ = writer.u16(number);
            let _ = writer.u24(0);
            let _ = writer.u24(length);
        }
        out.extend_from_slice(writer.written());
        out.extend_from_slice(body);
    }
}

/// Where the first certificate of a Certificate begins, in its body.
pub(crate) fn certificate_at(is_12: bool, body: &[u8]) -> Option<usize> {
    if is_12 {
        return Some(3 + 3);
    }
    // RFC 8446 §4.4.2: a context comes first.
    Some(1 + usize::from(*body.first()?) + 3 + 3)
}

fn has_rsa_key(message: &Message<'_>) -> bool {
    let read = || -> Option<bool> {
        let rest = message
            .body
            .get(certificate_at(message.is_12(), message.body)?..)?;
        let len_at = certificate_at(message.is_12(), message.body)? - 3;
        let len = Reader::new(message.body.get(len_at..)?)
            .u24("length")
            .ok()?;
        let certificate = rest.get(..len as usize)?;
        let marked = der::key_algorithm_at(certificate)
            .and_then(|at| certificate.get(at..))
            .is_some_and(|rest| !message.is_12() && rest.starts_with(&MARKED));
        Some(marked || matches!(der::public_key(certificate), PublicKey::Rsa { .. }))
    };
    read().unwrap_or(false)
}

/// Which keys are RSA keys.
struct Keys {
    of_server: bool,
    /// That of the last Certificate before or at the message.
    of_sender: bool,
    from_client: bool,
}

impl Dialect {
    fn wire_body<'a>(self, message: &Message<'a>, keys: Keys) -> Cow<'a, [u8]> {
        let (mut body, is_12) = (Cow::Borrowed(message.body), message.is_12());
        match message.message_type {
            msg::CLIENT_HELLO => {
                if let Some(hello) = self.wire_client_hello(message.body) {
                    body = Cow::Owned(hello);
                }
            }
            msg::SERVER_HELLO if is_12 && keys.of_server => restore_suite(body.to_mut()),
            msg::CERTIFICATE if !is_12 && keys.from_client != self.is_client() => {
                if let Some(at) = certificate_at(false, &body) {
                    unmark(body.to_mut().get_mut(at..).unwrap_or_default());
                }
            }
            msg::SERVER_KEY_EXCHANGE if keys.of_server => {
                restore_scheme(scheme_of_key_exchange(body.to_mut()), true);
            }
            msg::CERTIFICATE_REQUEST if !self.is_client() && is_12 => {
                body = Cow::Borrowed(&CERTIFICATE_REQUEST_12);
            }
            msg::CERTIFICATE_REQUEST if !self.is_client() => {
                body = Cow::Borrowed(&CERTIFICATE_REQUEST_13);
            }
            msg::CERTIFICATE_REQUEST if self.rsa && is_12 => {
                hellos::swap_certificate_request(body.to_mut());
            }
            msg::CERTIFICATE_VERIFY if keys.of_sender => {
                restore_scheme(body.to_mut().get_mut(..2), is_12);
            }
            _ => {}
        }
        body
    }
}

/// Puts an RSA scheme in the place of the ECDSA scheme that stands for it.
fn restore_scheme(bytes: Option<&mut [u8]>, is_12: bool) {
    if let Some(bytes) = bytes {
        let wire = match *bytes {
            [4, 3] if is_12 => scheme::RSA_PKCS1_SHA256,
            [4 | 5, 3] => scheme::RSA_PSS_RSAE_SHA256,
            _ => return,
        };
        bytes.copy_from_slice(&wire);
    }
}
