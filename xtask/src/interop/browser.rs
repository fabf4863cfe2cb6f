//! A browser that a scenario scripts: pages by name, JavaScript in, values and events out.
//!
//! Behind it runs `peers/bridge.js` in Node, one process a browser, and `peers/negotiate.js` in
//! every page. What passes between is one JSON object a line, in `<folder>/<browser>.log`; the
//! browser's own words are in `<folder>/<browser>.err`.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use super::{install::Installed, peers::Peer};

/// A browser's start on a busy machine.
const STARTING: Duration = Duration::from_secs(60);
/// What a script gets that says nothing else, the making of its page included.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the bridge gets to close its browser; it kills one that takes longer than five seconds.
const CLOSING: Duration = Duration::from_secs(12);
/// The last events that an error shows.
const SHOWN: usize = 12;

/// A running browser. It ends with [`close`](Self::close), or by itself soon after it is dropped.
pub(crate) struct Browser {
    link: Arc<Link>,
    child: Child,
    /// The browser's own process, which leads a group of its own.
    pid: Option<u64>,
    name: String,
}

/// A page of a [`Browser`]; a handle, made when something is first evaluated in it.
#[derive(Clone)]
pub(crate) struct Page {
    link: Arc<Link>,
    name: String,
}

/// The events of one page from its first one on, each as `peers/negotiate.js` wrote it: `pc`,
/// `event`, `ms` and what belongs to the event.
pub(crate) struct Events {
    page: Page,
    log: watch::Receiver<Vec<Value>>,
    next: usize,
}

/// Why a script gave no value: what it threw, or `BridgeError` (the page could not be had),
/// `BridgeTimeout` (no answer) and `BrowserEnded`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub(crate) struct PageError {
    /// The name of the `DOMException` or `Error`.
    pub(crate) name: String,
    /// Its message.
    pub(crate) message: String,
    /// `RTCError.errorDetail`.
    pub(crate) detail: Option<String>,
    /// `RTCError.sdpLineNumber`.
    pub(crate) sdp_line_number: Option<u64>,
}

type Answer = Result<Value, PageError>;

/// What pages, reader and browser share.
struct Link {
    lines: mpsc::UnboundedSender<Option<String>>,
    state: Mutex<State>,
    log: Mutex<File>,
    started: Instant,
    files: PathBuf,
}

#[derive(Default)]
struct State {
    last_id: u64,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    events: HashMap<String, watch::Sender<Vec<Value>>>,
    ready: Option<oneshot::Sender<Value>>,
    ended: bool,
}

impl Browser {
    /// Starts the browser `peer` with its logs in `folder`.
    ///
    /// # Errors
    ///
    /// `peer` is no browser, or it does not start within a minute.
    pub(crate) async fn launch(peer: Peer, installed: &Installed, folder: &Path) -> Result<Self> {
        if !peer.is_browser() {
            bail!("{peer} is no browser");
        }
        let files = folder.join(peer.to_string());
        let mut child = start(peer, installed, &files)?;
        let (lines, outgoing) = mpsc::unbounded_channel();
        let (ready, started) = oneshot::channel();
        let link = Arc::new(Link::new(lines, ready, files)?);
        tokio::spawn(write(child.stdin.take().context("no stdin")?, outgoing));
        tokio::spawn(read(
            child.stdout.take().context("no stdout")?,
            Arc::clone(&link),
        ));
        let mut browser = Self {
            link,
            child,
            pid: None,
            name: peer.to_string(),
        };
        browser.pid = match timeout(STARTING, started).await {
            Ok(Ok(line)) => line["pid"].as_u64(),
            Ok(Err(_)) => bail!("{peer} did not start: {}", browser.link.last_words()),
            Err(_) => bail!("{peer} did not start within {STARTING:?}"),
        };
        Ok(browser)
    }

    /// The page called `name`; the same one for the same name.
    pub(crate) fn page(&self, name: &str) -> Page {
        self.link.log_of(name);
        Page {
            link: Arc::clone(&self.link),
            name: name.into(),
        }
    }

    /// Ends the browser and waits for its end.
    ///
    /// # Errors
    ///
    /// It had to be killed.
    pub(crate) async fn close(mut self) -> Result<()> {
        // The end of stdin: the bridge closes the browser and goes.
        let _ = self.link.lines.send(None);
        if let Ok(status) = timeout(CLOSING, self.child.wait()).await {
            let status = status.context("no end to be had")?;
            if !status.success() {
                bail!("{}: {status}; {}", self.name, self.link.last_words());
            }
            return Ok(());
        }
        self.child.kill().await?;
        if let Some(pid) = self.pid {
            let _ = Command::new("kill")
                .args(["-s", "KILL", "--", &format!("-{pid}")])
                .status()
                .await;
        }
        bail!("{} had to be killed", self.name)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.link.lines.send(None);
    }
}

impl Page {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs `js`, the body of an async function, with `arg` and the library of
    /// `peers/negotiate.js` in scope; gives what it returns, as JSON. Calls do not wait for one
    /// another; they start in the order in which they are polled first.
    ///
    /// # Errors
    ///
    /// What it throws, and what comes between: see [`PageError`].
    pub(crate) async fn eval(&self, js: &str, arg: impl Into<Value>) -> Answer {
        self.eval_within(PATIENCE, js, arg).await
    }

    /// The same with a time limit other than half a minute.
    ///
    /// # Errors
    ///
    /// Those of [`eval`](Self::eval).
    pub(crate) async fn eval_within(
        &self,
        patience: Duration,
        js: &str,
        arg: impl Into<Value>,
    ) -> Answer {
        let request = json!({"page": self.name, "js": js, "arg": arg.into()});
        self.link.ask(request, patience, js).await
    }

    /// Closes it, with all its connections; evaluating in it makes a fresh one.
    ///
    /// # Errors
    ///
    /// Those of the bridge.
    pub(crate) async fn close(&self) -> Result<(), PageError> {
        let request = json!({"page": self.name, "close": true});
        self.link.ask(request, PATIENCE, "close").await.map(drop)
    }

    /// Its events, from the first on; every stream sees all of them.
    pub(crate) fn events(&self) -> Events {
        Events {
            page: self.clone(),
            log: self.link.log_of(&self.name),
            next: 0,
        }
    }
}

impl Events {
    /// The next event; `None` once the browser has ended.
    ///
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        // An error says that the sender is gone; what it sent is still there.
        let _ = self.log.wait_for(|log| log.len() > self.next).await;
        let event = self.log.borrow().get(self.next).cloned()?;
        self.next += 1;
        Some(event)
    }

    /// Takes events until one satisfies `wanted`, and gives that one.
    ///
    /// # Errors
    ///
    /// None does within `patience`, or the browser ends. The error has `what`, and the last events.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        patience: Duration,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Result<Value> {
        let found = timeout(patience, async {
            loop {
                match self.next().await {
                    Some(event) if wanted(&event) => return Some(event),
                    Some(_) => {}
                    None => return None,
                }
            }
        });
        match found.await {
            Ok(Some(event)) => Ok(event),
            Ok(None) => bail!("the browser ended before {what}{}", self.tail()),
            Err(_) => bail!(
                "page {}: not within {patience:?}: {what}{}",
                self.page.name(),
                self.tail()
            ),
        }
    }

    fn tail(&self) -> String {
        let log = self.log.borrow();
        let mut text = format!("; {} events, the last:", log.len());
        for event in &log[log.len().saturating_sub(SHOWN)..] {
            let _ = write!(text, "\n  {event}");
        }
        text
    }
}

impl PageError {
    fn own(name: &str, message: String) -> Self {
        Self {
            name: name.into(),
            message,
            detail: None,
            sdp_line_number: None,
        }
    }

    fn read(error: &Value) -> Self {
        let text = |key: &str| error[key].as_str().map(str::to_owned);
        Self {
            name: text("name").unwrap_or_default(),
            message: text("message").unwrap_or_default(),
            detail: text("errorDetail"),
            sdp_line_number: error["sdpLineNumber"].as_u64(),
        }
    }
}

impl Link {
    fn new(
        lines: mpsc::UnboundedSender<Option<String>>,
        ready: oneshot::Sender<Value>,
        files: PathBuf,
    ) -> Result<Self> {
        let state = State {
            ready: Some(ready),
            ..State::default()
        };
        Ok(Self {
            lines,
            state: Mutex::new(state),
            log: Mutex::new(File::create(files.with_extension("log"))?),
            started: Instant::now(),
            files,
        })
    }

    async fn ask(&self, mut request: Value, patience: Duration, what: &str) -> Answer {
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut state = self.state();
            if state.ended {
                return Err(self.gone());
            }
            state.last_id += 1;
            let id = state.last_id;
            state.waiting.insert(id, sender);
            id
        };
        request["id"] = id.into();
        let line = request.to_string();
        self.note('>', &line);
        let _ = self.lines.send(Some(line));
        let answer = timeout(patience, answer).await;
        self.state().waiting.remove(&id);
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(self.gone()),
            Err(_) => {
                let message = format!(
                    "page {}: no answer within {patience:?}: {what}",
                    request["page"]
                );
                Err(PageError::own("BridgeTimeout", message))
            }
        }
    }

    fn handle(&self, line: Value) {
        let mut state = self.state();
        if let Some(id) = line["id"].as_u64() {
            // One that nobody waits for came too late.
            if let Some(waiting) = state.waiting.remove(&id) {
                let error = line.get("error").map(PageError::read);
                let _ = waiting.send(error.map_or_else(|| Ok(line["value"].clone()), Err));
            }
        } else if line["ready"] == true {
            if let Some(ready) = state.ready.take() {
                let _ = ready.send(line);
            }
        } else if let Some(page) = line["page"].as_str() {
            let log = state.events.entry(page.into()).or_default();
            log.send_modify(|log| log.push(line));
        }
    }

    fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.ready = None;
        state.waiting.clear();
        state.events.clear();
    }

    fn log_of(&self, page: &str) -> watch::Receiver<Vec<Value>> {
        let mut state = self.state();
        if state.ended {
            return watch::channel(Vec::new()).1;
        }
        state.events.entry(page.into()).or_default().subscribe()
    }

    fn gone(&self) -> PageError {
        PageError::own("BrowserEnded", self.last_words())
    }

    fn last_words(&self) -> String {
        let errors = self.files.with_extension("err");
        let text = std::fs::read(&errors).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        format!(
            "{} ends with: {}",
            errors.display(),
            last.unwrap_or("nothing")
        )
    }

    fn note(&self, way: char, line: &str) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(
            log,
            "{:>7} {way} {line}",
            self.started.elapsed().as_millis()
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start(peer: Peer, installed: &Installed, files: &Path) -> Result<Child> {
    let mut command = installed.program(peer).command();
    command.arg("--bridge");
    Command::from(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(File::create(files.with_extension("err"))?)
        .process_group(0)
        .spawn()
        .map_err(|error| anyhow!("cannot run {peer}: {error}"))
}

/// Dropping stdin ends the bridge.
async fn write(
    mut stdin: impl AsyncWrite + Unpin,
    mut lines: mpsc::UnboundedReceiver<Option<String>>,
) {
    while let Some(Some(line)) = lines.recv().await {
        let line = line + "\n";
        if stdin.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stdout: impl AsyncRead + Unpin, link: Arc<Link>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        link.note('<', &line);
        if let Ok(line) = serde_json::from_str(&line) {
            link.handle(line);
        }
    }
    link.end();
}

#[cfg(test)]
#[path = "browser_tests.rs"]
mod tests;
