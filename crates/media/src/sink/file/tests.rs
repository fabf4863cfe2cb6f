//! What was recorded is read back.

use std::{io::Cursor, time::Duration};

use super::{FileFormat, RecordError, Recorder};
use crate::{
    AudioFrame, EncodedFrame, MediaFrame, MediaKind, VideoFrame,
    codec::{self, AudioEncoder},
    devices::{TestPicture, Tone},
    sink::{ToneMeter, read_clock},
};

fn record(format: FileFormat, frames: impl IntoIterator<Item = MediaFrame>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut recorder = Recorder::new(format, Cursor::new(&mut file));
    for frame in frames {
        recorder.write(&frame).expect("written");
    }
    recorder.finish().expect("finished");
    file
}

fn sound(millis: u64, channels: u16) -> MediaFrame {
    let at = Duration::from_millis(millis);
    let samples = Tone::default().samples(at, 480, channels);
    let frame = AudioFrame::new(48_000, channels, samples, at);
    frame.expect("a frame").into()
}

fn picture(millis: u64, width: u32, height: u32) -> MediaFrame {
    let at = Duration::from_millis(millis);
    let frame = TestPicture::frame(at, width, height);
    frame.expect("a picture").into()
}

fn encoded(mime_type: &str, data: Vec<u8>, millis: u64, is_key_frame: bool) -> MediaFrame {
    MediaFrame::Encoded(EncodedFrame {
        mime_type: mime_type.into(),
        data: data.into(),
        timestamp: Duration::from_millis(millis),
        is_key_frame,
        duration: None,
        size: None,
        encoding: 0,
    })
}

fn note(samples: &[i16], channels: u16) -> f64 {
    let mut meter = ToneMeter::new();
    let frame = AudioFrame::new(48_000, channels, samples, Duration::ZERO);
    meter.push(&frame.expect("a frame"));
    meter.note().expect("a note").frequency
}

#[test]
fn the_extension_says_the_format() {
    let of = |path| FileFormat::of(path);
    assert_eq!(of("a/b.ogg"), Some(FileFormat::OggOpus));
    assert_eq!(of("b.OPUS"), Some(FileFormat::OggOpus));
    assert_eq!(of("b.y4m.wav"), Some(FileFormat::Wav));
    assert_eq!(of("b.ivf"), Some(FileFormat::Ivf));
    assert_eq!(of("b.Y4m"), Some(FileFormat::Y4m));
    assert_eq!(of("b.mp4"), None);
    assert_eq!(of("wav"), None);
    let error = Recorder::create("/nowhere/b.mp4").expect_err("an error");
    assert!(matches!(error, RecordError::UnknownExtension), "{error}");
    let error = Recorder::create("/nowhere/at/all/b.wav").expect_err("an error");
    assert!(matches!(error, RecordError::Io(_)), "{error}");
}

#[test]
fn a_file_has_place_for_its_kind_alone() {
    let formats = [
        FileFormat::OggOpus,
        FileFormat::Wav,
        FileFormat::Ivf,
        FileFormat::Y4m,
    ];
    for format in formats {
        let wrong = match format.kind() {
            MediaKind::Audio => picture(0, 64, 48),
            MediaKind::Video => sound(0, 1),
        };
        let right = match format.kind() {
            MediaKind::Audio => sound(0, 1),
            MediaKind::Video => picture(0, 64, 48),
        };
        let mut file = Vec::new();
        let mut recorder = Recorder::new(format, Cursor::new(&mut file));
        for _ in 0..2 {
            for wrong in [wrong.clone(), encoded("video/H264", vec![1], 0, true)] {
                let error = recorder.write(&wrong).expect_err("an error");
                assert!(matches!(error, RecordError::Unsuitable { .. }), "{error}");
            }
            recorder.write(&right).expect("written after all");
        }
        recorder.finish().expect("finished");
        assert!(record(format, []).is_empty());
    }
}

#[test]
fn wav_is_read_back() {
    let file = record(FileFormat::Wav, (0..50).map(|at| sound(at * 10, 2)));
    let mut reader = hound::WavReader::new(Cursor::new(file)).expect("a file");
    let spec = reader.spec();
    assert_eq!((spec.sample_rate, spec.channels), (48_000, 2));
    let samples: Vec<i16> = reader.samples().map(|it| it.expect("a sample")).collect();
    assert_eq!(samples, Tone::default().samples(Duration::ZERO, 24_000, 2));

    let mut file = Vec::new();
    let mut recorder = Recorder::new(FileFormat::Wav, Cursor::new(&mut file));
    recorder.write(&sound(0, 2)).expect("written");
    assert!(recorder.write(&sound(10, 1)).is_err());
}

#[test]
fn y4m_is_read_back_at_a_constant_rate() {
    // 60 a second, then a pause, then another size, then a clock that was set.
    let times = [0, 17, 33, 50, 67, 200, 233, 3_600_000];
    let frames = times.map(|at| match at {
        233 => picture(at, 320, 240),
        _ => picture(at, 160, 120),
    });
    let file = record(FileFormat::Y4m, frames);
    let line = file.iter().position(|it| *it == b'\n').expect("a line");
    let header = std::str::from_utf8(&file[..line]).expect("text");
    assert!(
        header.starts_with("YUV4MPEG2 W160 H120 F30:1 Ip A1:1 C420"),
        "{header}"
    );
    let len = VideoFrame::byte_len(160, 120).expect("a size");
    let mut seen = Vec::new();
    for frame in file[line + 1..].chunks(6 + len) {
        let (head, data) = frame.split_at(6);
        assert_eq!(head, b"FRAME\n");
        let frame = VideoFrame::new(160, 120, data.to_vec(), Duration::ZERO);
        seen.push(
            read_clock(&frame.expect("a picture"))
                .expect("a time")
                .as_millis(),
        );
    }
    assert_eq!(seen, [0, 17, 50, 50, 50, 50, 200, 233, 3_600_000]);
}

/// Length, time and data of every picture, after the header was looked at.
fn read_ivf(file: &[u8], fourcc: &[u8], size: (u16, u16)) -> Vec<(u64, Vec<u8>)> {
    let (header, mut rest) = file.split_at(32);
    assert_eq!(&header[..8], b"DKIF\0\0\x20\0");
    assert_eq!(&header[8..12], fourcc);
    let word = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    assert_eq!((word(12), word(14)), size);
    let long = |at: &[u8]| u32::from_le_bytes(at[..4].try_into().expect("four bytes"));
    assert_eq!((long(&header[16..]), long(&header[20..])), (90_000, 1));
    let mut pictures = Vec::new();
    while !rest.is_empty() {
        let (head, after) = rest.split_at(12);
        let (data, after) = after.split_at(long(head) as usize);
        let time = u64::from_le_bytes(head[4..].try_into().expect("eight bytes"));
        pictures.push((time, data.to_vec()));
        rest = after;
    }
    assert_eq!(long(&header[24..]) as usize, pictures.len());
    pictures
}

#[test]
fn ivf_of_encoded_pictures_is_read_back() {
    for (mime, fourcc) in [("video/VP8", b"VP80"), ("video/vp9", b"VP90")] {
        let config = codec::VideoEncoderConfig {
            width: 322,
            height: 182,
            bitrate: 500_000,
            frame_rate: 30.0,
        };
        let Some(mut encoder) = codec::video_encoder(mime, None, config) else {
            continue;
        };
        let mut data = Vec::new();
        let MediaFrame::Video(first) = picture(7_000, 322, 182) else {
            unreachable!()
        };
        encoder.encode(&first, true, &mut data).expect("coded");
        let frames = [
            // Of no use without what was before it.
            encoded(mime, vec![1, 2, 3], 6_000, false),
            encoded(mime, data.clone(), 7_000, true),
            encoded(mime, vec![4, 5], 7_100, false),
        ];
        let file = record(FileFormat::Ivf, frames);
        let pictures = read_ivf(&file, fourcc, (322, 182));
        assert_eq!(pictures, [(0, data), (9_000, vec![4, 5])]);
    }
    // A size that cannot be told is 0, whatever there is.
    for (mime, fourcc) in [
        ("video/VP8", b"VP80"),
        ("video/VP9", b"VP90"),
        ("video/AV1", b"AV01"),
    ] {
        let file = record(FileFormat::Ivf, [encoded(mime, vec![0x12], 0, true)]);
        assert_eq!(read_ivf(&file, fourcc, (0, 0)), [(0, vec![0x12])]);
    }
}

#[test]
fn ivf_of_pictures_is_encoded() {
    let frames = (0..10).map(|at| picture(1_000 + at * 40, 160, 120));
    let pictures = read_ivf(&record(FileFormat::Ivf, frames), b"VP90", (160, 120));
    let mut decoder = codec::video_decoder("video/VP9", None).expect("a decoder");
    let mut seen = Vec::new();
    for (time, data) in pictures {
        let picture = decoder.decode(&data, Duration::ZERO).expect("decoded");
        let clock = read_clock(&picture.expect("a picture")).expect("a time");
        assert_eq!(u128::from(time) / 90, clock.as_millis() - 1_000);
        seen.push(clock);
    }
    assert!(seen.len() >= 5, "{seen:?}");
}

/// The position of the page that a packet ends on, and the packet.
type Placed = (u64, Vec<u8>);

/// The two headers, and the packets after them.
fn read_ogg(file: Vec<u8>) -> (Vec<Vec<u8>>, Vec<Placed>) {
    let mut reader = ogg::PacketReader::new(Cursor::new(file));
    let mut packets = Vec::new();
    let mut has_ended = false;
    while let Some(packet) = reader.read_packet().expect("a packet") {
        assert!(!has_ended);
        has_ended = packet.last_in_stream();
        packets.push((packet.absgp_page(), packet.data));
    }
    assert!(has_ended);
    let after = packets.split_off(2);
    (packets.into_iter().map(|(_, data)| data).collect(), after)
}

#[test]
fn ogg_of_samples_is_encoded() {
    for channels in [1, 2] {
        let frames = (0..300).map(|at| sound(5_000 + at * 10, channels));
        let (headers, packets) = read_ogg(record(FileFormat::OggOpus, frames));
        let [head, tags] = headers.try_into().expect("two headers");
        assert_eq!(head.len(), 19);
        assert_eq!(&head[..9], b"OpusHead\x01");
        assert_eq!(u16::from(head[9]), channels);
        assert_eq!(&tags[..8], b"OpusTags");
        // Three seconds, on three pages or a few more, none longer than a second.
        assert_eq!(packets.len(), 150);
        let mut ends: Vec<_> = packets.iter().map(|(end, _)| *end).collect();
        ends.dedup();
        assert_eq!(ends.last(), Some(&144_000));
        ends.insert(0, 0);
        assert!(
            ends.windows(2).all(|it| it[1] - it[0] <= 48_000),
            "{ends:?}"
        );
        assert!(ends.len() >= 4);
        let mut decoder = codec::audio_decoder("audio/opus", 48_000, 2, None).expect("a decoder");
        let (mut all, mut samples) = (Vec::new(), Vec::new());
        for (_, packet) in packets {
            decoder.decode(&packet, &mut samples).expect("decoded");
            all.extend_from_slice(&samples);
        }
        assert!((note(&all, 2) - 440.0).abs() < 2.0);
    }
}

#[test]
fn ogg_of_packets_keeps_them_and_fills_gaps() {
    let mut encoder: Box<dyn AudioEncoder> =
        codec::audio_encoder("audio/opus", 48_000, 2, None).expect("an encoder");
    let mut packet = Vec::new();
    encoder.encode(&[0; 960], &mut packet).expect("coded");
    let at = |millis| encoded("audio/OPUS", packet.clone(), millis, true);
    // One is missing at 20, three at 60; then the clock was set, forth and back.
    let frames = [0, 40, 120, 900_000, 0].map(at);
    let (_, packets) = read_ogg(record(FileFormat::OggOpus, frames));
    let packets: Vec<_> = packets.into_iter().map(|(_, data)| data).collect();
    let lost = vec![packet[0] & !0b11];
    let full = || packet.clone();
    let gap = || lost.clone();
    let expected = [
        full(),
        gap(),
        full(),
        gap(),
        gap(),
        gap(),
        full(),
        full(),
        full(),
    ];
    assert_eq!(packets, expected);
    // What is left out is concealed by a decoder, for as long.
    let mut decoder = codec::audio_decoder("audio/opus", 48_000, 2, None).expect("a decoder");
    let mut samples = Vec::new();
    decoder.decode(&full(), &mut samples).expect("decoded");
    decoder.decode(&gap(), &mut samples).expect("decoded");
    assert_eq!(samples.len(), 960 * 2);
}

#[test]
fn what_is_no_packet_is_not_recorded() {
    let mut file = Vec::new();
    let mut recorder = Recorder::new(FileFormat::OggOpus, Cursor::new(&mut file));
    // Nothing; a number of frames that is missing, that is 0, that is more than 120 ms.
    for data in [vec![], vec![0xff], vec![0xff, 0], vec![0xff, 7]] {
        let error = recorder.write(&encoded("audio/opus", data, 0, true));
        let error = error.expect_err("an error");
        assert!(matches!(error, RecordError::Codec(_)), "{error}");
    }
    recorder
        .write(&encoded("audio/opus", vec![0xff, 6], 0, true))
        .expect("120 ms");
}

#[test]
fn durations_are_those_of_rfc_6716() {
    let of = |config: u8| super::ogg_opus::duration(&[config << 3]).expect("a packet");
    // SILK, hybrid and CELT, in tenths of a millisecond.
    let tenths = |from: u8, to: u8| (from..=to).map(|it| of(it) * 10 / 48).collect::<Vec<_>>();
    assert_eq!(tenths(0, 3), [100, 200, 400, 600]);
    assert_eq!(tenths(8, 11), [100, 200, 400, 600]);
    assert_eq!(tenths(12, 15), [100, 200, 100, 200]);
    assert_eq!(tenths(16, 19), [25, 50, 100, 200]);
    assert_eq!(tenths(28, 31), [25, 50, 100, 200]);
}
