//! RTP on one transport: its session of senders and receivers, and SRTP around it.

use std::{collections::VecDeque, time::Instant};

use pc_dtls::{self as dtls, SrtpKeyingMaterial, SrtpProfile};
use pc_proto::{Protocol, TransmitBuf};
use pc_rtp_session as rtp;
use pc_srtp as srtp;

use super::Rejected;

/// SRTP that came before DTLS had its keys: the peer's handshake is over one flight before ours. Kept
/// so that a stream does not begin with a hole, and a key frame is not asked for twice.
const MAX_EARLY: usize = 64;

pub(super) struct RtpTransport {
    pub(super) session: rtp::Session,
    keys: Option<Keys>,
    early: VecDeque<Vec<u8>>,
}

/// The keys of both directions, RFC 5764 §4.2.
struct Keys {
    send: srtp::Sender,
    receive: srtp::Receiver,
    /// What SRTP or SRTCP adds to a packet, at most.
    overhead: usize,
}

impl RtpTransport {
    pub(super) fn new(now: Instant, config: rtp::Config) -> Self {
        Self {
            session: rtp::Session::new(now, config),
            keys: None,
            early: VecDeque::new(),
        }
    }

    /// Whether DTLS has agreed on keys.
    pub(super) fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Takes the keys of an association that is up, whose peer has been verified; whether it just has.
    pub(super) fn follow(&mut self, now: Instant, connection: Option<&dtls::Connection>) -> bool {
        if self.keys.is_some() {
            return false;
        }
        let keys = connection.and_then(|connection| {
            let material = connection.srtp_keying_material()?;
            Keys::new(material, connection.role())
        });
        self.keys = keys;
        if self.keys.is_none() {
            return false;
        }
        for mut packet in std::mem::take(&mut self.early) {
            let _ = self.handle_input(now, &mut packet);
        }
        true
    }

    pub(super) fn handle_input<'d>(
        &mut self,
        now: Instant,
        datagram: &'d mut [u8],
    ) -> Result<rtp::Input<'d>, Rejected> {
        let Some(keys) = &mut self.keys else {
            return Err(self.keep(datagram));
        };
        let packet = if pc_rtp::is_rtcp(datagram) {
            keys.receive.unprotect_rtcp(datagram)?
        } else {
            keys.receive.unprotect_rtp(datagram)?
        };
        Ok(self.session.handle_input(now, (), packet)?)
    }

    fn keep(&mut self, datagram: &[u8]) -> Rejected {
        if self.early.len() < MAX_EARLY {
            self.early.push_back(datagram.to_vec());
        }
        Rejected::BeforeKeys
    }

    /// Writes RTP and RTCP as long as `out` takes them, each packet sealed where it is written.
    pub(super) fn write(&mut self, now: Instant, out: &mut TransmitBuf<'_>) {
        let Some(keys) = &mut self.keys else { return };
        let Keys { send, overhead, .. } = keys;
        while !out.is_full() {
            let session = &mut self.session;
            let written = out.wrap(
                0,
                *overhead,
                |inner| session.poll_transmit(now, inner),
                |packet| {
                    let len = packet.len().checked_sub(*overhead)?;
                    if pc_rtp::is_rtcp(packet) {
                        send.protect_rtcp(packet, len).ok()
                    } else {
                        send.protect_rtp(packet, len).ok()
                    }
                },
            );
            if written.is_none() {
                break;
            }
        }
    }
}

impl Keys {
    /// `None` when the material does not fit its profile, which `pc_dtls` rules out.
    fn new(material: &SrtpKeyingMaterial, role: dtls::Role) -> Option<Self> {
        let profile = profile(material.profile())?;
        let client = (material.client_key(), material.client_salt());
        let server = (material.server_key(), material.server_salt());
        let (own, peer) = match role {
            dtls::Role::Client => (client, server),
            _ => (server, client),
        };
        let options = srtp::Options::default;
        Some(Self {
            send: srtp::Sender::new(profile, own.0, own.1, options()).ok()?,
            receive: srtp::Receiver::new(profile, peer.0, peer.1, options()).ok()?,
            overhead: profile.rtp_overhead().max(profile.rtcp_overhead()),
        })
    }
}

fn profile(negotiated: SrtpProfile) -> Option<srtp::Profile> {
    Some(match negotiated {
        SrtpProfile::Aes128CmSha1_80 => srtp::Profile::Aes128CmSha1_80,
        SrtpProfile::AeadAes128Gcm => srtp::Profile::AeadAes128Gcm,
        SrtpProfile::AeadAes256Gcm => srtp::Profile::AeadAes256Gcm,
        _ => return None,
    })
}
