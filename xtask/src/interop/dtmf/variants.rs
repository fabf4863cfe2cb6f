//! The W3C's "DTMF Example", <https://www.w3.org/TR/webrtc/#dtmf-example>, in its five variants.

use std::time::Duration;

use anyhow::Result;

use super::{Key, Line};

/// One of them, by what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// "1234" with 500 ms per tone.
    Tones,
    /// "123", aborted after sending "2".
    Abort,
    /// "1234", with a light for each while it is played.
    Light,
    /// More tones appended before playout has begun and during it.
    Append,
    /// A tone of one second, then one of two seconds.
    Durations,
}

impl Variant {
    /// Its name in `peers/keys.js`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tones => "tones",
            Self::Abort => "abort",
            Self::Light => "light",
            Self::Append => "append",
            Self::Durations => "durations",
        }
    }

    /// The keys that it presses.
    pub(crate) fn keys(self) -> Vec<Key> {
        match self {
            Self::Tones | Self::Light => Key::each("1234", 500),
            Self::Abort => Key::each("12", 100),
            Self::Append => Key::each("123456789", 100),
            Self::Durations => [Key::each("1", 1000), Key::each("2", 2000)].concat(),
        }
    }

    /// Plays it on our side, to its end.
    pub(crate) async fn play(self, line: &mut Line) -> Result<()> {
        let dtmf = line.keypad().await?;
        let ms = Duration::from_millis;
        match self {
            Self::Tones => dtmf.insert_dtmf("1234", ms(500), None)?,
            Self::Abort => dtmf.insert_dtmf("123", None, None)?,
            Self::Light => dtmf.insert_dtmf(&(dtmf.tone_buffer() + "1234"), ms(500), None)?,
            Self::Append => {
                dtmf.insert_dtmf("123", None, None)?;
                dtmf.insert_dtmf(&(dtmf.tone_buffer() + "456"), None, None)?;
            }
            Self::Durations => dtmf.insert_dtmf(&(dtmf.tone_buffer() + "1"), ms(1000), None)?,
        }
        while let Some(tone) = line.next_tone().await? {
            match (self, tone) {
                (Self::Abort, '2') => dtmf.insert_dtmf("", None, None)?,
                (Self::Append, '1') => {
                    dtmf.insert_dtmf(&(dtmf.tone_buffer() + "789"), None, None)?;
                }
                (Self::Durations, '1') => {
                    dtmf.insert_dtmf(&(dtmf.tone_buffer() + "2"), ms(2000), None)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
