use std::{
    fmt,
    net::SocketAddr,
    ops::{Deref, DerefMut},
    time::Instant,
};

use pc_proto::{FiveTuple, Protocol};

/// What names the far side of an engine, as the network turns it around.
pub trait Route: Copy + fmt::Debug {
    /// The same path as the far side sees it.
    #[must_use]
    fn turned(self) -> Self;

    /// The local and the remote address, where there are any.
    fn addresses(self) -> Option<(SocketAddr, SocketAddr)> {
        None
    }
}

impl Route for () {
    fn turned(self) {}
}

impl Route for FiveTuple {
    fn turned(self) -> Self {
        self.reversed()
    }

    fn addresses(self) -> Option<(SocketAddr, SocketAddr)> {
        Some((self.local, self.remote))
    }
}

/// An engine together with what a test does with the data it yields.
///
/// Every [`Protocol`] is a node that ignores its payloads. [`Collect`] keeps them; implement this
/// for a type of your own where a test wants more, such as an echo.
pub trait Node {
    /// The engine that is driven.
    type Engine: Protocol<Route: Route>;

    /// The engine.
    fn engine(&self) -> &Self::Engine;

    /// The engine.
    fn engine_mut(&mut self) -> &mut Self::Engine;

    /// Takes what one accepted datagram yielded.
    fn payload(
        &mut self,
        _now: Instant,
        _route: RouteOf<Self>,
        _payload: <Self::Engine as Protocol>::Payload<'_>,
    ) {
    }

    /// Pulls out what the engine has ready; called after every input and timeout, and at other
    /// times too.
    fn pull(&mut self, _now: Instant) {}
}

/// How a node's engine names the far side.
pub type RouteOf<N> = <<N as Node>::Engine as Protocol>::Route;
/// What a node's engine reports.
pub type EventOf<N> = <<N as Node>::Engine as Protocol>::Event;
/// Why a node's engine drops datagrams.
pub type RejectedOf<N> = <<N as Node>::Engine as Protocol>::Rejected;

impl<P: Protocol<Route: Route>> Node for P {
    type Engine = P;

    fn engine(&self) -> &P {
        self
    }

    fn engine_mut(&mut self) -> &mut P {
        self
    }
}

type TakePayload<P, T> = for<'d> fn(<P as Protocol>::Payload<'d>, &mut Vec<T>);
type PullData<P, T> = fn(&mut P, Instant, &mut Vec<T>);

/// An engine whose data is kept in a list.
///
/// ```text
/// let dtls = Collect::pulled(connection, |connection, _now, records| {
///     while let Some(record) = connection.poll_data() {
///         records.push(record.to_vec());
///     }
/// });
/// let ice = Collect::payloads(agent, |payload, datagrams| {
///     datagrams.extend(payload.map(|bytes| bytes.to_vec()));
/// });
/// ```
#[derive(Debug)]
pub struct Collect<P: Protocol, T = Vec<u8>> {
    /// The engine; `Collect` derefs to it.
    pub engine: P,
    /// What came out, in order.
    pub collected: Vec<T>,
    take: Option<TakePayload<P, T>>,
    pull: Option<PullData<P, T>>,
}

impl<P: Protocol, T> Collect<P, T> {
    /// Collects what `pull` finds in the engine.
    pub fn pulled(engine: P, pull: PullData<P, T>) -> Self {
        Self {
            engine,
            collected: Vec::new(),
            take: None,
            pull: Some(pull),
        }
    }

    /// Collects what `take` finds in the payload of each datagram.
    pub fn payloads(engine: P, take: TakePayload<P, T>) -> Self {
        Self {
            engine,
            collected: Vec::new(),
            take: Some(take),
            pull: None,
        }
    }
}

impl<P: Protocol<Route: Route>, T> Node for Collect<P, T> {
    type Engine = P;

    fn engine(&self) -> &P {
        &self.engine
    }

    fn engine_mut(&mut self) -> &mut P {
        &mut self.engine
    }

    fn payload(&mut self, _: Instant, _: P::Route, payload: P::Payload<'_>) {
        if let Some(take) = self.take {
            take(payload, &mut self.collected);
        }
    }

    fn pull(&mut self, now: Instant) {
        if let Some(pull) = self.pull {
            pull(&mut self.engine, now, &mut self.collected);
        }
    }
}

impl<P: Protocol, T> Deref for Collect<P, T> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.engine
    }
}

impl<P: Protocol, T> DerefMut for Collect<P, T> {
    fn deref_mut(&mut self) -> &mut P {
        &mut self.engine
    }
}
