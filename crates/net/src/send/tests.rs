use super::*;
use proptest::prelude::*;

fn batch_of(lens: &[usize]) -> Batch {
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(usize::MAX, usize::MAX);
    for (number, len) in lens.iter().enumerate() {
        out.datagram(*len, |bytes| bytes.fill(number as u8));
    }
    batch
}

fn split(chunk: &[u8], segment_len: Option<usize>) -> Vec<Vec<u8>> {
    match segment_len {
        None => vec![chunk.to_vec()],
        Some(len) => chunk.chunks(len).map(<[u8]>::to_vec).collect(),
    }
}

fn all(batch: &Batch) -> Vec<Vec<u8>> {
    batch.datagrams().map(<[u8]>::to_vec).collect()
}

fn blocked() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}

proptest! {
    /// Whatever blocks and wherever offload fails, every datagram goes out once, in order.
    #[test]
    fn everything_leaves_once_in_order(
        lens in proptest::collection::vec(prop_oneof![Just(0), Just(100), 0usize..300], 0..200),
        max_segments in 1usize..80,
        outcomes in proptest::collection::vec(0u8..4, 0..100),
        offload_works in any::<bool>(),
    ) {
        let batch = batch_of(&lens);
        let (mut out, mut outcomes) = (Vec::new(), outcomes.into_iter());
        let mut progress = SendProgress::new();
        let mut calls = 0;
        while calls < 10_000 {
            let result = progress.advance(&batch, max_segments, |chunk, segment_len| {
                calls += 1;
                if outcomes.next() == Some(0) {
                    return Err(blocked());
                }
                if segment_len.is_some() && !offload_works {
                    return Err(io::ErrorKind::InvalidInput.into());
                }
                let datagrams = split(chunk, segment_len);
                assert!(datagrams.len() <= max_segments);
                out.extend(datagrams);
                Ok(())
            });
            match result {
                Ok(()) => break,
                Err(error) => prop_assert!(is_blocked(&error)),
            }
        }
        prop_assert_eq!(&out, &all(&batch));
        prop_assert_eq!((progress.sent, progress.dropped), (lens.len(), 0));
        let merged = max_segments > 1 && batch.gso_runs().any(|run| run.segments().count() > 1);
        prop_assert_eq!(progress.offload_fails, merged && !offload_works);
    }
}

#[test]
fn equal_datagrams_leave_in_one_call() {
    let batch = batch_of(&[1200; 40]);
    let mut calls = Vec::new();
    let send = |chunk: &[u8], segment_len| {
        calls.push((chunk.len(), segment_len));
        Ok(())
    };
    SendProgress::new().advance(&batch, 64, send).unwrap();
    assert_eq!(calls, [(48_000, Some(1200))]);
}

#[test]
fn a_refusal_drops_its_call_and_no_more() {
    let batch = batch_of(&[100, 100, 100, 50, 100, 100]);
    let mut calls = 0;
    let mut progress = SendProgress::new();
    let result = progress.advance(&batch, 64, |_, _| {
        calls += 1;
        match calls {
            1 => Err(io::ErrorKind::HostUnreachable.into()),
            _ => Ok(()),
        }
    });
    assert!(result.is_ok());
    assert_eq!((progress.sent, progress.dropped), (2, 4));
    let error = progress.error.map(|error| error.kind());
    assert_eq!(error, Some(io::ErrorKind::HostUnreachable));
}

#[test]
fn too_long_ones_are_dropped_and_a_shorter_last_one_leaves() {
    let batch = batch_of(&[9000, 9000, 700]);
    let mut progress = SendProgress::new();
    let result = progress.advance(&batch, 64, |chunk, segment_len| match chunk.len() {
        // As Linux does: one error for the run, another for each.
        _ if segment_len.is_some() => Err(io::ErrorKind::InvalidInput.into()),
        9000 => Err(io::Error::from_raw_os_error(90)),
        _ => Ok(()),
    });
    assert!(result.is_ok());
    assert_eq!((progress.sent, progress.dropped), (1, 2));
    assert!(!progress.offload_fails, "it was their length");
}

#[test]
fn a_dead_socket_is_an_error() {
    let batch = batch_of(&[10]);
    let mut progress = SendProgress::new();
    let result = progress.advance(&batch, 64, |_, _| Err(io::ErrorKind::BrokenPipe.into()));
    assert!(result.is_err());
    assert_eq!((progress.sent, progress.dropped), (0, 0));
}

#[test]
fn the_rest_is_dropped_only_once() {
    let batch = batch_of(&[10, 20, 30]);
    let mut progress = SendProgress::new();
    let mut calls = 0;
    let result = progress.advance(&batch, 64, |_, _| {
        calls += 1;
        if calls == 2 { Err(blocked()) } else { Ok(()) }
    });
    assert!(result.is_err());
    progress.drop_rest(&batch, io::ErrorKind::AddrNotAvailable.into());
    assert_eq!((progress.sent, progress.dropped), (1, 2));
    progress
        .advance(&batch, 64, |_, _| panic!("nothing is left"))
        .unwrap();
}

#[test]
fn what_no_socket_can_reach_is_known() {
    let impossible = ["10.0.0.1:0", "0.0.0.0:9", "[::]:9", "[fe80::1]:9"];
    let possible = ["10.0.0.1:9", "[2001:db8::1]:9", "[fe80::1%3]:9"];
    for (to, expected) in impossible
        .map(|to| (to, true))
        .into_iter()
        .chain(possible.map(|to| (to, false)))
    {
        let envelope = Envelope::to(to.parse().unwrap());
        assert_eq!(envelope.is_impossible(), expected, "{to}");
    }
}
