//! A description, read: what each m-section says that offer and answer turn on.

use std::collections::HashMap;

use pc_sdp::{
    Attribute, Candidate, Fingerprint, HashFunction, MediaDescription, MediaLine, Protocol,
    SessionDescription as Sdp, Setup, Ssrc, SsrcGroupSemantics,
};

use crate::{
    CodecParameters, Error, HeaderExtension, IceCredentials, MediaKind, PeerData, SdpType,
    TransportId,
    codec::read_codecs,
    encoding::{RemoteSimulcast, read_simulcast},
    extension::read_extensions,
};

/// RFC 8841 §6: what `a=max-message-size` is taken for where it is not said.
const DEFAULT_MAX_MESSAGE_SIZE: u64 = 65_536;
/// How many candidates of one section are kept.
pub(crate) const MAX_CANDIDATES: usize = 256;
/// How many synchronization sources of one section are kept: three layers of simulcast with their
/// retransmission are six.
const MAX_SOURCES: usize = 32;
/// How many fingerprints of one section are looked at: one for each hash is what peers give.
const MAX_FINGERPRINTS: usize = 32;
/// RFC 8842 §4: the longest `a=tls-id`, in bytes.
const MAX_TLS_ID: usize = 255;
/// The SCTP port of WebRTC, for the older forms that say none (RFC 8841 §5).
const DEFAULT_SCTP_PORT: u16 = 5000;

/// A description and what it means.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub(crate) kind: SdpType,
    pub(crate) sdp: Sdp,
    pub(crate) sections: Vec<DescribedSection>,
    /// For each section the BUNDLE group it is in, as an index of `groups`.
    pub(crate) group_of: Vec<Option<usize>>,
    /// The BUNDLE groups: the indexes of their sections in the group's order, those alone that exist.
    pub(crate) groups: Vec<Vec<usize>>,
    /// Of an own description: the transport that each section describes. One that is bundled away has
    /// the credentials of the one that stays, so they do not tell them apart.
    pub(crate) transports: Vec<Option<TransportId>>,
}

/// What an m-section is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Media(MediaKind),
    Data,
    /// Nothing this side knows of: rejected, and kept in its place.
    Unknown,
}

/// What one m-section says.
#[derive(Debug, Clone)]
pub(crate) struct DescribedSection {
    pub(crate) index: usize,
    pub(crate) mid: Option<String>,
    pub(crate) head: MediaLine,
    pub(crate) usage: Use,
    pub(crate) rejected: bool,
    pub(crate) bundle_only: bool,
    pub(crate) direction: pc_sdp::Direction,
    pub(crate) codecs: Vec<CodecParameters>,
    pub(crate) extensions: Vec<HeaderExtension>,
    /// The ids of the streams that the track is in (RFC 8830 §3): without `-`, each once.
    pub(crate) streams: Vec<String>,
    pub(crate) simulcast: Option<RemoteSimulcast>,
    pub(crate) transport: TransportLines,
    pub(crate) data: PeerData,
    pub(crate) rtcp_mux: bool,
    pub(crate) rtcp_rsize: bool,
    pub(crate) sources: Sources,
}

/// The synchronization sources that a section names (RFC 5576).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) ssrcs: Vec<Ssrc>,
    /// A stream and what retransmits it.
    pub(crate) retransmitted: Vec<(Ssrc, Ssrc)>,
}

impl Sources {
    /// Each once, as many as are kept.
    fn read(media: &MediaDescription) -> Self {
        let mut sources = Self::default();
        for line in media.ssrcs() {
            let known = &mut sources.ssrcs;
            if known.last() != Some(&line.ssrc) && known.len() < MAX_SOURCES {
                known.push(line.ssrc);
            }
        }
        let groups = media.ssrc_groups();
        let pairs = groups.filter_map(|group| match (&group.semantics, &*group.ssrcs) {
            (SsrcGroupSemantics::FlowIdentification, [media, rtx]) => Some((*media, *rtx)),
            _ => None,
        });
        sources.retransmitted = pairs.take(MAX_SOURCES).collect();
        sources
    }
}

/// The lines that concern the transport (RFC 9143 §7.1.3: in a bundle, those of the tagged section
/// hold for all).
#[derive(Debug, Clone)]
pub(crate) struct TransportLines {
    pub(crate) ice: Option<IceCredentials>,
    /// There are some, but not such as RFC 8839 §5.4 allows.
    pub(crate) malformed_ice: bool,
    pub(crate) lite: bool,
    pub(crate) trickle: bool,
    pub(crate) renomination: bool,
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// Fingerprints were given, whether or not one of them can be used.
    pub(crate) has_fingerprint: bool,
    pub(crate) setup: Option<Setup>,
    pub(crate) tls_id: Option<String>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) end_of_candidates: bool,
}

impl Description {
    /// Reads a description. What it lacks is for the caller to find.
    pub(crate) fn parse(kind: SdpType, text: &str) -> Result<Self, Error> {
        Self::new(kind, Sdp::parse(text)?)
    }

    pub(crate) fn new(kind: SdpType, sdp: Sdp) -> Result<Self, Error> {
        let sections = sdp
            .media
            .iter()
            .enumerate()
            .map(|(index, media)| DescribedSection::read(&sdp, media, index))
            .collect::<Result<Vec<_>, _>>()?;
        let indexes = mids(&sections)?;
        let mut group_of = vec![None; sections.len()];
        let mut groups = Vec::new();
        for group in sdp.bundle_groups() {
            let known: Vec<usize> = group
                .mids
                .iter()
                .filter_map(|mid| indexes.get(mid).copied())
                .collect();
            for &index in &known {
                if let Some(slot) = group_of.get_mut(index)
                    && slot.replace(groups.len()).is_some()
                {
                    return Err(in_section(index, "is in BUNDLE groups twice (RFC 9143 §7)"));
                }
            }
            groups.push(known);
        }
        Ok(Self {
            kind,
            sdp,
            sections,
            group_of,
            groups,
            transports: Vec::new(),
        })
    }

    /// The section with this mid.
    pub(crate) fn by_mid(&self, mid: &str) -> Option<&DescribedSection> {
        self.sections
            .iter()
            .find(|section| section.mid.as_deref() == Some(mid))
    }

    /// The section whose transport lines hold for this one: the tagged one of its group (RFC 9143
    /// §7.1.1: the first that is not rejected and has a transport), or itself.
    pub(crate) fn tagged(&self, index: usize) -> Option<&DescribedSection> {
        self.members(index)
            .find(|member| {
                !member.rejected && !member.bundle_only && member.transport.ice.is_some()
            })
            .or_else(|| self.sections.get(index))
    }

    /// The section whose transport lines hold for this one if of its group only those that `is_used`
    /// says are used: the first of them, unless it leaves its transport to the tagged one (RFC 9143
    /// §7.3.1).
    pub(crate) fn tagged_of_used(
        &self,
        index: usize,
        is_used: impl Fn(usize) -> bool,
    ) -> Option<&DescribedSection> {
        let mut used = self
            .members(index)
            .filter(|it| !it.rejected && is_used(it.index));
        used.next()
            .filter(|first| !first.bundle_only && first.transport.check(first.index).is_ok())
            .or_else(|| self.tagged(index))
    }

    /// The sections of the BUNDLE group that a section is in; none if it is in none.
    fn members(&self, index: usize) -> impl Iterator<Item = &DescribedSection> {
        let group = self.group_of.get(index).copied().flatten();
        let members = group.and_then(|group| self.groups.get(group));
        let members = members.into_iter().flatten();
        members.filter_map(|&member| self.sections.get(member))
    }

    /// Whether two sections are in one BUNDLE group.
    pub(crate) fn bundled_together(&self, one: usize, other: usize) -> bool {
        let group = |index: usize| self.group_of.get(index).copied().flatten();
        group(one).is_some() && group(one) == group(other)
    }
}

impl DescribedSection {
    fn read(sdp: &Sdp, media: &MediaDescription, index: usize) -> Result<Self, Error> {
        let usage = usage(media);
        let is_media = matches!(usage, Use::Media(_));
        let rejected = media.is_rejected();
        let mut section = Self {
            index,
            mid: media.mid().map(|mid| mid.as_str().to_owned()),
            head: (*media.head).clone(),
            usage,
            rejected,
            bundle_only: media.has(&Attribute::BundleOnly) && media.port() == 0,
            direction: sdp.direction_for(media),
            codecs: Vec::new(),
            extensions: Vec::new(),
            streams: Vec::new(),
            simulcast: None,
            transport: TransportLines::read(sdp, media),
            data: PeerData {
                port: media.sctp_port().unwrap_or(DEFAULT_SCTP_PORT),
                max_message_size: media.max_message_size().unwrap_or(DEFAULT_MAX_MESSAGE_SIZE),
            },
            rtcp_mux: media.has(&Attribute::RtcpMux) || media.has(&Attribute::RtcpMuxOnly),
            rtcp_rsize: media.has(&Attribute::RtcpRsize),
            sources: Sources::read(media),
        };
        if is_media && !rejected {
            let named = |error: Error| Error {
                message: format!("m-section {index}: {}", error.message).into(),
                ..error
            };
            section.codecs = read_codecs(media).map_err(named)?;
            section.extensions = read_extensions(sdp, media).map_err(named)?;
            section.simulcast = read_simulcast(media).map_err(named)?;
            section.streams = streams(media);
        }
        Ok(section)
    }
}

impl TransportLines {
    fn read(sdp: &Sdp, media: &MediaDescription) -> Self {
        // What the session says is kept once for every section: only what can be right is.
        let ufrag = sdp.ice_ufrag_for(media).map(|ufrag| ufrag.as_str());
        let pwd = sdp.ice_pwd_for(media).map(|pwd| pwd.as_str());
        let ice = ufrag.zip(pwd);
        let valid =
            ice.filter(|(ufrag, pwd)| pc_sdp::is_ice_ufrag(ufrag) && pc_sdp::is_ice_pwd(pwd));
        let tls_id = sdp.tls_id_for(media).map(|id| id.as_str());
        Self {
            ice: valid.map(|(ufrag, pwd)| IceCredentials {
                ufrag: ufrag.to_owned(),
                pwd: pwd.to_owned(),
            }),
            malformed_ice: ice.is_some() && valid.is_none(),
            lite: sdp.is_ice_lite(),
            trickle: sdp.ice_options_for(media).any(|option| option == "trickle"),
            renomination: sdp
                .ice_options_for(media)
                .any(|option| option == "renomination"),
            has_fingerprint: sdp.fingerprints_for(media).next().is_some(),
            fingerprints: sdp
                .fingerprints_for(media)
                .filter(|it| is_safe(&it.hash))
                .take(MAX_FINGERPRINTS)
                .cloned()
                .collect(),
            setup: sdp.setup_for(media),
            tls_id: tls_id
                .filter(|id| id.len() <= MAX_TLS_ID)
                .map(str::to_owned),
            candidates: media.candidates().take(MAX_CANDIDATES).cloned().collect(),
            end_of_candidates: sdp.end_of_candidates_for(media),
        }
    }

    /// Whether a transport can be made of these: credentials and fingerprints that can be used.
    pub(crate) fn check(&self, index: usize) -> Result<&IceCredentials, Error> {
        if self.malformed_ice {
            let what = "a=ice-ufrag or a=ice-pwd is malformed (RFC 8839 §5.4)";
            return Err(in_section(index, what));
        }
        let Some(ice) = &self.ice else {
            return Err(in_section(index, "has no a=ice-ufrag and a=ice-pwd"));
        };
        if !self.has_fingerprint {
            return Err(in_section(index, "has no a=fingerprint (RFC 8827 §6.5)"));
        }
        if self.fingerprints.is_empty() {
            let what = "has no a=fingerprint with a hash that is safe to use (RFC 8122 §5)";
            return Err(in_section(index, what));
        }
        if let Some(wrong) = self.fingerprints.iter().find(|it| !it.has_valid_len()) {
            let what = format!("a=fingerprint: not of the length of {}", wrong.hash);
            return Err(in_section(index, &what));
        }
        if self.setup == Some(Setup::Holdconn) {
            return Err(in_section(index, "a=setup:holdconn is of no use to WebRTC"));
        }
        Ok(ice)
    }
}

/// An `InvalidAccessError` about one m-section.
pub(crate) fn in_section(index: usize, what: &str) -> Error {
    Error::invalid_access(format!("m-section {index}: {what}"))
}

/// RFC 8122 §5 excludes MD2 and MD5; what is unknown cannot be verified.
fn is_safe(hash: &HashFunction) -> bool {
    matches!(
        hash,
        HashFunction::Sha1
            | HashFunction::Sha224
            | HashFunction::Sha256
            | HashFunction::Sha384
            | HashFunction::Sha512
    )
}

/// RFC 5888 §4: a mid names one m-section.
fn mids(sections: &[DescribedSection]) -> Result<HashMap<&str, usize>, Error> {
    let mut indexes = HashMap::with_capacity(sections.len());
    for section in sections {
        let Some(mid) = section.mid.as_deref() else {
            continue;
        };
        if indexes.insert(mid, section.index).is_some() {
            let message = format!("two m-sections have the mid {mid:?} (RFC 5888 §4)");
            return Err(Error::invalid_access(message));
        }
    }
    Ok(indexes)
}

/// RFC 9429 §5.1.2 and §5.1.3: which protocols are those of WebRTC.
fn usage(media: &MediaDescription) -> Use {
    let dtls_srtp = matches!(
        media.protocol(),
        Protocol::UdpTlsRtpSavpf
            | Protocol::UdpTlsRtpSavp
            | Protocol::TcpDtlsRtpSavpf
            | Protocol::TcpDtlsRtpSavp
            | Protocol::RtpSavpf
            | Protocol::RtpSavp
    );
    match media.kind() {
        pc_sdp::MediaKind::Audio if dtls_srtp => Use::Media(MediaKind::Audio),
        pc_sdp::MediaKind::Video if dtls_srtp => Use::Media(MediaKind::Video),
        pc_sdp::MediaKind::Application if media.is_data_channel() => Use::Data,
        _ => Use::Unknown,
    }
}

fn streams(media: &MediaDescription) -> Vec<String> {
    let mut streams: Vec<String> = Vec::new();
    for stream in media.msids().filter_map(|msid| msid.stream_id()) {
        // A track is in few streams; a hostile description is bounded by what is looked at.
        if streams.len() < MAX_STREAMS && !streams.iter().any(|known| known == stream.as_str()) {
            streams.push(stream.as_str().to_owned());
        }
    }
    streams
}

/// How many streams of a track are looked at.
pub(crate) const MAX_STREAMS: usize = 64;
