/// What is asked of one property of a device (`ConstrainULong`, `ConstrainDouble` and
/// `ConstrainDOMString` of mediacapture-streams §11): what has to be, and what would be best.
///
/// A value alone is what would be best, as in the W3C's interfaces: `640.into()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint<T> {
    /// The one value that it has to have.
    pub exact: Option<T>,
    /// The least that it has to have.
    pub min: Option<T>,
    /// The most that it may have.
    pub max: Option<T>,
    /// What comes closest to this is chosen among what is left.
    pub ideal: Option<T>,
}

impl<T> Constraint<T> {
    /// Nothing but this value will do.
    pub fn exact(value: T) -> Self {
        Self {
            exact: Some(value),
            ..Self::default()
        }
    }

    /// This value if that is possible, and what is closest to it if not.
    pub fn ideal(value: T) -> Self {
        Self {
            ideal: Some(value),
            ..Self::default()
        }
    }

    /// From the one to the other, both included.
    pub fn between(min: T, max: T) -> Self {
        Self {
            min: Some(min),
            max: Some(max),
            ..Self::default()
        }
    }
}

impl<T: PartialOrd + Clone> Constraint<T> {
    /// The value of a property that can have any from `lowest` to `highest`, and has `usual` where
    /// nothing is asked; `None` where what is asked cannot be (the fitness distance of
    /// mediacapture-streams §11.1 is infinite).
    pub(super) fn choose(&self, lowest: T, highest: T, usual: T) -> Option<T> {
        // A value that is not comparable, NaN, satisfies nothing.
        let is_possible = |value: &T| {
            *value >= lowest
                && *value <= highest
                && self.min.as_ref().is_none_or(|min| *value >= *min)
                && self.max.as_ref().is_none_or(|max| *value <= *max)
                && self.exact.as_ref().is_none_or(|exact| value == exact)
        };
        if let Some(exact) = &self.exact {
            return is_possible(exact).then(|| exact.clone());
        }
        let low = self.min.clone().filter(|min| *min > lowest);
        let low = low.unwrap_or_else(|| lowest.clone());
        let high = self.max.clone().filter(|max| *max < highest);
        let high = high.unwrap_or_else(|| highest.clone());
        let wish = self.ideal.clone().unwrap_or(usual);
        let value = if wish > high {
            high
        } else if wish >= low {
            wish
        } else {
            low
        };
        is_possible(&value).then_some(value)
    }

    /// Whether anything is asked.
    pub(super) fn is_any(&self) -> bool {
        let parts = [&self.exact, &self.min, &self.max, &self.ideal];
        parts.iter().all(|part| part.is_none())
    }
}

impl<T> Default for Constraint<T> {
    /// Anything will do.
    fn default() -> Self {
        Self {
            exact: None,
            min: None,
            max: None,
            ideal: None,
        }
    }
}

impl<T> From<T> for Constraint<T> {
    fn from(ideal: T) -> Self {
        Self::ideal(ideal)
    }
}

/// What is asked of a microphone. `Default` takes any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AudioConstraints {
    /// `deviceId`: which device.
    pub device_id: Constraint<String>,
    /// `sampleRate` in Hz. A synthetic tone has 48,000.
    pub sample_rate: Constraint<u32>,
    /// `channelCount`. A synthetic tone has 1, or 2 that are alike.
    pub channel_count: Constraint<u32>,
    /// The frequency of a synthetic tone in Hz, from 20 to 20,000; 440 if nothing is asked. Not a
    /// constraint of the W3C.
    pub frequency: Constraint<f64>,
}

/// What is asked of a camera. `Default` takes any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VideoConstraints {
    /// `deviceId`: which device.
    pub device_id: Constraint<String>,
    /// `width` in pixels. A synthetic picture has from 16 to 4,096.
    pub width: Constraint<u32>,
    /// `height` in pixels. A synthetic picture has from 16 to 2,304; what suits the width in a
    /// picture of 16:9 if nothing is asked.
    pub height: Constraint<u32>,
    /// `frameRate`, pictures a second. A synthetic picture has from 1 to 120.
    pub frame_rate: Constraint<f64>,
}

/// `MediaStreamConstraints` (mediacapture-streams §10.3): of what kinds tracks are wanted, and what
/// is asked of their devices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MediaStreamConstraints {
    /// Whether a track of audio is wanted, and of what.
    pub audio: Option<AudioConstraints>,
    /// Whether a track of video is wanted, and of what.
    pub video: Option<VideoConstraints>,
    /// Asks for devices that need no hardware, of both kinds.
    pub synthetic: bool,
}
