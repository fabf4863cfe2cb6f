//! What a server does for each viewer with str0m: its direct interface to RTP, the payload shared and the
//! VP8 descriptor patched as it writes, packets kept for NACKs, as its documentation has it for an SFU.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use str0m::{
    Candidate, Input, Output, Rtc,
    format::Codec,
    media::{MediaKind, Pt},
    net::{Protocol, Receive, Transmit},
    rtp::{RtpWrite, Ssrc, Vp8Descriptor},
};

use super::Stream;

struct Viewer {
    rtc: Rtc,
    ssrc: Ssrc,
    pt: Pt,
}

pub(crate) struct Server {
    viewers: Vec<Viewer>,
    sequence: u64,
    picture_id: u16,
}

fn drain(rtc: &mut Rtc, out: &mut Vec<Transmit>) -> Instant {
    loop {
        match rtc.poll_output().unwrap() {
            Output::Timeout(at) => return at,
            Output::Transmit(transmit) => out.push(transmit),
            Output::Event(_) => {}
        }
    }
}

/// A connection to a viewer who is there only until it is connected.
fn connect(start: Instant) -> Rtc {
    let build = |address: &str, other: &str| {
        let candidate = |address: &str| {
            let address: SocketAddr = address.parse().unwrap();
            Candidate::host(address, "udp").unwrap()
        };
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .set_stats_interval(None)
            .build(start);
        rtc.add_local_candidate(candidate(address));
        rtc.add_remote_candidate(candidate(other));
        rtc
    };
    let (a, b) = ("192.0.2.1:5000", "192.0.2.2:5000");
    let mut peers = [build(a, b), build(b, a)];
    let prints = [0, 1].map(|at: usize| peers[at].direct_api().local_dtls_fingerprint().clone());
    let credentials = [0, 1].map(|at: usize| peers[at].direct_api().local_ice_credentials());
    for (at, peer) in peers.iter_mut().enumerate() {
        let mut direct = peer.direct_api();
        direct.set_remote_fingerprint(prints[1 - at].clone());
        direct.set_remote_ice_credentials(credentials[1 - at].clone());
        direct.set_ice_controlling(at == 0);
        direct.start_dtls(at == 0).unwrap();
    }
    let mut now = start;
    while !peers.iter().all(Rtc::is_connected) {
        for from in [0, 1] {
            let mut transmits = Vec::new();
            drain(&mut peers[from], &mut transmits);
            for transmit in &transmits {
                let receive = Receive {
                    proto: Protocol::Udp,
                    source: transmit.source,
                    destination: transmit.destination,
                    contents: transmit.contents[..].try_into().unwrap(),
                };
                peers[1 - from]
                    .handle_input(Input::Receive(now, receive))
                    .unwrap();
            }
        }
        now += Duration::from_millis(1);
        for peer in &mut peers {
            peer.handle_input(Input::Timeout(now)).unwrap();
        }
    }
    let [server, _] = peers;
    server
}

impl Server {
    pub(crate) fn new(viewers: usize, start: Instant) -> Self {
        str0m::crypto::from_feature_flags().install_process_default();
        let viewer = |number: usize| {
            let mut rtc = connect(start);
            let (ssrc, mid) = (Ssrc::from(number as u32 + 1), "0".into());
            rtc.direct_api().declare_media(mid, MediaKind::Video);
            rtc.direct_api().declare_stream_tx(ssrc, None, mid, None);
            let params = rtc.codec_config();
            let vp8 = params
                .params()
                .iter()
                .find(|it| it.spec().codec == Codec::Vp8);
            let pt = vp8.unwrap().pt();
            drain(&mut rtc, &mut Vec::new());
            Viewer { rtc, ssrc, pt }
        };
        Self {
            viewers: (0..viewers).map(viewer).collect(),
            sequence: 1,
            picture_id: 0,
        }
    }

    /// Sends a burst to everybody; how many datagrams there are.
    pub(crate) fn forward(
        &mut self,
        now: Instant,
        packets: &[Vec<u8>],
        out: &mut Vec<Transmit>,
    ) -> usize {
        self.picture_id = (self.picture_id + 1) & 0x7FFF;
        let mut datagrams = 0;
        let payloads: Vec<(Arc<[u8]>, Vp8Descriptor)> = packets
            .iter()
            .map(|packet| {
                let payload = Stream::payload(packet);
                (payload.into(), Vp8Descriptor::parse(payload).unwrap())
            })
            .collect();
        for viewer in &mut self.viewers {
            viewer.rtc.handle_input(Input::Timeout(now)).unwrap();
            for (at, (payload, descriptor)) in payloads.iter().enumerate() {
                let patch = descriptor
                    .patch()
                    .picture_id(self.picture_id)
                    .build()
                    .unwrap();
                let mut direct = viewer.rtc.direct_api();
                let stream = direct.stream_tx(&viewer.ssrc).unwrap();
                let number = (self.sequence + at as u64).into();
                let time = u32::from(self.picture_id).wrapping_mul(3000);
                stream.write_rtp(
                    RtpWrite::new(viewer.pt, number, time, now, payload.clone())
                        .marker(at + 1 == packets.len())
                        .nackable(true)
                        .vp8_patch(patch),
                );
                // Its documentation: a full drain after each write.
                drain(&mut viewer.rtc, out);
            }
            datagrams += out.len();
            out.clear();
        }
        self.sequence += packets.len() as u64;
        datagrams
    }
}
