//! A full ICE agent as a value: candidates, datagrams and time in; checks, answers and the path to
//! the peer out.
//!
//! ```
//! use pc_ice::{Agent, Candidate, Config, Role, State};
//! use pc_proto::{Batch, Protocol};
//! # use std::time::Duration;
//!
//! // Two agents; in earnest the seed is random, and each is in a process of its own.
//! # #[allow(clippy::disallowed_methods)]
//! let mut now = std::time::Instant::now();
//! let mut agents = [
//!     Agent::new(Config::new(Role::Controlling, [1; 32])),
//!     Agent::new(Config::new(Role::Controlled, [2; 32])),
//! ];
//! // Each learns its own addresses, and by signalling the credentials and candidates of the other.
//! for (i, address) in [(0, "192.0.2.1:4000"), (1, "198.51.100.1:5000")] {
//!     let candidate = agents[i].add_local_candidate(now, Candidate::host(address.parse()?)).unwrap();
//!     let credentials = agents[i].local_credentials().clone();
//!     agents[1 - i].set_remote_credentials(now, credentials)?;
//!     agents[1 - i].add_remote_candidate(now, candidate)?;
//!     agents[i].end_of_local_candidates(now);
//!     agents[1 - i].end_of_remote_candidates(now);
//! }
//! // The driver: sends what there is to be sent, hands over what arrives, and keeps the time.
//! let mut batch = Batch::new();
//! while agents.iter().any(|agent| agent.state() != State::Completed) {
//!     for i in [0, 1] {
//!         while let Some(route) = agents[i].poll_transmit(now, &mut batch.transmit_buf(1200, 8)) {
//!             for datagram in batch.datagrams() {
//!                 agents[1 - i].handle_input(now, route.reversed(), &mut datagram.to_vec())?;
//!             }
//!         }
//!     }
//!     now += Duration::from_millis(1);
//!     agents.iter_mut().for_each(|agent| agent.handle_timeout(now));
//! }
//! // Whatever the layers above have to send goes here; what comes from there is passed up.
//! let route = agents[0].route().unwrap();
//! assert_eq!(route.remote, "198.51.100.1:5000".parse()?);
//! let passed = agents[1].handle_input(now, route.reversed(), &mut b"\x16 data".to_vec())?.is_some();
//! assert!(passed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`Agent`] | the engine: `agent/` has a file for each thing it does, inward to outward |
//! | [`Config`], [`Timing`], [`Credentials`] | what it is made from |
//! | [`Candidate`], [`CandidatePair`], [`CandidateKind`] | addresses, and two of them |
//! | [`TcpType`] | who connects, of candidates of TCP |
//! | [`Network`], [`NetworkCost`] | what a candidate's network costs its user |
//! | [`State`], [`Role`], [`Event`] | what became of it |
//! | [`StunClient`] | asks a STUN server for the address that it sees |
//! | [`turn::Client`] | one allocation on a TURN server; [`turn`] says how it is driven |
//! | [`ServerUri`] | a `stun:`, `stuns:`, `turn:` or `turns:` URL |
//! | [`Error`], [`Rejected`] | the caller's mistakes; why a datagram was dropped |
//!
//! # Design decision
//!
//! State that has rules of its own is a type of its own: the checklist, a transaction, consent, the
//! pacing, the generation that a restart replaces. After every input one function, `settle`, draws
//! the conclusions from all of them: whom to nominate, which path carries the data, what the state
//! is called. So no event has to remember what else depends on it, and calls may come in any order.
//!
//! Nothing is believed before it is proven: a request by the local password, an answer by its
//! transaction, its source and the peer's password. A rejected datagram changes nothing, a replayed
//! one nothing more, and everything that a peer can make grow has a limit.
//!
//! Data may flow over the best valid pair before nomination (RFC 8445 §12.1), so that a session is
//! up one round trip after both sides know each other.
//!
//! # TCP
//!
//! Pairs of TCP need connections, which the agent's owner opens and accepts. It
//!
//! 1. adds [`Candidate::tcp`] for the addresses that it connects from and the ports it listens at;
//! 2. opens what [`poll_connect`](Agent::poll_connect) names, or has a TURN server open what
//!    [`poll_relayed_connect`](Agent::poll_relayed_connect) does, and tells the outcome;
//! 3. hands over what comes on a connection, and tells when one has [ended](Agent::connection_lost);
//! 4. closes what is not [needed](Agent::needs_connection): so are connections that peers open and on
//!    which no check comes. Datagrams are framed as in RFC 4571.
//!
//! # Servers
//!
//! A [`StunClient`] and a [`turn::Client`] are engines of their own, one for each server and socket:
//! the agent does not know of them. Whoever composes them with it
//!
//! 1. reads URLs with [`ServerUri`], resolves names and opens TCP and TLS connections, whose bytes
//!    `pc_net::Decoder` cuts into messages (`Framing::Turn`);
//! 2. hands a datagram from a client's [`path`](turn::Client::path) to that client, and to the agent
//!    what is left of it: [`Rejected::UnmatchedResponse`] on a shared socket, or [`turn::PeerData`],
//!    whose path is from the relayed address to the peer;
//! 3. makes candidates of [`StunEvent::Mapped`] and of [`turn::Client::allocation`], starting at most
//!    one client in 50 ms (Ta, RFC 8445 §14.2);
//! 4. sends what the agent has for a relayed path through [`turn::Client::wrap`];
//! 5. tells of [`ServerError`] as [`code`](ServerError::code) and text, and follows an [`Alternate`].
//!
//! # What networks cost
//!
//! Whoever knows the interface of a local candidate says what its [network](Candidate::network) costs
//! (draft-thatcher-ice-network-cost). Between two pairs that both work, the one whose two ends cost less
//! together is used, and only then the one of the higher priority, as in libwebrtc: so a cellular network
//! carries nothing while a wireless LAN does. Local preferences follow the costs, checks tell them to the
//! peer (GOOG-NETWORK-INFO), and a peer that has never said any is taken for one that goes by priorities:
//! it is not asked to move to a lower one. While the pair in use costs more than others would, these are
//! checked every ten seconds. One that has fallen silent is moved back to after ten seconds at the least,
//! and twice as long each further time.
//!
//! # Where it departs from the RFCs
//!
//! - A frozen pair is checked when it is nobody else's turn, not only after the check that froze it
//!   has ended: with one component that would cost up to 39.5 s and save nothing.
//! - When the nominated pair falls silent and another one answers, the controlling agent nominates
//!   that one, as browsers do, instead of asking for a restart (RFC 8445 §8.1.1); until that has an
//!   answer, both sides send data over it (§12.1).
//! - Silence is looked for: whatever is sent ([`Agent::data_sent`]) is to be followed by something
//!   heard, or by an answer to one of three checks, about a second later (RFC 7675 knows it after 30 s).
//!   While a path is looked for, checks are begun anew every 250 ms instead of being repeated.
//! - Consent checks of the controlling agent carry USE-CANDIDATE, as libwebrtc's do: so the peer
//!   follows when a NAT has given this side another address.
//! - The controlled agent follows later nominations of worse pairs once the better one has not been
//!   nominated for 3 s.
//! - A check over TCP is repeated like one over UDP, as libwebrtc does (RFC 8489 §6.2.2 would have it sent
//!   once): a peer that has not had the answer yet may have said nothing.
//! - After three triggered checks in a row an ordinary one has its turn (RFC 8445 §6.1.4.2 has it
//!   wait): some NATs make each check trigger another one, without end.
//! - A relayed pair, or one of TCP, is nominated as soon as any other, but the controlling agent
//!   checks direct ones of UDP on for as long as a check takes, and nominates the first that answers in its place.
//!
//! # Specifications
//!
//! RFC 8445 (ICE), RFC 8838 (trickle), RFC 8863 (patience), RFC 7675 (consent),
//! draft-thatcher-ice-renomination, draft-thatcher-ice-network-cost, RFC 8421 (IPv4 and IPv6), RFC 6544 (TCP), RFC 8489 (STUN),
//! RFC 8656 (TURN), RFC 6062 (TURN for TCP), RFC 8016 (mobility), RFC 7064 and
//! RFC 7065 (URLs), W3C webrtc-pc §5.6 (states).
//!
//! # Non-goals
//!
//! It opens no socket, enumerates no interface and resolves no name. The agent takes host candidates
//! of its own side and candidates of every kind of its peer; mDNS names are the caller's. Of TCP there
//! are no server-reflexive candidates (RFC 6544 §5.2). No discovery of
//! servers through DNS SRV (RFC 8489 §8), no third-party authorization (RFC 7635).
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod agent;
mod candidate;
mod checklist;
mod config;
mod consent;
mod credentials;
mod early;
mod error;
mod generation;
mod locals;
mod network;
mod nomination;
mod pacing;
mod pair;
mod paths;
mod remotes;
mod reply;
mod requests;
mod server;
mod state;
mod tcp;
mod transaction;
pub mod turn;
mod uri;

pub use agent::{Agent, PairView};
pub use candidate::{COMPONENT, Candidate, CandidateKind, CandidatePair, candidate_priority};
pub use config::{Config, Timing};
pub use credentials::Credentials;
pub use error::{Error, Rejected};
pub use network::{Network, NetworkCost};
pub use pair::{PairCounters, PairStatus};
pub use server::{
    Alternate, ErrorResponse, Redirects, RequestTiming, ServerError, StunClient, StunConfig,
    StunEvent,
};
pub use state::{Event, Role, State};
pub use tcp::TcpType;
pub use uri::{Host, Scheme, ServerTransport, ServerUri, UriError};

#[cfg(test)]
mod tests;
