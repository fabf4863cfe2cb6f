//! A connection, as the driver knows it.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use pc_net::Demux;
use pc_stun::TransactionId;

use super::{
    super::{inbox::Key, reach::Tls, shared::Shared},
    hosts::HostNames,
};
use crate::{clock, engine};

pub(super) struct Driven {
    pub(super) shared: Arc<Shared>,
    /// The user fragments that lead here.
    ufrags: Vec<String>,
    /// The answers of servers that do.
    transactions: Vec<TransactionId>,
    /// Which servers over TLS it believes.
    pub(super) tls: Arc<Tls>,
    /// The names of its addresses, where these are hidden.
    pub(super) names: HostNames,
    /// The earliest of its expiries in the heap.
    pub(super) timer: Option<Instant>,
    pub(super) turn: bool,
}

impl Driven {
    pub(super) fn new(shared: Arc<Shared>, tls: Arc<Tls>) -> Self {
        Self {
            shared,
            ufrags: Vec::new(),
            transactions: Vec::new(),
            tls,
            names: HostNames::default(),
            timer: None,
            turn: false,
        }
    }

    pub(super) fn give_turn(&mut self, turns: &mut Vec<Key>) {
        if !std::mem::replace(&mut self.turn, true) {
            turns.push(self.shared.key);
        }
    }

    /// Sockets at these addresses are gone.
    pub(super) fn lose_addresses(&mut self, lost: &[SocketAddr], turns: &mut Vec<Key>) {
        let mut inner = self.shared.lock();
        for address in lost {
            inner.engine.remove_local_address(clock::now(), *address);
        }
        self.shared.publish(&mut inner);
        drop(inner);
        self.give_turn(turns);
    }

    /// Brings the table in line with the transports' user fragments; one of a generation before a
    /// restart stays as long as its checks are answered.
    pub(super) fn follow_ufrags(&mut self, engine: &engine::Connection, demux: &mut Demux<Key>) {
        if engine
            .local_ufrags()
            .eq(self.ufrags.iter().map(String::as_str))
        {
            return;
        }
        let key = self.shared.key;
        let current: Vec<String> = engine.local_ufrags().map(str::to_owned).collect();
        for old in self.ufrags.iter().filter(|old| !current.contains(old)) {
            demux.remove_ufrag(old, key);
        }
        for ufrag in &current {
            if demux.insert_ufrag(ufrag, key).is_err() {
                tracing::error!(ufrag, "two connections with one user fragment");
            }
        }
        self.ufrags = current;
    }

    /// The same with what the engine asks of servers, which has an end there.
    pub(super) fn follow_transactions(
        &mut self,
        engine: &engine::Connection,
        demux: &mut Demux<Key>,
    ) {
        if (engine.server_transactions()).eq(self.transactions.iter().copied()) {
            return;
        }
        let key = self.shared.key;
        let current: Vec<_> = engine.server_transactions().collect();
        for old in self
            .transactions
            .iter()
            .filter(|old| !current.contains(old))
        {
            demux.remove_transaction(&old.0, key);
        }
        for id in &current {
            // That two are the same does not happen; if it did, one would ask again.
            let _ = demux.insert_transaction(id.0, key);
        }
        self.transactions = current;
    }
}
