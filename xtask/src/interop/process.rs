//! One peer's process: its lines with the time each came, its logs, and its end.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::Value;

const POLL: Duration = Duration::from_millis(5);
/// A driver gets this long to close its browser before it is killed.
const TERMINATION: Duration = Duration::from_secs(5);

/// A line that a peer printed, and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Instant,
    pub(crate) json: Value,
}

impl Line {
    /// Its `event`.
    pub(crate) fn event(&self) -> &str {
        self.json["event"].as_str().unwrap_or_default()
    }
}

/// A peer's process; ended when dropped.
pub(crate) struct Running {
    child: Child,
    lines: Arc<Mutex<Vec<Line>>>,
    reader: Option<JoinHandle<()>>,
    exit: Option<i32>,
}

/// What is left of a process that ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    /// Everything it printed, in order.
    pub(crate) lines: Vec<Line>,
    /// Its exit code; `None` when it had to be ended.
    pub(crate) code: Option<i32>,
}

impl Running {
    /// Starts `command`, with stdout and stderr copied to `<folder>/<name>.{out,err}`.
    ///
    /// # Errors
    ///
    /// The program cannot be started or the logs not be written.
    pub(crate) fn start(command: Command, folder: &Path, name: &str) -> Result<Self> {
        Self::with_stdin(command, Stdio::null(), folder, name)
    }

    /// Starts one that is also spoken to: see [`say`](Self::say).
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub(crate) fn conversing(command: Command, folder: &Path, name: &str) -> Result<Self> {
        Self::with_stdin(command, Stdio::piped(), folder, name)
    }

    fn with_stdin(mut command: Command, stdin: Stdio, folder: &Path, name: &str) -> Result<Self> {
        let log = File::create(folder.join(format!("{name}.out")))?;
        let errors = File::create(folder.join(format!("{name}.err")))?;
        command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(errors)
            .process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {command:?}"))?;
        let stdout = child.stdout.take().context("no stdout")?;
        let lines = Arc::new(Mutex::default());
        let reader = {
            let lines = Arc::clone(&lines);
            Some(thread::spawn(move || read(stdout, log, &lines)))
        };
        Ok(Self {
            child,
            lines,
            reader,
            exit: None,
        })
    }

    /// Writes a line into its stdin.
    ///
    /// # Errors
    ///
    /// It takes none.
    pub(crate) fn say(&mut self, line: &Value) -> Result<()> {
        let stdin: &mut ChildStdin = self.child.stdin.as_mut().context("no stdin")?;
        writeln!(stdin, "{line}").context("cannot be spoken to")
    }

    /// What it has printed so far, from line `from` on.
    pub(crate) fn lines(&self, from: usize) -> Vec<Line> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(from..).unwrap_or_default().to_vec()
    }

    /// Whether it has ended by itself.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        if let Some(status) = self.child.try_wait()? {
            self.exit = Some(status.code().unwrap_or(-1));
        }
        Ok(self.exit.is_some())
    }

    /// Whether it has ended with another exit code than 0.
    pub(crate) fn has_failed(&self) -> bool {
        self.exit.is_some_and(|code| code != 0)
    }

    /// Ends it if it still runs; gives all that it printed.
    ///
    /// # Errors
    ///
    /// The system does not tell of its end.
    pub(crate) fn end(mut self) -> Result<Ended> {
        let code = if self.has_ended()? { self.exit } else { None };
        self.terminate();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        let lines = self
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(Ended { lines, code })
    }

    /// SIGTERM first: a driver closes its browser then. Both signals go to the process's own group.
    fn terminate(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal("TERM");
        let deadline = Instant::now() + TERMINATION;
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(POLL);
        }
        self.signal("KILL");
        let _ = self.child.wait();
    }

    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args(["-s", name, "--", &group])
            .status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.terminate();
    }
}

/// Waits until `over` says so or `patience` is over.
///
/// # Errors
///
/// Those of `over`.
pub(crate) fn wait(
    patience: Duration,
    mut over: impl FnMut(Instant) -> Result<bool>,
) -> Result<()> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline && !over(Instant::now())? {
        thread::sleep(POLL);
    }
    Ok(())
}

/// Lines that are no JSON stay in the log alone.
fn read(stdout: ChildStdout, mut log: File, lines: &Mutex<Vec<Line>>) {
    for line in BufReader::new(stdout).lines() {
        let Ok(line) = line else { return };
        let _ = writeln!(log, "{line}");
        if let Ok(json) = serde_json::from_str(&line) {
            let line = Line {
                at: Instant::now(),
                json,
            };
            lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    }
}
