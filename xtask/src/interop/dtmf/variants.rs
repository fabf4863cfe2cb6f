//! The W3C's "DTMF Example", <https://www.w3.org/TR/webrtc/#dtmf-example>, in its five variants.

use std::time::Duration;

use anyhow::Result;
use peerconnection::DtmfSender;

use super::{Key, Line};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    /// Its name in `peers/keys.js`.
    pub(crate) name: &'static str,
    /// What it inserts to begin with.
    first: &'static [Inserted],
    /// What it inserts when a certain tone begins.
    then: Option<(char, Inserted)>,
    /// The keys that are heard of it, and for how many ms each.
    keys: &'static [(&'static str, u64)],
}

/// An `insertDTMF()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inserted {
    tones: &'static str,
    /// Whether it keeps what waits in the buffer.
    appends: bool,
    /// How many ms each tone is to last; otherwise the default, 100 (W3C webrtc-pc §7.2).
    ms: Option<u64>,
}

/// "1234" with 500 ms per tone.
pub(crate) const TONES: Variant = Variant {
    name: "tones",
    first: &[instead("1234", Some(500))],
    then: None,
    keys: &[("1234", 500)],
};
/// "123", aborted after sending "2".
pub(crate) const ABORT: Variant = Variant {
    name: "abort",
    first: &[instead("123", None)],
    then: Some(('2', instead("", None))),
    keys: &[("12", 100)],
};
/// "1234", with a light for each while it is played.
pub(crate) const LIGHT: Variant = Variant {
    name: "light",
    first: &[appended("1234", Some(500))],
    ..TONES
};
/// More tones appended before playout has begun and during it.
pub(crate) const APPEND: Variant = Variant {
    name: "append",
    first: &[instead("123", None), appended("456", None)],
    then: Some(('1', appended("789", None))),
    keys: &[("123456789", 100)],
};
/// A tone of one second, then one of two seconds.
pub(crate) const DURATIONS: Variant = Variant {
    name: "durations",
    first: &[appended("1", Some(1000))],
    then: Some(('1', appended("2", Some(2000)))),
    keys: &[("1", 1000), ("2", 2000)],
};

impl Variant {
    /// The keys that it presses.
    pub(crate) fn keys(self) -> Vec<Key> {
        let keys = self.keys.iter();
        keys.flat_map(|(tones, ms)| Key::each(tones, *ms)).collect()
    }

    /// Plays it on our side, to its end.
    pub(crate) async fn play(self, line: &mut Line) -> Result<()> {
        let dtmf = line.keypad().await?;
        for inserted in self.first {
            inserted.insert(&dtmf)?;
        }
        while let Some(tone) = line.next_tone().await? {
            if let Some((_, inserted)) = self.then.filter(|(at, _)| *at == tone) {
                inserted.insert(&dtmf)?;
            }
        }
        Ok(())
    }
}

const fn instead(tones: &'static str, ms: Option<u64>) -> Inserted {
    Inserted {
        tones,
        appends: false,
        ms,
    }
}

const fn appended(tones: &'static str, ms: Option<u64>) -> Inserted {
    Inserted {
        tones,
        appends: true,
        ms,
    }
}

impl Inserted {
    fn insert(self, dtmf: &DtmfSender) -> Result<()> {
        let waiting = if self.appends {
            dtmf.tone_buffer()
        } else {
            String::new()
        };
        let duration = self.ms.map(Duration::from_millis);
        Ok(dtmf.insert_dtmf(&(waiting + self.tones), duration, None)?)
    }
}
