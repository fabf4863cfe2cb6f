//! Dropping the last handle frees sockets, tasks and memory: they are counted.
//!
//! One test in a file of its own, since it counts what the whole process has.

#[path = "common/sockets.rs"]
mod sockets;

use std::time::Duration;

use peerconnection::{
    Configuration, Event, MediaKind, MediaStream, MediaStreamTrack, MediaStreamTrackState, Message,
    PeerConnection,
};
use sockets::{Call, exchange, gathered, loopback, message, negotiate, soon};

/// A call with a message each way; everything of it is dropped at the end, in no polite order.
async fn call() {
    let Call {
        a, b, here, there, ..
    } = Call::open().await;
    here.send_text("ping").unwrap();
    assert_eq!(
        soon("a message", message(&there)).await,
        Message::from("ping")
    );
    // Never read: freed all the same.
    there.send(&[7; 50_000]).unwrap();
    drop((a, b));
}

/// Transceivers with tracks and streams, sent and received, stopped, recycled and rolled back. What is
/// left are events that hold handles, handles that hold each other, and tracks of the application's.
async fn media() {
    let (a, mut a_events) = PeerConnection::new(loopback()).unwrap();
    let (b, mut b_events) = PeerConnection::new(loopback()).unwrap();
    let stream = MediaStream::new("stream", []);
    let mut sources = Vec::new();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let (track, source) = MediaStreamTrack::new(kind, kind.to_string(), "");
        a.add_track(&track, &[&stream]).unwrap();
        b.add_track(&track, &[&stream]).unwrap();
        sources.push(source);
    }
    let both = negotiate((&a, &mut a_events), (&b, &mut b_events));
    soon("negotiation", both).await.unwrap();
    a.transceivers()[0].stop().unwrap();
    exchange(&a, &b).await;
    a.add_transceiver(MediaKind::Audio, Default::default())
        .unwrap();
    a.set_local_description(None).await.unwrap();
    b.set_remote_description(a.local_description().unwrap())
        .await
        .unwrap();
    // The track events of the last exchanges wait, unread. Of one side nobody reads them ever.
    let unread = b_events;
    let kept: Vec<_> = std::iter::from_fn(|| a_events.try_next()).collect();
    assert!(kept.iter().any(|event| matches!(event, Event::Track(_))));
    let receivers = b.receivers();
    let pending = b.senders()[0].replace_track(None);
    drop((a, b));
    for receiver in &receivers {
        let ended = MediaStreamTrackState::Ended;
        assert_eq!(receiver.track().ready_state(), ended);
    }
    drop(pending);
    drop((unread, receivers, kept));
}

/// The sockets that the candidate pool binds before any description asks for them.
async fn pool() {
    let before = sockets_open();
    let (a, mut events) = PeerConnection::new(Configuration {
        ice_candidate_pool_size: 3,
        ..loopback()
    })
    .unwrap();
    let count = |more| before.map(|before| before + more);
    assert_eq!(sockets_open(), count(3));
    a.add_transceiver(MediaKind::Audio, Default::default())
        .unwrap();
    a.set_local_description(None).await.unwrap();
    soon("the end of gathering", gathered(&mut events)).await;
    assert_eq!(sockets_open(), count(3), "one of them is used");
    let (b, _) = PeerConnection::new(loopback()).unwrap();
    let offer = a.local_description().unwrap();
    b.set_remote_description(offer).await.unwrap();
    b.set_local_description(None).await.unwrap();
    let answer = b.local_description().unwrap();
    b.close();
    a.set_remote_description(answer).await.unwrap();
    // RFC 9429 §3.5.4: what the exchange has not used is let go.
    let freed = async {
        while sockets_open() > count(1) {
            a_moment().await;
        }
    };
    soon("the sockets to close", freed).await;
    drop(a);
}

fn sockets_open() -> Option<usize> {
    // Elsewhere than on Linux the tasks and the memory are counted alone.
    let fds = std::fs::read_dir("/proc/self/fd").ok()?;
    let targets = fds.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
    Some(
        targets
            .filter(|target| target.to_string_lossy().starts_with("socket:"))
            .count(),
    )
}

async fn a_moment() {
    let later = tokio::time::Instant::now() + Duration::from_millis(1);
    tokio::time::sleep_until(later).await;
}

/// Until the drivers have said goodbye and ended.
async fn tasks_ended(before: usize) {
    let metrics = tokio::runtime::Handle::current().metrics();
    let ended = async {
        while metrics.num_alive_tasks() > before {
            a_moment().await;
        }
    };
    soon("the tasks to end", ended).await;
}

#[test]
fn dropping_the_last_handle_frees_everything() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let round = || {
        runtime.block_on(async {
            call().await;
            tasks_ended(0).await;
            media().await;
            tasks_ended(0).await;
            pool().await;
            tasks_ended(0).await;
        });
    };
    // What is set up once in a process is set up here.
    for _ in 0..3 {
        round();
    }
    let sockets_before = sockets_open();
    let once = allocation_counter::measure(round).bytes_current;
    let many = allocation_counter::measure(|| (0..20).for_each(|_| round())).bytes_current;
    assert_eq!(sockets_open(), sockets_before);
    assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    // The allocator's view of one thread: a leak would be there twenty times.
    assert!(
        many < 20_000,
        "{once} bytes are left after one call, {many} after twenty"
    );
}
