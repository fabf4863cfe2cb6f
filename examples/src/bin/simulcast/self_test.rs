//! A client, the server and two viewers in one process: each viewer goes from layer to layer, and sees
//! pictures of the right size whose clock runs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use examples::{devices::TONE, meter::Reading, signaling::SignalingChannel};
use peerconnection::Configuration;
use tokio::{sync::watch, time::Instant};

use crate::{
    client::{Client, SIZE},
    control::News,
    server::Room,
    viewer::{Chooser, Viewer},
};

/// What a change may take: on a slow machine the largest layer is the slowest.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pictures with a clock that show that a layer is alive.
const ALIVE: u64 = 8;
/// The layers that each viewer wants, one after the other.
const WISHES: [[&str; 6]; 2] = [
    ["h", "q", "f", "q", "h", "f"],
    ["q", "f", "h", "f", "q", "h"],
];

pub(crate) async fn run(configuration: Configuration) -> Result<()> {
    let room = Room::default();
    let join = || {
        let (here, there) = SignalingChannel::pair();
        let (room, configuration) = (room.clone(), configuration.clone());
        tokio::spawn(async move { room.attend(configuration, there).await });
        here
    };
    let mut client = Client::new(configuration.clone(), join())?;
    client.start()?;
    let mut one = Viewer::new(configuration.clone(), join())?;
    let mut other = Viewer::new(configuration.clone(), join())?;
    let checks = [&one, &other].map(Check::new);
    let check = async {
        let [first, second] = checks;
        tokio::try_join!(
            first.run("one", WISHES[0]),
            second.run("the other", WISHES[1])
        )
    };
    let calls = async { tokio::try_join!(client.run(), one.run(), other.run()) };
    tokio::select! {
        ended = calls => ended.map(drop).context("somebody has left early")?,
        checked = check => drop(checked?),
    }
    println!("ok: two viewers went through all layers of one client");
    Ok(())
}

/// What is looked at of one viewer.
struct Check {
    chooser: Chooser,
    readings: watch::Receiver<Reading>,
    news: watch::Receiver<News>,
}

impl Check {
    fn new(viewer: &Viewer) -> Self {
        Self {
            chooser: viewer.chooser(),
            readings: viewer.readings(),
            news: viewer.news(),
        }
    }

    async fn run(mut self, name: &str, wishes: [&str; 6]) -> Result<()> {
        for rid in wishes {
            let begun = Instant::now();
            self.chooser.select(rid).await?;
            self.shows(rid)
                .await
                .with_context(|| format!("{name}, {rid}: {:?}", self.news.borrow()))?;
            let told = self
                .news
                .wait_for(|it| it.forwarded.as_deref() == Some(rid));
            let told = tokio::time::timeout(PATIENCE, told).await;
            told.with_context(|| format!("{name} is not told of {rid}"))??;
            println!("{name} sees {rid} after {:.1?}", begun.elapsed());
        }
        let heard = self.readings.borrow().frequency.unwrap_or(0.0);
        ensure!((heard - TONE).abs() < 5.0, "{name} hears {heard:.1} Hz");
        let news = self.news.borrow();
        ensure!(news.layers.len() == 3 && news.viewers == 2, "{news:?}");
        let are_alive = news.layers.iter().all(|it| it.is_active && it.bit_rate > 0);
        ensure!(are_alive, "{news:?}");
        Ok(())
    }

    /// Waits for pictures of this layer's size, and for their clock to run.
    async fn shows(&mut self, rid: &str) -> Result<()> {
        let size = size_of(rid);
        let of_size = self.readings.wait_for(|it| it.size == Some(size));
        let first = tokio::time::timeout(PATIENCE, of_size).await;
        let first = first.context("no picture of its size")??.clone();
        let runs = self.readings.wait_for(|it| {
            it.size != Some(size) || (it.clocks >= first.clocks + ALIVE && it.clock > first.clock)
        });
        let last = tokio::time::timeout(PATIENCE, runs).await;
        let last = last.context("its clock does not run")??;
        ensure!(last.size == Some(size), "it gave way to {:?}", last.size);
        Ok(())
    }
}

fn size_of(rid: &str) -> (u32, u32) {
    let scale = match rid {
        "f" => 1,
        "h" => 2,
        _ => 4,
    };
    (SIZE.0 / scale, SIZE.1 / scale)
}
