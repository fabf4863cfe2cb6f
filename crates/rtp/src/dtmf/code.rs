use std::fmt;

/// The tones of the keys, in the order of their codes (RFC 4733 §3.2, table 3).
const TONES: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

/// Which event it is ([RFC 4733 §3.2](https://www.rfc-editor.org/rfc/rfc4733#section-3.2)): 0 to 15
/// are the keys of a telephone; others are registered at IANA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventCode(pub u8);

impl EventCode {
    /// The receiver's hook was pressed for a moment (RFC 4733 §3.2, table 3).
    pub const FLASH: Self = Self(16);

    /// The event of a key: `0` to `9`, `*`, `#`, and `A` to `D` in either case.
    pub fn from_tone(tone: char) -> Option<Self> {
        let tone = tone.to_ascii_uppercase();
        let code = TONES.iter().position(|known| *known == tone)?;
        u8::try_from(code).ok().map(Self)
    }

    /// The key of an event, `A` to `D` in upper case; `None` for other events.
    pub fn tone(self) -> Option<char> {
        TONES.get(usize::from(self.0)).copied()
    }

    /// All keys, in the order of their codes.
    pub fn tones() -> impl Iterator<Item = Self> {
        (0..).take(TONES.len()).map(Self)
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tone() {
            Some(tone) => write!(f, "{tone}"),
            None => write!(f, "event {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_have_the_codes_of_the_registry() {
        for (tone, code) in [
            ('0', 0),
            ('9', 9),
            ('*', 10),
            ('#', 11),
            ('A', 12),
            ('D', 15),
        ] {
            assert_eq!(EventCode::from_tone(tone), Some(EventCode(code)));
            assert_eq!(EventCode(code).tone(), Some(tone));
        }
        assert_eq!(EventCode::from_tone('c'), Some(EventCode(14)));
        assert_eq!(EventCode::tones().count(), 16);
        for none in [',', 'E', 'e', ' ', 'é', '٣'] {
            assert_eq!(EventCode::from_tone(none), None, "{none}");
        }
        assert_eq!(EventCode::FLASH.tone(), None);
        assert_eq!(EventCode::FLASH.to_string(), "event 16");
    }
}
