//! Agents on a simulated network, and one agent with a peer made of bytes.

mod bytes;
mod conformance;
mod connect;
mod consent;
mod failure;
mod hostile;
mod lite;
mod network;
mod nominate;
mod restart;
mod support;
mod takeover;
mod tcp;
mod timing;
mod trickle;
