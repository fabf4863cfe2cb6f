use std::time::Instant;

use crate::TransmitBuf;

/// The five methods that every engine has, and the rules they keep.
///
/// 1. Time enters only as `now`, which never goes backwards. [`poll_timeout`](Self::poll_timeout)
///    is `None` when nothing is pending: there is no far-future sentinel. A
///    [`handle_timeout`](Self::handle_timeout) that comes early, late or twice is harmless.
/// 2. No call order is needed for correctness, only for promptness.
/// 3. [`poll_transmit`](Self::poll_transmit) fills one batch for one route and allocates nothing
///    beyond growing the caller's buffer.
/// 4. Events are owned and small. Media and messages leave as [`Payload`](Self::Payload) or through
///    a pull call of the engine's own, never inside an event.
/// 5. A fatal failure is one terminal event; the engine is inert afterwards.
/// 6. Commands are inherent methods of the engine. Randomness comes from a seed given at
///    construction, so that a test can be replayed.
///
/// A driver feeds a whole receive batch before it polls, so that an engine answers a batch once.
pub trait Protocol {
    /// How this layer names the far side: a [`FiveTuple`](crate::FiveTuple) where several paths
    /// exist, `()` where there is one.
    type Route: Copy;
    /// What one datagram yields to the layer above, borrowed from that datagram.
    type Payload<'d>;
    /// What happened; small and owned.
    type Event;
    /// Why a datagram was dropped. Dropping one changes no protocol state.
    type Rejected: core::error::Error;

    /// Takes one datagram that came from `route` at `now`.
    ///
    /// The engine may decrypt in place, hence `&mut`.
    ///
    /// # Errors
    ///
    /// The datagram was dropped, and why. A forged datagram can have no other effect.
    fn handle_input<'d>(
        &mut self,
        now: Instant,
        route: Self::Route,
        datagram: &'d mut [u8],
    ) -> Result<Self::Payload<'d>, Self::Rejected>;

    /// Lets the timers run that are due at `now`.
    fn handle_timeout(&mut self, now: Instant);

    /// Appends the next batch of datagrams to `out` and names the route all of them go to.
    ///
    /// Returns `None`, with nothing appended, when there is nothing to send. Call again until then.
    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<Self::Route>;

    /// The next event, in the order in which they happened.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    fn poll_timeout(&self) -> Option<Instant>;
}
