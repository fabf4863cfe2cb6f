//! Our side of a session: a [`PeerConnection`] with one ordered log of all that it fires, in the
//! words of `peers/negotiate.js`.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, DtlsTransport, Event, Events, HostAddresses,
    MediaKind, MediaStream, MediaStreamTrack, MediaTrackEvent, Message, PeerConnection, RtpSender,
    RtpTransceiver, SessionDescription, StreamEvent, TrackEvent, TrackSource, TransceiverInit,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::state::{State, Transceiver, Transport};

/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(5);
/// What anything gets that says nothing else.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Our connection, what it has fired, and what it has been given.
pub(super) struct Ours {
    pub(super) pc: PeerConnection,
    record: Record,
    /// Tracks live as long as their sources.
    sources: Mutex<Vec<TrackSource>>,
}

/// What writes into the log of our side.
pub(super) struct Handle(Record);

/// The log, and the objects that came with its events. A cheap handle.
#[derive(Clone)]
struct Record {
    log: watch::Sender<Vec<Value>>,
    objects: Arc<Mutex<Objects>>,
    started: Instant,
}

#[derive(Default)]
struct Objects {
    channels: Vec<DataChannel>,
    watched: Vec<MediaStreamTrack>,
    streams: Vec<MediaStream>,
}

/// Loopback alone, as the browsers gather it.
pub(super) fn configuration() -> Configuration {
    Configuration {
        host_addresses: HostAddresses::Only(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]),
        ..Configuration::default()
    }
}

impl Ours {
    /// A connection, and its events.
    pub(super) fn new(configuration: Configuration) -> Result<(Self, Events)> {
        let (pc, events) = PeerConnection::new(configuration)?;
        let record = Record {
            log: watch::Sender::default(),
            objects: Arc::default(),
            started: Instant::now(),
        };
        let ours = Self {
            pc,
            record,
            sources: Mutex::default(),
        };
        Ok((ours, events))
    }

    /// For whoever takes the events.
    pub(super) fn handle(&self) -> Handle {
        Handle(self.record.clone())
    }

    /// A silent track of its own name.
    pub(super) fn track(&self, kind: MediaKind) -> MediaStreamTrack {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("ours-{kind}-{}", sources.len());
        let (track, source) = MediaStreamTrack::new(kind, name, "silence");
        sources.push(source);
        track
    }

    /// `addTrack` of a silent track in streams of these ids.
    pub(super) fn add_track(&self, kind: MediaKind, streams: &[&str]) -> Result<RtpSender> {
        let track = self.track(kind);
        let streams: Vec<_> = streams
            .iter()
            .map(|id| MediaStream::new(*id, [track.clone()]))
            .collect();
        let streams: Vec<_> = streams.iter().collect();
        Ok(self.pc.add_track(&track, &streams)?)
    }

    /// `addTransceiver` of a silent track.
    pub(super) fn add_transceiver(
        &self,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<RtpTransceiver> {
        let track = self.track(kind);
        Ok(self.pc.add_transceiver(&track, init)?)
    }

    /// `createDataChannel`; its messages and events are in the log.
    pub(super) fn create_data_channel(&self, label: &str) -> Result<DataChannel> {
        let channel = self.pc.create_data_channel(label, Default::default())?;
        self.record.watch_channel(channel.clone());
        Ok(channel)
    }

    /// The channel of this label, created or accepted.
    pub(super) fn channel(&self, label: &str) -> Option<DataChannel> {
        let objects = self.record.objects();
        objects
            .channels
            .iter()
            .rev()
            .find(|it| it.label() == label)
            .cloned()
    }

    /// Those whose m-section has this name.
    pub(super) fn transceiver(&self, mid: &str) -> Result<RtpTransceiver> {
        let all = self.pc.transceivers().into_iter();
        all.into_iter()
            .find(|it| it.mid().as_deref() == Some(mid))
            .with_context(|| format!("we have no transceiver with the mid {mid}"))
    }

    /// `setLocalDescription()` and what it has made.
    pub(super) async fn describe(&self) -> Result<SessionDescription> {
        self.pc.set_local_description(None).await?;
        self.pc.local_description().context("no local description")
    }

    /// The log so far.
    pub(super) fn log(&self) -> Vec<Value> {
        self.record.log.borrow().clone()
    }

    /// How many entries the log has.
    pub(super) fn mark(&self) -> usize {
        self.record.log.borrow().len()
    }

    /// The first entry from index `from` on that is `event` and `wanted`.
    pub(super) async fn until_logged(
        &self,
        from: usize,
        event: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let mut log = self.record.log.subscribe();
        let find = |log: &[Value]| {
            let rest = log.get(from..).unwrap_or_default();
            rest.iter()
                .find(|it| it["event"] == event && wanted(it))
                .cloned()
        };
        let found = tokio::time::timeout(PATIENCE, log.wait_for(|log| find(log).is_some())).await;
        match found {
            Ok(Ok(log)) => find(&log).context("gone"),
            _ => bail!("we saw no {event} within {PATIENCE:?}"),
        }
    }

    /// Waits for a condition on the connection.
    pub(super) async fn until(
        &self,
        what: &str,
        condition: impl Fn(&PeerConnection) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !condition(&self.pc) {
            if Instant::now() > deadline {
                bail!(
                    "not within {PATIENCE:?} on our side: {what}; {:?}",
                    self.state()
                );
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// What two peers must agree on.
    pub(super) fn state(&self) -> State {
        let transceivers = self.pc.transceivers();
        let mut transports: Vec<(DtlsTransport, Transport)> = Vec::new();
        let mut add = |transport: Option<DtlsTransport>, mid: String| {
            let Some(transport) = transport else { return };
            match transports.iter_mut().find(|(known, _)| *known == transport) {
                Some((_, state)) => state.mids.push(mid),
                None => {
                    let state = Transport {
                        dtls: transport.state().to_string(),
                        ice: transport.ice_transport().state().to_string(),
                        mids: vec![mid],
                    };
                    transports.push((transport, state));
                }
            }
        };
        for transceiver in &transceivers {
            let mid = transceiver.mid().unwrap_or_default();
            add(transceiver.sender().transport(), mid);
        }
        add(
            self.pc.sctp().and_then(|sctp| sctp.transport()),
            "data".into(),
        );
        State {
            signaling_state: self.pc.signaling_state().to_string(),
            connection_state: self.pc.connection_state().to_string(),
            transceivers: transceivers.iter().map(transceiver_state).collect(),
            transports: transports.into_iter().map(|(_, state)| state).collect(),
        }
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.pc.close();
    }
}

fn transceiver_state(transceiver: &RtpTransceiver) -> Transceiver {
    Transceiver {
        mid: transceiver.mid(),
        kind: transceiver.kind().to_string(),
        direction: transceiver.direction().to_string(),
        current_direction: transceiver.current_direction().map(|it| it.to_string()),
    }
}

impl Handle {
    /// Writes `event` into the log, and watches what comes with it.
    pub(super) fn take(&self, event: &Event) {
        self.0.take(event);
    }
}

impl Record {
    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: &str, fields: Value) {
        let mut entry = json!({"event": event, "ms": self.started.elapsed().as_millis() as u64});
        if let (Some(entry), Value::Object(fields)) = (entry.as_object_mut(), fields) {
            entry.extend(fields);
        }
        self.log.send_modify(|log| log.push(entry));
    }

    fn take(&self, event: &Event) {
        let state = |state: &dyn std::fmt::Display| json!({"state": state.to_string()});
        match event {
            Event::NegotiationNeeded => self.tell("negotiationneeded", Value::Null),
            Event::IceCandidate(candidate) => {
                self.tell("icecandidate", json!({"candidate": candidate}));
            }
            Event::SignalingStateChange(it) => self.tell("signalingstatechange", state(it)),
            Event::IceGatheringStateChange(it) => self.tell("icegatheringstatechange", state(it)),
            Event::IceConnectionStateChange(it) => self.tell("iceconnectionstatechange", state(it)),
            Event::ConnectionStateChange(it) => self.tell("connectionstatechange", state(it)),
            Event::IceTransportStateChange(_, it) => self.tell("ice.statechange", state(it)),
            Event::IceTransportGatheringStateChange(_, it) => {
                self.tell("ice.gatheringstatechange", state(it));
            }
            Event::SelectedCandidatePairChange(_) => {
                self.tell("ice.selectedcandidatepairchange", Value::Null);
            }
            Event::DtlsTransportStateChange(_, it) => self.tell("dtls.statechange", state(it)),
            Event::DtlsTransportError(_, it) => {
                self.tell("dtls.error", json!({"error": it.to_string()}));
            }
            Event::SctpStateChange(it) => self.tell("sctp.statechange", state(it)),
            Event::DataChannel(channel) => {
                self.tell("datachannel", json!({"channel": channel_fields(channel)}));
                self.watch_channel(channel.clone());
            }
            Event::Track(event) => self.take_track(event),
            other => self.tell("other", json!({"what": format!("{other:?}")})),
        }
    }

    fn take_track(&self, event: &TrackEvent) {
        let transceiver = &event.transceiver;
        self.tell(
            "track",
            json!({
                "mid": transceiver.mid(), "direction": transceiver.direction().to_string(),
                "currentDirection": transceiver.current_direction().map(|it| it.to_string()),
                "track": track_fields(&event.track),
                "streams": event.streams.iter().map(stream_fields).collect::<Vec<_>>(),
            }),
        );
        self.watch_track(&event.track);
        event
            .streams
            .iter()
            .for_each(|stream| self.watch_stream(stream));
    }

    fn watch_track(&self, track: &MediaStreamTrack) {
        if self
            .objects()
            .watched
            .iter()
            .any(|known| known.is_same(track))
        {
            return;
        }
        self.objects().watched.push(track.clone());
        let (record, track) = (self.clone(), track.clone());
        let mut events = track.events();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let name = match event {
                    MediaTrackEvent::Mute => "mute",
                    MediaTrackEvent::Unmute => "unmute",
                    _ => "ended",
                };
                record.tell(name, json!({"track": track_fields(&track)}));
            }
        });
    }

    fn watch_stream(&self, stream: &MediaStream) {
        if self
            .objects()
            .streams
            .iter()
            .any(|known| known.is_same(stream))
        {
            return;
        }
        self.objects().streams.push(stream.clone());
        let (record, stream) = (self.clone(), stream.clone());
        let mut events = stream.events();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let name = match event {
                    StreamEvent::AddTrack(_) => "addtrack",
                    _ => "removetrack",
                };
                let fields =
                    json!({"track": track_fields(event.track()), "stream": stream_fields(&stream)});
                record.tell(name, fields);
            }
        });
    }

    fn watch_channel(&self, channel: DataChannel) {
        self.objects().channels.push(channel.clone());
        let record = self.clone();
        tokio::spawn(async move {
            while let Some(event) = channel.next().await {
                let fields = json!({"channel": channel_fields(&channel)});
                match event {
                    DataChannelEvent::Message(Message::Text(text)) => {
                        record.tell(
                            "channel.message",
                            json!({"label": channel.label(), "text": text}),
                        );
                    }
                    DataChannelEvent::Message(Message::Binary(bytes)) => {
                        record.tell(
                            "channel.message",
                            json!({"label": channel.label(), "bytes": bytes.len()}),
                        );
                    }
                    DataChannelEvent::Open => record.tell("channel.open", fields),
                    DataChannelEvent::Close => record.tell("channel.close", fields),
                    DataChannelEvent::Closing => record.tell("channel.closing", fields),
                    DataChannelEvent::BufferedAmountLow => {
                        record.tell("channel.bufferedamountlow", fields)
                    }
                    DataChannelEvent::Error(error) => {
                        record.tell(
                            "channel.error",
                            json!({"label": channel.label(), "error": error.to_string()}),
                        );
                    }
                    _ => record.tell("channel.other", fields),
                }
            }
        });
    }
}

fn track_fields(track: &MediaStreamTrack) -> Value {
    json!({
        "id": track.id(), "kind": track.kind().to_string(), "muted": track.muted(),
        "readyState": track.ready_state().to_string(),
    })
}

fn stream_fields(stream: &MediaStream) -> Value {
    let tracks: Vec<_> = stream
        .tracks()
        .iter()
        .map(|track| track.id().to_owned())
        .collect();
    json!({"id": stream.id(), "tracks": tracks})
}

fn channel_fields(channel: &DataChannel) -> Value {
    json!({
        "label": channel.label(), "id": channel.id(), "readyState": channel.ready_state().to_string(),
        "protocol": channel.protocol(), "ordered": channel.ordered(), "negotiated": channel.negotiated(),
    })
}
