use super::*;
use proptest::prelude::*;

fn written(
    write: impl FnOnce(&mut pc_proto::Writer<'_>) -> Result<(), pc_proto::WriteError>,
) -> Vec<u8> {
    let mut bytes = [0; 512];
    let mut writer = pc_proto::Writer::new(&mut bytes);
    write(&mut writer).unwrap();
    writer.written().to_vec()
}

fn name() -> Name {
    "1f4712db-ea17-4bcf-a596-105139dfd8bf.local"
        .parse()
        .unwrap()
}

fn response(ip: &str) -> (Name, IpAddr) {
    (name(), ip.parse().unwrap())
}

/// A response of one record that replaces others, for 120 seconds, byte by byte. RFC 6762 §18
const RESPONSE_BYTES: &[u8] = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\
    \x241f4712db-ea17-4bcf-a596-105139dfd8bf\x05local\0\
    \0\x01\x80\x01\0\0\0\x78\0\x04\xc0\xa8\x01\x14";

#[test]
fn a_response_is_read_and_written_byte_for_byte() {
    let view = MessageView::parse(RESPONSE_BYTES).unwrap();
    assert!(view.is_response() && view.is_plain() && view.questions().count() == 0);
    let record = view.records().next().unwrap();
    assert!(record.name.is(&name()) && record.flush && record.section == Section::Answer);
    assert_eq!(
        (record.ttl, record.address()),
        (120, "192.168.1.20".parse().ok())
    );
    let (name, ip) = response("192.168.1.20");
    let again = Response {
        name: &name,
        ip,
        ttl: 120,
        address: true,
        absence: false,
        legacy: None,
    };
    assert_eq!(written(|w| again.write(w)), RESPONSE_BYTES);
}

#[test]
fn a_query_asks_for_both_addresses() {
    let name = name();
    for unicast in [false, true] {
        let bytes = written(|w| {
            Query {
                name: &name,
                unicast,
            }
            .write(w)
        });
        let view = MessageView::parse(&bytes).unwrap();
        assert!(!view.is_response() && view.is_plain() && view.id() == 0);
        let kinds: Vec<_> = view
            .questions()
            .map(|q| (q.name.is(&name), q.kind, q.unicast, q.internet))
            .collect();
        let asked = |kind| (true, kind, unicast, true);
        assert_eq!(kinds, [asked(RecordType::A), asked(RecordType::AAAA)]);
        assert_eq!(view.records().count(), 0);
    }
}

#[test]
fn what_there_is_not_is_said_by_nsec() {
    for (ip, bitmap) in [
        ("192.0.2.7", &[0, 1, 0x40][..]),
        ("2001:db8::7", &[0, 4, 0, 0, 0, 0x08]),
    ] {
        let (name, ip) = response(ip);
        let write = |address, legacy| {
            let response = Response {
                name: &name,
                ip,
                ttl: 10,
                address,
                absence: true,
                legacy,
            };
            written(|w| response.write(w))
        };
        let both = write(true, None);
        let view = MessageView::parse(&both).unwrap();
        let records: Vec<_> = view.records().collect();
        assert_eq!(
            (records[0].address(), records[0].section),
            (Some(ip), Section::Answer)
        );
        assert_eq!(records[1].kind, RecordType::NSEC);
        assert_eq!(records[1].section, Section::Additional);
        assert_eq!(records[1].data[2..], *bitmap);

        let alone = write(false, Some((77, RecordType(33))));
        let view = MessageView::parse(&alone).unwrap();
        assert_eq!(view.id(), 77);
        let question = view.questions().next().unwrap();
        assert!(question.name.is(&name) && question.kind == RecordType(33));
        let record = view.records().next().unwrap();
        assert!(record.name.is(&name) && !record.flush && record.section == Section::Answer);
    }
}

/// A message with one question for `name`, which stands at byte 12.
fn question(name: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], name, &[0, 1, 0, 1]].concat()
}

fn refused(name: &[u8]) -> &'static str {
    MessageView::parse(&question(name)).unwrap_err().what
}

#[test]
fn pointers_lead_back_and_never_round() {
    assert_eq!(refused(&[0xC0, 12]), "pointer that does not lead back");
    assert_eq!(
        refused(&[1, b'a', 0xC0, 12]),
        "pointer that does not lead back"
    );
    assert_eq!(
        refused(&[0xC0, 14, 0xC0, 12]),
        "pointer that does not lead back"
    );
    assert_eq!(refused(&[0xFF, 0xFF]), "pointer that does not lead back");
    assert_eq!(refused(&[0x40, 0]), "label of an unknown kind");
    assert_eq!(refused(&[63, b'a']), "label");
    // Into the header, which is a name like any other: the root.
    let bytes = question(&[1, b'a', 0xC0, 0]);
    let view = MessageView::parse(&bytes).unwrap();
    assert_eq!(format!("{:?}", view.questions().next().unwrap().name), "a.");
}

#[test]
fn a_name_has_255_bytes_at_most() {
    let of = |last: usize| {
        let mut name: Vec<u8> = [&[63][..], &[b'x'; 63]].concat().repeat(3);
        name.push(last as u8);
        name.extend(vec![b'y'; last]);
        name.push(0);
        name
    };
    assert!(MessageView::parse(&question(&of(61))).is_ok());
    assert_eq!(refused(&of(62)), "name longer than 255 bytes");
}

#[test]
fn a_chain_of_pointers_is_bounded() {
    let chain = |len: usize| {
        // Each question's name points to the one before.
        let mut bytes = vec![0, 0, 0, 0, 0, len as u8, 0, 0, 0, 0, 0, 0];
        for number in 0..len {
            match number.checked_sub(1) {
                None => bytes.push(0),
                Some(0) => bytes.extend([0xC0, 12]),
                Some(before) => bytes.extend([0xC0, (17 + 6 * (before - 1)) as u8]),
            }
            bytes.extend([0, 1, 0, 1]);
        }
        MessageView::parse(&bytes).map(|view| view.questions().count())
    };
    assert_eq!(chain(33), Ok(33));
    assert!(chain(34).is_err());
}

#[test]
fn counts_cost_nothing_where_nothing_is() {
    let mut bytes = [0xFF; 12];
    assert!(MessageView::parse(&bytes).is_err());
    bytes[4..].fill(0);
    assert!(MessageView::parse(&bytes).is_ok());
    assert!(MessageView::parse(&[&bytes[..], &[0]].concat()).is_err());
    assert!(MessageView::parse(&vec![0; 9_000]).is_err());
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_fail(bytes in prop::collection::vec(any::<u8>(), 0..300), counts in any::<[u8; 4]>()) {
        let mut bytes = bytes;
        for (at, count) in counts.iter().enumerate() {
            if let Some(field) = bytes.get_mut(4 + 2 * at..6 + 2 * at) {
                field.copy_from_slice(&[0, count % 4]);
            }
        }
        if let Ok(view) = MessageView::parse(&bytes) {
            prop_assert_eq!(view.questions().count(), usize::from(view.counts[0]));
            let records: usize = view.counts[1..].iter().map(|count| usize::from(*count)).sum();
            prop_assert_eq!(view.records().count(), records);
            for record in view.records() {
                prop_assert!(record.name.labels().map(|label| label.len() + 1).sum::<usize>() < MAX_NAME);
            }
        }
    }

    #[test]
    fn a_cut_message_is_refused(len in 0..RESPONSE_BYTES.len()) {
        prop_assert!(MessageView::parse(&RESPONSE_BYTES[..len]).is_err());
    }
}
