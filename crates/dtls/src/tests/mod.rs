#![allow(clippy::disallowed_methods)]

mod attack;
mod fingerprints;
mod handshake;
mod hellos;
mod lifecycle;
mod lossy;
mod rsa;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use pc_proto::{Batch, Protocol};
use pc_simnet::{epoch, ms};

use crate::*;

pub(crate) const V12: Versions = Versions::Only(Version::Dtls12);
pub(crate) const V13: Versions = Versions::Only(Version::Dtls13);

/// The certificates of client and server: made once, since making one is slow.
pub(crate) fn certificates() -> &'static [Certificate; 2] {
    static MADE: OnceLock<[Certificate; 2]> = OnceLock::new();
    MADE.get_or_init(|| {
        let make = || Certificate::generate(Duration::from_secs(1_790_000_000)).unwrap();
        [make(), make()]
    })
}

/// Two certificates with RSA keys, made once too.
pub(crate) fn rsa_certificates() -> &'static [Certificate; 2] {
    static MADE: OnceLock<[Certificate; 2]> = OnceLock::new();
    MADE.get_or_init(|| {
        let options = CertificateOptions::new(KeyAlgorithm::Rsa2048);
        let date = Duration::from_secs(1_790_000_000);
        let make = || Certificate::generate_with(options, date).unwrap();
        [make(), make()]
    })
}

/// Configurations of a client and a server that know each other's fingerprint.
pub(crate) fn configs(versions: Versions) -> [Config; 2] {
    let [client, server] = certificates();
    configs_with(versions, client, server)
}

/// The same with these certificates.
pub(crate) fn configs_with(
    versions: Versions,
    client: &Certificate,
    server: &Certificate,
) -> [Config; 2] {
    let config = |role, own: &Certificate, other: &Certificate| Config {
        remote_fingerprints: vec![other.fingerprint(HashAlgorithm::Sha256)],
        versions,
        ..Config::new(role, own.clone())
    };
    [
        config(Role::Client, client, server),
        config(Role::Server, server, client),
    ]
}

pub(crate) fn connection(config: Config) -> Connection {
    Connection::new(epoch(), config).unwrap()
}

/// What a connection has to send.
pub(crate) fn sent(now: Instant, connection: &mut Connection) -> Vec<Vec<u8>> {
    let (mut batch, mut all) = (Batch::new(), Vec::new());
    loop {
        let mut out = batch.transmit_buf(1200, 8);
        if connection.poll_transmit(now, &mut out).is_none() {
            return all;
        }
        all.extend(batch.datagrams().map(<[u8]>::to_vec));
    }
}

pub(crate) fn events(connection: &mut Connection) -> Vec<Event> {
    std::iter::from_fn(|| connection.poll_event()).collect()
}

pub(crate) fn data(connection: &mut Connection) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| connection.poll_data().map(|data| data.to_vec())).collect()
}

/// Two connections joined by hand, for tests that get in between.
pub(crate) struct Duo {
    pub(crate) client: Connection,
    pub(crate) server: Connection,
    pub(crate) now: Instant,
}

impl Duo {
    pub(crate) fn new([client, server]: [Config; 2]) -> Self {
        Self {
            client: connection(client),
            server: connection(server),
            now: epoch(),
        }
    }

    pub(crate) fn connected(versions: Versions) -> Self {
        let mut duo = Self::new(configs(versions));
        duo.settle();
        duo.assert_connected();
        duo
    }

    /// Fails unless both have connected, and nothing else has happened.
    pub(crate) fn assert_connected(&mut self) {
        assert_eq!(events(&mut self.client), [Event::Connected]);
        assert_eq!(events(&mut self.server), [Event::Connected]);
    }

    pub(crate) fn side(&mut self, role: Role) -> &mut Connection {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Hands a datagram to one side.
    pub(crate) fn give(&mut self, role: Role, datagram: &[u8]) -> Result<(), Rejected> {
        let now = self.now;
        self.side(role)
            .handle_input(now, (), &mut datagram.to_vec())
    }

    /// Takes what one side sends to the other; whether there was anything.
    pub(crate) fn pass(&mut self, from: Role) -> bool {
        let now = self.now;
        let datagrams = sent(now, self.side(from));
        for datagram in &datagrams {
            let _ = self.give(other(from), datagram);
        }
        !datagrams.is_empty()
    }

    /// Exchanges datagrams until there are none.
    pub(crate) fn settle(&mut self) {
        while self.pass(Role::Client) | self.pass(Role::Server) {}
    }

    /// Lets time pass for both.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += time;
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
    }

    /// Fails unless data flows both ways and nothing else has happened.
    pub(crate) fn assert_alive(&mut self) {
        for (from, text) in [(Role::Client, &b"ping"[..]), (Role::Server, b"pong")] {
            let now = self.now;
            self.side(from).send(now, text).unwrap();
            self.pass(from);
            assert_eq!(data(self.side(other(from))), [text]);
        }
        assert_eq!(events(&mut self.client), []);
        assert_eq!(events(&mut self.server), []);
        self.now += ms(1);
    }
}

pub(crate) fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}
