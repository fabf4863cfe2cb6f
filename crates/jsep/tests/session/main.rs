//! Two sessions that exchange descriptions.

mod model;
