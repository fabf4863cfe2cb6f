//! Our end of a call: what presses keys, what tells of them, and a sound for them to take the place of.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use peerconnection::{
    AudioFrame, DtmfSender, Event, Events, MediaKind, MediaStreamTrack, PeerConnection,
    TrackSource, dtmf,
};
use tokio::{task::JoinHandle, time::timeout};

use super::Key;

/// What anything gets until it is seen.
const PATIENCE: Duration = Duration::from_secs(15);
/// For how long nothing more may be heard once all was.
const SILENCE: Duration = Duration::from_millis(400);
const POLL: Duration = Duration::from_millis(20);
/// How much sound is in a frame.
const FRAME: Duration = Duration::from_millis(20);
const SAMPLE_RATE: u32 = 48_000;

/// A connection whose events come here.
pub(crate) struct Line {
    pub(crate) pc: PeerConnection,
    events: Events,
    heard: Vec<Key>,
}

impl Line {
    pub(crate) fn new(pc: PeerConnection, events: Events) -> Self {
        Self {
            pc,
            events,
            heard: Vec::new(),
        }
    }

    /// What presses keys, once it can.
    pub(crate) async fn keypad(&self) -> Result<DtmfSender> {
        let senders = self.pc.senders();
        let dtmf = senders.iter().find_map(|it| it.dtmf());
        let dtmf = dtmf.context("we send no sound")?;
        let ready = async {
            while !dtmf.can_insert_dtmf() {
                tokio::time::sleep(POLL).await;
            }
        };
        let waited = timeout(PATIENCE, ready).await;
        waited.context("our keys cannot be pressed")?;
        Ok(dtmf)
    }

    /// `tonechange`: the next tone of ours, `None` when all have been played.
    pub(crate) async fn next_tone(&mut self) -> Result<Option<char>> {
        loop {
            if let Event::ToneChange(change) = self.next().await? {
                return Ok(change.tone);
            }
        }
    }

    /// The next so many keys of theirs; no more come after them.
    pub(crate) async fn hear(&mut self, count: usize) -> Result<Vec<Key>> {
        while self.heard.len() < count {
            let next = self.next().await;
            next.with_context(|| format!("{count} keys were pressed, heard {:?}", self.heard))?;
        }
        let silent = async {
            while self.heard.len() == count {
                self.next().await?;
            }
            bail!("{count} keys were pressed, heard {:?}", self.heard)
        };
        match timeout(SILENCE, silent).await {
            Ok(more) => more,
            Err(_) => Ok(std::mem::take(&mut self.heard)),
        }
    }

    /// The next event. A key that was heard is noted.
    async fn next(&mut self) -> Result<Event> {
        let event = timeout(PATIENCE, self.events.next()).await;
        let event = event.context("nothing came")?.context("the end")?;
        if let Event::TelephoneEvent(_, dtmf::Event::End(ended)) = &event {
            let tone = ended.code.tone().context("a key")?;
            let ms = u64::try_from(ended.duration.as_millis())?;
            if !ended.is_complete {
                bail!("the end of {tone} was not told");
            }
            self.heard.push(Key { tone, ms });
        }
        Ok(event)
    }
}

/// A track without a sound, for as long as the task runs.
pub(crate) fn silence() -> (MediaStreamTrack, Silence) {
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "our-silence", "nothing");
    (track, Silence(tokio::spawn(be_silent(source))))
}

/// Ends the silence when it is dropped.
pub(crate) struct Silence(JoinHandle<()>);

impl Drop for Silence {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn be_silent(source: TrackSource) {
    let samples = vec![0_i16; (SAMPLE_RATE / 50) as usize];
    let mut ticks = tokio::time::interval(FRAME);
    for frame in 0_u32.. {
        ticks.tick().await;
        let frame = AudioFrame::new(SAMPLE_RATE, 1, samples.as_slice(), FRAME * frame);
        if let Ok(frame) = frame {
            let _ = source.write(frame);
        }
    }
}
