//! How many sockets and paths a connection has: one set for each transport, as long as it is there.
//!
//! One test in a file of its own, since it counts what the whole process has.

#[path = "common/sockets.rs"]
mod sockets;

use std::{collections::BTreeSet, time::Duration};

use peerconnection::{
    BundlePolicy, Configuration, DataChannel, Events, MediaKind, Message, PeerConnection,
    SessionDescription, state::PeerConnectionState,
};
use sockets::{gathered, incoming, loopback, message, soon};

fn sockets_open() -> usize {
    let fds = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = fds.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
    let is_socket = |target: &std::path::PathBuf| target.to_string_lossy().starts_with("socket:");
    targets.filter(is_socket).count()
}

/// The system closes and carries in its own time.
async fn a_moment() {
    let later = tokio::time::Instant::now() + Duration::from_millis(1);
    tokio::time::sleep_until(later).await;
}

async fn until_open(count: usize) {
    let settled = async {
        while sockets_open() != count {
            a_moment().await;
        }
    };
    let what = format!("{count} sockets instead of {}", sockets_open());
    soon(&what, settled).await;
}

fn max_compat() -> Configuration {
    Configuration {
        bundle_policy: BundlePolicy::MaxCompat,
        ice_candidate_pool_size: 2,
        ..loopback()
    }
}

/// The ports of a description's candidates, of UDP: those of TCP that connect have none.
fn ports(description: &SessionDescription) -> BTreeSet<String> {
    let candidates = description
        .sdp
        .lines()
        .filter(|it| it.starts_with("a=candidate:") && it.contains(" udp "));
    let port = |line: &str| line.split(' ').nth(5).map(str::to_owned);
    candidates.filter_map(port).collect()
}

struct Call {
    a: PeerConnection,
    b: PeerConnection,
    here: DataChannel,
    there: DataChannel,
    _events: (Events, Events),
}

/// A proposes a transport for each of three sections; `change` is done to its offer.
async fn call(change: impl Fn(&str) -> String, base: usize, after: usize) -> Call {
    let (a, mut a_events) = PeerConnection::new(max_compat()).unwrap();
    assert_eq!(sockets_open(), base + 2, "the pool is bound at once");
    let (b, mut b_events) = PeerConnection::new(loopback()).unwrap();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        a.add_transceiver(kind, Default::default()).unwrap();
    }
    let here = a.create_data_channel("chat", Default::default()).unwrap();
    a.set_local_description(None).await.unwrap();
    gathered(&mut a_events).await;
    assert_eq!(sockets_open(), base + 3);
    let offer = a.local_description().unwrap();
    assert_eq!(ports(&offer).len(), 3, "{}", offer.sdp);
    let offer = SessionDescription::offer(change(&offer.sdp));
    b.set_remote_description(offer).await.unwrap();
    b.set_local_description(None).await.unwrap();
    gathered(&mut b_events).await;
    a.set_remote_description(b.local_description().unwrap())
        .await
        .unwrap();
    let there = soon("a channel", incoming(&mut b_events)).await;
    soon("open", here.ready()).await.unwrap();
    until_open(base + after).await;
    let _events = (a_events, b_events);
    Call {
        a,
        b,
        here,
        there,
        _events,
    }
}

async fn talk(call: &Call) {
    call.here.send_text("hello").unwrap();
    let heard = soon("a message", message(&call.there)).await;
    assert_eq!(heard, Message::from("hello"));
    let connected = async {
        let up = |it: &PeerConnection| it.connection_state() == PeerConnectionState::Connected;
        while !(up(&call.a) && up(&call.b)) {
            a_moment().await;
        }
    };
    soon("every transport", connected).await;
}

fn without_bundle(offer: &str) -> String {
    let lines = offer.split_inclusive('\n');
    lines
        .filter(|line| !line.starts_with("a=group:BUNDLE"))
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
fn each_transport_has_sockets_of_its_own_as_long_as_it_is_there() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let base = sockets_open();
        // A peer that cannot bundle: three transports on each side.
        let apart = call(without_bundle, base, 6).await;
        talk(&apart).await;
        drop(apart);
        until_open(base).await;
        // One that bundles: the other transports and their sockets go.
        let bundled = call(str::to_owned, base, 2).await;
        talk(&bundled).await;
        drop(bundled);
        until_open(base).await;
        // A pool that nobody has used.
        let (unused, _events) = PeerConnection::new(max_compat()).unwrap();
        assert_eq!(sockets_open(), base + 2);
        drop(unused);
        until_open(base).await;
    });
    assert_eq!(runtime.metrics().num_alive_tasks(), 0);
}
