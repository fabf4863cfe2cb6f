//! Our keys, decoded by GStreamer's `rtpdtmfdepay` behind its webrtcbin.

use std::{
    fs,
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use peerconnection::{
    Configuration, Event, HostAddresses, MediaStream, PeerConnection, SessionDescription,
};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{
    super::{
        install,
        mailbox::Mailbox,
        peers::{Peer, Program},
        process::{Ended, Running},
        report::{Report, Row},
        run::{Outcome, Verdict},
        scenario::{Role, Side},
        selection::{Selection, empty_logs},
    },
    ALL_KEYS, GAP, Key, LONGEST, Line, PRESSED, Sound, TOLERANCE, compare, silence,
    variants::{self, Variant},
};

const PATIENCE: Duration = Duration::from_secs(15);
/// What the peer gives itself (`--seconds`), and what it gets.
const PEER_SECONDS: &str = "40";
const PEER_PATIENCE: Duration = Duration::from_secs(45);
const POLL: Duration = Duration::from_millis(20);
/// How long the longest segment of an event is with a clock of 48,000 Hz, in ms (RFC 4733 §2.5.1.3).
const SEGMENT: u64 = 65_535 / 48;
/// -10 dBm0: how loud we press keys.
const VOLUME: u64 = 10;

type Scenario = (&'static str, Sound, Pressed);

/// What is pressed.
#[derive(Clone, Copy)]
enum Pressed {
    Each(&'static str, u64),
    Variant(Variant),
}

const ALL: Pressed = Pressed::Each(ALL_KEYS, PRESSED);
const LONG: Pressed = Pressed::Each("5", LONGEST);

const SCENARIOS: [Scenario; 9] = [
    ("all of ours, with opus", Sound::Opus, ALL),
    ("all of ours, with PCMU", Sound::Pcmu, ALL),
    variant("tones of ours", variants::TONES),
    variant("abort of ours", variants::ABORT),
    variant("light of ours", variants::LIGHT),
    variant("append of ours", variants::APPEND),
    variant("durations of ours", variants::DURATIONS),
    ("the longest of ours", Sound::Opus, LONG),
    ("the longest, with PCMU", Sound::Pcmu, LONG),
];

const fn variant(name: &'static str, variant: Variant) -> Scenario {
    (name, Sound::Opus, Pressed::Variant(variant))
}

/// What the scenarios are called.
pub(super) fn names() -> Vec<&'static str> {
    SCENARIOS.map(|(name, ..)| name).to_vec()
}

/// An answer of webrtcbin has one codec a section, so telephone events are only in its offers.
pub(super) const OUR_ROLE: Role = Role::Answer;

pub(super) fn run(selection: &Selection) -> Result<()> {
    let work = selection.work()?;
    let theirs = install::install(&work, &[Peer::Gstreamer])?.program(Peer::Gstreamer);
    let logs = empty_logs(&work, "dtmf-programs")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut report = Report::default();
    println!("\nour side with {}, {OUR_ROLE}", Peer::Gstreamer);
    for scenario in SCENARIOS.iter().filter(|(name, ..)| selection.has(name)) {
        let row = runtime.block_on(run_one(scenario, selection, &theirs, &logs))?;
        println!("{row}");
        report.push(row);
    }
    report.conclude(&logs)
}

/// One scenario, once more for each retry while it fails. The logs of a failed try stay.
async fn run_one(
    scenario: &Scenario,
    selection: &Selection,
    theirs: &Program,
    logs: &Path,
) -> Result<Row> {
    let (name, ..) = *scenario;
    let mut tries = 1;
    loop {
        let slug = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let folder = logs.join(format!("{slug}.try-{tries}"));
        let outcome = attempt(scenario, theirs, &folder).await;
        let row = Row::new(Peer::Gstreamer, OUR_ROLE, name, outcome, tries);
        if !row.failed() && !selection.keep {
            fs::remove_dir_all(&folder)?;
        }
        if !row.failed() || tries > selection.retries {
            return Ok(row);
        }
        println!("{row}\n      trying again");
        tries += 1;
    }
}

async fn attempt(scenario: &Scenario, theirs: &Program, folder: &Path) -> Outcome {
    let started = Instant::now();
    let verdict = match play(scenario, theirs, folder).await {
        Ok(()) => Verdict::Passed,
        Err(error) => Verdict::Failed(vec![
            format!("{error:#}"),
            format!("logs: {}", folder.display()),
        ]),
    };
    let time = started.elapsed();
    Outcome { verdict, time }
}

async fn play(scenario: &Scenario, theirs: &Program, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).context("cannot make the log folder")?;
    let mailbox = Mailbox::serve(None)?;
    let played = talk(scenario, theirs, &mailbox, folder).await;
    let text = |(to, message)| -> String { format!("to {to}:\n{}\n", sdp(message)) };
    let told: String = mailbox.delivered().into_iter().map(text).collect();
    fs::write(folder.join("run.txt"), told).context("cannot write the run's log")?;
    played
}

/// The text of a description.
fn sdp(message: String) -> String {
    let read = serde_json::from_str::<SessionDescription>(&message);
    read.map_or(message, |it| it.sdp)
}

async fn talk(
    scenario: &Scenario,
    theirs: &Program,
    mailbox: &Mailbox,
    folder: &Path,
) -> Result<()> {
    let (_, sound, pressed) = *scenario;
    let mut command = theirs.command();
    command.args(["--signal", &mailbox.url()?, OUR_ROLE.other().flag()]);
    command.args(["--name", Side::Theirs.name(), "--remote", Side::Ours.name()]);
    command.args(["--keys", "--codec", sound.name()]);
    command.args(["--loopback", "--json", "--seconds", PEER_SECONDS]);
    let mut running = Running::start(command, folder, Side::Theirs.name())?;

    let (track, _silence) = silence();
    let stream = MediaStream::new("keys", [track.clone()]);
    let mut line = call(mailbox, |pc| {
        pc.add_track(&track, &[&stream])?;
        let mut all = pc.transceivers().into_iter();
        all.try_for_each(|it| sound.prefer(&it))
    })
    .await?;
    let keys = press(&mut line, pressed).await?;
    // Its last packets are to be there before the end.
    sleep(Duration::from_millis(300)).await;
    line.pc.close();
    let ending = async {
        while !running.has_ended()? {
            sleep(POLL).await;
        }
        anyhow::Ok(())
    };
    let ended = timeout(PEER_PATIENCE, ending).await;
    ended.context("the peer does not end")??;
    let told = compare(&heard(&running.end()?)?, &keys, TOLERANCE)?;
    println!("      {told}");
    Ok(())
}

/// Presses keys, to their end: which.
async fn press(line: &mut Line, pressed: Pressed) -> Result<Vec<Key>> {
    match pressed {
        Pressed::Each(tones, pressed) => {
            let ms = Duration::from_millis;
            let dtmf = line.keypad().await?;
            dtmf.insert_dtmf(tones, ms(pressed), ms(GAP))?;
            while line.next_tone().await?.is_some() {}
            Ok(Key::each(tones, pressed))
        }
        Pressed::Variant(variant) => {
            variant.play(line).await?;
            Ok(variant.keys())
        }
    }
}

/// Our end of a connection with what offers one at the mailbox; `add` gives it something to send.
async fn call(mailbox: &Mailbox, add: impl Fn(&PeerConnection) -> Result<()>) -> Result<Line> {
    let (pc, mut events) = PeerConnection::new(Configuration {
        host_addresses: HostAddresses::Only(vec![Ipv4Addr::LOCALHOST.into()]),
        ..Configuration::default()
    })?;
    pc.set_remote_description(received(mailbox).await?).await?;
    add(&pc)?;
    pc.set_local_description(None).await?;
    let gathered = async {
        while let Some(event) = events.next().await {
            if matches!(event, Event::IceCandidate(None)) {
                break;
            }
        }
    };
    let gathered = timeout(PATIENCE, gathered).await;
    gathered.context("gathering does not end")?;
    let description = pc.local_description().context("no description")?;
    mailbox.post(Side::Theirs.name(), serde_json::to_string(&description)?);
    Ok(Line::new(pc, events))
}

async fn received(mailbox: &Mailbox) -> Result<SessionDescription> {
    let message = async {
        loop {
            match mailbox.fetch(Side::Ours.name()) {
                Some(message) => return message,
                None => sleep(POLL).await,
            }
        }
    };
    let message = timeout(PATIENCE, message).await;
    let message = message.context("the peer says nothing")?;
    serde_json::from_str(&message).context("a description")
}

/// What the depayloader has decoded, with the segments of one event put together.
fn heard(ended: &Ended) -> Result<Vec<Key>> {
    let mut keys: Vec<Key> = Vec::new();
    let mut is_full = false;
    for line in ended.of("key") {
        let key = key(&line.json)?;
        match keys.last_mut() {
            Some(last) if is_full && last.tone == key.tone => last.ms += key.ms,
            _ => keys.push(key),
        }
        is_full = key.ms.abs_diff(SEGMENT) <= 1;
    }
    Ok(keys)
}

fn key(line: &Value) -> Result<Key> {
    let tone = line["tone"].as_str().and_then(|it| it.chars().next());
    let (tone, ms) = tone.zip(line["duration"].as_u64()).context("a key")?;
    let volume = line["volume"].as_u64().context("a volume")?;
    ensure!(volume == VOLUME, "{tone} at -{volume} dBm0");
    Ok(Key { tone, ms })
}
