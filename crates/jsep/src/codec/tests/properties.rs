//! What holds for any offer.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::identity::identities_of;
use super::*;

fn any_number() -> impl Strategy<Value = u8> {
    prop_oneof![0..=34_u8, 35..=63_u8, 96..=127_u8]
}

/// A section as some peer may have it: media codecs, red and rtx at any numbers.
fn any_section() -> impl Strategy<Value = Vec<CodecParameters>> {
    let formats = prop::sample::select(vec![
        ("VP8", ""),
        ("vp8", "max-fr=60"),
        ("VP9", ""),
        ("VP9", "profile-id=2"),
        ("VP9", "profile-id=3"),
        ("H264", "packetization-mode=1;profile-level-id=42e00b"),
        ("H264", "level-asymmetry-allowed=1;profile-level-id=640034"),
        ("H264", "profile-level-id=broken"),
        ("AV1", ""),
        ("H263", ""),
        ("ulpfec", ""),
    ]);
    let feedback = subsequence(defaults::VIDEO_FEEDBACK.to_vec(), 0..=5);
    let entry = (
        any_number(),
        formats,
        feedback,
        prop::option::of(any_number()),
    );
    prop::collection::vec(entry, 0..20).prop_map(|entries| {
        let mut section = BTreeMap::new();
        let mut order = Vec::new();
        for (number, (name, line), feedback, rtx) in entries {
            let mut add = |number: u8, codec: Codec, feedback: Vec<Feedback>| {
                section.entry(number).or_insert_with(|| {
                    order.push(number);
                    CodecParameters {
                        payload_type: PayloadType::new(number).unwrap(),
                        codec,
                        feedback,
                    }
                });
            };
            add(number, codec(&format!("video/{name}"), line), feedback);
            if let Some(rtx) = rtx {
                add(
                    rtx,
                    codec("video/rtx", &format!("apt={number}")),
                    Vec::new(),
                );
            }
        }
        let take = |number| section.remove(&number);
        order.into_iter().filter_map(take).collect()
    })
}

fn any_preferences() -> impl Strategy<Value = Option<Vec<Codec>>> {
    let all = ours(&MediaKind::Video).send_capabilities().codecs;
    let count = all.len();
    prop::option::of(subsequence(all, 1..=count).prop_shuffle())
}

proptest! {
    #[test]
    fn a_number_means_one_codec_in_the_whole_group(
        sections in prop::collection::vec((any_section(), any_preferences()), 1..4),
    ) {
        let all = Capabilities::default();
        let mut taken = PayloadTypes::default();
        let mut meanings = BTreeMap::new();
        // A group as RFC 9143 has it: no number means two things in it.
        let sections: Vec<_> = sections.into_iter().map(|(section, preferences)| {
            let mut kept = section.clone();
            for (own, identity) in section.iter().zip(identities_of(&section)) {
                let known = meanings.entry(own.payload_type).or_insert(identity.clone());
                if *known != identity {
                    kept.retain(|other| other.payload_type != own.payload_type);
                }
            }
            (kept, preferences)
        }).collect();
        for (section, _) in &sections {
            taken.learn(section);
        }
        let mut audio = offer_codecs(&all.audio, None, true, true, &[], &mut taken).unwrap();
        let mut meanings = BTreeMap::new();
        for (section, preferences) in &sections {
            let offered =
                offer_codecs(&all.video, preferences.as_deref(), true, true, section, &mut taken);
            let offered = match offered {
                Ok(offered) => offered,
                // Three sections with numbers of their own may leave none.
                Err(error) => {
                    prop_assert_eq!(error.kind, ErrorKind::Operation);
                    return Ok(());
                }
            };
            let mut seen = Vec::new();
            let list = [offered.clone(), std::mem::take(&mut audio)];
            for codecs in &list {
                for (own, identity) in codecs.iter().zip(identities_of(codecs)) {
                    let identity = identity.expect("nothing dangles");
                    let number = own.payload_type.value();
                    prop_assert!(!(64..=95).contains(&number));
                    prop_assert!(!seen.contains(&number), "{number} twice");
                    seen.push(number);
                    let known = meanings.entry(number).or_insert_with(|| identity.clone());
                    prop_assert_eq!(&*known, &identity, "{}", number);
                }
            }
            let kept = identities_of(section);
            for (own, identity) in offered.iter().zip(identities_of(&offered)) {
                let known = kept.iter().position(|other| *other == identity);
                if let Some(known) = known {
                    prop_assert_eq!(own.payload_type, section[known].payload_type);
                }
            }
        }
    }

    #[test]
    fn an_answer_is_a_part_of_the_offer(
        offered in any_section(), preferences in any_preferences(),
    ) {
        let all = ours(&MediaKind::Video);
        let answer = answer_codecs(&all, preferences.as_deref(), true, true, &offered);
        let identities = identities_of(&answer);
        for (own, identity) in answer.iter().zip(&identities) {
            let theirs = offered.iter().position(|other| other.payload_type == own.payload_type);
            let theirs = theirs.expect("a number of the offer");
            prop_assert_eq!(&identities_of(&offered)[theirs], identity);
            prop_assert!(identity.is_some());
            let feedback = &offered[theirs].feedback;
            prop_assert!(own.feedback.iter().all(|own| feedback.contains(own)));
        }
        // The offerer understands all of it, and both sides agree on what may be sent.
        prop_assert_eq!(numbers(&sendable(&offered, &answer)), numbers(&answer));
        let mut received = numbers(&receivable(&answer, &offered));
        let mut all = numbers(&answer);
        received.sort_unstable();
        all.sort_unstable();
        prop_assert_eq!(received, all);
        prop_assert_eq!(answer.is_empty(), !answer.iter().any(|own| own.codec.is_media()));
    }

    #[test]
    fn what_is_written_is_read_the_same(codecs in any_section()) {
        prop_assume!(!codecs.is_empty());
        let mut media = section("m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\n");
        write_codecs(&codecs, &mut media);
        let mut again = media.clone();
        prop_assert_eq!(&read_codecs(&media).unwrap(), &codecs);
        write_codecs(&codecs, &mut again);
        prop_assert_eq!(again, media);
    }

    #[test]
    fn no_description_is_too_odd(
        lines in prop::collection::vec(
            "(a=rtpmap:(9[5-9]|[0-9]) [A-Za-z0-9]{1,4}/[0-9]{1,5}(/[0-9])?|a=fmtp:(9[5-9]|\\*) [a-z0-9=;/ -]{0,20}|a=rtcp-fb:(9[5-9]|\\*) [a-z ]{1,9}[a-z])",
            0..20,
        ),
    ) {
        let text = format!("m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 0 9\r\n{}\r\n", lines.join("\r\n"));
        let text = text.replace("\r\n\r\n", "\r\n");
        let media = section(&text);
        if let Ok(codecs) = read_codecs(&media) {
            let answer = answer_to(&codecs, &MediaKind::Video);
            prop_assert!(numbers(&answer).iter().all(|own| numbers(&codecs).contains(own)));
            offer(None, &codecs);
        }
    }
}
