//! Two agents on a simulated network.

mod connect;
mod support;
