use std::time::Duration;

use super::*;
use crate::rtp::Codec;

/// A second of sound, as packets.
fn packets(plan: &Plan) -> Vec<Encoded> {
    let mut sender = AudioSender::new(plan).unwrap();
    let frames = (0..100).flat_map(|number| {
        let media = Duration::from_millis(number * 10);
        let samples: Vec<_> = (0..480_i16).map(|it| it * 50).collect();
        let at = Moment {
            media,
            clock: crate::clock::now(),
        };
        sender.encode(&AudioFrame::new(48_000, 1, samples, media).unwrap(), at)
    });
    frames.collect()
}

fn codec(mime_type: &str, clock_rate: u32, channels: u16, line: Option<&str>) -> Codec {
    Codec {
        mime_type: mime_type.into(),
        clock_rate,
        channels: Some(channels),
        sdp_fmtp_line: line.map(str::to_owned),
    }
}

fn opus(line: &str) -> Codec {
    codec("audio/opus", 48_000, 2, Some(line))
}

fn pcmu() -> Codec {
    codec("audio/PCMU", 8_000, 1, None)
}

/// Opus under 111 and PCMU under 0.
fn plan(encoding: EncodingParameters) -> Plan {
    let all = [(111, opus("minptime=10;stereo=1")), (0, pcmu())];
    let negotiated = |(number, codec)| CodecParameters {
        payload_type: pc_sdp::PayloadType::new(number).unwrap(),
        codec,
        feedback: Vec::new(),
    };
    Plan {
        codecs: all.map(negotiated).to_vec(),
        encodings: vec![encoding],
        restrictions: Vec::new(),
    }
}

fn sent_with(codec: Option<Codec>) -> u8 {
    let encoding = EncodingParameters {
        codec,
        ..EncodingParameters::default()
    };
    packets(&plan(encoding))[0].payload_type.number()
}

#[test]
fn an_encoding_is_sent_with_the_codec_that_it_asks_for() {
    assert_eq!(sent_with(None), 111);
    assert_eq!(sent_with(Some(pcmu())), 0);
    // As this side would receive it: what the peer says is something else.
    assert_eq!(sent_with(Some(opus("minptime=10;useinbandfec=1"))), 111);
}

#[test]
fn packets_last_as_long_as_they_are_asked_to() {
    let ticks = |codec: Codec, ptime| {
        let rate = codec.clock_rate;
        let encoding = EncodingParameters {
            codec: Some(codec),
            ptime,
            ..EncodingParameters::default()
        };
        let packets = packets(&plan(encoding));
        let between = packets[1].timestamp.0 - packets[0].timestamp.0;
        between * 1000 / rate
    };
    let opus = || opus("minptime=10");
    for (asked, given) in [(10, 10), (20, 20), (33, 40), (60, 60), (500, 60), (0, 10)] {
        assert_eq!(ticks(opus(), Some(asked)), given, "{asked}");
    }
    for (asked, given) in [(10, 10), (30, 30), (500, 120), (1, 10)] {
        assert_eq!(ticks(pcmu(), Some(asked)), given, "{asked}");
    }
    assert_eq!((ticks(opus(), None), ticks(pcmu(), None)), (20, 20));
}
