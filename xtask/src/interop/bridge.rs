//! `cargo xtask interop bridge`: the bridge to the browsers, held against the browsers themselves.
//!
//! Two pages negotiate by the perfect negotiation of `peers/negotiate.js`, first in each browser
//! alone, then across both; all signaling passes through here. What fails is the harness, not our
//! stack.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use serde_json::{Value, json};

use super::{
    browser::{Browser, Events, Page, PageError},
    install::{self, Installed},
    peers::Peer,
    seconds,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// The flags of `cargo xtask interop bridge`.
#[derive(Args)]
pub(crate) struct Bridge {
    /// Only this browser; repeat for several.
    #[arg(long)]
    peer: Vec<Peer>,
    /// Where browsers' drivers are installed and logs are written.
    #[arg(long, default_value = "target/interop")]
    work: PathBuf,
}

impl Bridge {
    pub(crate) fn run(self) -> Result<()> {
        let peers = if self.peer.is_empty() {
            Peer::BROWSERS.to_vec()
        } else {
            self.peer
        };
        fs::create_dir_all(&self.work).context("cannot make the work folder")?;
        let work = self.work.canonicalize()?;
        let installed = install::install(&work, &peers)?;
        let logs = work.join("logs/bridge");
        fs::create_dir_all(&logs)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            for &peer in &peers {
                let started = Instant::now();
                let failed = || format!("{peer}; logs in {}", logs.display());
                check(peer, &installed, &logs).await.with_context(failed)?;
                println!("  {peer}: ok in {}", seconds(started.elapsed()));
            }
            let [one, other] = peers[..] else {
                return Ok(());
            };
            let started = Instant::now();
            let failed = || format!("{one} and {other}; logs in {}", logs.display());
            check_both(one, other, &installed, &logs)
                .await
                .with_context(failed)?;
            println!("  {one} and {other}: ok in {}", seconds(started.elapsed()));
            Ok(())
        })
    }
}

async fn check(peer: Peer, installed: &Installed, logs: &Path) -> Result<()> {
    let browser = Browser::launch(peer, installed, logs).await?;
    values_and_errors(&browser.page("plain")).await?;
    negotiate(&browser.page("a"), &browser.page("b")).await?;
    let page = browser.page("plain");
    browser.close().await?;
    let after = page.eval("return 1", ()).await;
    ensure!(
        after.as_ref().is_err_and(|e| e.name == "BrowserEnded"),
        "a closed browser answered {after:?}"
    );
    Ok(())
}

async fn values_and_errors(page: &Page) -> Result<()> {
    let given = json!({"text": "ü\n", "list": [1, null]});
    let back = page.eval("return arg", given.clone()).await?;
    ensure!(back == given, "{given} came back as {back}");

    let thrown = page
        .eval(
            "create('x', { iceServers: [{ urls: 'nonsense' }] })",
            Value::Null,
        )
        .await;
    named(thrown, "SyntaxError")?;
    named(page.eval("return (", ()).await, "SyntaxError")?;
    let slow = page.eval_within(
        Duration::from_millis(200),
        "await new Promise(() => {})",
        (),
    );
    named(slow.await, "BridgeTimeout")?;

    // Events come in order and before the answer to what caused them.
    page.eval(
        "create('n'); for (let i = 0; i < 500; i++) note('n', 'tick', { i })",
        (),
    )
    .await?;
    let mut events = page.events();
    for i in 0..500 {
        let Ok(Some(event)) = tokio::time::timeout(Duration::ZERO, events.next()).await else {
            bail!("event {i} came after the answer");
        };
        ensure!(
            event["event"] == "tick" && event["i"] == i,
            "at {i}: {event}"
        );
    }
    page.close().await?;
    let fresh = page.eval("return typeof create('n')", ()).await?;
    ensure!(fresh == "object", "a closed page left something: {fresh}");
    Ok(())
}

fn named(answer: Result<Value, PageError>, name: &str) -> Result<()> {
    match answer {
        Err(error) if error.name == name => Ok(()),
        other => bail!("{name} was due: {other:?}"),
    }
}

/// The two browsers with one another.
async fn check_both(one: Peer, other: Peer, installed: &Installed, logs: &Path) -> Result<()> {
    let (one, other) = tokio::try_join!(
        Browser::launch(one, installed, logs),
        Browser::launch(other, installed, logs),
    )?;
    negotiate(&one.page("a"), &other.page("b")).await?;
    tokio::try_join!(one.close(), other.close()).map(drop)
}

/// Both sides of one connection, in two pages.
async fn negotiate(a: &Page, b: &Page) -> Result<()> {
    a.eval("create('pc'); perfect('pc', false)", ()).await?;
    b.eval("create('pc'); perfect('pc', true)", ()).await?;
    // Nothing is carried before both have made their offers: these cross for certain.
    tokio::try_join!(
        a.eval("await addFakeTrack('pc', 'audio')", ()),
        b.eval("await addFakeTrack('pc', 'audio', ['one', 'two'])", ()),
    )?;
    for page in [a, b] {
        until(&mut page.events(), "signal", is_offer).await?;
    }
    let scenario = async {
        after_glare(a, b).await?;
        direction_changes(b, a).await?;
        a_stream_grows(b, a).await
    };
    tokio::select! {
        error = carry(a, b) => Err(error),
        error = carry(b, a) => Err(error),
        done = scenario => done,
    }
}

fn is_offer(signal: &Value) -> bool {
    signal["message"]["description"]["type"] == "offer"
}

/// Carries what `from` signals to `to`; ends only when it cannot.
async fn carry(from: &Page, to: &Page) -> anyhow::Error {
    let mut events = from.events();
    loop {
        match events.next().await {
            Some(event) if event["event"] == "signal" => {
                let received = to.eval("await receive('pc', arg)", event["message"].clone());
                if let Err(error) = received.await {
                    return anyhow!("{} could not take {event}: {error}", to.name());
                }
            }
            Some(event) if event["event"] == "failed" => {
                return anyhow!("{}: {event}", from.name());
            }
            Some(_) => {}
            None => return anyhow!("the browser went away"),
        }
    }
}

/// The impolite side ignores an offer, the polite one takes its own back, and both tracks arrive in
/// the end, over one transceiver. What Chromium 156 makes of a rollback is avoided: a video section
/// that was rolled back returns with header extension ids that collide with those of audio
/// (`InvalidAccessError`); the first data channel, offered and rolled back, is never offered again,
/// with `negotiationneeded` fired without end; and the track that came with the offer after a
/// rollback is never unmuted. So the data channel follows, and it is the impolite side that is heard.
async fn after_glare(a: &Page, b: &Page) -> Result<()> {
    let (mut at_a, mut at_b) = (a.events(), b.events());
    until(&mut at_a, "ignored", |_| true).await?;
    for state in ["have-local-offer", "stable", "have-remote-offer", "stable"] {
        let change = until(&mut at_b, "signalingstatechange", |_| true).await?;
        ensure!(change["state"] == state, "{state} was due: {change}");
    }
    let track = until(&mut at_a, "track", |_| true).await?;
    let streams = track["streams"].as_array().map_or(0, Vec::len);
    ensure!(streams == 2, "two streams were due: {track}");
    until(&mut at_a, "unmute", |_| true).await?;
    until(&mut b.events(), "track", |_| true).await?;
    b.eval("pc('pc').createDataChannel('chat')", ()).await?;
    let is_chat = |event: &Value| event["channel"]["label"] == "chat";
    until(&mut at_a, "datachannel", is_chat).await?;
    for page in [a, b] {
        let settled = "await until(() => pc('pc').connectionState === 'connected' && pc('pc').signalingState === 'stable')";
        page.eval(settled, ()).await?;
    }
    let mids = "return state('pc').transceivers.map(({ mid }) => mid).sort()";
    let (mids_a, mids_b) = tokio::try_join!(a.eval(mids, ()), b.eval(mids, ()))?;
    ensure!(mids_a == mids_b, "mids {mids_a} and {mids_b}");
    Ok(())
}

/// W3C webrtc-pc §4.4.1.5: what a direction that goes and comes back tells the remote, in its order.
async fn direction_changes(from: &Page, to: &Page) -> Result<()> {
    const TOLD: [&str; 4] = ["mute", "removetrack", "track", "unmute"];
    let mut events = to.events();
    until(&mut events, "unmute", |_| true).await?;
    let direct = "pc('pc').getTransceivers()[0].direction = arg";
    from.eval(direct, "inactive").await?;
    until(&mut events, "removetrack", |_| true).await?;
    from.eval(direct, "sendrecv").await?;
    until(&mut events, "unmute", |_| true).await?;
    let log = to
        .eval("return log('pc').map(({ event }) => event)", ())
        .await?;
    let log: Vec<&str> = log
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let muted = log
        .iter()
        .position(|event| *event == "mute")
        .context("no mute")?;
    let mut told: Vec<&str> = log[muted..]
        .iter()
        .copied()
        .filter(|e| TOLD.contains(e))
        .collect();
    // One event a stream.
    told.dedup();
    ensure!(told == TOLD, "{told:?} instead of {TOLD:?}");
    Ok(())
}

/// A track that joins a stream which the remote has already: `addtrack` there, before `track`.
async fn a_stream_grows(from: &Page, to: &Page) -> Result<()> {
    let start = to.eval("return log('pc').length", ()).await?;
    from.eval("await addFakeTrack('pc', 'video', ['one'])", ())
        .await?;
    let mut events = to.events();
    until(&mut events, "track", |e| e["track"]["kind"] == "video").await?;
    let names = "return log('pc').slice(arg).map(({ event }) => event)";
    let names = to.eval(names, start).await?;
    let at = |name: &str| names.as_array()?.iter().position(|event| event == name);
    ensure!(
        at("addtrack").is_some() && at("addtrack") < at("track"),
        "{names}"
    );
    Ok(())
}

async fn until(
    events: &mut Events,
    name: &str,
    mut wanted: impl FnMut(&Value) -> bool,
) -> Result<Value> {
    events
        .until(name, PATIENCE, |event| {
            event["event"] == name && wanted(event)
        })
        .await
}
