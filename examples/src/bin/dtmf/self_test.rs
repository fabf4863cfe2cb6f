//! Two sides of a call in one process: one plays all five variants, and the other is to hear them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use examples::signaling::SignalingChannel;
use peerconnection::{Configuration, RtpSender};
use tokio::{sync::broadcast, time::timeout};

use crate::{
    call::{Call, until_playable},
    keypad::{Key, Keypad},
    variants::Variant,
};

/// How long a variant may take, and how far a duration may be from what was asked for.
const PATIENCE: Duration = Duration::from_secs(10);
const TOLERANCE: u64 = 20;

pub(crate) async fn run(configuration: Configuration) -> Result<()> {
    let (to_callee, to_caller) = SignalingChannel::pair();
    let mut caller = Call::new(configuration.clone(), to_callee)?;
    let mut callee = Call::new(configuration, to_caller)?;
    let sender = caller.start()?;
    let (keypad, heard) = (caller.keypad.clone(), callee.keypad.heard());
    tokio::select! {
        ended = caller.run() => ended.context("the caller ended early")?,
        ended = callee.run() => ended.context("the callee ended early")?,
        checked = play_all(&sender, &keypad, heard) => checked?,
    }
    println!("ok: all five variants were heard, key by key");
    Ok(())
}

async fn play_all(
    sender: &RtpSender,
    keypad: &Keypad,
    mut heard: broadcast::Receiver<Key>,
) -> Result<()> {
    until_playable(sender).await?;
    let dtmf = sender.dtmf().context("a sender of sound has dtmf")?;
    let mut lights = keypad.lights();
    for variant in Variant::ALL {
        let (name, expected) = (variant.name(), variant.keys());
        let played = timeout(PATIENCE, variant.play(&dtmf, keypad)).await;
        played.with_context(|| format!("{name} takes too long"))??;
        let mut keys = Vec::new();
        while keys.len() < expected.len() {
            let key = timeout(PATIENCE, heard.recv()).await;
            keys.push(key.with_context(|| format!("of {name}, only {keys:?} was heard"))??);
        }
        let fits =
            |(own, asked): (&Key, &Key)| own.0 == asked.0 && own.1.abs_diff(asked.1) <= TOLERANCE;
        ensure!(
            keys.iter().zip(&expected).all(fits),
            "of {name}, {keys:?} was heard and not {expected:?}"
        );
        ensure!(heard.is_empty(), "more than {name} was heard");
        println!("{name}: {}", in_words(&keys));
    }
    let lit: String = std::iter::from_fn(|| lights.try_recv().ok())
        .flatten()
        .collect();
    ensure!(lit == "1234", "the keys {lit:?} were lit");
    Ok(())
}

/// Such as `1 500 ms, 2 500 ms`.
pub(crate) fn in_words(keys: &[Key]) -> String {
    let words = keys.iter().map(|(key, ms)| format!("{key} {ms} ms"));
    words.collect::<Vec<_>>().join(", ")
}
