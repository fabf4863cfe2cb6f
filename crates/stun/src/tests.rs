//! Tests of the crate as a whole.

mod browsers;
mod building;
mod corpus;
mod hostile;
mod keys;
mod vectors;
