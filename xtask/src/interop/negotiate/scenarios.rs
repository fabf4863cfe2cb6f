//! The scenarios, by name.

use std::pin::Pin;

use anyhow::Result;
use peerconnection::{BundlePolicy, Configuration};

use super::{
    super::{
        dtmf::{Sound, variants},
        scenario::{Role, Side},
    },
    costs, errors, families, flow, keys, later, lite, media, names, pending, perfect, played,
    relayed, rtp,
    session::{Session, plain},
    simulcast::{Sender, switches, three_asked_for, three_layers},
    tcp, transports,
};

type Play = for<'a> fn(&'a mut Session) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// What is done and checked, and what both connections are made with.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) play: Play,
    pub(super) ours: fn() -> Configuration,
    /// The browser's `RTCConfiguration`, in JavaScript.
    pub(super) theirs: &'static str,
}

impl Scenario {
    /// Its name for a folder.
    pub(super) fn slug(&self) -> String {
        self.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    }

    fn new(name: &'static str, play: Play) -> Self {
        Self {
            name,
            play,
            ours: plain,
            theirs: "undefined",
        }
    }

    fn with(mut self, ours: fn() -> Configuration, theirs: &'static str) -> Self {
        self.ours = ours;
        self.theirs = theirs;
        self
    }
}

/// A scenario of a name, an async function on the session, and what it takes beside it.
macro_rules! scenario {
    ($name:literal, $play:path $(, $argument:expr)*) => {
        Scenario::new($name, |session| Box::pin($play(session $(, $argument)*)))
    };
}

/// Every scenario, with our side in `role`.
pub(super) fn all(role: Role) -> Vec<Scenario> {
    let mut all = medias();
    all.extend(bundles());
    all.extend(over_transports());
    all.extend(later_on());
    all.extend(pending_ones());
    all.extend(rtp_of(role));
    all.extend([
        scenario!("call flow", flow::call),
        scenario!("wrong states", errors::wrong_states),
        scenario!("glare, 50 times", perfect::glare),
    ]);
    all
}

fn medias() -> Vec<Scenario> {
    vec![
        scenario!("audio", media::tracks, &["audio"], false),
        scenario!("video", media::tracks, &["video"], false),
        scenario!("audio and video", media::tracks, &["audio", "video"], false),
        scenario!(
            "two of each",
            media::tracks,
            &["audio", "video", "audio", "video"],
            false
        ),
        scenario!("data", media::tracks, &[], true),
        scenario!(
            "audio, video and data",
            media::tracks,
            &["audio", "video"],
            true
        ),
        scenario!("recvonly", media::direction, "recvonly"),
        scenario!("sendonly", media::direction, "sendonly"),
        scenario!("inactive", media::direction, "inactive"),
        scenario!("sendrecv", media::direction, "sendrecv"),
        scenario!("no stream", media::streams, &[]),
        scenario!("several streams", media::streams, &["one", "two", "three"]),
    ]
}

/// Scenarios of `interop media`.
pub(super) fn media(_: Role) -> Vec<Scenario> {
    use played::{LONG_LOOK, LOOK, both_ways, paused};
    vec![
        scenario!("opus and VP8", both_ways, "opus", "VP8", LOOK),
        scenario!("opus and VP9", both_ways, "opus", "VP9", LOOK),
        scenario!("PCMU and VP8", both_ways, "PCMU", "VP8", LOOK),
        scenario!("PCMA and VP8", both_ways, "PCMA", "VP8", LOOK),
        scenario!("G722 and VP8", both_ways, "G722", "VP8", LOOK),
        scenario!("opus and AV1", both_ways, "opus", "AV1", LOOK),
        scenario!("opus and H264", both_ways, "opus", "H264", LOOK),
        scenario!("red of opus and VP8", played::redundant),
        scenario!("a minute", both_ways, "opus", "VP8", LONG_LOOK),
        scenario!("key frames of theirs", played::key_frames_of_theirs),
        scenario!("key frames of ours", played::key_frames_of_ours),
        scenario!("replaceTrack", played::replaced),
        scenario!("track disabled there", played::disabled_there),
        scenario!("inactive and back", paused, Side::Ours),
        scenario!("inactive and back by the other", paused, Side::Theirs),
    ]
}

/// Scenarios of `interop dtmf`.
pub(super) fn dtmf(_: Role) -> Vec<Scenario> {
    use keys::{all_of_ours, all_of_theirs, longest_of_ours, longest_of_theirs};
    use keys::{variant_of_ours, variant_of_theirs};
    use variants::{ABORT, APPEND, DURATIONS, LIGHT, TONES};
    vec![
        scenario!("all of theirs, with opus", all_of_theirs, Sound::Opus),
        scenario!("all of theirs, with PCMU", all_of_theirs, Sound::Pcmu),
        scenario!("tones of theirs", variant_of_theirs, TONES),
        scenario!("abort of theirs", variant_of_theirs, ABORT),
        scenario!("light of theirs", variant_of_theirs, LIGHT),
        scenario!("append of theirs", variant_of_theirs, APPEND),
        scenario!("durations of theirs", variant_of_theirs, DURATIONS),
        scenario!("the longest of theirs", longest_of_theirs),
        scenario!("all of ours, with opus", all_of_ours, Sound::Opus),
        scenario!("all of ours, with PCMU", all_of_ours, Sound::Pcmu),
        scenario!("tones of ours", variant_of_ours, TONES),
        scenario!("abort of ours", variant_of_ours, ABORT),
        scenario!("light of ours", variant_of_ours, LIGHT),
        scenario!("append of ours", variant_of_ours, APPEND),
        scenario!("durations of ours", variant_of_ours, DURATIONS),
        scenario!("the longest of ours", longest_of_ours),
    ]
}

/// Scenarios of `interop ice`.
pub(super) fn ice(_: Role) -> Vec<Scenario> {
    use relayed::{Relayed, call, over_tcp, over_tls, over_udp, talk};
    const OURS: Relayed = Relayed {
        ours: true,
        theirs: false,
    };
    const THEIRS: Relayed = Relayed {
        ours: false,
        theirs: true,
    };
    const BOTH: Relayed = Relayed {
        ours: true,
        theirs: true,
    };
    let relay_only = relayed::theirs(", iceTransportPolicy: 'relay'");
    let over_ipv6 = families::theirs().map(|theirs| {
        scenario!("both relayed, with IPv6", families::talk).with(families::ours, theirs)
    });
    let mut all = vec![
        scenario!("ours relayed, over UDP", talk, OURS).with(over_udp, "undefined"),
        scenario!("ours relayed, over TCP", talk, OURS).with(over_tcp, "undefined"),
        scenario!("ours relayed, over TLS", talk, OURS).with(over_tls, "undefined"),
        scenario!("theirs relayed", talk, THEIRS).with(plain, relay_only),
        scenario!("both relayed", talk, BOTH).with(over_udp, relay_only),
        scenario!("a relayed call, over UDP", call, BOTH).with(over_udp, relay_only),
        scenario!("a relayed call, over TLS", call, OURS).with(over_tls, "undefined"),
        scenario!("we are lite", lite::talk).with(lite::ours, "undefined"),
        scenario!("a network that costs less", costs::talk).with(costs::ours, "undefined"),
        scenario!("TCP to us", tcp::talk, "host").with(tcp::listening, "undefined"),
        scenario!("a call over TCP", tcp::call, "host").with(tcp::listening, "undefined"),
        scenario!("TCP to our relay", tcp::talk, "relay").with(relayed::taking_tcp, "undefined"),
        scenario!("TCP to our relay, over TLS", tcp::talk, "relay")
            .with(relayed::taking_tcp_over_tls, "undefined"),
        scenario!("a call over TCP to our relay", tcp::call, "relay")
            .with(relayed::taking_tcp, "undefined"),
    ];
    // Where this machine has IPv6.
    all.extend(over_ipv6);
    all
}

/// Scenarios of `interop ice` with a browser that hides its addresses.
pub(super) fn hiding(_: Role) -> Vec<Scenario> {
    vec![
        scenario!("names for addresses", names::theirs).with(names::everywhere, "undefined"),
        scenario!("our names for addresses", names::ours).with(names::hidden, "undefined"),
    ]
}

/// Scenarios of `interop simulcast`. Who offers to a viewer makes no difference to what it sees.
pub(super) fn simulcast(role: Role) -> Vec<Scenario> {
    match role {
        Role::Offer => vec![
            scenario!("three layers that we ask for", three_asked_for),
            scenario!("100 switches of our layers", switches, Sender::Rust),
        ],
        Role::Answer => vec![
            scenario!("three layers of theirs", three_layers),
            scenario!("100 switches of their layers", switches, Sender::Browser),
        ],
    }
}

fn bundles() -> Vec<Scenario> {
    const KINDS: &[&str] = &["audio", "video", "audio"];
    vec![
        scenario!("max-bundle", media::tracks, KINDS, true).with(
            || policy(BundlePolicy::MaxBundle),
            "{ bundlePolicy: 'max-bundle' }",
        ),
        scenario!("max-compat", media::tracks, KINDS, true).with(
            || policy(BundlePolicy::MaxCompat),
            "{ bundlePolicy: 'max-compat' }",
        ),
        scenario!("balanced", media::tracks, KINDS, true).with(
            || policy(BundlePolicy::Balanced),
            "{ bundlePolicy: 'balanced' }",
        ),
        scenario!("no bundle", transports::no_bundle),
        scenario!("data beside the bundle", transports::partial_bundle),
    ]
}

fn policy(bundle_policy: BundlePolicy) -> Configuration {
    Configuration {
        bundle_policy,
        ..plain()
    }
}

fn over_transports() -> Vec<Scenario> {
    use transports::{Restart, THEIR_RSA, ice_restart, rsa, with_rsa};
    vec![
        scenario!("restartIce()", ice_restart, false, Restart::Call),
        scenario!(
            "restartIce() of the other",
            ice_restart,
            true,
            Restart::Call
        ),
        scenario!("iceRestart", ice_restart, false, Restart::Option),
        scenario!(
            "iceRestart of the other",
            ice_restart,
            true,
            Restart::Option
        ),
        scenario!("our RSA certificate", rsa, Side::Ours).with(with_rsa, "undefined"),
        scenario!("their RSA certificate", rsa, Side::Theirs).with(plain, THEIR_RSA),
    ]
}

fn later_on() -> Vec<Scenario> {
    vec![
        scenario!("stop and recycle", later::recycle, false),
        scenario!("stop by the other", later::recycle, true),
        scenario!("addTrack later", later::add_track, false),
        scenario!("addTrack of the other", later::add_track, true),
        scenario!("directions", later::directions, false),
        scenario!("directions of the other", later::directions, true),
        scenario!("removeTrack", later::remove_track, false),
        scenario!("removeTrack of the other", later::remove_track, true),
        scenario!("setStreams", later::set_streams, false),
        scenario!("setStreams of the other", later::set_streams, true),
    ]
}

fn pending_ones() -> Vec<Scenario> {
    use pending::{Rollback, pranswer, rollback};
    vec![
        scenario!("local rollback", rollback, Rollback::Local),
        scenario!("remote rollback", rollback, Rollback::Remote),
        scenario!("implicit rollback", rollback, Rollback::Implicit),
        scenario!("pranswer", pranswer),
    ]
}

fn rtp_of(role: Role) -> Vec<Scenario> {
    vec![
        scenario!("codecs the offerer prefers", rtp::preferences, false),
        scenario!("codecs the answerer prefers", rtp::preferences, true),
        scenario!("payload types and ids", rtp::parameters),
        scenario!("header extensions", rtp::extensions),
        match role {
            Role::Offer => scenario!("simulcast", rtp::our_simulcast),
            Role::Answer => scenario!("simulcast", rtp::their_simulcast),
        },
    ]
}
