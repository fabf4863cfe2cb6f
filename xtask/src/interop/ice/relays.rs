//! Two connections of ours, one of which has nothing but connections through the server (RFC 6062).

use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, DataChannelInit, Event, Events, HostAddresses,
    IceServer, IceTransportPolicy, Message, PeerConnection, SessionDescription, TcpCandidates,
};

use super::{
    PASSWORD, USERNAME,
    servers::{Check, with_ports},
    trusting,
};

/// What is checked, by name.
pub(super) const CHECKS: [(&str, Check); 2] = [
    ("our relay connects, over TCP", || {
        Box::pin(connects("turn:127.0.0.1:PORT?transport=tcp"))
    }),
    ("our relay connects, over TLS", || {
        Box::pin(connects("turns:localhost:TLS"))
    }),
];

/// The server connects for us to a peer that listens: a message goes each way.
async fn connects(url: &str) -> Result<String> {
    let server = IceServer::turn(&with_ports(url), USERNAME, PASSWORD);
    let (a, mut a_events) = PeerConnection::new(ours(vec![server], IceTransportPolicy::Relay))?;
    let (b, mut b_events) = PeerConnection::new(ours(Vec::new(), IceTransportPolicy::All))?;
    let here = a.create_data_channel("chat", DataChannelInit::default())?;
    a.set_local_description(None).await?;
    gathered(&mut a_events).await?;
    let offer = a.local_description().context("no offer")?;
    b.set_remote_description(of_tcp(offer, "active")).await?;
    b.set_local_description(None).await?;
    gathered(&mut b_events).await?;
    let answer = b.local_description().context("no answer")?;
    a.set_remote_description(of_tcp(answer, "passive")).await?;
    let there = loop {
        if let Event::DataChannel(channel) = b_events.next().await.context("no channel")? {
            break channel;
        }
    };
    here.ready().await?;
    for (from, to) in [(&here, &there), (&there, &here)] {
        from.send_text("hello")?;
        ensure!(message(to).await? == Message::from("hello"));
    }
    let (local, remote) = a.transport_info().candidate_pair.context("no pair")?;
    ensure!(
        local.starts_with("relay tcp") && local.ends_with("active") && remote.ends_with("passive"),
        "from {local} to {remote}"
    );
    Ok(format!("from {local} to {remote}"))
}

fn ours(ice_servers: Vec<IceServer>, policy: IceTransportPolicy) -> Configuration {
    Configuration {
        ice_servers,
        ice_transport_policy: policy,
        server_tls: trusting(),
        host_addresses: HostAddresses::Only(vec![Ipv4Addr::LOCALHOST.into()]),
        tcp_candidates: TcpCandidates::ActiveAndPassive,
        ..Default::default()
    }
}

/// The description with candidates of this type alone.
fn of_tcp(description: SessionDescription, tcp_type: &str) -> SessionDescription {
    let kept = format!(" tcptype {tcp_type}");
    let lines = description.sdp.split_inclusive("\r\n");
    let is_kept = |line: &&str| !line.starts_with("a=candidate:") || line.contains(&kept);
    let sdp = lines.filter(is_kept).collect();
    SessionDescription { sdp, ..description }
}

async fn gathered(events: &mut Events) -> Result<()> {
    while let Some(event) = events.next().await {
        match event {
            Event::IceCandidate(None) => return Ok(()),
            Event::IceCandidateError(error) => bail!("{error:?}"),
            _ => {}
        }
    }
    bail!("the events ended")
}

async fn message(channel: &DataChannel) -> Result<Message> {
    while let Some(event) = channel.next().await {
        if let DataChannelEvent::Message(message) = event {
            return Ok(message);
        }
    }
    bail!("the channel closed")
}
