use std::time::{Duration, Instant};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What a link counts on top of each datagram against its [rate](Link::rate): IPv4 and UDP headers.
pub const HEADER_BYTES: usize = 28;

/// Which datagrams a link loses.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// Each with this probability, independently.
    Uniform(f64),
    /// In bursts: the link is in a good or a bad state with a loss of its own, and may change
    /// state before each datagram.
    ///
    /// ```text
    ///            enter
    ///   ┌──────┐ ─────▶ ┌─────┐
    ///   │ good │        │ bad │
    ///   └──────┘ ◀───── └─────┘
    ///            leave
    /// ```
    ///
    /// In the long run a share of `enter / (enter + leave)` of the datagrams meets the bad state,
    /// and a stay in it lasts `1 / leave` datagrams.
    GilbertElliott {
        /// Probability of going from good to bad.
        enter: f64,
        /// Probability of going from bad to good.
        leave: f64,
        /// Loss in the good state.
        good: f64,
        /// Loss in the bad state.
        bad: f64,
    },
}

/// One direction of a path: what happens to a datagram between two hosts.
///
/// A datagram passes, in this order: up or down, MTU, queue and rate, loss, corruption,
/// duplication, delay. [`Link::new`] is a perfect wire; each method adds one imperfection.
///
/// ```
/// use pc_simnet::{Link, ms};
/// let bad_wifi = Link::new().delay(ms(20)).jitter(ms(10)).loss(0.05).reorder(0.02, ms(15));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    pub(crate) up: bool,
    delay: Duration,
    jitter: Duration,
    loss: Loss,
    reorder: (f64, Duration),
    duplicate: f64,
    corrupt: f64,
    rate: Option<(u64, usize)>,
    mtu: usize,
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

impl Link {
    /// A perfect wire: no delay, no loss, no limit.
    pub const fn new() -> Self {
        Self {
            up: true,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: Loss::None,
            reorder: (0.0, Duration::ZERO),
            duplicate: 0.0,
            corrupt: 0.0,
            rate: None,
            mtu: usize::MAX,
        }
    }

    /// The time each datagram is under way.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Further delay, uniform from zero to this. It never changes the order of datagrams.
    #[must_use]
    pub const fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Loses each datagram with this probability.
    #[must_use]
    pub const fn loss(self, probability: f64) -> Self {
        self.loss_model(Loss::Uniform(probability))
    }

    /// Loses datagrams by this model.
    #[must_use]
    pub const fn loss_model(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// Holds each datagram back by up to `at_most` with this probability, so that later ones
    /// overtake it.
    #[must_use]
    pub const fn reorder(mut self, probability: f64, at_most: Duration) -> Self {
        self.reorder = (probability, at_most);
        self
    }

    /// Delivers each datagram twice with this probability; the copy comes up to 10 ms later.
    #[must_use]
    pub const fn duplicate(mut self, probability: f64) -> Self {
        self.duplicate = probability;
        self
    }

    /// Flips one to eight bits of each datagram with this probability: what gets past UDP's
    /// checksum, or an attacker.
    #[must_use]
    pub const fn corrupt(mut self, probability: f64) -> Self {
        self.corrupt = probability;
        self
    }

    /// Serialises datagrams (with [`HEADER_BYTES`] each) at `bits_per_second`; what does not fit
    /// into a queue of `queue_bytes` is dropped at the tail.
    #[must_use]
    pub const fn rate(mut self, bits_per_second: u64, queue_bytes: usize) -> Self {
        self.rate = Some((bits_per_second, queue_bytes));
        self
    }

    /// Drops datagrams of more than this many bytes of UDP payload.
    #[must_use]
    pub const fn mtu(mut self, bytes: usize) -> Self {
        self.mtu = bytes;
        self
    }

    /// Drops everything: a cut cable, a black hole.
    #[must_use]
    pub const fn down(mut self) -> Self {
        self.up = false;
        self
    }
}

/// Why a link dropped a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dropped {
    /// The link is [down](Link::down).
    Down,
    /// Longer than the [MTU](Link::mtu).
    TooBig,
    /// The queue in front of the [rate](Link::rate) was full.
    QueueFull,
    /// [Lost](Link::loss).
    Lost,
}

/// When one copy of a datagram arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) duplicate: bool,
}

/// A link at work: its configuration and what it remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    pub(crate) link: Link,
    in_bad_state: bool,
    /// Until when the queue takes to drain.
    busy_until: Option<Instant>,
    /// When the last datagram arrives that was not held back: no later one comes before it.
    last_arrival: Option<Instant>,
}

/// What became of a datagram that got through.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) corrupted: bool,
    pub(crate) arrivals: [Option<Arrival>; 2],
}

impl Wire {
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            ..Self::default()
        }
    }

    /// Sends one datagram, corrupting it in place where the link says so.
    pub(crate) fn pass(
        &mut self,
        now: Instant,
        datagram: &mut [u8],
        rng: &mut ChaCha8Rng,
    ) -> Result<Passage, Dropped> {
        if !self.link.up {
            return Err(Dropped::Down);
        }
        if datagram.len() > self.link.mtu {
            return Err(Dropped::TooBig);
        }
        let departs = self.enqueue(now, datagram.len() + HEADER_BYTES)?;
        if self.loses(rng) {
            return Err(Dropped::Lost);
        }
        let corrupted = chance(rng, self.link.corrupt) && flip_bits(datagram, rng);
        let at = self.arrival(departs, rng);
        let copy = chance(rng, self.link.duplicate).then(|| Arrival {
            at: at + up_to(rng, Duration::from_millis(10)),
            duplicate: true,
        });
        let first = Arrival {
            at,
            duplicate: false,
        };
        Ok(Passage {
            corrupted,
            arrivals: [Some(first), copy],
        })
    }

    /// When the last bit of a datagram has left.
    fn enqueue(&mut self, now: Instant, bytes: usize) -> Result<Instant, Dropped> {
        let Some((bits_per_second, queue_bytes)) = self.link.rate else {
            return Ok(now);
        };
        let rate = u128::from(bits_per_second.max(1));
        let starts = self.busy_until.map_or(now, |until| until.max(now));
        let waiting = (starts - now).as_nanos() * rate / 8_000_000_000;
        if waiting > 0 && waiting + bytes as u128 > queue_bytes as u128 {
            return Err(Dropped::QueueFull);
        }
        let nanos = (bytes as u128 * 8_000_000_000).div_ceil(rate);
        let departs = starts + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX / 2));
        self.busy_until = Some(departs);
        Ok(departs)
    }

    fn loses(&mut self, rng: &mut ChaCha8Rng) -> bool {
        match self.link.loss {
            Loss::None => false,
            Loss::Uniform(probability) => chance(rng, probability),
            Loss::GilbertElliott {
                enter,
                leave,
                good,
                bad,
            } => {
                let change = if self.in_bad_state { leave } else { enter };
                self.in_bad_state ^= chance(rng, change);
                chance(rng, if self.in_bad_state { bad } else { good })
            }
        }
    }

    fn arrival(&mut self, departs: Instant, rng: &mut ChaCha8Rng) -> Instant {
        let at = departs + self.link.delay + up_to(rng, self.link.jitter);
        let (probability, at_most) = self.link.reorder;
        if chance(rng, probability) {
            return at + up_to(rng, at_most);
        }
        let at = self.last_arrival.map_or(at, |last| last.max(at));
        self.last_arrival = Some(at);
        at
    }
}

fn flip_bits(datagram: &mut [u8], rng: &mut ChaCha8Rng) -> bool {
    if datagram.is_empty() {
        return false;
    }
    let before = datagram.to_vec();
    for _ in 0..rng.random_range(1..=8) {
        let at = rng.random_range(0..datagram.len());
        datagram[at] ^= 1 << rng.random_range(0..8);
    }
    if datagram == before.as_slice() {
        datagram[0] ^= 1; // the same bits were flipped twice
    }
    true
}

pub(crate) fn chance(rng: &mut ChaCha8Rng, probability: f64) -> bool {
    // Draws nothing for what cannot happen: a link without jitter is the same run with or without
    // the other features.
    probability > 0.0 && rng.random_bool(probability.min(1.0))
}

pub(crate) fn up_to(rng: &mut ChaCha8Rng, at_most: Duration) -> Duration {
    let nanos = u64::try_from(at_most.as_nanos()).unwrap_or(u64::MAX);
    if nanos == 0 {
        return Duration::ZERO;
    }
    Duration::from_nanos(rng.random_range(0..=nanos))
}
