//! Pairs that are connected and idle, for what they hold.

use std::any::Any;

use super::{facade, ours, theirs};

/// A connected pair.
pub type Pair = Box<dyn Any>;

/// Tells `measure` of each kind of pair: its name, how many to open, and how to open one.
///
/// `cargo test --all-targets` wants to know only that it runs: without `--bench` there are few.
/// What `measure` opens is dropped at the end, so that none is given the memory of another.
pub fn each_kind(mut measure: impl FnMut(&str, usize, &dyn Fn() -> Pair) -> Vec<Pair>) {
    let pairs = if std::env::args().any(|it| it == "--bench") {
        500
    } else {
        1
    };
    let runtime = facade::runtime();
    let server = {
        let _entered = runtime.enter();
        facade::one_socket()
    };
    let facade = |ours| -> Pair {
        let both = [ours, facade::own_sockets()];
        Box::new(runtime.block_on(facade::Connected::open(both)))
    };
    let kept = [
        measure("`engine::Connection`", pairs, &|| {
            Box::new(ours::Memory::open())
        }),
        measure("`str0m::Rtc`", pairs, &|| {
            Box::new(theirs::Memory::open(theirs::DEFAULT_BUFFER))
        }),
        measure(
            "`PeerConnection`, half of them on one `Endpoint`",
            pairs,
            &|| facade(server.clone()),
        ),
        measure(
            "`PeerConnection`, all with sockets of their own",
            pairs,
            &|| facade(facade::own_sockets()),
        ),
    ];
    drop(kept);
}
