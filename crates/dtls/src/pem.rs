//! A certificate and its key as text, [RFC 7468](https://www.rfc-editor.org/rfc/rfc7468).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{CertificateError, der};

/// The longest text read, in bytes: many times what a certificate and a key of any kind take.
const MAX_TEXT: usize = 64 * 1024;

/// How many characters of base64 stand on a line (RFC 7468 §2).
const LINE: usize = 64;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// A certificate and its private key, both in DER.
pub(crate) struct Contents {
    pub(crate) certificate: Vec<u8>,
    pub(crate) private_key: Zeroizing<Vec<u8>>,
}

/// Writes both blocks, the certificate first.
pub(crate) fn write(certificate: &[u8], private_key: &[u8]) -> Zeroizing<String> {
    // All of it at once: growing would leave copies of the key behind.
    let capacity = 2 * (certificate.len() + private_key.len()) + 256;
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    block(&mut text, "CERTIFICATE", certificate);
    block(&mut text, der::private_key_label(private_key), private_key);
    text
}

fn block(text: &mut String, label: &str, der: &[u8]) {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    for part in [BEGIN, label, DASHES, "\n"] {
        text.push_str(part);
    }
    for (index, character) in base64.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    for part in ["\n", END, label, DASHES, "\n"] {
        text.push_str(part);
    }
}

/// Reads one certificate and one private key, in either order, with any text between the blocks.
pub(crate) fn read(text: &str) -> Result<Contents, CertificateError> {
    if text.len() > MAX_TEXT {
        return Err(error("more than 64 KiB of text", 1));
    }
    let (mut certificate, mut private_key) = (None, None);
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if line.trim_end().starts_with(END) {
            return Err(error("an END without its BEGIN", number));
        }
        let Some(label) = boundary(line, BEGIN) else {
            continue;
        };
        let slot = match label {
            "CERTIFICATE" if certificate.is_some() => {
                return Err(error("a second certificate", number));
            }
            "CERTIFICATE" => &mut certificate,
            "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" if private_key.is_some() => {
                return Err(error("a second private key", number));
            }
            "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => &mut private_key,
            "ENCRYPTED PRIVATE KEY" => return Err(error("an encrypted private key", number)),
            _ => return Err(error("neither a certificate nor a private key", number)),
        };
        *slot = Some(body(label, number, &mut lines)?);
    }
    let last = text.lines().count().max(1);
    Ok(Contents {
        certificate: certificate.ok_or(error("no certificate", last))?.to_vec(),
        private_key: private_key.ok_or(error("no private key", last))?,
    })
}

/// The lines up to the END of a block, decoded.
fn body<'a>(
    label: &str,
    begin: usize,
    lines: &mut impl Iterator<Item = (&'a str, usize)>,
) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let mut base64 = Zeroizing::new(String::with_capacity(MAX_TEXT));
    for (line, number) in lines {
        let line = line.trim();
        if let Some(end) = boundary(line, END) {
            if end != label {
                return Err(error("an END of another label", number));
            }
            // Decoding in full lines makes the line of a wrong character known.
            return STANDARD
                .decode(base64.as_bytes())
                .map(Zeroizing::new)
                .map_err(|_| error("a block that is not base64", begin));
        }
        let legitimate = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        if !line.bytes().all(legitimate) {
            return Err(error("a line that is not base64", number));
        }
        base64.push_str(line);
    }
    Err(error("a BEGIN without its END", begin))
}

/// The label of a line that begins or ends a block.
fn boundary<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    line.trim_end().strip_prefix(kind)?.strip_suffix(DASHES)
}

fn error(what: &'static str, line: usize) -> CertificateError {
    CertificateError::Pem { what, line }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &str) -> (&'static str, usize) {
        match read(text).map(drop) {
            Err(CertificateError::Pem { what, line }) => (what, line),
            other => panic!("{other:?} for {text}"),
        }
    }

    #[test]
    fn lines_are_of_64_characters_and_read_back() {
        let (certificate, key) = (vec![7; 500], vec![9; 100]);
        let text = write(&certificate, &key);
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert!(text.ends_with("-----END PRIVATE KEY-----\n"));
        assert_eq!(text.lines().map(str::len).max(), Some(64));
        let crlf = text.replace('\n', "\r\n");
        for text in [text.as_str(), &crlf, &format!("Subject: me\n\n{crlf}\nbye")] {
            let contents = read(text).unwrap();
            assert_eq!(contents.certificate, certificate);
            assert_eq!(*contents.private_key, key);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let good = write(&[7; 50], &[9; 50]);
        let only_certificate = good.split_inclusive("E-----\n").take(2).collect::<String>();
        assert_eq!(refusal(""), ("no certificate", 1));
        assert_eq!(refusal(&only_certificate), ("no private key", 4));
        for (from, to, expected) in [
            (
                "BEGIN CERT",
                "BEGIN OTHER",
                ("neither a certificate nor a private key", 1),
            ),
            (
                "BEGIN PRIV",
                "BEGIN ENCRYPTED PRIV",
                ("an encrypted private key", 5),
            ),
            ("END CERT", "END X", ("an END of another label", 4)),
            (
                "-----END PRIVATE KEY-----",
                "",
                ("a BEGIN without its END", 5),
            ),
            (
                "-----BEGIN PRIVATE KEY-----",
                "",
                ("an END without its BEGIN", 8),
            ),
            ("CQkJ", "CQ J", ("a line that is not base64", 6)),
            ("CQkJ", "CQ\u{e9}J", ("a line that is not base64", 6)),
            ("CQkJ", "CQ=J", ("a block that is not base64", 5)),
            ("CQkJCQk", "CQkJCQ", ("a block that is not base64", 5)),
        ] {
            assert_eq!(refusal(&good.replacen(from, to, 1)), expected, "{to}");
        }
        let twice = format!("{}{}", *good, *good);
        assert_eq!(refusal(&twice).0, "a second certificate");
        let key = good.split_once("E-----\n-----BEGIN PRIV").unwrap().1;
        let two_keys = format!("{}-----BEGIN PRIV{key}", *good);
        assert_eq!(refusal(&two_keys), ("a second private key", 9));
        assert_eq!(
            refusal(&"x".repeat(MAX_TEXT + 1)).0,
            "more than 64 KiB of text"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(-----(BEGIN|END) (CERTIFICATE|PRIVATE KEY)-----\n|[A-Za-z0-9+/= \u{e9}]{0,80}\n){0,12}") {
            let _ = read(&text);
        }
    }
}
