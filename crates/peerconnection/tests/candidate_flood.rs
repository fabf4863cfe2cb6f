//! A peer that tells more candidates than there can be.

use peerconnection::{Configuration, Error, IceCandidate, PeerConnection};

/// Without optimisation that would take minutes.
const FLOOD: u32 = if cfg!(debug_assertions) {
    5_000
} else {
    100_000
};
const STEPS: u32 = 50;

fn candidate(n: u32, name: bool) -> IceCandidate {
    let [a, b, c, d] = n.to_be_bytes();
    let address = if name {
        format!("{n:08x}-0000-4000-8000-000000000000.local")
    } else {
        format!("{}.{b}.{c}.{d}", 11 + a)
    };
    IceCandidate {
        candidate: format!("candidate:{n} 1 udp 2130706431 {address} 9 typ host"),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    }
}

/// What the first hundreds have left bounds what a hundred thousand do: in text that is kept, and in
/// candidates that are known. So each costs as much as the one before.
#[tokio::test]
async fn a_hundred_thousand_candidates_neither_grow_nor_slow_a_connection() {
    for name in [false, true] {
        let [(a, _a), (b, _b)] =
            [(); 2].map(|()| PeerConnection::new(Configuration::default()).unwrap());
        a.create_data_channel("x", Default::default()).unwrap();
        let offer = a.create_offer(None).await.unwrap();
        b.set_remote_description(offer).await.unwrap();
        b.set_local_description(None).await.unwrap();
        let told = |b: &PeerConnection| b.remote_description().unwrap().sdp.len();
        let mut lengths = Vec::new();
        for step in 0..STEPS {
            for n in step * FLOOD / STEPS..(step + 1) * FLOOD / STEPS {
                // One too many may be refused, as what cannot be used is.
                let added = b.add_ice_candidate(candidate(n, name)).await;
                assert!(
                    matches!(added, Ok(()) | Err(Error::Operation(_))),
                    "{added:?}"
                );
            }
            lengths.push(told(&b));
        }
        assert_eq!(lengths[4], lengths[49], "{lengths:?}");
        let sctp = b.sctp().unwrap();
        let known = sctp
            .transport()
            .unwrap()
            .ice_transport()
            .remote_candidates();
        assert!(known.len() <= 200, "{}", known.len());
    }
}
