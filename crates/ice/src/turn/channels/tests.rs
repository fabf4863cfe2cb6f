use super::*;
use pc_simnet::{epoch, ms};

fn peer(port: u16) -> SocketAddr {
    ([192, 0, 2, 9], port).into()
}

/// RFC 8656 §12: 0x4000 and up, a number of its own for each peer.
#[test]
fn numbers_are_in_range_and_differ() {
    let mut channels = Channels::new();
    let now = epoch();
    for port in 1..=MAX_CHANNELS as u16 {
        channels.add(now, peer(port)).unwrap();
    }
    assert_eq!(channels.add(now, peer(9999)), Err(Error::TooManyPeers));
    assert_eq!(channels.add(now, peer(1)), Ok(()), "there already");
    let mut numbers = Vec::new();
    while let Some((number, _)) = channels.take_due(now) {
        numbers.push(number);
    }
    assert_eq!(numbers.len(), MAX_CHANNELS);
    assert_eq!(numbers[0], ChannelNumber::MIN);
    assert!(numbers.is_sorted_by(|a, b| a < b));
}

/// RFC 8656 §12: neither the number for another peer nor another number for the peer until five
/// minutes after the channel has ended.
#[test]
fn a_retired_number_stays_with_its_peer() {
    let mut channels = Channels::new();
    let mut now = epoch();
    channels.add(now, peer(1)).unwrap();
    let (first, _) = channels.take_due(now).unwrap();
    assert_eq!(channels.number_of(peer(1)), None, "not yet bound");
    assert_eq!(
        channels.peer_of(first),
        Some(peer(1)),
        "the server may be quicker"
    );
    assert!(channels.bound(now, first));
    assert_eq!(channels.number_of(peer(1)), Some(first));
    channels.retire(now, peer(1));
    assert_eq!(channels.number_of(peer(1)), None);
    // All the numbers go round before it is its turn; it is not taken.
    for port in 0..4096 {
        let other = peer(2 + port % 5000);
        channels.add(now, other).unwrap();
        assert!(channels.list.iter().filter(|it| it.number == first).count() == 1);
        channels.retire(now, other); // Wanted: forgotten at once
    }
    now += ms(899_000);
    channels.add(now, peer(1)).unwrap();
    assert_eq!(channels.take_due(now), Some((first, peer(1))));
    channels.retire(now, peer(1));
    now += ms(900_000);
    channels.forget_old(now);
    assert!(channels.list.is_empty());
}

#[test]
fn a_channel_that_is_not_refreshed_ends() {
    let mut channels = Channels::new();
    let start = epoch();
    channels.add(start, peer(1)).unwrap();
    let (number, _) = channels.take_due(start).unwrap();
    channels.bound(start, number);
    assert_eq!(channels.next_timeout(), Some(start + REFRESH_AFTER));
    assert_eq!(channels.take_due(start + ms(479_999)), None);
    assert!(channels.take_due(start + REFRESH_AFTER).is_some());
    assert!(channels.retry(start + ms(599_999), peer(1)));
    assert!(
        !channels.retry(start + LIFETIME, peer(1)),
        "too late for another"
    );
    assert_eq!(channels.take_lapsed(start + ms(599_999)), None);
    assert!(channels.number_of(peer(1)).is_some());
    assert_eq!(channels.take_lapsed(start + LIFETIME), Some(peer(1)));
    assert_eq!(channels.take_lapsed(start + LIFETIME), None);
    assert_eq!(channels.number_of(peer(1)), None);
    // The answer that comes too late does not revive it: the server may have forgotten it.
    assert!(!channels.bound(start + LIFETIME, number));
}
