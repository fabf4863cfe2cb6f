use std::time::Duration;

use crate::{VideoFrame, devices::clock};

/// The time that a [test picture](crate::devices::TestPicture) tells, whatever a codec and a change
/// of size have done to it; `None` if it tells none that can be trusted.
///
/// It is read from the pixels as they are stored: a picture that is yet to be turned has to be
/// turned first.
pub fn read_clock(picture: &VideoFrame) -> Option<Duration> {
    let means: [u32; clock::CELLS] = std::array::from_fn(|cell| brightness(picture, cell));
    let threshold = threshold(&means)?;
    clock::time(&means.map(|mean| mean > threshold))
}

/// The middle between the white and the black of the cells whose colours are known.
fn threshold(means: &[u32; clock::CELLS]) -> Option<u32> {
    let mut sums = [0; 2];
    for (bit, mean) in means.iter().take(8).enumerate() {
        let [black, white] = &mut sums;
        let is_white = clock::SYNC & 0x80 >> bit != 0;
        *(if is_white { white } else { black }) += mean;
    }
    let [black, white] = sums.map(|sum| sum / 4);
    (white >= black + clock::MIN_CONTRAST).then_some((black + white) / 2)
}

/// The mean luma of a cell's inner half.
fn brightness(picture: &VideoFrame, cell: usize) -> u32 {
    let luma = picture.y();
    let (columns, rows) = clock::inner_area(cell, luma.width(), luma.height());
    let (mut sum, mut count) = (0_u64, 0_u64);
    for pixels in rows.filter_map(|row| luma.row(row).get(columns.clone())) {
        sum += pixels.iter().map(|it| u64::from(*it)).sum::<u64>();
        count += pixels.len() as u64;
    }
    (sum / count.max(1)) as u32
}
