//! Sessions, and what tests do with them over and over.

use pc_jsep::{
    BundlePolicy, Config, Event, MediaKind, SdpType, Session, SignalingState,
    TransceiverDirection as Direction, TransceiverId, TransceiverInit,
};
use pc_sdp::SessionDescription;

pub(crate) use MediaKind::{Audio, Video};

pub(crate) fn config(seed: u8) -> Config {
    let fingerprint = format!("sha-256 {}", vec![format!("{seed:02X}"); 32].join(":"));
    Config::new([seed; 32], vec![fingerprint.parse().unwrap()])
}

pub(crate) fn session(seed: u8) -> Session {
    Session::new(config(seed))
}

pub(crate) fn with_policy(seed: u8, policy: BundlePolicy) -> Session {
    let mut config = config(seed);
    config.bundle_policy = policy;
    Session::new(config)
}

pub(crate) fn pair() -> (Session, Session) {
    (session(1), session(2))
}

pub(crate) fn streams(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn init(direction: Direction) -> TransceiverInit {
    TransceiverInit {
        direction,
        ..TransceiverInit::default()
    }
}

/// A transceiver without a track.
pub(crate) fn add(session: &mut Session, kind: MediaKind, direction: Direction) -> TransceiverId {
    session
        .add_transceiver(kind, None, init(direction))
        .unwrap()
}

/// Sets and returns the local description of this kind.
pub(crate) fn local(session: &mut Session, kind: SdpType) -> String {
    session.set_local_description(Some((kind, ""))).unwrap();
    session.local_description().unwrap().1
}

/// An offer goes over.
pub(crate) fn offer(from: &mut Session, to: &mut Session) -> String {
    let text = local(from, SdpType::Offer);
    to.set_remote_description(SdpType::Offer, &text).unwrap();
    text
}

/// An answer, perhaps a provisional one, goes over.
pub(crate) fn answer(from: &mut Session, to: &mut Session, kind: SdpType) -> String {
    let text = local(from, kind);
    to.set_remote_description(kind, &text).unwrap();
    text
}

/// A whole exchange: the offer and the answer.
pub(crate) fn exchange(a: &mut Session, b: &mut Session) -> (String, String) {
    let offer = offer(a, b);
    let answer = answer(b, a, SdpType::Answer);
    assert_eq!(a.signaling_state(), SignalingState::Stable);
    assert_eq!(b.signaling_state(), SignalingState::Stable);
    (offer, answer)
}

pub(crate) fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

pub(crate) fn parse(text: &str) -> SessionDescription {
    SessionDescription::parse(text).unwrap()
}

/// mid, direction and current direction of every transceiver.
pub(crate) fn table(
    session: &Session,
) -> Vec<(Option<String>, &'static str, Option<&'static str>)> {
    session
        .transceivers()
        .map(|own| {
            (
                own.mid().map(str::to_owned),
                own.direction().as_str(),
                own.current_direction().map(Direction::as_str),
            )
        })
        .collect()
}

pub(crate) fn only(session: &Session) -> TransceiverId {
    let all: Vec<_> = session.transceivers().map(|own| own.id()).collect();
    assert_eq!(all.len(), 1, "one transceiver");
    all[0]
}

pub(crate) fn nth(session: &Session, index: usize) -> TransceiverId {
    session.transceivers().nth(index).unwrap().id()
}

/// The lines of a description that begin so.
pub(crate) fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines()
        .filter(|line| line.starts_with(start))
        .collect()
}

/// The mids of each transport.
pub(crate) fn bundles(session: &Session) -> Vec<Vec<String>> {
    let plans = session.transports().iter();
    plans
        .map(|plan| plan.sections.iter().map(|it| it.mid.clone()).collect())
        .collect()
}

/// A call that fails, and leaves the session as it was.
pub(crate) fn fails<T: std::fmt::Debug>(
    session: &mut Session,
    call: impl FnOnce(&mut Session) -> Result<T, pc_jsep::Error>,
) -> pc_jsep::Error {
    let before = format!("{session:?}");
    let error = call(session).unwrap_err();
    assert_eq!(
        before,
        format!("{session:?}"),
        "{error} has changed something"
    );
    error
}

/// Whether negotiation is needed, told once.
pub(crate) fn needs(session: &mut Session) -> bool {
    events(session);
    session.update_negotiation_needed();
    let told = events(session);
    assert!(told.is_empty() || told == [Event::NegotiationNeeded]);
    !told.is_empty()
}

/// A description with some text in it replaced; it has to be there.
pub(crate) fn edited(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "{old:?} is not in\n{text}");
    text.replace(old, new)
}
