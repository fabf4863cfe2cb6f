use super::*;

/// A crate with `Channel { id, kind }`, `Channel::label`, `Channel::threshold`, `Channel::set_threshold`,
/// `Channel::close`, `ChannelEvent::{Open}` and `state::IceRole::{Unknown}`.
fn surface() -> Surface {
    let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
    let channel = RustType {
        methods: names(&[
            "label",
            "threshold",
            "set_threshold",
            "close",
            "stats",
            "send",
        ]),
        fields: names(&["id", "kind"]),
        ..RustType::default()
    };
    let event = RustType {
        variants: names(&["Open"]),
        ..RustType::default()
    };
    let role = RustType {
        variants: names(&["Unknown", "HaveLocalOffer"]),
        ..RustType::default()
    };
    Surface::default()
        .with("Channel", channel)
        .with("ChannelEvent", event)
        .with("state::IceRole", role)
        .with("engine::Transport", RustType::default())
}

fn channel(members: &[(Kind, &str)]) -> Definition {
    defined("interface", "RTCChannel", members)
}

fn defined(kind: &str, name: &str, members: &[(Kind, &str)]) -> Definition {
    let member = |(kind, name): &(Kind, &str)| Member {
        spec: "spec".into(),
        kind: *kind,
        name: name.trim_end_matches('=').into(),
        writable: name.ends_with('='),
        overloaded: name.contains('('),
    };
    Definition {
        spec: "spec".into(),
        kind: kind.into(),
        name: name.into(),
        members: members.iter().map(member).collect(),
    }
}

fn judge(idl: &[Definition], mapping: &str) -> Coverage {
    let text = format!("specifications = []\nmodules = [\"state\"]\n{mapping}");
    let mapping = toml::from_str(&text).expect("a mapping");
    Coverage::judge(idl, &surface(), &mapping)
}

fn problems(idl: &[Definition], mapping: &str) -> Vec<String> {
    judge(idl, mapping).problems
}

fn carried(idl: Definition) -> Vec<String> {
    let coverage = judge(&[idl], "");
    assert_eq!(coverage.problems, Vec::<String>::new());
    let verdicts = coverage.definitions[0].members.iter();
    let paths = verdicts.map(|it| match it {
        Verdict::Carried(paths) => paths.join(" "),
        other => panic!("{other:?}"),
    });
    paths.collect()
}

#[test]
fn names_of_the_same_letters_are_found() {
    let members = [
        (Kind::Attribute, "label"),
        (Kind::Attribute, "id"),
        (Kind::Attribute, "threshold="),
        (Kind::Method, "close"),
        (Kind::Method, "getStats"),
        (Kind::Event, "onopen"),
        (Kind::Attribute, "type"),
    ];
    let found = carried(channel(&members));
    let wanted = [
        "Channel::label",
        "Channel::id",
        "Channel::threshold Channel::set_threshold",
        "Channel::close",
        "Channel::stats",
        "ChannelEvent::Open",
        "Channel::kind",
    ];
    assert_eq!(found, wanted);
    let role = defined("enum", "RTCIceRole", &[(Kind::Value, "have-local-offer")]);
    assert_eq!(carried(role), ["state::IceRole::HaveLocalOffer"]);
    let of_rtp = defined("interface", "RTCRtpChannel", &[(Kind::Attribute, "label")]);
    assert_eq!(carried(of_rtp), ["Channel::label"]);
}

#[test]
fn of_two_types_the_one_with_more_of_the_name_is_found() {
    let judged = |surface: Surface| {
        let idl = [defined("dictionary", "RTCRtpRole", &[])];
        let mapping = toml::from_str("specifications = []\nmodules = [\"rtp\", \"state\"]");
        Coverage::judge(&idl, &surface, &mapping.expect("a mapping")).definitions[0]
            .verdict
            .clone()
    };
    let found = |path: &str| Verdict::Carried(vec![path.into()]);
    let mut surface = Surface::default();
    // Each is preferred to those before it.
    for path in [
        "state::Role",
        "rtp::Role",
        "Role",
        "state::RtpRole",
        "rtp::RtpRole",
        "RtpRole",
    ] {
        surface = surface.with(path, RustType::default());
        assert_eq!(judged(surface.clone()), found(path));
    }
}

#[test]
fn a_member_with_neither_item_nor_reason_is_a_problem() {
    let idl = [channel(&[(Kind::Attribute, "protocol")])];
    assert_eq!(
        problems(&idl, ""),
        ["RTCChannel.protocol: no item and no reason"]
    );
    let reason = "[[absent]]\nreason = \"later\"\nof = [\"RTCChannel.protocol\"]";
    assert_eq!(problems(&idl, reason), Vec::<String>::new());
}

#[test]
fn so_is_a_definition_without_a_type() {
    let idl = [defined("interface", "RTCThing", &[])];
    assert_eq!(problems(&idl, ""), ["RTCThing: no item and no reason"]);
    // The rule of names looks into the modules of the mapping only.
    let idl = [defined("interface", "RTCTransport", &[])];
    assert_eq!(problems(&idl, "").len(), 1);
    assert_eq!(
        problems(&idl, "types.RTCTransport = \"engine::Transport\"").len(),
        0
    );
}

#[test]
fn what_can_be_read_only_does_not_carry_what_can_be_set() {
    let idl = [channel(&[(Kind::Attribute, "label=")])];
    assert_eq!(
        problems(&idl, ""),
        ["RTCChannel.label: no item and no reason"]
    );
}

#[test]
fn an_overload_is_carried_only_by_name() {
    let idl = [channel(&[
        (Kind::Method, "send(Blob)"),
        (Kind::Method, "send(USVString)"),
    ])];
    assert_eq!(problems(&idl, "").len(), 2);
    let one = "members.\"RTCChannel.send(Blob)\" = \"Channel::send\"";
    assert_eq!(
        problems(&idl, one),
        ["RTCChannel.send(USVString): no item and no reason"]
    );
}

#[test]
fn an_item_that_is_not_there_is_a_problem() {
    let idl = [channel(&[(Kind::Attribute, "label")])];
    let wrong = "members.\"RTCChannel.label\" = [\"Channel::label\", \"Channel::title\"]";
    assert_eq!(
        problems(&idl, wrong),
        ["RTCChannel.label: there is no `Channel::title`"]
    );
    let wrong = "types.RTCChannel = \"Chanel\"";
    assert!(problems(&idl, wrong).contains(&"RTCChannel: there is no `Chanel`".to_owned()));
    let wrong = "events.RTCChannel = \"Evnt\"";
    assert_eq!(
        problems(&idl, wrong),
        ["the mapping's events: there is no `Evnt`"]
    );
}

#[test]
fn a_reason_that_is_no_longer_true_is_a_problem() {
    let idl = [channel(&[(Kind::Attribute, "label")])];
    let reason = "[[absent]]\nreason = \"later\"\nof = [\"RTCChannel.label\"]";
    assert_eq!(
        problems(&idl, reason),
        ["RTCChannel.label: absent (\"later\"), but there is `Channel::label`"]
    );
    let reason = "[[absent]]\nreason = \"later\"\nof = [\"RTCChannel\"]";
    assert_eq!(problems(&idl, reason).len(), 2);
}

#[test]
fn what_is_refused_has_an_item_and_a_reason() {
    let idl = [channel(&[
        (Kind::Attribute, "label"),
        (Kind::Attribute, "protocol"),
    ])];
    let refused = |of: &str| {
        let absent = "[[absent]]\nreason = \"later\"\nof = [\"RTCChannel.protocol\"]";
        let text = format!("{absent}\n[[refused]]\nreason = \"not used\"\nof = [\"{of}\"]");
        judge(&idl, &text)
    };
    let coverage = refused("RTCChannel.label");
    assert_eq!(coverage.problems, Vec::<String>::new());
    let verdict = Verdict::Refused(vec!["Channel::label".into()], "not used".into());
    assert_eq!(coverage.definitions[0].members[0], verdict);
    assert_eq!(
        refused("RTCChannel.protocol").problems,
        ["the mapping's RTCChannel.protocol (\"not used\") is the reason of nothing"]
    );
}

#[test]
fn an_entry_that_is_about_nothing_is_a_problem() {
    let idl = [channel(&[(Kind::Attribute, "label")])];
    for (entry, wanted) in [
        (
            "types.RTCChanel = \"Channel\"",
            "the mapping's RTCChanel is in no IDL",
        ),
        (
            "events.RTCChanel = \"ChannelEvent\"",
            "the mapping's RTCChanel is in no IDL",
        ),
        (
            "members.\"RTCChannel.lable\" = \"Channel::label\"",
            "the mapping's RTCChannel.lable is in no IDL",
        ),
        (
            "[[absent]]\nreason = \"later\"\nof = [\"RTCChannel.x*\"]",
            "the mapping's RTCChannel.x* (\"later\") is the reason of nothing",
        ),
    ] {
        assert_eq!(problems(&idl, entry), [wanted], "{entry}");
    }
}

#[test]
fn of_several_types_each_must_have_the_member() {
    let idl = [defined(
        "dictionary",
        "RTCChannel",
        &[(Kind::Field, "id"), (Kind::Field, "label")],
    )];
    let both = "types.RTCChannel = [\"Channel\", \"engine::Transport\"]";
    assert_eq!(
        problems(&idl, both),
        [
            "RTCChannel.id: no item and no reason",
            "RTCChannel.label: no item and no reason"
        ]
    );
}
