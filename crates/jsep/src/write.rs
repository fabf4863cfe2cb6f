//! Own m-sections, written (RFC 9429 §5.2.1 and §5.3.1).

use pc_sdp::{
    Attribute, Connection, Fingerprint, Formats, IceOptions, IcePwd, MediaDescription, MediaLine,
    Msid, NetworkAddress, PayloadType, Protocol, Rtcp, SessionDescription, Setup, Word,
};

use crate::{
    CodecParameters, Error, HeaderExtension, MediaKind,
    agreement::{LocalTransport, Section},
    codec::write_codecs,
    extension::write_extensions,
};

/// The port before there is a candidate (RFC 8840 §4.1.1: the "discard" port).
const DISCARD: u16 = 9;

/// What an own m-section for media says.
pub(crate) struct MediaSection<'a> {
    pub(crate) kind: MediaKind,
    /// The offer's protocol in an answer.
    pub(crate) protocol: Protocol,
    pub(crate) direction: pc_sdp::Direction,
    pub(crate) codecs: &'a [CodecParameters],
    pub(crate) extensions: &'a [HeaderExtension],
    /// The streams and the second part of `a=msid`, where this side sends.
    pub(crate) msid: Option<(&'a [String], &'a str)>,
    pub(crate) rtcp_rsize: bool,
}

/// What every own m-section says of its transport.
pub(crate) struct TransportSection<'a> {
    pub(crate) local: &'a LocalTransport,
    pub(crate) fingerprints: &'a [Fingerprint],
    pub(crate) setup: Setup,
    pub(crate) with_tls_id: bool,
    pub(crate) bundle_only: bool,
    /// Offered, or answered to an offer that has it.
    pub(crate) renomination: bool,
}

pub(crate) fn media_section(
    own: &MediaSection<'_>,
    mid: Option<&str>,
    transport: &TransportSection<'_>,
) -> Result<MediaDescription, Error> {
    let mut media = MediaDescription::new(MediaLine {
        kind: match own.kind {
            MediaKind::Audio => pc_sdp::MediaKind::Audio,
            MediaKind::Video => pc_sdp::MediaKind::Video,
        },
        port: port(transport),
        port_count: None,
        protocol: own.protocol.clone(),
        formats: Formats::PayloadTypes(Vec::new()),
    });
    media.push(Connection::from(NetworkAddress::UNSPECIFIED));
    // RFC 9429 §5.2.1: this very value, for RTCP comes on the same port.
    media.push(Attribute::Rtcp(Rtcp {
        port: DISCARD,
        address: Some(NetworkAddress::UNSPECIFIED),
    }));
    write_transport(&mut media, transport)?;
    if let Some(mid) = mid {
        media.push(Attribute::Mid(word(mid)?));
    }
    write_extensions(own.extensions, &mut media);
    media.push(Attribute::Direction(own.direction));
    if let Some((streams, track)) = own.msid {
        write_msid(&mut media, streams, track)?;
    }
    media.push(Attribute::RtcpMux);
    if own.rtcp_rsize {
        media.push(Attribute::RtcpRsize);
    }
    write_codecs(own.codecs, &mut media);
    Ok(media)
}

pub(crate) fn data_section(
    mid: Option<&str>,
    protocol: Option<&MediaLine>,
    transport: &TransportSection<'_>,
    max_message_size: u64,
) -> Result<MediaDescription, Error> {
    let mut media = MediaDescription::data_channel(port(transport));
    if let Some(offered) = protocol {
        media.head.protocol = offered.protocol.clone();
        media.head.formats = offered.formats.clone();
    }
    media.push(Connection::from(NetworkAddress::UNSPECIFIED));
    write_transport(&mut media, transport)?;
    if let Some(mid) = mid {
        media.push(Attribute::Mid(word(mid)?));
    }
    media.push(Attribute::SctpPort(5000));
    media.push(Attribute::MaxMessageSize(max_message_size));
    Ok(media)
}

/// A section that is rejected, or was: the line with port 0 (RFC 9429 §5.2.2 and §5.3.1).
pub(crate) fn rejected_section(
    head: &MediaLine,
    mid: Option<&str>,
) -> Result<MediaDescription, Error> {
    let mut head = head.clone();
    head.port = 0;
    let is_rtp = head.protocol.is_rtp();
    if let Formats::PayloadTypes(types) = &mut head.formats {
        // A section of RTP has at least one format, whatever it is (RFC 3264 §6).
        types.truncate(1);
        if types.is_empty() {
            types.extend(PayloadType::new(0));
        }
    }
    let mut media = MediaDescription::new(head);
    media.push(Connection::from(NetworkAddress::UNSPECIFIED));
    if let Some(mid) = mid {
        media.push(Attribute::Mid(word(mid)?));
    }
    if is_rtp {
        media.push(Attribute::Direction(pc_sdp::Direction::Inactive));
    }
    Ok(media)
}

pub(crate) fn mid_of(section: &Section) -> Option<&str> {
    section.has_mid.then_some(section.mid.as_str())
}

pub(crate) fn word(text: &str) -> Result<Word, Error> {
    Word::new(text).map_err(|error| Error::operation(error.to_string()))
}

fn port(transport: &TransportSection<'_>) -> u16 {
    if transport.bundle_only { 0 } else { DISCARD }
}

/// RFC 8840 §4.1.1, draft-thatcher-ice-renomination §3.
fn ice_options(renomination: bool) -> Result<IceOptions, Error> {
    let mut options = vec![word("trickle")?];
    if renomination {
        options.push(word("renomination")?);
    }
    Ok(options.into_iter().collect())
}

/// RFC 8839 §5.3: of the whole session.
pub(crate) fn write_ice_lite(sdp: &mut SessionDescription, is_lite: bool) {
    if is_lite {
        sdp.push(Attribute::IceLite);
    }
}

/// As browsers do, the transport's lines stand in every section of a bundle, bundle-only ones too:
/// RFC 9143 §7.1.3 has those of the tagged section count.
fn write_transport(
    media: &mut MediaDescription,
    transport: &TransportSection<'_>,
) -> Result<(), Error> {
    let credentials = &transport.local.credentials;
    media.push(Attribute::IceUfrag(word(&credentials.ufrag)?));
    media.push(Attribute::IcePwd(IcePwd::from(word(&credentials.pwd)?)));
    media.push(Attribute::IceOptions(ice_options(transport.renomination)?));
    for fingerprint in transport.fingerprints {
        media.push(Attribute::Fingerprint(fingerprint.clone()));
    }
    media.push(Attribute::Setup(transport.setup));
    if transport.with_tls_id {
        media.push(Attribute::TlsId(word(&transport.local.tls_id)?));
    }
    if transport.bundle_only {
        media.push(Attribute::BundleOnly);
    }
    Ok(())
}

/// RFC 9429 §5.2.1: a line for each stream, and `-` for none.
fn write_msid(media: &mut MediaDescription, streams: &[String], track: &str) -> Result<(), Error> {
    let mut push = |stream: &str| {
        media.push(Attribute::Msid(Msid {
            stream: word(stream)?,
            track: Some(word(track)?),
        }));
        Ok::<_, Error>(())
    };
    if streams.is_empty() {
        return push("-");
    }
    streams.iter().try_for_each(|stream| push(stream))
}
