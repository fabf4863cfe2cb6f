//! The arrows between the crates of the workspace: DESIGN §2 "Arrows point down only". Whatever
//! `cargo metadata` shows beyond the lists below fails.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What a crate's normal and build dependencies may name of the workspace, beside [`FOR_ALL`].
const ARROWS: &[(&str, &[&str])] = &[
    ("pc-proto", &[]),
    ("pc-crypto", &[]),
    ("pc-stun", &[]),
    ("pc-sdp", &[]),
    ("pc-rtp", &[]),
    ("pc-srtp", &[]),
    ("pc-dtls", &[]),
    ("pc-ice", &["pc-stun"]),
    ("pc-sctp", &[]),
    ("pc-datachannel", &["pc-sctp"]),
    ("pc-congestion", &[]),
    ("pc-rtp-session", &["pc-rtp", "pc-congestion"]),
    ("pc-jsep", &["pc-sdp"]),
    ("pc-media", &[]),
    ("pc-net", &[]),
    ("pc-simnet", &[]),
    (
        "peerconnection",
        &[
            "pc-jsep",
            "pc-sdp",
            "pc-rtp-session",
            "pc-rtp",
            "pc-congestion",
            "pc-datachannel",
            "pc-sctp",
            "pc-dtls",
            "pc-srtp",
            "pc-ice",
            "pc-stun",
            "pc-media",
            "pc-net",
        ],
    ),
];
/// What every crate may use.
const FOR_ALL: &[&str] = &["pc-proto", "pc-crypto"];
/// What is at the very bottom: the contract knows nobody, outside the workspace either.
const BOTTOM: &[&str] = &["pc-proto"];
/// What only tests may use.
const FOR_TESTS: &[&str] = &["pc-simnet"];
/// Programs may use anything of the workspace, and nothing of it may use them.
const PROGRAMS: &[&str] = &["examples", "benches", "xtask"];
/// Sockets, clocks and the system's randomness, and the only crates that may touch each. The devices of
/// `pc-media` are outside the engines, too: they have threads, a clock, and ids for their tracks.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("tokio", &["pc-net", "peerconnection"]),
    ("quinn-udp", &["pc-net", "peerconnection"]),
    ("socket2", &["pc-net", "peerconnection"]),
    ("getrandom", &["pc-media", "pc-net", "peerconnection"]),
];
/// Features that make a generator seed itself from the system.
const SELF_SEEDING: &[(&str, &[&str])] = &[("rand", &["default", "sys_rng", "thread_rng"])];
/// Crates that may ask for such a feature.
const MAY_SEED: &[&str] = &["pc-net", "peerconnection"];

#[test]
fn every_arrow_of_the_workspace_points_down() {
    let found = broken(&workspace());
    assert!(
        found.is_empty(),
        "arrows that the design does not allow:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_workspace_is_seen_as_it_is() {
    let crates = workspace();
    let named = |name: &str| {
        crates
            .iter()
            .find(|c| c.name == name)
            .expect("a crate of this name")
    };
    assert!(named("pc-ice").uses(Kind::Normal, "pc-stun"));
    assert!(named("pc-ice").uses(Kind::Dev, "pc-simnet"));
    assert!(named("pc-net").uses(Kind::Normal, "quinn-udp"));
}

#[test]
fn an_engine_beside_another_is_reported() {
    reports(
        Crate::new("pc-sctp").with(Kind::Normal, "pc-dtls"),
        "pc-sctp → pc-dtls",
    );
    reports(
        Crate::new("pc-stun").with(Kind::Normal, "pc-ice"),
        "pc-stun → pc-ice",
    );
    reports(
        Crate::new("pc-ice").with(Kind::Build, "pc-sdp"),
        "pc-ice → pc-sdp",
    );
    reports(
        Crate::new("pc-ice").with(Kind::Normal, "peerconnection"),
        "pc-ice → peerconnection",
    );
}

#[test]
fn the_bottom_knows_nobody() {
    reports(
        Crate::new("pc-proto").with(Kind::Normal, "pc-crypto"),
        "pc-proto → pc-crypto",
    );
    reports(
        Crate::new("pc-proto").with(Kind::Normal, "thiserror"),
        "pc-proto → thiserror",
    );
}

#[test]
fn a_crate_that_is_in_no_list_is_reported() {
    reports(Crate::new("pc-util"), "pc-util is not in the list");
}

#[test]
fn what_is_for_tests_stays_in_tests() {
    reports(
        Crate::new("pc-ice").with(Kind::Normal, "pc-simnet"),
        "pc-ice → pc-simnet",
    );
    reports(
        Crate::new("pc-ice").with(Kind::Dev, "pc-sctp"),
        "pc-ice → pc-sctp (tests)",
    );
    allows(Crate::new("pc-ice").with(Kind::Dev, "pc-simnet"));
}

#[test]
fn nobody_uses_a_program() {
    reports(
        Crate::new("peerconnection").with(Kind::Dev, "examples"),
        "peerconnection → examples",
    );
}

#[test]
fn sockets_and_system_randomness_stay_at_the_edge() {
    for outside in ["tokio", "quinn-udp", "socket2", "getrandom"] {
        reports(
            Crate::new("pc-dtls").with(Kind::Normal, outside),
            &format!("pc-dtls → {outside}"),
        );
        allows(Crate::new("peerconnection").with(Kind::Normal, outside));
        allows(Crate::new("examples").with(Kind::Normal, outside));
    }
    let seeding = Crate::new("pc-ice").with_feature("rand", "thread_rng");
    reports(seeding, "pc-ice → rand with `thread_rng`");
    allows(
        Crate::new("pc-ice")
            .with(Kind::Normal, "rand")
            .with(Kind::Normal, "rand_chacha"),
    );
}

fn reports(fabricated: Crate, wanted: &str) {
    let found = broken(&[fabricated]);
    assert!(
        found.iter().any(|arrow| arrow.starts_with(wanted)),
        "{wanted}: found {found:?}"
    );
}

fn allows(fabricated: Crate) {
    assert_eq!(broken(&[fabricated]), Vec::<String>::new());
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Normal,
    Build,
    Dev,
}

/// A crate of the workspace: what it names, and with which features.
struct Crate {
    name: String,
    arrows: BTreeMap<(Kind, String), BTreeSet<String>>,
}

impl Crate {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            arrows: BTreeMap::new(),
        }
    }

    fn with(mut self, kind: Kind, to: &str) -> Self {
        self.arrows.entry((kind, to.into())).or_default();
        self
    }

    fn with_feature(mut self, to: &str, feature: &str) -> Self {
        self.arrows
            .entry((Kind::Normal, to.into()))
            .or_default()
            .insert(feature.into());
        self
    }

    fn uses(&self, kind: Kind, to: &str) -> bool {
        self.arrows.contains_key(&(kind, to.into()))
    }

    fn is_program(&self) -> bool {
        PROGRAMS.contains(&self.name.as_str())
    }
}

/// The arrows that must not be, in words.
fn broken(crates: &[Crate]) -> Vec<String> {
    crates.iter().flat_map(broken_of).collect()
}

fn broken_of(from: &Crate) -> Vec<String> {
    let name = from.name.as_str();
    let allowed = ARROWS
        .iter()
        .find(|(listed, _)| *listed == name)
        .map(|(_, to)| *to);
    if allowed.is_none() && !from.is_program() {
        return vec![format!("{name} is not in the list of crates")];
    }
    let allowed = allowed.unwrap_or_default();
    let mut found = Vec::new();
    for ((kind, to), features) in &from.arrows {
        if !may(from, *kind, to, allowed) {
            let tests = if *kind == Kind::Dev { " (tests)" } else { "" };
            found.push(format!("{name} → {to}{tests}"));
        }
        let seeding = SELF_SEEDING.iter().filter(|(generator, _)| generator == to);
        let seeding = seeding
            .flat_map(|(_, names)| *names)
            .filter(|f| features.contains(**f));
        let seeds = *kind != Kind::Dev && !from.is_program() && !MAY_SEED.contains(&name);
        found.extend(
            seeding
                .filter(|_| seeds)
                .map(|f| format!("{name} → {to} with `{f}`")),
        );
    }
    found
}

fn may(from: &Crate, kind: Kind, to: &str, allowed: &[&str]) -> bool {
    let name = from.name.as_str();
    if PROGRAMS.contains(&to) {
        return false;
    }
    if from.is_program() {
        return true;
    }
    if kind != Kind::Dev && BOTTOM.contains(&name) {
        return false;
    }
    let in_workspace = ARROWS.iter().any(|(listed, _)| *listed == to);
    if in_workspace {
        let for_tests = kind == Kind::Dev && FOR_TESTS.contains(&to);
        return for_tests || FOR_ALL.contains(&to) || allowed.contains(&to);
    }
    let edge = OUTSIDE.iter().find(|(outside, _)| *outside == to);
    kind == Kind::Dev || edge.is_none_or(|(_, may)| may.contains(&name))
}

fn workspace() -> Vec<Crate> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec();
    let metadata = metadata.expect("cargo metadata of this workspace");
    metadata
        .workspace_packages()
        .into_iter()
        .map(read)
        .collect()
}

fn read(package: &Package) -> Crate {
    let mut found = Crate::new(package.name.as_str());
    for dependency in &package.dependencies {
        let kind = match dependency.kind {
            DependencyKind::Development => Kind::Dev,
            DependencyKind::Build => Kind::Build,
            _ => Kind::Normal,
        };
        let features = found
            .arrows
            .entry((kind, dependency.name.clone()))
            .or_default();
        features.extend(dependency.features.iter().cloned());
        if dependency.uses_default_features {
            features.insert("default".into());
        }
    }
    found
}
