//! Parameters, capabilities and preferences.

use peerconnection::{
    MediaKind::{Audio, Video},
    RtpReceiver, RtpSender, TransceiverInit,
    rtp::{EncodingParameters, TransceiverDirection::*},
};

use crate::{Side, name, negotiate};

#[tokio::test]
async fn parameters_are_set_once_each_time_they_were_got() {
    let (mut a, mut b) = (Side::new(), Side::new());
    let encodings = ["h", "l"].map(|rid| EncodingParameters {
        rid: Some(rid.into()),
        ..Default::default()
    });
    let init = TransceiverInit {
        send_encodings: encodings.into(),
        ..Default::default()
    };
    let sender = a.pc.add_transceiver(Video, init).unwrap().sender();
    let unread = sender.parameters().unwrap();
    let scales: Vec<_> = unread
        .encodings
        .iter()
        .map(|it| it.scale_resolution_down_by)
        .collect();
    assert_eq!(scales, [Some(2.0), Some(1.0)]);
    assert_eq!(
        sender.parameters().unwrap().transaction_id,
        unread.transaction_id
    );
    let set = |change: &dyn Fn(&mut Vec<EncodingParameters>)| {
        let mut parameters = sender.parameters().unwrap();
        change(&mut parameters.encodings);
        name(sender.set_parameters(parameters))
    };
    assert_eq!(set(&|them| them[0].max_bitrate = Some(100_000)), None);
    assert_eq!(
        name(sender.set_parameters(unread)),
        Some("InvalidStateError")
    );
    let read = sender.parameters().unwrap();
    assert_eq!(read.encodings[0].max_bitrate, Some(100_000));
    assert_eq!(
        set(&|them| them.truncate(1)),
        Some("InvalidModificationError")
    );
    assert_eq!(
        set(&|them| them.swap(0, 1)),
        Some("InvalidModificationError")
    );
    assert_eq!(
        set(&|them| them[1].rid = None),
        Some("InvalidModificationError")
    );
    let too_small = Some(0.5);
    assert_eq!(
        set(&|them| them[0].scale_resolution_down_by = too_small),
        Some("RangeError")
    );
    assert_eq!(
        set(&|them| them[0].max_framerate = Some(-1.0)),
        Some("RangeError")
    );
    let mut other = sender.parameters().unwrap();
    other.transaction_id.push('x');
    assert_eq!(
        name(sender.set_parameters(other)),
        Some("InvalidModificationError")
    );
    // An exchange makes what was got before stale, and tells of codecs.
    let stale = sender.parameters().unwrap();
    assert!(stale.codecs.is_empty());
    negotiate(&mut a, &mut b).await;
    assert_eq!(
        name(sender.set_parameters(stale)),
        Some("InvalidStateError")
    );
    assert!(!sender.parameters().unwrap().codecs.is_empty());
    let received = b.pc.receivers()[0].parameters().unwrap();
    assert!(!received.codecs.is_empty() && !received.header_extensions.is_empty());
    assert!(!a.is_negotiation_needed().await);
}

#[tokio::test]
async fn encodings_are_checked_when_they_are_given() {
    let a = Side::new();
    let refused = |kind, encodings: Vec<EncodingParameters>| {
        let init = TransceiverInit {
            send_encodings: encodings,
            ..Default::default()
        };
        name(a.pc.add_transceiver(kind, init))
    };
    let rid = |rid: &str| EncodingParameters {
        rid: Some(rid.into()),
        ..Default::default()
    };
    let one = EncodingParameters::default;
    assert_eq!(refused(Video, vec![rid("a"), rid("a")]), Some("TypeError"));
    assert_eq!(refused(Video, vec![rid("a"), one()]), Some("TypeError"));
    assert_eq!(
        refused(Video, vec![rid("a b"), rid("c")]),
        Some("TypeError")
    );
    let scale = EncodingParameters {
        scale_resolution_down_by: Some(0.9),
        ..one()
    };
    assert_eq!(refused(Video, vec![scale.clone()]), Some("RangeError"));
    assert_eq!(refused(Audio, vec![scale]), None, "means nothing for audio");
    let stopped = TransceiverInit {
        direction: Stopped,
        ..Default::default()
    };
    assert_eq!(
        name(a.pc.add_transceiver(Audio, stopped)),
        Some("TypeError")
    );
    assert_eq!(a.pc.transceivers().len(), 1);
}

#[tokio::test]
async fn preferences_decide_what_is_offered_and_in_which_order() {
    let (mut a, mut b) = (Side::new(), Side::new());
    let transceiver = a.pc.add_transceiver(Audio, Default::default()).unwrap();
    let all = RtpReceiver::capabilities(Audio).codecs;
    let of = |name: &str| {
        all.iter()
            .find(|codec| codec.mime_type == name)
            .unwrap()
            .clone()
    };
    let wanted = vec![of("audio/PCMU"), of("audio/opus")];
    transceiver.set_codec_preferences(wanted.clone()).unwrap();
    negotiate(&mut a, &mut b).await;
    let sent = transceiver.sender().parameters().unwrap();
    let sent: Vec<_> = sent
        .codecs
        .iter()
        .map(|it| it.codec.mime_type.as_str())
        .collect();
    assert_eq!(sent, ["audio/PCMU", "audio/opus"]);
    let mut unknown = wanted;
    unknown[0].clock_rate = 44_100;
    let error = transceiver.set_codec_preferences(unknown);
    assert_eq!(name(error), Some("InvalidModificationError"));
    // Reset.
    transceiver.set_codec_preferences(Vec::new()).unwrap();
    negotiate(&mut a, &mut b).await;
    assert!(transceiver.sender().parameters().unwrap().codecs.len() > 2);
}

#[tokio::test]
async fn capabilities_are_of_a_kind() {
    for kind in [Audio, Video] {
        for capabilities in [
            RtpSender::capabilities(kind),
            RtpReceiver::capabilities(kind),
        ] {
            let prefix = format!("{kind}/");
            let mut codecs = capabilities.codecs.iter();
            assert!(codecs.all(|codec| codec.mime_type.starts_with(&prefix)));
            let rtx = capabilities.codecs.iter().filter(|codec| codec.is_rtx());
            assert_eq!(rtx.count(), usize::from(kind == Video));
            assert!(!capabilities.header_extensions.is_empty());
        }
    }
}

#[tokio::test]
async fn a_header_extension_that_is_stopped_is_not_offered() {
    let (mut a, mut b) = (Side::new(), Side::new());
    let transceiver = a.pc.add_transceiver(Audio, Default::default()).unwrap();
    let mut extensions = transceiver.header_extensions_to_negotiate();
    let level = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    let own = extensions.iter_mut().find(|it| it.uri == level).unwrap();
    own.direction = Stopped;
    transceiver
        .set_header_extensions_to_negotiate(extensions.clone())
        .unwrap();
    negotiate(&mut a, &mut b).await;
    let negotiated = transceiver.negotiated_header_extensions();
    assert!(!negotiated.is_empty() && negotiated.iter().all(|it| it.uri != level));
    extensions.pop();
    let error = transceiver.set_header_extensions_to_negotiate(extensions);
    assert_eq!(name(error), Some("InvalidModificationError"));
}
