//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Result;
use clap::{ArgGroup, Parser, ValueEnum};
use examples::servers::ServerFlags;
use peerconnection::{Configuration, DataChannelInit, Endpoint, HostAddresses, MediaKind};

/// A WebRTC peer for scripts: connects, exchanges messages, and prints a line for every event.
#[derive(Debug, Clone, Parser)]
#[command(group = ArgGroup::new("role").required(true).args(["offer", "answer"]))]
#[command(group = ArgGroup::new("offered").multiple(true).args(["data", "audio", "video"]))]
#[command(group = ArgGroup::new("mailbox").required(true).multiple(true).args(["signal", "serve_signal"]))]
pub(crate) struct Flags {
    /// The mailbox, such as http://127.0.0.1:9000.
    #[arg(long, value_name = "URL")]
    pub(crate) signal: Option<String>,
    /// Serve the mailbox too, on this port of 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    pub(crate) serve_signal: Option<u16>,
    /// Our box.
    #[arg(long)]
    pub(crate) name: String,
    /// The other peer's box.
    #[arg(long)]
    pub(crate) remote: String,

    /// Make the offer.
    #[arg(long, requires = "offered")]
    pub(crate) offer: bool,
    /// Wait for an offer.
    #[arg(long)]
    pub(crate) answer: bool,

    /// Create a data channel of this label, before the description is made.
    #[arg(long, value_name = "LABEL")]
    pub(crate) data: Option<String>,
    /// ... which both sides create, with this id.
    #[arg(long, value_name = "ID", requires = "data")]
    pub(crate) negotiated: Option<u16>,
    /// ... whose messages may come in another order.
    #[arg(long, requires = "data")]
    pub(crate) unordered: bool,
    /// ... which gives a message up after so many retransmissions.
    #[arg(
        long,
        value_name = "N",
        requires = "data",
        conflicts_with = "max_packet_life_time"
    )]
    pub(crate) max_retransmits: Option<u16>,
    /// ... which gives a message up after so many milliseconds.
    #[arg(long, value_name = "MS", requires = "data")]
    pub(crate) max_packet_life_time: Option<u16>,
    /// ... with this subprotocol.
    #[arg(long, value_name = "P", requires = "data")]
    pub(crate) protocol: Option<String>,

    /// Send a note of 440 Hz.
    #[arg(long)]
    pub(crate) audio: bool,
    /// Send a moving picture with a clock.
    #[arg(long)]
    pub(crate) video: bool,
    /// This codec alone for its kind, such as opus or VP9; repeatable.
    #[arg(long, value_name = "NAME")]
    pub(crate) codec: Vec<String>,
    /// Record what comes to this file, whose extension says the format: .ogg, .wav, .ivf or .y4m;
    /// repeatable, one for each track.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Vec<PathBuf>,
    /// For how long sound and pictures are measured once they come.
    #[arg(long, value_name = "S", default_value_t = 5)]
    pub(crate) media_seconds: u64,

    /// Send so many messages and expect each back: text, binary, empty text, empty binary, again.
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<usize>,
    /// The bytes of a message that is not empty.
    #[arg(long, value_name = "BYTES", default_value_t = 1000)]
    pub(crate) size: usize,
    /// Send back what comes: on any channel but the one we send on, and on tracks of a kind that we
    /// send nothing else of.
    #[arg(long)]
    pub(crate) echo: bool,
    /// Begin when so many channels are open, created and accepted ones together; one, or none where
    /// the descriptions have no place for channels.
    #[arg(long, value_name = "N")]
    pub(crate) channels: Option<usize>,
    /// What to close once done; otherwise the other peer is waited for.
    #[arg(long, value_name = "WHAT")]
    pub(crate) close: Option<Close>,

    #[command(flatten)]
    servers: ServerFlags,

    /// Give up after so many seconds.
    #[arg(long, value_name = "S", default_value_t = 60)]
    pub(crate) seconds: u64,
    /// Print JSON, one object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Gather the loopback addresses too, to meet a peer of the same machine.
    #[arg(long)]
    pub(crate) loopback: bool,
    /// Use this UDP port of this address alone, as a server does for all its peers.
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "loopback")]
    pub(crate) endpoint: Option<SocketAddr>,
}

/// What is closed once the script is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Close {
    /// The channel we send on, and half a second later the connection.
    Channel,
    /// The connection.
    Connection,
}

impl Flags {
    /// # Errors
    ///
    /// The file of the authorities is none, or the port cannot be bound.
    pub(crate) fn configuration(&self) -> Result<Configuration> {
        let host_addresses = match self.loopback {
            true => HostAddresses::InterfacesAndLoopback,
            false => HostAddresses::Interfaces,
        };
        let mut configuration = Configuration {
            host_addresses,
            endpoint: self.endpoint.map(|at| Endpoint::bind(&[at])).transpose()?,
            ..Default::default()
        };
        self.servers.add_to(&mut configuration)?;
        Ok(configuration)
    }

    pub(crate) fn channel_init(&self) -> DataChannelInit {
        DataChannelInit {
            ordered: !self.unordered,
            max_packet_life_time: self.max_packet_life_time,
            max_retransmits: self.max_retransmits,
            protocol: self.protocol.clone().unwrap_or_default(),
            negotiated: self.negotiated.is_some(),
            id: self.negotiated,
        }
    }

    /// Whether there is a channel that we send on and do not echo on.
    pub(crate) fn has_sending_channel(&self) -> bool {
        self.count.is_some() || self.close == Some(Close::Channel)
    }

    /// Whether a track of our own is sent of this kind.
    pub(crate) fn sends(&self, kind: MediaKind) -> bool {
        match kind {
            MediaKind::Audio => self.audio,
            MediaKind::Video => self.video,
        }
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &str) -> Result<Flags, clap::Error> {
        let common = "peer --signal http://127.0.0.1:1 --name a --remote b";
        Flags::try_parse_from(common.split(' ').chain(flags.split(' ')))
    }

    #[test]
    fn the_flags_are_those_of_the_contract() {
        let flags = parse("--offer --data  --negotiated 7 --unordered --max-retransmits 3 --json");
        let init = flags.unwrap().channel_init();
        assert_eq!((init.negotiated, init.id), (true, Some(7)));
        assert_eq!((init.ordered, init.max_retransmits), (false, Some(3)));
    }

    #[test]
    fn contradictions_are_refused() {
        for flags in [
            "--json",
            "--offer --answer --data x",
            "--offer",
            "--answer --negotiated 7",
            "--answer --data x --max-retransmits 1 --max-packet-life-time 1",
            "--answer --close both",
            "--answer --ca authorities.pem",
        ] {
            assert!(parse(flags).is_err(), "{flags}");
        }
    }
}
