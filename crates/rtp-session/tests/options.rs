//! Each field of `Config` has its effect.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::*;
use pc_rtp_session::{Config, Event, Session};
use pc_simnet::{epoch, ms};

fn session(change: impl FnOnce(&mut Config)) -> Session {
    let mut config = config(1);
    change(&mut config);
    let mut session = Session::new(epoch(), config);
    session.set_sender(epoch(), VIDEO, sends("v", vp8()));
    session
}

fn target(session: &mut Session) -> u64 {
    let events = events(session).into_iter();
    let mut targets = events.filter_map(|event| match event {
        Event::TargetBitrate {
            bits_per_second, ..
        } => Some(bits_per_second),
        _ => None,
    });
    targets.next_back().unwrap()
}

#[test]
fn no_packet_is_longer_than_the_mtu() {
    for mtu in [500, 1000] {
        let mut session = session(|it| it.mtu = mtu);
        let data = [1; 3000];
        let frame = picture(epoch(), 0, true, &data);
        session.send_frame(epoch(), VIDEO, 0, frame).unwrap();
        let mut now = epoch();
        let packets = drain_paced(&mut session, &mut now, epoch() + ms(500));
        let longest = packets.iter().map(|(_, it)| it.bytes.len()).max().unwrap();
        assert!(longest <= mtu && longest + 250 > mtu, "{longest} of {mtu}");
    }
}

#[test]
fn the_rate_begins_as_the_configuration_says() {
    assert_eq!(
        target(&mut session(|it| it.start_bitrate = 300_000)),
        300_000
    );
    assert_eq!(
        target(&mut session(|it| it.start_bitrate = 2_000_000)),
        2_000_000
    );
}

#[test]
fn the_rate_stays_below_its_limit() {
    let limited = target(&mut session(|it| {
        (it.start_bitrate, it.max_bitrate) = (2_000_000, 700_000);
    }));
    assert_eq!(limited, 700_000);
}
