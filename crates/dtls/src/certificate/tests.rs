//! Making, keeping and refusing.

use super::*;
use crate::tests::rsa_certificates;

const NOW: Duration = Duration::from_secs(1_790_000_000);

#[test]
fn two_certificates_share_nothing() {
    let (a, b) = (
        Certificate::generate(NOW).unwrap(),
        Certificate::generate(NOW).unwrap(),
    );
    assert_ne!(a, b);
    // The serial number follows the version, `[0] { INTEGER 2 }`.
    let serial = |certificate: &Certificate| {
        let version = [0xA0, 3, 2, 1, 2];
        let at = certificate
            .der()
            .windows(5)
            .position(|bytes| bytes == version);
        certificate.der()[at.unwrap() + 5..][..20].to_vec()
    };
    assert_eq!(serial(&a)[0], 2, "an INTEGER");
    assert_ne!(serial(&a), serial(&b));
    assert!(a.der().windows(6).any(|bytes| bytes == b"WebRTC"));
}

#[test]
fn the_key_must_belong_to_the_certificate() {
    let (a, b) = (
        Certificate::generate(NOW).unwrap(),
        Certificate::generate(NOW).unwrap(),
    );
    let error = |der: &[u8], key: &[u8]| Certificate::from_der(der, key).unwrap_err();
    assert_eq!(
        error(a.der(), b.private_key_der()),
        CertificateError::KeyMismatch
    );
    assert_eq!(error(a.der(), b""), CertificateError::PrivateKey);
    assert!(matches!(
        error(b"", a.private_key_der()),
        CertificateError::Malformed(_)
    ));
    assert_eq!(
        Certificate::generate(Duration::MAX),
        Err(CertificateError::Time)
    );
}

#[test]
fn the_private_key_is_never_printed() {
    let text = format!("{:?}", Certificate::generate(NOW).unwrap());
    assert!(text.contains("sha-256") && !text.contains("key"), "{text}");
}

/// webrtc-pc §4.9.1: 30 days unless told otherwise, and never more than a year.
#[test]
fn lifetimes_are_cut_at_a_year() {
    let lifetime = |expires_in| {
        let options = CertificateOptions {
            expires_in,
            ..CertificateOptions::default()
        };
        let certificate = Certificate::generate_with(options, NOW).unwrap();
        certificate.expires() - NOW
    };
    let year = Duration::from_secs(31_536_000);
    assert_eq!(
        lifetime(Duration::from_millis(5_999)),
        Duration::from_secs(5)
    );
    assert_eq!(lifetime(year), year);
    assert_eq!(lifetime(year + Duration::from_secs(1)), year);
    assert_eq!(lifetime(Duration::MAX), year);
    assert_eq!(lifetime(Duration::ZERO), Duration::ZERO);
}

#[test]
fn a_certificate_expires_at_its_last_second() {
    let certificate = Certificate::generate(NOW).unwrap();
    let end = certificate.expires();
    assert!(!certificate.has_expired(end - Duration::from_millis(1)));
    assert!(certificate.has_expired(end));
}

#[test]
fn an_rsa_certificate_has_2048_bits_and_the_usual_exponent() {
    let [certificate, _] = rsa_certificates();
    let PublicKey::Rsa { key, modulus_len } = der::public_key(certificate.der()) else {
        panic!("not RSA");
    };
    assert_eq!(modulus_len, 256);
    assert!(key.ends_with(&[2, 3, 1, 0, 1]), "the exponent is 65537");
    assert_eq!(certificate.kind(), KeyKind::Rsa { signature_len: 256 });
    // RFC 4055 §5: sha256WithRSAEncryption, in the certificate and beside its signature.
    let with_sha256 = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11];
    let times = certificate.der().windows(9).filter(|at| *at == with_sha256);
    assert_eq!(times.count(), 2);
}

#[test]
fn fingerprints_are_sha_256_and_those_asked_for() {
    use HashAlgorithm::{Sha256, Sha384, Sha512};
    let certificate = Certificate::generate(NOW).unwrap();
    assert_eq!(
        certificate.fingerprints(&[]),
        [certificate.fingerprint(Sha256)]
    );
    let several = certificate.fingerprints(&[Sha512, Sha256, Sha384, Sha512]);
    let expected = [Sha256, Sha512, Sha384].map(|algorithm| certificate.fingerprint(algorithm));
    assert_eq!(several, expected);
    assert_ne!(expected[1].value()[..32], expected[0].value()[..]);
}

#[test]
fn both_kinds_are_kept_as_text() {
    let ecdsa = Certificate::generate(NOW).unwrap();
    for certificate in [&ecdsa, &rsa_certificates()[0]] {
        let text = certificate.to_pem();
        let again = Certificate::from_pem(&text).unwrap();
        assert_eq!(&again, certificate);
        assert_eq!(again.private_key_der(), certificate.private_key_der());
        assert_eq!(again.expires(), certificate.expires());
        assert_eq!(again.kind(), certificate.kind());
        assert_eq!(again.to_pem(), text);
    }
}

#[test]
fn keys_of_another_certificate_or_kind_are_refused() {
    let ecdsa = Certificate::generate(NOW).unwrap();
    let [rsa, other] = rsa_certificates();
    for (certificate, key) in [(&ecdsa, rsa), (rsa, &ecdsa), (rsa, other)] {
        let error = Certificate::from_der(certificate.der(), key.private_key_der());
        assert_eq!(error, Err(CertificateError::KeyMismatch));
        let text = pem::write(certificate.der(), key.private_key_der());
        assert_eq!(
            Certificate::from_pem(&text),
            Err(CertificateError::KeyMismatch)
        );
    }
    let mut spoiled = rsa.private_key_der().to_vec();
    let middle = spoiled.len() / 2;
    spoiled[middle] ^= 1;
    assert_eq!(
        Certificate::from_der(rsa.der(), &spoiled),
        Err(CertificateError::PrivateKey)
    );
}

#[test]
fn certificates_for_other_keys_are_refused_by_name() {
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let made = CertificateParams::default().self_signed(&key).unwrap();
    let error = Certificate::from_der(made.der(), key.serialized_der());
    assert_eq!(error, Err(CertificateError::KeyAlgorithm));
}

/// The file of another program: SEC 1 and PKCS #1 keys, as OpenSSL writes them.
#[test]
fn keys_in_their_older_forms_are_taken_and_kept() {
    for (certificate, label, prefix) in [
        (
            &Certificate::generate(NOW).unwrap(),
            "EC PRIVATE KEY",
            &[0x02, 0x01, 0x01, 0x04][..],
        ),
        (
            &rsa_certificates()[0],
            "RSA PRIVATE KEY",
            &[0x02, 0x01, 0x00, 0x02],
        ),
    ] {
        // The older form stands inside of PKCS #8, with a header of two to four bytes.
        let pkcs8 = certificate.private_key_der();
        let at = pkcs8.windows(4).rposition(|at| at == prefix).unwrap();
        let header = (2..=4).find(|len| pkcs8[at - len] == 0x30).unwrap();
        let old = &pkcs8[at - header..];
        let loaded = Certificate::from_der(certificate.der(), old).unwrap();
        assert!(loaded.to_pem().contains(label));
        assert_eq!(
            &Certificate::from_pem(&loaded.to_pem()).unwrap(),
            certificate
        );
    }
}
