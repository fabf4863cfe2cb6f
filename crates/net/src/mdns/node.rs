use std::{collections::HashMap, fmt, io, net::IpAddr};

use pc_proto::{Batch, Protocol};
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use super::{
    Full, MessageView, Name, Resolution, ResolveError, Resolver, Responder, Route,
    sockets::{Batches, Sockets},
};
use crate::{Datagram, InterfaceWatch, RecvBatch};

/// How many datagrams one read takes from a socket: queries come one by one.
const BUFFERS: usize = 4;
/// After so many errors in a row, the sockets are taken to be gone.
const MAX_ERRORS: u32 = 100;
/// No message of ours is longer than what every link carries.
const MTU: usize = 1_200;

/// This machine on its links: asks for names, and answers for those that it made.
///
/// A handle, to be cloned as needed: a task of the tokio runtime does the work, on every interface
/// of the machine, as long as a handle or a [`Registration`] lives. It shares the port with whoever
/// else of this machine uses multicast DNS.
#[derive(Clone)]
pub struct Node {
    commands: mpsc::UnboundedSender<Command>,
}

/// A name for an address of this machine, which is answered for until this is dropped.
pub struct Registration {
    name: Name,
    ip: IpAddr,
    commands: mpsc::UnboundedSender<Command>,
}

/// Why a name was not made, or has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Too many names are in use.
    #[error(transparent)]
    Full(#[from] Full),
    /// The name has no address.
    #[error(transparent)]
    Unresolved(#[from] ResolveError),
    /// The sockets are gone, or the runtime is shutting down.
    #[error("multicast DNS has stopped")]
    Stopped,
}

enum Command {
    Register(IpAddr, oneshot::Sender<Result<Name, Full>>),
    Unregister(Name),
    Resolve(Name, Waiter),
}

type Waiter = oneshot::Sender<Result<IpAddr, NodeError>>;

impl Node {
    /// Takes part in multicast DNS on every interface that there is and will be. `seed` makes the
    /// names: 32 bytes of the system's randomness.
    ///
    /// # Errors
    ///
    /// The port cannot be had, or the interfaces are not known.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub fn start(seed: [u8; 32]) -> io::Result<Self> {
        let watch = InterfaceWatch::new()?;
        let sockets = Sockets::bind(watch.known().to_vec())?;
        let (commands, received) = mpsc::unbounded_channel();
        let task = Task {
            sockets,
            responder: Responder::new(seed),
            resolver: Resolver::new(),
            waiters: HashMap::new(),
            batch: Batch::new(),
        };
        tokio::spawn(task.run(received, watch));
        Ok(Self { commands })
    }

    /// Makes a name for `ip`, an address of this machine, and announces it.
    ///
    /// # Errors
    ///
    /// [`NodeError::Full`] or [`NodeError::Stopped`].
    pub async fn register(&self, ip: IpAddr) -> Result<Registration, NodeError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Register(ip, reply))?;
        let name = answer.await.map_err(|_| NodeError::Stopped)??;
        Ok(Registration {
            name,
            ip,
            commands: self.commands.clone(),
        })
    }

    /// Asks for the address of `name`: of ours or of another machine's. Dropping the future asks no
    /// longer.
    ///
    /// # Errors
    ///
    /// Nobody answered in time ([`Resolver::TIMEOUT`]), the answer is not one address, or as
    /// [`register`](Self::register).
    pub async fn resolve(&self, name: &Name) -> Result<IpAddr, NodeError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Resolve(name.clone(), reply))?;
        answer.await.map_err(|_| NodeError::Stopped)?
    }

    fn send(&self, command: Command) -> Result<(), NodeError> {
        self.commands.send(command).map_err(|_| NodeError::Stopped)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

impl Registration {
    /// The name, as candidates write it.
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The address behind it.
    pub const fn ip(&self) -> IpAddr {
        self.ip
    }
}

impl fmt::Debug for Registration {
    /// Without the address, which the name is there to hide.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registration").field(&self.name).finish()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // There is nobody to tell where the task has ended.
        let _ = self.commands.send(Command::Unregister(self.name.clone()));
    }
}

struct Task {
    sockets: Sockets,
    responder: Responder,
    resolver: Resolver,
    waiters: HashMap<Name, Vec<Waiter>>,
    batch: Batch,
}

impl Task {
    async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut watch: InterfaceWatch,
    ) {
        let mut received: Batches = std::array::from_fn(|_| RecvBatch::with_buffers(BUFFERS));
        let mut errors = 0;
        while errors < MAX_ERRORS {
            let timeout = self.next_timeout();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                result = self.sockets.recv(&mut received) => {
                    errors = match result {
                        Ok(()) => 0,
                        Err(error) => {
                            tracing::warn!(%error, "multicast DNS");
                            errors + 1
                        }
                    };
                    for datagram in received.iter_mut().flat_map(RecvBatch::datagrams_mut) {
                        self.input(datagram);
                    }
                    received.iter_mut().for_each(RecvBatch::clear);
                }
                _ = watch.changed() => self.sockets.set_interfaces(watch.known().to_vec()),
                () = until(timeout) => {}
            }
            self.advance();
        }
        self.responder.unregister_all(now());
        self.advance();
    }

    fn next_timeout(&self) -> Option<Instant> {
        let times = [self.resolver.poll_timeout(), self.responder.poll_timeout()];
        times.into_iter().flatten().min().map(Into::into)
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Register(ip, reply) => {
                let link = self.sockets.link_of(ip);
                let name = self.responder.register(now(), ip, link);
                if let Err(Ok(name)) = reply.send(name) {
                    self.responder.unregister(now(), &name); // nobody waits for it any more
                }
            }
            Command::Unregister(name) => {
                self.responder.unregister(now(), &name);
            }
            Command::Resolve(name, waiter) => self.resolve(name, waiter),
        }
    }

    fn resolve(&mut self, name: Name, waiter: Waiter) {
        let mine = self.responder.names().find(|(known, _)| **known == name);
        let result = match mine {
            Some((_, ip)) => Ok(Some(ip)),
            None => self.resolver.resolve(now(), &name).map(|()| None),
        };
        // A caller who no longer waits has no use for the answer.
        match result {
            Ok(None) => self.waiters.entry(name).or_default().push(waiter),
            Ok(Some(ip)) => {
                let _ = waiter.send(Ok(ip));
            }
            Err(full) => {
                let _ = waiter.send(Err(full.into()));
            }
        }
    }

    fn input(&mut self, datagram: Datagram<'_>) {
        let to_group = datagram.local_ip.is_some_and(|ip| ip.is_multicast());
        let route = Route {
            one_shot: !to_group,
            ..Route::new(datagram.interface, datagram.remote)
        };
        // What was not sent to a group may come from anywhere. RFC 6762 §11
        if !to_group && !self.sockets.is_on_link(route.remote.ip()) {
            tracing::debug!(%route.remote, "not on a link of ours");
            return;
        }
        let is_response = MessageView::parse(datagram.bytes).map(|message| message.is_response());
        let result = match is_response {
            Ok(true) => self.resolver.handle_input(now(), route, datagram.bytes),
            Ok(false) => self.responder.handle_input(now(), route, datagram.bytes),
            Err(error) => Err(error.into()),
        };
        if let Err(rejected) = result {
            tracing::trace!(%route.remote, %rejected, "multicast DNS");
        }
    }

    /// Sends what is due, and tells those who wait.
    fn advance(&mut self) {
        let now = now();
        self.waiters.retain(|name, waiters| {
            waiters.retain(|waiter| !waiter.is_closed());
            if waiters.is_empty() {
                self.resolver.cancel(name);
            }
            !waiters.is_empty()
        });
        self.resolver.handle_timeout(now);
        transmit(&mut self.resolver, &mut self.batch, &self.sockets);
        transmit(&mut self.responder, &mut self.batch, &self.sockets);
        while let Some(Resolution { name, outcome }) = self.resolver.poll_event() {
            for waiter in self.waiters.remove(&name).unwrap_or_default() {
                let _ = waiter.send(outcome.map_err(NodeError::from));
            }
        }
    }
}

fn transmit(engine: &mut impl Protocol<Route = Route>, batch: &mut Batch, sockets: &Sockets) {
    while let Some(route) = engine.poll_transmit(now(), &mut batch.transmit_buf(MTU, 1)) {
        for datagram in batch.datagrams() {
            sockets.send(route, datagram);
        }
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
