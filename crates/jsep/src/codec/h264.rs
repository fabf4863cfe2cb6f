//! `profile-level-id` of H.264 (RFC 6184 §8.1).
//!
//! ```text
//!  profile_idc   profile-iop                      level_idc
//! +------------+--------------------------------+-----------+
//! |     42     |  e0: constraint_set0..5, 2 zero |    1f     |
//! +------------+--------------------------------+-----------+
//! ```

use super::fmtp;

/// What is inferred where nothing is said: Baseline at level 1 (RFC 6184 §8.1).
const DEFAULT: ProfileLevelId = ProfileLevelId {
    idc: 0x42,
    iop: 0x00,
    level_idc: 10,
};

const CONSTRAINT_SET3: u8 = 0x10;

/// The three bytes of `profile-level-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProfileLevelId {
    idc: u8,
    iop: u8,
    level_idc: u8,
}

/// A profile, by the classes of RFC 6184 §8.1 table 5: different bytes may say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    Extended,
    High,
    /// Of later editions of H.264 (A.2.4.2), which browsers use.
    ConstrainedHigh,
    /// Any other is the same only as itself.
    Other(u8, u8),
}

/// A level; their order is that of what a decoder must master.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Level(u16);

impl Level {
    /// Level 1b lies between 1 and 1.1 (H.264 table A-1).
    const ONE_B: Self = Self(105);
}

impl ProfileLevelId {
    /// Of a format's parameters; `None` where they are malformed.
    pub(super) fn of(line: Option<&str>) -> Option<Self> {
        let Some(digits) = fmtp::parameter(line, "profile-level-id") else {
            return Some(DEFAULT);
        };
        // `from_str_radix` alone would take a sign.
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let [_, idc, iop, level_idc] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self {
            idc,
            iop,
            level_idc,
        })
    }

    /// The class of table 5 that the first two bytes fall into.
    pub(super) fn profile(self) -> Profile {
        let set0 = self.iop & 0x80 != 0;
        let set1 = self.iop & 0x40 != 0;
        let set2 = self.iop & 0x20 != 0;
        if self.iop & 0x0f != 0 {
            return match (self.idc, self.iop) {
                (0x64, 0x0c) => Profile::ConstrainedHigh,
                (idc, iop) => Profile::Other(idc, iop),
            };
        }
        match self.idc {
            0x42 if set1 => Profile::ConstrainedBaseline,
            0x42 => Profile::Baseline,
            0x4d if set0 => Profile::ConstrainedBaseline,
            0x4d if !set2 => Profile::Main,
            0x58 if set0 && set1 => Profile::ConstrainedBaseline,
            0x58 if set0 => Profile::Baseline,
            0x58 if !set1 => Profile::Extended,
            0x64 if self.iop == 0 => Profile::High,
            idc => Profile::Other(idc, self.iop),
        }
    }

    /// Level 1b is level_idc 11 with constraint_set3 where the profile is one of the first three,
    /// and 9 elsewhere (RFC 6184 §8.1, H.264 A.3).
    fn level(self) -> Level {
        match self.level_idc {
            11 if self.marks_1b_by_flag() && self.iop & CONSTRAINT_SET3 != 0 => Level::ONE_B,
            9 => Level::ONE_B,
            level => Level(u16::from(level) * 10),
        }
    }

    fn marks_1b_by_flag(self) -> bool {
        matches!(self.idc, 0x42 | 0x4d | 0x58)
    }

    /// The same profile, spelled as here, at another's level.
    fn at_level_of(self, other: Self) -> Self {
        let by_flag = self.marks_1b_by_flag();
        let (flag, level_idc) = match other.level() {
            Level::ONE_B if by_flag => (CONSTRAINT_SET3, 11),
            Level::ONE_B => (0, 9),
            Level(tenfold) => (0, (tenfold / 10) as u8),
        };
        let iop = match by_flag {
            true => self.iop & !CONSTRAINT_SET3 | flag,
            false => self.iop,
        };
        Self {
            idc: self.idc,
            iop,
            level_idc,
        }
    }
}

/// The parameters of an answer to `offered`: `ours` with the offer's profile, at our own level
/// where both allow levels to differ, else at the lower one (RFC 6184 §8.2.2).
pub(super) fn answer(ours: Option<&str>, offered: Option<&str>) -> Option<String> {
    let (own, theirs) = (ProfileLevelId::of(ours)?, ProfileLevelId::of(offered)?);
    let lower = own.level() <= theirs.level();
    let level = match lower || (may_differ(ours) && may_differ(offered)) {
        true => own,
        false => theirs,
    };
    let answer = theirs.at_level_of(level);
    let [idc, iop, level] = [answer.idc, answer.iop, answer.level_idc];
    let text = format!("{idc:02x}{iop:02x}{level:02x}");
    Some(fmtp::with_parameter(ours, "profile-level-id", &text))
}

fn may_differ(line: Option<&str>) -> bool {
    fmtp::parameter(line, "level-asymmetry-allowed") == Some("1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digits: &str) -> ProfileLevelId {
        ProfileLevelId::of(Some(&format!("profile-level-id={digits}"))).unwrap()
    }

    #[test]
    fn profiles_are_the_classes_of_table_5() {
        for (profile, spellings) in [
            (
                Profile::ConstrainedBaseline,
                &["42e01f", "42c00a", "42401f", "4d801f", "58c01f", "42F01F"][..],
            ),
            (Profile::Baseline, &["42001f", "428034", "588010"]),
            (Profile::Main, &["4d001f", "4d4028"]),
            (Profile::Extended, &["58001f", "58201f"]),
            (Profile::High, &["64001f", "640034"]),
            (Profile::ConstrainedHigh, &["640c1f"]),
            (Profile::Other(0x42, 0x01), &["42011f"]),
            (Profile::Other(0xf4, 0x00), &["f4001f"]),
        ] {
            for spelling in spellings {
                assert_eq!(id(spelling).profile(), profile, "{spelling}");
            }
        }
    }

    #[test]
    fn what_is_no_six_hexadecimal_digits_is_nothing() {
        for digits in ["", "42e01", "42e01ff", "+2e01f", "42e01g", "42 01f"] {
            let line = format!("profile-level-id={digits}");
            assert_eq!(ProfileLevelId::of(Some(&line)), None, "{digits}");
        }
        assert_eq!(ProfileLevelId::of(None), Some(DEFAULT));
    }

    #[test]
    fn level_1b_lies_between_1_and_1_1() {
        assert!(id("42e00a").level() < id("42f00b").level());
        assert!(id("42f00b").level() < id("42e00b").level());
        assert_eq!(id("42f00b").level(), id("640009").level());
        assert_eq!(id("64001f").at_level_of(id("42f00b")), id("640009"));
        assert_eq!(id("42e01f").at_level_of(id("640009")), id("42f00b"));
    }

    #[test]
    fn an_answer_has_the_lower_level_unless_both_allow_more() {
        let line = |digits, more| format!("profile-level-id={digits}{more}");
        const FREE: &str = ";level-asymmetry-allowed=1";
        for (ours, free, offered, offered_free, expected) in [
            ("42e01f", FREE, "42e00d", "", "42e00d"),
            ("42e01f", FREE, "42c00d", FREE, "42c01f"),
            ("42e01f", "", "42e00d", FREE, "42e00d"),
            ("42e01f", FREE, "42e034", "", "42e01f"),
            ("42e01f", FREE, "42e034", FREE, "42e01f"),
        ] {
            let (ours, offered) = (line(ours, free), line(offered, offered_free));
            let answered = answer(Some(&ours), Some(&offered));
            assert_eq!(answered, Some(line(expected, free)), "{ours} to {offered}");
        }
    }
}
