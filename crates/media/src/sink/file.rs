//! Files of one track.

mod ivf;
mod ogg_opus;
#[cfg(all(test, feature = "opus", feature = "vp8", feature = "vp9"))]
mod tests;
mod wav;
mod y4m;

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Seek, Write},
    path::Path,
    time::Duration,
};

use crate::{InvalidFrame, MediaFrame, MediaKind, codec::CodecError};

/// The longest gap in a track that is filled, with silence or with the picture before it. After a
/// longer one, which is rather a clock that was set, the file goes on as if there were none.
const MAX_GAP: Duration = Duration::from_secs(10);

/// What a [`Recorder`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileFormat {
    /// `.ogg`, `.opus`: Opus in Ogg (RFC 7845). Takes `audio/opus` in encoded form as it is, and
    /// encodes samples. Where packets are missing, players conceal as much.
    OggOpus,
    /// `.wav`: 16-bit PCM. Takes samples, all of one rate and number of channels, and puts them one
    /// after the other; up to 4 GiB.
    Wav,
    /// `.ivf`: VP8, VP9 or AV1 with the time of each picture. Takes these in encoded form from the
    /// first key frame on, and encodes pictures as VP9 or VP8.
    Ivf,
    /// `.y4m`: pictures as they are, 30 a second: those that come more often are left out, and
    /// repeated if less often. All are brought to the size of the first.
    Y4m,
}

impl FileFormat {
    /// The format that the extension of `path` names, in whatever case.
    pub fn of(path: impl AsRef<Path>) -> Option<Self> {
        let extension = path.as_ref().extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "ogg" | "opus" => Some(Self::OggOpus),
            "wav" => Some(Self::Wav),
            "ivf" => Some(Self::Ivf),
            "y4m" => Some(Self::Y4m),
            _ => None,
        }
    }

    /// What tracks it is for.
    pub const fn kind(self) -> MediaKind {
        match self {
            Self::OggOpus | Self::Wav => MediaKind::Audio,
            Self::Ivf | Self::Y4m => MediaKind::Video,
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OggOpus => "Ogg/Opus",
            Self::Wav => "WAV",
            Self::Ivf => "IVF",
            Self::Y4m => "Y4M",
        })
    }
}

/// Why something was not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A name whose extension says none of the [formats](FileFormat).
    #[error("the name ends in none of .ogg, .opus, .wav, .ivf, .y4m")]
    UnknownExtension,
    /// A frame that this format has no place for.
    #[error("{format} has no place for {frame}")]
    Unsuitable {
        /// The format.
        format: FileFormat,
        /// What the frame is.
        frame: String,
    },
    /// The format cannot be longer.
    #[error("{0} cannot be longer")]
    Full(FileFormat),
    /// A frame could not be encoded, or is not what it claims to be.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A picture that cannot be brought to the size of the file.
    #[error(transparent)]
    Frame(#[from] InvalidFrame),
}

/// Writes the frames of one track to a file, in a format that the name's extension says. It works
/// on the thread of its caller, and an encoder in it takes its time there.
///
/// ```no_run
/// use pc_media::{MediaStreamTrack, sink::{RecordError, Recorder}};
///
/// fn record(track: &MediaStreamTrack) -> Result<(), RecordError> {
///     let mut recorder = Recorder::create("call.ogg")?;
///     let mut frames = track.frames();
///     while let Some(frame) = frames.blocking_next() {
///         recorder.write(&frame)?;
///     }
///     recorder.finish()
/// }
/// ```
pub struct Recorder<W: Write + Seek = BufWriter<File>> {
    format: FileFormat,
    state: State<W>,
}

/// What was written so far.
///
/// ```text
///         write: the first frame that fits           finish
///  Empty ───────────────────────────────► one of the ──────►
///                                           formats
/// ```
enum State<W: Write + Seek> {
    /// Nothing: what a file begins with is known with the first frame.
    Empty(Option<W>),
    OggOpus(Box<ogg_opus::Writer<W>>),
    Wav(wav::Writer<W>),
    Ivf(ivf::Writer<W>),
    Y4m(y4m::Writer<W>),
}

impl Recorder {
    /// Creates the file, or empties it if there is one.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let format = FileFormat::of(&path).ok_or(RecordError::UnknownExtension)?;
        Ok(Self::new(format, BufWriter::new(File::create(path)?)))
    }
}

impl<W: Write + Seek> Recorder<W> {
    /// Records to whatever can be written to, from where it stands.
    pub fn new(format: FileFormat, writer: W) -> Self {
        let state = State::Empty(Some(writer));
        Self { format, state }
    }

    /// The format.
    pub fn format(&self) -> FileFormat {
        self.format
    }

    /// Writes a frame. After an error that is not of the file itself ([`RecordError::Io`]) the next
    /// frame may well be written.
    pub fn write(&mut self, frame: &MediaFrame) -> Result<(), RecordError> {
        if let State::Empty(writer) = &mut self.state {
            match begin(self.format, frame, writer)? {
                Some(state) => self.state = state,
                None => return Ok(()),
            }
        }
        match &mut self.state {
            State::Empty(_) => Ok(()),
            State::OggOpus(writer) => writer.write(frame),
            State::Wav(writer) => writer.write(frame),
            State::Ivf(writer) => writer.write(frame),
            State::Y4m(writer) => writer.write(frame),
        }
    }

    /// Writes what is still to be written, and the ends and lengths that the format has. Without
    /// this a file may lack its end. A file without a frame is empty.
    pub fn finish(self) -> Result<(), RecordError> {
        match self.state {
            State::Empty(Some(mut writer)) => Ok(writer.flush()?),
            State::Empty(None) => Ok(()),
            State::OggOpus(writer) => writer.finish(),
            State::Wav(writer) => writer.finish(),
            State::Ivf(writer) => writer.finish(),
            State::Y4m(writer) => writer.finish(),
        }
    }
}

impl<W: Write + Seek> fmt::Debug for Recorder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Recorder");
        debug.field("format", &self.format).finish_non_exhaustive()
    }
}

/// The file that begins with `frame`, which is yet to be written; `None` where no file can begin
/// with it. `writer` is only taken where there is one.
fn begin<W: Write + Seek>(
    format: FileFormat,
    frame: &MediaFrame,
    writer: &mut Option<W>,
) -> Result<Option<State<W>>, RecordError> {
    Ok(match format {
        FileFormat::OggOpus => {
            ogg_opus::Writer::begin(frame, writer)?.map(|it| State::OggOpus(Box::new(it)))
        }
        FileFormat::Wav => wav::Writer::begin(frame, writer)?.map(State::Wav),
        FileFormat::Ivf => ivf::Writer::begin(frame, writer)?.map(State::Ivf),
        FileFormat::Y4m => y4m::Writer::begin(frame, writer)?.map(State::Y4m),
    })
}

fn unsuitable(format: FileFormat, frame: &MediaFrame) -> RecordError {
    let frame = match frame {
        MediaFrame::Audio(it) => format!(
            "{} samples a second, {} channels",
            it.sample_rate(),
            it.channels()
        ),
        MediaFrame::Video(it) => format!("{}×{} pixels", it.width(), it.height()),
        MediaFrame::Encoded(it) => it.mime_type.to_string(),
    };
    RecordError::Unsuitable { format, frame }
}
