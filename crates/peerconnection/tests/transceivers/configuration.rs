//! `getConfiguration`, `setConfiguration` and certificates.

use std::time::Duration;

use peerconnection::{
    BundlePolicy, Certificate, CertificateOptions, Configuration, HashAlgorithm, HostAddresses,
    IceServer, IceTransportPolicy, KeyAlgorithm, MediaKind, PeerConnection,
};

use crate::{Side, connect, loopback, name};

#[tokio::test]
async fn the_configuration_is_what_was_given() {
    let given = Configuration {
        ice_transport_policy: IceTransportPolicy::Relay,
        bundle_policy: BundlePolicy::MaxBundle,
        ice_candidate_pool_size: 2,
        always_negotiate_data_channels: true,
        ..loopback()
    };
    let side = Side::of(given);
    let now = side.pc.configuration();
    assert_eq!(now.ice_transport_policy, IceTransportPolicy::Relay);
    assert_eq!(now.bundle_policy, BundlePolicy::MaxBundle);
    assert_eq!(now.ice_candidate_pool_size, 2);
    assert!(now.always_negotiate_data_channels && now.ice_servers.is_empty());
    let all = Configuration {
        ice_transport_policy: IceTransportPolicy::All,
        ..now
    };
    side.pc.set_configuration(all).unwrap();
    let now = side.pc.configuration();
    assert_eq!(now.ice_transport_policy, IceTransportPolicy::All);
}

#[tokio::test]
async fn what_stays_for_life_cannot_be_changed() {
    let side = Side::new();
    let change = |change: &dyn Fn(&mut Configuration)| {
        let mut configuration = side.pc.configuration();
        change(&mut configuration);
        name(side.pc.set_configuration(configuration))
    };
    let modification = Some("InvalidModificationError");
    assert_eq!(change(&|_| ()), None);
    assert_eq!(
        change(&|it| it.bundle_policy = BundlePolicy::MaxCompat),
        modification
    );
    assert_eq!(
        change(&|it| it.certificates = vec![certificate()]),
        modification
    );
    assert_eq!(
        change(&|it| it.always_negotiate_data_channels = true),
        modification
    );
    assert_eq!(
        change(&|it| it.host_addresses = HostAddresses::Interfaces),
        modification
    );
    let server = |url: &str| IceServer {
        urls: vec![url.to_owned()],
        ..Default::default()
    };
    assert_eq!(
        change(&|it| it.ice_servers = vec![server("http://x")]),
        Some("SyntaxError")
    );
    let turn = "turn:example.org";
    assert_eq!(
        change(&|it| it.ice_servers = vec![server(turn)]),
        Some("InvalidAccessError")
    );
    let stun = "stun:example.org";
    assert_eq!(change(&|it| it.ice_servers = vec![server(stun)]), None);
    let over_dtls = IceServer::turn("turns:example.org?transport=udp", "u", "p");
    assert_eq!(
        change(&|it| it.ice_servers = vec![over_dtls.clone()]),
        Some("NotSupportedError")
    );
    assert_eq!(
        change(&|it| it.server_tls.system_roots = false),
        modification
    );
    side.pc.close();
    assert_eq!(change(&|_| ()), Some("InvalidStateError"));
}

fn certificate() -> Certificate {
    PeerConnection::generate_certificate(CertificateOptions::default()).unwrap()
}

#[tokio::test]
async fn both_kinds_of_key_connect() {
    let rsa = CertificateOptions::new(KeyAlgorithm::Rsa2048);
    let certificates = [
        PeerConnection::generate_certificate(rsa).unwrap(),
        certificate(),
    ];
    let [mut a, mut b] = certificates.clone().map(|certificate| {
        Side::of(Configuration {
            certificates: vec![certificate],
            ..loopback()
        })
    });
    a.pc.add_transceiver(MediaKind::Audio, Default::default())
        .unwrap();
    connect(&mut a, &mut b).await;
    let fingerprint = certificates[0].fingerprint(HashAlgorithm::Sha256);
    let fingerprint = format!("a=fingerprint:{fingerprint}");
    let sdp = a.pc.local_description().unwrap().sdp;
    assert!(sdp.contains(&fingerprint), "{sdp} {fingerprint}");
    let transport = b.pc.senders()[0].transport().unwrap();
    assert_eq!(
        transport.remote_certificates(),
        [certificates[0].der().to_vec()]
    );
    // It can be given to another connection.
    assert_eq!(
        a.pc.configuration().certificates[0].der(),
        certificates[0].der()
    );
}

#[tokio::test]
async fn a_certificate_must_be_one_that_can_be_used() {
    let mut options = CertificateOptions::default();
    options.expires_in = Duration::ZERO;
    let expired = PeerConnection::generate_certificate(options).unwrap();
    let with = |certificates| {
        let configuration = Configuration {
            certificates,
            ..loopback()
        };
        name(PeerConnection::new(configuration))
    };
    assert_eq!(with(vec![expired]), Some("InvalidAccessError"));
    assert_eq!(
        with(vec![certificate(), certificate()]),
        Some("NotSupportedError")
    );
}
