//! A description such as WebRTC peers write, chosen by bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pc_sdp::{
    Attribute, Candidate, CandidateKind, Connection, Direction, Extmap, ExtmapId, Feedback,
    Fingerprint, Fmtp, Formats, Group, HashFunction, Host, IceOptions, IcePwd, Lines,
    MediaDescription, MediaKind, MediaLine, Msid, NetworkAddress, Origin, PayloadType, Protocol,
    Rid, RidDirection, RtcpFb, Rtpmap, SessionDescription, Setup, Simulcast, SimulcastId,
    SimulcastStreams, Ssrc, SsrcAttribute, SsrcGroup, SsrcGroupSemantics, TcpType, Text, Transport,
    Word, WordList,
};

/// Bytes as a source of choices; zeros when they run out.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn yes(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// Between `min` and 3 more letters of what `ice-char`, `rid-id` and `token` share.
    fn word(&mut self, min: usize) -> Word {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let len = min + self.below(4);
        let letters = (0..len).map(|_| char::from(self.pick(LETTERS)));
        Word::new(letters.collect::<String>()).expect("letters")
    }

    fn ip(&mut self) -> IpAddr {
        if self.yes() {
            Ipv4Addr::from(self.u32()).into()
        } else {
            let segments: [u16; 8] = std::array::from_fn(|_| self.u16());
            Ipv6Addr::from(segments).into()
        }
    }
}

fn word(text: &str) -> Word {
    Word::new(text).expect("a literal")
}

fn text(text: String) -> Text {
    Text::new(text).expect("no line break")
}

pub(super) fn description(bytes: &[u8]) -> SessionDescription {
    let dice = &mut Dice(bytes.iter());
    let id = u64::from(dice.u32()) << 31 | u64::from(dice.u32());
    let mut session = SessionDescription::new(Origin::new(id, u64::from(dice.byte())));
    let mids: Vec<Word> = (0..1 + dice.below(4)).map(Word::from).collect();
    session.push(Attribute::Group(Group::bundle(mids.clone())));
    if dice.yes() {
        session.push(Attribute::ExtmapAllowMixed);
    }
    if dice.yes() {
        session.push(Attribute::IceLite);
    }
    let shared_transport = dice.yes();
    if shared_transport {
        transport(dice, &mut session);
    }
    for mid in mids {
        let mut media = section(dice);
        media.push(Attribute::Mid(mid));
        if !shared_transport {
            transport(dice, &mut media);
        }
        candidates(dice, &mut media);
        session.media.push(media);
    }
    session
}

fn section(dice: &mut Dice<'_>) -> MediaDescription {
    let mut media = match dice.pick(&[MediaKind::Application, MediaKind::Audio, MediaKind::Video]) {
        MediaKind::Application => data(dice),
        kind => rtp(dice, kind),
    };
    media.push(Connection::from(NetworkAddress::from(dice.ip())));
    if dice.yes() {
        media.push(Attribute::BundleOnly);
    }
    media
}

fn data(dice: &mut Dice<'_>) -> MediaDescription {
    let mut media = MediaDescription::data_channel(dice.u16());
    media.push(Attribute::SctpPort(dice.u16()));
    if dice.yes() {
        media.push(Attribute::MaxMessageSize(u64::from(dice.u32())));
    }
    media
}

fn rtp(dice: &mut Dice<'_>, kind: MediaKind) -> MediaDescription {
    let payload_types: Vec<PayloadType> = (0..1 + dice.below(5))
        .filter_map(|_| PayloadType::new(dice.byte() & 127))
        .collect();
    let mut media = MediaDescription::new(MediaLine {
        kind,
        port: dice.u16(),
        port_count: None,
        protocol: dice.pick(&[Protocol::UdpTlsRtpSavpf, Protocol::RtpSavpf]),
        formats: Formats::PayloadTypes(payload_types.clone()),
    });
    media.push(Attribute::Direction(dice.pick(&[
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ])));
    for payload_type in payload_types {
        codec(dice, &mut media, payload_type);
    }
    streams(dice, &mut media);
    if dice.yes() {
        simulcast(dice, &mut media);
    }
    media
}

fn codec(dice: &mut Dice<'_>, media: &mut Lines, payload_type: PayloadType) {
    let encoding = dice.pick(&["VP8", "opus", "H264", "G722"]);
    media.push(Attribute::Rtpmap(Rtpmap {
        payload_type,
        encoding: word(encoding),
        clock_rate: dice.u32(),
        parameters: dice.yes().then(|| Word::from(1 + dice.byte() % 8)),
    }));
    if encoding == "H264" {
        let level = dice.u16();
        let parameters = format!("packetization-mode=1;profile-level-id=42{level:04x}");
        media.push(Attribute::Fmtp(Fmtp {
            format: payload_type.into(),
            parameters: text(parameters),
        }));
    }
    let feedback = [
        Feedback::Nack,
        Feedback::NackPli,
        Feedback::CcmFir,
        Feedback::GoogRemb,
        Feedback::TransportCc,
    ];
    for _ in 0..dice.below(3) {
        media.push(Attribute::RtcpFb(RtcpFb {
            format: payload_type.into(),
            feedback: dice.pick(&feedback),
        }));
    }
}

fn streams(dice: &mut Dice<'_>, media: &mut Lines) {
    media.push(Attribute::RtcpMux);
    if dice.yes() {
        media.push(Attribute::RtcpRsize);
    }
    media.push(Attribute::Msid(Msid {
        stream: dice.pick(&[word("-"), word("{a-b}")]),
        track: dice.yes().then(|| dice.word(1)),
    }));
    let ssrcs = [Ssrc(dice.u32()), Ssrc(dice.u32())];
    for ssrc in ssrcs {
        media.push(Attribute::Ssrc(SsrcAttribute {
            ssrc,
            name: word("cname"),
            value: Some(dice.word(1).into()),
        }));
    }
    media.push(Attribute::SsrcGroup(SsrcGroup {
        semantics: SsrcGroupSemantics::FlowIdentification,
        ssrcs: ssrcs.to_vec(),
    }));
    for id in 0..dice.below(4) {
        media.push(Attribute::Extmap(Extmap {
            id: ExtmapId::new(1 + id as u16 + u16::from(dice.byte() / 2)).expect("small"),
            direction: dice.pick(&[None, Some(Direction::SendOnly), Some(Direction::RecvOnly)]),
            uri: word("urn:ietf:params:rtp-hdrext:sdes:mid"),
            attributes: None,
        }));
    }
}

fn simulcast(dice: &mut Dice<'_>, media: &mut Lines) {
    let mut rids: Vec<Word> = (0..1 + dice.below(3)).map(|_| dice.word(1)).collect();
    rids.sort();
    rids.dedup();
    for id in &rids {
        media.push(Attribute::Rid(Rid {
            id: id.clone(),
            direction: RidDirection::Send,
            restrictions: None,
        }));
    }
    let paused = dice.yes();
    let streams = rids.iter().map(|rid| [SimulcastId { rid, paused }]);
    let send = SimulcastStreams::new(streams).expect("rids");
    media.push(Attribute::Simulcast(Box::new(Simulcast {
        send: Some(send),
        recv: None,
    })));
}

fn transport(dice: &mut Dice<'_>, lines: &mut Lines) {
    lines.push(Attribute::IceUfrag(dice.word(4)));
    lines.push(Attribute::IcePwd(IcePwd::from(dice.word(22))));
    lines.push(Attribute::IceOptions(IceOptions::trickle()));
    let hashes = [
        HashFunction::Sha1,
        HashFunction::Sha256,
        HashFunction::Sha512,
    ];
    let hash = dice.pick(&hashes);
    let len = hash.digest_len().expect("known");
    let value = (0..len).map(|_| dice.byte()).collect();
    lines.push(Attribute::Fingerprint(Fingerprint { hash, value }));
    lines.push(Attribute::Setup(dice.pick(&[
        Setup::Actpass,
        Setup::Active,
        Setup::Passive,
    ])));
}

fn candidates(dice: &mut Dice<'_>, media: &mut Lines) {
    for _ in 0..dice.below(4) {
        let candidate = candidate(dice);
        media.push(Attribute::Candidate(Box::new(candidate)));
    }
    if dice.yes() {
        media.push(Attribute::EndOfCandidates);
    }
}

fn candidate(dice: &mut Dice<'_>) -> Candidate {
    let kinds = [
        CandidateKind::Host,
        CandidateKind::ServerReflexive,
        CandidateKind::PeerReflexive,
        CandidateKind::Relay,
    ];
    let host = match dice.below(4) {
        0 => Host::Name(word("5ad2f1b8-6a1b-4c4e-9d2a-0f4b1c7d9e11.local")),
        _ => Host::Ip(dice.ip()),
    };
    let mut candidate = Candidate::new(
        dice.word(1),
        1 + u16::from(dice.byte() & 1),
        dice.pick(&[Transport::Udp, Transport::Tcp]),
        dice.u32(),
        (host, dice.u16()),
        dice.pick(&kinds),
    );
    if candidate.kind != CandidateKind::Host {
        candidate.related_address = Some(Host::Ip(dice.ip()));
        candidate.related_port = Some(dice.u16());
    }
    if candidate.transport == Transport::Tcp {
        let types = [TcpType::Active, TcpType::Passive, TcpType::SimultaneousOpen];
        candidate.tcp_type = Some(dice.pick(&types));
    }
    candidate.generation = dice.yes().then(|| dice.u32());
    candidate.ufrag = dice.yes().then(|| dice.word(4));
    candidate.network_id = dice.yes().then(|| dice.u16());
    candidate.network_cost = dice.yes().then(|| dice.u16());
    if dice.yes() {
        candidate.extensions = WordList::from_iter([word("x-odd"), dice.word(1)]);
    }
    candidate
}
