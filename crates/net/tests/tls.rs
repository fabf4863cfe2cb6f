//! TLS on loopback with authorities of our own: whom a client believes, and what it says otherwise.
#![cfg(feature = "tls")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pc_net::{Framing, Stream, StreamError, TcpOptions, TlsClient, TlsOptions};
use pc_proto::Batch;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const TURN: TcpOptions = TcpOptions::new(Framing::Turn);
const BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

/// An authority that nobody trusts but who is told to.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn client(&self) -> TlsClient {
        let mut options = TlsOptions {
            system_roots: false,
            ..TlsOptions::default()
        };
        options.add_roots_pem(self.0.pem().as_bytes()).unwrap();
        TlsClient::new(&options).unwrap()
    }

    fn issue(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity {
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
        }
    }
}

struct Identity {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    /// Echoes whatever comes, over and over.
    async fn serve(&self, versions: &[&'static SupportedProtocolVersion]) -> SocketAddr {
        let key = PrivateKeyDer::try_from(self.key.clone()).unwrap();
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        let certified = CertifiedKey::new(vec![self.certificate.clone()], key);
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                if let Ok(tls) = acceptor.accept(tcp).await {
                    let (mut read, mut write) = tokio::io::split(tls);
                    tokio::spawn(async move { tokio::io::copy(&mut read, &mut write).await });
                }
            }
        });
        address
    }

    fn pin(&self) -> [u8; 32] {
        Sha256::digest(&self.certificate).into()
    }
}

async fn connect(identity: &Identity, name: &str, tls: &TlsClient) -> Result<Stream, StreamError> {
    let address = identity.serve(BOTH).await;
    Stream::connect_tls(address, name, tls, &TURN).await
}

fn channel_data(len: usize) -> Vec<u8> {
    let length = (len as u16).to_be_bytes();
    [&[0x40, 0, length[0], length[1]], &vec![len as u8; len][..]].concat()
}

async fn echoes(stream: &mut Stream) {
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(1_500, usize::MAX);
    for len in 1_000..1_050 {
        out.datagram(len + 4, |bytes| bytes.copy_from_slice(&channel_data(len)));
    }
    assert_eq!(stream.send(&batch), 50);
    stream.flush().await.unwrap();
    for len in 1_000..1_050 {
        stream.recv().await.unwrap();
        assert_eq!(stream.next_datagram().unwrap().unwrap(), channel_data(len));
    }
}

#[tokio::test]
async fn datagrams_pass_with_either_version_of_tls() {
    let authority = Authority::new("Ours");
    let identity = authority.issue(&["turn.example", "127.0.0.1"], |_| {});
    for version in [&TLS12, &TLS13] {
        let address = identity.serve(&[version]).await;
        for name in ["turn.example", "TURN.Example", "127.0.0.1"] {
            let tls = authority.client();
            let stream = Stream::connect_tls(address, name, &tls, &TURN).await;
            let mut stream = stream.unwrap();
            assert!(stream.is_tls());
            echoes(&mut stream).await;
            stream.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_ipv6_address_is_a_name_as_urls_write_it() {
    let authority = Authority::new("Ours");
    let identity = authority.issue(&["2001:db8::1"], |_| {});
    for name in ["2001:db8::1", "[2001:db8::1]"] {
        let stream = connect(&identity, name, &authority.client()).await;
        echoes(&mut stream.unwrap()).await;
    }
}

#[tokio::test]
async fn a_wrong_name_is_refused_with_both_names() {
    let authority = Authority::new("Ours");
    let identity = authority.issue(&["turn.example", "stun.example"], |_| {});
    let error = connect(&identity, "evil.example", &authority.client()).await;
    let error = error.unwrap_err();
    assert!(matches!(error, StreamError::WrongName { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the certificate is for turn.example, stun.example, not for evil.example"
    );
    // The address that the name was resolved to is no name of the server.
    let error = connect(&identity, "127.0.0.1", &authority.client()).await;
    assert!(matches!(error, Err(StreamError::WrongName { .. })));
    let error = connect(&identity, "not a name", &authority.client()).await;
    assert!(matches!(error, Err(StreamError::BadName(name)) if name == "not a name"));
}

#[tokio::test]
async fn a_certificate_of_another_time_is_refused() {
    let authority = Authority::new("Ours");
    let identity = authority.issue(&["turn.example"], |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let error = connect(&identity, "turn.example", &authority.client()).await;
    let error = error.unwrap_err();
    assert!(matches!(error, StreamError::Expired(Some(_))), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("the certificate expired ") && text.ends_with(" days ago"));

    let identity = authority.issue(&["turn.example"], |params| {
        params.not_before = date_time_ymd(2999, 1, 1);
        params.not_after = date_time_ymd(3000, 1, 1);
    });
    let error = connect(&identity, "turn.example", &authority.client()).await;
    assert!(matches!(error, Err(StreamError::NotYetValid)), "{error:?}");
}

#[tokio::test]
async fn nobody_is_believed_without_an_authority() {
    let (authority, other) = (Authority::new("Ours"), Authority::new("Other"));
    let identity = authority.issue(&["turn.example"], |_| {});
    let error = connect(&identity, "turn.example", &other.client()).await;
    let error = error.unwrap_err();
    assert!(matches!(error, StreamError::UnknownIssuer), "{error:?}");
    // An authority made anew under its old name is another one.
    let error = connect(&identity, "turn.example", &Authority::new("Ours").client()).await;
    let error = error.unwrap_err();
    assert!(matches!(error, StreamError::BadCertificate(_)), "{error}");
    assert!(
        error.to_string().to_lowercase().contains("signature"),
        "{error}"
    );

    let nobody = TlsOptions {
        system_roots: false,
        ..TlsOptions::default()
    };
    assert!(matches!(TlsClient::new(&nobody), Err(StreamError::NoRoots)));
    let no_certificate = TlsOptions::default().add_roots_pem(b"turn.example");
    assert!(matches!(
        no_certificate,
        Err(StreamError::BadCertificate(_))
    ));
}

#[tokio::test]
async fn a_pinned_certificate_is_believed_as_it_is_and_no_other() {
    let authority = Authority::new("Ours");
    let identity = authority.issue(&["elsewhere.example"], |params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let pinned = |pins: Vec<[u8; 32]>| {
        TlsClient::new(&TlsOptions {
            pins,
            ..TlsOptions::default()
        })
        .unwrap()
    };
    let tls = pinned(vec![[0; 32], identity.pin()]);
    echoes(&mut connect(&identity, "turn.example", &tls).await.unwrap()).await;

    let error = connect(&identity, "turn.example", &pinned(vec![[0; 32]])).await;
    assert!(matches!(error, Err(StreamError::NotPinned)), "{error:?}");

    // The certificate is no secret; its key is.
    let imposter = Identity {
        certificate: identity.certificate.clone(),
        key: KeyPair::generate().unwrap().serialize_der(),
    };
    for version in [&TLS12, &TLS13] {
        let address = imposter.serve(&[version]).await;
        let stream = Stream::connect_tls(address, "turn.example", &tls, &TURN).await;
        let error = stream.unwrap_err();
        assert!(matches!(error, StreamError::BadCertificate(_)), "{error:?}");
    }
}

#[tokio::test]
async fn whoever_speaks_no_tls_is_named_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = Authority::new("Ours").client();
    let talk = async {
        let (tcp, _) = listener.accept().await.unwrap();
        tcp.writable().await.unwrap();
        tcp.try_write(b"220 mail.example ESMTP\r\n").unwrap();
        tcp
    };
    let connect = Stream::connect_tls(address, "turn.example", &tls, &TURN);
    let (stream, _tcp) = tokio::join!(connect, talk);
    let error = stream.unwrap_err();
    assert!(matches!(error, StreamError::Tls(_)), "{error:?}");

    let hang_up = async { drop(listener.accept().await.unwrap()) };
    let connect = Stream::connect_tls(address, "turn.example", &tls, &TURN);
    let (stream, ()) = tokio::join!(connect, hang_up);
    let error = stream.unwrap_err();
    let closed = matches!(&error, StreamError::Tls(_) | StreamError::Io(_));
    assert!(closed, "{error:?}");
}

/// Time is virtual: it goes on only where nothing else does, and nothing comes of this.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = Authority::new("Ours").client();
    let options = TcpOptions {
        timeout: Duration::from_secs(7),
        ..TURN
    };
    let started = tokio::time::Instant::now();
    let error = Stream::connect_tls(address, "turn.example", &tls, &options).await;
    let error = error.unwrap_err();
    assert_eq!(started.elapsed(), Duration::from_secs(7));
    assert_eq!(
        error.to_string(),
        format!("no TLS handshake with {address} within 7s")
    );
}
