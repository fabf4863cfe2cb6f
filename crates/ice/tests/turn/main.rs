//! The TURN client against a strict server, on virtual time.

mod allocate;
mod auth;
mod end;
mod hostile;
mod less;
mod lifetime;
mod peers;
mod relay;
mod server;
mod tcp;
mod world;
