//! What a remote description says that matters to a data-only session.

use std::collections::HashSet;

use pc_jsep::IceCredentials;
use pc_sdp::{Attribute, Fingerprint, MediaDescription, SessionDescription as Sdp, Setup};

use super::dtls_transport::verifiable;
use crate::{Error, RtcError, RtcErrorDetail, SessionDescription, description::SdpType};

/// A remote description, checked.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    pub(super) kind: SdpType,
    pub(super) sdp: Sdp,
    pub(super) data: Option<DataSection>,
}

/// The m-section that carries the data channels.
#[derive(Debug, Clone)]
pub(super) struct DataSection {
    pub(super) index: usize,
    pub(super) ice: IceCredentials,
    pub(super) ice_lite: bool,
    pub(super) trickle: bool,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) setup: Setup,
    pub(super) candidates: Vec<pc_sdp::Candidate>,
    pub(super) end_of_candidates: bool,
    pub(super) sctp_port: u16,
    /// RFC 8841 §6: 65,536 when not said; 0 is "any".
    pub(super) max_message_size: u64,
}

impl Remote {
    /// Reads and checks a description.
    ///
    /// # Errors
    ///
    /// `OperationError` with the line, when it is not SDP; `InvalidAccessError`, when what a
    /// connection needs is missing or malformed.
    pub(super) fn parse(description: &SessionDescription) -> Result<Self, Error> {
        let kind = description.kind;
        if !matches!(kind, SdpType::Offer | SdpType::Answer) {
            return Err(super::negotiation::not_supported(kind));
        }
        let sdp = Sdp::parse(&description.sdp).map_err(syntax_error)?;
        let mut live = sdp.media.iter().enumerate();
        let data = live
            .find(|(_, media)| media.is_data_channel() && !media.is_rejected())
            .map(|(index, media)| DataSection::read(&sdp, media, index, kind))
            .transpose()?;
        Ok(Self { kind, sdp, data })
    }
}

impl Remote {
    /// RFC 8843 §15: a mid names one m-section.
    pub(super) fn check_mids(&self) -> Result<(), Error> {
        let mut seen = HashSet::new();
        for mid in self.sdp.media.iter().filter_map(|media| media.mid()) {
            if !seen.insert(mid.as_str()) {
                let message = format!("two m-sections have the mid {:?}", mid.as_str());
                return Err(Error::InvalidAccess(message.into()));
            }
        }
        Ok(())
    }

    /// The index of the m-section with this mid.
    pub(super) fn position_of(&self, mid: &str) -> Option<usize> {
        self.sdp
            .media
            .iter()
            .position(|media| media.mid().is_some_and(|own| own.as_str() == mid))
    }

    /// Takes a trickled candidate into the description, as [`write`](Self::write) shows it.
    /// Bounded: ICE uses no more than this many either.
    pub(super) fn add_candidate(&mut self, candidate: pc_sdp::Candidate) {
        const MAX_CANDIDATES: usize = 256;
        let Some(data) = &mut self.data else { return };
        if data.candidates.len() < MAX_CANDIDATES && !data.candidates.contains(&candidate) {
            data.candidates.push(candidate);
        }
    }

    /// The description with the candidates that have come since.
    pub(super) fn write(&self) -> SessionDescription {
        let mut sdp = self.sdp.clone();
        if let Some(data) = &self.data
            && let Some(media) = sdp.media.get_mut(data.index)
        {
            let said = media.candidates().count();
            for candidate in data.candidates.iter().skip(said) {
                media.push(Attribute::Candidate(Box::new(candidate.clone())));
            }
            if data.end_of_candidates && !sdp.end_of_candidates_for(&sdp.media[data.index]) {
                sdp.media[data.index].push(Attribute::EndOfCandidates);
            }
        }
        SessionDescription {
            kind: self.kind,
            sdp: sdp.to_string(),
        }
    }
}

impl DataSection {
    fn read(
        sdp: &Sdp,
        media: &MediaDescription,
        index: usize,
        kind: SdpType,
    ) -> Result<Self, Error> {
        let missing =
            |what: &str| Error::InvalidAccess(format!("m-section {index} has no {what}").into());
        let ufrag = sdp
            .ice_ufrag_for(media)
            .ok_or_else(|| missing("a=ice-ufrag"))?;
        let pwd = sdp.ice_pwd_for(media).ok_or_else(|| missing("a=ice-pwd"))?;
        if !pc_sdp::is_ice_ufrag(ufrag) || !pc_sdp::is_ice_pwd(pwd) {
            let message = format!("m-section {index}: a=ice-ufrag or a=ice-pwd is malformed");
            return Err(Error::InvalidAccess(message.into()));
        }
        // RFC 8842 §5.2: an offer that says nothing is taken for actpass, an answer for active.
        let default = if kind == SdpType::Offer {
            Setup::Actpass
        } else {
            Setup::Active
        };
        let setup = sdp.setup_for(media).unwrap_or(default);
        if setup == Setup::Holdconn {
            return Err(Error::InvalidAccess(
                "a=setup:holdconn is of no use to WebRTC".into(),
            ));
        }
        let fingerprints: Vec<_> = sdp.fingerprints_for(media).cloned().collect();
        verifiable(fingerprints.iter())?;
        Ok(Self {
            index,
            ice: IceCredentials {
                ufrag: ufrag.as_str().to_owned(),
                pwd: pwd.as_str().to_owned(),
            },
            ice_lite: sdp.is_ice_lite(),
            trickle: sdp.ice_options_for(media).any(|option| option == "trickle"),
            fingerprints,
            setup,
            candidates: media.candidates().cloned().collect(),
            end_of_candidates: sdp.end_of_candidates_for(media),
            sctp_port: media.sctp_port().unwrap_or(super::data::SCTP_PORT),
            max_message_size: media.max_message_size().unwrap_or(65_536),
        })
    }
}

pub(super) fn syntax_error(error: pc_sdp::ParseError) -> Error {
    let line = error.line;
    let mut rtc = RtcError::new(RtcErrorDetail::SdpSyntaxError, error.to_string());
    rtc.sdp_line_number = Some(line);
    Error::Rtc(rtc)
}
