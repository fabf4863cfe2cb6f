//! Two sessions in one process, joined without a network: how fast messages pass.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use pc_datachannel::{ChannelInit, Config, Event, Message, Role, SendError, Session};
use pc_proto::{Batch, Protocol};

fn session(seed: u8, role: Role) -> Session {
    let mut config = Config {
        seed: [seed; 32],
        ..Config::default()
    };
    config.sctp.max_message_size = 262_144;
    let mut session = Session::new(config);
    session.set_role(Instant::now(), role);
    session
}

/// Moves one batch; whether there was one.
fn carry(
    now: Instant,
    from: &mut Session,
    to: &mut Session,
    batch: &mut Batch,
    scratch: &mut [u8],
) -> bool {
    let some = from
        .poll_transmit(now, &mut batch.transmit_buf(1200, 64))
        .is_some();
    if some {
        for packet in batch.datagrams() {
            let (head, _) = scratch.split_at_mut(packet.len());
            head.copy_from_slice(packet);
            let _ = to.handle_input(now, (), head);
        }
    }
    some
}

fn run(size: usize, total: usize) -> Duration {
    let (mut a, mut b) = (session(1, Role::Client), session(2, Role::Server));
    let (mut batch, mut scratch) = (Batch::new(), vec![0; 2048]);
    let start = Instant::now();
    let mut now = start;
    a.connect(now);
    let id = a.create(now, ChannelInit::default()).unwrap();
    let message = vec![7; size];
    let (mut sent, mut received, mut buffer) = (0, 0, Vec::new());
    let mut there = None;
    while received < total {
        while sent < total {
            match a.send(now, id, Message::Binary(&message)) {
                Ok(()) => sent += size,
                Err(SendError::BufferFull | SendError::NotOpen) => break,
                Err(error) => panic!("{error}"),
            }
        }
        carry(now, &mut a, &mut b, &mut batch, &mut scratch);
        while let Some(event) = b.poll_event() {
            if let Event::Incoming(id) = event {
                there = Some(id);
            }
        }
        while a.poll_event().is_some() {}
        if let Some(id) = there {
            while b.recv(now, id, &mut buffer).is_some() {
                received += buffer.len();
            }
        }
        carry(now, &mut b, &mut a, &mut batch, &mut scratch);
        now = Instant::now();
        for session in [&mut a, &mut b] {
            if session.poll_timeout().is_some_and(|at| at <= now) {
                session.handle_timeout(now);
            }
        }
    }
    start.elapsed()
}

fn main() {
    for size in [64, 1024, 16 << 10, 256 << 10] {
        let total = if size < 1024 { 4 << 20 } else { 256 << 20 };
        let took = run(size, total);
        let rate = total as f64 / took.as_secs_f64() / 1e6;
        println!("{size:>7} bytes: {rate:>7.1} MB/s");
    }
}
