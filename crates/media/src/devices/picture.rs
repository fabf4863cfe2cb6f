use std::{ops::Range, time::Duration};

use super::{clock, digits};
use crate::{InvalidFrame, VideoFrame};

/// A camera that sees the time: colour bars, a box that moves in front of them, the time in digits
/// for people, and in the bottom quarter the time in [cells](clock) for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TestPicture;

impl TestPicture {
    /// The picture of the time `at`, which is also its timestamp. A picture tells the same time in
    /// every size; cells are read from 64×48 pixels on, digits from about 160×90.
    pub fn frame(at: Duration, width: u32, height: u32) -> Result<VideoFrame, InvalidFrame> {
        let len = VideoFrame::byte_len(width, height)?;
        let mut canvas = Canvas::new(width as usize, height as usize, len);
        canvas.bars();
        canvas.moving_box(at);
        canvas.digits(at);
        canvas.clock(at);
        VideoFrame::new(width, height, canvas.data, at)
    }
}

/// Luma and the two colour differences, in the range of [`VideoFrame`].
type Colour = [u8; 3];

const BLACK: Colour = [16, 128, 128];
const WHITE: Colour = [235, 128, 128];
/// The bars of ITU-R BT.471 at 75 %, with grey in place of the eighth, which is black.
const BARS: [Colour; 8] = [
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
    [98, 128, 128],
];

struct Canvas {
    data: Vec<u8>,
    width: usize,
    height: usize,
}

impl Canvas {
    fn new(width: usize, height: usize, len: usize) -> Self {
        let data = vec![0; len];
        Self {
            data,
            width,
            height,
        }
    }

    fn bars(&mut self) {
        for (at, colour) in BARS.into_iter().enumerate() {
            let columns = at * self.width / BARS.len()..(at + 1) * self.width / BARS.len();
            self.fill(columns, 0..self.height, colour);
        }
    }

    /// Crosses the bars in three seconds and climbs them in two, to and fro.
    fn moving_box(&mut self, at: Duration) {
        let room = self.above_clock();
        let side = (room / 4).min(self.width / 2).max(1);
        let x = swing(at, 3_000, self.width - side);
        let y = swing(at, 2_000, room.saturating_sub(side));
        self.fill(x..x + side, y..y + side, WHITE);
    }

    fn digits(&mut self, at: Duration) {
        let (columns, rows) = (digits::ADVANCE * digits::LENGTH + 1, digits::HEIGHT + 2);
        let room = self.above_clock();
        let dot = (self.width / (columns + 2)).min(room / rows);
        let (left, top) = (
            self.width.saturating_sub(columns * dot) / 2,
            room.saturating_sub(rows * dot) / 2,
        );
        self.fill(left..left + columns * dot, top..top + rows * dot, BLACK);
        for (place, character) in digits::text(at).chars().enumerate() {
            let left = left + (1 + place * digits::ADVANCE) * dot;
            for (row, dots) in digits::rows(character).into_iter().enumerate() {
                let top = top + (1 + row) * dot;
                for column in (0..3).filter(|column| dots & 0b100 >> column != 0) {
                    let left = left + column * dot;
                    self.fill(left..left + dot, top..top + dot, WHITE);
                }
            }
        }
    }

    fn clock(&mut self, at: Duration) {
        for (cell, is_white) in clock::cells(at).into_iter().enumerate() {
            let (columns, rows) = clock::area(cell, self.width, self.height);
            self.fill(columns, rows, if is_white { WHITE } else { BLACK });
        }
    }

    /// How many rows of pixels the clock leaves.
    fn above_clock(&self) -> usize {
        let (_, rows) = clock::area(0, self.width, self.height);
        rows.start
    }

    /// Gives these pixels one colour. One of four that share their colour may be beyond an edge.
    fn fill(&mut self, columns: Range<usize>, rows: Range<usize>, [y, u, v]: Colour) {
        let (width, height) = (self.width, self.height);
        let (luma, chroma) = self.data.split_at_mut(width * height);
        rectangle(luma, width, columns.clone(), rows.clone(), y);
        let halves = |it: Range<usize>| it.start.div_ceil(2)..it.end.div_ceil(2);
        let (columns, rows) = (halves(columns), halves(rows));
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        let (blue, red) = chroma.split_at_mut(width * height);
        rectangle(blue, width, columns.clone(), rows.clone(), u);
        rectangle(red, width, columns, rows, v);
    }
}

fn rectangle(plane: &mut [u8], width: usize, columns: Range<usize>, rows: Range<usize>, value: u8) {
    let count = rows.len();
    for row in plane.chunks_exact_mut(width).skip(rows.start).take(count) {
        if let Some(pixels) = row.get_mut(columns.clone()) {
            pixels.fill(value);
        }
    }
}

/// From 0 to `room` and back in twice `period` milliseconds, at one speed.
fn swing(at: Duration, period: u128, room: usize) -> usize {
    let phase = at.as_millis() % (2 * period);
    let way = phase.min(2 * period - phase);
    (way * room as u128 / period) as usize
}
