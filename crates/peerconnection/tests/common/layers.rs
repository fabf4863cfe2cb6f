//! The encodings that tests of simulcast send.

#![allow(unreachable_pub)]

use peerconnection::rtp::EncodingParameters;

/// What they are called, the largest first.
pub const RIDS: [&str; 3] = ["f", "h", "q"];

/// One of each name; `scales` are what each is scaled down by.
pub fn encodings(scales: [f64; 3]) -> Vec<EncodingParameters> {
    let encoding = |(rid, by): (&str, f64)| EncodingParameters {
        rid: Some(rid.to_owned()),
        scale_resolution_down_by: Some(by),
        ..EncodingParameters::default()
    };
    RIDS.into_iter().zip(scales).map(encoding).collect()
}
