//! Long steps: a headline, a sign of life every few seconds, the output in a log file.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);
const SHOWN_ON_FAILURE: usize = 30;

/// Runs `command` to its end as the step `what`; its output goes to `log`.
///
/// # Errors
///
/// The command does not start, or does not succeed; the end of its output is in the error.
pub(crate) fn step(what: &str, mut command: Command, log: &Path) -> Result<()> {
    println!("  {what} …");
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let started = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("{what}: cannot run {command:?}"))?;
    let mut next_sign = SIGN_OF_LIFE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() >= next_sign {
            next_sign += SIGN_OF_LIFE;
            println!("    {} s: {}", started.elapsed().as_secs(), last_line(log));
        }
        thread::sleep(POLL);
    };
    if !status.success() {
        bail!(
            "{what} failed ({status}); {} ends with:\n{}",
            log.display(),
            tail(log)
        );
    }
    println!("    done in {}", super::seconds(started.elapsed()));
    Ok(())
}

fn last_line(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    line.trim().chars().take(100).collect()
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_ON_FAILURE)..].join("\n")
}
