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
        let expected = match self.role {
            Role::Server => self.is_from_client(&fragments),
            Role::Client => self.is_from_server(&fragments),
        };
        match fragments.first().filter(|_| expected) {
            None => Err(Rejected::UnexpectedMessage),
            Some(first) => Ok(match first.message_type {
                msg::CLIENT_HELLO => Admitted::ClientHello(fragments),
                msg::SERVER_HELLO => Admitted::ServerHello(*first),
                _ => Admitted::Record,
            }),
        }
    }

    /// Whether these are messages of a client, each with the number that it has in a handshake.
    ///
    /// A message out of its place would wait for those before it until the handshake is over, and
    /// make it fail then.
    fn is_from_client(&self, fragments: &[Fragment<'_>]) -> bool {
        let hello = |fragment: &Fragment<'_>| {
            // The second one follows a HelloRetryRequest.
            !self.established
                && matches!(
                    (fragment.message_type, fragment.message_seq),
                    (msg::CLIENT_HELLO, 0 | 1)
                )
        };
        let last_flight = |fragment: &Fragment<'_>| {
            matches!(
                (fragment.message_type, fragment.message_seq),
                (msg::CERTIFICATE, 1)
                    | (msg::CLIENT_KEY_EXCHANGE, 2)
                    | (msg::CERTIFICATE_VERIFY, 3)
            )
        };
        let version_12 = self.version == Some(Version::Dtls12);
        fragments.iter().all(hello) || version_12 && fragments.iter().all(last_flight)
    }

    /// Whether these are messages of a server, each with a number that it may have; they are one
    /// higher after a retry.
    fn is_from_server(&self, fragments: &[Fragment<'_>]) -> bool {
        let fits = |fragment: &Fragment<'_>| {
            let version_12 = self.version == Some(Version::Dtls12);
            match (fragment.message_type, fragment.message_seq) {
                // What settles the version must come in one piece, which at a tenth of a datagram
                // it always does.
                (msg::SERVER_HELLO, 0 | 1) | (msg::HELLO_VERIFY_REQUEST, 0) => fragment.is_whole(),
                (msg::CERTIFICATE, 1 | 2)
                | (msg::SERVER_KEY_EXCHANGE, 2 | 3)
                | (msg::CERTIFICATE_REQUEST, 3 | 4)
                | (msg::SERVER_HELLO_DONE, 3..=5) => version_12,
                _ => false,
            }
        };
        let settles = |fragment: &Fragment<'_>| {
            matches!(
                fragment.message_type,
                msg::SERVER_HELLO | msg::HELLO_VERIFY_REQUEST
            )
        };
        let (Some(first), rest) = (fragments.first(), fragments.get(1..).unwrap_or_default())
        else {
            return false;
        };
        // A record that begins with a ServerHello may go on with what only DTLS 1.2 has.
        fits(first) && (settles(first) || rest.iter().all(fits))
    }

    /// In DTLS 1.2 the server speaks last. When that is lost, the client repeats its own last
    /// flight, most of which is in the clear (RFC 6347 §4.2.4).
    fn may_ask_for_last_flight(&self) -> bool {
        self.role == Role::Server && self.version == Some(Version::Dtls12) && !self.confirmed
    }
}
