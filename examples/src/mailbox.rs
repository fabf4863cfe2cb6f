//! Signaling for scripts: HTTP with one box a name and one message a box.
//!
//! | request | answer |
//! |---|---|
//! | `POST /q/NAME`, body `{"type": "offer", "sdp": "…"}` | 204; 409 when the box is full |
//! | `GET /q/NAME` | 200 and the message, the box is empty again; 204 after 25 s: ask again |
//!
//! Descriptions hold all their candidates: nothing trickles.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    routing::get,
};
use peerconnection::SessionDescription;
use tokio::{net::TcpListener, sync::Notify, time};

/// How long a `GET` waits before it answers 204.
const PATIENCE: Duration = Duration::from_secs(25);
/// A description is a few kilobytes; nothing longer is taken.
const MAX_BODY: usize = 1 << 20;
/// How many boxes may be full at once.
const MAX_BOXES: usize = 1024;
/// How long a client waits before it tries a server again that is not there yet.
const RETRY: Duration = Duration::from_millis(200);

/// Serves a mailbox on 127.0.0.1 for as long as the runtime lives; port 0 takes a free one.
///
/// # Errors
///
/// The port is taken.
pub async fn serve(port: u16) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("port {port} cannot be had for the mailbox"))?;
    let address = listener.local_addr()?;
    let service = Router::new()
        .route("/q/{name}", get(take).post(put))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(Boxes::default()));
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}

#[derive(Default)]
struct Boxes {
    full: Mutex<HashMap<String, String>>,
    changed: Notify,
}

impl Boxes {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, name: String, message: String) -> StatusCode {
        let mut full = self.lock();
        if full.contains_key(&name) {
            return StatusCode::CONFLICT;
        }
        if full.len() >= MAX_BOXES {
            return StatusCode::INSUFFICIENT_STORAGE;
        }
        full.insert(name, message);
        drop(full);
        self.changed.notify_waiters();
        StatusCode::NO_CONTENT
    }

    async fn take(&self, name: &str) -> String {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(message) = self.lock().remove(name) {
                return message;
            }
            changed.await;
        }
    }
}

async fn put(
    State(boxes): State<Arc<Boxes>>,
    Path(name): Path<String>,
    body: String,
) -> StatusCode {
    boxes.put(name, body)
}

async fn take(State(boxes): State<Arc<Boxes>>, Path(name): Path<String>) -> (StatusCode, String) {
    match time::timeout(PATIENCE, boxes.take(&name)).await {
        Ok(message) => (StatusCode::OK, message),
        Err(_) => (StatusCode::NO_CONTENT, String::new()),
    }
}

/// One peer's use of a mailbox.
#[derive(Debug, Clone)]
pub struct Mailbox {
    http: reqwest::Client,
    url: String,
    name: String,
    remote: String,
}

impl Mailbox {
    /// The mailbox at `url`, where we are `name` and the other peer is `remote`.
    ///
    /// # Errors
    ///
    /// No HTTP client can be had.
    pub fn new(url: &str, name: &str, remote: &str) -> Result<Self> {
        // Peers of a script are near: no proxy knows them.
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE * 2)
            .build()?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self {
            http,
            url,
            name: name.to_owned(),
            remote: remote.to_owned(),
        })
    }

    /// Puts a description into the remote's box. Waits for a server that is not there yet.
    ///
    /// # Errors
    ///
    /// The box is full, or the server refuses.
    pub async fn send(&self, description: &SessionDescription) -> Result<()> {
        let address = self.address(&self.remote);
        let response = persist(|| self.http.post(&address).json(description)).await?;
        match response.status() {
            StatusCode::CONFLICT => bail!("the mailbox of {:?} is full", self.remote),
            status if status.is_success() => Ok(()),
            status => bail!("the mailbox answers {status} to a POST"),
        }
    }

    /// Waits for a description in our own box.
    ///
    /// # Errors
    ///
    /// The server refuses, or what it gives is not a description.
    pub async fn recv(&self) -> Result<SessionDescription> {
        let address = self.address(&self.name);
        loop {
            let response = persist(|| self.http.get(&address)).await?;
            match response.status() {
                StatusCode::OK => return response.json().await.context("not a description"),
                StatusCode::NO_CONTENT => {}
                status => bail!("the mailbox answers {status} to a GET"),
            }
        }
    }

    fn address(&self, name: &str) -> String {
        format!("{}/q/{name}", self.url)
    }
}

/// Sends a request again for as long as nobody listens there.
async fn persist(request: impl Fn() -> reqwest::RequestBuilder) -> Result<reqwest::Response> {
    loop {
        match request().send().await {
            Err(error) if error.is_connect() => {
                tracing::debug!(%error, "no mailbox there yet");
                time::sleep_until(time::Instant::now() + RETRY).await;
            }
            response => return Ok(response?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn mailboxes() -> (Mailbox, Mailbox) {
        let url = format!("http://{}", serve(0).await.unwrap());
        (
            Mailbox::new(&url, "a", "b").unwrap(),
            Mailbox::new(&url, "b", "a").unwrap(),
        )
    }

    #[tokio::test]
    async fn a_description_arrives_before_or_after_it_is_asked_for() {
        let (a, b) = mailboxes().await;
        a.send(&SessionDescription::offer("one")).await.unwrap();
        assert_eq!(b.recv().await.unwrap(), SessionDescription::offer("one"));
        let waiting = tokio::spawn(async move { a.recv().await });
        tokio::task::yield_now().await;
        b.send(&SessionDescription::answer("two")).await.unwrap();
        assert_eq!(
            waiting.await.unwrap().unwrap(),
            SessionDescription::answer("two")
        );
    }

    #[tokio::test]
    async fn a_full_box_takes_no_second_message() {
        let (a, b) = mailboxes().await;
        a.send(&SessionDescription::offer("one")).await.unwrap();
        assert!(a.send(&SessionDescription::offer("two")).await.is_err());
        b.recv().await.unwrap();
        a.send(&SessionDescription::offer("three")).await.unwrap();
    }

    #[tokio::test]
    async fn the_number_of_full_boxes_is_bounded() {
        let boxes = Boxes::default();
        for box_number in 0..MAX_BOXES {
            assert_eq!(
                boxes.put(box_number.to_string(), String::new()),
                StatusCode::NO_CONTENT
            );
        }
        assert_eq!(
            boxes.put("more".into(), String::new()),
            StatusCode::INSUFFICIENT_STORAGE
        );
    }
}
