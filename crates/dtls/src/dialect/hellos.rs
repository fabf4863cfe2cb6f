//! What the two sides offer and ask for: ClientHello and CertificateRequest.

use pc_proto::Reader;

use super::{Dialect, SUITES, scheme};

/// RFC 8446 §4.2.
mod extension {
    pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(super) const PADDING: u16 = 21;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
}

/// The CertificateRequest of a DTLS 1.2 server (RFC 5246 §7.4.4): certificate types `ecdsa_sign` and
/// `rsa_sign`, signature algorithms, no authorities.
pub(crate) const CERTIFICATE_REQUEST_12: [u8; 15] = [2, 64, 1, 0, 8, 4, 3, 5, 3, 8, 4, 4, 1, 0, 0];

/// The CertificateRequest of a DTLS 1.3 server (RFC 8446 §4.3.2): no context, one extension,
/// `signature_algorithms`.
pub(crate) const CERTIFICATE_REQUEST_13: [u8; 15] = [0, 0, 12, 0, 13, 0, 8, 0, 6, 4, 3, 5, 3, 8, 4];

/// The length of what `dimpl` writes in the place of [`CERTIFICATE_REQUEST_13`].
pub(crate) const CARRIED_REQUEST_13_LEN: usize = 13;

/// Where the lists of a ClientHello stand, as offsets of their contents in the body.
struct Lists {
    suites: (usize, usize),
    extensions: (usize, usize),
    signature_algorithms: Option<(usize, usize)>,
    padded: bool,
    offers_13: bool,
}

impl Lists {
    fn of(client_hello: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(client_hello);
        reader.bytes(2 + 32, "version and random").ok()?;
        for what in ["session_id", "cookie"] {
            let len = reader.u8(what).ok()?;
            reader.bytes(usize::from(len), what).ok()?;
        }
        let len = usize::from(reader.u16("cipher_suites").ok()?);
        let suites = (reader.at(), len);
        reader.bytes(len, "cipher_suites").ok()?;
        let len = reader.u8("compression_methods").ok()?;
        reader.bytes(usize::from(len), "compression_methods").ok()?;
        let len = usize::from(reader.u16("extensions").ok()?);
        let mut lists = Self {
            suites,
            extensions: (reader.at(), len),
            signature_algorithms: None,
            padded: false,
            offers_13: false,
        };
        let mut extensions = reader.sub(len, "extensions").ok()?;
        reader.finish("end").ok()?;
        while !extensions.is_empty() {
            let id = extensions.u16("extension_type").ok()?;
            let len = usize::from(extensions.u16("extension_data").ok()?);
            let mut data = extensions.sub(len, "extension_data").ok()?;
            match id {
                extension::SIGNATURE_ALGORITHMS => {
                    let len = usize::from(data.u16("supported_signature_algorithms").ok()?);
                    (len == data.remaining()).then_some(())?;
                    lists.signature_algorithms = Some((data.at(), len));
                }
                extension::PADDING => lists.padded = true,
                extension::SUPPORTED_VERSIONS => lists.offers_13 = true,
                _ => {}
            }
        }
        Some(lists)
    }
}

/// The ClientHello that a client sends for the one that is carried: with RSA added.
///
/// `None` when that stays as it is: one that offers DTLS 1.3 is padded to the length of a datagram,
/// less [`super::GROWTH`], so one without padding carries a cookie that leaves no room.
pub(crate) fn offer_rsa(client_hello: &[u8]) -> Option<Vec<u8>> {
    let lists = Lists::of(client_hello)?;
    let (algorithms_at, algorithms_len) = lists.signature_algorithms?;
    if lists.offers_13 && !lists.padded {
        return None;
    }
    let (suites_at, suites_len) = lists.suites;
    let offered = client_hello.get(suites_at..suites_at + suites_len)?;
    let has = |suite: &[u8; 2]| offered.chunks(2).any(|offer| offer == suite);
    let suites: Vec<u8> = SUITES
        .iter()
        .filter(|(_, ecdsa)| has(ecdsa))
        .flat_map(|(rsa, _)| *rsa)
        .collect();
    // DTLS 1.3 has no use for PKCS #1 padding (RFC 8446 §4.2.3).
    let mut schemes = scheme::RSA_PSS_RSAE_SHA256.to_vec();
    if !suites.is_empty() {
        schemes.extend(scheme::RSA_PKCS1_SHA256);
    }
    let algorithms_end = algorithms_at + algorithms_len;
    let suites_end = suites_at + suites_len;
    let mut hello = client_hello.to_vec();
    // From the back, so that the offsets before stay true.
    hello.splice(algorithms_end..algorithms_end, schemes.iter().copied());
    for length_at in [algorithms_at - 2, algorithms_at - 4, lists.extensions.0 - 2] {
        grow(&mut hello, length_at, schemes.len())?;
    }
    hello.splice(suites_end..suites_end, suites.iter().copied());
    grow(&mut hello, suites_at - 2, suites.len())?;
    Some(hello)
}

/// Adds to the 16-bit length at `at`.
fn grow(bytes: &mut [u8], at: usize, by: usize) -> Option<()> {
    let length = bytes.get_mut(at..at + 2)?.first_chunk_mut::<2>()?;
    let grown = usize::from(u16::from_be_bytes(*length)) + by;
    *length = u16::try_from(grown).ok()?.to_be_bytes();
    Some(())
}

/// Lets RSA and ECDSA change places in a ClientHello, for a server that has an RSA key; the same
/// again undoes it.
pub(crate) fn swap_client_hello(body: &mut [u8]) {
    let Some(lists) = Lists::of(body) else {
        return;
    };
    let (at, len) = lists.suites;
    swap(body.get_mut(at..at + len), &SUITES);
    if let Some((at, len)) = lists.signature_algorithms {
        swap(body.get_mut(at..at + len), &SCHEMES);
    }
}

const SCHEMES: [([u8; 2], [u8; 2]); 1] =
    [(scheme::RSA_PKCS1_SHA256, scheme::ECDSA_SECP256R1_SHA256)];

/// Lets RSA and ECDSA change places in the CertificateRequest of a DTLS 1.2 server, for a client
/// that has an RSA key; the same again undoes it.
pub(crate) fn swap_certificate_request(body: &mut [u8]) {
    let Some((types, rest)) = body
        .split_first_mut()
        .and_then(|(len, rest)| rest.split_at_mut_checked(usize::from(*len)))
    else {
        return;
    };
    for certificate_type in types {
        *certificate_type = match *certificate_type {
            RSA_SIGN => ECDSA_SIGN,
            ECDSA_SIGN => RSA_SIGN,
            other => other,
        };
    }
    if let Some((len, rest)) = rest.split_first_chunk_mut::<2>() {
        swap(
            rest.get_mut(..usize::from(u16::from_be_bytes(*len))),
            &SCHEMES,
        );
    }
}

/// Certificate types, RFC 5246 §7.4.4 and RFC 8422 §5.5.
const RSA_SIGN: u8 = 1;
const ECDSA_SIGN: u8 = 64;

fn swap(list: Option<&mut [u8]>, pairs: &[([u8; 2], [u8; 2])]) {
    for entry in list.unwrap_or_default().chunks_exact_mut(2) {
        for (a, b) in pairs {
            if *entry == *a {
                entry.copy_from_slice(b);
                break;
            }
            if *entry == *b {
                entry.copy_from_slice(a);
                break;
            }
        }
    }
}

impl Dialect {
    /// The wire form of a ClientHello, when it is not the carried form.
    pub(crate) fn wire_client_hello(self, carried: &[u8]) -> Option<Vec<u8>> {
        if self.is_client() {
            return offer_rsa(carried);
        }
        self.rsa.then(|| {
            let mut hello = carried.to_vec();
            swap_client_hello(&mut hello);
            hello
        })
    }
}
