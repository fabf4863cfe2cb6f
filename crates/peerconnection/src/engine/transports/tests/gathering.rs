use pc_proto::{Batch, Protocol};
use pc_simnet::secs;

use super::support::{A, B, Duo, check_for, credentials, good, story, tid};
use crate::{
    engine::{Connection, Event, Rejected},
    state::{IceConnectionState, IceGathererState, IceGatheringState, PeerConnectionState},
};

fn take_story(engine: &mut Connection) -> Vec<String> {
    let events: Vec<_> = std::iter::from_fn(|| engine.poll_event()).collect();
    story(&events)
}

#[test]
fn all_begin_together_and_null_comes_with_the_last() {
    let mut duo = Duo::new(1, good(), 2);
    let offered = duo.plans[0].offered();
    duo.apply_at(A, &offered);
    let (now, addresses) = (duo.net.now(), [duo.address(A, 0), duo.address(A, 1)]);
    let engine = &mut duo.net[A].engine;
    assert_eq!(engine.ice_gathering_state(), IceGatheringState::New);
    let waiting: Vec<_> = engine.ungathered_transports().collect();
    assert_eq!(waiting, [tid(0), tid(1)]);
    engine.gather_transport(now, tid(0), &addresses[..1]);
    assert_eq!(
        take_story(engine),
        [
            "TransportId(0) gathering",
            "TransportId(1) gathering",
            "all gathering",
            "candidate m0 Some(0) alice0+0",
            "end m0 Some(0) alice0+0",
            "TransportId(0) complete",
        ]
    );
    let [first, second] = [0, 1].map(|n| engine.transport(tid(n)).unwrap());
    assert_eq!(first.gathering_state(), IceGathererState::Complete);
    assert_eq!(first.local_candidates().len(), 1);
    assert!(second.local_candidates().is_empty());
    engine.gather_transport(now, tid(1), &addresses[1..]);
    // Twice is once.
    engine.gather_transport(now, tid(1), &addresses[1..]);
    assert_eq!(
        take_story(engine),
        [
            "candidate m1 Some(1) alice1+0",
            "end m1 Some(1) alice1+0",
            "TransportId(1) complete",
            "all complete",
            "null",
        ]
    );
    assert!(!engine.needs_gathering());
}

/// The other one is bundled away before its candidates are there.
#[test]
fn one_that_goes_leaves_the_sum_to_the_others() {
    let mut duo = Duo::new(2, good(), 2);
    let mut offered = duo.plans[0].offered();
    duo.apply_at(A, &offered);
    let (now, address) = (duo.net.now(), duo.address(A, 0));
    duo.net[A].engine.gather_transport(now, tid(0), &[address]);
    take_story(&mut duo.net[A].engine);
    offered.transports.truncate(1);
    duo.apply_at(A, &offered);
    assert_eq!(take_story(&mut duo.net[A].engine), ["all complete", "null"]);
    offered.transports.clear();
    duo.apply_at(A, &offered);
    let engine = &duo.net[A].engine;
    assert_eq!(engine.ice_gathering_state(), IceGatheringState::New);
}

/// Candidates of a restart are announced with the offer; a rollback takes it back, and what is
/// answered is a restart for the agent too.
#[test]
fn a_restart_gathers_again_and_a_rollback_does_not() {
    let mut duo = Duo::new(3, good(), 2).both_with_data_on(0);
    duo.connect();
    let chat = duo.open_channel();
    let before = duo.plans[A.0].clone();
    let mut offered = before.clone();
    offered.transports[0].local = credentials(0, 0, 1);
    for plans in [&offered, &before] {
        duo.apply_at(A, plans);
        let wanted = duo.net[A].engine.needs_gathering();
        assert_eq!(wanted, plans.transports[0].local.ufrag == "alice0+1");
    }
    duo.apply_at(A, &offered);
    let start = duo.net[A].events.len();
    duo.gather_at(A);
    duo.net.run_for(secs(1));
    let told = story(&duo.net[A].events[start..]);
    let announced = "candidate m0 Some(0) alice0+1".to_owned();
    assert!(told.contains(&announced), "{told:?}");
    let ufrags: Vec<_> = duo.net[A].engine.local_ufrags().collect();
    assert_eq!(ufrags, ["alice0+0", "alice0+1", "alice1+0"]);

    // A check of the new generation is not told that it is wrong: that would end its pair.
    let (now, route) = (duo.net.now(), duo.route(A, 0));
    let local = credentials(0, 0, 1);
    let mut early = check_for(&local.ufrag, &local.pwd);
    let engine = &mut duo.net[A].engine;
    let result = engine.handle_input(now, route, &mut early);
    assert!(matches!(result, Err(Rejected::BeforeAnswer)), "{result:?}");
    let mut batch = Batch::new();
    assert_eq!(
        engine.poll_transmit(now, &mut batch.transmit_buf(1200, 1)),
        None
    );

    // B answers, and its checks come before its answer does.
    let plan = &mut duo.plans[B.0].transports[0];
    plan.local = credentials(1, 0, 1);
    let peer = plan.peer.as_mut().unwrap();
    (peer.local, peer.remote) = (credentials(1, 0, 1), credentials(0, 0, 1));
    peer.candidates[0].ufrag = None;
    let plans = duo.plans[B.0].clone();
    duo.apply_at(B, &plans);
    duo.gather_at(B);
    duo.net.run_for(secs(2));
    let rejected = duo.net[A].engine.transport_info().datagrams_rejected;
    assert!(rejected > 0, "no check came early");
    let peer = offered.transports[0].peer.as_mut().unwrap();
    (peer.local, peer.remote) = (credentials(0, 0, 1), credentials(1, 0, 1));
    peer.candidates[0].ufrag = None;
    duo.apply_at(A, &offered);
    duo.send(chat, "meanwhile");
    duo.net.run(|net| net[B].received == ["meanwhile"]);
    duo.net.run_for(secs(40));
    for (host, theirs) in [(A, "bob0+1"), (B, "alice0+1")] {
        let peer = &duo.net[host];
        let state = peer.engine.connection_state();
        assert_eq!(state, PeerConnectionState::Connected);
        let view = peer.engine.transport(tid(0)).unwrap();
        assert_eq!(view.remote_parameters().unwrap().ufrag, theirs);
        let count = |is: &dyn Fn(&Event) -> bool| peer.events.iter().filter(|it| is(it)).count();
        // W3C §4.3.4: no way back to "checking".
        let checking = IceConnectionState::Checking;
        let checks =
            count(&|it| matches!(it, Event::IceConnectionStateChange(state) if *state == checking));
        assert_eq!(checks, 1);
        let pairs =
            |id| count(&|it| matches!(it, Event::SelectedCandidatePairChange(of) if *of == id));
        assert!(
            pairs(tid(0)) > pairs(tid(1)),
            "the pair of the new generation"
        );
    }
}
