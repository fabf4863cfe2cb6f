//! Sound and pictures from the track of one connection to the track of another.

#[path = "common/sockets.rs"]
mod sockets;

use std::time::Duration;

use peerconnection::{
    AudioFrame, Configuration, Event, Events, MediaFrame, MediaKind, MediaStream, MediaStreamTrack,
    PeerConnection, TrackSource, VideoFrame, stats::Stats,
};
use sockets::{follow, loopback, soon};
use tokio::sync::mpsc;

/// One end of a call: everything it is told, and the tracks that it receives.
struct Side {
    pc: PeerConnection,
    tracks: mpsc::UnboundedReceiver<MediaStreamTrack>,
}

/// Connects two, each answering what the other offers.
fn connect(configuration: Configuration) -> (Side, Side) {
    let (a, a_events) = PeerConnection::new(configuration.clone()).unwrap();
    let (b, b_events) = PeerConnection::new(configuration).unwrap();
    let a_tracks = tracks(&a, &b, a_events);
    let b_tracks = tracks(&b, &a, b_events);
    (
        Side {
            pc: a,
            tracks: a_tracks,
        },
        Side {
            pc: b,
            tracks: b_tracks,
        },
    )
}

/// What `own` is told of tracks.
fn tracks(
    own: &PeerConnection,
    other: &PeerConnection,
    events: Events,
) -> mpsc::UnboundedReceiver<MediaStreamTrack> {
    let (sender, tracks) = mpsc::unbounded_channel();
    follow(own, other, events, move |event| {
        if let Event::Track(event) = event {
            let _ = sender.send(event.track);
        }
    });
    tracks
}

/// A tone of 440 Hz, in frames of 10 ms.
fn tone() -> (MediaStreamTrack, tokio::task::JoinHandle<()>) {
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "tone", "440 Hz");
    let task = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        for frame in 0_u64.. {
            ticks.tick().await;
            let samples: Vec<i16> = (0..480)
                .map(|index| {
                    let time = (frame * 480 + index) as f64 / 48_000.0;
                    (10_000.0 * (time * 440.0 * std::f64::consts::TAU).sin()) as i16
                })
                .collect();
            let at = Duration::from_millis(frame * 10);
            source
                .write(AudioFrame::new(48_000, 1, samples, at).unwrap())
                .unwrap();
        }
    });
    (track, task)
}

/// A bar that moves over a picture of 320×180, 15 times a second.
fn picture() -> (MediaStreamTrack, tokio::task::JoinHandle<()>) {
    let (track, source) = MediaStreamTrack::new(MediaKind::Video, "picture", "bar");
    let task = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(66));
        for frame in 0_u32.. {
            ticks.tick().await;
            bar(&source, frame);
        }
    });
    (track, task)
}

fn bar(source: &TrackSource, frame: u32) {
    let (width, height) = (320_u32, 180_u32);
    let mut data = vec![128; VideoFrame::byte_len(width, height).unwrap()];
    for (index, luma) in data.iter_mut().take((width * height) as usize).enumerate() {
        let x = index as u32 % width;
        let in_bar = (x + width - frame * 4 % width) % width < 40;
        *luma = if in_bar { 220 } else { 40 };
    }
    let at = Duration::from_millis(u64::from(frame) * 66);
    source
        .write(VideoFrame::new(width, height, data, at).unwrap())
        .unwrap();
}

fn crossings(samples: &[i16]) -> usize {
    let mut pairs = samples.windows(2);
    let mut count = 0;
    while let Some([before, after]) = pairs.next() {
        count += usize::from((*before < 0) != (*after < 0));
    }
    count
}

#[tokio::test]
async fn a_tone_and_a_picture_arrive() {
    let (a, mut b) = connect(loopback());
    let stream = MediaStream::new("call", []);
    let (sound, _tone) = tone();
    let (view, _picture) = picture();
    a.pc.add_track(&sound, &[&stream]).unwrap();
    a.pc.add_track(&view, &[&stream]).unwrap();
    for _ in 0..2 {
        let track = soon("a track", b.tracks.recv()).await.unwrap();
        let mut frames = track.frames();
        match track.kind() {
            MediaKind::Audio => {
                let mut samples = Vec::new();
                let mut channels = 1;
                while samples.len() < 48_000 {
                    let frame = soon("sound", frames.next()).await.unwrap();
                    let MediaFrame::Audio(frame) = frame else {
                        panic!("{frame:?}")
                    };
                    channels = usize::from(frame.channels());
                    samples.extend(frame.samples().iter().step_by(channels));
                }
                assert!(channels <= 2);
                // The first second settles; 440 Hz cross zero 880 times in the next.
                let found = crossings(&samples[24_000..]) * 2;
                assert!((860..900).contains(&found), "{found} crossings a second");
            }
            MediaKind::Video => {
                let mut places = Vec::new();
                while places.len() < 10 {
                    let frame = soon("a picture", frames.next()).await.unwrap();
                    let MediaFrame::Video(frame) = frame else {
                        panic!("{frame:?}")
                    };
                    assert_eq!((frame.width(), frame.height()), (320, 180));
                    let y = frame.y();
                    let row = y.row(90);
                    assert!(
                        row.iter().any(|luma| *luma > 190) && row.iter().any(|luma| *luma < 70)
                    );
                    places.push(row.iter().position(|luma| *luma > 150));
                }
                assert!(
                    places.windows(2).any(|pair| pair[0] != pair[1]),
                    "it moves: {places:?}"
                );
            }
        }
        assert!(!track.muted());
    }
}

#[tokio::test]
async fn statistics_tell_what_has_passed() {
    let (a, mut b) = connect(loopback());
    let (view, _picture) = picture();
    let sender = a.pc.add_track(&view, &[]).unwrap();
    let track = soon("a track", b.tracks.recv()).await.unwrap();
    let mut frames = track.frames();
    for _ in 0..30 {
        soon("a picture", frames.next()).await.unwrap();
    }
    let report = b.pc.stats(None).unwrap();
    let inbound = report.iter().find_map(|stats| match stats {
        Stats::InboundRtp(inbound) => Some(inbound),
        _ => None,
    });
    let inbound = inbound.expect("a stream is received");
    assert!(inbound.frames_decoded.unwrap() >= 30 && inbound.packets_received >= 30);
    assert_eq!((inbound.kind, inbound.packets_lost), ("video", 0));
    assert_eq!(
        (inbound.frame_width, inbound.frame_height),
        (Some(320), Some(180))
    );
    assert_eq!(inbound.track_identifier, track.id());
    // Whatever is named is there.
    for id in [&inbound.transport_id].into_iter().chain(&inbound.codec_id) {
        assert!(report.get(id).is_some(), "{id}");
    }
    let Some(Stats::Transport(transport)) = report.get(&inbound.transport_id) else {
        panic!("{report:?}");
    };
    assert!(transport.bytes_received > inbound.bytes_received);
    assert_eq!(transport.dtls_state, "connected");
    assert!(transport.srtp_cipher.is_some());
    for id in [
        &transport.selected_candidate_pair_id,
        &transport.remote_certificate_id,
    ] {
        assert!(report.get(id.as_ref().unwrap()).is_some(), "{id:?}");
    }
    // The pair in use has carried it all, and was checked for it.
    let pair = transport.selected_candidate_pair_id.as_ref();
    let Some(Stats::CandidatePair(pair)) = pair.and_then(|id| report.get(id)) else {
        panic!("{report:?}");
    };
    assert_eq!((pair.state, pair.nominated), ("succeeded", true));
    assert_eq!(
        (pair.bytes_received, pair.packets_received),
        (transport.bytes_received, transport.packets_received)
    );
    assert!(pair.bytes_sent > 0 && pair.bytes_sent == transport.bytes_sent);
    assert!(pair.requests_sent > 0 && pair.requests_received > 0);
    assert!(pair.responses_received >= pair.requests_sent);
    let rtt = pair.current_round_trip_time.expect("an answer came");
    assert!(rtt > 0.0 && pair.total_round_trip_time >= rtt);
    for id in [&pair.local_candidate_id, &pair.remote_candidate_id] {
        assert!(report.get(id).is_some(), "{id}");
    }
    // The sender's: its stream, its track, and what the peer reports of it.
    let report = sender.stats();
    let outbound = report.iter().find_map(|stats| match stats {
        Stats::OutboundRtp(outbound) => Some(outbound),
        _ => None,
    });
    let outbound = outbound.expect("a stream is sent");
    assert_eq!(outbound.ssrc, inbound.ssrc);
    assert!(outbound.packets_sent >= inbound.packets_received);
    assert!(
        report
            .get(outbound.media_source_id.as_ref().unwrap())
            .is_some()
    );
    let source = outbound.media_source_id.as_ref();
    let Some(Stats::VideoSource(source)) = source.and_then(|id| report.get(id)) else {
        panic!("{report:?}");
    };
    assert!(source.frames_per_second > 5.0 && source.frames_per_second <= source.frames as f64);
    let Some(Stats::RemoteInboundRtp(remote)) =
        outbound.remote_id.as_ref().and_then(|id| report.get(id))
    else {
        panic!("two seconds without a report: {report:?}");
    };
    assert!(remote.round_trip_time.is_some_and(|rtt| rtt < 1.0));
    assert_eq!(a.pc.stats(Some(&view)).unwrap().len(), report.len());
    let (stranger, _source) = MediaStreamTrack::new(MediaKind::Video, "stranger", "");
    assert!(a.pc.stats(Some(&stranger)).is_err());
}
