//! What comes in: each record is judged by its header, handed on, and judged by its effect.

use std::time::Instant;

use pc_proto::Protocol;
use sha2::{Digest, Sha256};

use super::{Connection, MAX_HANDSHAKE_DATAGRAM, State};
use crate::{
    Alert, Error, Rejected, Role,
    gate::{Admitted, Gate},
    hello::{self, Fragment},
    record::{Header, Record},
};

impl Connection {
    pub(super) fn check_datagram(&self, datagram: &[u8]) -> Result<(), Rejected> {
        if self.is_over() {
            return Err(Rejected::Over);
        }
        if self.state == State::New && self.role == Role::Client {
            return Err(Rejected::NotStarted);
        }
        if datagram.is_empty() {
            return Err(Rejected::Empty);
        }
        if !self.established && datagram.len() > MAX_HANDSHAKE_DATAGRAM {
            return Err(Rejected::Oversize);
        }
        Ok(())
    }

    pub(super) fn handle_record(
        &mut self,
        now: Instant,
        record: &Record<'_>,
    ) -> Result<(), Rejected> {
        let gate = Gate {
            role: self.role,
            version: self.version,
            established: self.established,
            confirmed: self.confirmed,
        };
        match gate.admit(record) {
            Ok(Admitted::Record) => self.carry(now, record),
            Ok(Admitted::ServerHello(hello)) => {
                let suite = hello::selected_cipher_suite(hello.body);
                self.cipher_suite = self.cipher_suite.or(suite);
                self.carry(now, record)
            }
            Ok(Admitted::ClientHello(fragments)) => {
                let sequence = match record.header {
                    Header::Fixed { sequence, .. } => sequence,
                    Header::Unified => 0,
                };
                fragments
                    .iter()
                    .try_for_each(|fragment| self.take_client_hello(now, sequence, fragment))
            }
            Err(reason) => {
                if let (Rejected::UnauthenticatedAlert(alert), false) = (reason, self.established) {
                    self.alert = Some(alert);
                }
                Err(reason)
            }
        }
    }

    /// Hands one record on in the form that the carrier understands.
    fn carry(&mut self, now: Instant, record: &Record<'_>) -> Result<(), Rejected> {
        match self.translation.carry(self.version, record) {
            None => self.feed(now, record.bytes),
            Some(carried) if carried.is_empty() => Ok(()),
            Some(carried) => self.feed(now, &carried),
        }
    }

    /// Hands one record on, and finds out whether it had any effect.
    fn feed(&mut self, now: Instant, record: &[u8]) -> Result<(), Rejected> {
        let Some(carrier) = &mut self.carrier else {
            return Err(Rejected::Over);
        };
        let before = (carrier.timeout(), self.data_records, self.sending.len());
        let was_established = self.established;
        let kept = self.received.len();
        let result = carrier.handle_record(record);
        let verdict = result.map_or_else(|error| self.judge(now, &error), Ok);
        self.advance(now);
        verdict?;
        let timeout = self.poll_timeout();
        let after = (timeout, self.data_records, self.sending.len());
        if !was_established || self.is_over() {
            return Ok(());
        }
        if before == after {
            return Err(Rejected::Protected);
        }
        if after.1 > before.1 && self.received.len() == kept {
            return Err(Rejected::QueueFull);
        }
        Ok(())
    }

    /// Collects a ClientHello, and begins the handshake once it is complete.
    fn take_client_hello(
        &mut self,
        now: Instant,
        sequence: u64,
        fragment: &Fragment<'_>,
    ) -> Result<(), Rejected> {
        let Some(mut message) = self.reassembly.push(fragment) else {
            return Ok(());
        };
        let hash: [u8; 32] = Sha256::digest(&message).into();
        self.translation.carry_client_hello(&mut message);
        let number = fragment.message_seq;
        let known = self.hellos.iter().find(|(other, _)| *other == number);
        match known {
            Some((_, other)) if *other != hash => return Err(Rejected::DifferentClientHello),
            Some(_) => return self.feed(now, &hello::handshake_record(sequence, &message)),
            None => {}
        }
        let Some(carrier) = &mut self.carrier else {
            return Err(Rejected::Over);
        };
        let sent = self.sending.len();
        let result = carrier.handle_record(&hello::handshake_record(sequence, &message));
        if self.hellos.is_empty() {
            // Nothing has been promised to anyone yet, so a bad start costs nothing.
            if result.is_ok() {
                self.advance(now);
            }
            if self.sending.len() == sent {
                if let Some(carrier) = &mut self.carrier {
                    carrier.reset(now);
                    let _ = carrier.handle_timeout(now);
                    self.version = carrier.version();
                }
                return Err(Rejected::UnacceptableClientHello);
            }
            self.state = State::Connecting;
        } else {
            result.or_else(|error| self.judge(now, &error))?;
            self.advance(now);
            if self.sending.len() == sent {
                return Err(Rejected::UnacceptableClientHello);
            }
        }
        self.hellos.push((number, hash));
        Ok(())
    }

    /// Whether an error ends the connection, which it does here, or only a record.
    ///
    /// `dimpl` calls every error fatal; those that end only a record here are the ones it returns
    /// before it has changed anything.
    pub(super) fn judge(&mut self, now: Instant, error: &dimpl::Error) -> Result<(), Rejected> {
        use dimpl::{
            CertificateError as Unfit, CryptoError, CryptoOperation, Error as Carried,
            SecurityError,
        };
        let fatal = match error {
            Carried::CryptoError(
                CryptoError::OperationFailed(CryptoOperation::Decrypt)
                | CryptoError::CiphertextTooShort { .. },
            ) => return Err(Rejected::Protected),
            Carried::RenegotiationAttempt => return Err(Rejected::Renegotiation),
            Carried::ReceiveQueueFull
            | Carried::TransmitQueueFull
            | Carried::TransmitHistoryFull => return Err(Rejected::QueueFull),
            Carried::UnexpectedMessage(
                dimpl::UnexpectedMessageError::UnrecognizedAutoServerResponse,
            ) => return Err(Rejected::UnexpectedMessage),
            Carried::ConnectionClosed => return Err(Rejected::Over),
            Carried::CryptoError(CryptoError::UnsupportedPublicKeyAlgorithm)
            | Carried::CertificateError(
                Unfit::UnsupportedEcCurve
                | Unfit::MissingEcCurveParameter
                | Unfit::InvalidEcCurveParameter,
            ) => {
                let alert = Alert::UNSUPPORTED_CERTIFICATE;
                self.refuse(now, alert, Error::UnsupportedPeerKey);
                return Err(Rejected::Over);
            }
            // Those in the clear do not come this far.
            Carried::SecurityError(SecurityError::FatalAlert { description }) => {
                Error::PeerAlert(Alert(*description))
            }
            Carried::Timeout(_) if !self.established => {
                Error::HandshakeTimeout { alert: self.alert }
            }
            other if self.established => Error::Record(other.to_string().into()),
            other => Error::Handshake(other.to_string().into()),
        };
        self.fail(fatal);
        Err(Rejected::Over)
    }
}
