//! `createOffer` (RFC 9429 §5.2).

use std::{collections::HashMap, sync::Arc};

use pc_sdp::{Attribute, Group, Origin, Protocol, SessionDescription as Sdp, Setup, Word};

use crate::{
    CodecParameters, Error, HeaderExtension, SdpType, Session, SignalingState, TransceiverId,
    TransportId,
    agreement::{LocalTransport, Owner, Section},
    bundle::Numbers,
    codec::offer_codecs,
    created::{Created, CreatedSection},
    description::Description,
    encoding::{RidAlternatives, write_offer_simulcast},
    extension::offer_extensions,
    layout::Layout,
    transceiver::Transceiver,
    write::{self, MediaSection, TransportSection},
};

/// `RTCOfferOptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfferOptions {
    /// New ICE credentials for every transport (RFC 8445 §9).
    pub ice_restart: bool,
}

impl Session {
    /// Whether an offer can be created now (RFC 9429 §4.1.8).
    ///
    /// # Errors
    ///
    /// `InvalidStateError`.
    pub fn check_create_offer(&self) -> Result<(), Error> {
        self.check_open()?;
        match self.state {
            SignalingState::Stable | SignalingState::HaveLocalOffer => Ok(()),
            state => Err(Error::invalid_state(format!(
                "cannot create an offer in the signaling state \"{state}\""
            ))),
        }
    }

    /// `createOffer()`: a description for everything that the application wants now.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`; `OperationError`: more codecs or header extensions than there are numbers.
    pub fn create_offer(&mut self, options: OfferOptions) -> Result<String, Error> {
        self.check_create_offer()?;
        let mut next = self.clone();
        let text = next.make_offer(options)?;
        *self = next;
        Ok(text)
    }

    fn make_offer(&mut self, options: OfferOptions) -> Result<String, Error> {
        let layout = Layout::of_offer(self)?;
        let transports = self.offered_transports(&layout, options);
        let sdp = OfferWriter::new(self, &layout, &transports).write()?;
        let text = sdp.to_string();
        self.session_version += 1;
        self.drafts = layout.drafts;
        self.created_offer = Some(Arc::new(Created {
            description: Description::new(SdpType::Offer, sdp)?,
            text: text.clone(),
            sections: layout.sections,
            transports,
            revision: self.revision,
        }));
        Ok(text)
    }

    /// The credentials of every transport in the offer: as they are, or new.
    fn offered_transports(
        &mut self,
        layout: &Layout,
        options: OfferOptions,
    ) -> Vec<LocalTransport> {
        let mut locals: Vec<LocalTransport> = Vec::new();
        for id in layout.sections.iter().filter_map(|own| own.transport) {
            if locals.iter().any(|local| local.id == id) {
                continue;
            }
            let mut local = self.agreement.local_transport(id, &mut self.random);
            let before = self.created_offer.as_ref().and_then(|created| {
                let mut known = created.transports.iter();
                known.find(|known| known.id == id)
            });
            let is_known = self.agreement.plan(id).is_some();
            match before {
                // Proposed before: the same again.
                Some(before) if !is_known => local = before.clone(),
                _ => {}
            }
            let replaced = self.to_replace.contains(&local.credentials);
            if replaced || (options.ice_restart && is_known) {
                local.credentials = self.random.credentials();
            }
            locals.push(local);
        }
        locals
    }
}

struct OfferWriter<'a> {
    session: &'a Session,
    layout: &'a Layout,
    transports: &'a [LocalTransport],
    payload_types: crate::codec::PayloadTypes,
    extension_ids: crate::extension::ExtensionIds,
    /// The codecs and header extensions of each transport's sections.
    numbers: HashMap<TransportId, Vec<SectionNumbers>>,
}

type SectionNumbers = (Vec<CodecParameters>, Vec<HeaderExtension>);

impl<'a> OfferWriter<'a> {
    fn new(session: &'a Session, layout: &'a Layout, transports: &'a [LocalTransport]) -> Self {
        Self {
            payload_types: session.agreement.payload_types.clone(),
            extension_ids: session.agreement.extension_ids.clone(),
            session,
            layout,
            transports,
            numbers: HashMap::new(),
        }
    }

    fn write(mut self) -> Result<Sdp, Error> {
        let session = self.session;
        let mut sdp = Sdp::new(Origin::new(session.session_id, session.session_version + 1));
        let sections = self.layout.sections.iter().enumerate();
        let media = sections
            .map(|(index, own)| self.section(index, own))
            .collect::<Result<Vec<_>, _>>()?;
        for group in self.groups()? {
            sdp.push(Attribute::Group(Group::bundle(group)));
        }
        sdp.push(Attribute::ExtmapAllowMixed);
        sdp.media = media;
        Ok(sdp)
    }

    /// One bundle for all, but for transports whose sections use a number for something else than the
    /// others do, as sections may that the peer has not bundled: they stay by themselves.
    fn groups(&self) -> Result<Vec<Vec<Word>>, Error> {
        let mut all = Numbers::default();
        let mut groups: Vec<Vec<Word>> = vec![Vec::new()];
        for local in self.transports {
            let sections = self.layout.sections.iter();
            let own = sections.filter(|own| own.transport == Some(local.id) && own.has_mid);
            let mids = own.clone().map(|own| write::word(&own.mid));
            let mids = mids.collect::<Result<Vec<_>, _>>()?;
            let mut with_these = all.clone();
            let numbers = self.numbers.get(&local.id);
            let learned = numbers.into_iter().flatten();
            let fits = learned
                .map(|(codecs, extensions)| with_these.learn(codecs, extensions))
                .all(|learned| learned.is_ok());
            match groups.first_mut().filter(|_| fits) {
                Some(first) => {
                    all = with_these;
                    first.extend(mids);
                }
                None => groups.push(mids),
            }
        }
        groups.retain(|group| !group.is_empty());
        Ok(self.in_order(groups))
    }

    /// The mids of a group in the order of their sections: the first one leads.
    fn in_order(&self, mut groups: Vec<Vec<Word>>) -> Vec<Vec<Word>> {
        let sections = self.layout.sections.iter().enumerate();
        let places: HashMap<&str, usize> = sections.map(|(at, own)| (&*own.mid, at)).collect();
        for group in &mut groups {
            group.sort_by_key(|mid| places.get(mid.as_str()).copied());
        }
        groups
    }

    fn section(
        &mut self,
        index: usize,
        own: &CreatedSection,
    ) -> Result<pc_sdp::MediaDescription, Error> {
        let mid = own.has_mid.then_some(own.mid.as_str());
        let known = self.session.agreement.sections.get(index);
        let Some(transport) = own.transport.and_then(|id| self.transport(id, index)) else {
            let head = match known {
                Some(known) => known.head.clone(),
                None => pc_sdp::MediaDescription::data_channel(0).head.into_inner(),
            };
            return write::rejected_section(&head, mid);
        };
        match own.owner {
            Owner::Transceiver(id) => self.media(index, id, mid, &transport),
            Owner::Data | Owner::None => {
                write::data_section(mid, None, &transport, self.session.config.max_message_size)
            }
        }
    }

    fn transport(&self, id: TransportId, index: usize) -> Option<TransportSection<'a>> {
        let local = self.transports.iter().find(|local| local.id == id)?;
        let mid = &self.layout.sections.get(index)?.mid;
        let is_tagged = self.layout.tagged(id) == Some(index);
        let session = self.session;
        Some(TransportSection {
            local,
            credentials: session.shown_credentials(index, mid, is_tagged, local),
            fingerprints: &self.session.config.fingerprints,
            // RFC 8842 §5.2: offers leave the choice to the answerer, later ones too.
            setup: Setup::Actpass,
            with_tls_id: true,
            bundle_only: self.layout.bundle_only.get(index).copied().unwrap_or(false),
        })
    }

    fn media(
        &mut self,
        index: usize,
        id: TransceiverId,
        mid: Option<&str>,
        transport: &TransportSection<'_>,
    ) -> Result<pc_sdp::MediaDescription, Error> {
        let gone = || Error::operation("the transceiver of an m-section is gone");
        let transceiver = self.session.transceiver_ref(id).ok_or_else(gone)?;
        let direction = transceiver.direction;
        let same = self.session.agreement.sections.get(index);
        let same = same.filter(|section| section.owner == Owner::Transceiver(id));
        let capabilities = self.session.config.capabilities.of(transceiver.kind);
        let codecs = offer_codecs(
            capabilities,
            transceiver.preferences.as_deref(),
            direction.sends(),
            direction.receives(),
            &known_codecs(transceiver, same),
            &mut self.payload_types,
        )?;
        let extensions: Vec<HeaderExtension> = offer_extensions(
            &transceiver.extensions,
            same.map_or(&[], |section| &section.extensions),
            &mut self.extension_ids,
        );
        let own = MediaSection {
            kind: transceiver.kind,
            protocol: Protocol::UdpTlsRtpSavpf,
            direction: direction.to_sdp(),
            codecs: &codecs,
            extensions: &extensions,
            msid: msid(transceiver),
            rtcp_rsize: true,
        };
        let mut media = write::media_section(&own, mid, transport)?;
        let encodings = &transceiver.sender.encodings;
        let received = direction
            .receives()
            .then(|| self.received_simulcast(index, mid));
        write_offer_simulcast(
            direction.sends().then_some(encodings),
            received.flatten().unwrap_or(&[]),
            &mut media,
        );
        let numbers = self.numbers.entry(transport.local.id).or_default();
        numbers.push((codecs, extensions));
        Ok(media)
    }

    /// The simulcast that the section receives: it is offered again, lest the answer ends it
    /// (RFC 8853 §5.3).
    fn received_simulcast(&self, index: usize, mid: Option<&str>) -> Option<&'a [RidAlternatives]> {
        let session = self.session;
        let local = session.descriptions.current_local.as_ref()?;
        let section = local.sections.get(index)?;
        let same = !section.rejected && section.mid.as_deref() == mid;
        let simulcast = section.simulcast.as_ref().filter(|_| same)?;
        Some(&simulcast.recv)
    }
}

/// RFC 9429 §5.2.2: what the last exchange agreed on comes first and in its order; all that was ever
/// named in the section keeps its number.
fn known_codecs(transceiver: &Transceiver, section: Option<&Section>) -> Vec<CodecParameters> {
    let mut known = transceiver.negotiated.receive.clone();
    let named = section.map_or(&[][..], |section| &section.codecs);
    for codec in named {
        if !known
            .iter()
            .any(|own| own.payload_type == codec.payload_type)
        {
            known.push(codec.clone());
        }
    }
    known
}

/// RFC 9429 §5.2.1 and §5.3.1: said of every transceiver that is to send, even where the peer does not
/// receive. Were an answer silent then, negotiation would be needed again at once, for the streams are
/// not described (WebRTC §4.7.3), and for ever if that is so on both sides.
pub(crate) fn msid(transceiver: &Transceiver) -> Option<(&[String], &str)> {
    let sender = &transceiver.sender;
    let sends = transceiver.direction.sends();
    sends.then_some((&*sender.streams, &*sender.msid))
}
