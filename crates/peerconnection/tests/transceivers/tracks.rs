//! Tracks and streams: what one side does and the other hears.

use peerconnection::{
    MediaKind::{Audio, Video},
    MediaStreamTrackState::{Ended, Live},
    MediaTrackEvent, RtpTransceiver, SessionDescription, StreamEvent, TransceiverInit,
    rtp::TransceiverDirection::*,
    state::SignalingState,
};

use crate::{Side, at_once, connect, name, negotiate, soon, stream};

/// WebRTC §5.1, removeTrack: nothing happens to a sender whose transceiver is stopping or gone.
#[tokio::test]
async fn a_stopped_sender_keeps_its_track() {
    let (mut a, mut b) = (Side::new(), Side::new());
    let sender = {
        let track = a.track(Audio, "one");
        a.pc.add_track(&track, &[]).unwrap()
    };
    negotiate(&mut a, &mut b).await;
    a.pc.transceivers()[0].stop().unwrap();
    for _ in 0..2 {
        a.pc.remove_track(&sender).unwrap();
        assert_eq!(sender.track().unwrap().id(), "one");
        negotiate(&mut a, &mut b).await;
        assert!(a.pc.transceivers().is_empty());
    }
}

#[tokio::test]
async fn a_track_takes_a_sender_that_has_never_sent() {
    let mut a = Side::new();
    let (one, two, three) = (
        a.track(Audio, "one"),
        a.track(Audio, "two"),
        a.track(Video, "three"),
    );
    let init = TransceiverInit {
        direction: RecvOnly,
        ..Default::default()
    };
    let waiting = a.pc.add_transceiver(Audio, init).unwrap();
    assert_eq!((waiting.mid(), waiting.current_direction()), (None, None));
    assert!(waiting.sender().track().is_none());
    let sender = a.pc.add_track(&one, &[]).unwrap();
    assert_eq!(sender, waiting.sender());
    assert_eq!(waiting.direction(), SendRecv);
    assert_eq!(sender.track().unwrap().id(), "one");
    assert_eq!(name(a.pc.add_track(&one, &[])), Some("InvalidAccessError"));
    // Both kinds find no other that is free.
    a.pc.add_track(&two, &[]).unwrap();
    a.pc.add_track(&three, &[]).unwrap();
    let kinds: Vec<_> =
        a.pc.transceivers()
            .iter()
            .map(RtpTransceiver::kind)
            .collect();
    assert_eq!(kinds, [Audio, Audio, Video]);
    // One that has sent is never reused.
    let mut b = Side::new();
    negotiate(&mut a, &mut b).await;
    a.pc.remove_track(&sender).unwrap();
    assert_eq!(waiting.direction(), RecvOnly);
    assert_ne!(a.pc.add_track(&one, &[]).unwrap(), sender);
}

#[tokio::test]
async fn a_sender_of_another_connection_is_refused() {
    let (mut a, b) = (Side::new(), Side::new());
    let track = a.track(Audio, "one");
    let sender = a.pc.add_track(&track, &[]).unwrap();
    assert_eq!(name(b.pc.remove_track(&sender)), Some("InvalidAccessError"));
    assert!(sender.track().is_some());
    a.pc.close();
    assert_eq!(name(a.pc.remove_track(&sender)), Some("InvalidStateError"));
    assert_eq!(name(a.pc.add_track(&track, &[])), Some("InvalidStateError"));
    let added = a.pc.add_transceiver(Audio, Default::default());
    assert_eq!(name(added), Some("InvalidStateError"));
}

#[tokio::test]
async fn what_one_side_sends_the_other_hears_of() {
    let (mut a, mut b) = (Side::new(), Side::new());
    let (first, second) = (stream("first"), stream("second"));
    let track = a.track(Audio, "voice");
    let sender = a.pc.add_track(&track, &[&first, &second]).unwrap();
    negotiate(&mut a, &mut b).await;
    let heard = b.track_events();
    let [event] = &heard[..] else {
        panic!("{heard:?}")
    };
    let ids: Vec<_> = event.streams.iter().map(|it| it.id()).collect();
    assert_eq!(ids, ["first", "second"]);
    let track = event.track.clone();
    assert!(track.muted() && track.kind() == Audio && track.ready_state() == Live);
    assert!(track.is_same(&event.receiver.track()));
    assert!(
        event
            .streams
            .iter()
            .all(|it| it.tracks()[0].is_same(&track))
    );
    assert_eq!(event.transceiver, b.pc.transceivers()[0]);
    assert_eq!(event.transceiver.direction(), RecvOnly);
    assert_eq!(event.transceiver.current_direction(), Some(RecvOnly));
    assert_eq!(a.pc.transceivers()[0].current_direction(), Some(SendOnly));
    assert_eq!(event.transceiver.mid(), a.pc.transceivers()[0].mid());

    // To another stream: the objects of the one that stays are the same.
    let mut on_first = event.streams[0].events();
    let mut on_second = event.streams[1].events();
    sender
        .set_streams(&[&second, &stream("third"), &second])
        .unwrap();
    a.negotiation_needed().await;
    negotiate(&mut a, &mut b).await;
    let again = b.track_events();
    let ids: Vec<_> = again[0].streams.iter().map(|it| it.id()).collect();
    assert_eq!(ids, ["second", "third"]);
    assert!(again[0].track.is_same(&track));
    assert!(again[0].streams[0].is_same(&event.streams[1]));
    let removed = on_first.try_next();
    assert!(matches!(&removed, Some(StreamEvent::RemoveTrack(it)) if it.is_same(&track)));
    assert!(on_second.try_next().is_none());
    assert!(event.streams[0].tracks().is_empty());
    // The same in another order says nothing new.
    sender.set_streams(&[&stream("third"), &second]).unwrap();
    assert!(!a.is_negotiation_needed().await);

    // Nothing any more; then again.
    a.pc.remove_track(&sender).unwrap();
    a.negotiation_needed().await;
    negotiate(&mut a, &mut b).await;
    assert!(b.track_events().is_empty());
    let removed = on_second.try_next();
    assert!(matches!(removed, Some(StreamEvent::RemoveTrack(_))));
    assert_eq!((track.ready_state(), track.muted()), (Live, true));
    assert_eq!(event.transceiver.current_direction(), Some(Inactive));
    a.pc.transceivers()[0].set_direction(SendOnly).unwrap();
    negotiate(&mut a, &mut b).await;
    assert!(b.track_events()[0].track.is_same(&track));
}

#[tokio::test]
async fn a_track_is_replaced_without_an_exchange() {
    let (mut a, mut b) = (Side::new(), Side::new());
    let (one, two, video) = (
        a.track(Audio, "one"),
        a.track(Audio, "two"),
        a.track(Video, "three"),
    );
    let sender = a.pc.add_track(&one, &[]).unwrap();
    let wrong = at_once(sender.replace_track(video)).expect("an error in the call");
    assert_eq!(name(wrong), Some("TypeError"));
    negotiate(&mut a, &mut b).await;
    let _ = a.is_negotiation_needed().await;
    let replacing = sender.replace_track(two.clone());
    assert!(
        sender.track().unwrap().is_same(&one),
        "a promise is pending"
    );
    soon("the track", replacing).await.unwrap();
    assert!(sender.track().unwrap().is_same(&two));
    soon("no track", sender.replace_track(None)).await.unwrap();
    assert!(sender.track().is_none());
    assert!(!a.is_negotiation_needed().await);
    let transceiver = a.pc.transceivers().remove(0);
    transceiver.stop().unwrap();
    let stopped = at_once(sender.replace_track(one)).expect("an error in the call");
    assert_eq!(name(stopped), Some("InvalidStateError"));
    assert_eq!(
        name(transceiver.set_direction(SendRecv)),
        Some("InvalidStateError")
    );
}

#[tokio::test]
async fn stopping_ends_both_receivers_and_frees_the_section() {
    let (mut a, mut b) = (Side::new(), Side::new());
    let track = a.track(Video, "one");
    a.pc.add_track(&track, &[&stream("s")]).unwrap();
    a.pc.add_transceiver(Audio, Default::default()).unwrap();
    negotiate(&mut a, &mut b).await;
    let event = b.track_events().remove(0);
    let (here, there) = (a.pc.transceivers().remove(0), event.transceiver);
    let mut ended_here = here.receiver().track().events();
    let mut ended_there = event.track.events();
    let mut on_stream = event.streams[0].events();
    here.stop().unwrap();
    here.stop().unwrap();
    assert_eq!(ended_here.try_next(), Some(MediaTrackEvent::Ended));
    assert_eq!(here.direction(), Stopped);
    assert_eq!(
        here.current_direction(),
        Some(SendOnly),
        "the peer does not know"
    );
    assert_eq!(ended_there.try_next(), None);
    negotiate(&mut a, &mut b).await;
    assert_eq!(ended_there.try_next(), Some(MediaTrackEvent::Ended));
    let removed = on_stream.try_next();
    assert!(
        matches!(removed, Some(StreamEvent::RemoveTrack(_))),
        "{removed:?}"
    );
    for stopped in [&here, &there] {
        assert_eq!(stopped.direction(), Stopped);
        assert_eq!(stopped.current_direction(), Some(Stopped));
        assert_eq!(stopped.mid(), None);
        assert!(stopped.sender().transport().is_none());
    }
    assert_eq!(a.pc.transceivers().len(), 1);
    assert_eq!(b.pc.transceivers().len(), 1);
    // Another takes the place.
    let new = a.pc.add_transceiver(Audio, Default::default()).unwrap();
    negotiate(&mut a, &mut b).await;
    assert_ne!(new, here);
    let sdp = a.pc.local_description().unwrap().sdp;
    assert_eq!(sdp.matches("\r\nm=").count(), 2, "{sdp}");
    assert_eq!(new.current_direction(), Some(SendOnly));
}

#[tokio::test]
async fn a_close_ends_what_is_received() {
    let (mut a, mut b) = (Side::new(), Side::new());
    let track = a.track(Video, "one");
    a.pc.add_track(&track, &[]).unwrap();
    connect(&mut a, &mut b).await;
    let received = b.pc.receivers()[0].track();
    let mut events = received.events();
    b.pc.close();
    assert_eq!(received.ready_state(), Ended);
    // The end that this side causes is no event of the track, but of whoever listens to its source.
    assert_eq!(events.try_next(), Some(MediaTrackEvent::Ended));
    assert_eq!(
        track.ready_state(),
        Live,
        "what is sent is the application's"
    );
    assert!(b.pc.transceivers()[0].receiver().track().is_same(&received));
}

#[tokio::test]
async fn a_rollback_takes_back_what_the_offer_brought() {
    let (mut a, mut b) = (Side::new(), Side::new());
    let track = a.track(Audio, "one");
    a.pc.add_track(&track, &[&stream("s")]).unwrap();
    let own = b.track(Audio, "own");
    let offer = a.offer().await;
    b.pc.set_remote_description(offer).await.unwrap();
    let event = b.track_events().remove(0);
    assert_eq!(b.pc.signaling_state(), SignalingState::HaveRemoteOffer);
    // A transceiver that the application has taken over stays.
    a.pc.add_transceiver(Video, Default::default()).unwrap();
    let mut on_stream = event.streams[0].events();
    let mut on_track = event.track.events();
    let rollback = SessionDescription::rollback;
    b.pc.set_remote_description(rollback()).await.unwrap();
    assert_eq!(b.pc.signaling_state(), SignalingState::Stable);
    assert!(b.pc.remote_description().is_none());
    assert!(b.pc.transceivers().is_empty());
    assert_eq!(on_track.try_next(), Some(MediaTrackEvent::Ended));
    let removed = on_stream.try_next();
    assert!(
        matches!(removed, Some(StreamEvent::RemoveTrack(_))),
        "{removed:?}"
    );
    assert_eq!(event.transceiver.direction(), Stopped);

    a.pc.set_local_description(rollback()).await.unwrap();
    assert_eq!(a.pc.transceivers()[0].mid(), None);
    let offer = a.offer().await;
    b.pc.set_remote_description(offer).await.unwrap();
    let sender = b.pc.add_track(&own, &[]).unwrap();
    b.pc.set_remote_description(rollback()).await.unwrap();
    assert_eq!(b.pc.senders(), [sender]);
    assert_eq!(b.pc.transceivers()[0].mid(), None);
}
