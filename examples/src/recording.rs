//! Files of what is received.

use std::path::PathBuf;

use anyhow::{Context, Result};
use peerconnection::{
    MediaStreamTrack, RtpReceiver,
    sink::{FileFormat, RecordError, Recorder},
};
use tokio::task::{JoinHandle, spawn_blocking};

/// Writes what one receiver gets to a file, until its track ends.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    task: JoinHandle<Result<u64, RecordError>>,
}

impl Recording {
    /// Begins. The name's extension says the format. What comes in a codec of the file is written as
    /// it is, everything else is encoded anew.
    ///
    /// # Errors
    ///
    /// The file cannot be made, or there is no such format.
    pub fn start(receiver: &RtpReceiver, path: PathBuf) -> Result<Self> {
        let of_path = || format!("cannot record to {}", path.display());
        let recorder = Recorder::create(&path).with_context(of_path)?;
        let decoded = receiver.track();
        let encoded = match recorder.format() {
            FileFormat::OggOpus | FileFormat::Ivf => Some(receiver.encoded_track()),
            _ => None,
        };
        let task = spawn_blocking(move || record(recorder, encoded, &decoded));
        Ok(Self { path, task })
    }

    /// Waits until the track has ended, which it does with its connection, and all is written.
    /// Returns the path and the number of frames.
    ///
    /// # Errors
    ///
    /// What was received did not get into the file.
    pub async fn finish(self) -> Result<(PathBuf, u64)> {
        let path = self.path.display();
        let written = self.task.await?;
        let frames = written.with_context(|| format!("cannot record to {path}"))?;
        Ok((self.path, frames))
    }
}

fn record(
    mut recorder: Recorder,
    encoded: Option<MediaStreamTrack>,
    decoded: &MediaStreamTrack,
) -> Result<u64, RecordError> {
    let mut frames = encoded.as_ref().unwrap_or(decoded).frames();
    let mut is_decoded = encoded.is_none();
    let mut count = 0;
    while let Some(frame) = frames.blocking_next() {
        match recorder.write(&frame) {
            Ok(()) => count += 1,
            Err(RecordError::Unsuitable { .. }) if !is_decoded => {
                (frames, is_decoded) = (decoded.frames(), true);
            }
            Err(error @ (RecordError::Io(_) | RecordError::Full(_))) => return Err(error),
            Err(error) => tracing::warn!(%error, "a frame is not in the recording"),
        }
    }
    recorder.finish()?;
    Ok(count)
}
