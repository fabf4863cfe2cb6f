//! Keys of a telephone: the `RTCDTMFSender` of each transceiver
//! ([webrtc-pc §7](https://www.w3.org/TR/webrtc/#peer-to-peer-dtmf)), and what the peer presses.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use pc_jsep::{CodecParameters, TransceiverId, TransceiverView};
use pc_proto::Serial32;
use pc_rtp::{
    PayloadType, Ssrc,
    dtmf::{self, EventCode, Transmitter},
    payload::{Format, red},
};
use pc_rtp_session::SenderId;

use super::{Connection, Event, MediaPacket};
use crate::{Error, state::PeerConnectionState};

/// [webrtc-pc §7.2](https://www.w3.org/TR/webrtc/#dom-rtcdtmfsender-insertdtmf): how long a tone is.
const MIN_DURATION: Duration = Duration::from_millis(40);
const MAX_DURATION: Duration = Duration::from_millis(6000);
/// The same: what is between two tones.
const MIN_GAP: Duration = Duration::from_millis(30);
const MAX_GAP: Duration = Duration::from_millis(6000);
/// The same: what the character `,` is.
const PAUSE: char = ',';
const PAUSE_DURATION: Duration = Duration::from_millis(2000);

/// Of all transceivers.
#[derive(Default)]
pub(super) struct Dtmf {
    senders: BTreeMap<TransceiverId, ToneSender>,
    receivers: BTreeMap<TransceiverId, ToneReceiver>,
}

/// The slots of an `RTCDTMFSender`, and what plays its tones.
#[derive(Default)]
struct ToneSender {
    /// `[[ToneBuffer]]`.
    buffer: VecDeque<char>,
    /// `[[Duration]]`.
    duration: Duration,
    /// `[[InterToneGap]]`.
    gap: Duration,
    /// When the playout task runs that is scheduled.
    task: Option<Instant>,
    line: Option<Line>,
}

/// What tones are sent with, as negotiated.
struct Line {
    codec: EventCodec,
    transmitter: Transmitter,
}

/// A payload type of telephone events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EventCodec {
    payload_type: PayloadType,
    clock_rate: u32,
}

/// The stream that is listened to.
struct ToneReceiver {
    ssrc: Ssrc,
    payload_type: PayloadType,
    receiver: dtmf::Receiver,
}

impl Dtmf {
    /// Whether a transceiver sends tones, and no sound meanwhile.
    pub(super) fn silences(&self, id: TransceiverId) -> bool {
        let line = self.senders.get(&id).and_then(|it| it.line.as_ref());
        line.is_some_and(|line| line.transmitter.is_active())
    }

    /// When something is to be done.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let senders = self.senders.values().filter_map(ToneSender::due);
        let receivers = self.receivers.values();
        senders
            .chain(receivers.filter_map(|it| it.receiver.poll_timeout()))
            .min()
    }

    /// What the peer has pressed.
    pub(super) fn poll_event(&mut self) -> Option<Event> {
        self.receivers.iter_mut().find_map(|(id, own)| {
            let event = own.receiver.poll_event()?;
            Some(Event::TelephoneEvent(*id, event))
        })
    }

    fn next_due(&self, now: Instant) -> Option<TransceiverId> {
        let mut senders = self.senders.iter();
        let due = senders.find(|(_, own)| own.due().is_some_and(|at| at <= now));
        due.map(|(id, _)| *id)
    }
}

impl ToneSender {
    fn due(&self) -> Option<Instant> {
        let line = self.line.as_ref();
        let packet = line.and_then(|line| line.transmitter.poll_timeout());
        self.task.into_iter().chain(packet).min()
    }
}

impl Connection {
    /// `canInsertDTMF`: whether
    /// [DTMF can be sent](https://www.w3.org/TR/webrtc/#dfn-determine-if-dtmf-can-be-sent).
    pub fn can_insert_dtmf(&self, id: TransceiverId) -> bool {
        let is_connected = self.connection_state() == PeerConnectionState::Connected;
        let view = self.session.transceiver(id).filter(|_| is_connected);
        view.is_some_and(|view| {
            let direction = view.current_direction();
            !view.is_stopping()
                && view.sender_track().is_some()
                && direction.is_some_and(|it| it.sends())
                && view.send_encodings().first().is_some_and(|it| it.active)
                && self.event_codec(&view).is_some()
        })
    }

    /// `insertDTMF()`: plays `tones` instead of those that have not been played. An empty string plays
    /// no more; the tone that is being played goes on to its end. `duration` and `gap` are brought
    /// between their limits: 40 and 6,000 ms, and 30 and 6,000 ms.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: [DTMF cannot be sent](Self::can_insert_dtmf).
    /// - `InvalidCharacterError`: a character other than `0` to `9`, `A` to `D` in either case, `*`,
    ///   `#`, and `,` for a pause of two seconds.
    pub fn insert_dtmf(
        &mut self,
        now: Instant,
        id: TransceiverId,
        tones: &str,
        duration: Duration,
        gap: Duration,
    ) -> Result<(), Error> {
        if !self.can_insert_dtmf(id) {
            let message = "no tones can be sent: not connected, nothing is sent, or not negotiated";
            return Err(Error::InvalidState(message.into()));
        }
        let buffer = tones.chars().map(normalized).collect::<Option<_>>();
        let buffer = buffer.ok_or_else(|| {
            let message = format!("{tones:?} has characters that are no tones");
            Error::InvalidCharacter(message.into())
        })?;
        let sender = self.dtmf.senders.entry(id).or_default();
        sender.buffer = buffer;
        sender.duration = duration.clamp(MIN_DURATION, MAX_DURATION);
        sender.gap = gap.clamp(MIN_GAP, MAX_GAP);
        if !sender.buffer.is_empty() && sender.task.is_none() {
            sender.task = Some(now);
        }
        Ok(())
    }

    /// `toneBuffer`: the tones that have not been played.
    pub fn tone_buffer(&self, id: TransceiverId) -> String {
        let sender = self.dtmf.senders.get(&id);
        sender.map_or_else(String::new, |own| own.buffer.iter().collect())
    }

    /// Plays what is due, and ends what has fallen silent.
    pub(super) fn pump_dtmf(&mut self, now: Instant) {
        while let Some(id) = self.dtmf.next_due(now) {
            self.send_tones(now, id);
            let sender = self.dtmf.senders.get_mut(&id);
            if let Some(sender) = sender
                && sender.task.is_some_and(|at| at <= now)
            {
                sender.task = None;
                self.play_out(now, id);
            }
        }
        for own in self.dtmf.receivers.values_mut() {
            own.receiver.handle_timeout(now);
        }
    }

    /// What has been negotiated anew may end tones.
    pub(super) fn follow_dtmf(&mut self) {
        let (session, media) = (&self.session, &self.media);
        let is_known = |id: &TransceiverId| session.transceiver(*id).is_some();
        self.dtmf.senders.retain(|id, _| is_known(id));
        let receivers = self.dtmf.receivers.iter_mut();
        for (_, own) in receivers.filter(|(id, _)| !media.receives(**id)) {
            own.receiver.stop();
        }
        let events = &mut self.events;
        self.dtmf.receivers.retain(|id, own| {
            let known = is_known(id);
            if !known {
                let rest = std::iter::from_fn(|| own.receiver.poll_event());
                events.extend(rest.map(|event| Event::TelephoneEvent(*id, event)));
            }
            known
        });
    }

    /// The [playout task](https://www.w3.org/TR/webrtc/#dfn-playout-task).
    fn play_out(&mut self, now: Instant, id: TransceiverId) {
        if !self.can_insert_dtmf(id) {
            return;
        }
        let Some(sender) = self.dtmf.senders.get_mut(&id) else {
            return;
        };
        let tone = sender.buffer.pop_front();
        if let Some(tone) = tone {
            let code = EventCode::from_tone(tone);
            let pause = code.map_or(PAUSE_DURATION, |_| sender.duration + sender.gap);
            sender.task = Some(now + pause);
            if let Some(code) = code {
                self.play(now, id, code);
            }
        }
        self.events.push_back(Event::ToneChange(id, tone));
    }

    /// Begins to play a tone.
    fn play(&mut self, now: Instant, id: TransceiverId, code: EventCode) {
        let view = self.session.transceiver(id);
        let Some(codec) = view.and_then(|view| self.event_codec(&view)) else {
            return;
        };
        let (number, rate) = (SenderId(id.number()), codec.clock_rate);
        let timestamp = self
            .session_of(id)
            .and_then(|session| session.media_timestamp(now, number, 0, rate));
        let Some((sender, timestamp)) = self.dtmf.senders.get_mut(&id).zip(timestamp) else {
            return;
        };
        let line = sender.line.take().filter(|line| line.codec == codec);
        let mut line = line.unwrap_or_else(|| Line {
            codec,
            transmitter: Transmitter::new(codec.clock_rate),
        });
        let played = (line.transmitter).play(now, timestamp, code, sender.duration);
        if let Err(error) = played {
            // The gap keeps two tones apart.
            tracing::debug!(%error, "a tone was not played");
        }
        sender.line = Some(line);
    }

    /// Sends what is due of the tones of a transceiver. What cannot be sent is lost as on any network:
    /// a tone ends when it ends.
    fn send_tones(&mut self, now: Instant, id: TransceiverId) {
        let sender = self.dtmf.senders.get_mut(&id);
        let Some(mut line) = sender.and_then(|own| own.line.take()) else {
            return;
        };
        let payload_type = line.codec.payload_type;
        while let Some(packet) = line.transmitter.poll_packet(now) {
            let sent = self.sending(id, |session| {
                let number = SenderId(id.number());
                session.send_telephone_event(now, number, 0, payload_type, &packet)
            });
            if let Err(error) = sent {
                tracing::debug!(%error, "a telephone event was not sent");
            }
        }
        if let Some(sender) = self.dtmf.senders.get_mut(&id) {
            sender.line = Some(line);
        }
    }

    /// The payload type of telephone events with the clock of the sound that is sent, as one stream has
    /// one clock ([RFC 7160 §4.1](https://www.rfc-editor.org/rfc/rfc7160#section-4.1)); or any, where the
    /// peer has no such one.
    fn event_codec(&self, view: &TransceiverView<'_>) -> Option<EventCodec> {
        let codecs = view.send_codecs();
        let sent = self.sent_payload_type(view.id());
        let is_sent = |it: &&CodecParameters| Some(it.payload_type.value()) == sent;
        let mut media = codecs.iter().filter(|it| it.codec.is_media());
        let sound = codecs.iter().find(is_sent).or_else(|| media.next())?;
        let fits = |it: &&CodecParameters| it.codec.clock_rate == sound.codec.clock_rate;
        let events = || codecs.iter().filter(|it| it.codec.is_telephone_event());
        let codec = events().find(fits).or_else(|| events().next())?;
        Some(EventCodec {
            payload_type: PayloadType::new(codec.payload_type.value())?,
            clock_rate: codec.codec.clock_rate,
        })
    }

    /// The payload type of the sound that was sent last.
    fn sent_payload_type(&self, id: TransceiverId) -> Option<u8> {
        let number = SenderId(id.number());
        let session = self.session_for(id)?;
        let sent = session.sent_payload_type(number, 0)?;
        Some(sent.number())
    }

    /// Listens for keys that the peer presses, alone or among redundant sound (RFC 2198).
    pub(super) fn hear(&mut self, now: Instant, packet: &MediaPacket<'_>) {
        let (id, arrived) = (packet.transceiver, &packet.arrived);
        let Some(codec) = self.media.received_codec(id, arrived.payload_type) else {
            return;
        };
        let (marker, timestamp) = (arrived.packet.marker(), arrived.packet.timestamp());
        let told = |payload_type, marker, timestamp, payload| Told {
            ssrc: arrived.ssrc,
            payload_type,
            marker,
            timestamp,
            payload,
        };
        match codec.format {
            Format::TelephoneEvent => {
                let own = told(arrived.payload_type, marker, timestamp, arrived.payload);
                self.hear_event(now, id, &own);
            }
            Format::Red { .. } => {
                for block in red::parse(arrived.payload).into_iter().flatten() {
                    let back = u32::from(block.timestamp_offset);
                    let at = timestamp.minus(back);
                    let own = told(block.payload_type, marker && back == 0, at, block.data);
                    self.hear_event(now, id, &own);
                }
            }
            _ => {}
        }
    }

    fn hear_event(&mut self, now: Instant, id: TransceiverId, told: &Told<'_>) {
        let codec = self.media.received_codec(id, told.payload_type);
        let Some(codec) = codec.filter(|it| it.format == Format::TelephoneEvent) else {
            return;
        };
        let clock_rate = codec.clock_rate;
        let own = (self.dtmf.receivers)
            .entry(id)
            .or_insert_with(|| ToneReceiver {
                ssrc: told.ssrc,
                payload_type: told.payload_type,
                receiver: dtmf::Receiver::new(clock_rate),
            });
        if (own.ssrc, own.payload_type) != (told.ssrc, told.payload_type) {
            own.receiver.restart(clock_rate);
            (own.ssrc, own.payload_type) = (told.ssrc, told.payload_type);
        }
        let heard = (own.receiver).handle_packet(now, told.marker, told.timestamp, told.payload);
        if let Err(error) = heard {
            tracing::debug!(%error, "a telephone event is malformed");
        }
    }
}

/// What a packet, or a part of it, may tell of a key.
struct Told<'p> {
    ssrc: Ssrc,
    payload_type: PayloadType,
    marker: bool,
    timestamp: Serial32,
    payload: &'p [u8],
}

/// A character as the tone buffer has it.
fn normalized(tone: char) -> Option<char> {
    match tone {
        PAUSE => Some(PAUSE),
        _ => EventCode::from_tone(tone)?.tone(),
    }
}
