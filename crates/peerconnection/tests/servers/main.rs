//! STUN and TURN servers, and the NATs that they are there for, on virtual time.

mod families;
mod hidden;
mod matrix;
mod nodes;
mod room;
mod timing;
mod world;

// The strict server that the TURN client of `pc-ice` is tested with.
#[allow(dead_code)]
#[path = "../../../ice/tests/turn/relay.rs"]
mod relay;
#[allow(dead_code)]
#[path = "../../../ice/tests/turn/server.rs"]
mod server;
