//! Two sides of a call in one process, and whether each hears and sees the other.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use examples::{devices::TONE, meter::Reading, signaling::SignalingChannel};
use peerconnection::Configuration;

use crate::call::Call;

/// What one side gets to hear the tone, and to see this many pictures.
const PATIENCE: Duration = Duration::from_secs(20);
const PICTURES: u64 = 48;

pub(crate) async fn run(configuration: Configuration) -> Result<()> {
    let (to_callee, to_caller) = SignalingChannel::pair();
    let mut caller = Call::new(configuration.clone(), to_callee)?;
    let mut callee = Call::new(configuration, to_caller)?;
    caller.start()?;
    let readings = [caller.readings(), callee.readings()];
    let lines = [caller.pc.clone(), callee.pc.clone()];
    let calls = async { tokio::try_join!(caller.run(), callee.run()) };
    let check = async {
        for (name, mut reading) in ["the caller", "the callee"].into_iter().zip(readings) {
            let heard = reading.wait_for(is_enough);
            let heard = tokio::time::timeout(PATIENCE, heard).await;
            let heard = heard
                .with_context(|| format!("{name} hears or sees nothing"))??
                .clone();
            let frequency = heard.frequency.unwrap_or(0.0);
            ensure!(
                (frequency - TONE).abs() < 5.0,
                "{name} hears {frequency:.1} Hz"
            );
            ensure!(
                heard.changes * 2 > PICTURES,
                "{name} sees a picture that does not move"
            );
            ensure!(
                heard.clocks * 10 > PICTURES * 9,
                "{name} can read the clock in {} of {} pictures",
                heard.clocks,
                heard.pictures
            );
        }
        Ok(())
    };
    tokio::select! {
        ended = calls => ended.map(drop).context("a side ended early")?,
        checked = check => checked?,
    }
    let names = ["caller", "callee"].into_iter().zip(&lines);
    for ((name, pc), reading) in names.zip([caller.readings(), callee.readings()]) {
        let (line, bytes) = reading.borrow().line(pc, 0);
        println!("{name}: {line} ({bytes} bytes in all)");
    }
    println!("ok: both sides hear {TONE} Hz and see a picture that moves");
    Ok(())
}

fn is_enough(reading: &Reading) -> bool {
    reading.pictures >= PICTURES && reading.frequency.is_some_and(|it| (it - TONE).abs() < 5.0)
}
