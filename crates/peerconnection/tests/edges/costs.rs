//! What a connection may cost at most.

use std::time::Duration;

use pc_proto::{Batch, Protocol};
use pc_simnet::ms;
use peerconnection::IceCandidate;

use crate::{
    common::{A, B, Call, good},
    engine,
    sockets::{self, Call as Sockets, soon},
    start,
};

#[test]
fn many_channels_do_not_slow_down_each_datagram() {
    let alone = talk_beside(0);
    let beside_many = talk_beside(3000);
    // Work in proportion to the channels takes thousands of times as long; that of this test's peers,
    // which look at all channels in each turn, some dozens.
    assert!(
        beside_many < alone * 300,
        "{beside_many:?}, alone {alone:?}"
    );
}

/// How long a little talk takes beside so many other channels.
fn talk_beside(channels: usize) -> Duration {
    let (mut call, chat, _) = Call::open(9, good());
    for n in 0..channels {
        call.channel(A, &n.to_string());
    }
    call.run(|net| net[B].engine.channels().count() == channels + 1);
    // The test's own peers look at each channel when they read.
    (call.net[A].slow, call.net[B].slow) = (true, true);
    let began = start();
    for n in 0..200 {
        call.send(A, chat, &n.to_string());
        call.run_for(ms(50));
    }
    start() - began
}

#[test]
fn receiving_allocates_nothing_of_the_size_of_its_buffers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let call = runtime.block_on(Sockets::open());
    let talk = || {
        runtime.block_on(async {
            for n in 0..100 {
                call.here.send_text(&n.to_string()).unwrap();
                soon("a message", sockets::message(&call.there)).await;
            }
        });
    };
    talk();
    let allocated = allocation_counter::measure(talk).bytes_total;
    assert!(allocated < 4 << 20, "{allocated} bytes for 100 messages");
}

/// A peer that names 100,000 candidates: those that are of use are tried, and neither memory nor what a
/// turn takes grows with them.
#[test]
fn a_hundred_thousand_candidates_cost_what_a_hundred_do() {
    let (now, [mut ours, mut theirs]) = (start(), [engine(1), engine(2)]);
    theirs
        .create_data_channel(now, "chat", Default::default())
        .unwrap();
    theirs.set_local_description(now, None).unwrap();
    let offer = theirs.local_description().unwrap();
    ours.set_remote_description(now, offer).unwrap();
    ours.set_local_description(now, None).unwrap();
    ours.gather(now, &["192.0.2.1:5000".parse().unwrap()]);
    let mut batch = Batch::new();
    let mut named = |from: u32, to: u32| {
        allocation_counter::measure(|| {
            for n in from..to {
                let [_, a, b, c] = n.to_be_bytes();
                let line = format!("candidate:{n} 1 udp {n} 10.{a}.{b}.{c} 5000 typ host");
                let candidate = IceCandidate {
                    candidate: line,
                    sdp_mid: Some("0".into()),
                    ..Default::default()
                };
                // Refused, once there are too many.
                let _ = ours.add_ice_candidate(now, Some(candidate));
                while ours
                    .poll_transmit(now, &mut batch.transmit_buf(1200, 16))
                    .is_some()
                {}
            }
        })
    };
    let few = named(1, 1_000);
    let many = named(1_000, 101_000);
    assert!(
        many.bytes_current < 1 << 16,
        "{} bytes stay",
        many.bytes_current
    );
    assert!(
        many.bytes_total < few.bytes_total * 150,
        "{} bytes for each of the many, {} for each of the few",
        many.bytes_total / 100_000,
        few.bytes_total / 1_000
    );
}
