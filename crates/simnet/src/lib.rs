//! A deterministic network of links and hosts on virtual time, for tests.
//!
//! Two engines, a bad link each way, one seed. What the engines do, the links lose and the driver
//! delays is a function of that seed: a failure prints it, and `SIM_SEED=…` replays the run.
//!
//! ```
//! use pc_proto::{Protocol, TransmitBuf};
//! use pc_simnet::{Link, Pair, for_each_seed, ms};
//! use std::{convert::Infallible, time::Instant};
//!
//! /// Sends a number until the other side counts on from it.
//! struct Counter { sends: u8, heard: u8, again: Option<Instant> }
//!
//! impl Protocol for Counter {
//!     type Route = ();
//!     type Payload<'d> = ();
//!     type Event = u8;
//!     type Rejected = Infallible;
//!
//!     fn handle_input(&mut self, now: Instant, _: (), datagram: &mut [u8]) -> Result<(), Infallible> {
//!         if let [number] = datagram && *number > self.heard {
//!             (self.heard, self.sends, self.again) = (*number, *number + 1, Some(now));
//!         }
//!         Ok(())
//!     }
//!     fn handle_timeout(&mut self, _: Instant) {}
//!     fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<()> {
//!         self.again.filter(|at| *at <= now)?;
//!         self.again = Some(now + ms(100));
//!         out.datagram(1, |bytes| bytes[0] = self.sends);
//!         Some(())
//!     }
//!     fn poll_event(&mut self) -> Option<u8> { None }
//!     fn poll_timeout(&self) -> Option<Instant> { self.again }
//! }
//!
//! for_each_seed(10, |seed| {
//!     let a = Counter { sends: 1, heard: 0, again: Some(pc_simnet::epoch()) };
//!     let b = Counter { sends: 0, heard: 0, again: None };
//!     let bad = Link::new().delay(ms(20)).jitter(ms(5)).loss(0.3).duplicate(0.1);
//!     let mut pair = Pair::new(seed, a, b).with_link(bad);
//!     pair.run(|pair| pair.a.heard >= 20);
//!     assert!(pair.trace().count(|datagram| !datagram.is_delivered()) > 0);
//! });
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`Pair`] | two engines and a link each way: `run`, `drive`, `run_for`, `run_until_idle`, `step` |
//! | [`Network`] | any number of hosts with addresses, a link for each directed pair of them |
//! | [`Nat`], [`Dependence`] | address translators in all mappings and filterings of RFC 4787 |
//! | [`Link`], [`Loss`] | delay, jitter, loss, reordering, duplication, corruption, rate with a queue, MTU |
//! | [`LazyDriver`] | calls the engines late, early, twice and out of order |
//! | [`Node`], [`Collect`] | what a test does with the data that an engine yields |
//! | [`Seed`], [`for_each_seed`] | randomness: for the network, for engines, for the test itself |
//! | [`Trace`], [`Record`] | every datagram and what became of it |
//!
//! A [`Host`] (`pair.a`, `network[id]`) derefs to its node, and keeps the events and rejections.
//!
//! # Writing a test
//!
//! - Time: engines that want `now` at construction get [`epoch`]; later it is `pair.now()`.
//! - Commands: `let now = pair.now(); pair.a.send(now, …); pair.run(|pair| …)`. Engines are polled
//!   when a run begins and after each closure of `drive`; a command is seen then.
//! - Rule 2 of the contract: repeat the test with `.with_driver(LazyDriver::default())`.
//! - A simulation that a panic ends prints its seed and its last datagrams.
//!
//! # Design decision
//!
//! The network drives values: no task, no thread, no real clock. Two runs from one seed make the
//! same calls with the same arguments, so a trace can be compared, and an hour of virtual time takes
//! as long as what happens in it. The links take bytes and know no protocol.
//!
//! # Non-goals
//!
//! No ECN, as the contract carries none; no routing but through one NAT each way, no real sockets.

mod air;
mod host;
mod lazy;
mod link;
mod nat;
mod network;
mod node;
mod pair;
mod run;
mod seed;
mod time;
mod trace;

pub use host::Host;
pub use lazy::LazyDriver;
pub use link::{Dropped, HEADER_BYTES, Link, Loss};
pub use nat::{Dependence, Nat};
pub use network::{HostId, Network};
pub use node::{Collect, EventOf, Node, RejectedOf, Route, RouteOf};
pub use pair::{Pair, Side};
pub use seed::{Seed, for_each_seed};
pub use time::{epoch, ms, secs};
pub use trace::{Fate, Record, Trace};

#[cfg(test)]
mod tests;
