//! Servers asked by connections that share one port.

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, DataChannelInit, Endpoint, Event, Events,
    IceServer, IceTransportPolicy, PeerConnection, TcpCandidates, TlsOptions,
};

use super::{
    LOOPBACK, servers,
    servers::{Check, turn},
    trusting,
};

/// What is checked, by name.
pub(super) const CHECKS: [(&str, Check); 1] =
    [("one port, many relays", || Box::pin(many_relays()))];

/// The URLs that calls are relayed through.
const URLS: [&str; 4] = [
    "turn:127.0.0.1:PORT",
    "turn:127.0.0.1:PORT",
    "turn:127.0.0.1:PORT?transport=tcp",
    "turns:localhost:TLS",
];

/// Calls between two endpoints, all at once, through allocations of their own, beside one that does not
/// believe the server's certificate.
async fn many_relays() -> Result<String> {
    let port = [(LOOPBACK, 0).into()];
    let [ours, theirs] = [Endpoint::bind(&port)?, Endpoint::bind(&port)?];
    let calls = URLS.map(|url| call(url, [&ours, &theirs]));
    let [one, two, three, four] = calls;
    let (all, refused) = tokio::join!(
        async { tokio::try_join!(one, two, three, four) },
        refused(&ours)
    );
    let all: [_; URLS.len()] = all?.into();
    refused?;
    let mut relays: Vec<_> = all.iter().flat_map(|call| call.relays.clone()).collect();
    relays.sort();
    relays.dedup();
    ensure!(relays.len() == 2 * URLS.len(), "{relays:?}");
    // One that ends takes nothing from the others.
    let [first, others @ ..] = all;
    drop(first);
    for call in &others {
        call.talk("still there").await?;
    }
    Ok(format!(
        "{} calls from {}",
        URLS.len(),
        ours.local_addresses()[0]
    ))
}

struct Call {
    channels: [DataChannel; 2],
    relays: Vec<String>,
    _sides: [(PeerConnection, Events); 2],
}

impl Call {
    async fn talk(&self, text: &str) -> Result<()> {
        let [here, there] = &self.channels;
        for (from, to) in [(here, there), (there, here)] {
            from.send_text(text)?;
            loop {
                match to.next().await.context("the channel has ended")? {
                    DataChannelEvent::Message(message) if message == text.into() => break,
                    DataChannelEvent::Message(message) => bail!("{message:?} for {text:?}"),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn asking(url: &str, endpoint: &Endpoint, server_tls: TlsOptions) -> Configuration {
    let stun = IceServer::stun(&format!("127.0.0.1:{}", servers().port));
    Configuration {
        ice_servers: vec![stun, turn(url)],
        ice_transport_policy: IceTransportPolicy::Relay,
        tcp_candidates: TcpCandidates::Disabled,
        server_tls,
        endpoint: Some(endpoint.clone()),
        ..Default::default()
    }
}

async fn call(url: &str, endpoints: [&Endpoint; 2]) -> Result<Call> {
    let sides = endpoints.map(|it| PeerConnection::new(asking(url, it, trusting())));
    let [one, two] = sides;
    let (mut one, mut two) = (one?, two?);
    let here = one
        .0
        .create_data_channel("chat", DataChannelInit::default())?;
    let mut relays = Vec::new();
    one.0.set_local_description(None).await?;
    relays.extend(relayed(&mut one.1).await?);
    let offer = one.0.local_description().context("no offer")?;
    two.0.set_remote_description(offer).await?;
    two.0.set_local_description(None).await?;
    relays.extend(relayed(&mut two.1).await?);
    let answer = two.0.local_description().context("no answer")?;
    one.0.set_remote_description(answer).await?;
    let there = loop {
        let event = two.1.next().await.context("the events ended")?;
        if let Event::DataChannel(channel) = event {
            break channel;
        }
    };
    here.ready().await?;
    let call = Call {
        channels: [here, there],
        relays,
        _sides: [one, two],
    };
    call.talk(url).await?;
    Ok(call)
}

/// The relayed addresses that a connection gathers, and no error.
async fn relayed(events: &mut Events) -> Result<Vec<String>> {
    let mut found = Vec::new();
    loop {
        match events.next().await.context("the events ended")? {
            Event::IceCandidate(Some(it)) if !it.candidate.is_empty() => {
                ensure!(it.candidate.contains("typ relay"), "{}", it.candidate);
                let address: Vec<_> = it.candidate.split(' ').skip(4).take(2).collect();
                found.push(address.join(" "));
            }
            Event::IceCandidate(None) => return Ok(found),
            Event::IceCandidateError(error) => bail!("{error:?}"),
            _ => {}
        }
    }
}

/// Connections of one endpoint need not believe the same certificates.
async fn refused(endpoint: &Endpoint) -> Result<()> {
    let configuration = asking("turns:localhost:TLS", endpoint, TlsOptions::default());
    let (pc, mut events) = PeerConnection::new(configuration)?;
    pc.create_data_channel("x", DataChannelInit::default())?;
    pc.set_local_description(None).await?;
    let error = relayed(&mut events).await.err();
    let told = error.context("the server was believed")?.to_string();
    ensure!(told.contains("signed by nobody who is trusted"), "{told}");
    Ok(())
}
