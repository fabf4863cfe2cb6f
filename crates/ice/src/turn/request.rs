//! The requests of a client (RFC 8656 §7.1, §8.1, §10.1, §12.1; RFC 6062 §4.3).

use std::time::Duration;

use pc_stun::{Attribute, BuildError, Class, MessageBuilder, TransactionId};
use rand_chacha::rand_core::Rng;

use super::{
    Client, RelayedPort,
    auth::Proof,
    client::State,
    transactions::{Purpose, Transaction},
};
use crate::{RequestTiming, server::Schedule};

/// Room for the longest request: user name, realm, nonce and SOFTWARE of all the bytes that they
/// may have, a ticket and the rest.
const MAX_REQUEST: usize = 4096;

/// For the last request of all few answers are waited for: an allocation that is not released ends
/// by itself.
const RELEASE: RequestTiming = RequestTiming {
    rto: Duration::from_millis(500),
    max_transmissions: 3,
    last_wait: 4,
    stream_timeout: Duration::from_secs(5),
};

impl Client {
    /// Begins a request, which is sent when it is polled for.
    pub(super) fn begin(&mut self, purpose: Purpose, challenges: u8) {
        let mut id = TransactionId([0; 12]);
        self.rng.fill_bytes(&mut id.0);
        let mut bytes = [0; MAX_REQUEST];
        // Everything in it has been measured before: user name and SOFTWARE by `Config::check`, realm,
        // nonce and ticket when they came.
        let Ok((len, proof)) = self.write_request(purpose, id, &mut bytes) else {
            return;
        };
        let timing = match purpose {
            Purpose::Release => RELEASE,
            _ => self.config.timing,
        };
        self.transactions.push(Transaction {
            id,
            purpose,
            bytes: bytes.get(..len).unwrap_or_default().into(),
            schedule: Schedule::new(self.config.transport, timing),
            proof,
            challenges,
            violated: None,
        });
    }

    fn write_request(
        &self,
        purpose: Purpose,
        id: TransactionId,
        bytes: &mut [u8],
    ) -> Result<(usize, Option<Proof>), BuildError> {
        let mut request = MessageBuilder::new(bytes, Class::Request, purpose.method(), id);
        match purpose {
            Purpose::Allocate => self.describe_allocation(&mut request),
            Purpose::Refresh => self.ask_lifetime(&mut request),
            Purpose::Move => {
                if let State::Allocated(allocation) = &self.state
                    && let Some(ticket) = &allocation.ticket
                {
                    request.attribute(Attribute::MobilityTicket(ticket));
                }
                self.ask_lifetime(&mut request);
            }
            Purpose::Release => {
                request.attribute(Attribute::Lifetime(0));
            }
            Purpose::Permit(peer) | Purpose::Connect(peer) => {
                request.attribute(Attribute::XorPeerAddress(peer));
            }
            Purpose::Bind(number, peer) => {
                request
                    .attribute(Attribute::ChannelNumber(number.number()))
                    .attribute(Attribute::XorPeerAddress(peer));
            }
        }
        if let Some(software) = &self.config.software {
            request.attribute(Attribute::Software(software));
        }
        let proof = self.auth.sign(&mut request);
        Ok((request.finish()?, proof))
    }

    /// RFC 8656 §7.1
    fn describe_allocation(&self, request: &mut MessageBuilder<'_>) {
        let config = &self.config;
        request.attribute(Attribute::RequestedTransport(config.relayed.protocol()));
        self.wishes.write(request);
        match &config.port {
            RelayedPort::Any => {}
            RelayedPort::Even => {
                request.attribute(Attribute::EvenPort { reserve: false });
            }
            RelayedPort::EvenAndNext => {
                request.attribute(Attribute::EvenPort { reserve: true });
            }
            RelayedPort::Reserved(token) => {
                request.attribute(Attribute::ReservationToken(token));
            }
        }
        if config.dont_fragment {
            request.attribute(Attribute::DontFragment);
        }
        self.ask_lifetime(request);
    }

    fn ask_lifetime(&self, request: &mut MessageBuilder<'_>) {
        if let Some(lifetime) = self.config.lifetime {
            // Zero would release the allocation.
            let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
            request.attribute(Attribute::Lifetime(seconds.max(1)));
        }
    }
}
