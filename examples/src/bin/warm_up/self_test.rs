//! Two sides in one process: they warm up in silence, and are heard and seen once one of them starts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use examples::{devices::TONE, meter::Reading, signaling::SignalingChannel};
use peerconnection::{Configuration, PeerConnection, stats::Stats};
use tokio::time::Instant;

use crate::call::Call;

/// For how long nothing may be sent after the connection is up.
const WARM: Duration = Duration::from_secs(1);
/// What the connection may take, and each side to hear and see the other.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn run(configuration: Configuration) -> Result<()> {
    let (to_callee, to_caller) = SignalingChannel::pair();
    let mut caller = Call::new(configuration.clone(), to_callee);
    let mut callee = Call::new(configuration, to_caller);
    caller.warmup(false)?;
    let pc = caller.pc().context("no connection")?;
    let starter = caller.starter();
    let readings = [caller.readings(), callee.readings()];
    let check = async {
        connected(&pc).await?;
        tokio::time::sleep(WARM).await;
        ensure!(packets_sent(&pc)? == 0, "media were sent before the start");
        println!("warmed up: connected, and nothing was sent for {WARM:?}");
        let begin = Instant::now();
        starter.start();
        for (name, mut reading) in ["the caller", "the callee"].into_iter().zip(readings) {
            let heard = tokio::time::timeout(PATIENCE, reading.wait_for(is_there)).await;
            heard.with_context(|| format!("{name} hears or sees nothing"))??;
            println!(
                "{name} hears {TONE} Hz and sees a picture after {:?}",
                begin.elapsed()
            );
        }
        Ok(())
    };
    let calls = async { tokio::try_join!(caller.run(), callee.run()) };
    tokio::select! {
        ended = calls => ended.map(drop).context("a side ended early"),
        checked = check => checked,
    }?;
    println!("ok: media began without an exchange of descriptions");
    Ok(())
}

async fn connected(pc: &PeerConnection) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while pc.connection_state().as_str() != "connected" {
        ensure!(Instant::now() < end, "not connected within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

fn packets_sent(pc: &PeerConnection) -> Result<u64> {
    let report = pc.stats(None)?;
    let sent = report.iter().map(|stats| match stats {
        Stats::OutboundRtp(outbound) => outbound.packets_sent,
        _ => 0,
    });
    Ok(sent.sum())
}

fn is_there(reading: &Reading) -> bool {
    let is_heard = reading.frequency.is_some_and(|it| (it - TONE).abs() < 5.0);
    is_heard && reading.changes > 5
}
