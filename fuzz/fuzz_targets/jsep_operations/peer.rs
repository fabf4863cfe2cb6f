//! One session, and the application that owns it.

use std::collections::{BTreeMap, VecDeque};

use pc_jsep::{
    BundlePolicy, CandidateInit, Config, Error, Event, SdpType, Session, SignalingState,
    TransceiverId,
};

/// What goes over the signaling channel.
#[derive(Debug)]
pub(super) enum Message {
    Offer(u32, String),
    Answer(u32, SdpType, String),
    /// The offer of this number was taken back by the one who got it.
    RolledBack(u32),
    Candidate(CandidateInit),
}

pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) session: Session,
    pub(super) polite: bool,
    pub(super) outbox: VecDeque<Message>,
    /// A local offer was set and has not been sent.
    pub(super) unsent: bool,
    /// The offer that waits for its answer.
    pub(super) offered: Option<u32>,
    /// The peer's offer that was ignored last.
    pub(super) ignored: Option<u32>,
    /// The peer's offer that is to be answered.
    pub(super) to_answer: Option<u32>,
    /// `negotiationneeded` has fired and nothing was done about it.
    pub(super) needed: bool,
    pub(super) names: u32,
    offers: u32,
    /// What the events have said of each receiver's track.
    heard: BTreeMap<TransceiverId, Heard>,
    state: SignalingState,
}

#[derive(Default)]
struct Heard {
    streams: Vec<String>,
    receives: bool,
}

impl Peer {
    pub(super) fn new(
        name: &'static str,
        seed: u8,
        polite: bool,
        policy: BundlePolicy,
        few_codecs: bool,
    ) -> Self {
        let fingerprint = format!("sha-256 {}", vec![format!("{seed:02X}"); 32].join(":"));
        let fingerprint = fingerprint.parse().expect("a fingerprint");
        let mut config = Config::new([seed; 32], vec![fingerprint]);
        config.bundle_policy = policy;
        if few_codecs {
            let capabilities = &mut config.capabilities;
            capabilities.audio.codecs.drain(2..);
            capabilities.video.codecs.drain(4..);
            capabilities.video.header_extensions.drain(4..);
        }
        Self {
            name,
            session: Session::new(config),
            polite,
            outbox: VecDeque::new(),
            unsent: false,
            offered: None,
            ignored: None,
            to_answer: None,
            needed: false,
            names: 0,
            offers: 0,
            heard: BTreeMap::new(),
            state: SignalingState::Stable,
        }
    }

    /// A call that may fail: then nothing changes.
    pub(super) fn attempt<T>(
        &mut self,
        call: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let before = self.session.clone();
        let result = call(&mut self.session);
        if let Err(error) = &result {
            let (before, after) = (format!("{before:?}"), format!("{:?}", self.session));
            assert_eq!(before, after, "{error} has changed something");
        }
        result
    }

    /// A call that must not fail.
    pub(super) fn must<T>(
        &mut self,
        what: &str,
        call: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> T {
        match self.attempt(call) {
            Ok(value) => value,
            Err(error) => panic!("{}: {what}: {error}\n{}", self.name, self.describe()),
        }
    }

    /// Sets an offer; it is sent later.
    pub(super) fn offer(&mut self) {
        self.must("set an offer", |session| {
            session.set_local_description(Some((SdpType::Offer, "")))
        });
        self.needed = false;
        self.unsent = true;
        self.offers += 1;
        self.offered = Some(self.offers);
    }

    pub(super) fn send_offer(&mut self) {
        if let Some(offer) = self.offered.filter(|_| self.unsent) {
            self.unsent = false;
            self.ignored = None;
            let (_, text) = self.session.local_description().expect("the offer");
            self.outbox.push_back(Message::Offer(offer, text));
        }
    }

    pub(super) fn answer(&mut self, kind: SdpType) {
        let Some(offer) = self.to_answer else { return };
        self.must("set an answer", |session| {
            session.set_local_description(Some((kind, "")))
        });
        if kind == SdpType::Answer {
            self.to_answer = None;
        }
        let (_, text) = self.session.local_description().expect("the answer");
        self.outbox.push_back(Message::Answer(offer, kind, text));
    }

    /// Takes back an offer that was not sent, or the peer's, who is told.
    pub(super) fn roll_back(&mut self, by_remote: bool) {
        let told = match self.session.signaling_state() {
            SignalingState::HaveLocalOffer if self.unsent => {
                (self.unsent, self.offered) = (false, None);
                self.ignored.take()
            }
            SignalingState::HaveRemoteOffer => self.to_answer.take(),
            _ => return,
        };
        self.must("roll back", |session| match by_remote {
            true => session.set_remote_description(SdpType::Rollback, ""),
            false => session.set_local_description(Some((SdpType::Rollback, ""))),
        });
        self.outbox.extend(told.map(Message::RolledBack));
    }

    /// What is begun comes to its end, and an offer is made if one is needed.
    pub(super) fn finish(&mut self) {
        match self.session.signaling_state() {
            SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer => {
                self.answer(SdpType::Answer);
            }
            _ => {}
        }
        self.session.update_negotiation_needed();
        self.drain();
        if self.needed && self.session.signaling_state() == SignalingState::Stable {
            self.offer();
        }
        self.send_offer();
    }

    pub(super) fn is_settled(&self) -> bool {
        self.session.signaling_state() == SignalingState::Stable
            && self.outbox.is_empty()
            && !self.needed
    }

    pub(super) fn describe(&self) -> String {
        let session = &self.session;
        let transceivers: Vec<_> = session
            .transceivers()
            .map(|own| {
                format!(
                    "{:?} {} mid {:?} {}/{:?} stopping {} streams {:?} ",
                    own.id(),
                    own.kind(),
                    own.mid(),
                    own.direction(),
                    own.current_direction(),
                    own.is_stopping(),
                    own.sender_streams(),
                )
            })
            .collect();
        format!(
            "{} {} needed {} {transceivers:#?}\nlocal {}\nremote {}",
            self.name,
            session.signaling_state(),
            self.needed,
            session.local_description().map_or(String::new(), |it| it.1),
            session
                .remote_description()
                .map_or(String::new(), |it| it.1),
        )
    }

    fn drain(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.hear(event);
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::NegotiationNeeded => {
                assert_eq!(self.state, SignalingState::Stable);
                self.needed = true;
            }
            Event::SignalingStateChange(state) => {
                assert_ne!(self.state, state, "a state that did not change");
                self.state = state;
            }
            Event::TrackEnded(_) => {}
            Event::TrackMuted(id) => {
                let heard = self.heard.entry(id).or_default();
                assert!(heard.receives, "muted without having been there");
                heard.receives = false;
            }
            Event::TrackRemoved {
                transceiver,
                stream,
            } => {
                let heard = self.heard.entry(transceiver).or_default();
                let known = heard.streams.iter().position(|other| *other == stream);
                heard
                    .streams
                    .remove(known.expect("removed from its stream"));
            }
            Event::TrackAdded {
                transceiver,
                stream,
            } => {
                let heard = self.heard.entry(transceiver).or_default();
                assert!(!heard.streams.contains(&stream), "added twice");
                heard.streams.push(stream);
            }
            Event::Track {
                transceiver,
                streams,
            } => {
                let heard = self.heard.entry(transceiver).or_default();
                heard.receives = true;
                let (mut said, mut known) = (streams, heard.streams.clone());
                said.sort();
                known.sort();
                assert_eq!(said, known, "the streams of a track");
            }
            other => panic!("an event nobody knows of: {other:?}"),
        }
    }

    /// What holds at any time.
    pub(super) fn check(&mut self) {
        self.drain();
        assert_eq!(self.state, self.session.signaling_state());
        let mut mids = Vec::new();
        for own in self.session.transceivers() {
            mids.extend(own.mid());
            let mut streams = own.receiver_streams().to_vec();
            let mut heard = self
                .heard
                .get(&own.id())
                .map_or(Vec::new(), |heard| heard.streams.clone());
            streams.sort();
            heard.sort();
            assert_eq!(heard, streams, "the streams the application knows of");
        }
        let count = mids.len();
        mids.sort_unstable();
        mids.dedup();
        assert_eq!(count, mids.len(), "two transceivers with one mid");
        self.check_transports();
    }

    fn check_transports(&self) {
        let plans = self.session.transports();
        for (index, plan) in plans.iter().enumerate() {
            for other in &plans[..index] {
                assert_ne!(other.id, plan.id);
                // RFC 8839 §5.4: one user fragment has one password.
                let shares = other.local.ufrag == plan.local.ufrag;
                assert!(!shares || other.local == plan.local);
            }
            // Undecided: an answer, or a rollback, may want it again.
            let provisional = match self.state {
                SignalingState::HaveLocalPranswer | SignalingState::HaveRemotePranswer => true,
                SignalingState::HaveLocalOffer => plan.peer.is_some(),
                _ => false,
            };
            assert!(
                provisional || !plan.sections.is_empty(),
                "a transport of nothing"
            );
            for other in &plans[..index] {
                assert!(plan.sections.iter().all(|it| !other.sections.contains(it)));
            }
        }
        if let Some(data) = self.session.data() {
            assert!(plans.iter().any(|plan| plan.id == data.transport));
        }
    }
}
