use std::{fmt, time::Duration};

use bytes::Bytes;

use super::{InvalidFrame, scale};

/// How far a picture is to be turned clockwise before it is shown (3GPP TS 26.114 §7.4.5, "CVO").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rotation {
    /// It is upright.
    #[default]
    None,
    /// By 90 degrees.
    Clockwise90,
    /// By 180 degrees.
    Clockwise180,
    /// By 270 degrees.
    Clockwise270,
}

/// A picture: I420, which is a plane of luma and two of chroma at half the width and height
/// (rounded up), 8 bits each, in the limited range of ITU-R BT.601 (black is 16, white 235, no
/// colour 128).
#[derive(Clone, PartialEq, Eq)]
pub struct VideoFrame {
    width: u32,
    height: u32,
    data: Bytes,
    rotation: Rotation,
    timestamp: Duration,
}

impl VideoFrame {
    /// The most pixels that a side may have.
    pub const MAX_SIDE: u32 = 16_384;

    /// A picture of the three planes back to back, without a gap between rows: as many bytes as
    /// [`byte_len`](Self::byte_len) says.
    pub fn new(
        width: u32,
        height: u32,
        data: impl Into<Bytes>,
        timestamp: Duration,
    ) -> Result<Self, InvalidFrame> {
        let data = data.into();
        let needed = Self::byte_len(width, height)?;
        if data.len() != needed {
            let got = data.len();
            return Err(InvalidFrame::Bytes { needed, got });
        }
        Ok(Self {
            width,
            height,
            data,
            rotation: Rotation::None,
            timestamp,
        })
    }

    /// A copy of three planes, each with its stride: the bytes from one row to the next.
    pub fn from_planes(
        width: u32,
        height: u32,
        planes: [(&[u8], usize); 3],
        timestamp: Duration,
    ) -> Result<Self, InvalidFrame> {
        let mut data = Vec::with_capacity(Self::byte_len(width, height)?);
        let sizes = plane_sizes(width, height);
        for ((plane, stride), (width, height)) in planes.into_iter().zip(sizes) {
            let needed = stride.saturating_mul(height - 1).saturating_add(width);
            if stride < width || plane.len() < needed {
                let got = plane.len();
                return Err(InvalidFrame::Bytes { needed, got });
            }
            for row in plane.chunks(stride).take(height) {
                data.extend_from_slice(row.get(..width).unwrap_or(row));
            }
        }
        Self::new(width, height, data, timestamp)
    }

    /// A black picture.
    pub fn black(width: u32, height: u32, timestamp: Duration) -> Result<Self, InvalidFrame> {
        let len = Self::byte_len(width, height)?;
        let luma = width as usize * height as usize;
        let mut data = vec![16; luma];
        data.resize(len, 128);
        Self::new(width, height, data, timestamp)
    }

    /// How many bytes the three planes of such a picture have.
    pub fn byte_len(width: u32, height: u32) -> Result<usize, InvalidFrame> {
        let sides = 1..=Self::MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(InvalidFrame::Size { width, height });
        }
        let sizes = plane_sizes(width, height);
        Ok(sizes.iter().map(|(width, height)| width * height).sum())
    }

    /// In pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// In pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The brightness of every pixel.
    pub fn y(&self) -> Plane<'_> {
        let [y, _, _] = self.planes();
        y
    }

    /// The blue difference of every four pixels.
    pub fn u(&self) -> Plane<'_> {
        let [_, u, _] = self.planes();
        u
    }

    /// The red difference of every four pixels.
    pub fn v(&self) -> Plane<'_> {
        let [_, _, v] = self.planes();
        v
    }

    /// Luma and the two chroma planes.
    pub fn planes(&self) -> [Plane<'_>; 3] {
        let mut rest: &[u8] = &self.data;
        plane_sizes(self.width, self.height).map(|(width, height)| {
            // The lengths were checked by `new`.
            let (data, after) = rest.split_at_checked(width * height).unwrap_or((rest, &[]));
            rest = after;
            Plane {
                data,
                width,
                height,
            }
        })
    }

    /// The three planes back to back.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// How far to turn the picture before it is shown.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// When it is to be shown, on the clock of the source.
    pub fn timestamp(&self) -> Duration {
        self.timestamp
    }

    /// The same picture, to be turned so far.
    #[must_use]
    pub fn with_rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// The same picture at another time.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: Duration) -> Self {
        self.timestamp = timestamp;
        self
    }

    /// The picture in another size, stretched where the proportions differ. A smaller one is made
    /// of the means of the areas that its pixels cover, a larger one is interpolated between
    /// neighbours. Free if the size is the same.
    pub fn scaled_to(&self, width: u32, height: u32) -> Result<Self, InvalidFrame> {
        if (width, height) == (self.width, self.height) {
            return Ok(self.clone());
        }
        let mut data = Vec::with_capacity(Self::byte_len(width, height)?);
        let sizes = plane_sizes(width, height);
        for (plane, (width, height)) in self.planes().into_iter().zip(sizes) {
            scale::plane(plane, width, height, &mut data);
        }
        let frame = Self::new(width, height, data, self.timestamp)?;
        Ok(frame.with_rotation(self.rotation))
    }

    /// A picture of the same size and time without anything to see.
    #[must_use]
    pub fn blackened(&self) -> Self {
        let luma = self.width as usize * self.height as usize;
        let mut data = vec![16; luma];
        data.resize(self.data.len(), 128);
        Self {
            data: data.into(),
            ..*self
        }
    }
}

impl fmt::Debug for VideoFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoFrame")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("rotation", &self.rotation)
            .field("timestamp", &self.timestamp)
            .finish()
    }
}

/// One plane of a picture, without a gap between its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plane<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> Plane<'a> {
    /// All rows, top to bottom.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Samples in a row, which is also the stride.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Row `y` from the top; empty beyond the last.
    pub fn row(&self, y: usize) -> &'a [u8] {
        let begin = y.saturating_mul(self.width);
        let row = self.data.get(begin..begin.saturating_add(self.width));
        row.unwrap_or(&[])
    }

    /// The rows, top to bottom.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.data.chunks_exact(self.width)
    }

    /// The sample at column `x` of row `y`, if it is within the plane.
    pub fn at(&self, x: usize, y: usize) -> Option<u8> {
        self.row(y).get(x).copied()
    }
}

/// Width and height of luma and the two chroma planes.
fn plane_sizes(width: u32, height: u32) -> [(usize, usize); 3] {
    let luma = (width as usize, height as usize);
    let chroma = (luma.0.div_ceil(2), luma.1.div_ceil(2));
    [luma, chroma, chroma]
}
