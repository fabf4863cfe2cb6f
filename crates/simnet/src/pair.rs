use std::time::{Duration, Instant};

use crate::{
    Host, LazyDriver, Link, Node, RouteOf, Seed, Trace,
    air::Air,
    link::Wire,
    run::{self, End, Steps, run_methods},
};

/// One of the two hosts of a [`Pair`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The host `a`, number 0 in the trace.
    A,
    /// The host `b`, number 1 in the trace.
    B,
}

/// Two engines and a link each way.
///
/// The two may be of different types, such as an engine and its oracle, as long as they name the
/// far side alike. Where they name it by addresses, the route is turned around on the way.
#[derive(Debug)]
pub struct Pair<A: Node, B: Node = A>
where
    B::Engine: pc_proto::Protocol<Route = RouteOf<A>>,
{
    /// One engine and what it reported.
    pub a: Host<A>,
    /// The other engine and what it reported.
    pub b: Host<B>,
    a_to_b: Wire,
    b_to_a: Wire,
    air: Air<RouteOf<A>>,
}

impl<A: Node, B: Node> Pair<A, B>
where
    B::Engine: pc_proto::Protocol<Route = RouteOf<A>>,
{
    /// Joins two engines by perfect links with 10 ms delay each.
    pub fn new(seed: impl Into<Seed>, a: A, b: B) -> Self {
        let wire = Wire::new(Link::new().delay(Duration::from_millis(10)));
        Self {
            a: Host::new(a, None),
            b: Host::new(b, None),
            a_to_b: wire.clone(),
            b_to_a: wire,
            air: Air::new(seed.into()),
        }
    }

    /// The same link both ways.
    #[must_use]
    pub fn with_link(self, link: Link) -> Self {
        self.with_links(link.clone(), link)
    }

    /// A link each way.
    #[must_use]
    pub fn with_links(mut self, a_to_b: Link, b_to_a: Link) -> Self {
        self.set_link(Side::A, a_to_b);
        self.set_link(Side::B, b_to_a);
        self
    }

    /// Drives both engines lazily.
    #[must_use]
    pub fn with_driver(mut self, driver: LazyDriver) -> Self {
        self.air.driver = Some(driver);
        self.a.lazy = self.air.lazy(0);
        self.b.lazy = self.air.lazy(1);
        self
    }

    /// Changes the link that `from` sends into. What is under way still arrives.
    pub fn set_link(&mut self, from: Side, link: Link) {
        self.wire(from).link = link;
    }

    /// Cuts both links, which keep their properties.
    pub fn cut(&mut self) {
        self.a_to_b.link.up = false;
        self.b_to_a.link.up = false;
    }

    /// Mends what [`cut`](Self::cut) cut.
    pub fn mend(&mut self) {
        self.a_to_b.link.up = true;
        self.b_to_a.link.up = true;
    }

    /// Hands a datagram to host `to` at the next step, as a third party would that can reach it.
    /// `route` is as `to` sees it.
    pub fn inject(&mut self, to: Side, route: RouteOf<A>, datagram: &[u8]) {
        let to = usize::from(to == Side::B);
        let route = crate::Route::turned(route);
        let mut wire = Wire::default();
        self.air
            .send(&mut wire, (None, to), route, datagram.to_vec());
    }

    run_methods!();

    fn wire(&mut self, from: Side) -> &mut Wire {
        match from {
            Side::A => &mut self.a_to_b,
            Side::B => &mut self.b_to_a,
        }
    }

    /// Puts what `from` sent on its link.
    fn post(&mut self, from: Side) {
        let mut sent = std::mem::take(&mut self.air.outbox.sent);
        let (wire, ends) = match from {
            Side::A => (&mut self.a_to_b, (Some(0), 1)),
            Side::B => (&mut self.b_to_a, (Some(1), 0)),
        };
        for (route, datagram) in sent.drain(..) {
            self.air.send(wire, ends, route, datagram);
        }
        self.air.outbox.sent = sent;
    }
}

impl<A: Node, B: Node> Steps for Pair<A, B>
where
    B::Engine: pc_proto::Protocol<Route = RouteOf<A>>,
{
    type Route = RouteOf<A>;

    fn air(&self) -> &Air<RouteOf<A>> {
        &self.air
    }

    fn air_mut(&mut self) -> &mut Air<RouteOf<A>> {
        &mut self.air
    }

    fn stir(&mut self) {
        self.a.stir(self.air.now);
        self.b.stir(self.air.now);
    }

    fn next(&self) -> Option<Instant> {
        let now = self.air.now;
        let hosts = [self.a.wakes_at(now), self.b.wakes_at(now)];
        hosts
            .into_iter()
            .chain([self.air.next_arrival()])
            .flatten()
            .min()
    }

    fn turn(&mut self) {
        while let Some(packet) = self.air.arrived() {
            match packet.to {
                0 => self.a.arrive(packet.route, packet.datagram, self.air.now),
                _ => self.b.arrive(packet.route, packet.datagram, self.air.now),
            }
        }
        self.a.turn(self.air.now, &mut self.air.outbox);
        self.post(Side::A);
        self.b.turn(self.air.now, &mut self.air.outbox);
        self.post(Side::B);
    }

    fn describe(&self) -> String {
        format!("a: {:?}\nb: {:?}", self.a, self.b)
    }
}
