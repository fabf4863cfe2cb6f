//! What cameras give, as I420.

use std::time::Duration;

use crate::{InvalidFrame, VideoFrame};

/// How the bytes of a picture lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PixelFormat {
    /// Three planes.
    I420,
    /// A plane of luma, and one of chroma, blue and red in turn.
    Nv12,
    /// Two pixels in four bytes: luma, blue, luma, red.
    Yuyv,
    /// The same with chroma first.
    Uyvy,
    /// A JPEG for each picture. The last, as it takes time to decode and has lost something.
    Mjpeg,
}

impl PixelFormat {
    /// By the four letters that Video4Linux has for it.
    pub(super) fn from_fourcc(fourcc: [u8; 4]) -> Option<Self> {
        match &fourcc {
            b"YU12" => Some(Self::I420),
            b"NV12" => Some(Self::Nv12),
            b"YUYV" => Some(Self::Yuyv),
            b"UYVY" => Some(Self::Uyvy),
            b"MJPG" | b"JPEG" => Some(Self::Mjpeg),
            _ => None,
        }
    }
}

/// The bytes of a picture, and what they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pixels<'a> {
    pub(super) format: PixelFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes from one row to the next, of luma where there are planes; 0 where there is no gap.
    pub(super) stride: usize,
    pub(super) data: &'a [u8],
}

impl Pixels<'_> {
    /// The picture. Where bytes are missing, which happens when a cable is loose, it is an error.
    pub(super) fn to_frame(self, timestamp: Duration) -> Result<VideoFrame, InvalidFrame> {
        // Nothing that has no size can be a picture.
        VideoFrame::byte_len(self.width, self.height)?;
        match self.format {
            PixelFormat::I420 => self.planes(timestamp),
            PixelFormat::Nv12 => self.two_planes(timestamp),
            PixelFormat::Yuyv => self.packed(timestamp, [0, 1, 2, 3]),
            PixelFormat::Uyvy => self.packed(timestamp, [1, 0, 3, 2]),
            PixelFormat::Mjpeg => mjpeg(self.data, timestamp),
        }
    }

    fn size(self) -> (usize, usize) {
        (self.width as usize, self.height as usize)
    }

    fn planes(self, timestamp: Duration) -> Result<VideoFrame, InvalidFrame> {
        let (width, height) = self.size();
        let (side, rows) = (width.div_ceil(2), height.div_ceil(2));
        let stride = self.stride.max(width);
        let half = stride.div_ceil(2).max(side);
        let rest = |from: usize| self.data.get(from..).unwrap_or(&[]);
        let blue = stride * height;
        let planes = [
            (self.data, stride),
            (rest(blue), half),
            (rest(blue + half * rows), half),
        ];
        VideoFrame::from_planes(self.width, self.height, planes, timestamp)
    }

    fn two_planes(self, timestamp: Duration) -> Result<VideoFrame, InvalidFrame> {
        let (width, height) = self.size();
        let side = width.div_ceil(2);
        let stride = self.stride.max(2 * side);
        let (luma, chroma) = self.split(stride * height)?;
        let mut planes = [Vec::new(), Vec::new()];
        for row in chroma.chunks(stride).take(height.div_ceil(2)) {
            let (pairs, _) = row.as_chunks::<2>();
            for [blue, red] in pairs.iter().take(side) {
                let [blues, reds] = &mut planes;
                blues.push(*blue);
                reds.push(*red);
            }
        }
        let [blues, reds] = &planes;
        let planes = [(luma, stride), (blues, side), (reds, side)];
        VideoFrame::from_planes(self.width, self.height, planes, timestamp)
    }

    /// Of four bytes the first luma, blue, the second luma and red are at these places. Chroma is
    /// that of two rows.
    fn packed(
        self,
        timestamp: Duration,
        [first, blue, second, red]: [usize; 4],
    ) -> Result<VideoFrame, InvalidFrame> {
        let (width, height) = self.size();
        let side = width.div_ceil(2);
        let stride = self.stride.max(4 * side);
        self.split(stride * (height - 1) + 4 * side)?;
        let of = |four: &[u8; 4], at: usize| four.get(at).copied().unwrap_or_default();
        let mut luma = Vec::with_capacity(2 * side * height);
        let [mut blues, mut reds] = [const { Vec::new() }; 2];
        for rows in self.data.chunks(2 * stride).take(height.div_ceil(2)) {
            let (upper, lower) = rows.split_at_checked(stride).unwrap_or((rows, &[]));
            for row in [upper, lower] {
                let (fours, _) = row.as_chunks::<4>();
                let pixels = fours.iter().take(side);
                luma.extend(pixels.flat_map(|it| [of(it, first), of(it, second)]));
            }
            let (upper, _) = upper.as_chunks::<4>();
            let (lower, _) = lower.as_chunks::<4>();
            for (at, four) in upper.iter().take(side).enumerate() {
                let below = lower.get(at).unwrap_or(four);
                blues.push(of(four, blue).midpoint(of(below, blue)));
                reds.push(of(four, red).midpoint(of(below, red)));
            }
        }
        let planes = [(&luma[..], 2 * side), (&blues, side), (&reds, side)];
        VideoFrame::from_planes(self.width, self.height, planes, timestamp)
    }

    fn split(&self, needed: usize) -> Result<(&[u8], &[u8]), InvalidFrame> {
        let got = self.data.len();
        let parts = self.data.split_at_checked(needed);
        parts.ok_or(InvalidFrame::Bytes { needed, got })
    }
}

#[cfg(feature = "camera")]
fn mjpeg(data: &[u8], timestamp: Duration) -> Result<VideoFrame, InvalidFrame> {
    use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
    use zune_jpeg::JpegDecoder;
    let broken = InvalidFrame::Bytes {
        needed: data.len() + 1,
        got: data.len(),
    };
    let options = DecoderOptions::default()
        .set_max_width(4_096)
        .set_max_height(4_096)
        .jpeg_set_out_colorspace(ColorSpace::YCbCr);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    let pixels = decoder.decode().map_err(|_| broken)?;
    let (width, height) = decoder.dimensions().ok_or(broken)?;
    if decoder.output_colorspace() != Some(ColorSpace::YCbCr) {
        return Err(broken);
    }
    let size = (width as u32, height as u32);
    full_range(&pixels, width, size, timestamp)
}

/// Without the decoder no camera is opened that needs it.
#[cfg(not(feature = "camera"))]
fn mjpeg(data: &[u8], _: Duration) -> Result<VideoFrame, InvalidFrame> {
    Err(InvalidFrame::Bytes {
        needed: data.len() + 1,
        got: data.len(),
    })
}

/// Luma, blue and red of each pixel, in the full range that JPEG has (JFIF), to the limited one of
/// our frames. Chroma is that of four pixels.
fn full_range(
    pixels: &[u8],
    width: usize,
    size: (u32, u32),
    timestamp: Duration,
) -> Result<VideoFrame, InvalidFrame> {
    let scaled = |value: u32, span: u32, from: u32| (from + (value * span + 127) / 255) as u8;
    let (triples, _) = pixels.as_chunks::<3>();
    let luma = triples.iter().map(|[y, ..]| scaled((*y).into(), 219, 16));
    let luma: Vec<u8> = luma.collect();
    let mut chroma = [Vec::new(), Vec::new()];
    for rows in triples.chunks(2 * width.max(1)) {
        let (upper, lower) = rows.split_at_checked(width).unwrap_or((rows, &[]));
        let lower = if lower.is_empty() { upper } else { lower };
        for (upper, lower) in upper.chunks(2).zip(lower.chunks(2)) {
            let four = upper.iter().chain(lower);
            let count = four.clone().count() as u32;
            let [blues, reds] = four.fold([0; 2], |[blues, reds], [_, blue, red]| {
                [blues + u32::from(*blue), reds + u32::from(*red)]
            });
            for (plane, sum) in chroma.iter_mut().zip([blues, reds]) {
                plane.push(scaled(sum.div_ceil(count), 224, 16));
            }
        }
    }
    let side = width.div_ceil(2);
    let [blues, reds] = &chroma;
    let planes = [(&luma[..], width), (&blues[..], side), (&reds[..], side)];
    VideoFrame::from_planes(size.0, size.1, planes, timestamp)
}
