//! The mailbox: HTTP signaling with one box a name and one message a box, and the place where a
//! scenario may tamper with what passes.

use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use tiny_http::{Method, Request, Response, Server};

/// How long a `GET` waits before it answers 204.
const PATIENCE: Duration = Duration::from_secs(25);
/// A description is a few kilobytes; nothing more is read.
const MAX_BODY: u64 = 1 << 20;

/// A mailbox on a free port of 127.0.0.1, served until it is dropped.
pub(crate) struct Mailbox {
    shared: Arc<Shared>,
    server: Arc<Server>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    tamper: Option<&'static str>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    boxes: HashMap<String, String>,
    delivered: Vec<(String, String)>,
    closed: bool,
}

impl Mailbox {
    /// Serves a mailbox that alters every certificate fingerprint on its way to the box `tamper`.
    ///
    /// # Errors
    ///
    /// No port can be had.
    pub(crate) fn serve(tamper: Option<&'static str>) -> Result<Self> {
        Self::serve_at(Ipv4Addr::LOCALHOST, tamper)
    }

    /// The same at an address of this machine.
    ///
    /// # Errors
    ///
    /// No port can be had.
    pub(crate) fn serve_at(ip: Ipv4Addr, tamper: Option<&'static str>) -> Result<Self> {
        let server = Server::http((ip, 0)).map_err(|e| anyhow!("no mailbox: {e}"))?;
        let server = Arc::new(server);
        let state = Mutex::default();
        let shared = Arc::new(Shared {
            tamper,
            state,
            changed: Condvar::new(),
        });
        let acceptor = {
            let (server, shared) = (Arc::clone(&server), Arc::clone(&shared));
            thread::spawn(move || accept(&server, &shared))
        };
        Ok(Self {
            shared,
            server,
            acceptor: Some(acceptor),
        })
    }

    /// What `--signal` takes.
    ///
    /// # Errors
    ///
    /// The server has no IP address.
    pub(crate) fn url(&self) -> Result<String> {
        let address = self
            .server
            .server_addr()
            .to_ip()
            .context("the mailbox has no address")?;
        Ok(format!("http://{address}"))
    }

    /// Puts a message into the box `name`, unless one is there.
    pub(crate) fn post(&self, name: &str, message: String) {
        self.shared.put(name, message);
    }

    /// What is in the box `name`, which is empty then.
    pub(crate) fn fetch(&self, name: &str) -> Option<String> {
        let (status, message) = self.shared.take(name, Duration::ZERO);
        (status == 200).then_some(message)
    }

    /// Every message that was put into a box, as delivered, with the box's name.
    pub(crate) fn delivered(&self) -> Vec<(String, String)> {
        self.shared.lock().delivered.clone()
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        self.server.unblock();
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 204, or 409 when the box is full.
    fn put(&self, name: &str, message: String) -> (u16, String) {
        let message = match self.tamper {
            Some(victim) if victim == name => tamper_with_fingerprints(&message),
            _ => message,
        };
        let mut state = self.lock();
        if state.boxes.contains_key(name) {
            return (409, String::new());
        }
        state.delivered.push((name.into(), message.clone()));
        state.boxes.insert(name.into(), message);
        self.changed.notify_all();
        (204, String::new())
    }

    /// 200 and the message, or 204 when none comes in time.
    fn take(&self, name: &str, patience: Duration) -> (u16, String) {
        let waiting = |state: &mut State| !state.boxes.contains_key(name) && !state.closed;
        let (mut state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state
            .boxes
            .remove(name)
            .map_or((204, String::new()), |message| (200, message))
    }
}

fn accept(server: &Server, shared: &Arc<Shared>) {
    while let Ok(request) = server.recv() {
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A peer that went away does not get its answer.
            let _ = answer(request, &shared);
        });
    }
}

fn answer(mut request: Request, shared: &Shared) -> io::Result<()> {
    let name = request.url().strip_prefix("/q/").map(str::to_owned);
    let (status, body) = match (request.method(), name) {
        (Method::Post, Some(name)) => {
            let mut message = String::new();
            io::Read::read_to_string(
                &mut io::Read::take(request.as_reader(), MAX_BODY),
                &mut message,
            )?;
            shared.put(&name, message)
        }
        (Method::Get, Some(name)) => shared.take(&name, PATIENCE),
        _ => (404, String::new()),
    };
    request.respond(Response::from_string(body).with_status_code(status))
}

/// Changes one hex digit of every `a=fingerprint` line; the line stays well-formed (RFC 8122 §5).
fn tamper_with_fingerprints(message: &str) -> String {
    const MARK: &str = "a=fingerprint:";
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(MARK) {
        let (before, after) = rest.split_at(at + MARK.len());
        out.push_str(before);
        let digits = after.find(' ').map_or(0, |space| space + 1);
        let (algorithm, digits) = after.split_at(digits);
        out.push_str(algorithm);
        let mut characters = digits.chars();
        out.extend(
            characters
                .next()
                .map(|digit| if digit == '0' { '1' } else { '0' }),
        );
        rest = characters.as_str();
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fingerprint_changes_in_one_digit_and_nothing_else_does() {
        let sdp =
            r"a=fingerprint:sha-256 AB:CD\r\na=setup:actpass\r\na=fingerprint:sha-1 01:02\r\n";
        let tampered = tamper_with_fingerprints(sdp);
        assert_eq!(
            tampered,
            sdp.replace("256 A", "256 0").replace("-1 0", "-1 1")
        );
    }

    #[test]
    fn a_box_holds_one_message_and_gives_it_once() {
        let mailbox = Mailbox::serve(Some("victim")).unwrap();
        let shared = &mailbox.shared;
        assert_eq!(shared.take("a", Duration::ZERO).0, 204);
        assert_eq!(shared.put("a", "first".into()).0, 204);
        assert_eq!(shared.put("a", "second".into()).0, 409);
        assert_eq!(shared.take("a", Duration::ZERO), (200, "first".into()));
        assert_eq!(shared.take("a", Duration::ZERO).0, 204);
    }

    #[test]
    fn only_the_victims_box_is_tampered_with() {
        let mailbox = Mailbox::serve(Some("victim")).unwrap();
        let shared = &mailbox.shared;
        let message = "a=fingerprint:sha-256 AB";
        shared.put("victim", message.into());
        shared.put("other", message.into());
        assert_ne!(shared.take("victim", Duration::ZERO).1, message);
        assert_eq!(shared.take("other", Duration::ZERO).1, message);
    }
}
