//! What this crate reads from a certificate, [RFC 5280 §4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1):
//! when it expires, and its public key; and which kind of DER a private key is.

use std::time::Duration;

use pc_proto::{ParseError, Reader};

use crate::rsa;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;

/// `rsaEncryption` with its NULL, an AlgorithmIdentifier (RFC 3279 §2.3.1).
pub(crate) const RSA_ENCRYPTION: [u8; 15] = [
    SEQUENCE, 13, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0,
];

/// `id-ecPublicKey` on secp256r1, an AlgorithmIdentifier (RFC 5480 §2.1.1).
const EC_P256: &[u8] = &[
    SEQUENCE, 19, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3,
    1, 7,
];

/// `id-ecPublicKey` on secp384r1.
const EC_P384: &[u8] = &[
    SEQUENCE, 16, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 6, 5, 0x2B, 0x81, 4, 0, 0x22,
];

/// The public key of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublicKey<'a> {
    /// ECDSA on P-256 or P-384.
    Ecdsa,
    /// RSA: the `RSAPublicKey` of RFC 8017 §A.1.1, and the length of its modulus in bytes.
    Rsa { key: &'a [u8], modulus_len: usize },
    /// Any other.
    Other,
}

impl PublicKey<'_> {
    /// Whether a connection has a use for it.
    pub(crate) fn is_supported(&self) -> bool {
        match self {
            Self::Ecdsa => true,
            Self::Rsa { modulus_len, .. } => rsa::MODULUS_LEN.contains(modulus_len),
            Self::Other => false,
        }
    }
}

/// The public key of a certificate; `Other` also when the certificate cannot be read.
pub(crate) fn public_key(certificate: &[u8]) -> PublicKey<'_> {
    let read = || -> Option<PublicKey<'_>> {
        let at = key_algorithm_at(certificate)?;
        let rest = certificate.get(at..)?;
        if rest.starts_with(EC_P256) || rest.starts_with(EC_P384) {
            return Some(PublicKey::Ecdsa);
        }
        let mut reader = Reader::new(rest.strip_prefix(&RSA_ENCRYPTION)?);
        let mut bits = expect(&mut reader, BIT_STRING, "subjectPublicKey").ok()?;
        (bits.u8("unused bits").ok()? == 0).then_some(())?;
        let key = bits.rest();
        let mut fields = expect(&mut bits, SEQUENCE, "RSAPublicKey").ok()?;
        let modulus = expect(&mut fields, INTEGER, "modulus").ok()?.rest();
        let modulus_len = modulus.strip_prefix(&[0]).unwrap_or(modulus).len();
        Some(PublicKey::Rsa { key, modulus_len })
    };
    read().unwrap_or(PublicKey::Other)
}

/// Where the AlgorithmIdentifier of the public key begins, in a certificate or in a beginning of
/// one; `None` when that does not reach so far, or is no certificate.
pub(crate) fn key_algorithm_at(certificate: &[u8]) -> Option<usize> {
    let (tag, content, _) = header(certificate, 0)?;
    (tag == SEQUENCE).then_some(())?;
    let (tag, mut at, _) = header(certificate, content)?;
    (tag == SEQUENCE).then_some(())?;
    if *certificate.get(at)? == VERSION {
        let (_, content, len) = header(certificate, at)?;
        at = content + len;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        // serialNumber, signature, issuer, validity, subject.
        let (actual, content, len) = header(certificate, at)?;
        (actual == tag).then_some(())?;
        at = content + len;
    }
    let (tag, content, _) = header(certificate, at)?;
    (tag == SEQUENCE).then_some(content)
}

/// The tag of the element at `at`, where its content begins, and how long that is.
fn header(bytes: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let mut reader = Reader::new(bytes.get(at..)?);
    let (tag, len) = tag_and_length(&mut reader, "").ok()?;
    Some((tag, at + reader.at(), len))
}

/// What an unencrypted private key in DER is called in PEM.
pub(crate) fn private_key_label(key: &[u8]) -> &'static str {
    let read = || -> Result<&'static str, ParseError> {
        let mut reader = Reader::new(key);
        let mut fields = expect(&mut reader, SEQUENCE, "private key")?;
        expect(&mut fields, INTEGER, "version")?;
        Ok(match element(&mut fields, "private key")?.0 {
            // RFC 5915 §3: `privateKey OCTET STRING`.
            OCTET_STRING => "EC PRIVATE KEY",
            // RFC 8017 §A.1.2: `modulus INTEGER`.
            INTEGER => "RSA PRIVATE KEY",
            // RFC 5958 §2: `privateKeyAlgorithm SEQUENCE`.
            _ => "PRIVATE KEY",
        })
    };
    read().unwrap_or("PRIVATE KEY")
}

/// The `notAfter` of a certificate in DER, as the time since the Unix epoch.
pub(crate) fn not_after(certificate: &[u8]) -> Result<Duration, ParseError> {
    let mut outer = Reader::new(certificate);
    let mut certificate = expect(&mut outer, SEQUENCE, "Certificate")?;
    outer.finish("bytes after the certificate")?;
    let mut tbs = expect(&mut certificate, SEQUENCE, "TBSCertificate")?;
    let (tag, _) = element(&mut tbs, "version")?;
    if tag == VERSION {
        element(&mut tbs, "serialNumber")?;
    }
    expect(&mut tbs, SEQUENCE, "signature")?;
    expect(&mut tbs, SEQUENCE, "issuer")?;
    let mut validity = expect(&mut tbs, SEQUENCE, "validity")?;
    element(&mut validity, "notBefore")?;
    let (tag, mut text) = element(&mut validity, "notAfter")?;
    time(tag, &mut text)
}

/// The next element, whose tag must be `tag`.
fn expect<'a>(
    reader: &mut Reader<'a>,
    tag: u8,
    what: &'static str,
) -> Result<Reader<'a>, ParseError> {
    let error = reader.error(what);
    match element(reader, what)? {
        (actual, content) if actual == tag => Ok(content),
        _ => Err(error),
    }
}

/// The next element's tag and content. Lengths of up to three bytes, which hold any certificate.
fn element<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
) -> Result<(u8, Reader<'a>), ParseError> {
    let (tag, len) = tag_and_length(reader, what)?;
    Ok((tag, reader.sub(len, what)?))
}

fn tag_and_length(reader: &mut Reader<'_>, what: &'static str) -> Result<(u8, usize), ParseError> {
    let tag = reader.u8(what)?;
    let len = match reader.u8(what)? {
        len @ 0..=0x7F => u32::from(len),
        0x81 => u32::from(reader.u8(what)?),
        0x82 => u32::from(reader.u16(what)?),
        0x83 => reader.u24(what)?,
        _ => return Err(reader.error(what)),
    };
    Ok((tag, len as usize))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, RFC 5280 §4.1.2.5.
fn time(tag: u8, text: &mut Reader<'_>) -> Result<Duration, ParseError> {
    let error = text.error("notAfter");
    let year = match tag {
        UTC_TIME => match two_digits(text)? {
            year @ 0..50 => 2000 + year,
            year => 1900 + year,
        },
        GENERALIZED_TIME => 100 * two_digits(text)? + two_digits(text)?,
        _ => return Err(error),
    };
    let (month, day) = (two_digits(text)?, two_digits(text)?);
    let (hour, minute, second) = (two_digits(text)?, two_digits(text)?, two_digits(text)?);
    let zulu = text.u8("notAfter")? == b'Z' && text.is_empty();
    let possible = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !zulu || !possible || hour > 23 || minute > 59 || second > 60 {
        return Err(error);
    }
    let seconds =
        days_since_epoch(year, month, day) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    u64::try_from(seconds)
        .map(Duration::from_secs)
        .map_err(|_| error)
}

fn two_digits(text: &mut Reader<'_>) -> Result<u32, ParseError> {
    let error = text.error("notAfter");
    match text.array::<2>("notAfter")? {
        [tens @ b'0'..=b'9', units @ b'0'..=b'9'] => {
            Ok(u32::from(tens - b'0') * 10 + u32::from(units - b'0'))
        }
        _ => Err(error),
    }
}

/// Days from 1970-01-01 in the Gregorian calendar; negative before it.
fn days_since_epoch(year: u32, month: u32, day: u32) -> i64 {
    // Years that begin in March put the leap day at their end.
    let year = i64::from(year) - i64::from(month <= 2);
    let month = i64::from((month + 9) % 12);
    let days_before_year = 365 * year + year / 4 - year / 100 + year / 400;
    let days_before_month = (153 * month + 2) / 5;
    days_before_year + days_before_month + i64::from(day) - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(tag: u8, text: &[u8]) -> Option<u64> {
        time(tag, &mut Reader::new(text))
            .ok()
            .map(|at| at.as_secs())
    }

    #[test]
    fn times_of_both_kinds() {
        assert_eq!(seconds(UTC_TIME, b"700101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, b"000229120001Z"), Some(951_825_601));
        assert_eq!(seconds(UTC_TIME, b"491231235959Z"), Some(2_524_607_999));
        assert_eq!(
            seconds(GENERALIZED_TIME, b"20500101000000Z"),
            Some(2_524_608_000)
        );
        assert_eq!(
            seconds(GENERALIZED_TIME, b"99991231235959Z"),
            Some(253_402_300_799)
        );
    }

    #[test]
    fn impossible_times() {
        for text in [
            &b"691231235959Z"[..],
            b"991301000000Z",
            b"990100000000Z",
            b"9901010000Z",
        ] {
            assert_eq!(seconds(UTC_TIME, text), None);
        }
        assert_eq!(seconds(UTC_TIME, b"990101000000+0100"), None);
        assert_eq!(seconds(0x04, b"990101000000Z"), None);
    }

    #[test]
    fn truncation_is_an_error_at_every_byte() {
        let certificate = include_bytes!("testdata/certificate.der");
        assert!(not_after(certificate).is_ok());
        for len in 0..certificate.len() {
            assert!(not_after(&certificate[..len]).is_err());
        }
    }
}
