//! Which errors are told: `icecandidateerror`.

use std::net::SocketAddr;

use pc_ice::ServerUri;

use super::IceCandidateError;

/// The code for a server that nothing was heard from.
const UNREACHED: u16 = 701;

/// What goes wrong in one gathering.
///
/// [WebRTC §4.8.2](https://www.w3.org/TR/webrtc/#dom-rtcpeerconnectioniceerrorevent-errorcode): what a
/// server answers is told for each socket that has asked. That nothing was heard from it, 701, is told
/// once for each URL, and if no socket could reach it: that one family of addresses leads nowhere is no
/// news while the other one serves. All of that only while candidates are gathered.
#[derive(Default)]
pub(super) struct Errors {
    is_gathering: bool,
    /// Sockets are not told of.
    hides_addresses: bool,
    /// The servers that were heard from.
    heard: Vec<ServerUri>,
    /// Those that were not, so far.
    silent: Vec<(ServerUri, IceCandidateError)>,
    /// What was told, by URL and socket.
    told: Vec<(String, Option<SocketAddr>)>,
}

impl Errors {
    /// A gathering begins.
    pub(super) fn begin(&mut self, hides_addresses: bool) {
        *self = Self {
            is_gathering: true,
            hides_addresses,
            ..Self::default()
        };
    }

    /// It has ended.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// A server was heard from.
    pub(super) fn heard(&mut self, server: &ServerUri) {
        if self.is_gathering && !self.heard.contains(server) {
            self.heard.push(server.clone());
        }
    }

    /// A server could not be used, from this socket if from any. What of it is to be told now: what
    /// nobody was heard from for waits for [`take_silent`](Self::take_silent).
    #[must_use]
    pub(super) fn failed(
        &mut self,
        server: &ServerUri,
        local: Option<SocketAddr>,
        error_code: u16,
        error_text: String,
    ) -> Option<IceCandidateError> {
        if !self.is_gathering {
            return None;
        }
        let local = local.filter(|_| !self.hides_addresses);
        let error = IceCandidateError {
            address: local.map(|it| it.ip()),
            port: local.map(|it| it.port()),
            url: server.to_string(),
            error_code,
            error_text,
        };
        if error_code != UNREACHED {
            self.heard(server);
            return self.is_new(&error.url, local).then_some(error);
        }
        let mut silent = self.silent.iter_mut();
        match silent.find(|(known, _)| known == server) {
            // Of several sockets none is the one.
            Some((_, known)) if known.address != error.address || known.port != error.port => {
                (known.address, known.port) = (None, None);
            }
            Some(_) => {}
            None => self.silent.push((server.clone(), error)),
        }
        None
    }

    /// The servers of which nobody was heard from, once all ways to them have been tried.
    pub(super) fn take_silent(
        &mut self,
        is_tried: impl Fn(&ServerUri) -> bool,
    ) -> Vec<IceCandidateError> {
        let over = |(server, _): &mut (ServerUri, _)| is_tried(server);
        let over: Vec<_> = self.silent.extract_if(.., over).collect();
        let unheard = over.into_iter().filter(|(server, error)| {
            let unheard = !self.heard.contains(server);
            // 701 is not told of the sockets one by one.
            unheard && !self.told.iter().any(|(url, _)| *url == error.url)
        });
        let unheard: Vec<_> = unheard.map(|(_, error)| error).collect();
        let urls = unheard.iter().map(|error| (error.url.clone(), None));
        self.told.extend(urls);
        unheard
    }

    /// Once for each URL and socket: there are as many as may be asked.
    fn is_new(&mut self, url: &str, local: Option<SocketAddr>) -> bool {
        let key = (url.to_owned(), local);
        let is_new = !self.told.contains(&key);
        if is_new {
            self.told.push(key);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(host: u8) -> ServerUri {
        format!("stun:192.0.2.{host}").parse().unwrap()
    }

    fn socket(host: u8) -> Option<SocketAddr> {
        Some(([10, 0, 0, host], 5000).into())
    }

    fn errors(hides: bool) -> Errors {
        let mut errors = Errors::default();
        errors.begin(hides);
        errors
    }

    #[test]
    fn a_refusal_is_told_once_for_each_socket() {
        let mut errors = errors(false);
        let mut told = |host, code| errors.failed(&server(1), socket(host), code, "no".into());
        let first = told(1, 401).unwrap();
        assert_eq!(first.address, Some([10, 0, 0, 1].into()));
        assert_eq!(told(1, 401), None);
        assert_eq!(told(1, 438), None);
        assert!(told(2, 401).is_some());
    }

    #[test]
    fn where_sockets_are_hidden_it_is_told_once() {
        let mut errors = errors(true);
        let mut told = |host| errors.failed(&server(1), socket(host), 401, "no".into());
        assert_eq!((told(1).unwrap().address, told(2)), (None, None));
    }

    #[test]
    fn silence_is_told_when_all_is_tried_and_only_where_nobody_was_heard() {
        let mut errors = errors(false);
        for (number, host) in [(1, 1), (1, 2), (2, 1), (3, 1)] {
            let told = errors.failed(&server(number), socket(host), 701, "no".into());
            assert_eq!(told, None);
        }
        errors.heard(&server(2));
        assert_eq!(errors.take_silent(|_| false), []);
        let told = errors.take_silent(|uri| *uri != server(3));
        let urls: Vec<_> = told.iter().map(|it| (&*it.url, it.address)).collect();
        assert_eq!(urls, [("stun:192.0.2.1:3478", None)]);
        let told = errors.take_silent(|_| true);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].address, Some([10, 0, 0, 1].into()));
        // Nor a second time.
        assert_eq!(errors.failed(&server(3), None, 701, "no".into()), None);
        assert_eq!(errors.take_silent(|_| true), []);
    }

    #[test]
    fn outside_of_gathering_nothing_is_told() {
        let mut errors = errors(false);
        let told = errors.failed(&server(1), socket(1), 701, "no".into());
        assert_eq!(told, None);
        errors.end();
        assert_eq!(errors.take_silent(|_| true), []);
        assert_eq!(errors.failed(&server(1), socket(1), 401, "no".into()), None);
    }
}
