//! Dropping the last handle frees sockets, tasks and memory: they are counted.
//!
//! One test in a file of its own, since it counts what the whole process has.

#[path = "common/sockets.rs"]
mod sockets;

use std::time::Duration;

use peerconnection::Message;
use sockets::{Call, message, soon};

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

/// Until the drivers have said goodbye and ended.
async fn tasks_ended(before: usize) {
    let metrics = tokio::runtime::Handle::current().metrics();
    let ended = async {
        while metrics.num_alive_tasks() > before {
            tokio::time::sleep_until((tokio::time::Instant::now()) + Duration::from_millis(1))
                .await;
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
