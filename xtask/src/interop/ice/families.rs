//! Servers that are reached over IPv6, and relayed addresses of IPv6.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, DataChannelInit, Event, Events, HostAddresses,
    IceCandidate, IceServer, IceTransportPolicy, Message, PeerConnection, TcpCandidates,
};

use super::{
    LOOPBACK, PASSWORD, USERNAME, servers,
    servers::{Check, found},
};

const LOOPBACK_6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// What is checked with the server of both families, by name.
pub(super) const CHECKS: [(&str, Check); 6] = [
    ("STUN over IPv6", || Box::pin(stun())),
    ("relays of both families", || {
        Box::pin(relayed("turn:127.0.0.1:PORT", LOOPBACK.into()))
    }),
    ("TURN over IPv6", || {
        Box::pin(relayed("turn:[::1]:PORT", LOOPBACK_6))
    }),
    ("TURN over IPv6 and TCP", || {
        Box::pin(relayed("turn:[::1]:PORT?transport=tcp", LOOPBACK_6))
    }),
    ("from IPv4 to IPv6, relayed", || Box::pin(apart())),
    ("both relayed, over IPv6", || Box::pin(both_relayed())),
];

/// A connection that has one address, and asks the server over this URL, if any.
fn configuration(url: Option<&str>, own: IpAddr, policy: IceTransportPolicy) -> Configuration {
    let port = servers().both_port.unwrap_or_default().to_string();
    let server = |url: &str| {
        let url = url.replace("PORT", &port);
        if url.starts_with("stun") {
            return IceServer {
                urls: vec![url],
                ..Default::default()
            };
        }
        IceServer::turn(&url, USERNAME, PASSWORD)
    };
    Configuration {
        ice_servers: url.map(server).into_iter().collect(),
        ice_transport_policy: policy,
        host_addresses: HostAddresses::Only(vec![own]),
        tcp_candidates: TcpCandidates::Disabled,
        ..Default::default()
    }
}

/// There is no NAT on loopback: what the server sees is the host candidate (RFC 8445 §5.1.3).
async fn stun() -> Result<String> {
    let asking = configuration(Some("stun:[::1]:PORT"), LOOPBACK_6, IceTransportPolicy::All);
    let (found, errors) = found(asking).await?;
    ensure!(errors.is_empty(), "{errors:?}");
    ensure!(found.len() == 1, "{found:?}");
    Ok("the server answered".to_owned())
}

/// A relayed candidate of each family, in one allocation (RFC 8656 §7.1).
async fn relayed(url: &str, own: IpAddr) -> Result<String> {
    let asking = configuration(Some(url), own, IceTransportPolicy::Relay);
    let (found, errors) = found(asking).await?;
    ensure!(errors.is_empty(), "{errors:?}");
    let is_of = |ip: &str| {
        let mut relayed = found.iter().filter(|it| it.contains(" typ relay "));
        relayed.any(|it| it.contains(ip))
    };
    ensure!(
        found.len() == 2 && is_of(" 127.0.0.1 ") && is_of(" ::1 "),
        "{found:?}"
    );
    Ok("127.0.0.1 and ::1".to_owned())
}

/// One side has IPv4 alone and the other one IPv6 alone.
async fn apart() -> Result<String> {
    use IceTransportPolicy::All;
    let sides = [
        configuration(Some("turn:127.0.0.1:PORT"), LOOPBACK.into(), All),
        configuration(None, LOOPBACK_6, All),
    ];
    let pair = call(sides, |_| true).await?;
    ensure!(
        pair.0.starts_with("relay") && pair.0.contains("[::1]") && pair.1.contains("[::1]"),
        "{pair:?}"
    );
    Ok(format!("from {} to {}", pair.0, pair.1))
}

/// Both sides reach the server over IPv4, have relayed addresses alone, and tell those of IPv6.
async fn both_relayed() -> Result<String> {
    let side = || {
        let url = Some("turn:127.0.0.1:PORT");
        configuration(url, LOOPBACK.into(), IceTransportPolicy::Relay)
    };
    let pair = call([side(), side()], |it| it.contains(" ::1 ") || it.is_empty()).await?;
    let is_relay = |it: &str| it.starts_with("relay") && it.contains("[::1]");
    ensure!(is_relay(&pair.0) && is_relay(&pair.1), "{pair:?}");
    Ok(format!("from {} to {}", pair.0, pair.1))
}

/// A data channel between two connections of this process that tell each other these candidates; the
/// pair in use on the first one's side.
async fn call(
    configurations: [Configuration; 2],
    is_told: fn(&str) -> bool,
) -> Result<(String, String)> {
    let [one, two] = configurations;
    let (here, here_events) = PeerConnection::new(one)?;
    let (there, there_events) = PeerConnection::new(two)?;
    let channel = here.create_data_channel("chat", DataChannelInit::default())?;
    here.set_local_description(None).await?;
    let offer = here.local_description().context("no offer")?;
    there.set_remote_description(offer).await?;
    there.set_local_description(None).await?;
    let answer = there.local_description().context("no answer")?;
    here.set_remote_description(answer).await?;
    let sides = [(here.clone(), here_events), (there, there_events)];
    let talked = talk(&channel, sides, is_told);
    let talked = tokio::time::timeout(Duration::from_secs(15), talked).await;
    let pair = here.transport_info().candidate_pair;
    talked.with_context(|| format!("no message came back, over {pair:?}"))??;
    pair.context("no pair")
}

/// Carries candidates until a message has come back.
async fn talk(
    channel: &DataChannel,
    sides: [(PeerConnection, Events); 2],
    is_told: fn(&str) -> bool,
) -> Result<()> {
    let [(here, mut here_events), (there, mut there_events)] = sides;
    let told = |it: &Option<IceCandidate>| it.as_ref().is_none_or(|it| is_told(&it.candidate));
    let echo = async {
        channel.ready().await?;
        channel.send_text("there and back")?;
        while let Some(event) = channel.next().await {
            if let DataChannelEvent::Message(Message::Text(text)) = event {
                ensure!(text == "there and back", "{text}");
                return Ok(());
            }
        }
        anyhow::bail!("the channel has closed")
    };
    tokio::pin!(echo);
    loop {
        tokio::select! {
            done = &mut echo => return done,
            Some(event) = here_events.next() => {
                if let Event::IceCandidate(candidate) = event && told(&candidate) {
                    there.add_ice_candidate(candidate).await?;
                }
            }
            Some(event) = there_events.next() => match event {
                Event::IceCandidate(candidate) if told(&candidate) => {
                    here.add_ice_candidate(candidate).await?;
                }
                Event::DataChannel(theirs) => {
                    tokio::spawn(echo_on(theirs));
                }
                _ => {}
            },
        }
    }
}

async fn echo_on(channel: DataChannel) {
    while let Some(event) = channel.next().await {
        if let DataChannelEvent::Message(message) = event {
            let _ = channel.send_message(&message);
        }
    }
}
