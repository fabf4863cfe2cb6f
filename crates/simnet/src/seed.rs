use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The one number a simulation starts from: the same seed replays the same run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed in the environment variable `SIM_SEED` (decimal), or `default` without one.
    ///
    /// # Panics
    ///
    /// `SIM_SEED` is set and is no number.
    pub fn from_env_or(default: u64) -> Self {
        Self::from_env().unwrap_or(Self(default))
    }

    fn from_env() -> Option<Self> {
        let text = std::env::var("SIM_SEED").ok()?;
        match text.trim().parse() {
            Ok(number) => Some(Self(number)),
            Err(_) => panic!("SIM_SEED={text:?} is no decimal number"),
        }
    }

    /// 32 bytes for the `seed` in an engine's configuration; `purpose` keeps the engines of one
    /// simulation apart (`seed.bytes("alice")`).
    pub fn bytes(self, purpose: &str) -> [u8; 32] {
        // The seed, then FNV-1a of the purpose: distinct inputs, and ChaCha does the mixing.
        let hash = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&hash.to_le_bytes());
        bytes
    }

    /// A generator of its own for `purpose`, for what a test chooses at random.
    pub fn rng(self, purpose: &str) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.bytes(purpose))
    }
}

impl From<u64> for Seed {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Runs `test` with the seeds 0, 1, … `count - 1`; with `SIM_SEED` set, with that seed alone.
///
/// ```
/// pc_simnet::for_each_seed(10, |seed| {
///     assert_eq!(seed.bytes("alice"), seed.bytes("alice"));
///     assert_ne!(seed.bytes("alice"), seed.bytes("bob"));
/// });
/// ```
///
/// # Panics
///
/// `test` panicked: the panic goes on after the seed that replays it has been printed.
pub fn for_each_seed(count: u64, mut test: impl FnMut(Seed)) {
    let seeds = match Seed::from_env() {
        Some(Seed(only)) => only..only.saturating_add(1),
        None => 0..count,
    };
    for seed in seeds.map(Seed) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(seed))) {
            eprintln!("failed with seed {seed}; SIM_SEED={seed} cargo test … replays this one");
            resume_unwind(panic);
        }
    }
}
