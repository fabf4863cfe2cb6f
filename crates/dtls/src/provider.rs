//! What `dimpl` is configured with, and what in its cryptography is replaced: whatever
//! [`dialect`](crate::dialect) needs, and the nonces of DTLS 1.2.
//!
//! In DTLS 1.2 with AES-GCM every record carries eight bytes of its nonce (RFC 5288 §3). `dimpl`
//! draws them at random, so that among 2^32 records of a connection two probably share a nonce,
//! which gives the key away. Here the cipher is told to use the record's epoch and sequence number
//! instead, as RFC 9325 §7.2.1 asks for, and [`write_explicit_nonces`] puts the same bytes into the
//! record before it leaves. Nothing else in the record depends on them.

use std::sync::{Arc, OnceLock};

use dimpl::{
    CryptoError,
    crypto::{
        Aad, Buf, Cipher, CryptoProvider, Dtls12CipherSuite, Dtls13CipherSuite, HashAlgorithm,
        Nonce, SupportedDtls12CipherSuite, SupportedDtls13CipherSuite, TmpBuf, aws_lc_rs,
    },
};

use crate::{
    Config, Error,
    connection::{HANDSHAKE_TIMEOUT, MAX_WAITING_DATAGRAMS},
    dialect::{
        Dialect, GROWTH,
        protected::Suite,
        signature::{Keys, Verifier},
        transcript::Transcripts,
    },
    record::{HEADER_LEN, Header, Records},
};

/// How often a flight may be sent again: more often than the 30 seconds of a handshake allow.
const RETRIES: usize = 24;

/// How many records of a handshake wait for those before them; the longest flight has about ten.
const MAX_WAITING_RECORDS: usize = 48;

/// The configuration of `dimpl`, whose self-test of the cryptography costs as much as a handshake:
/// it is kept for those connections, most of them, that ask for the same.
pub(crate) fn dimpl_config(config: &Config) -> Result<Arc<dimpl::Config>, Error> {
    type Last = OnceLock<(usize, std::time::Duration, Arc<dimpl::Config>)>;
    static LAST: [Last; 4] = [const { OnceLock::new() }; 4];
    let dialect = Dialect::new(config.role, config.certificate.kind());
    let index = usize::from(dialect.is_client()) + 2 * usize::from(dialect.rsa);
    let Some(last) = LAST.get(index).filter(|_| config.seed.is_none()) else {
        return build(config, dialect).map(Arc::new);
    };
    let wanted = (config.mtu, config.initial_rto);
    if let Some((mtu, initial_rto, shared)) = last.get()
        && (*mtu, *initial_rto) == wanted
    {
        return Ok(Arc::clone(shared));
    }
    let built = Arc::new(build(config, dialect)?);
    last.get_or_init(|| (wanted.0, wanted.1, Arc::clone(&built)));
    Ok(built)
}

fn build(config: &Config, dialect: Dialect) -> Result<dimpl::Config, Error> {
    let mut builder = dimpl::Config::builder()
        .with_crypto_provider(provider(dialect))
        // `Connection::new` sees to it that there is more than this.
        .mtu(config.mtu.saturating_sub(GROWTH))
        // RFC 9147 §5.1: no cookie is needed where the path has been verified, and ICE did.
        .use_server_cookie(false)
        .require_client_certificate(true)
        .flight_start_rto(config.initial_rto)
        .flight_retries(RETRIES)
        .handshake_timeout(HANDSHAKE_TIMEOUT)
        .max_queue_rx(MAX_WAITING_RECORDS)
        .max_queue_tx(MAX_WAITING_DATAGRAMS)
        // Only these have the nonce that `write_explicit_nonces` writes; all peers have them.
        .dtls12_cipher_suites(&[
            Dtls12CipherSuite::ECDHE_ECDSA_AES128_GCM_SHA256,
            Dtls12CipherSuite::ECDHE_ECDSA_AES256_GCM_SHA384,
        ]);
    if let Some(seed) = config.seed {
        let [a, b, c, d, e, f, g, h, ..] = seed;
        builder = builder.dangerously_set_rng_seed(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
    builder
        .build()
        .map_err(|error| Error::Provider(error.to_string().into()))
}

fn provider(dialect: Dialect) -> CryptoProvider {
    match (dialect.is_client(), dialect.rsa) {
        (false, false) => provider_of::<false, false>(),
        (false, true) => provider_of::<false, true>(),
        (true, false) => provider_of::<true, false>(),
        (true, true) => provider_of::<true, true>(),
    }
}

fn provider_of<const CLIENT: bool, const RSA: bool>() -> CryptoProvider {
    static SUITES_12: [&dyn SupportedDtls12CipherSuite; 2] = [
        &CounterNonces(Dtls12CipherSuite::ECDHE_ECDSA_AES128_GCM_SHA256),
        &CounterNonces(Dtls12CipherSuite::ECDHE_ECDSA_AES256_GCM_SHA384),
    ];
    const fn suite<const CLIENT: bool, const RSA: bool>(suite: Dtls13CipherSuite) -> Suite {
        Suite {
            dialect: Dialect::of(CLIENT, RSA),
            suite,
        }
    }
    CryptoProvider {
        cipher_suites: &SUITES_12,
        dtls13_cipher_suites: const {
            &[
                &suite::<CLIENT, RSA>(Dtls13CipherSuite::AES_128_GCM_SHA256)
                    as &dyn SupportedDtls13CipherSuite,
                &suite::<CLIENT, RSA>(Dtls13CipherSuite::AES_256_GCM_SHA384),
                &suite::<CLIENT, RSA>(Dtls13CipherSuite::CHACHA20_POLY1305_SHA256),
            ]
        },
        hash_provider: const { &Transcripts(Dialect::of(CLIENT, RSA)) },
        key_provider: const { &Keys(Dialect::of(CLIENT, RSA)) },
        signature_verification: const { &Verifier(Dialect::of(CLIENT, RSA)) },
        ..aws_lc_rs::default_provider()
    }
}

/// One of the library's own AES-GCM suites, with nonces that count.
#[derive(Debug)]
struct CounterNonces(Dtls12CipherSuite);

impl SupportedDtls12CipherSuite for CounterNonces {
    fn suite(&self) -> Dtls12CipherSuite {
        self.0
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.0.hash_algorithm()
    }

    /// No MAC key, an AES key, and the four bytes of the nonce that stay secret (RFC 5288 §3).
    fn key_lengths(&self) -> (usize, usize, usize) {
        match self.0 {
            Dtls12CipherSuite::ECDHE_ECDSA_AES256_GCM_SHA384 => (0, 32, 4),
            _ => (0, 16, 4),
        }
    }

    fn explicit_nonce_len(&self) -> usize {
        EXPLICIT_NONCE_LEN
    }

    fn tag_len(&self) -> usize {
        16
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        aws_lc_rs::default_provider()
            .cipher_suites
            .iter()
            .find(|inner| inner.suite() == self.0)
            .ok_or(CryptoError::UnsupportedCipherSuite(self.0))?
            .create_cipher(key)
            .map(|inner| Box::new(CounterNonceCipher(inner)) as Box<dyn Cipher>)
    }
}

#[derive(Debug)]
struct CounterNonceCipher(Box<dyn Cipher>);

impl Cipher for CounterNonceCipher {
    fn encrypt(&mut self, plaintext: &mut Buf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        // The additional data begins with epoch and sequence number (RFC 5246 §6.2.3.3).
        let (Some((salt, _)), Some((counter, _))) = (
            nonce.split_first_chunk::<4>(),
            aad.split_first_chunk::<EXPLICIT_NONCE_LEN>(),
        ) else {
            return Err(CryptoError::InvalidNonce);
        };
        let mut unique = Nonce([0; 12]);
        let (unique_salt, unique_counter) = unique.0.split_at_mut(salt.len());
        unique_salt.copy_from_slice(salt);
        unique_counter.copy_from_slice(counter);
        self.0.encrypt(plaintext, aad, unique)
    }

    fn decrypt(
        &mut self,
        ciphertext: &mut TmpBuf<'_>,
        aad: Aad,
        nonce: Nonce,
    ) -> Result<(), CryptoError> {
        self.0.decrypt(ciphertext, aad, nonce)
    }
}

const EXPLICIT_NONCE_LEN: usize = 8;

/// Puts the nonces that [`CounterNonces`] used into the protected records of a DTLS 1.2 datagram.
pub(crate) fn write_explicit_nonces(datagram: &mut [u8]) {
    let mut rest = datagram;
    while let Some(Ok(record)) = Records::new(rest).next() {
        let (len, header) = (record.bytes.len(), record.header);
        let (bytes, next) = std::mem::take(&mut rest).split_at_mut(len);
        rest = next;
        // Epoch and sequence number stand at 3..11, the explicit nonce follows the header.
        let counter = bytes
            .get(3..11)
            .and_then(|bytes| bytes.first_chunk().copied());
        let nonce = bytes.get_mut(HEADER_LEN..HEADER_LEN + EXPLICIT_NONCE_LEN);
        if let Header::Fixed { epoch: 1.., .. } = header
            && let (Some::<[u8; EXPLICIT_NONCE_LEN]>(counter), Some(nonce)) = (counter, nonce)
        {
            nonce.copy_from_slice(&counter);
        }
    }
}
