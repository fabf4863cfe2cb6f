//! `getStats()`: what the layers have counted, in the W3C's words.

mod streams;
mod transports;

use std::time::{Duration, Instant};

use pc_jsep::{TransceiverId, TransportId};

use super::Connection;
use crate::stats::{DataChannelStats, PeerConnectionStats, Stats, StatsReport};

/// What codecs and tracks have counted of a transceiver, which the engine does not see.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct MediaCounts {
    /// The id of the receiver's track.
    pub received_track: String,
    /// Pictures that were decoded.
    pub frames_decoded: u32,
    /// Key frames among them.
    pub key_frames_decoded: u32,
    /// Sound that was decoded.
    pub received: Sound,
    /// What was counted of each encoding that is sent.
    pub encodings: Vec<EncodingCounts>,
    /// The id of the sender's track, if there is one.
    pub sent_track: Option<String>,
    /// Pictures that it has given.
    pub frames: u64,
    /// Pictures that it has given within the last second.
    pub frames_per_second: u32,
    /// Width and height of the last one.
    pub size: Option<(u32, u32)>,
    /// Sound that it has given.
    pub sent: Sound,
}

/// What an encoder has counted of one encoding.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct EncodingCounts {
    /// Pictures that were encoded.
    pub frames_encoded: u64,
    /// Those of the last second.
    pub frames_per_second: u32,
    /// Width and height of the last one.
    pub size: Option<(u16, u16)>,
    /// Bits a second that the encoder aims at; 0 while the encoding is not sent.
    pub target_bitrate: u64,
    /// The layers within the stream, where the application has chosen some.
    pub scalability_mode: Option<String>,
}

/// How much sound there was.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sound {
    /// The sum of squared levels over time
    /// ([webrtc-stats](https://www.w3.org/TR/webrtc-stats/#dom-rtcaudiosourcestats-totalaudioenergy)).
    pub energy: f64,
    /// In seconds.
    pub duration: f64,
}

impl Sound {
    /// There was more.
    pub fn add(&mut self, more: Self) {
        self.energy += more.energy;
        self.duration += more.duration;
    }
}

impl Connection {
    /// `getStats()`, of everything. `counts` tells what codecs and tracks have counted.
    pub fn stats(
        &self,
        now: Instant,
        counts: impl Fn(TransceiverId) -> Option<MediaCounts>,
    ) -> StatsReport {
        let mut report = Report {
            report: StatsReport::default(),
            now,
            unix_time: self.transports.unix_time(now),
            id_key: self.transports.id_key,
        };
        report.connection(self);
        for transport in self.transports.iter() {
            report.transport(transport, self.transports.certificate());
        }
        for (route, view) in self.media_routes() {
            let counts = counts(view.id());
            report.outbound(self, &route, &view, counts.as_ref());
            report.inbound(self, &route, &view, counts.as_ref());
        }
        report.report
    }
}

struct Report {
    report: StatsReport,
    now: Instant,
    unix_time: Duration,
    id_key: u64,
}

fn transport_id(id: TransportId) -> String {
    format!("T{}", id.number())
}

impl Report {
    fn add(&mut self, stats: Stats) {
        self.report.add(stats);
    }

    /// A moment of the past on the clock of the world.
    fn unix(&self, at: Instant) -> Duration {
        let ago = self.now.saturating_duration_since(at);
        self.unix_time.saturating_sub(ago)
    }

    fn connection(&mut self, connection: &Connection) {
        let counts = &connection.data.counts;
        self.add(Stats::PeerConnection(PeerConnectionStats {
            id: "P".to_owned(),
            timestamp: self.unix_time,
            data_channels_opened: counts.opened,
            data_channels_closed: counts.closed,
        }));
        for (id, channel) in connection.channels() {
            let counted = counts.channels.get(&id).copied().unwrap_or_default();
            self.add(Stats::DataChannel(DataChannelStats {
                id: format!("D{id:?}"),
                timestamp: self.unix_time,
                label: channel.label.to_owned(),
                protocol: channel.protocol.to_owned(),
                data_channel_identifier: channel.id,
                state: channel.state.to_string(),
                messages_sent: counted.messages_sent,
                bytes_sent: counted.bytes_sent,
                messages_received: counted.messages_received,
                bytes_received: counted.bytes_received,
            }));
        }
    }
}
