//! The scenarios of `interop data`: the flags of both sides and what must be seen.

use std::fmt;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::peers::Peer;

/// The side under test, and the reference peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

impl Side {
    /// Its name in the mailbox and of its logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Theirs => "theirs",
        }
    }

    /// The side across.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// What our side does in the negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// We offer, they answer.
    Offer,
    /// They offer, we answer.
    Answer,
}

impl Role {
    pub(crate) const ALL: [Self; 2] = [Self::Offer, Self::Answer];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Offer => Self::Answer,
            Self::Answer => Self::Offer,
        }
    }

    /// What the peer's command line takes.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Offer => "--offer",
            Self::Answer => "--answer",
        }
    }

    /// For the name of a folder.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            Self::Offer => "answers",
            Self::Answer => "offers",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offer => "which answers",
            Self::Answer => "which offers",
        })
    }
}

/// Something that must be seen in the lines or the exit code of one side.
#[derive(Clone, Debug)]
pub(crate) enum Expect {
    /// It exits by itself with this code.
    Exit(Side, i32),
    /// It sends `count` scripted messages of `size` and the other side echoes every one.
    Echoed { from: Side, count: u64, size: u64 },
    /// A `datachannel` line with these fields; a field that the peer cannot tell is not held
    /// against it.
    Accepted(Side, Value),
    /// No `datachannel` line.
    NothingAccepted(Side),
    /// An `open` line with these fields.
    Opened(Side, Value),
    /// No `open` line.
    NeverOpen(Side),
    /// No `state` line that says `connected`.
    NeverConnected(Side),
    /// A `close` line while the connection stands, which the other side ends later.
    ChannelClosed(Side),
    /// A `close` line for every channel that opened.
    AllClosed(Side),
    /// A `media` line of sound in this codec, with the note that our `peer` plays.
    Heard(Side, &'static str),
    /// A `media` line of pictures in this codec, with the clock that our `peer` shows.
    Seen(Side, &'static str),
}

/// Two command lines, what passes between them, and what must be seen.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The side that gets a wrong fingerprint of the other.
    pub(crate) tamper: Option<Side>,
    pub(crate) expect: Vec<Expect>,
    ours: Vec<String>,
    theirs: Vec<String>,
}

impl Scenario {
    /// The flags of one side, beside those of every run.
    pub(crate) fn flags(&self, side: Side) -> &[String] {
        match side {
            Side::Ours => &self.ours,
            Side::Theirs => &self.theirs,
        }
    }

    /// Its name for a folder.
    pub(crate) fn slug(&self) -> String {
        self.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    }

    fn new(name: &'static str, ours: String, theirs: String, expect: Vec<Expect>) -> Self {
        let split = |flags: String| flags.split_whitespace().map(str::to_owned).collect();
        Self {
            name,
            tamper: None,
            expect,
            ours: split(ours),
            theirs: split(theirs),
        }
    }
}

/// Every scenario, with our side in `role` across from `peer`.
pub(crate) fn data(role: Role, peer: Peer) -> Vec<Scenario> {
    use Side::{Ours, Theirs};
    vec![
        close_connection("open, we close", role, Ours),
        close_connection("open, they close", role, Theirs),
        echo("100 of each kind from us", role, Ours, 400, 1000),
        echo("100 of each kind from them", role, Theirs, 400, 1000),
        echo("256 KiB from us", role, Ours, 2, 256 * 1024),
        echo("256 KiB from them", role, Theirs, 2, 256 * 1024),
        close_channel("we close the channel", role, Ours),
        close_channel("they close the channel", role, Theirs),
        negotiated("negotiated channel"),
        attributes(
            "attributes, our retransmits",
            peer,
            &RETRANSMITS,
            &LIFE_TIME,
        ),
        attributes("attributes, our life time", peer, &LIFE_TIME, &RETRANSMITS),
        wrong_fingerprint("wrong fingerprint to us", role, Ours),
        wrong_fingerprint("wrong fingerprint to them", role, Theirs),
    ]
}

/// Every scenario of sound and pictures across from a program that sends back what it has decoded.
pub(crate) fn media(role: Role, _: Peer) -> Vec<Scenario> {
    vec![
        media_echo("opus and VP8 echoed", role, "opus", "VP8"),
        media_echo("PCMU and VP8 echoed", role, "PCMU", "VP8"),
    ]
}

/// What comes back has been decoded and encoded by the other side, so it is proof of both ways.
fn media_echo(
    name: &'static str,
    role: Role,
    audio: &'static str,
    video: &'static str,
) -> Scenario {
    let ours = format!(
        "--audio --video --codec {audio} --codec {video} --media-seconds 5 --close connection"
    );
    let theirs = match role {
        Role::Offer => "--echo".to_owned(),
        Role::Answer => format!("--echo --audio --video --codec {audio} --codec {video}"),
    };
    let mut expect = both_exit();
    expect.extend([
        Expect::Heard(Side::Ours, audio),
        Expect::Seen(Side::Ours, video),
    ]);
    Scenario::new(name, ours, theirs, expect)
}

/// `from` sends and closes the connection; the offerer makes the channel.
fn echo(name: &'static str, role: Role, from: Side, count: u64, size: u64) -> Scenario {
    let script = format!("--count {count} --size {size} --close connection");
    let [ours, theirs] = one_channel(role, from, &script);
    let expect = [both_exit(), vec![Expect::Echoed { from, count, size }]].concat();
    Scenario::new(name, ours, theirs, expect)
}

fn close_connection(name: &'static str, role: Role, by: Side) -> Scenario {
    let mut scenario = echo(name, role, by, 1, 100);
    scenario.expect.push(Expect::AllClosed(by.other()));
    scenario
}

fn close_channel(name: &'static str, role: Role, by: Side) -> Scenario {
    let [ours, theirs] = one_channel(role, by, "--count 4 --size 100 --close channel");
    let closed = [Side::Ours, Side::Theirs].map(Expect::ChannelClosed);
    Scenario::new(name, ours, theirs, [both_exit(), closed.to_vec()].concat())
}

fn negotiated(name: &'static str) -> Scenario {
    let channel = "--data agreed --negotiated 7";
    let opened = json!({ "label": "agreed", "id": 7, "negotiated": true });
    let mut expect = both_exit();
    expect.push(Expect::Echoed {
        from: Side::Ours,
        count: 8,
        size: 100,
    });
    for side in [Side::Ours, Side::Theirs] {
        expect.extend([
            Expect::Opened(side, opened.clone()),
            Expect::NothingAccepted(side),
        ]);
    }
    let ours = format!("{channel} --count 8 --size 100 --close connection");
    Scenario::new(name, ours, format!("{channel} --echo"), expect)
}

struct Attributes {
    flags: &'static str,
    ordered: bool,
    max_retransmits: Option<u16>,
    max_packet_life_time: Option<u16>,
}

const RETRANSMITS: Attributes = Attributes {
    flags: "--unordered --max-retransmits 3",
    ordered: false,
    max_retransmits: Some(3),
    max_packet_life_time: None,
};

const LIFE_TIME: Attributes = Attributes {
    flags: "--max-packet-life-time 500",
    ordered: true,
    max_retransmits: None,
    max_packet_life_time: Some(500),
};

impl Attributes {
    /// The line of a channel with `text` for both its label and its protocol.
    fn seen(&self, text: &str) -> Value {
        json!({
            "label": text, "ordered": self.ordered, "maxRetransmits": self.max_retransmits,
            "maxPacketLifeTime": self.max_packet_life_time, "protocol": text,
            "negotiated": false,
        })
    }

    fn flags(&self, text: &str) -> String {
        format!(
            "--data {text} --protocol {text} {} --channels 2",
            self.flags
        )
    }
}

/// Each side opens a channel; each must see the other's as it was made.
fn attributes(name: &'static str, peer: Peer, ours: &Attributes, theirs: &Attributes) -> Scenario {
    let our_text = "unser-käse";
    let their_text = if peer.counts_text_in_bytes() {
        "votre-thé"
    } else {
        "votre-the"
    };
    let expect = [
        both_exit(),
        vec![
            Expect::Accepted(Side::Theirs, ours.seen(our_text)),
            Expect::Accepted(Side::Ours, theirs.seen(their_text)),
            Expect::Echoed {
                from: Side::Ours,
                count: 8,
                size: 100,
            },
        ],
    ];
    let script = "--count 8 --size 100 --close connection";
    let ours = format!("{} {script}", ours.flags(our_text));
    let theirs = format!("{} --echo", theirs.flags(their_text));
    Scenario::new(name, ours, theirs, expect.concat())
}

fn wrong_fingerprint(name: &'static str, role: Role, victim: Side) -> Scenario {
    let [ours, theirs] = one_channel(role, Side::Ours, "--count 1 --close connection");
    let expect = vec![
        Expect::Exit(victim, 3),
        Expect::NeverConnected(victim),
        Expect::NeverOpen(Side::Ours),
        Expect::NeverOpen(Side::Theirs),
    ];
    Scenario {
        tamper: Some(victim),
        ..Scenario::new(name, ours, theirs, expect)
    }
}

/// Flags of our side and theirs: `from` follows `script`, the other echoes, the offerer has the
/// channel.
fn one_channel(role: Role, from: Side, script: &str) -> [String; 2] {
    let offerer = if role == Role::Offer {
        Side::Ours
    } else {
        Side::Theirs
    };
    [Side::Ours, Side::Theirs].map(|side| {
        let channel = if side == offerer { "--data chat " } else { "" };
        format!("{channel}{}", if side == from { script } else { "--echo" })
    })
}

fn both_exit() -> Vec<Expect> {
    vec![Expect::Exit(Side::Ours, 0), Expect::Exit(Side::Theirs, 0)]
}
