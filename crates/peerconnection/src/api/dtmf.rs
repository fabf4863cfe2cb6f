use std::{fmt, sync::Arc, time::Duration};

use pc_jsep::TransceiverId;
use pc_media::MediaKind;
use pc_rtp::dtmf;

use super::{
    Event, RtpReceiver,
    shared::{Inner, Shared},
    transceiver::Part,
};
use crate::{Error, clock};

/// [webrtc-pc §7.2](https://www.w3.org/TR/webrtc/#dom-rtcdtmfsender-insertdtmf): how long tones are
/// unless the application says otherwise.
const DURATION: Duration = Duration::from_millis(100);
/// The same: what is between two of them.
const INTER_TONE_GAP: Duration = Duration::from_millis(70);

/// What a key of the peer's weighs while its events wait: more than they need.
const KEY_WEIGHT: usize = 512;

/// [`RTCDTMFSender`](https://www.w3.org/TR/webrtc/#rtcdtmfsender): presses the keys of a telephone, as
/// telephone events (RFC 4733) in the place of a sender's sound. A cheap, cloneable handle.
///
/// What it plays is told by [`Event::ToneChange`].
#[derive(Clone)]
pub struct DtmfSender {
    part: Part,
}

impl DtmfSender {
    /// Of an audio sender; there is none of others.
    pub(super) fn of(part: &Part) -> Option<Self> {
        let part = part.clone();
        (part.kind == MediaKind::Audio).then_some(Self { part })
    }

    /// `canInsertDTMF`: whether the connection is connected, the sender has a track, its transceiver
    /// sends, its encoding is active, and the peer takes telephone events.
    pub fn can_insert_dtmf(&self) -> bool {
        let inner = self.part.shared.lock();
        inner.engine.can_insert_dtmf(self.part.id)
    }

    /// `insertDTMF()`: plays these tones instead of those that have not been played.
    ///
    /// `tones` are `0` to `9`, `A` to `D` in either case, `*` and `#`, and `,` for a pause of two seconds.
    /// An empty string plays no more; the tone that is being played goes on to its end. To append,
    /// insert the [tone buffer](Self::tone_buffer) with what follows.
    ///
    /// `duration` is how long each tone is: 100 ms if `None`, and brought between 40 and 6,000 ms.
    /// `inter_tone_gap` is what is between two: 70 ms if `None`, and brought between 30 and 6,000 ms.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: it [cannot](Self::can_insert_dtmf).
    /// - `InvalidCharacterError`: another character. Nothing changes then.
    pub fn insert_dtmf(
        &self,
        tones: &str,
        duration: impl Into<Option<Duration>>,
        inter_tone_gap: impl Into<Option<Duration>>,
    ) -> Result<(), Error> {
        let duration = duration.into().unwrap_or(DURATION);
        let gap = inter_tone_gap.into().unwrap_or(INTER_TONE_GAP);
        let mut inner = self.part.shared.lock();
        let engine = &mut inner.engine;
        engine.insert_dtmf(clock::now(), self.part.id, tones, duration, gap)?;
        drop(inner);
        self.part.shared.wake_driver();
        Ok(())
    }

    /// `toneBuffer`: the tones that have not been played.
    pub fn tone_buffer(&self) -> String {
        let inner = self.part.shared.lock();
        inner.engine.tone_buffer(self.part.id)
    }
}

impl PartialEq for DtmfSender {
    /// Whether both are handles of one sender.
    fn eq(&self, other: &Self) -> bool {
        self.part.is_same(&other.part)
    }
}

impl Eq for DtmfSender {}

impl fmt::Debug for DtmfSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DtmfSender").finish_non_exhaustive()
    }
}

/// [`RTCDTMFToneChangeEvent`](https://www.w3.org/TR/webrtc/#rtcdtmftonechangeevent).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToneChangeEvent {
    /// Whose tones they are.
    pub dtmf: DtmfSender,
    /// `tone`: the tone that has begun, or `,` for a pause; `None`, the W3C's empty string, when all
    /// have been played.
    pub tone: Option<char>,
}

impl Shared {
    pub(super) fn tone_change(
        self: &Arc<Self>,
        inner: &mut Inner,
        id: TransceiverId,
        tone: Option<char>,
    ) -> Event {
        let part = self.part(inner, id, MediaKind::Audio);
        let dtmf = DtmfSender { part };
        Event::ToneChange(ToneChangeEvent { dtmf, tone })
    }

    /// What the peer presses; `None` where as much waits to be heard as may: else a peer could fill
    /// the memory of one that reads no events. A key is told of whole, or not at all.
    pub(super) fn telephone_event(
        self: &Arc<Self>,
        inner: &mut Inner,
        id: TransceiverId,
        event: dtmf::Event,
    ) -> Option<Event> {
        let is_told = match event {
            dtmf::Event::Begin(_) => {
                let fits = self.takes(KEY_WEIGHT);
                if !fits {
                    inner.unheard_keys.insert(id);
                }
                fits
            }
            dtmf::Event::End(_) => !inner.unheard_keys.remove(&id),
        };
        is_told.then(|| {
            let part = self.part(inner, id, MediaKind::Audio);
            Event::TelephoneEvent(RtpReceiver { part }, event)
        })
    }
}

/// The application has been told of this.
pub(super) fn heard(receiver: &RtpReceiver, event: &dtmf::Event) {
    if matches!(event, dtmf::Event::End(_)) {
        receiver.part.shared.gives_back(KEY_WEIGHT);
    }
}
