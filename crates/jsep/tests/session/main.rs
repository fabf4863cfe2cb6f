//! Two sessions that exchange descriptions.

mod bundle;
mod corpora;
mod media;
mod model;
mod rollback;
mod support;
