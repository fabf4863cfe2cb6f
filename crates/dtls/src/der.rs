//! The one thing this crate reads from a certificate: when it expires,
//! [RFC 5280 §4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1).

use std::time::Duration;

use pc_proto::{ParseError, Reader};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

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
    let tag = reader.u8(what)?;
    let len = match reader.u8(what)? {
        len @ 0..=0x7F => u32::from(len),
        0x81 => u32::from(reader.u8(what)?),
        0x82 => u32::from(reader.u16(what)?),
        0x83 => reader.u24(what)?,
        _ => return Err(reader.error(what)),
    };
    Ok((tag, reader.sub(len as usize, what)?))
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
