use super::{amplitude, tone};
use crate::codec::{self, AudioDecoder, AudioEncoder, CodecError};

fn pair(fmtp: Option<&str>) -> (Box<dyn AudioEncoder>, Box<dyn AudioDecoder>) {
    let encoder = codec::audio_encoder("audio/G722", 8_000, 1, fmtp).expect("an encoder");
    let decoder = codec::audio_decoder("audio/g722", 8_000, 1, fmtp).expect("a decoder");
    (encoder, decoder)
}

/// Half a second of noise that changes its level, of whole numbers alone.
fn noise() -> Vec<i16> {
    let mut state = 0x1234_5678_u32;
    let mut next = |at: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i16 >> (at / 700 % 13)
    };
    (0..8_000).map(&mut next).collect()
}

/// FNV-1a.
fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step)
}

fn encoded(encoder: &mut dyn AudioEncoder, samples: &[i16]) -> Vec<u8> {
    let (mut packet, mut all) = (Vec::new(), Vec::new());
    for samples in samples.chunks_exact(encoder.samples_per_packet()) {
        encoder.encode(samples, &mut packet).expect("a packet");
        assert_eq!(packet.len(), samples.len() / 2);
        all.extend_from_slice(&packet);
    }
    all
}

fn decoded(decoder: &mut dyn AudioDecoder, bytes: &[u8]) -> Vec<i16> {
    let (mut samples, mut all) = (Vec::new(), Vec::new());
    for packet in bytes.chunks(160) {
        decoder.decode(packet, &mut samples).expect("samples");
        assert_eq!(samples.len(), packet.len() * 2);
        all.extend_from_slice(&samples);
    }
    all
}

/// The numbers are those that libg722 has given, which descends from SpanDSP: not one bit differs.
#[test]
fn bytes_and_samples_are_those_of_another_implementation() {
    let (mut encoder, mut decoder) = pair(None);
    let bytes = encoded(encoder.as_mut(), &noise());
    assert_eq!(digest(bytes.iter().copied()), 0x6b83_0edd_918e_4693);
    // All codewords, those as well that no encoder gives.
    let all: Vec<u8> = (0..8_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 21) as u8)
        .collect();
    let samples = decoded(decoder.as_mut(), &[bytes, all].concat());
    let samples = samples.iter().flat_map(|sample| sample.to_le_bytes());
    assert_eq!(digest(samples), 0xbff8_b2b0_a00b_162f);
}

#[test]
fn a_tone_passes_in_both_sub_bands() {
    for (hertz, least) in [
        (440.0, 35.0),
        (1_000.0, 33.0),
        (3_000.0, 28.0),
        (6_000.0, 12.0),
    ] {
        let (mut encoder, mut decoder) = pair(None);
        let sent = tone(hertz, 8_000.0, 16_000, 1, 0, 16_000);
        let bytes = encoded(encoder.as_mut(), &sent);
        assert_eq!(bytes.len(), 8_000, "64 kbit/s");
        let heard = decoded(decoder.as_mut(), &bytes);
        let (tone, all) = amplitude(&heard[8_000..], hertz, 16_000);
        assert!((7_500.0..8_500.0).contains(&tone), "{hertz}: {tone}");
        let noise = (all * all - tone * tone).max(1e-9).sqrt();
        let ratio = 20.0 * (tone / noise).log10();
        assert!(ratio > least, "{hertz}: {ratio} dB");
    }
}

#[test]
fn packets_last_as_long_as_the_receiver_asks() {
    for (fmtp, samples) in [
        (None, 320),
        (Some("ptime=30"), 480),
        (Some("ptime=5000"), 320),
    ] {
        let (encoder, decoder) = pair(fmtp);
        assert_eq!(encoder.samples_per_packet(), samples, "{fmtp:?}");
        assert_eq!((encoder.sample_rate(), encoder.channels()), (16_000, 1));
        assert_eq!((decoder.sample_rate(), decoder.channels()), (16_000, 1));
    }
}

#[test]
fn what_is_lost_dies_away_and_what_is_no_packet_is_an_error() {
    let (mut encoder, mut decoder) = pair(None);
    let mut out = Vec::new();
    decoder.conceal(&mut out);
    assert_eq!(out, [0; 320]);
    let bytes = encoded(encoder.as_mut(), &tone(440.0, 8_000.0, 16_000, 1, 0, 6_400));
    decoded(decoder.as_mut(), &bytes);
    decoder.conceal(&mut out);
    let (once, _) = amplitude(&out, 440.0, 16_000);
    decoder.conceal(&mut out);
    let (twice, _) = amplitude(&out, 440.0, 16_000);
    assert!((3_500.0..4_500.0).contains(&once) && (0.45..0.55).contains(&(twice / once)));
    for len in [0, 8_001] {
        let refused = decoder.decode(&vec![0; len], &mut out);
        assert!(matches!(refused, Err(CodecError::Malformed(_))), "{len}");
        assert!(out.is_empty());
    }
    let wrong = encoder.encode(&[0; 319], &mut Vec::new());
    let (needed, got) = (320, 319);
    assert_eq!(wrong, Err(CodecError::WrongLength { needed, got }));
}
