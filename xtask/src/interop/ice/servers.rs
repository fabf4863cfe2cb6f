//! Gathering from servers, and refusing them.

use std::{future::Future, net::Ipv4Addr, pin::Pin};

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{
    Configuration, DataChannelInit, Event, HostAddresses, IceServer, IceTransportPolicy,
    PeerConnection, TcpCandidates, TlsOptions,
};

use super::{PASSWORD, USERNAME, servers, trusting};

pub(super) type Check = fn() -> Pin<Box<dyn Future<Output = Result<String>>>>;

/// What is checked, by name.
pub(super) const CHECKS: [(&str, Check); 8] = [
    ("TURN over UDP", || {
        Box::pin(relayed(turn("turn:127.0.0.1:PORT"), trusting()))
    }),
    ("TURN over TCP", || {
        Box::pin(relayed(
            turn("turn:127.0.0.1:PORT?transport=tcp"),
            trusting(),
        ))
    }),
    ("TURN over TLS", || {
        Box::pin(relayed(turn("turns:localhost:TLS"), trusting()))
    }),
    ("STUN over UDP, TCP and TLS", || Box::pin(stun())),
    ("a wrong name", || {
        let told = "the certificate is for localhost, not for 127.0.0.1";
        Box::pin(refused(turn("turns:127.0.0.1:TLS"), trusting(), 701, told))
    }),
    ("an expired certificate", || {
        let told = "the certificate expired";
        Box::pin(refused(
            turn("turns:localhost:EXPIRED"),
            trusting(),
            701,
            told,
        ))
    }),
    ("an unknown authority", || {
        let told = "signed by nobody who is trusted";
        Box::pin(refused(
            turn("turns:localhost:TLS"),
            TlsOptions::default(),
            701,
            told,
        ))
    }),
    ("a wrong password", || {
        let server = IceServer {
            credential: Some("another".into()),
            ..turn("turn:127.0.0.1:PORT")
        };
        Box::pin(refused(server, trusting(), 401, "401"))
    }),
];

pub(super) fn turn(url: &str) -> IceServer {
    IceServer::turn(&with_ports(url), USERNAME, PASSWORD)
}

pub(super) fn with_ports(url: &str) -> String {
    let all = servers();
    url.replace("PORT", &all.port.to_string())
        .replace("TLS", &all.tls_port.to_string())
        .replace("EXPIRED", &all.expired_port.to_string())
}

/// All that a connection gathers, and what went wrong.
async fn gather(
    server: IceServer,
    server_tls: TlsOptions,
    policy: IceTransportPolicy,
) -> Result<(Vec<String>, Vec<(u16, String)>)> {
    found(Configuration {
        ice_servers: vec![server],
        ice_transport_policy: policy,
        server_tls,
        host_addresses: HostAddresses::Only(vec![Ipv4Addr::LOCALHOST.into()]),
        // What is held against is one candidate of the host, and those of servers.
        tcp_candidates: TcpCandidates::Disabled,
        ..Default::default()
    })
    .await
}

/// The candidates that a connection of this configuration gathers, and what went wrong.
pub(super) async fn found(
    configuration: Configuration,
) -> Result<(Vec<String>, Vec<(u16, String)>)> {
    let (pc, mut events) = PeerConnection::new(configuration)?;
    pc.create_data_channel("x", DataChannelInit::default())?;
    pc.set_local_description(None).await?;
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    while let Some(event) = events.next().await {
        match event {
            Event::IceCandidate(Some(it)) if !it.candidate.is_empty() => found.push(it.candidate),
            Event::IceCandidate(None) => return Ok((found, errors)),
            Event::IceCandidateError(error) => errors.push((error.error_code, error.error_text)),
            _ => {}
        }
    }
    bail!("the events ended")
}

/// A relayed candidate and no other, that tells nothing.
async fn relayed(server: IceServer, tls: TlsOptions) -> Result<String> {
    let (found, errors) = gather(server, tls, IceTransportPolicy::Relay).await?;
    ensure!(errors.is_empty(), "{errors:?}");
    let [candidate] = found.as_slice() else {
        bail!("one candidate was due: {found:?}");
    };
    let hidden = candidate.contains("typ relay raddr 0.0.0.0 rport 9");
    ensure!(hidden, "{candidate}");
    Ok(candidate.clone())
}

async fn refused(server: IceServer, tls: TlsOptions, code: u16, told: &str) -> Result<String> {
    let (found, errors) = gather(server, tls, IceTransportPolicy::Relay).await?;
    ensure!(found.is_empty(), "{found:?}");
    let (found_code, text) = errors.first().context("no error was told")?;
    ensure!(
        *found_code == code && text.contains(told),
        "{found_code} {text}"
    );
    Ok(format!("{found_code} {text}"))
}

async fn stun() -> Result<String> {
    let urls = ["stun:127.0.0.1:PORT", "stuns:localhost:TLS"].map(with_ports);
    let server = IceServer {
        urls: urls.to_vec(),
        ..Default::default()
    };
    let (found, errors) = gather(server, trusting(), IceTransportPolicy::All).await?;
    ensure!(errors.is_empty(), "{errors:?}");
    // There is no NAT on loopback: what the server sees is the host candidate (RFC 8445 §5.1.3).
    ensure!(found.len() == 1, "{found:?}");
    Ok("both servers answered".to_owned())
}
