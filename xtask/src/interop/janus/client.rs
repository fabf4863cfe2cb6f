//! As much of a client of Janus' HTTP API as a test needs.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// Where Janus listens.
pub(super) const PORT: u16 = 8088;

/// How long Janus may take to start.
const STARTS: Duration = Duration::from_secs(10);

/// What a request may take; waiting for events takes up to 30 seconds.
const PATIENCE: Duration = Duration::from_secs(40);

/// A handle of a plugin, in a session of its own.
pub(super) struct Handle {
    session: String,
    path: String,
}

impl Handle {
    /// A session, and in it a handle of this plugin. Janus may just have been started.
    pub(super) async fn attach(plugin: &str) -> Result<Self> {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        let mut left = STARTS.as_millis() / 100;
        let created = loop {
            ticks.tick().await;
            match post("/janus", json!({ "janus": "create" })).await {
                Ok(created) => break created,
                Err(error) if left == 0 => return Err(error.context("Janus does not answer")),
                Err(_) => left -= 1,
            }
        };
        let session = format!("/janus/{}", id(&created)?);
        let attach = json!({ "janus": "attach", "plugin": plugin });
        let attached = post(&session, attach).await?;
        let path = format!("{session}/{}", id(&attached)?);
        Ok(Self { session, path })
    }

    /// Sends a message to the plugin.
    pub(super) async fn send(&self, body: Value) -> Result<()> {
        post(&self.path, json!({ "janus": "message", "body": body })).await?;
        Ok(())
    }

    /// The same with a description; the one that comes back.
    pub(super) async fn negotiate(&self, body: Value, description: Value) -> Result<Value> {
        let message = json!({ "janus": "message", "body": body, "jsep": description });
        post(&self.path, message).await?;
        for _ in 0..10 {
            let event = request("GET", &format!("{}?maxev=1", self.session), None).await?;
            if let Some(description) = event.get("jsep") {
                return Ok(description.clone());
            }
            let error = event.pointer("/plugindata/data/error");
            ensure!(error.is_none(), "Janus refuses: {event}");
        }
        bail!("no description came back")
    }
}

fn id(answer: &Value) -> Result<u64> {
    let id = answer.pointer("/data/id").and_then(Value::as_u64);
    id.with_context(|| format!("no id in {answer}"))
}

async fn post(path: &str, mut message: Value) -> Result<Value> {
    message["transaction"] = json!("xtask");
    let answer = request("POST", path, Some(message)).await?;
    let kind = answer.get("janus").and_then(Value::as_str);
    ensure!(
        matches!(kind, Some("success" | "ack")),
        "Janus says {answer}"
    );
    Ok(answer)
}

async fn request(method: &'static str, path: &str, body: Option<Value>) -> Result<Value> {
    let body = body.map_or_else(String::new, |it| it.to_string());
    // Of HTTP/1.0 an answer ends with its connection, and comes in one piece.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{PORT}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    tokio::task::spawn_blocking(move || exchange(&request)).await?
}

fn exchange(request: &str) -> Result<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", PORT))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP")?;
    ensure!(head.contains(" 200 "), "{head}");
    serde_json::from_str(body).with_context(|| format!("no JSON: {body}"))
}
