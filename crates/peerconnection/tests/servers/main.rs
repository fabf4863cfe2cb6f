//! STUN and TURN servers, and the NATs that they are there for, on virtual time; servers and endpoints on
//! real sockets.

mod families;
mod hidden;
mod later;
mod live;
mod matrix;
mod moved;
mod networks;
mod nodes;
mod one_socket;
mod pool;
mod room;
mod secrets;
mod shared;
mod silent;
mod timing;
mod world;

#[path = "../common/sockets.rs"]
mod sockets;

// The strict server that the TURN client of `pc-ice` is tested with.
#[allow(dead_code)]
#[path = "../../../ice/tests/turn/relay.rs"]
mod relay;
#[allow(dead_code)]
#[path = "../../../ice/tests/turn/server.rs"]
mod server;
