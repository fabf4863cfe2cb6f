use proptest::prelude::*;

use super::{amplitude, channel, tone};
use crate::codec::{
    self, AudioDecoder, AudioEncoder, CodecError,
    g711::Law::{A, Mu},
};

fn opus(fmtp: Option<&str>) -> (Box<dyn AudioEncoder>, Box<dyn AudioDecoder>) {
    let encoder = codec::audio_encoder("audio/opus", 48_000, 2, fmtp).expect("an encoder");
    let decoder = codec::audio_decoder("AUDIO/Opus", 48_000, 2, fmtp).expect("a decoder");
    (encoder, decoder)
}

/// Sends a tone, and gives what comes out and how long the packets were.
fn through(
    encoder: &mut dyn AudioEncoder,
    decoder: &mut dyn AudioDecoder,
    hertz: f64,
    packets: usize,
) -> (Vec<i16>, Vec<usize>) {
    let (rate, channels) = (encoder.sample_rate(), encoder.channels());
    let samples = encoder.samples_per_packet();
    let (mut packet, mut decoded) = (Vec::new(), Vec::new());
    let (mut out, mut sizes) = (Vec::new(), Vec::new());
    for at in 0..packets {
        let tone = tone(hertz, 8_000.0, rate, channels, at * samples, samples);
        encoder.encode(&tone, &mut packet).expect("a packet");
        sizes.push(packet.len());
        decoder.decode(&packet, &mut decoded).expect("samples");
        assert_eq!(decoded.len(), samples * usize::from(decoder.channels()));
        out.extend_from_slice(&decoded);
    }
    (out, sizes)
}

#[test]
fn a_tone_keeps_its_frequency_and_level_through_opus() {
    for (fmtp, channels) in [
        ("minptime=10;useinbandfec=1", 1),
        ("stereo=1; useinbandfec=1", 2),
    ] {
        let (mut encoder, mut decoder) = opus(Some(fmtp));
        assert_eq!(
            (
                encoder.channels(),
                encoder.sample_rate(),
                encoder.samples_per_packet()
            ),
            (channels, 48_000, 960)
        );
        assert_eq!((decoder.channels(), decoder.sample_rate()), (2, 48_000));
        let (out, _) = through(encoder.as_mut(), decoder.as_mut(), 440.0, 50);
        for side in 0..2 {
            let heard = channel(&out, side, 2);
            let (tone, all) = amplitude(&heard[24_000..], 440.0, 48_000);
            assert!((7_200.0..8_800.0).contains(&tone), "{fmtp}: {tone}");
            assert!(tone > 0.95 * all, "{fmtp}: {tone} of {all}");
            let (other, _) = amplitude(&heard[24_000..], 880.0, 48_000);
            assert!(other < 0.05 * tone, "{fmtp}: {other}");
        }
    }
}

#[test]
fn opus_obeys_the_bit_rate() {
    let noise: Vec<i16> = (0..960 * 2_u32)
        .map(|it| (it.wrapping_mul(2_654_435_761) >> 18) as i16 - 8_192)
        .collect();
    for (fmtp, bitrate, expected) in [
        ("stereo=1", 64_000, 64_000.0),
        ("stereo=1", 128_000, 128_000.0),
        ("stereo=1;maxaveragebitrate=40000", 128_000, 40_000.0),
    ] {
        let (mut encoder, _) = opus(Some(fmtp));
        encoder.set_bitrate(bitrate);
        let (mut packet, mut bytes) = (Vec::new(), 0);
        for _ in 0..100 {
            encoder.encode(&noise, &mut packet).expect("a packet");
            bytes += packet.len();
        }
        let got = bytes as f64 * 8.0 / 2.0;
        assert!(
            (0.7 * expected..1.3 * expected).contains(&got),
            "{fmtp}: {got}"
        );
    }
}

#[test]
fn silence_is_not_sent_where_the_receiver_says_so() {
    for (fmtp, is_sent) in [("usedtx=1", false), ("usedtx=0", true)] {
        let (mut encoder, _) = opus(Some(fmtp));
        let mut packet = Vec::new();
        let mut empty = 0;
        for _ in 0..100 {
            encoder.encode(&[0; 960], &mut packet).expect("a packet");
            empty += usize::from(packet.is_empty());
        }
        assert_eq!(empty == 0, is_sent, "{fmtp}: {empty} of 100 are left out");
    }
}

#[test]
fn a_lost_packet_is_concealed() {
    let (mut encoder, mut decoder) = opus(None);
    through(encoder.as_mut(), decoder.as_mut(), 440.0, 20);
    let mut out = Vec::new();
    decoder.conceal(&mut out);
    assert_eq!(out.len(), 960 * 2);
    let (tone, _) = amplitude(&channel(&out, 0, 2), 440.0, 48_000);
    assert!(tone > 4_000.0, "it goes on as it was: {tone}");
}

/// What the packet after it tells of a lost one is closer to it than a guess.
#[test]
fn a_lost_packet_is_recovered_from_the_next() {
    let (mut encoder, mut decoder) = opus(Some("useinbandfec=1"));
    encoder.set_bitrate(24_000);
    encoder.set_expected_loss(0.3);
    let (mut packet, mut out) = (Vec::new(), Vec::new());
    let mut send = |hertz: f64, at: usize| {
        let tone = tone(hertz, 8_000.0, 48_000, 1, at * 960, 960);
        encoder.encode(&tone, &mut packet).expect("a packet");
        packet.clone()
    };
    for at in 0..30 {
        decoder.decode(&send(300.0, at), &mut out).expect("samples");
    }
    // The tone changes with the packets that get lost, so that no guess can tell.
    for at in 30..33 {
        drop(send(700.0, at));
    }
    decoder.recover(&send(700.0, 33), &mut out);
    assert_eq!(out.len(), 960 * 2);
    let heard = channel(&out, 0, 2);
    let (new, old) = (
        amplitude(&heard, 700.0, 48_000).0,
        amplitude(&heard, 300.0, 48_000).0,
    );
    assert!(new > 2.0 * old, "700 Hz: {new}, 300 Hz: {old}");
}

#[test]
fn a_tone_passes_g711() {
    for mime in ["audio/PCMU", "audio/PCMA"] {
        let mut encoder = codec::audio_encoder(mime, 8_000, 1, None).expect("an encoder");
        let mut decoder = codec::audio_decoder(mime, 8_000, 1, None).expect("a decoder");
        let (out, sizes) = through(encoder.as_mut(), decoder.as_mut(), 440.0, 10);
        assert_eq!(sizes, [160; 10]);
        let (tone, all) = amplitude(&out, 440.0, 8_000);
        assert!((7_800.0..8_200.0).contains(&tone), "{mime}: {tone}");
        assert!(tone > 0.999 * all, "{mime}: {tone} of {all}");

        let mut concealed = Vec::new();
        decoder.conceal(&mut concealed);
        let (quieter, _) = amplitude(&concealed, 440.0, 8_000);
        assert!(quieter > 1_000.0 && quieter < 0.6 * tone);
    }
}

/// Values of the tables of ITU-T G.711, in 16 bits.
#[test]
fn g711_is_that_of_the_tables() {
    for (law, sample, byte) in [
        (Mu, 0, 0xff),
        (Mu, -1, 0x7f),
        (Mu, 32_767, 0x80),
        (Mu, -32_768, 0x00),
        (Mu, 1_000, 0xce),
        (A, 0, 0xd5),
        (A, -1, 0x55),
        (A, 32_767, 0xaa),
        (A, -32_768, 0x2a),
        (A, 1_000, 0xfa),
    ] {
        assert_eq!(law.compress(sample), byte, "{law:?} {sample}");
    }
    for (law, byte, sample) in [
        (Mu, 0xff, 0),
        (Mu, 0x80, 32_124),
        (Mu, 0x00, -32_124),
        (A, 0xd5, 8),
        (A, 0x55, -8),
        (A, 0xaa, 32_256),
        (A, 0x2a, -32_256),
    ] {
        assert_eq!(law.expand(byte), sample, "{law:?} {byte:#x}");
    }
    for law in [Mu, A] {
        for byte in 0..=255 {
            let sample = law.expand(byte);
            // Mu-law has two bytes for 0.
            let same = law.compress(sample) == byte || (sample == 0 && byte == 0x7f);
            assert!(same, "{law:?} {byte:#x}");
        }
    }
}

#[test]
fn what_is_no_packet_is_an_error() {
    let (mut encoder, mut decoder) = opus(None);
    let mut out = vec![1];
    let wrong = CodecError::WrongLength {
        needed: 960,
        got: 959,
    };
    assert_eq!(encoder.encode(&[0; 959], &mut out), Err(wrong));
    assert_eq!(out, []);
    let mut out = vec![1];
    assert!(decoder.decode(&[], &mut out).is_err());
    // RFC 6716 §3.2.5: code 3 needs a second byte.
    assert!(decoder.decode(&[0x03], &mut out).is_err());
    assert_eq!(out, []);
    decoder.conceal(&mut out);
    assert_eq!(out, [0; 960 * 2]);
    let mut g711 = codec::audio_decoder("audio/pcmu", 8_000, 1, None).expect("a decoder");
    assert!(g711.decode(&[], &mut out).is_err());
}

#[test]
fn only_what_there_is_can_be_had() {
    for (mime, clock_rate, channels) in [
        ("audio/opus", 48_000, 1),
        ("audio/opus", 16_000, 2),
        ("audio/PCMU", 16_000, 1),
        ("audio/G722", 16_000, 1),
        ("video/VP8", 90_000, 1),
    ] {
        assert!(codec::audio_encoder(mime, clock_rate, channels, None).is_none());
        assert!(codec::audio_decoder(mime, clock_rate, channels, None).is_none());
    }
    assert!(codec::can_encode("Audio/Opus", Some("useinbandfec=1")));
    assert!(codec::can_decode("audio/pcma", None));
    for mime in [
        "audio/G729",
        "audio/CN",
        "audio/telephone-event",
        "video/rtx",
        "",
    ] {
        assert!(
            !codec::can_encode(mime, None) && !codec::can_decode(mime, None),
            "{mime}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_bytes_do_not_harm_a_decoder(
        packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 1..6),
    ) {
        for (mime, clock_rate, channels) in [("audio/opus", 48_000, 2), ("audio/pcma", 8_000, 1), ("audio/g722", 8_000, 1)] {
            let mut decoder = codec::audio_decoder(mime, clock_rate, channels, None).expect("one");
            let mut out = Vec::new();
            for packet in &packets {
                let _ = decoder.decode(packet, &mut out);
                // RFC 6716 §2.1.4: no packet has more than 120 ms.
                prop_assert!(out.len() <= 5_760 * 2);
                decoder.recover(packet, &mut out);
                prop_assert!(out.len() <= 5_760 * 2);
                decoder.conceal(&mut out);
            }
        }
    }
}
