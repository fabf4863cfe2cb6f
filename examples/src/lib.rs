//! What the example programs share: signaling.
