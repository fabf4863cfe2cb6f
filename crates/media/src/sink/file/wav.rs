//! RIFF/WAVE with 16-bit PCM.

use std::io::{self, Seek, Write};

use hound::{SampleFormat, WavSpec, WavWriter};

use super::{FileFormat, RecordError, unsuitable};
use crate::{AudioFrame, MediaFrame};

/// A chunk has 32 bits for its length; some of them are for headers.
const MAX_SAMPLES: u64 = (u32::MAX as u64 - 1_024) / 2;

pub(super) struct Writer<W: Write + Seek> {
    writer: WavWriter<W>,
    samples: u64,
}

impl<W: Write + Seek> Writer<W> {
    pub(super) fn begin(
        frame: &MediaFrame,
        writer: &mut Option<W>,
    ) -> Result<Option<Self>, RecordError> {
        let MediaFrame::Audio(first) = frame else {
            return Err(unsuitable(FileFormat::Wav, frame));
        };
        let Some(writer) = writer.take() else {
            return Ok(None);
        };
        let writer = WavWriter::new(writer, spec(first)).map_err(error)?;
        Ok(Some(Self { writer, samples: 0 }))
    }

    pub(super) fn write(&mut self, frame: &MediaFrame) -> Result<(), RecordError> {
        let audio = match frame {
            MediaFrame::Audio(audio) if spec(audio) == self.writer.spec() => audio,
            _ => return Err(unsuitable(FileFormat::Wav, frame)),
        };
        let samples = self.samples + audio.samples().len() as u64;
        if samples > MAX_SAMPLES {
            return Err(RecordError::Full(FileFormat::Wav));
        }
        self.samples = samples;
        for sample in audio.samples() {
            self.writer.write_sample(*sample).map_err(error)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), RecordError> {
        self.writer.finalize().map_err(error)
    }
}

fn spec(frame: &AudioFrame) -> WavSpec {
    WavSpec {
        channels: frame.channels(),
        sample_rate: frame.sample_rate(),
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    }
}

fn error(error: hound::Error) -> RecordError {
    RecordError::Io(match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    })
}
