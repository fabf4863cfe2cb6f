//! YUV4MPEG2: a line of text, then each picture after a line of its own.

use std::{
    io::{Seek, Write},
    time::Duration,
};

use bytes::Bytes;

use super::{FileFormat, MAX_GAP, RecordError, unsuitable};
use crate::{MediaFrame, VideoFrame};

/// Pictures a second.
const FRAME_RATE: u64 = 30;

pub(super) struct Writer<W> {
    writer: W,
    size: (u32, u32),
    /// When picture number 0 is to be shown.
    start: Duration,
    written: u64,
    /// The picture that is repeated where none comes.
    last: Bytes,
}

impl<W: Write + Seek> Writer<W> {
    pub(super) fn begin(
        frame: &MediaFrame,
        writer: &mut Option<W>,
    ) -> Result<Option<Self>, RecordError> {
        let MediaFrame::Video(first) = frame else {
            return Err(unsuitable(FileFormat::Y4m, frame));
        };
        let Some(mut writer) = writer.take() else {
            return Ok(None);
        };
        let (width, height) = (first.width(), first.height());
        writeln!(
            writer,
            "YUV4MPEG2 W{width} H{height} F{FRAME_RATE}:1 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED"
        )?;
        Ok(Some(Self {
            writer,
            size: (width, height),
            start: first.timestamp(),
            written: 0,
            last: Bytes::new(),
        }))
    }

    pub(super) fn write(&mut self, frame: &MediaFrame) -> Result<(), RecordError> {
        let MediaFrame::Video(picture) = frame else {
            return Err(unsuitable(FileFormat::Y4m, frame));
        };
        let place = self.place(picture);
        if place < self.written {
            return Ok(());
        }
        let picture = picture.scaled_to(self.size.0, self.size.1)?;
        while self.written < place {
            self.picture(&self.last.clone())?;
        }
        self.last = picture.data().clone();
        self.picture(&self.last.clone())
    }

    pub(super) fn finish(mut self) -> Result<(), RecordError> {
        Ok(self.writer.flush()?)
    }

    /// The number of the picture, by its time. After a jump of the clock to either side it is the
    /// next.
    fn place(&mut self, picture: &VideoFrame) -> u64 {
        let next = self.start + time(self.written);
        if picture.timestamp().abs_diff(next) > MAX_GAP {
            self.start = picture.timestamp().saturating_sub(time(self.written));
            return self.written;
        }
        let since = picture.timestamp().saturating_sub(self.start);
        let places = since.as_nanos() * u128::from(FRAME_RATE) + 500_000_000;
        (places / 1_000_000_000) as u64
    }

    fn picture(&mut self, data: &[u8]) -> Result<(), RecordError> {
        self.writer.write_all(b"FRAME\n")?;
        self.writer.write_all(data)?;
        self.written += 1;
        Ok(())
    }
}

fn time(pictures: u64) -> Duration {
    let part = pictures % FRAME_RATE * 1_000_000_000 / FRAME_RATE;
    Duration::from_secs(pictures / FRAME_RATE) + Duration::from_nanos(part)
}
