//! Closing, time, and the limits on what waits.

use pc_simnet::secs;

use super::*;

#[test]
fn either_side_closes_and_both_know() {
    for version in [V12, V13] {
        for role in [Role::Client, Role::Server] {
            let mut duo = Duo::connected(version);
            let now = duo.now;
            duo.side(role).send(now, b"last words").unwrap();
            duo.side(role).close(now);
            duo.side(role).close(now);
            assert_eq!(events(duo.side(role)), [Event::Closed]);
            duo.settle();
            assert_eq!(events(duo.side(other(role))), [Event::Closed]);
            assert_eq!(data(duo.side(other(role))), [b"last words"]);
            for side in [&mut duo.client, &mut duo.server] {
                assert_eq!(side.state(), State::Closed);
                assert_eq!(side.send(now, b"x"), Err(SendError::NotConnected));
                assert_eq!(
                    side.handle_input(now, (), &mut [23; 40]),
                    Err(Rejected::Over)
                );
                assert_eq!(side.srtp_keying_material(), None);
                assert_eq!(side.poll_timeout(), None);
            }
        }
    }
}

#[test]
fn what_never_began_closes_in_silence() {
    let mut duo = Duo::new(configs(Versions::All));
    duo.client.close(duo.now);
    duo.pass(Role::Client);
    assert_eq!(events(&mut duo.client), [Event::Closed]);
    assert_eq!(duo.server.state(), State::New);

    let mut duo = Duo::new(configs(Versions::All));
    duo.pass(Role::Client);
    duo.server.close(duo.now);
    assert_eq!(events(&mut duo.server), [Event::Closed]);
}

#[test]
fn nothing_runs_before_the_handshake_begins() {
    let mut duo = Duo::new(configs(Versions::All));
    duo.wait(secs(100));
    assert_eq!(
        (duo.client.poll_timeout(), duo.server.poll_timeout()),
        (None, None)
    );
    assert_eq!(
        (duo.client.state(), duo.server.state()),
        (State::New, State::New)
    );
    assert_eq!(duo.give(Role::Client, &[22; 40]), Err(Rejected::NotStarted));
    assert_eq!(sent(duo.now, &mut duo.server), Vec::<Vec<u8>>::new());
    duo.settle();
    assert_eq!(events(&mut duo.client), [Event::Connected]);
}

#[test]
fn a_handshake_without_an_answer_ends_after_30_seconds() {
    for versions in [V12, V13, Versions::All] {
        let mut duo = Duo::new(configs(versions));
        let mut transmissions = Vec::new();
        while duo.client.state() != State::Failed {
            let datagrams = sent(duo.now, &mut duo.client).len();
            transmissions.extend(vec![duo.now - epoch(); datagrams]);
            let next = duo.client.poll_timeout().unwrap();
            assert!(next > duo.now, "no busy loop");
            duo.client.handle_timeout(next - Duration::from_nanos(1));
            assert_eq!(
                sent(duo.now, &mut duo.client).len(),
                0,
                "nothing before its time"
            );
            duo.now = next;
            duo.client.handle_timeout(next);
        }
        assert_eq!(duo.now, epoch() + secs(30));
        let error = Error::HandshakeTimeout { alert: None };
        assert_eq!(error.to_string(), "the handshake timed out");
        assert_eq!(events(&mut duo.client), [Event::Failed(error)]);
        assert!((7..=10).contains(&transmissions.len()), "{transmissions:?}");
        assert_eq!(duo.client.poll_timeout(), None);
        duo.wait(secs(100));
        assert_eq!(sent(duo.now, &mut duo.client).len(), 0);
    }
}

#[test]
fn a_server_that_is_left_alone_gives_up_too() {
    for versions in [V12, V13] {
        let mut duo = Duo::new(configs(versions));
        duo.pass(Role::Client);
        while let Some(next) = duo.server.poll_timeout() {
            duo.now = next;
            duo.server.handle_timeout(next);
            sent(duo.now, &mut duo.server);
        }
        assert_eq!(duo.now, epoch() + secs(30));
        let error = Error::HandshakeTimeout { alert: None };
        assert_eq!(events(&mut duo.server), [Event::Failed(error)]);
    }
}

#[test]
fn an_idle_connection_wants_nothing_and_stays() {
    for version in [V12, V13] {
        let mut duo = Duo::connected(version);
        for _ in 0..100 {
            duo.wait(secs(3600));
            assert_eq!(
                (duo.client.poll_timeout(), duo.server.poll_timeout()),
                (None, None)
            );
            assert!(sent(duo.now, &mut duo.client).is_empty());
            assert!(sent(duo.now, &mut duo.server).is_empty());
        }
        duo.assert_alive();
    }
}

/// In DTLS 1.2 the server speaks last; when that is lost, the client's retransmission asks for it.
#[test]
fn a_lost_last_flight_is_sent_again() {
    let mut duo = Duo::new(configs(V12));
    for role in [Role::Client, Role::Server, Role::Client] {
        duo.pass(role);
    }
    assert_eq!(events(&mut duo.server), [Event::Connected]);
    assert_eq!(sent(duo.now, &mut duo.server).len(), 1, "lost");
    duo.now = duo.client.poll_timeout().unwrap();
    duo.wait(Duration::ZERO);
    duo.settle();
    assert_eq!(events(&mut duo.client), [Event::Connected]);
    duo.assert_alive();
}

#[test]
fn what_cannot_be_sent_is_refused_by_name() {
    let mut duo = Duo::new(configs(Versions::All));
    assert_eq!(duo.client.send(duo.now, b"x"), Err(SendError::NotConnected));
    for version in [V12, V13] {
        let mut duo = Duo::connected(version);
        let too_large = SendError::TooLarge {
            len: 16_385,
            limit: 16_384,
        };
        assert_eq!(duo.client.send(duo.now, &[0; 16_385]), Err(too_large));
        let accepted = (0..)
            .find(|_| duo.client.send(duo.now, &[1; 1100]) == Err(SendError::Full))
            .unwrap();
        assert_eq!(accepted, 1024);
        duo.settle();
        assert_eq!(data(&mut duo.server).len(), 953, "1 MiB of them");
        duo.assert_alive();
    }
}

#[test]
fn several_datagrams_leave_in_one_batch() {
    let mut duo = Duo::connected(V13);
    for _ in 0..5 {
        duo.client.send(duo.now, &[1; 1100]).unwrap();
    }
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(1200, 3);
    assert_eq!(duo.client.poll_transmit(duo.now, &mut out), Some(()));
    assert_eq!(
        batch
            .gso_runs()
            .map(|run| run.segments().count())
            .collect::<Vec<_>>(),
        [3]
    );
    let mut out = batch.transmit_buf(1200, 3);
    assert_eq!(duo.client.poll_transmit(duo.now, &mut out), Some(()));
    assert_eq!(batch.len(), 2);
    let mut out = batch.transmit_buf(1200, 3);
    assert_eq!(duo.client.poll_transmit(duo.now, &mut out), None);
    assert!(batch.is_empty());
}

#[test]
fn a_connection_can_move_between_threads() {
    fn is_send<T: Send + Sync>() {}
    is_send::<Connection>();
    is_send::<Config>();
}

#[test]
fn the_first_flight_waits_as_long_as_it_is_said() {
    for initial in [ms(100), ms(1000)] {
        let [mut client, _] = configs(Versions::All);
        client.initial_rto = initial;
        let mut client = connection(client);
        assert!(!sent(epoch(), &mut client).is_empty());
        let next = client.poll_timeout().unwrap() - epoch();
        // ±25 %.
        assert!(
            next * 4 >= initial * 3 && next * 4 <= initial * 5,
            "{next:?}"
        );
    }
}
