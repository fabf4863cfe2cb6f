//! What a peer does at random: whatever changes a session.

use std::fmt;

use peerconnection::{
    Error, MediaKind, MediaStream, MediaStreamTrack, PeerConnection, RtpTransceiver, TrackSource,
    TransceiverInit, rtp::TransceiverDirection,
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::view::{DIRECTIONS, KINDS};

/// More transceivers than this are stopped again rather than added to.
const MAX_TRANSCEIVERS: usize = 8;

/// One thing to do. Where it is about a transceiver, the number picks one of those there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    AddTrack(MediaKind),
    AddTransceiver(MediaKind, TransceiverDirection),
    RemoveTrack(usize),
    SetDirection(usize, TransceiverDirection),
    Stop(usize),
    RestartIce,
    /// An offer that is taken back before anybody hears of it.
    RollBack,
    /// The next offer that comes is set, taken back, and set once more.
    Hesitate,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddTrack(kind) => write!(f, "addTrack({kind})"),
            Self::AddTransceiver(kind, direction) => {
                write!(f, "addTransceiver({kind}, {direction})")
            }
            Self::RemoveTrack(_) => f.write_str("removeTrack"),
            Self::SetDirection(_, direction) => write!(f, "direction = {direction}"),
            Self::Stop(_) => f.write_str("stop"),
            Self::RestartIce => f.write_str("restartIce"),
            Self::RollBack => f.write_str("offer and rollback"),
            Self::Hesitate => f.write_str("the next offer is rolled back once"),
        }
    }
}

/// A source of choices that a seed repeats.
pub(crate) struct Chance {
    rng: ChaCha12Rng,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha12Rng::seed_from_u64(seed),
        }
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.rng.next_u32() as usize % end
    }

    fn one_of<T: Copy, const N: usize>(&mut self, choices: &[T; N]) -> T {
        choices[self.below(N)]
    }

    /// An id for a track.
    pub(crate) fn id(&mut self) -> String {
        format!("{:016x}", self.rng.next_u64())
    }

    pub(crate) fn operation(&mut self) -> Operation {
        let kind = self.one_of(&KINDS);
        let direction = self.one_of(&DIRECTIONS);
        let index = self.rng.next_u32() as usize;
        match self.below(16) {
            0..=2 => Operation::AddTrack(kind),
            3..=4 => Operation::AddTransceiver(kind, direction),
            5..=6 => Operation::RemoveTrack(index),
            7..=9 => Operation::SetDirection(index, direction),
            10..=11 => Operation::Stop(index),
            12 => Operation::RestartIce,
            13 => Operation::RollBack,
            _ => Operation::Hesitate,
        }
    }
}

/// The tracks that a peer has to send: silent, but tracks.
#[derive(Default)]
pub(crate) struct Tracks {
    sources: Vec<TrackSource>,
}

impl Tracks {
    pub(crate) fn add(&mut self, kind: MediaKind, id: String) -> MediaStreamTrack {
        // One that nothing sends any more needs no source.
        self.sources.retain(|source| !source.is_stopped());
        let (track, source) = MediaStreamTrack::new(kind, id, "silence");
        self.sources.push(source);
        track
    }
}

impl Operation {
    /// Does what the connection can do by itself; what is beside its tracks is the peer's to do.
    pub(crate) fn change(
        self,
        pc: &PeerConnection,
        tracks: &mut Tracks,
        chance: &mut Chance,
    ) -> Result<(), Error> {
        let transceivers = pc.transceivers();
        let running: Vec<_> = transceivers
            .iter()
            .filter(|it| it.direction() != TransceiverDirection::Stopped)
            .collect();
        let is_full = running.len() >= MAX_TRANSCEIVERS;
        match self {
            Self::AddTrack(_) | Self::AddTransceiver(..) if is_full => running[0].stop()?,
            Self::AddTrack(kind) => {
                let track = tracks.add(kind, chance.id());
                let stream = MediaStream::new("main", []);
                pc.add_track(&track, &[&stream])?;
            }
            Self::AddTransceiver(kind, direction) => {
                let init = TransceiverInit {
                    direction,
                    ..Default::default()
                };
                pc.add_transceiver(kind, init)?;
            }
            Self::RemoveTrack(index) => {
                let sends = |it: &&&RtpTransceiver| it.sender().track().is_some();
                let sending: Vec<_> = running.iter().filter(sends).collect();
                if let Some(transceiver) = picked(&sending, index) {
                    pc.remove_track(&transceiver.sender())?;
                }
            }
            Self::SetDirection(index, direction) => {
                if let Some(transceiver) = picked(&running, index) {
                    transceiver.set_direction(direction)?;
                }
            }
            Self::Stop(index) => {
                if let Some(transceiver) = picked(&running, index) {
                    transceiver.stop()?;
                }
            }
            Self::RestartIce => pc.restart_ice(),
            Self::RollBack | Self::Hesitate => {}
        }
        Ok(())
    }
}

fn picked<T>(from: &[T], index: usize) -> Option<&T> {
    from.get(index.checked_rem(from.len())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_operations_and_every_kind_of_them_comes() {
        let drawn = |seed| {
            let mut chance = Chance::new(seed);
            (0..200).map(|_| chance.operation()).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        let kinds: std::collections::HashSet<_> =
            drawn(1).iter().map(std::mem::discriminant).collect();
        assert_eq!(kinds.len(), 8);
    }
}
