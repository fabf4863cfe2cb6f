//! Serial number arithmetic, [RFC 1982](https://www.rfc-editor.org/rfc/rfc1982).

use std::fmt;

macro_rules! serial {
    ($name:ident, $int:ty, $signed:ty, $bits:literal) => {
        #[doc = concat!("A ", $bits, "-bit serial number, RFC 1982 §3.")]
        ///
        /// It has no `Ord`: the order wraps around and is not transitive. Two numbers exactly half
        /// the space apart have no order at all: neither is newer than the other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(pub $int);

        impl $name {
            /// The number that comes right after this one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.wrapping_add(1))
            }

            /// The number `n` steps after this one.
            #[must_use]
            pub const fn plus(self, n: $int) -> Self {
                Self(self.0.wrapping_add(n))
            }

            /// The number `n` steps before this one.
            #[must_use]
            pub const fn minus(self, n: $int) -> Self {
                Self(self.0.wrapping_sub(n))
            }

            /// How many steps forward lead from `earlier` to this number.
            pub const fn steps_from(self, earlier: Self) -> $int {
                self.0.wrapping_sub(earlier.0)
            }

            /// Whether this number comes after `other`, RFC 1982 §3.2.
            pub const fn is_newer_than(self, other: Self) -> bool {
                (self.0.wrapping_sub(other.0) as $signed) > 0
            }

            /// Whether this number is `other` or comes after it.
            pub const fn is_at_least(self, other: Self) -> bool {
                self.0 == other.0 || self.is_newer_than(other)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

serial!(Serial16, u16, i16, "16");
serial!(Serial32, u32, i32, "32");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_wraps_around() {
        assert!(Serial16(0).is_newer_than(Serial16(u16::MAX)));
        assert!(!Serial16(u16::MAX).is_newer_than(Serial16(0)));
        assert!(Serial32(5).is_newer_than(Serial32(u32::MAX - 5)));
        assert_eq!(Serial32(4).steps_from(Serial32(u32::MAX)), 5);
        assert!(Serial16(7).is_at_least(Serial16(7)));
    }

    #[test]
    fn half_the_space_apart_has_no_order() {
        assert!(!Serial16(0x8000).is_newer_than(Serial16(0)));
        assert!(!Serial16(0).is_newer_than(Serial16(0x8000)));
    }

    #[test]
    fn order_is_not_transitive() {
        let (a, b, c) = (Serial16(0), Serial16(0x6000), Serial16(0xC000));
        assert!(b.is_newer_than(a) && c.is_newer_than(b) && a.is_newer_than(c));
    }
}
