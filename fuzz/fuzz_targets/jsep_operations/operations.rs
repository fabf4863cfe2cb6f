//! What an application does, and what a peer without manners sends.

use pc_jsep::{
    CandidateInit, EncodingParameters, MediaKind, OfferOptions, SdpType, Session, SignalingState,
    TransceiverDirection as Direction, TransceiverId, TransceiverInit,
};

use super::{Bytes, Message, Peer, World};

impl World {
    pub(super) fn operate(&mut self, own: usize, operation: u8, bytes: &mut Bytes<'_>) {
        match operation % 32 {
            0..8 => {
                self.deliver(own, bytes);
            }
            8 => self.hear_mutated(own, bytes),
            operation => self.peers[own].operate(operation, bytes),
        }
    }

    /// A description that was changed on its way is set on a copy, which must bear it.
    fn hear_mutated(&self, own: usize, bytes: &mut Bytes<'_>) {
        let sent = self.peers[1 - own].outbox.iter();
        let mut texts: Vec<(SdpType, String)> = sent
            .filter_map(|message| match message {
                Message::Offer(_, text) => Some((SdpType::Offer, text.clone())),
                Message::Answer(_, kind, text) => Some((*kind, text.clone())),
                _ => None,
            })
            .collect();
        texts.extend(self.peers[1 - own].session.local_description());
        if texts.is_empty() {
            return;
        }
        let (kind, text) = &texts[bytes.index(texts.len())];
        let text = mutate(text, bytes);
        hear_hostile(&self.peers[own].session, *kind, &text);
    }
}

/// Sets a description on a copy of the session and goes on from there as far as it goes.
pub(crate) fn hear_hostile(session: &Session, kind: SdpType, text: &str) {
    let mut copy = session.clone();
    if copy.set_remote_description(kind, text).is_err() {
        assert_eq!(
            format!("{copy:?}"),
            format!("{session:?}"),
            "changed by a failure"
        );
        return;
    }
    if kind == SdpType::Offer {
        let mut back = copy.clone();
        back.set_remote_description(SdpType::Rollback, "")
            .expect("a rollback in have-remote-offer");
        check_restored(session, &back);
        let mut answered = copy.clone();
        if answered.set_local_description(None).is_ok() {
            check_offers_again(answered);
        }
    } else {
        check_offers_again(copy);
    }
}

fn check_offers_again(mut session: Session) {
    if session.signaling_state() == SignalingState::Stable {
        session.set_local_description(None).expect("a later offer");
        let (_, text) = session.local_description().expect("the offer");
        pc_sdp::SessionDescription::parse(&text).expect("an offer that can be read");
    }
}

/// A rollback leaves what was stable, but for transceivers that the offer has stopped.
fn check_restored(before: &Session, after: &Session) {
    let waited = before.signaling_state() != SignalingState::Stable;
    for own in before.transceivers() {
        let now = after.transceiver(own.id());
        let Some(now) = now.filter(|now| !now.is_stopped()) else {
            continue;
        };
        assert_eq!(own.current_direction(), now.current_direction());
        if !waited {
            assert_eq!(own.mid(), now.mid());
            assert_eq!(own.receiver_streams(), now.receiver_streams());
        }
        assert_eq!(own.send_codecs(), now.send_codecs());
    }
    assert_eq!(after.signaling_state(), SignalingState::Stable);
    assert!(after.transceivers().count() <= before.transceivers().count());
    if !waited {
        assert_eq!(before.transports(), after.transports());
        assert_eq!(before.data(), after.data());
    }
    assert_eq!(
        before.current_local_description().map(|it| it.1),
        after.current_local_description().map(|it| it.1)
    );
    assert_eq!(None, after.pending_remote_description());
}

/// Lines taken out, doubled, moved, or with other bytes in them.
fn mutate(text: &str, bytes: &mut Bytes<'_>) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=bytes.index(4) {
        if lines.is_empty() {
            break;
        }
        let at = (bytes.index(256) << 8 | bytes.index(256)) % lines.len();
        match bytes.index(5) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let other = bytes.index(lines.len());
                lines.swap(at, other);
            }
            3 => {
                let letter = char::from(bytes.byte() & 0x7f);
                let mut line: Vec<char> = lines[at].chars().collect();
                let place = bytes.index(line.len().max(1));
                match line.get_mut(place) {
                    Some(place) => *place = letter,
                    None => line.push(letter),
                }
                lines[at] = line.into_iter().collect();
            }
            _ => lines.truncate(at),
        }
    }
    lines.iter().flat_map(|line| [line, "\r\n"]).collect()
}

impl Peer {
    fn operate(&mut self, operation: u8, bytes: &mut Bytes<'_>) {
        let state = self.session.signaling_state();
        match operation {
            9 | 10 => {
                self.session.update_negotiation_needed();
                self.check();
                if self.needed && state == SignalingState::Stable {
                    self.offer();
                }
            }
            11 | 12 => self.send_offer(),
            13 => self.answer(SdpType::Answer),
            14 => self.answer(SdpType::Pranswer),
            15 => self.roll_back(bytes.flag()),
            16 if state == SignalingState::HaveLocalOffer && self.unsent => self.offer(),
            17 if state == SignalingState::Stable => {
                let options = OfferOptions { ice_restart: true };
                self.must("create an offer", |session| session.create_offer(options));
                if bytes.flag() {
                    self.offer();
                }
            }
            18 => self.trickle(bytes),
            19 => self.session.restart_ice(),
            20 => self.session.want_data(),
            21..24 => self.add_track(bytes),
            24 => self.add_transceiver(bytes),
            _ => self.change_transceiver(operation, bytes),
        }
    }

    fn change_transceiver(&mut self, operation: u8, bytes: &mut Bytes<'_>) {
        let known: Vec<TransceiverId> = self.session.transceivers().map(|own| own.id()).collect();
        if known.is_empty() {
            return;
        }
        let id = known[bytes.index(known.len())];
        let done = match operation {
            25 => self.attempt(|session| session.remove_track(id)),
            26 => self.attempt(|session| session.stop(id)),
            27 | 28 => {
                let direction = direction(bytes);
                self.attempt(|session| session.set_direction(id, direction))
            }
            29 => {
                let streams = self.streams(bytes);
                self.attempt(|session| session.set_streams(id, &streams))
            }
            30 => self.prefer(id, bytes),
            _ => self.set_parameters(id, bytes),
        };
        // Of a stopped transceiver, or codecs that are no choice.
        let _ = done;
    }

    fn add_track(&mut self, bytes: &mut Bytes<'_>) {
        if self.is_full() {
            return;
        }
        let (kind, track, streams) = (kind(bytes), self.track(), self.streams(bytes));
        self.must("add a track", |session| {
            session.add_track(kind, &track, &streams)
        });
    }

    fn add_transceiver(&mut self, bytes: &mut Bytes<'_>) {
        if self.is_full() {
            return;
        }
        let (kind, track) = (kind(bytes), self.track());
        let rids = match bytes.index(4) {
            0 if kind == MediaKind::Video => vec!["q", "h", "f"],
            _ => Vec::new(),
        };
        let encodings = rids.into_iter().map(|rid| EncodingParameters {
            rid: Some(rid.to_owned()),
            ..EncodingParameters::default()
        });
        let init = TransceiverInit {
            direction: direction(bytes),
            streams: self.streams(bytes),
            send_encodings: encodings.collect(),
        };
        let track = bytes.flag().then_some(track);
        self.must("add a transceiver", |session| {
            session.add_transceiver(kind, track.as_deref(), init)
        });
    }

    /// Enough is enough: more would only take time.
    fn is_full(&self) -> bool {
        self.session.transceivers().count() >= 12
    }

    fn prefer(&mut self, id: TransceiverId, bytes: &mut Bytes<'_>) -> Result<(), pc_jsep::Error> {
        let own = self.session.transceiver(id);
        let kind = own.map_or(MediaKind::Audio, |own| own.kind());
        let capabilities = pc_jsep::Capabilities::default();
        let all = capabilities.of(kind).receive_capabilities().codecs;
        let first = bytes.index(all.len());
        let mut codecs: Vec<_> = all
            .iter()
            .cycle()
            .skip(first)
            .take(all.len())
            .cloned()
            .collect();
        // Never without the codec that everyone has: a section without one stops its transceiver.
        codecs.truncate(bytes.index(all.len() + 1));
        if !codecs.is_empty() {
            codecs.push(all[0].clone());
        }
        self.attempt(|session| session.set_codec_preferences(id, codecs))
    }

    fn set_parameters(
        &mut self,
        id: TransceiverId,
        bytes: &mut Bytes<'_>,
    ) -> Result<(), pc_jsep::Error> {
        let Some(mut parameters) = self.session.send_parameters(id) else {
            return Ok(());
        };
        for encoding in &mut parameters.encodings {
            encoding.active = bytes.flag();
        }
        if bytes.index(4) == 0 {
            self.session.end_parameter_transactions();
        }
        self.attempt(|session| session.set_send_parameters(id, parameters))
    }

    /// A candidate of one of the transports: gathered here, and told to the peer.
    fn trickle(&mut self, bytes: &mut Bytes<'_>) {
        let plans = self.session.transports();
        let Some(plan) = plans.get(bytes.index(plans.len())).cloned() else {
            return;
        };
        let Some(section) = plan.sections.first() else {
            return;
        };
        self.names += 1;
        let text = format!(
            "candidate:1 1 udp {} 192.0.2.1 {} typ host",
            self.names,
            1024 + self.names
        );
        let ufrag = plan.local.ufrag;
        match bytes.index(5) {
            0 => self.session.end_local_candidates(plan.id, &ufrag),
            _ => {
                let candidate = text.parse().expect("a candidate");
                self.session.add_local_candidate(plan.id, &ufrag, candidate);
            }
        }
        if self.unsent {
            // It is told in the offer.
            return;
        }
        self.outbox.push_back(Message::Candidate(CandidateInit {
            candidate: text,
            sdp_mid: bytes.flag().then(|| section.mid.clone()),
            sdp_m_line_index: u16::try_from(section.index).ok(),
            username_fragment: bytes.flag().then_some(ufrag),
        }));
    }

    fn track(&mut self) -> String {
        self.names += 1;
        format!("{}-track-{}", self.name, self.names)
    }

    fn streams(&mut self, bytes: &mut Bytes<'_>) -> Vec<String> {
        let mask = bytes.byte();
        let chosen = (0..3).filter(|bit| mask >> bit & 1 == 1);
        chosen
            .map(|bit| format!("{}-stream-{bit}", self.name))
            .collect()
    }
}

fn kind(bytes: &mut Bytes<'_>) -> MediaKind {
    match bytes.flag() {
        true => MediaKind::Video,
        false => MediaKind::Audio,
    }
}

fn direction(bytes: &mut Bytes<'_>) -> Direction {
    match bytes.index(4) {
        0 => Direction::SendRecv,
        1 => Direction::SendOnly,
        2 => Direction::RecvOnly,
        _ => Direction::Inactive,
    }
}
