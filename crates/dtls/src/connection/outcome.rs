//! What comes of it: packets, data, events, and the end.

use std::time::Instant;

use super::{
    Connection, Event, MAX_UNVERIFIED_RECORDS, MAX_WAITING_DATA, MAX_WAITING_DATAGRAMS, State,
};
use crate::{
    Alert, CipherSuite, Error, Rejected, Role, Version,
    carrier::{Carrier, Output},
    fingerprint, hello,
    hello::Reassembly,
    provider,
    record::{self, Header, Record, Records, content_type},
};

impl Connection {
    /// Takes over whatever the carrier has to say.
    pub(super) fn advance(&mut self, now: Instant) {
        let mut peer_closed = false;
        while let Some(output) = self.carrier.as_mut().and_then(|carrier| carrier.next(now)) {
            match output {
                Output::Packet(bytes) => {
                    provider::write_explicit_nonces(bytes);
                    let wire = self.translation.wire(bytes);
                    let bytes = wire.as_deref().unwrap_or(bytes);
                    self.plaintext_sequence = self.plaintext_sequence.max(last_plaintext(bytes));
                    if self.cipher_suite.is_none() && self.role == Role::Server {
                        self.cipher_suite = sent_cipher_suite(bytes);
                    }
                    if self.sending.len() < MAX_WAITING_DATAGRAMS {
                        self.sending.push(bytes);
                    }
                }
                Output::PeerCertificate(der) => {
                    self.peer_certificate = Some(der.into());
                    self.verify(now);
                }
                Output::Established => self.established = true,
                Output::Keys(keys) => self.keys = keys,
                Output::Data(bytes) => {
                    self.confirmed = true;
                    self.data_records += 1;
                    let room = self.verified || self.received.len() < MAX_UNVERIFIED_RECORDS;
                    if room && self.received.bytes() + bytes.len() <= MAX_WAITING_DATA {
                        self.received.push(bytes);
                    }
                }
                Output::CloseNotify => peer_closed = true,
            }
        }
        if let Some(carrier) = &self.carrier {
            self.version = carrier.version();
        }
        self.connect();
        if peer_closed {
            self.close(now);
        }
    }

    /// Compares the peer's certificate with the fingerprints, as soon as there are both.
    pub(super) fn verify(&mut self, now: Instant) {
        let Some(certificate) = self.peer_certificate.as_deref() else {
            return;
        };
        if self.fingerprints.is_empty() || self.is_over() {
            return;
        }
        self.verified = fingerprint::matches(&self.fingerprints, certificate);
        if self.verified {
            return;
        }
        let carrier = self.carrier.as_ref();
        let encrypted = carrier.and_then(Carrier::version) == Some(Version::Dtls13);
        if self.role == Role::Server && encrypted {
            // The client's last message comes right after its certificate, and must be taken for
            // there to be keys to say goodbye with.
            self.refused = true;
        } else {
            self.refuse_certificate(now);
        }
    }

    /// Refuses a certificate that is not the announced one.
    pub(super) fn refuse_certificate(&mut self, now: Instant) {
        self.refuse(now, Alert::BAD_CERTIFICATE, Error::FingerprintMismatch);
    }

    /// Tells the peer, as far as there is a way, that its certificate is refused, and fails.
    ///
    /// As long as nothing is encrypted, that is an alert in the clear. After the
    /// handshake it is a `close_notify`, the only alert that `dimpl` sends. A DTLS 1.3 client in
    /// the middle of a handshake stays silent: it must not complete it.
    pub(super) fn refuse(&mut self, now: Instant, alert: Alert, error: Error) {
        let version = self.carrier.as_ref().and_then(Carrier::version);
        if self.established {
            if let Some(carrier) = &mut self.carrier {
                carrier.close();
            }
            self.drain_packets(now);
        } else if version == Some(Version::Dtls12) {
            // Not below the numbers of a flight that was prepared but never left.
            let sequence = self.plaintext_sequence + 16;
            let alert = [2, alert.0];
            let record = record::plaintext(content_type::ALERT, sequence, &[&alert]);
            self.sending.push(&record);
        }
        self.fail(error);
    }

    fn connect(&mut self) {
        let done = self.established && self.verified;
        if done && matches!(self.state, State::New | State::Connecting) {
            self.state = State::Connected;
            self.events.push_back(Event::Connected);
            self.reassembly = Reassembly::default();
            self.translation.forget();
            if let Some(carrier) = &mut self.carrier {
                carrier.handshake_done();
            }
        }
    }

    /// Takes over what is to be sent, and nothing else.
    pub(super) fn drain_packets(&mut self, now: Instant) {
        while let Some(output) = self.carrier.as_mut().and_then(|carrier| carrier.next(now)) {
            if let Output::Packet(bytes) = output {
                provider::write_explicit_nonces(bytes);
                let wire = self.translation.wire(bytes);
                self.sending.push(wire.as_deref().unwrap_or(bytes));
            }
        }
    }

    pub(super) fn fail(&mut self, error: Error) {
        if !self.is_over() {
            self.received.clear();
            self.end(State::Failed, Event::Failed(error));
        }
    }

    pub(super) fn end(&mut self, state: State, event: Event) {
        self.state = state;
        self.events.push_back(event);
        self.carrier = None;
        self.keys = None;
        self.refused = false;
        self.reassembly = Reassembly::default();
        self.translation.forget();
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Closed | State::Failed)
    }

    pub(super) fn was_connected(&self) -> bool {
        self.established && self.verified
    }
}

/// The highest sequence number in the clear in a datagram, 0 when there is none.
fn last_plaintext(datagram: &[u8]) -> u64 {
    let sequence = |record: Result<Record<'_>, Rejected>| match record.ok()?.header {
        Header::Fixed {
            epoch: 0, sequence, ..
        } => Some(sequence),
        _ => None,
    };
    Records::new(datagram)
        .filter_map(sequence)
        .max()
        .unwrap_or(0)
}

/// The cipher suite of the ServerHello that a datagram begins with.
fn sent_cipher_suite(datagram: &[u8]) -> Option<CipherSuite> {
    let first = Records::new(datagram).next()?.ok()?;
    let fragments = hello::fragments(first.fragment).ok()?;
    let hello = fragments.first()?;
    (hello.message_type == hello::message_type::SERVER_HELLO && hello.is_whole())
        .then(|| hello::selected_cipher_suite(hello.body))
        .flatten()
}
