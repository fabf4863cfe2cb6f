//! The scenarios, by name.

use std::pin::Pin;

use anyhow::Result;
use peerconnection::{BundlePolicy, Configuration};

use super::{
    super::scenario::Role,
    media,
    session::{Session, plain},
};

type Play = for<'a> fn(&'a mut Session) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// What is done and checked, and what both connections are made with.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) play: Play,
    pub(super) ours: fn() -> Configuration,
    /// The browser's `RTCConfiguration`, as JSON.
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
            theirs: "null",
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
    let _ = role;
    let mut all = medias();
    all.extend(bundles());
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

fn bundles() -> Vec<Scenario> {
    let policy = |bundle_policy| Configuration {
        bundle_policy,
        ..plain()
    };
    let _ = policy;
    vec![
        scenario!("max-bundle", media::tracks, &["audio", "video"], true).with(
            || Configuration {
                bundle_policy: BundlePolicy::MaxBundle,
                ..plain()
            },
            r#"{"bundlePolicy": "max-bundle"}"#,
        ),
        scenario!(
            "max-compat",
            media::tracks,
            &["audio", "video", "audio"],
            true
        )
        .with(
            || Configuration {
                bundle_policy: BundlePolicy::MaxCompat,
                ..plain()
            },
            r#"{"bundlePolicy": "max-compat"}"#,
        ),
        scenario!(
            "balanced",
            media::tracks,
            &["audio", "video", "audio"],
            true
        )
        .with(
            || Configuration {
                bundle_policy: BundlePolicy::Balanced,
                ..plain()
            },
            r#"{"bundlePolicy": "balanced"}"#,
        ),
    ]
}
