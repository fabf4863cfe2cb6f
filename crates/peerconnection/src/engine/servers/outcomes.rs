//! What becomes of the servers that are asked.

use std::{net::SocketAddr, time::Instant};

use pc_ice::{Candidate, CandidateKind};
use pc_proto::Transport as Carrier;

use super::{
    IceServer, MAX_MAPPED, Origin, SERVICE, Servers, Told,
    client::{Client, Outcome},
};

impl Servers {
    /// Brings what the clients have learned here.
    pub(super) fn follow(&mut self, now: Instant) {
        let (mut elsewhere, mut lost) = (Vec::new(), Vec::new());
        for index in 0..self.clients.len() {
            while let Some(outcome) = self.clients.get_mut(index).and_then(Client::poll_event) {
                match outcome {
                    Outcome::Redirected(alternate) => {
                        let client = self.clients.get(index);
                        let from =
                            client.map(|it| (it.server.clone(), it.path(), it.has_own_socket));
                        elsewhere.extend(from.map(|from| (from, alternate)));
                    }
                    Outcome::Failed(error) => lost.extend(self.take_failure(now, index, &error)),
                    outcome => self.take_outcome(now, index, outcome),
                }
            }
        }
        self.clients.retain(|client| !client.is_ended());
        for (from, alternate) in elsewhere {
            self.redirect(now, from, alternate);
        }
        for server in lost {
            self.ask_again(&server);
        }
        self.tell_silent();
    }

    fn take_outcome(&mut self, now: Instant, index: usize, outcome: Outcome) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        let path = client.path();
        let origin = Origin {
            url: client.server.uri.to_string(),
            protocol: client.server.uri.transport().to_string(),
            base: client.path().local.ip(),
        };
        match outcome {
            Outcome::Mapped(address) => {
                self.errors.heard(&client.server.uri);
                client.serves(now);
                client.mapped += 1;
                if client.mapped <= MAX_MAPPED {
                    let found = reflexive(address, path.local);
                    self.told.push_back(Told::Found(found, origin));
                }
            }
            Outcome::Allocated(relayed, mapped) => {
                self.errors.heard(&client.server.uri);
                client.serves(now);
                client.relayed.clone_from(&relayed);
                // It knows nothing of the peer.
                self.permitted = (0, 0, String::new());
                if path.transport == Carrier::Udp
                    && let Some(mapped) = mapped
                {
                    let found = reflexive(mapped, path.local);
                    self.told.push_back(Told::Found(found, origin.clone()));
                }
                self.tcp.begin_beside(client);
                for address in relayed {
                    let found = Candidate {
                        related_address: mapped.or(Some(path.local)),
                        ..Candidate::new(CandidateKind::Relayed, address)
                    };
                    self.told.push_back(Told::Found(found, origin.clone()));
                }
            }
            Outcome::Permitted(ip) => self.release(now, index, ip),
            Outcome::NotPermitted(ip) => self.held.retain(|held| held.peer.ip() != ip),
            Outcome::Moved => client.is_moving = false,
            Outcome::Redirected(_) | Outcome::Failed(_) => {}
        }
    }

    /// A client has come to its end. The server, if it has served long enough to be asked again.
    fn take_failure(
        &mut self,
        now: Instant,
        index: usize,
        error: &pc_ice::ServerError,
    ) -> Option<IceServer> {
        let client = self.clients.get_mut(index)?;
        client.is_done = true;
        let lost = std::mem::take(&mut client.relayed);
        self.told.extend(lost.into_iter().map(Told::Lost));
        let (server, local) = (client.server.clone(), client.path().local);
        let (has_moved, is_stranded) = (client.has_moved, client.is_stranded);
        let serves_since = client.serves_since;
        match serves_since {
            Some(since) => {
                let is_worth_it = now >= since + SERVICE || has_moved;
                (is_worth_it && !self.closing).then_some(server)
            }
            // A socket that is gone says nothing about the server.
            None if self.closing || is_stranded => None,
            None if self.tries_elsewhere(index, error.code()) => Some(server),
            None => {
                self.fail(&server.uri, Some(local), error.code(), error.to_string());
                None
            }
        }
    }
}

/// What the server saw of one of our sockets.
fn reflexive(address: SocketAddr, base: SocketAddr) -> Candidate {
    Candidate {
        related_address: Some(base),
        ..Candidate::new(CandidateKind::ServerReflexive, address)
    }
}
