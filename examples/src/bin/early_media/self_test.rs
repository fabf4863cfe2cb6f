//! Two sides in one process: tracks that were taken before any description are heard and seen.

use std::time::Duration;

use anyhow::{Context, Result};
use examples::{devices::TONE, meter::Reading, signaling::SignalingChannel};
use peerconnection::Configuration;

use crate::call::Call;

/// What each side gets to hear and see the other.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn run(configuration: Configuration) -> Result<()> {
    let (to_callee, to_caller) = SignalingChannel::pair();
    let mut caller = Call::new(configuration.clone(), to_callee);
    let mut callee = Call::new(configuration, to_caller);
    // From here on its receivers' tracks are watched, and there is no answer to wait for.
    caller.start()?;
    let readings = [caller.readings(), callee.readings()];
    let check = async {
        for (name, mut reading) in ["the caller", "the callee"].into_iter().zip(readings) {
            let heard = tokio::time::timeout(PATIENCE, reading.wait_for(is_there)).await;
            let heard = heard.with_context(|| format!("{name} hears or sees nothing"))??;
            println!(
                "{name} hears {TONE} Hz and has seen {} pictures",
                heard.pictures
            );
        }
        Ok(())
    };
    let calls = async { tokio::try_join!(caller.run(), callee.run()) };
    tokio::select! {
        ended = calls => ended.map(drop).context("a side ended early"),
        checked = check => checked,
    }?;
    println!("ok: tracks of receivers that had no description yet are heard and seen");
    Ok(())
}

fn is_there(reading: &Reading) -> bool {
    let is_heard = reading.frequency.is_some_and(|it| (it - TONE).abs() < 5.0);
    is_heard && reading.changes > 5
}
