use std::future::poll_fn;

use pc_net::{Framing, Listener, TcpOptions};

use super::*;
use crate::{api::inbox::Inbox, clock};

async fn pair(listener: &mut Listener) -> (Stream, Stream) {
    let options = TcpOptions::new(Framing::Rfc4571);
    let ours = Stream::connect(listener.local_addr(), &options);
    let (ours, theirs) = tokio::join!(ours, listener.accept());
    (ours.unwrap(), theirs)
}

fn listener() -> Listener {
    let any = "127.0.0.1:0".parse().unwrap();
    Listener::bind(any, TcpOptions::new(Framing::Rfc4571)).unwrap()
}

/// Whether the far side has ended the stream.
async fn is_over(stream: &mut Stream) -> bool {
    stream.recv().await.is_err()
}

#[tokio::test]
async fn who_says_nothing_is_sent_away_in_time() {
    let (mut listener, mut streams) = (listener(), Streams::default());
    let (mut first, theirs) = pair(&mut listener).await;
    let now = clock::now();
    streams.accept(now, theirs);
    let (mut second, theirs) = pair(&mut listener).await;
    streams.accept(now + SILENCE / 2, theirs);
    assert_eq!(streams.silence_ends(), Some(now + SILENCE));
    streams.end_silence(now + SILENCE - Duration::from_millis(1));
    assert_eq!(streams.open.len(), 2);
    streams.end_silence(now + SILENCE);
    assert!(is_over(&mut first).await);
    streams.end_silence(now + SILENCE * 2);
    assert!(is_over(&mut second).await);
    assert_eq!(streams.silence_ends(), None);
    assert!(streams.open.is_empty() && streams.by_path.is_empty());
}

#[tokio::test]
async fn who_is_named_and_proves_nothing_is_given_time() {
    let (mut listener, mut streams) = (listener(), Streams::default());
    let (mut ours, theirs) = pair(&mut listener).await;
    let (key, now) = (Inbox::default().new_key(), clock::now());
    streams.accept(now, theirs);
    assert!(streams.name(StreamId(0), key, now));
    streams.end_silence(now + SILENCE);
    streams.close(key, now + PROBATION / 2, |_| false);
    assert_eq!(streams.open.len(), 1);
    streams.close(key, now + PROBATION, |_| true);
    assert_eq!(streams.open.len(), 1, "it is needed");
    streams.close(key, now + PROBATION, |_| false);
    assert!(is_over(&mut ours).await);
    assert!(streams.by_key.is_empty());
}

/// However many there are, only those are looked at that something has happened to.
#[tokio::test]
async fn streams_wake_for_themselves_alone() {
    let (mut listener, mut streams) = (listener(), Streams::default());
    let key = Inbox::default().new_key();
    let mut far = Vec::new();
    for _ in 0..20 {
        let (ours, theirs) = pair(&mut listener).await;
        streams.add(key, theirs);
        far.push(ours);
    }
    poll_fn(|cx| {
        assert!(streams.poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    let mut batch = Batch::new();
    batch
        .transmit_buf(1200, 1)
        .datagram(3, |bytes| bytes.copy_from_slice(b"abc"));
    far[7].send(&batch);
    far[7].flush().await.unwrap();
    let (id, result) = poll_fn(|cx| streams.poll(cx)).await;
    result.unwrap();
    assert_eq!(streams.bells.queued(), [id]);
    let open = streams.get_mut(id).unwrap();
    assert_eq!(open.path().remote, far[7].local_addr());
    assert_eq!(open.stream.next_datagram().unwrap().unwrap(), b"abc");
    // What is sent leaves at the next look.
    streams.send(streams.open[&id].path(), &batch);
    poll_fn(|cx| {
        assert!(streams.poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    far[7].recv().await.unwrap();
    assert_eq!(far[7].next_datagram().unwrap().unwrap(), b"abc");
}
