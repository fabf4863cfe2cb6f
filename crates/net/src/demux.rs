use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
};

use pc_proto::FiveTuple;

/// How many tuples one key has at most: far more pairs than a connection checks on one socket.
pub const MAX_TUPLES_PER_KEY: usize = 256;

/// How many open STUN transactions one key has at most: one for each server that it asks on each of
/// its sockets.
pub const MAX_TRANSACTIONS_PER_KEY: usize = 256;

/// How sure it is that a tuple leads to a connection. A surer claim takes the tuple over.
///
/// Anyone can name any address as a candidate, and an insider can send a well-signed check from a
/// forged source address. Only the answer to a check of ours, which carries what we made up for
/// it, proves that the connection's peer is at that address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claim {
    /// The connection has sent a check there; the answer carries no user name.
    Tried,
    /// An authenticated check came from there.
    Heard,
    /// A check of ours was answered from there.
    Confirmed,
}

/// Another key has this user name fragment or transaction, or an equally sure claim on this tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it belongs to another connection")]
pub struct Taken;

/// Which connection a datagram on a shared socket belongs to, in constant time.
///
/// Datagrams that carry a STUN user name belong to the connection whose local user name fragment it
/// begins with; all others go by the addresses they travel between. `K` names a connection.
///
/// But several connections may ask one STUN server from one socket: its answers, which carry no user
/// name, belong to the connection whose transaction they end ([`answer`](Self::answer)). What is not
/// the answer to an open transaction is none, whoever says so.
///
/// ```
/// use pc_net::{Claim, Demux};
/// use pc_proto::FiveTuple;
///
/// let path = FiveTuple::udp("192.0.2.1:9".parse()?, "198.51.100.2:5".parse()?);
/// let mut demux = Demux::new();
/// demux.insert_ufrag("uF7g", 1)?;
/// assert_eq!(demux.route(path, Some("uF7g")), Some(1)); // a check
/// assert_eq!(demux.route(path, None), None);
/// demux.insert_tuple(path, 1, Claim::Heard)?; // it was authentic
/// assert_eq!(demux.route(path, None), Some(1)); // what else comes from there
/// demux.remove_key(1);
/// assert!(demux.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Hashing is keyed at random, so that a peer cannot choose colliding addresses. What one
/// connection inserts, it can only crowd out of its own share: each key has at most
/// [`MAX_TUPLES_PER_KEY`], and one more drops its least sure, of those the oldest; of its
/// [`MAX_TRANSACTIONS_PER_KEY`] the oldest goes.
#[derive(Debug)]
pub struct Demux<K> {
    by_ufrag: HashMap<Box<str>, K>,
    by_tuple: HashMap<FiveTuple, Owner<K>>,
    by_transaction: HashMap<Transaction, K>,
    by_key: HashMap<K, Share>,
    inserted: u64,
}

/// The id of a STUN transaction (RFC 8489 §5).
type Transaction = [u8; 12];

#[derive(Debug, Clone, Copy)]
struct Owner<K> {
    key: K,
    claim: Claim,
    /// When it was inserted or confirmed last; larger is later.
    age: u64,
}

#[derive(Debug, Default)]
struct Share {
    ufrags: Vec<Box<str>>,
    tuples: Vec<FiveTuple>,
    /// The oldest first.
    transactions: Vec<Transaction>,
}

impl Share {
    fn is_empty(&self) -> bool {
        self.ufrags.is_empty() && self.tuples.is_empty() && self.transactions.is_empty()
    }
}

impl<K: Copy + Eq + Hash> Demux<K> {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            by_ufrag: HashMap::new(),
            by_tuple: HashMap::new(),
            by_transaction: HashMap::new(),
            by_key: HashMap::new(),
            inserted: 0,
        }
    }

    /// The connection that a datagram on `tuple` belongs to. `local_ufrag` is what stands before
    /// the colon in its STUN user name, if it has one; then the tuple plays no part.
    pub fn route(&self, tuple: FiveTuple, local_ufrag: Option<&str>) -> Option<K> {
        match local_ufrag {
            Some(ufrag) => self.by_ufrag.get(ufrag).copied(),
            None => self.by_tuple.get(&tuple).map(|owner| owner.key),
        }
    }

    /// The connection that awaits the response with this transaction id from a server. Costs nothing
    /// while no transaction is open.
    pub fn answer(&self, transaction: &[u8; 12]) -> Option<K> {
        self.by_transaction.get(transaction).copied()
    }

    /// Sends the response with this transaction id to `key`, until it is
    /// [removed](Self::remove_transaction).
    ///
    /// # Errors
    ///
    /// Another key has it.
    pub fn insert_transaction(&mut self, id: [u8; 12], key: K) -> Result<(), Taken> {
        match self.by_transaction.entry(id) {
            Entry::Occupied(owner) if *owner.get() == key => return Ok(()),
            Entry::Occupied(_) => return Err(Taken),
            Entry::Vacant(free) => free.insert(key),
        };
        let share = self.by_key.entry(key).or_default();
        if share.transactions.len() >= MAX_TRANSACTIONS_PER_KEY {
            self.by_transaction.remove(&share.transactions.remove(0));
        }
        share.transactions.push(id);
        Ok(())
    }

    /// Takes a transaction away from `key`, if it has it: it was answered, or given up.
    pub fn remove_transaction(&mut self, id: &[u8; 12], key: K) {
        if self.by_transaction.get(id) == Some(&key) {
            self.by_transaction.remove(id);
            self.change_share(key, |share| share.transactions.retain(|own| own != id));
        }
    }

    /// Sends checks for `ufrag` to `key`. One key may have several: before and after a restart.
    ///
    /// # Errors
    ///
    /// Another key has it.
    pub fn insert_ufrag(&mut self, ufrag: &str, key: K) -> Result<(), Taken> {
        match self.by_ufrag.entry(ufrag.into()) {
            Entry::Occupied(owner) if *owner.get() == key => Ok(()),
            Entry::Occupied(_) => Err(Taken),
            Entry::Vacant(free) => {
                let share = self.by_key.entry(key).or_default();
                share.ufrags.push(free.key().clone());
                free.insert(key);
                Ok(())
            }
        }
    }

    /// Takes `ufrag` away from `key`, if it has it.
    pub fn remove_ufrag(&mut self, ufrag: &str, key: K) {
        if self.by_ufrag.get(ufrag) != Some(&key) {
            return;
        }
        self.by_ufrag.remove(ufrag);
        self.change_share(key, |share| share.ufrags.retain(|own| **own != *ufrag));
    }

    /// Sends datagrams on `tuple` that carry no user name to `key`, or makes its claim surer.
    ///
    /// # Errors
    ///
    /// Another key has an equally sure or surer claim.
    pub fn insert_tuple(&mut self, tuple: FiveTuple, key: K, claim: Claim) -> Result<(), Taken> {
        let before = self.by_tuple.get(&tuple).copied();
        let claim = match before {
            Some(owner) if owner.key == key => claim.max(owner.claim),
            Some(owner) if owner.claim >= claim => return Err(Taken),
            _ => claim,
        };
        self.inserted += 1;
        let age = self.inserted;
        self.by_tuple.insert(tuple, Owner { key, claim, age });
        match before {
            Some(owner) if owner.key == key => return Ok(()),
            Some(owner) => self.forget_tuple(owner.key, tuple),
            None => {}
        }
        let share = self.by_key.entry(key).or_default();
        if share.tuples.len() >= MAX_TUPLES_PER_KEY {
            let by_tuple = &self.by_tuple;
            let worth = |tuple: &FiveTuple| by_tuple.get(tuple).map(|own| (own.claim, own.age));
            let least = (0..share.tuples.len()).min_by_key(|at| share.tuples.get(*at).map(worth));
            if let Some(at) = least {
                self.by_tuple.remove(&share.tuples.swap_remove(at));
            }
        }
        share.tuples.push(tuple);
        Ok(())
    }

    /// Takes `tuple` away from `key`, if it has it.
    pub fn remove_tuple(&mut self, tuple: FiveTuple, key: K) {
        let owner = self.by_tuple.get(&tuple);
        if owner.is_some_and(|owner| owner.key == key) {
            self.by_tuple.remove(&tuple);
            self.forget_tuple(key, tuple);
        }
    }

    /// Removes all that belongs to `key`, in time proportional to that.
    pub fn remove_key(&mut self, key: K) {
        let Some(share) = self.by_key.remove(&key) else {
            return;
        };
        for ufrag in &share.ufrags {
            self.by_ufrag.remove(ufrag);
        }
        for tuple in &share.tuples {
            self.by_tuple.remove(tuple);
        }
        for transaction in &share.transactions {
            self.by_transaction.remove(transaction);
        }
        self.give_back_memory();
    }

    /// How many keys have anything.
    pub fn keys(&self) -> usize {
        self.by_key.len()
    }

    /// How many transactions are open.
    pub fn transactions(&self) -> usize {
        self.by_transaction.len()
    }

    /// How many tuples there are.
    pub fn tuples(&self) -> usize {
        self.by_tuple.len()
    }

    /// Whether the table holds nothing.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    fn forget_tuple(&mut self, key: K, tuple: FiveTuple) {
        self.change_share(key, |share| share.tuples.retain(|own| *own != tuple));
    }

    fn change_share(&mut self, key: K, change: impl FnOnce(&mut Share)) {
        let Entry::Occupied(mut share) = self.by_key.entry(key) else {
            return;
        };
        change(share.get_mut());
        if share.get().is_empty() {
            share.remove();
        }
    }

    /// Shrinks tables that have become sparse; constant time a removal in the long run.
    fn give_back_memory(&mut self) {
        shrink(&mut self.by_ufrag);
        shrink(&mut self.by_tuple);
        shrink(&mut self.by_transaction);
        shrink(&mut self.by_key);
    }
}

impl<K: Copy + Eq + Hash> Default for Demux<K> {
    fn default() -> Self {
        Self::new()
    }
}

fn shrink<A: Eq + Hash, B>(map: &mut HashMap<A, B>) {
    const SMALL: usize = 256;
    if map.capacity() > SMALL && map.capacity() / 8 > map.len() {
        map.shrink_to(map.len() * 2);
    }
}

#[cfg(test)]
mod tests;
