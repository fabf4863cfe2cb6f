//! The clock that programs read from a picture: black and white rectangles that survive a lossy
//! codec and scaling, in a layout that is simple enough to draw and read anywhere
//! (`examples/src/media_clock.js` does both on a canvas).
//!
//! The clock fills the bottom quarter of a picture of any size `W`×`H`, from edge to edge. It has
//! [`ROWS`] = 3 rows of [`COLUMNS`] = 16 cells, each `W/16` wide and `H/12` high. The cell in
//! column `c` of row `r`, both from 0, goes from `x = c·W/16` to `(c+1)·W/16` and from
//! `y = (9+r)·H/12` to `(10+r)·H/12`, each rounded down to whole pixels.
//!
//! A cell is one bit: white is 1, black is 0. Row by row, left to right, they are
//!
//! ```text
//!        0               8               16
//! row 0  | sync: 0xB2    | time 31..24   |
//! row 1  | time 23..16   | time 15..8    |
//! row 2  | time 7..0     | CRC-8         |
//! ```
//!
//! with the most significant bit of everything first:
//!
//! - *sync* is `10110010`. It tells that there is a clock, which way up, and how bright black and
//!   white have become.
//! - *time* is the picture's time in milliseconds modulo 2³² (it starts anew after 49.7 days).
//! - *CRC-8* is over the four bytes of the time, most significant first: polynomial
//!   x⁸+x²+x+1 (0x07), initially 0xFF, not reflected, no final xor. Of the time 0 it is 0xD1.
//!
//! A reader takes the mean brightness of the inner half of each cell, which is from 1/4 to 3/4 of
//! its width and height. A cell is white if that is above the middle between the mean of the four
//! white and of the four black cells of *sync*. There is no clock if white and black are less than
//! [`MIN_CONTRAST`] apart, if *sync* reads otherwise, or if the CRC is wrong.

use std::{ops::Range, time::Duration};

/// Cells in a row.
pub const COLUMNS: usize = 16;
/// Rows of cells.
pub const ROWS: usize = 3;
/// How many rows of this height a whole picture would have; the clock is the lowest of them.
pub const ROWS_OF_PICTURE: usize = 12;
/// All cells.
pub const CELLS: usize = COLUMNS * ROWS;
/// What the first eight cells say: half of them white.
pub const SYNC: u8 = 0xb2;
/// The least difference between white and black, of 256 steps of brightness.
pub const MIN_CONTRAST: u32 = 32;

/// The cells that tell `time`, row by row: whether each is white.
pub fn cells(time: Duration) -> [bool; CELLS] {
    // The layout counts modulo 2^32.
    let bytes = (time.as_millis() as u32).to_be_bytes();
    let bits = bytes
        .iter()
        .fold(u64::from(SYNC), |bits, byte| bits << 8 | u64::from(*byte));
    let bits = bits << 8 | u64::from(crc8(bytes));
    std::array::from_fn(|at| bits >> (CELLS - 1 - at) & 1 == 1)
}

/// The time that the cells tell; `None` if *sync* or the CRC is wrong.
pub fn time(cells: &[bool; CELLS]) -> Option<Duration> {
    let bits = cells
        .iter()
        .fold(0_u64, |bits, white| bits << 1 | u64::from(*white));
    let (sync, millis, crc) = ((bits >> 40) as u8, (bits >> 8) as u32, bits as u8);
    let is_whole = sync == SYNC && crc == crc8(millis.to_be_bytes());
    is_whole.then(|| Duration::from_millis(millis.into()))
}

/// The pixels of cell number `at`, as a range of columns and one of rows.
pub(crate) fn area(at: usize, width: usize, height: usize) -> (Range<usize>, Range<usize>) {
    let (column, row) = (at % COLUMNS, ROWS_OF_PICTURE - ROWS + at / COLUMNS);
    let edge = |at: usize, side: usize, count: usize| at * side / count;
    (
        edge(column, width, COLUMNS)..edge(column + 1, width, COLUMNS),
        edge(row, height, ROWS_OF_PICTURE)..edge(row + 1, height, ROWS_OF_PICTURE),
    )
}

/// The pixels of the inner half of cell number `at`, one at least.
pub(crate) fn inner_area(at: usize, width: usize, height: usize) -> (Range<usize>, Range<usize>) {
    let (column, row) = (at % COLUMNS, ROWS_OF_PICTURE - ROWS + at / COLUMNS);
    let inner = |at: usize, side: usize, count: usize| {
        let begin = (4 * at + 1) * side / (4 * count);
        let end = ((4 * at + 3) * side).div_ceil(4 * count);
        begin..end.max(begin + 1)
    };
    (
        inner(column, width, COLUMNS),
        inner(row, height, ROWS_OF_PICTURE),
    )
}

fn crc8(bytes: [u8; 4]) -> u8 {
    bytes.into_iter().fold(0xff, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| {
            let carry = if crc & 0x80 != 0 { 0x07 } else { 0 };
            crc << 1 ^ carry
        })
    })
}
