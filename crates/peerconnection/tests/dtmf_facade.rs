//! `RTCDTMFSender` on tokio: what an application writes, after the examples of the specification.

#[path = "common/sockets.rs"]
mod sockets;

use std::time::Duration;

use peerconnection::{
    AudioFrame, DtmfSender, Event, MediaKind, MediaStreamTrack, PeerConnection, RtpSender,
    TrackSource, dtmf, state::PeerConnectionState,
};
use sockets::{follow, loopback, soon};
use tokio::sync::mpsc;

struct Call {
    a: PeerConnection,
    _b: PeerConnection,
    sender: RtpSender,
    source: TrackSource,
    /// A's events from when it is connected, and what B hears.
    tones: mpsc::UnboundedReceiver<(DtmfSender, Option<char>)>,
    keys: mpsc::UnboundedReceiver<dtmf::Event>,
}

/// A sends a track of sound to B.
async fn connect() -> Call {
    let (a, a_events) = PeerConnection::new(loopback()).unwrap();
    let (b, b_events) = PeerConnection::new(loopback()).unwrap();
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "voice", "voice");
    let sender = a.add_track(&track, &[]).unwrap();
    let (tone, tones) = mpsc::unbounded_channel();
    let (key, keys) = mpsc::unbounded_channel();
    let (connected, mut is_connected) = mpsc::unbounded_channel();
    follow(&a, &b, a_events, move |event| match event {
        Event::ToneChange(event) => {
            let _ = tone.send((event.dtmf, event.tone));
        }
        Event::ConnectionStateChange(PeerConnectionState::Connected) => {
            let _ = connected.send(());
        }
        _ => {}
    });
    follow(&b, &a, b_events, move |event| {
        if let Event::TelephoneEvent(receiver, event) = event {
            assert_eq!(receiver.track().kind(), MediaKind::Audio);
            let _ = key.send(event);
        }
    });
    soon("a connection", is_connected.recv()).await;
    Call {
        a,
        _b: b,
        sender,
        source,
        tones,
        keys,
    }
}

impl Call {
    async fn tone(&mut self) -> Option<char> {
        let (dtmf, tone) = soon("a tone", self.tones.recv()).await.unwrap();
        assert_eq!(Some(dtmf), self.sender.dtmf());
        tone
    }

    /// The next key that B hears, and how long it was pressed.
    async fn key(&mut self) -> (char, Duration) {
        let begun = soon("a key", self.keys.recv()).await.unwrap();
        let dtmf::Event::Begin(begun) = begun else {
            panic!("{begun:?}")
        };
        let ended = soon("its end", self.keys.recv()).await.unwrap();
        let dtmf::Event::End(ended) = ended else {
            panic!("{ended:?}")
        };
        assert_eq!(ended.code, begun.code);
        (ended.code.tone().unwrap(), ended.duration)
    }
}

#[tokio::test]
async fn keys_are_pressed_and_heard() {
    let mut call = connect().await;
    let dtmf = call.sender.dtmf().unwrap();
    assert!(dtmf.can_insert_dtmf());
    dtmf.insert_dtmf("12", None, None).unwrap();
    assert_eq!(dtmf.tone_buffer(), "12");
    assert_eq!(call.tone().await, Some('1'));
    assert_eq!(dtmf.tone_buffer(), "2");
    // Appended while a tone is played.
    let more = dtmf.tone_buffer() + "d";
    dtmf.insert_dtmf(&more, Duration::from_millis(200), None)
        .unwrap();
    for tone in [Some('2'), Some('D'), None] {
        assert_eq!(call.tone().await, tone);
    }
    let ms = Duration::from_millis;
    for key in [('1', ms(100)), ('2', ms(200)), ('D', ms(200))] {
        assert_eq!(call.key().await, key);
    }
}

/// WebRTC §5.2: a track that has ended is still the sender's, so keys can be pressed without sound.
#[tokio::test]
async fn keys_need_a_track_and_no_sound() {
    let mut call = connect().await;
    let frame = AudioFrame::new(48_000, 1, vec![1000; 960], Duration::ZERO).unwrap();
    call.source.write(frame).unwrap();
    call.source.end();
    let dtmf = call.sender.dtmf().unwrap();
    dtmf.insert_dtmf("5", None, None).unwrap();
    assert_eq!(call.key().await, ('5', Duration::from_millis(100)));
    assert_eq!((call.tone().await, call.tone().await), (Some('5'), None));

    call.sender.replace_track(None).await.unwrap();
    assert!(!dtmf.can_insert_dtmf());
    let refused = dtmf.insert_dtmf("5", None, None).unwrap_err();
    assert_eq!(refused.name(), "InvalidStateError");
}

#[tokio::test]
async fn what_cannot_be_played_is_refused() {
    let call = connect().await;
    let dtmf = call.sender.dtmf().unwrap();
    let refused = dtmf.insert_dtmf("12 3", None, None).unwrap_err();
    assert_eq!(refused.name(), "InvalidCharacterError");
    assert_eq!(dtmf.tone_buffer(), "");
    let video = call.a.add_transceiver(MediaKind::Video, Default::default());
    assert_eq!(video.unwrap().sender().dtmf(), None);
    let audio = call
        .a
        .add_transceiver(MediaKind::Audio, Default::default())
        .unwrap();
    assert!(!audio.sender().dtmf().unwrap().can_insert_dtmf());
    call.a.close();
    let refused = dtmf.insert_dtmf("1", None, None).unwrap_err();
    assert_eq!(refused.name(), "InvalidStateError");
}
