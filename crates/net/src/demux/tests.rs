use super::*;
use proptest::prelude::*;
use std::{collections::BTreeMap, net::Ipv4Addr};

fn tuple(number: u32) -> FiveTuple {
    let remote = (Ipv4Addr::from(0x0a00_0000 + number), 5000);
    FiveTuple::udp(([192, 0, 2, 1], 9).into(), remote.into())
}

/// The shares and the two tables say the same.
fn check(demux: &Demux<u8>) {
    let shares = || demux.by_key.iter();
    let tuples: usize = shares().map(|(_, share)| share.tuples.len()).sum();
    let ufrags: usize = shares().map(|(_, share)| share.ufrags.len()).sum();
    let transactions: usize = shares().map(|(_, share)| share.transactions.len()).sum();
    assert_eq!(
        (tuples, ufrags, transactions),
        (
            demux.by_tuple.len(),
            demux.by_ufrag.len(),
            demux.transactions()
        )
    );
    for (key, share) in shares() {
        assert!(!share.is_empty());
        assert!(share.transactions.len() <= MAX_TRANSACTIONS_PER_KEY);
        let asked = |id: &Transaction| demux.answer(id) == Some(*key);
        assert!(share.transactions.iter().all(asked));
        assert!(share.tuples.len() <= MAX_TUPLES_PER_KEY);
        let owned = |tuple: &FiveTuple| demux.route(*tuple, None) == Some(*key);
        assert!(share.tuples.iter().all(owned));
        let named = |ufrag: &str| demux.route(tuple(0), Some(ufrag)) == Some(*key);
        assert!(share.ufrags.iter().all(|ufrag| named(ufrag)));
    }
}

#[derive(Debug, Clone)]
enum Op {
    InsertUfrag(u8, u8),
    RemoveUfrag(u8, u8),
    InsertTuple(u8, u8, Claim),
    RemoveTuple(u8, u8),
    InsertTransaction(u8, u8),
    RemoveTransaction(u8, u8),
    RemoveKey(u8),
}

fn op() -> impl Strategy<Value = Op> {
    let (name, key) = (0u8..20, 0u8..6);
    let claim = prop_oneof![
        Just(Claim::Tried),
        Just(Claim::Heard),
        Just(Claim::Confirmed)
    ];
    prop_oneof![
        2 => (name.clone(), key.clone()).prop_map(|(name, key)| Op::InsertUfrag(name, key)),
        1 => (name.clone(), key.clone()).prop_map(|(name, key)| Op::RemoveUfrag(name, key)),
        4 => (name.clone(), key.clone(), claim)
            .prop_map(|(name, key, claim)| Op::InsertTuple(name, key, claim)),
        1 => (name.clone(), key.clone()).prop_map(|(name, key)| Op::RemoveTuple(name, key)),
        2 => (name.clone(), key.clone()).prop_map(|(name, key)| Op::InsertTransaction(name, key)),
        1 => (name, key.clone()).prop_map(|(name, key)| Op::RemoveTransaction(name, key)),
        1 => key.prop_map(Op::RemoveKey),
    ]
}

proptest! {
    /// The table is three plain maps, in which a surer claim wins.
    #[test]
    fn it_does_what_plain_maps_do(ops in proptest::collection::vec(op(), 0..200)) {
        let mut demux = Demux::new();
        let mut ufrags = BTreeMap::<u8, u8>::new();
        let mut tuples = BTreeMap::<u8, (u8, Claim)>::new();
        let mut transactions = BTreeMap::<u8, u8>::new();
        for op in ops {
            match op {
                Op::InsertUfrag(name, key) => {
                    let owner = *ufrags.entry(name).or_insert(key);
                    let result = demux.insert_ufrag(&name.to_string(), key);
                    prop_assert_eq!(result.is_ok(), owner == key);
                }
                Op::RemoveUfrag(name, key) => {
                    demux.remove_ufrag(&name.to_string(), key);
                    ufrags.retain(|own, owner| (*own, *owner) != (name, key));
                }
                Op::InsertTuple(name, key, claim) => {
                    let before = tuples.get(&name).copied();
                    let mine = before.is_none_or(|(owner, old)| owner == key || claim > old);
                    let result = demux.insert_tuple(tuple(name.into()), key, claim);
                    prop_assert_eq!(result.is_ok(), mine);
                    if mine {
                        let old = before.filter(|(owner, _)| *owner == key);
                        let claim = old.map_or(claim, |(_, old)| old.max(claim));
                        tuples.insert(name, (key, claim));
                    }
                }
                Op::RemoveTuple(name, key) => {
                    demux.remove_tuple(tuple(name.into()), key);
                    tuples.retain(|own, (owner, _)| (*own, *owner) != (name, key));
                }
                Op::InsertTransaction(id, key) => {
                    let owner = *transactions.entry(id).or_insert(key);
                    let result = demux.insert_transaction([id; 12], key);
                    prop_assert_eq!(result.is_ok(), owner == key);
                }
                Op::RemoveTransaction(id, key) => {
                    demux.remove_transaction(&[id; 12], key);
                    transactions.retain(|own, owner| (*own, *owner) != (id, key));
                }
                Op::RemoveKey(key) => {
                    transactions.retain(|_, owner| *owner != key);
                    demux.remove_key(key);
                    ufrags.retain(|_, owner| *owner != key);
                    tuples.retain(|_, (owner, _)| *owner != key);
                }
            }
            check(&demux);
            for name in 0..20 {
                let path = tuple(name.into());
                let named = demux.route(path, Some(&name.to_string()));
                prop_assert_eq!(named, ufrags.get(&name).copied());
                let owner = tuples.get(&name).map(|(owner, _)| *owner);
                prop_assert_eq!(demux.route(path, None), owner);
                let asker = demux.answer(&[name; 12]);
                prop_assert_eq!(asker, transactions.get(&name).copied());
            }
        }
    }
}

#[test]
fn a_user_name_counts_for_more_than_the_addresses() {
    let mut demux = Demux::new();
    demux.insert_ufrag("a", 1).unwrap();
    demux.insert_tuple(tuple(1), 2, Claim::Confirmed).unwrap();
    assert_eq!(demux.route(tuple(1), Some("a")), Some(1));
    assert_eq!(demux.route(tuple(1), Some("unknown")), None);
    assert_eq!(demux.route(tuple(1), None), Some(2));
}

#[test]
fn a_tuple_goes_to_the_surest_claim_and_never_to_an_equal_one() {
    let mut demux = Demux::new();
    demux.insert_tuple(tuple(1), 1, Claim::Tried).unwrap();
    assert_eq!(demux.insert_tuple(tuple(1), 2, Claim::Tried), Err(Taken));
    demux.insert_tuple(tuple(1), 2, Claim::Heard).unwrap();
    assert_eq!(demux.route(tuple(1), None), Some(2));
    assert_eq!(demux.keys(), 1, "the first has nothing left");
    demux.insert_tuple(tuple(1), 1, Claim::Confirmed).unwrap();
    demux.insert_tuple(tuple(1), 1, Claim::Tried).unwrap(); // does not weaken it
    let stolen = demux.insert_tuple(tuple(1), 2, Claim::Confirmed);
    assert_eq!(stolen, Err(Taken));
    assert_eq!(demux.route(tuple(1), None), Some(1));
}

#[test]
fn a_flood_evicts_the_floods_own_and_not_its_surest() {
    let mut demux = Demux::new();
    let other = tuple(900_000);
    demux.insert_tuple(other, 2, Claim::Tried).unwrap();
    demux.insert_tuple(tuple(0), 1, Claim::Confirmed).unwrap();
    for number in 1..10_000 {
        demux.insert_tuple(tuple(number), 1, Claim::Heard).unwrap();
    }
    assert_eq!(demux.tuples(), MAX_TUPLES_PER_KEY + 1);
    assert_eq!(demux.route(other, None), Some(2));
    assert_eq!(demux.route(tuple(0), None), Some(1), "the confirmed one");
    assert_eq!(demux.route(tuple(1), None), None, "the oldest");
    assert_eq!(demux.route(tuple(9_999), None), Some(1), "the newest");
    check(&demux);
}

#[test]
fn one_that_asks_without_end_forgets_its_own_questions() {
    let id = |number: u32| {
        let mut id = [0; 12];
        id[..4].copy_from_slice(&number.to_be_bytes());
        id
    };
    let mut demux = Demux::new();
    demux.insert_transaction(id(900_000), 2).unwrap();
    for number in 0..10_000 {
        demux.insert_transaction(id(number), 1).unwrap();
    }
    assert_eq!(demux.insert_transaction(id(9_999), 2), Err(Taken));
    assert_eq!(demux.transactions(), MAX_TRANSACTIONS_PER_KEY + 1);
    assert_eq!(demux.answer(&id(900_000)), Some(2));
    assert_eq!(demux.answer(&id(0)), None, "the oldest");
    assert_eq!(demux.answer(&id(9_999)), Some(1), "the newest");
    check(&demux);
    demux.remove_key(1);
    demux.remove_key(2);
    assert!(demux.is_empty() && demux.transactions() == 0);
}

#[test]
fn a_hundred_thousand_connections_come_and_go() {
    const CONNECTIONS: u32 = 100_000;
    let mut demux = Demux::new();
    for key in 0..CONNECTIONS {
        demux.insert_ufrag(&format!("{key:08x}"), key).unwrap();
        let (first, second) = (tuple(2 * key), tuple(2 * key + 1));
        demux.insert_tuple(first, key, Claim::Heard).unwrap();
        demux.insert_tuple(second, key, Claim::Confirmed).unwrap();
    }
    assert_eq!(demux.tuples(), 2 * CONNECTIONS as usize);
    for key in (0..CONNECTIONS).step_by(997) {
        let named = demux.route(tuple(0), Some(&format!("{key:08x}")));
        assert_eq!(named, Some(key));
        assert_eq!(demux.route(tuple(2 * key + 1), None), Some(key));
    }
    for key in 0..CONNECTIONS {
        demux.remove_key(key);
    }
    assert!(demux.is_empty() && demux.by_ufrag.is_empty() && demux.by_tuple.is_empty());
    let memory = demux.by_tuple.capacity() + demux.by_ufrag.capacity() + demux.by_key.capacity();
    assert!(memory < 3_000, "room for {memory} entries is kept");
}
