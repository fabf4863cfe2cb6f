//! Offer and answer of a data-only session, RFC 9429: what was said, what may be said next.
//!
//! Media sections of the peer's are rejected (port 0) and keep their place.

use pc_jsep::{
    DataPlan, IceCredentials, PeerData, PeerTransport, SectionName, TransportId, TransportPlan,
};
use pc_sdp::{
    Attribute, Connection, Formats, Group, IceOptions, IcePwd, Line, MediaDescription, MediaKind,
    MediaLine, NetworkAddress, Origin, SessionDescription as Sdp, Setup, Word,
};
use rand_chacha::{ChaCha12Rng, rand_core::Rng};

use super::{
    data::SCTP_PORT,
    remote::{DataSection, Remote},
};
use crate::{Error, SessionDescription, description::SdpType, state::SignalingState};

/// The longest message this side takes, in bytes; what Chromium takes too.
pub(super) const MAX_RECEIVE_MESSAGE_SIZE: usize = 262_144;

/// The one transport of a data-only session.
const TRANSPORT: TransportId = TransportId::new(0);

/// The candidates announced in one generation of ICE.
#[derive(Debug, Default)]
struct LocalCandidates {
    ufrag: String,
    list: Vec<pc_sdp::Candidate>,
    ended: bool,
}

/// A local description and where its data section is.
#[derive(Debug, Clone)]
pub(super) struct Local {
    pub(super) kind: SdpType,
    pub(super) sdp: Sdp,
    pub(super) data: Option<usize>,
}

impl Local {
    fn ufrag(&self) -> Option<&str> {
        let media = self.sdp.media.get(self.data?)?;
        self.sdp.ice_ufrag_for(media).map(|ufrag| ufrag.as_str())
    }

    fn ice(&self) -> Option<IceCredentials> {
        let media = self.sdp.media.get(self.data?)?;
        Some(IceCredentials {
            ufrag: self.ufrag()?.to_owned(),
            pwd: self.sdp.ice_pwd_for(media)?.as_str().to_owned(),
        })
    }
}

/// One m-section, in its place for the life of the session.
#[derive(Debug, Clone)]
struct Section {
    mid: Word,
    /// The peer may leave out `a=mid`; then we do not say it either.
    has_mid: bool,
    head: MediaLine,
    /// The one that carries the data channels.
    data: bool,
}

#[derive(Debug)]
pub(super) struct Negotiation {
    state: SignalingState,
    origin: Origin,
    sections: Vec<Section>,
    pub(super) current_local: Option<Local>,
    pub(super) pending_local: Option<Local>,
    pub(super) current_remote: Option<Remote>,
    pub(super) pending_remote: Option<Remote>,
    created: Option<(SdpType, String)>,
    /// Whether we are the DTLS client, once an answer has said so.
    dtls_client: Option<bool>,
    rng: ChaCha12Rng,
    fingerprint: pc_sdp::Fingerprint,
    /// What the next description says.
    ice: IceCredentials,
    controlling: bool,
    local_candidates: LocalCandidates,
}

impl Negotiation {
    pub(super) fn new(mut rng: ChaCha12Rng, fingerprint: pc_sdp::Fingerprint) -> Self {
        // RFC 9429 §5.2.1 wants a random 63-bit number.
        let session_id = rng.next_u64();
        Self {
            ice: new_credentials(&mut rng),
            rng,
            fingerprint,
            controlling: true,
            local_candidates: LocalCandidates::default(),
            state: SignalingState::Stable,
            origin: Origin::new(session_id >> 1, 0),
            sections: Vec::new(),
            current_local: None,
            pending_local: None,
            current_remote: None,
            pending_remote: None,
            created: None,
            dtls_client: None,
        }
    }

    pub(super) fn state(&self) -> SignalingState {
        self.state
    }

    pub(super) fn close(&mut self) {
        self.state = SignalingState::Closed;
    }

    pub(super) fn local(&self) -> Option<&Local> {
        self.pending_local.as_ref().or(self.current_local.as_ref())
    }

    pub(super) fn remote(&self) -> Option<&Remote> {
        self.pending_remote
            .as_ref()
            .or(self.current_remote.as_ref())
    }

    /// Whether nothing has been exchanged yet.
    pub(super) fn is_new(&self) -> bool {
        self.local().is_none() && self.remote().is_none()
    }

    /// The role in ICE, RFC 8445 §6.1.1.
    pub(super) fn is_controlling(&self) -> bool {
        self.controlling
    }

    pub(super) fn set_controlling(&mut self, controlling: bool) {
        self.controlling = controlling;
    }

    /// The peer has restarted ICE: so do we, with the next answer.
    pub(super) fn restart_ice(&mut self) {
        self.ice = new_credentials(&mut self.rng);
    }

    /// The transports that the session is to have.
    pub(super) fn transports(&self) -> Vec<TransportPlan> {
        let Some(plan) = self.transport() else {
            return Vec::new();
        };
        vec![plan]
    }

    fn transport(&self) -> Option<TransportPlan> {
        let local = self.local()?;
        Some(TransportPlan {
            id: TRANSPORT,
            sections: vec![self.section_name(local)?],
            local: local.ice()?,
            peer: self.peer(),
        })
    }

    fn section_name(&self, local: &Local) -> Option<SectionName> {
        let index = local.data?;
        let mid = self.sections.get(index)?.mid.as_str().to_owned();
        Some(SectionName { index, mid })
    }

    fn peer(&self) -> Option<PeerTransport> {
        let local = self.current_local.as_ref()?.ice()?;
        let current = self.current_remote.as_ref()?.data.as_ref()?;
        // What a new offer that restarts nothing has brought counts at once.
        let pending = self.pending_remote.as_ref().and_then(|it| it.data.as_ref());
        let latest = pending
            .filter(|it| it.ice == current.ice)
            .unwrap_or(current);
        Some(PeerTransport {
            local,
            remote: current.ice.clone(),
            lite: current.ice_lite,
            candidates: latest.candidates.clone(),
            end_of_candidates: latest.end_of_candidates,
            dtls_client: self.dtls_client?,
            fingerprints: current.fingerprints.clone(),
        })
    }

    /// What the session's data channels are to be.
    pub(super) fn data(&self) -> Option<DataPlan> {
        let section = self.section_name(self.local()?)?;
        let remote = self
            .current_remote
            .as_ref()
            .and_then(|it| it.data.as_ref())
            .filter(|_| {
                self.current_local
                    .as_ref()
                    .is_some_and(|it| it.data.is_some())
            });
        Some(DataPlan {
            transport: TRANSPORT,
            mid: section.mid,
            peer: remote.map(|data| PeerData {
                port: data.sctp_port,
                max_message_size: data.max_message_size,
            }),
        })
    }

    /// A local candidate was found: descriptions say so.
    pub(super) fn add_local_candidate(
        &mut self,
        _: TransportId,
        ufrag: &str,
        candidate: pc_sdp::Candidate,
    ) {
        self.local_generation(ufrag).list.push(candidate);
    }

    /// No more will be found in this generation.
    pub(super) fn end_local_candidates(&mut self, _: TransportId, ufrag: &str) {
        self.local_generation(ufrag).ended = true;
    }

    fn local_generation(&mut self, ufrag: &str) -> &mut LocalCandidates {
        let known = &mut self.local_candidates;
        if known.ufrag != ufrag {
            *known = LocalCandidates {
                ufrag: ufrag.to_owned(),
                ..LocalCandidates::default()
            };
        }
        known
    }

    /// A local description as it is to be signaled.
    pub(super) fn write_local(&self, local: &Local) -> SessionDescription {
        let mut sdp = local.sdp.clone();
        if let Some(section) = local.data
            && local.ufrag() == Some(&self.local_candidates.ufrag)
        {
            self.local_candidates.write_into(&mut sdp, section);
        }
        SessionDescription {
            kind: local.kind,
            sdp: sdp.to_string(),
        }
    }

    pub(super) fn remote_mut(&mut self) -> Option<&mut Remote> {
        self.pending_remote
            .as_mut()
            .or(self.current_remote.as_mut())
    }

    /// Whether the session has, or is being offered, a section for data channels.
    pub(super) fn has_data_section(&self) -> bool {
        self.sections.iter().any(|section| section.data)
    }

    /// Whether this side offered a section for data channels in the last exchange, or one was in
    /// use before it.
    pub(super) fn had_data_section(&self) -> bool {
        self.dtls_client.is_some() || self.local().is_some_and(|local| local.data.is_some())
    }

    /// Where the data section is, by its index and mid.
    fn data_section(&self) -> Option<(usize, &str)> {
        let found = self
            .sections
            .iter()
            .enumerate()
            .find(|(_, section)| section.data);
        found.map(|(index, section)| (index, section.mid.as_str()))
    }

    /// RFC 9429 §4.1.8: in which states an offer can be made.
    pub(super) fn check_create_offer(&self) -> Result<(), Error> {
        match self.state {
            SignalingState::Stable | SignalingState::HaveLocalOffer => Ok(()),
            state => Err(wrong_state("create an offer", state)),
        }
    }

    /// RFC 9429 §4.1.9: in which states an answer can be made.
    pub(super) fn check_create_answer(&self) -> Result<(), Error> {
        match self.state {
            SignalingState::HaveRemoteOffer => Ok(()),
            state => Err(wrong_state("create an answer", state)),
        }
    }

    /// RFC 9429 §5.2.
    pub(super) fn create_offer(&mut self, wants_data: bool) -> Result<SessionDescription, Error> {
        self.check_create_offer()?;
        let mut sections = self.sections.clone();
        if wants_data && !self.has_data_section() {
            sections.push(self.new_data_section()?);
        }
        let setups = |section: &Section| section.data.then_some(Setup::Actpass);
        let bundled = |_: &Word| true;
        self.describe(SdpType::Offer, &sections, setups, bundled)
    }

    /// RFC 9429 §5.3.
    pub(super) fn create_answer(&mut self) -> Result<SessionDescription, Error> {
        self.check_create_answer()?;
        let data = self
            .pending_remote
            .as_ref()
            .and_then(|remote| remote.data.as_ref());
        let client = data.is_some_and(|data| self.is_client_in_answer_to(data));
        let setup = if client {
            Setup::Active
        } else {
            Setup::Passive
        };
        let sections = self.sections.clone();
        let accepted = |section: &Section| section.data.then_some(setup);
        // RFC 9143 §7.3: a group of the answer's has nothing that the offer's had not.
        let offered: Vec<String> = self
            .pending_remote
            .iter()
            .flat_map(|remote| remote.sdp.bundle_groups())
            .flat_map(|group| group.mids.iter().map(str::to_owned))
            .collect();
        let bundled = |mid: &Word| offered.iter().any(|it| it == mid.as_str());
        self.describe(SdpType::Answer, &sections, accepted, bundled)
    }

    /// RFC 8842 §5.3: the answerer is the client where it can choose, and keeps its role where the
    /// association stays.
    fn is_client_in_answer_to(&self, data: &DataSection) -> bool {
        match data.setup {
            Setup::Active => false,
            Setup::Passive => true,
            _ => self.dtls_client.unwrap_or(true),
        }
    }

    fn new_data_section(&self) -> Result<Section, Error> {
        let taken = |mid: &str| {
            self.sections
                .iter()
                .any(|section| section.mid.as_str() == mid)
        };
        let free = (0..=self.sections.len())
            .map(|n| n.to_string())
            .find(|mid| !taken(mid));
        let mid = word(&free.unwrap_or_default())?;
        let head = MediaDescription::data_channel(9).head.into_inner();
        Ok(Section {
            mid,
            has_mid: true,
            head,
            data: true,
        })
    }

    /// Writes a description in which the sections live for which `setup` says something.
    fn describe(
        &mut self,
        kind: SdpType,
        sections: &[Section],
        setup: impl Fn(&Section) -> Option<Setup>,
        bundled: impl Fn(&Word) -> bool,
    ) -> Result<SessionDescription, Error> {
        self.origin.session_version += 1;
        let mut sdp = Sdp::new(self.origin.clone());
        let live: Vec<Word> = sections
            .iter()
            .filter(|section| section.has_mid && setup(section).is_some())
            .filter(|section| bundled(&section.mid))
            .map(|section| section.mid.clone())
            .collect();
        if !live.is_empty() {
            sdp.push(Attribute::Group(Group::bundle(live)));
        }
        for section in sections {
            sdp.media.push(match setup(section) {
                Some(setup) => live_section(section, setup, &self.ice, &self.fingerprint)?,
                None => rejected_section(section),
            });
        }
        let text = sdp.to_string();
        self.created = Some((kind, text.clone()));
        Ok(SessionDescription { kind, sdp: text })
    }

    /// What `setLocalDescription` with this argument sets, RFC 9429 §4.1.10 and §5.4.
    ///
    /// An empty `sdp` stands for the description that was created last.
    pub(super) fn check_local(&self, description: &SessionDescription) -> Result<Local, Error> {
        let kind = description.kind;
        match (kind, self.state) {
            (SdpType::Offer, SignalingState::Stable | SignalingState::HaveLocalOffer)
            | (SdpType::Answer, SignalingState::HaveRemoteOffer) => {}
            (SdpType::Offer | SdpType::Answer, state) => {
                return Err(wrong_state(&format!("set a local {kind}"), state));
            }
            _ => return Err(not_supported(kind)),
        }
        let text = match &self.created {
            Some((created, text))
                if *created == kind && (description.sdp.is_empty() || description.sdp == *text) =>
            {
                text
            }
            _ => {
                let message = format!("not the {kind} that was created last");
                return Err(Error::InvalidModification(message.into()));
            }
        };
        let sdp = Sdp::parse(text).map_err(super::remote::syntax_error)?;
        let data = sdp
            .media
            .iter()
            .position(|it| it.is_data_channel() && !it.is_rejected());
        Ok(Local { kind, sdp, data })
    }

    /// Carries out what [`check_local`](Self::check_local) allowed.
    pub(super) fn apply_local(&mut self, local: Local) {
        self.created = None;
        if local.kind == SdpType::Offer {
            for (index, media) in local.sdp.media.iter().enumerate() {
                self.note_section(index, media);
            }
            self.pending_local = Some(local);
            self.state = SignalingState::HaveLocalOffer;
            return;
        }
        if let Some(setup) = local
            .data
            .and_then(|index| local.sdp.media.get(index)?.setup())
        {
            self.dtls_client = Some(setup == Setup::Active);
        }
        self.current_remote = self.pending_remote.take();
        self.current_local = Some(local);
        self.state = SignalingState::Stable;
    }

    /// Whether `setRemoteDescription` may set this now, RFC 9429 §4.1.11 and §5.5.
    pub(super) fn check_remote(&self, remote: &Remote) -> Result<(), Error> {
        match (remote.kind, self.state) {
            (SdpType::Offer, SignalingState::Stable | SignalingState::HaveRemoteOffer)
            | (SdpType::Answer, SignalingState::HaveLocalOffer) => {}
            (kind, state) => return Err(wrong_state(&format!("set a remote {kind}"), state)),
        }
        let (known, said) = (self.sections.len(), remote.sdp.media.len());
        if remote.kind == SdpType::Answer && said != known {
            let message = format!("the answer has {said} m-sections, the offer {known}");
            return Err(Error::InvalidAccess(message.into()));
        }
        if said < known {
            let message = format!("the offer has {said} m-sections where there were {known}");
            return Err(Error::InvalidAccess(message.into()));
        }
        remote.check_mids()?;
        if remote.kind == SdpType::Answer {
            self.check_places(remote)?;
        }
        if let Some(data) = &remote.data {
            self.check_association(remote.kind, data)?;
        }
        if remote.kind == SdpType::Answer
            && let Some(data) = &remote.data
        {
            if data.setup == Setup::Actpass {
                let message = "a=setup:actpass in an answer (RFC 8842 §5.3)";
                return Err(Error::InvalidAccess(message.into()));
            }
            if Some(data.index) != self.data_section().map(|(index, _)| index) {
                let message = "the answer accepts a data section that was not offered";
                return Err(Error::InvalidAccess(message.into()));
            }
        }
        Ok(())
    }

    /// What would need a new transport while there is one is refused: a DTLS role that is turned
    /// round (RFC 8842 §5.5), and an answer that restarts ICE where the offer did not (RFC 8839
    /// §4.4.1.1), as one from another peer does.
    fn check_association(&self, kind: SdpType, data: &DataSection) -> Result<(), Error> {
        if matches!(
            (data.setup, self.dtls_client),
            (Setup::Active, Some(true)) | (Setup::Passive, Some(false))
        ) {
            let message = "a=setup turns the DTLS role round: a new association is not supported";
            return Err(Error::NotSupported(message.into()));
        }
        let before = self.current_remote.as_ref();
        let restarts = before
            .and_then(|remote| remote.data.as_ref())
            .is_some_and(|before| before.ice != data.ice);
        let offered = self.pending_local.as_ref().and_then(Local::ufrag);
        let current = self.current_local.as_ref().and_then(Local::ufrag);
        if kind == SdpType::Answer && restarts && offered == current {
            let message = "the answer restarts ICE, which the offer did not: not supported";
            return Err(Error::NotSupported(message.into()));
        }
        Ok(())
    }

    /// RFC 9429 §5.10: an answer's m-sections are those of the offer, in their order.
    fn check_places(&self, answer: &Remote) -> Result<(), Error> {
        for (index, (ours, theirs)) in self.sections.iter().zip(&answer.sdp.media).enumerate() {
            let other_mid = theirs.mid().is_some_and(|mid| *mid != ours.mid);
            if ours.head.kind != theirs.head.kind || other_mid {
                let message = format!("m-section {index} of the answer is not that of the offer");
                return Err(Error::InvalidAccess(message.into()));
            }
        }
        Ok(())
    }

    /// Carries out what [`check_remote`](Self::check_remote) allowed.
    pub(super) fn apply_remote(&mut self, remote: Remote) {
        self.created = None;
        if remote.kind == SdpType::Offer {
            for (index, media) in remote.sdp.media.iter().enumerate() {
                self.note_section(index, media);
            }
            let data = remote.data.as_ref().map(|data| data.index);
            for (index, section) in self.sections.iter_mut().enumerate() {
                section.data = Some(index) == data;
            }
            self.pending_remote = Some(remote);
            self.state = SignalingState::HaveRemoteOffer;
            return;
        }
        match &remote.data {
            Some(data) => self.dtls_client = Some(data.setup == Setup::Passive),
            None => self
                .sections
                .iter_mut()
                .for_each(|section| section.data = false),
        }
        self.current_local = self.pending_local.take();
        self.current_remote = Some(remote);
        self.state = SignalingState::Stable;
    }

    /// Gives an m-section of a description its place; a recycled one takes over.
    fn note_section(&mut self, index: usize, media: &MediaDescription) {
        let mid = media.mid().cloned();
        let has_mid = mid.is_some();
        let Some(mid) = mid.or_else(|| word(&index.to_string()).ok()) else {
            return;
        };
        let section = Section {
            mid,
            has_mid,
            head: (*media.head).clone(),
            data: is_live_data(media),
        };
        match self.sections.get_mut(index) {
            Some(known) => *known = section,
            None => self.sections.push(section),
        }
    }
}

impl LocalCandidates {
    /// Puts what has been gathered into the data section of a description, RFC 9429 §5.2.1 and
    /// RFC 8840 §4.1.1: candidates, the default one as port and address, and their end.
    fn write_into(&self, sdp: &mut Sdp, section: usize) {
        let Some(media) = sdp.media.get_mut(section) else {
            return;
        };
        if let Some(default) = self.list.first() {
            media.head.port = default.port;
            let connection = default
                .address
                .ip()
                .map(NetworkAddress::from)
                .map(Connection::from);
            if let Some(connection) = connection {
                media.retain(|line| !matches!(line, Line::Connection(_)));
                media.push(connection);
            }
        }
        for candidate in &self.list {
            media.push(Attribute::Candidate(Box::new(candidate.clone())));
        }
        if self.ended {
            media.push(Attribute::EndOfCandidates);
        }
    }
}

/// 48 and 144 random bits; at least 24 and 128 are needed (RFC 8445 §5.3).
fn new_credentials(rng: &mut ChaCha12Rng) -> IceCredentials {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut chars = |len| {
        let mut bytes = vec![0; len];
        rng.fill_bytes(&mut bytes);
        let letter = |byte: u8| ALPHABET.get(usize::from(byte & 63)).copied();
        let letters = bytes.into_iter().filter_map(letter);
        letters.map(char::from).collect::<String>()
    };
    IceCredentials {
        ufrag: chars(8),
        pwd: chars(24),
    }
}

fn is_live_data(media: &MediaDescription) -> bool {
    media.is_data_channel() && !media.is_rejected()
}

fn live_section(
    section: &Section,
    setup: Setup,
    ice: &IceCredentials,
    fingerprint: &pc_sdp::Fingerprint,
) -> Result<MediaDescription, Error> {
    let mut head = section.head.clone();
    head.port = 9;
    let mut media = MediaDescription::new(head);
    media.push(Connection::from(NetworkAddress::UNSPECIFIED));
    if section.has_mid {
        media.push(Attribute::Mid(section.mid.clone()));
    }
    media.push(Attribute::IceUfrag(word(&ice.ufrag)?));
    media.push(Attribute::IcePwd(IcePwd::from(word(&ice.pwd)?)));
    media.push(Attribute::IceOptions(IceOptions::trickle()));
    media.push(Attribute::Fingerprint(fingerprint.clone()));
    media.push(Attribute::Setup(setup));
    media.push(Attribute::SctpPort(SCTP_PORT));
    media.push(Attribute::MaxMessageSize(MAX_RECEIVE_MESSAGE_SIZE as u64));
    Ok(media)
}

/// RFC 9429 §5.3.1: a rejected section repeats the offer's line with port 0.
fn rejected_section(section: &Section) -> MediaDescription {
    let mut head = section.head.clone();
    head.port = 0;
    let is_media = matches!(head.kind, MediaKind::Audio | MediaKind::Video);
    if let Formats::PayloadTypes(types) = &mut head.formats {
        types.truncate(1);
    }
    let mut media = MediaDescription::new(head);
    media.push(Connection::from(NetworkAddress::UNSPECIFIED));
    if section.has_mid {
        media.push(Attribute::Mid(section.mid.clone()));
    }
    if is_media {
        media.push(Attribute::Direction(pc_sdp::Direction::Inactive));
    }
    media
}

pub(super) fn word(text: &str) -> Result<Word, Error> {
    Word::new(text).map_err(|error| Error::Operation(error.to_string().into()))
}

fn wrong_state(what: &str, state: SignalingState) -> Error {
    Error::InvalidState(format!("cannot {what} in the signaling state \"{state}\"").into())
}

pub(super) fn not_supported(kind: SdpType) -> Error {
    Error::NotSupported(format!("descriptions of type \"{kind}\" are not supported yet").into())
}
