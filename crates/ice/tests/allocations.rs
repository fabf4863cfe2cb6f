//! What belongs to the layers above passes through without a single allocation.

use std::time::{Duration, Instant};

use pc_ice::{Agent, Candidate, Config, Role, State};
use pc_proto::{Batch, Protocol};

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
