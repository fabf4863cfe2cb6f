//! A page and its signaling, on one port of 127.0.0.1.

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::{Context, Result, anyhow};
use axum::{
    Router,
    extract::{State, WebSocketUpgrade},
    http::{HeaderMap, HeaderName, StatusCode, header, uri::Authority},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::mpsc};

use crate::{
    program::PageFlags,
    signaling::{self, SignalingChannel},
};

/// The signaling channels of those who come, in order.
pub type Arrivals = mpsc::Receiver<SignalingChannel>;

/// What is served: the other side of a program that shows what it does in a browser.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// What `/` shows; its script is at `/page.js`. Beside it are `/page.css`, `/signaling.js` and
    /// `/plots.js`, which pages have in common, and `/configuration.js`: the `RTCConfiguration` of the
    /// program's flags.
    pub html: &'static str,
    /// That script.
    pub script: &'static str,
    /// The program's name, for messages to its user.
    pub program: &'static str,
}

/// Serves on 127.0.0.1 for as long as the runtime lives; port 0 takes a free one.
///
/// # Errors
///
/// The port cannot be had.
pub async fn serve<const PORT: u16>(
    page: Page,
    flags: &PageFlags<PORT>,
) -> Result<(SocketAddr, Arrivals)> {
    let port = flags.port;
    let configuration = format!("const configuration = {};\n", flags.servers.of_page());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => anyhow!(
                "port {port} is in use, perhaps by another {}: choose one with --port, or join \
                 that one with --connect http://127.0.0.1:{port}",
                page.program
            ),
            _ => anyhow!(error).context(format!("port {port} cannot be had: try another --port")),
        })?;
    let address = listener
        .local_addr()
        .context("the listener has no address")?;
    let (arrived, arrivals) = mpsc::channel(8);
    let service = Router::new()
        .route("/", get(async move || ([NOT_STORED], Html(page.html))))
        .route("/page.js", get(async move || script(page.script)))
        .route("/page.css", get(style))
        .route(
            "/signaling.js",
            get(async || script(include_str!("signaling.js"))),
        )
        .route(
            "/configuration.js",
            get(async move || script(configuration)),
        )
        .route("/plots.js", get(async || script(include_str!("plots.js"))))
        .route(signaling::PATH, get(signal))
        .with_state(arrived);
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok((address, arrivals))
}

/// A page of an earlier build must not meet the signaling of this one.
const NOT_STORED: (HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

fn script(text: impl IntoResponse) -> impl IntoResponse {
    let content_type = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([NOT_STORED, content_type], text)
}

async fn style() -> impl IntoResponse {
    let content_type = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([NOT_STORED, content_type], include_str!("page.css"))
}

async fn signal(
    State(arrived): State<mpsc::Sender<SignalingChannel>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_from_this_machine(&headers) {
        return (
            StatusCode::FORBIDDEN,
            "this signaling is for its own page alone",
        )
            .into_response();
    }
    upgrade
        .max_message_size(signaling::MAX_MESSAGE)
        .on_upgrade(async move |socket| {
            let (channel, carry) = SignalingChannel::accept(socket);
            if arrived.send(channel).await.is_ok() {
                carry.await;
            }
        })
}

/// Any page of the web may open a WebSocket to this machine. Only our own is let in: its origin is
/// the host it asks, and that host is no foreign name which merely resolves to 127.0.0.1.
fn is_from_this_machine(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST) else {
        return false;
    };
    let is_ours = match text(header::ORIGIN) {
        Some(origin) => origin.strip_prefix("http://") == Some(host),
        // Not a browser.
        None => true,
    };
    is_ours && is_loopback(host)
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let literal = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || literal.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_the_own_page_and_programs_are_let_in() {
        let own = request("127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        assert!(is_from_this_machine(&own));
        assert!(is_from_this_machine(&request(
            "localhost:8080",
            Some("http://localhost:8080")
        )));
        assert!(is_from_this_machine(&request("127.0.0.1:8080", None)));

        let foreign = request("127.0.0.1:8080", Some("https://example.org"));
        assert!(!is_from_this_machine(&foreign));
        let rebound = request("example.org:8080", Some("http://example.org:8080"));
        assert!(!is_from_this_machine(&rebound));
        assert!(!is_from_this_machine(&HeaderMap::new()));
    }
}
