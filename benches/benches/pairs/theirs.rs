//! Two of str0m's [`Rtc`]s, by its rule: each mutation is followed by a full drain of its output.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use socket2::SockRef;
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    channel::ChannelId,
    config::DtlsVersion,
    net::{Protocol, Receive, Transmit},
};

use super::{Clock, Transfer};

/// str0m's default is 128 KiB, which no message of 256 KiB fits into.
pub const DEFAULT_BUFFER: usize = 128 * 1024;

/// One peer and what came out of it.
struct Peer {
    rtc: Rtc,
    timeout: Option<Instant>,
    out: VecDeque<Transmit>,
    channel: Option<ChannelId>,
    /// Lengths of messages that were received.
    received: VecDeque<usize>,
}

impl Peer {
    fn new(address: SocketAddr, buffer: usize, now: Instant) -> Self {
        let mut rtc = Rtc::builder()
            .set_dtls_version(DtlsVersion::Dtls13) // what our side negotiates
            .set_sctp_max_buffered_amount(buffer)
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        Self {
            rtc,
            timeout: Some(now),
            out: VecDeque::new(),
            channel: None,
            received: VecDeque::new(),
        }
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.timeout = Some(at);
                    return;
                }
                Output::Transmit(transmit) => self.out.push_back(transmit),
                Output::Event(Event::ChannelOpen(id, _)) => self.channel = Some(id),
                Output::Event(Event::ChannelData(data)) => {
                    self.received.push_back(data.data.len());
                }
                Output::Event(_) => {}
            }
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        self.rtc.handle_input(input).unwrap();
        self.drain();
    }

    fn receive(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        let receive = Receive {
            proto: Protocol::Udp,
            source: from,
            destination: to,
            contents: datagram.try_into().unwrap(),
        };
        self.handle(Input::Receive(now, receive));
    }

    /// Does what is due; whether anything was.
    fn ring(&mut self, now: Instant) -> bool {
        let due = self.timeout.is_some_and(|at| at <= now);
        if due {
            self.handle(Input::Timeout(now));
        }
        due
    }

    /// Whether the message was taken.
    fn write(&mut self, payload: &[u8]) -> bool {
        let id = self.channel.unwrap();
        let taken = self.rtc.channel(id).unwrap().write(true, payload).unwrap();
        self.drain();
        taken
    }

    /// How many messages of `len` bytes came since the last call.
    fn take_received(&mut self, len: usize) -> usize {
        let came = self.received.drain(..);
        came.inspect(|found| assert_eq!(*found, len)).count()
    }
}

fn negotiated([address_a, address_b]: [SocketAddr; 2], buffer: usize, now: Instant) -> [Peer; 2] {
    str0m::crypto::from_feature_flags().install_process_default();
    let mut a = Peer::new(address_a, buffer, now);
    let mut b = Peer::new(address_b, buffer, now);
    let mut change = a.rtc.sdp_api();
    change.add_channel("bench".into());
    let (offer, pending) = change.apply().unwrap();
    let answer = b.rtc.sdp_api().accept_offer(offer).unwrap();
    b.drain();
    a.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    a.drain();
    [a, b]
}

pub struct Memory {
    a: Peer,
    b: Peer,
    clock: Clock,
}

impl Memory {
    /// From nothing, certificates included, to a channel that is open on both sides.
    pub fn open(buffer: usize) -> Self {
        let clock = Clock::new();
        let addresses = ["192.0.2.1:5000", "192.0.2.2:5000"].map(|it| it.parse().unwrap());
        let [a, b] = negotiated(addresses, buffer, clock.now());
        let mut pair = Self { a, b, clock };
        while pair.a.channel.is_none() || pair.b.channel.is_none() {
            if !pair.exchange() {
                pair.skip();
            }
        }
        pair
    }

    fn exchange(&mut self) -> bool {
        let there = carry(&self.clock, &mut self.a, &mut self.b);
        let back = carry(&self.clock, &mut self.b, &mut self.a);
        there || back
    }

    fn skip(&mut self) {
        let timeouts = [self.a.timeout, self.b.timeout];
        self.clock.skip_to(timeouts.into_iter().flatten().min());
        let now = self.clock.now();
        self.a.ring(now);
        self.b.ring(now);
    }
}

impl Transfer for Memory {
    fn transfer(&mut self, len: usize, count: usize) {
        let payload = vec![7; len];
        let (mut sent, mut received) = (0, 0);
        while received < count {
            while sent < count && self.a.write(&payload) {
                sent += 1;
            }
            if !self.exchange() {
                self.skip();
            }
            received += self.b.take_received(len);
        }
    }
}

fn carry(clock: &Clock, from: &mut Peer, to: &mut Peer) -> bool {
    let mut moved = false;
    while let Some(transmit) = from.out.pop_front() {
        let now = clock.now();
        to.receive(
            now,
            transmit.source,
            transmit.destination,
            &transmit.contents,
        );
        moved = true;
    }
    moved
}

pub struct Loopback {
    a: Socketed,
    b: Socketed,
}

struct Socketed {
    peer: Peer,
    socket: UdpSocket,
    address: SocketAddr,
    datagram: Vec<u8>,
}

impl Loopback {
    pub fn open(buffer: usize) -> Self {
        let sockets = [bind(), bind()];
        let addresses = [0, 1].map(|at: usize| sockets[at].local_addr().unwrap());
        let peers = negotiated(addresses, buffer, Instant::now());
        let [a, b] = peers;
        let [socket_a, socket_b] = sockets;
        let mut pair = Self {
            a: Socketed::new(a, socket_a),
            b: Socketed::new(b, socket_b),
        };
        while pair.a.peer.channel.is_none() || pair.b.peer.channel.is_none() {
            pair.step();
        }
        pair
    }

    fn step(&mut self) {
        let worked = [self.a.step(), self.b.step()];
        if worked == [false; 2] {
            std::thread::sleep(Duration::from_micros(20));
        }
    }
}

impl Transfer for Loopback {
    fn transfer(&mut self, len: usize, count: usize) {
        let payload = vec![7; len];
        let (mut sent, mut received) = (0, 0);
        while received < count {
            while sent < count && self.a.peer.write(&payload) {
                sent += 1;
            }
            self.step();
            received += self.b.peer.take_received(len);
        }
    }
}

/// With buffers as large as `pc-net` asks for: nobody is to lose by the system's default.
fn bind() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let _ = SockRef::from(&socket).set_recv_buffer_size(4 << 20);
    let _ = SockRef::from(&socket).set_send_buffer_size(4 << 20);
    socket
}

impl Socketed {
    fn new(peer: Peer, socket: UdpSocket) -> Self {
        Self {
            peer,
            address: socket.local_addr().unwrap(),
            socket,
            datagram: vec![0; 2048],
        }
    }

    /// Sends what there is, takes what came, does what is due; whether there was anything.
    fn step(&mut self) -> bool {
        let mut worked = self.peer.ring(Instant::now());
        while let Some(transmit) = self.peer.out.pop_front() {
            self.socket
                .send_to(&transmit.contents, transmit.destination)
                .unwrap();
            worked = true;
        }
        loop {
            match self.socket.recv_from(&mut self.datagram) {
                Ok((len, from)) => {
                    let datagram = &self.datagram[..len];
                    self.peer
                        .receive(Instant::now(), from, self.address, datagram);
                    worked = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return worked,
                Err(error) => panic!("{error}"),
            }
        }
    }
}
