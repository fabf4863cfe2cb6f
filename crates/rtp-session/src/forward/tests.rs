//! What a server relies on, piece by piece; whole streams are in the crate's `tests`.

mod nack_cache;
mod selector;
