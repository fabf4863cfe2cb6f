//! `cargo xtask interop janus`: three layers of ours to Janus' echo test, which sends back the one
//! that it is asked for.
//!
//! Janus gathers no loopback address, so this starts itself once more in a network namespace where
//! there is another one.

mod client;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use peerconnection::{
    Configuration, Event, Events, MediaFrame, MediaKind, MediaStreamTrack, PeerConnection,
    SessionDescription, TrackFrames, VideoFrame,
    devices::{MediaStreamConstraints, VideoConstraints, get_user_media},
    rtp::{EncodingParameters, TransceiverDirection, TransceiverInit},
    sink,
    stats::{OutboundRtpStreamStats, Stats},
};
use serde_json::json;

use super::install;
use client::Handle;

/// What is captured.
const SIZE: (u32, u32) = (320, 180);

/// The layers, the largest first, which is the order that Janus takes for granted.
const LAYERS: [(&str, f64, (u32, u32)); 3] = [
    ("f", 1.0, (320, 180)),
    ("h", 2.0, (160, 90)),
    ("q", 4.0, (80, 44)),
];

/// How often another layer is asked for.
const SWITCHES: usize = 30;

/// How long the first pictures, and those of another layer, may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Pictures of a layer that have to come in a row, with a clock that runs.
const PICTURES: usize = 10;

/// The flags of `cargo xtask interop janus`.
#[derive(Args)]
pub(crate) struct Janus {
    /// Where logs go.
    #[arg(long, default_value = "target/interop")]
    work: PathBuf,
    /// This is the process within the namespace.
    #[arg(long, hide = true)]
    inside: bool,
}

impl Janus {
    /// # Errors
    ///
    /// The layers did not come back as they were asked for, or there is no Janus and no right to
    /// install it.
    pub(crate) fn run(self) -> Result<()> {
        let logs = self.work.join("logs/janus");
        if self.inside {
            return inside(&logs);
        }
        fs::create_dir_all(&logs)?;
        install::install_janus(&self.work)?;
        let mut command = Command::new("unshare");
        command.args(way()?).args(["--fork", "--kill-child"]);
        command.arg(env::current_exe()?);
        command.args(["interop", "janus", "--inside", "--work"]);
        let status = command.arg(&self.work).status();
        let status = status.context("cannot start in a network namespace")?;
        ensure!(status.success(), "Janus' echo test failed");
        Ok(())
    }
}

/// How this machine lets one have a network of one's own.
fn way() -> Result<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    let works = |way: &&&[&str]| {
        let mut command = Command::new("unshare");
        let status = command.args(**way).args(["ip", "link", "set", "lo", "up"]);
        status
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
    };
    let way = ways.iter().find(works).copied();
    way.context("this machine allows no network namespaces")
}

fn inside(logs: &Path) -> Result<()> {
    let commands = [
        "link set lo up",
        "link add wire0 type veth peer name wire1",
        "addr add 203.0.113.1/24 dev wire0",
        "link set wire0 up",
        "link set wire1 up",
    ];
    for arguments in commands {
        let status = Command::new("ip").args(arguments.split(' ')).status()?;
        ensure!(status.success(), "ip {arguments}");
    }
    let _server = Server::start(logs)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let begun = Instant::now();
    let told = runtime.block_on(async {
        let patience = Duration::from_secs(300);
        tokio::time::timeout(patience, echo()).await?
    });
    match told {
        Ok(told) => {
            println!(
                "  three layers to Janus' echo test: ok {:.1?}: {told}",
                begun.elapsed()
            );
            Ok(())
        }
        Err(error) => {
            println!("  three layers to Janus' echo test: FAIL\n      {error:#}");
            println!("      logs: {}", logs.display());
            Err(error)
        }
    }
}

/// Janus, until this is dropped.
struct Server(Child);

impl Server {
    fn start(logs: &Path) -> Result<Self> {
        let folder = logs.join("configuration");
        fs::create_dir_all(&folder)?;
        let http = format!(
            "general: {{ json = \"plain\" base_path = \"/janus\" http = true port = {} ip = \"127.0.0.1\" }}\n",
            client::PORT
        );
        fs::write(folder.join("janus.transport.http.jcfg"), http)?;
        let general = "general: { debug_level = 4 }\nnat: { ice_enforce_list = \"wire0\" }\n";
        fs::write(folder.join("janus.jcfg"), general)?;
        fs::write(folder.join("janus.plugin.echotest.jcfg"), "general: { }\n")?;
        let log = fs::File::create(logs.join("janus.log"))?;
        let mut command = Command::new("janus");
        command
            .arg("--disable-colors")
            .arg("--configs-folder")
            .arg(&folder);
        command
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log);
        let child = command.spawn().context("cannot start janus")?;
        Ok(Self(child))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends the layers, and looks at each as it comes back.
async fn echo() -> Result<String> {
    let (pc, mut events) = PeerConnection::new(Configuration::default())?;
    let transceiver = pc.add_transceiver(camera()?, three_layers())?;
    pc.set_local_description(None).await?;
    gathered(&mut events).await?;
    let offer = pc.local_description().context("no offer")?;
    let echo = Handle::attach("janus.plugin.echotest").await?;
    let body = json!({ "audio": false, "video": true });
    let answer = echo.negotiate(body, json!(offer)).await?;
    let answer: SessionDescription = serde_json::from_value(answer)?;
    ensure!(
        answer.sdp.contains("a=simulcast:recv f;h;q"),
        "{}",
        answer.sdp
    );
    pc.set_remote_description(answer).await?;

    let mut frames = transceiver.receiver().track().frames();
    let mut slowest = Duration::ZERO;
    for number in 0..SWITCHES {
        // Each after each, and all for a while.
        let at = [0, 2, 1, 0, 1, 2][number % 6];
        let (rid, _, size) = LAYERS[at];
        // Janus counts from the smallest.
        echo.send(json!({ "substream": LAYERS.len() - 1 - at }))
            .await?;
        let begun = Instant::now();
        let came = tokio::time::timeout(PATIENCE, clock_runs(&mut frames, size)).await;
        came.with_context(|| format!("switch {number}: no {rid} in {PATIENCE:?}"))??;
        slowest = slowest.max(begun.elapsed());
    }
    let sent = outbound(&pc)?;
    for ((rid, ..), own) in LAYERS.into_iter().zip(&sent) {
        ensure!(own.rid.as_deref() == Some(rid) && own.active, "{own:?}");
        // Janus asks for a key frame of the layer that it goes to, by the layer's own SSRC.
        ensure!(
            own.pli_count.unwrap_or(0) > 0,
            "no key frame was asked of {rid}"
        );
    }
    let plis: Vec<_> = sent.iter().map(|it| it.pli_count.unwrap_or(0)).collect();
    Ok(format!(
        "{SWITCHES} switches, the slowest took {slowest:.1?}; key frames asked of each layer: {plis:?}"
    ))
}

/// The moving picture with a clock.
fn camera() -> Result<MediaStreamTrack> {
    let stream = get_user_media(&MediaStreamConstraints {
        audio: None,
        video: Some(VideoConstraints {
            width: SIZE.0.into(),
            height: SIZE.1.into(),
            frame_rate: 20.0.into(),
            ..Default::default()
        }),
        synthetic: true,
    })?;
    stream.tracks().pop().context("no camera")
}

fn three_layers() -> TransceiverInit {
    let encoding = |(rid, scale, _): (&str, f64, _)| EncodingParameters {
        rid: Some(rid.to_owned()),
        scale_resolution_down_by: Some(scale),
        ..Default::default()
    };
    TransceiverInit {
        direction: TransceiverDirection::SendRecv,
        send_encodings: LAYERS.into_iter().map(encoding).collect(),
        ..Default::default()
    }
}

async fn gathered(events: &mut Events) -> Result<()> {
    while let Some(event) = events.next().await {
        if let Event::IceCandidate(None) = event {
            return Ok(());
        }
    }
    bail!("the connection ended while gathering")
}

/// Until pictures of this size have come in a row whose clock runs.
async fn clock_runs(frames: &mut TrackFrames, size: (u32, u32)) -> Result<()> {
    let mut last = None;
    let mut count = 0;
    while count < PICTURES {
        let frame = frames.next().await.context("the track has ended")?;
        let MediaFrame::Video(frame) = frame else {
            continue;
        };
        match read(&frame, size) {
            Some(clock) if last.is_none_or(|last| clock > last) => {
                last = Some(clock);
                count += 1;
            }
            _ => (last, count) = (None, 0),
        }
    }
    Ok(())
}

/// What the clock shows, in a picture of this size.
fn read(frame: &VideoFrame, size: (u32, u32)) -> Option<Duration> {
    let is_right = (frame.width(), frame.height()) == size;
    is_right.then(|| sink::read_clock(frame)).flatten()
}

/// The streams that are sent, in the order of the encodings.
fn outbound(pc: &PeerConnection) -> Result<Vec<OutboundRtpStreamStats>> {
    let report = pc.stats(None)?;
    let all = report.iter().filter_map(|stats| match stats {
        Stats::OutboundRtp(own) if own.kind == MediaKind::Video.as_str() => Some((**own).clone()),
        _ => None,
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|own| own.encoding_index);
    ensure!(all.len() == LAYERS.len(), "{} streams are sent", all.len());
    Ok(all)
}
