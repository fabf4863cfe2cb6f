//! What the peer takes of a stream of simulcast (RFC 8851 §5).

use pc_sdp::PayloadType;

/// The restrictions of an `a=rid` line with which the peer receives. What is not there is not
/// restricted. Numbers are more than 0.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RidRestrictions {
    /// `pt`: the payload types that it may be sent with; all if none.
    pub payload_types: Vec<PayloadType>,
    /// `max-width`: of a picture, in pixels.
    pub max_width: Option<f64>,
    /// `max-height`: of a picture, in pixels.
    pub max_height: Option<f64>,
    /// `max-fs`: pixels of a picture.
    pub max_frame_size: Option<f64>,
    /// `max-fps`: pictures a second.
    pub max_framerate: Option<f64>,
    /// `max-pps`: pixels a second.
    pub max_pixel_rate: Option<f64>,
    /// `max-br`: bits a second.
    pub max_bitrate: Option<f64>,
    /// `max-bpp`: bits a pixel, on average.
    pub max_bits_per_pixel: Option<f64>,
}

impl RidRestrictions {
    /// From `max-width=1280;max-fps=30`, of which all is known and has a number.
    pub(super) fn read(text: &str, payload_types: Vec<PayloadType>) -> Self {
        let mut read = Self {
            payload_types,
            ..Self::default()
        };
        for (name, value) in text.split(';').filter_map(|it| it.split_once('=')) {
            let slot = match name {
                "max-width" => &mut read.max_width,
                "max-height" => &mut read.max_height,
                "max-fs" => &mut read.max_frame_size,
                "max-fps" => &mut read.max_framerate,
                "max-pps" => &mut read.max_pixel_rate,
                "max-br" => &mut read.max_bitrate,
                "max-bpp" => &mut read.max_bits_per_pixel,
                _ => continue,
            };
            *slot = value.parse().ok();
        }
        read
    }
}
