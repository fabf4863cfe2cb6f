//! What belongs to the layers above passes through without a single allocation.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_ice::{Agent, Candidate, Config, Role, ServerTransport, State, turn};
use pc_proto::{Batch, FiveTuple, Protocol};
use pc_stun::{Attribute, Class, MessageBuilder, MessageView, Method};

fn connected() -> (Agent, Instant) {
    let mut now = pc_simnet::epoch();
    let roles = [Role::Controlling, Role::Controlled];
    let mut agents = roles.map(|role| Agent::new(Config::new(role, [role as u8; 32])));
    for i in [0, 1] {
        let host = Candidate::host(([10, 0, 0, i as u8 + 1], 9).into());
        let candidate = agents[i].add_local_candidate(now, host).unwrap();
        let credentials = agents[i].local_credentials().clone();
        agents[1 - i]
            .set_remote_credentials(now, credentials)
            .unwrap();
        agents[1 - i].add_remote_candidate(now, candidate).unwrap();
        agents[i].end_of_local_candidates(now);
        agents[1 - i].end_of_remote_candidates(now);
    }
    let mut batch = Batch::new();
    while agents.iter().any(|agent| agent.state() != State::Completed) {
        for i in [0, 1] {
            while let Some(route) = agents[i].poll_transmit(now, &mut batch.transmit_buf(1200, 8)) {
                for datagram in batch.datagrams() {
                    let mut datagram = datagram.to_vec();
                    agents[1 - i]
                        .handle_input(now, route.reversed(), &mut datagram)
                        .unwrap();
                }
            }
        }
        now += Duration::from_millis(1);
        agents
            .iter_mut()
            .for_each(|agent| agent.handle_timeout(now));
    }
    let [agent, _] = agents;
    (agent, now)
}

#[test]
fn data_passes_without_allocation() {
    let (mut agent, now) = connected();
    let route = agent.route().unwrap();
    let (mut data, mut batch) = (vec![0x80; 1200], Batch::new());
    while agent.poll_event().is_some() {}
    let mut round = || {
        for _ in 0..1_000 {
            let passed = agent.handle_input(now, route, &mut data).unwrap();
            assert_eq!(passed.map(|bytes| bytes.len()), Some(1200));
            let mut out = batch.transmit_buf(1200, 8);
            assert_eq!(agent.poll_transmit(now, &mut out), None);
            assert!(agent.poll_timeout().is_some());
            assert_eq!(agent.poll_event(), None);
        }
    };
    round();
    let counted = allocation_counter::measure(round);
    assert_eq!(counted.count_total, 0);
}

/// A client of a server that wants no credentials, with a permission for one peer and a channel to
/// another one.
fn relayed(indicated: SocketAddr, bound: SocketAddr) -> (turn::Client, Instant) {
    let now = pc_simnet::epoch();
    let path = FiveTuple::udp(([10, 0, 0, 1], 4000).into(), ([192, 0, 2, 1], 3478).into());
    let credentials = turn::Credentials::new("user", "secret");
    let config = turn::Config::new(path, ServerTransport::Udp, credentials, [7; 32]);
    let mut client = turn::Client::new(config).unwrap();
    client.permit(now, indicated).unwrap();
    client.bind_channel(now, bound).unwrap();
    let mut batch = Batch::new();
    while client
        .poll_transmit(now, &mut batch.transmit_buf(1200, 8))
        .is_some()
    {
        for datagram in batch.datagrams() {
            let request = MessageView::parse(datagram).unwrap();
            let mut answer = vec![0; 200];
            let (id, method) = (request.transaction_id(), request.method());
            let mut message = MessageBuilder::new(&mut answer, Class::Success, method, id);
            if method == Method::ALLOCATE {
                let relayed = ([192, 0, 2, 1], 50_000).into();
                message.attribute(Attribute::XorRelayedAddress(relayed));
            }
            let len = message.finish().unwrap();
            client.handle_input(now, path, &mut answer[..len]).unwrap();
        }
    }
    while client.poll_event().is_some() {}
    assert!(client.has_channel(bound) && client.is_permitted(indicated.ip()));
    (client, now)
}

#[test]
fn data_are_relayed_without_allocation() {
    let peers = [1, 2].map(|i| ([198, 51, 100, i], 5000).into());
    let (mut client, now) = relayed(peers[0], peers[1]);
    let path = client.path();
    let mut channel_data = vec![0x40, 0, 4, 0xB0];
    channel_data.resize(1204, 9);
    let mut batch = Batch::new();
    let mut round = || {
        for _ in 0..500 {
            for peer in peers {
                let mut out = batch.transmit_buf(1250, 8);
                let write = |inner: &mut pc_proto::TransmitBuf<'_>| {
                    inner.datagram(1200, |bytes| bytes.fill(9));
                };
                client.wrap(&mut out, peer, write).unwrap();
            }
            let relayed = client.handle_input(now, path, &mut channel_data).unwrap();
            let relayed = relayed.map(|it| (it.peer, it.data.len()));
            assert_eq!(relayed, Some((peers[1], 1200)));
            let mut out = batch.transmit_buf(1250, 8);
            assert_eq!(client.poll_transmit(now, &mut out), None);
            assert!(client.poll_timeout().is_some());
        }
    };
    round();
    let counted = allocation_counter::measure(round);
    assert_eq!(counted.count_total, 0);
}
