//! Digits that people read: three by five dots each.

use std::time::Duration;

/// How wide a character is, with the gap after it, in dots.
pub(super) const ADVANCE: usize = 4;
/// How high a character is, in dots.
pub(super) const HEIGHT: usize = 5;
/// How many characters the time has.
pub(super) const LENGTH: usize = 12;

/// The time as `hh:mm:ss.mmm`; the hours start anew after 99.
pub(super) fn text(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    let (hours, minutes) = (seconds / 3_600 % 100, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{millis:03}", seconds % 60)
}

/// Five rows of a character, from top to bottom; the lowest three bits are its dots.
pub(super) fn rows(character: char) -> [u8; HEIGHT] {
    match character {
        '0' => [0b111, 0b101, 0b101, 0b101, 0b111],
        '1' => [0b010, 0b110, 0b010, 0b010, 0b111],
        '2' => [0b111, 0b001, 0b111, 0b100, 0b111],
        '3' => [0b111, 0b001, 0b111, 0b001, 0b111],
        '4' => [0b101, 0b101, 0b111, 0b001, 0b001],
        '5' => [0b111, 0b100, 0b111, 0b001, 0b111],
        '6' => [0b111, 0b100, 0b111, 0b101, 0b111],
        '7' => [0b111, 0b001, 0b010, 0b010, 0b010],
        '8' => [0b111, 0b101, 0b111, 0b101, 0b111],
        '9' => [0b111, 0b101, 0b111, 0b001, 0b111],
        ':' => [0b000, 0b010, 0b000, 0b010, 0b000],
        '.' => [0b000, 0b000, 0b000, 0b000, 0b010],
        _ => [0; HEIGHT],
    }
}
