//! Which records get through to the handshake, decided by their headers.
//!
//! A record in the clear can come from anyone. Before encryption begins some of them are needed,
//! and nothing but the checks here and the handshake itself stands between a forger and the
//! connection; afterwards only one kind is of use, and none can do harm.

use crate::{
    Alert, Rejected, Role, Version,
    hello::{Fragment, fragments, message_type as msg},
    record::{Header, Record, content_type},
};

/// What is known when a record comes.
pub(crate) struct Gate {
    pub(crate) role: Role,
    /// `None` as long as it is not negotiated.
    pub(crate) version: Option<Version>,
    /// The handshake is complete on this side.
    pub(crate) established: bool,
    /// The peer has shown, with data, that it is complete on its side too.
    pub(crate) confirmed: bool,
}

/// A record that may pass.
pub(crate) enum Admitted<'a> {
    /// As it is.
    Record,
    /// It holds fragments of a ClientHello.
    ClientHello(Vec<Fragment<'a>>),
    /// It holds a ServerHello.
    ServerHello(Fragment<'a>),
}

impl Gate {
    pub(crate) fn admit<'a>(&self, record: &Record<'a>) -> Result<Admitted<'a>, Rejected> {
        match (record.header, self.version) {
            (Header::Unified, Some(Version::Dtls13)) => Ok(Admitted::Record),
            (Header::Unified, _) => Err(Rejected::Epoch),
            (
                Header::Fixed {
                    epoch: 0,
                    content_type,
                    ..
                },
                _,
            ) => self.admit_plaintext(content_type, record.fragment),
            // DTLS 1.2 has one protected epoch, since nothing is renegotiated.
            (
                Header::Fixed {
                    epoch: 1,
                    content_type:
                        content_type::ALERT | content_type::HANDSHAKE | content_type::APPLICATION_DATA,
                    ..
                },
                Some(Version::Dtls12),
            ) => Ok(Admitted::Record),
            (Header::Fixed { .. }, _) => Err(Rejected::Epoch),
        }
    }

    fn admit_plaintext<'a>(
        &self,
        content_type: u8,
        fragment: &'a [u8],
    ) -> Result<Admitted<'a>, Rejected> {
        match content_type {
            content_type::ALERT => Err(match *fragment {
                [_, description] => Rejected::UnauthenticatedAlert(Alert(description)),
                _ => Rejected::Plaintext,
            }),
            content_type::CHANGE_CIPHER_SPEC => {
                let expected = self.version == Some(Version::Dtls12) && !self.established;
                if expected && fragment == [1] {
                    Ok(Admitted::Record)
                } else {
                    Err(Rejected::Plaintext)
                }
            }
            content_type::HANDSHAKE => self.admit_handshake(fragment),
            // Data is never in the clear. An ACK in the clear (RFC 9147 §7) could stop us from
            // sending again what nobody got.
            _ => Err(Rejected::Plaintext),
        }
    }

    fn admit_handshake<'a>(&self, fragment: &'a [u8]) -> Result<Admitted<'a>, Rejected> {
        if self.established && !self.may_ask_for_last_flight() {
            return Err(Rejected::Plaintext);
        }
        let fragments = fragments(fragment)?;
        let all = |types: &[u8]| {
            fragments
                .iter()
                .all(|fragment| types.contains(&fragment.message_type))
        };
        match self.role {
            Role::Server => {
                if all(&[msg::CLIENT_HELLO]) && !self.established {
                    return Ok(Admitted::ClientHello(fragments));
                }
                let expected = self.version == Some(Version::Dtls12)
                    && all(&[
                        msg::CERTIFICATE,
                        msg::CLIENT_KEY_EXCHANGE,
                        msg::CERTIFICATE_VERIFY,
                    ]);
                expected
                    .then_some(Admitted::Record)
                    .ok_or(Rejected::UnexpectedMessage)
            }
            Role::Client => self.admit_from_server(&fragments),
        }
    }

    /// In DTLS 1.2 the server speaks last. When that is lost, the client repeats its own last
    /// flight, most of which is in the clear (RFC 6347 §4.2.4).
    fn may_ask_for_last_flight(&self) -> bool {
        self.role == Role::Server && self.version == Some(Version::Dtls12) && !self.confirmed
    }

    fn admit_from_server<'a>(&self, fragments: &[Fragment<'a>]) -> Result<Admitted<'a>, Rejected> {
        let unexpected = Err(Rejected::UnexpectedMessage);
        let Some(first) = fragments.first() else {
            return unexpected;
        };
        match (self.version, first.message_type) {
            // What settles the version must come first and in one piece, which at a tenth of a
            // datagram it always does.
            (_, msg::SERVER_HELLO) if first.is_whole() => Ok(Admitted::ServerHello(*first)),
            (_, msg::HELLO_VERIFY_REQUEST) if first.is_whole() => Ok(Admitted::Record),
            (
                Some(Version::Dtls12),
                msg::CERTIFICATE
                | msg::SERVER_KEY_EXCHANGE
                | msg::CERTIFICATE_REQUEST
                | msg::SERVER_HELLO_DONE
                | msg::NEW_SESSION_TICKET,
            ) => Ok(Admitted::Record),
            _ => unexpected,
        }
    }
}
