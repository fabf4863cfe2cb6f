//! `createOffer` (RFC 9429 §5.2).

use std::sync::Arc;

use pc_sdp::{Attribute, Group, Origin, Protocol, SessionDescription as Sdp, Setup, Word};

use crate::{
    Error, SdpType, Session, SignalingState, TransceiverId, TransportId,
    agreement::{LocalTransport, Owner},
    created::{Created, CreatedSection},
    description::Description,
    encoding::{RidAlternatives, write_offer_simulcast},
    grouping::{OfferedGroup, SectionNumbers},
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
        let numbers = self.offered_numbers(&layout)?;
        let groups = self.offered_groups(&layout, &numbers, options);
        let transports = self.offered_transports(&groups, options);
        let writer = OfferWriter {
            session: self,
            layout: &layout,
            numbers: &numbers,
            groups: &groups,
            transports: &transports,
        };
        let sdp = writer.write()?;
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
}

struct OfferWriter<'a> {
    session: &'a Session,
    layout: &'a Layout,
    /// The codecs and header extensions of each section.
    numbers: &'a [Option<SectionNumbers>],
    groups: &'a [OfferedGroup],
    transports: &'a [LocalTransport],
}

impl<'a> OfferWriter<'a> {
    fn write(&self) -> Result<Sdp, Error> {
        let session = self.session;
        let mut sdp = Sdp::new(Origin::new(session.session_id, session.session_version + 1));
        for group in self.groups {
            let mids = self.mids(group)?;
            if !mids.is_empty() {
                sdp.push(Attribute::Group(Group::bundle(mids)));
            }
        }
        write::write_ice_lite(&mut sdp, session.config.ice_lite);
        sdp.push(Attribute::ExtmapAllowMixed);
        for (index, own) in self.layout.sections.iter().enumerate() {
            sdp.media.push(self.section(index, own)?);
        }
        Ok(sdp)
    }

    /// The mids of a group in the order of their sections: the first one leads.
    fn mids(&self, group: &OfferedGroup) -> Result<Vec<Word>, Error> {
        let sections = self.layout.sections.iter().filter(|own| own.has_mid);
        let members = sections.filter(|own| {
            let transport = own.transport.as_ref();
            transport.is_some_and(|id| group.transports.contains(id))
        });
        members.map(|own| write::word(&own.mid)).collect()
    }

    fn section(
        &self,
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
        Some(TransportSection {
            local,
            fingerprints: &self.session.config.fingerprints,
            // RFC 8842 §5.2: offers leave the choice to the answerer, later ones too.
            setup: Setup::Actpass,
            with_tls_id: true,
            renomination: true,
            bundle_only: self.layout.bundle_only.get(index).copied().unwrap_or(false),
        })
    }

    fn media(
        &self,
        index: usize,
        id: TransceiverId,
        mid: Option<&str>,
        transport: &TransportSection<'_>,
    ) -> Result<pc_sdp::MediaDescription, Error> {
        let transceiver = self.session.offered_transceiver(id)?;
        let direction = transceiver.direction;
        let numbers = self.numbers.get(index).and_then(Option::as_ref);
        let unnumbered = || Error::operation("an m-section has no codecs");
        let SectionNumbers { codecs, extensions } = numbers.ok_or_else(unnumbered)?;
        let own = MediaSection {
            kind: transceiver.kind,
            protocol: Protocol::UdpTlsRtpSavpf,
            direction: direction.to_sdp(),
            codecs,
            extensions,
            msid: msid(transceiver),
            rtcp_rsize: true,
        };
        let mut media = write::media_section(&own, mid, transport)?;
        let encodings = &transceiver.sender.encodings;
        let received = direction
            .receives()
            .then(|| match self.received_simulcast(index, mid) {
                Some(agreed) if !agreed.is_empty() => agreed,
                _ => &transceiver.receiver.wanted,
            });
        write_offer_simulcast(
            direction.sends().then_some(encodings),
            received.unwrap_or(&[]),
            &mut media,
        );
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

/// RFC 9429 §5.2.1 and §5.3.1: said of every transceiver that is to send, even where the peer does not
/// receive. Were an answer silent then, negotiation would be needed again at once, for the streams are
/// not described (WebRTC §4.7.3), and for ever if that is so on both sides.
pub(crate) fn msid(transceiver: &Transceiver) -> Option<(&[String], &str)> {
    let sender = &transceiver.sender;
    let sends = transceiver.direction.sends();
    sends.then_some((&*sender.streams, &*sender.msid))
}
