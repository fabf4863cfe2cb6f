//! The crate `sdp`, which keeps attributes as names and text.

use std::io::Cursor;

use pc_sdp::{Line, Lines, SessionDescription};
use sdp::description::common::{Attribute, Bandwidth, ConnectionInformation};

pub(super) fn takes(text: &str) -> bool {
    sdp::SessionDescription::unmarshal(&mut Cursor::new(text)).is_ok()
}

/// It takes the text and sees the same in it.
pub(super) fn agrees(ours: &SessionDescription, text: &str) {
    let theirs = sdp::SessionDescription::unmarshal(&mut Cursor::new(text))
        .unwrap_or_else(|error| panic!("sdp: {error}\n{text}"));
    assert_eq!(ours.origin.session_id, theirs.origin.session_id);
    assert_eq!(ours.origin.session_version, theirs.origin.session_version);
    assert_eq!(ours.origin.username, *theirs.origin.username);
    let address = &theirs.origin.unicast_address;
    assert_eq!(ours.origin.address.host.to_string(), *address);
    assert_eq!(ours.name.trim(), theirs.session_name);
    let timing = &theirs.time_descriptions.first().expect("t=").timing;
    let found = ours.lines.iter().find_map(|line| match &**line {
        Line::Timing(timing) => Some((timing.start, timing.stop)),
        _ => None,
    });
    assert_eq!(found, Some((timing.start_time, timing.stop_time)));
    same_information(&ours.lines, theirs.session_information.as_deref());
    same_connection(&ours.lines, theirs.connection_information.as_ref());
    same_bandwidths(&ours.lines, &theirs.bandwidth);
    same_attributes(&ours.lines, &theirs.attributes);
    assert_eq!(ours.media.len(), theirs.media_descriptions.len());
    for (ours, theirs) in ours.media.iter().zip(&theirs.media_descriptions) {
        let head = &theirs.media_name;
        assert_eq!(ours.kind().as_str(), head.media);
        assert_eq!(isize::try_from(ours.port()), Ok(head.port.value));
        let count = ours.head.port_count.map(|count| count as isize);
        assert_eq!(count, head.port.range);
        assert_eq!(ours.protocol().as_str(), head.protos.join("/"));
        assert_eq!(super::formats(ours), head.formats.join(" "));
        same_information(&ours.lines, theirs.media_title.as_deref());
        same_connection(&ours.lines, theirs.connection_information.as_ref());
        same_bandwidths(&ours.lines, &theirs.bandwidth);
        same_attributes(&ours.lines, &theirs.attributes);
    }
}

fn same_information(ours: &Lines, theirs: Option<&str>) {
    let information = ours.iter().find_map(|line| match &**line {
        Line::Information(text) => Some(text.trim()),
        _ => None,
    });
    assert_eq!(information, theirs);
}

fn same_connection(ours: &Lines, theirs: Option<&ConnectionInformation>) {
    let theirs = theirs.map(|theirs| {
        let address = theirs.address.as_ref().expect("an address");
        (theirs.address_type.clone(), address.address.clone())
    });
    let ours = ours.connection().map(|own| {
        let (family, host) = own.address.to_string().rsplit_once(' ').map_or_else(
            || panic!("{own:?}"),
            |(family, host)| (family.to_owned(), host.to_owned()),
        );
        (family.trim_start_matches("IN ").to_owned(), host)
    });
    assert_eq!(ours, theirs);
}

fn same_bandwidths(ours: &Lines, theirs: &[Bandwidth]) {
    let ours = ours.iter().filter_map(|line| match &**line {
        Line::Bandwidth(own) => Some(own.value),
        _ => None,
    });
    assert!(ours.eq(theirs.iter().map(|theirs| theirs.bandwidth)));
}

fn same_attributes(ours: &Lines, theirs: &[Attribute]) {
    let lines = ours.iter().filter(|line| line.attribute().is_some());
    assert_eq!(lines.clone().count(), theirs.len());
    for (line, theirs) in lines.zip(theirs) {
        let written = match (line.spelling(), line.attribute()) {
            (Some(spelling), _) => spelling.to_owned(),
            (None, attribute) => format!("a={}", attribute.expect("filtered")),
        };
        let theirs = match &theirs.value {
            Some(value) => format!("a={}:{value}", theirs.key),
            None => format!("a={}", theirs.key),
        };
        assert_eq!(written.trim_end(), theirs);
    }
}
