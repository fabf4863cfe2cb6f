//! Two sessions that exchange descriptions.

mod bundle;
mod captures;
mod corpora;
mod credentials;
mod hostile;
mod media;
mod model;
mod needed;
mod numbers;
mod rollback;
mod support;
mod transport;
