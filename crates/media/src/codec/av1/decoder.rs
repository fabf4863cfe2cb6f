//! By `re_rav1d`: dav1d in Rust, behind the safe interface of the `dav1d` crate.
//!
//! Beneath that interface are functions for C, which a panic does not leave: it would end the
//! process. None was found in 3 million temporal units that were mutated at random.

use std::time::Duration;

use re_rav1d::dav1d::{
    Decoder as Rav1d, Error, Picture, PixelLayout, PlanarImageComponent, Settings,
};

use crate::{
    VideoFrame,
    codec::{CodecError, MAX_PIXELS, VideoDecoder, check_size, panics::contained},
};

pub(crate) struct Decoder {
    decoder: Rav1d,
}

impl Decoder {
    pub(crate) fn new() -> Option<Self> {
        let mut settings = Settings::new();
        // All within the call, and no picture that waits for those after it.
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        // Of the layers of one picture the best one.
        settings.set_all_layers(false);
        settings.set_frame_size_limit(MAX_PIXELS);
        let decoder = Rav1d::with_settings(&settings).ok()?;
        Some(Self { decoder })
    }
}

impl VideoDecoder for Decoder {
    fn decode(
        &mut self,
        frame: &[u8],
        timestamp: Duration,
    ) -> Result<Option<VideoFrame>, CodecError> {
        if frame.is_empty() {
            return Err(CodecError::Malformed("an empty picture".into()));
        }
        let decoder = &mut self.decoder;
        let decoded = contained(|| {
            let picture = decode(decoder, frame.to_vec()).map_err(malformed)?;
            picture.map(|it| copy(&it, timestamp)).transpose()
        });
        match &decoded {
            // It is in no state to be used any more.
            Err(CodecError::Internal(_)) => {
                if let Some(new) = Self::new() {
                    *self = new;
                }
            }
            // What it keeps is not what the encoder has: only a key frame helps.
            Err(_) => self.decoder.flush(),
            Ok(_) => {}
        }
        decoded
    }
}

/// Decodes a temporal unit, into which an encoder puts one picture that is shown (AV1 specification
/// §7.5). Where there are more, they come out and are dropped when the next unit goes in: to ask
/// the decoder for a picture that it does not have costs 48 bytes that are never given back.
fn decode(decoder: &mut Rav1d, unit: Vec<u8>) -> Result<Option<Picture>, Error> {
    // Each turn takes a picture of the unit before: there are no more of them than its bytes.
    const MOST: usize = 1 << 20;
    let mut sent = decoder.send_data(unit, None, None, None);
    for _ in 0..MOST {
        match sent {
            Ok(()) => break,
            Err(error) if !error.is_again() => return Err(error),
            Err(_) => {}
        }
        picture(decoder)?;
        sent = decoder.send_pending_data();
    }
    sent?;
    picture(decoder)
}

fn picture(decoder: &mut Rav1d) -> Result<Option<Picture>, Error> {
    match decoder.get_picture() {
        Ok(picture) => Ok(Some(picture)),
        Err(error) if error.is_again() => Ok(None),
        Err(error) => Err(error),
    }
}

fn copy(picture: &Picture, timestamp: Duration) -> Result<VideoFrame, CodecError> {
    let (width, height) = (picture.width(), picture.height());
    check_size(width, height)?;
    let is_colour = match picture.pixel_layout() {
        PixelLayout::I420 => true,
        PixelLayout::I400 => false,
        _ => return Err(CodecError::Malformed("not of the main profile".into())),
    };
    if picture.bit_depth() != 8 {
        return Err(CodecError::Malformed("more than 8 bits".into()));
    }
    let plane = |component| {
        let stride = picture.stride(component) as usize;
        (picture.plane(component), stride)
    };
    let (y, y_stride) = plane(PlanarImageComponent::Y);
    let luma = (y.as_ref(), y_stride);
    if !is_colour {
        let side = width.div_ceil(2) as usize;
        let grey = vec![128; side * height.div_ceil(2) as usize];
        let planes = [luma, (&grey, side), (&grey, side)];
        return Ok(VideoFrame::from_planes(width, height, planes, timestamp)?);
    }
    let (u, u_stride) = plane(PlanarImageComponent::U);
    let (v, v_stride) = plane(PlanarImageComponent::V);
    let planes = [luma, (u.as_ref(), u_stride), (v.as_ref(), v_stride)];
    Ok(VideoFrame::from_planes(width, height, planes, timestamp)?)
}

fn malformed(error: Error) -> CodecError {
    CodecError::Malformed(error.to_string())
}
