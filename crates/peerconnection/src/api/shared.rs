//! What a connection's handles and its driver share: the engine behind one short lock.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use pc_datachannel::ChannelId;
use pc_jsep::TransceiverId;
use pc_media::MediaKind;
use pc_net::Claim;
use pc_proto::{Batch, FiveTuple, Protocol};
use tokio::sync::mpsc;

use super::{
    DataChannel, DtlsTransport, Event, IceTransport, Operation, RtpReceiver, RtpTransceiver,
    TrackEvent,
    inbox::{Inbox, Key},
    media::Media,
    slots::Slots,
    transceivers::media_kind,
};
use crate::{Error, engine, state::SignalingState, stats::StatsReport};

/// Carries out an operation; what it returns reports the outcome, after the events.
pub(crate) type Step = Box<dyn FnOnce(&mut engine::Connection, Instant) -> Report + Send>;
pub(crate) type Report = Box<dyn FnOnce() + Send>;

/// How many bytes of channels may wait among the events: as many as all the channels that can be
/// open at once have, with the names that the session below allows them.
const MAX_UNHEARD: usize = 8 << 20;

pub(crate) struct Shared {
    pub(crate) key: Key,
    inbox: Arc<Inbox>,
    runtime: tokio::runtime::Handle,
    /// Whether the driver has been told to look here and has not yet done so.
    told: AtomicBool,
    /// What the channels and keys weigh whose events have not been taken.
    unheard: AtomicUsize,
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: engine::Connection,
    pub(crate) operations: VecDeque<Step>,
    pub(crate) media: Media,
    pub(super) slots: Slots,
    /// Whose key has been pressed without being told of.
    pub(super) unheard_keys: BTreeSet<TransceiverId>,
    events: Option<mpsc::UnboundedSender<Event>>,
}

impl Shared {
    pub(crate) fn new(
        engine: engine::Connection,
        media: Media,
        inbox: Arc<Inbox>,
        runtime: tokio::runtime::Handle,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Event>) {
        let (sender, events) = mpsc::unbounded_channel();
        let shared = Self {
            key: inbox.new_key(),
            inbox,
            runtime,
            told: AtomicBool::new(false),
            unheard: AtomicUsize::new(0),
            inner: Mutex::new(Inner {
                engine,
                operations: VecDeque::new(),
                media,
                slots: Slots::default(),
                unheard_keys: BTreeSet::new(),
                events: Some(sender),
            }),
        };
        (Arc::new(shared), events)
    }

    /// The lock. A panic of another holder leaves the engine as usable as any other error does.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn change_network(&self, [gone, come]: [Vec<std::net::IpAddr>; 2]) {
        self.inbox.change_network(gone, come);
    }

    /// Has the driver look here soon: something may be to be sent or to be said.
    pub(crate) fn wake_driver(&self) {
        if !self.told.swap(true, Ordering::AcqRel) {
            self.inbox.wake(self.key);
        }
    }

    /// The driver is about to look.
    pub(crate) fn being_looked_at(&self) {
        self.told.store(false, Ordering::Release);
    }

    /// Registers a channel and makes its handle.
    pub(crate) fn adopt(self: &Arc<Self>, inner: &mut Inner, id: ChannelId) -> Option<DataChannel> {
        let view = inner.engine.channel(id)?;
        let changed = inner.slots.add(id);
        Some(DataChannel::new(self.clone(), id, &view, changed))
    }

    /// Lets the engine's events out, in their order; whether there were any.
    pub(crate) fn publish(self: &Arc<Self>, inner: &mut Inner) -> bool {
        let mut any = false;
        let mut is_settled = false;
        while let Some(event) = inner.engine.poll_event() {
            is_settled |= is_stable(&event);
            self.publish_one(inner, event);
            any = true;
        }
        if is_settled {
            // Their tracks have been told of.
            inner.let_go_of_stopped();
            inner.media.forget_codecs();
        }
        let Inner { engine, slots, .. } = inner;
        slots.wake_senders_with_room(engine);
        any
    }

    fn publish_one(self: &Arc<Self>, inner: &mut Inner, event: engine::Event) {
        use engine::Event as E;
        let event = match event {
            E::NegotiationNeeded => Event::NegotiationNeeded,
            E::SignalingStateChange(state) => Event::SignalingStateChange(state),
            E::IceGatheringStateChange(state) => Event::IceGatheringStateChange(state),
            E::IceCandidateError(error) => Event::IceCandidateError(*error),
            E::IceCandidate(candidate) => Event::IceCandidate(candidate.map(|boxed| *boxed)),
            E::IceConnectionStateChange(state) => Event::IceConnectionStateChange(state),
            E::ConnectionStateChange(state) => Event::ConnectionStateChange(state),
            E::SctpStateChange(state) => Event::SctpStateChange(state),
            E::DataChannel(id) => match self.adopt(inner, id) {
                Some(channel) if !self.announces(&channel) => return channel.close_unheard(inner),
                Some(channel) => Event::DataChannel(channel),
                None => return,
            },
            E::PathAuthenticated(tuple) => {
                return self.inbox.learn(self.key, tuple, Claim::Heard);
            }
            E::PathConfirmed(tuple) => {
                return self.inbox.learn(self.key, tuple, Claim::Confirmed);
            }
            E::PathForgotten(tuple) => return self.inbox.unlearn(self.key, tuple),
            event => match self.transport_event(event) {
                Ok(event) => event,
                Err(event) => match self.track_event(inner, event) {
                    Ok(event) => return event.into_iter().for_each(|it| inner.emit(it)),
                    Err(event) => return inner.slots.take(event),
                },
            },
        };
        inner.emit(event);
    }

    /// What one of several transports tells.
    fn transport_event(self: &Arc<Self>, event: engine::Event) -> Result<Event, engine::Event> {
        use engine::Event as E;
        let ice = |id| IceTransport::new(self.clone(), id);
        let dtls = |id| DtlsTransport::new(self.clone(), id);
        Ok(match event {
            E::SelectedCandidatePairChange(id) => Event::SelectedCandidatePairChange(ice(id)),
            E::IceTransportStateChange(id, state) => Event::IceTransportStateChange(ice(id), state),
            E::IceTransportGatheringStateChange(id, state) => {
                Event::IceTransportGatheringStateChange(ice(id), state)
            }
            E::DtlsTransportStateChange(id, state) => {
                Event::DtlsTransportStateChange(dtls(id), state)
            }
            E::DtlsError(id, error) => Event::DtlsTransportError(dtls(id), *error),
            event => return Err(event),
        })
    }

    /// What happens to tracks: told by the tracks and streams themselves, but for `track`.
    fn track_event(
        self: &Arc<Self>,
        inner: &mut Inner,
        event: engine::Event,
    ) -> Result<Option<Event>, engine::Event> {
        use engine::Event as E;
        match event {
            E::TrackMuted(id) => inner.media.mute(id),
            E::TrackUnmuted(id) => inner.media.unmute(id),
            E::FrameReady(id) => self.pull_frames(inner, id),
            E::SenderChange(id) => {
                if let Some(kind) = inner.kind_of(id) {
                    inner.media.sender_changed(self, id, kind);
                }
            }
            E::KeyFrameRequested(id, encoding) => inner.media.want_key_frame(id, encoding),
            E::TargetBitrate(id, bits) => inner.media.set_bitrate(id, bits),
            E::ToneChange(id, tone) => return Ok(Some(self.tone_change(inner, id, tone))),
            E::TelephoneEvent(id, event) => return Ok(self.telephone_event(inner, id, event)),
            E::TrackEnded(id) => inner.media.end(id),
            E::TrackRemoved(id, stream) => inner.media.remove(id, &stream),
            E::TrackAdded(id, stream) => {
                if let Some(kind) = inner.kind_of(id) {
                    inner.media.add(id, kind, &stream);
                }
            }
            E::Track(id, streams) => {
                let Some(kind) = inner.kind_of(id) else {
                    return Ok(None);
                };
                let part = self.part(inner, id, kind);
                let streams = streams.iter().map(|id| inner.media.stream(id)).collect();
                return Ok(Some(Event::Track(TrackEvent {
                    track: part.tracks.received().clone(),
                    receiver: RtpReceiver { part: part.clone() },
                    streams,
                    transceiver: RtpTransceiver { part },
                })));
            }
            event => return Err(event),
        }
        Ok(None)
    }

    /// Hands the frames that are due to the task that decodes them.
    fn pull_frames(self: &Arc<Self>, inner: &mut Inner, id: TransceiverId) {
        let Some(kind) = inner.kind_of(id) else {
            return;
        };
        let now = crate::clock::now();
        let mut needs_key_frame = false;
        let mut layers = Vec::new();
        while let Some(received) = inner.engine.poll_frame(now, id) {
            let needs = inner.media.receive(self, now, (id, kind), &received);
            needs_key_frame |= needs.all;
            layers.extend(needs.layer);
        }
        if needs_key_frame {
            inner.engine.request_key_frame(now, id);
        }
        for rid in layers {
            (inner.engine).request_layer_key_frame(now, id, Some(&rid));
        }
    }

    /// What has been counted, of everything.
    pub(crate) fn stats(&self) -> StatsReport {
        let inner = self.lock();
        let media = &inner.media;
        inner
            .engine
            .stats(crate::clock::now(), |id| media.counts(id))
    }

    /// Where the tasks of media run.
    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        &self.runtime
    }

    /// Puts a call into the connection's chain of operations. One that cannot succeed fails here, if
    /// nothing is before it ([WebRTC §4.4.1.2], "chain an operation").
    ///
    /// [WebRTC §4.4.1.2]: https://www.w3.org/TR/webrtc/#dfn-chain
    pub(crate) fn enqueue<T: Send + 'static>(
        &self,
        precondition: impl Fn(&engine::Connection) -> Result<(), Error>,
        operation: impl FnOnce(&mut engine::Connection, Instant) -> Result<T, Error> + Send + 'static,
    ) -> Operation<T> {
        let mut inner = self.lock();
        if let Err(error) = precondition(&inner.engine)
            && (inner.operations.is_empty() || inner.engine.is_closed())
        {
            return Operation::failed(error);
        }
        let (reply, pending) = Operation::pending();
        inner.operations.push_back(Box::new(move |engine, now| {
            let outcome = operation(engine, now);
            let report: Report = Box::new(move || {
                let _ = reply.send(outcome);
            });
            report
        }));
        drop(inner);
        self.wake_driver();
        pending
    }

    /// Whether an exchange is still needed, and nothing is under way in the chain of operations: the
    /// conditions of [WebRTC §4.7.3] under which `negotiationneeded` fires. One that does not is
    /// looked at again when the chain is empty.
    ///
    /// [WebRTC §4.7.3]: https://www.w3.org/TR/webrtc/#dfn-update-the-negotiation-needed-flag
    pub(crate) fn confirm_negotiation_needed(&self) -> bool {
        let mut inner = self.lock();
        let is_chain_empty = inner.operations.is_empty();
        let confirmed = inner.engine.confirm_negotiation_needed(is_chain_empty);
        drop(inner);
        if !confirmed {
            self.wake_driver();
        }
        confirmed
    }

    /// Whether a channel of the peer's may wait among the events. Their number is bounded: else a
    /// peer that opens and closes channels could fill the memory of one that reads no events.
    fn announces(&self, channel: &DataChannel) -> bool {
        self.takes(channel.weight())
    }

    /// Whether something of this weight may wait among the events.
    pub(super) fn takes(&self, weight: usize) -> bool {
        let before = self.unheard.fetch_add(weight, Ordering::Relaxed);
        let fits = before + weight <= MAX_UNHEARD;
        if !fits {
            self.gives_back(weight);
        }
        fits
    }

    /// It waits no longer.
    pub(super) fn gives_back(&self, weight: usize) {
        self.unheard.fetch_sub(weight, Ordering::Relaxed);
    }

    /// The event of this channel has been taken.
    pub(crate) fn heard(&self, channel: &DataChannel) {
        self.gives_back(channel.weight());
    }

    /// Takes the next batch that the engine wants sent.
    pub(crate) fn poll_transmit(
        self: &Arc<Self>,
        now: Instant,
        batch: &mut Batch,
    ) -> Option<FiveTuple> {
        let mut inner = self.lock();
        let mut out = batch.transmit_buf(super::driver::MTU, super::driver::BATCH);
        let route = inner.engine.poll_transmit(now, &mut out);
        self.publish(&mut inner);
        route
    }

    /// The driver has ended, with its runtime or by a panic: nothing would ever happen again, so
    /// nobody is to wait for it.
    pub(crate) fn abandon(self: &Arc<Self>) {
        self.close();
        let sender = self.lock().end_events();
        drop(sender);
    }

    /// Closes the connection, as `close()` and the drop of the last handle do.
    pub(crate) fn close(self: &Arc<Self>) {
        let mut inner = self.lock();
        inner.engine.close(crate::clock::now());
        // What waits in the chain resolves to an error as its reply is dropped.
        inner.operations.clear();
        self.publish(&mut inner);
        inner.media.end_all();
        // WebRTC §4.4.2, close(): channels are closed abruptly and fire no event.
        inner.slots.end();
        drop(inner);
        self.wake_driver();
    }
}

impl Inner {
    /// A datagram has come, which may be a packet that somebody forwards.
    pub(crate) fn handle_input(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), engine::Rejected> {
        if let Some(packet) = self.engine.handle_input(now, route, datagram)? {
            let engine = &self.engine;
            self.media.tap(now, &packet, |id, number| {
                let view = engine.transceiver(id)?;
                let mut codecs = view.receive_codecs().iter();
                let own = codecs.find(|it| it.payload_type.value() == number);
                own.map(|own| own.codec.clone())
            });
        }
        Ok(())
    }

    pub(super) fn kind_of(&self, id: TransceiverId) -> Option<MediaKind> {
        let transceiver = self.engine.transceiver(id)?;
        Some(media_kind(transceiver.kind()))
    }

    /// An exchange is over: transceivers that it has stopped are forgotten.
    fn let_go_of_stopped(&mut self) {
        let engine = &self.engine;
        self.media.retain(|id| engine.transceiver(id).is_some());
    }

    fn emit(&mut self, event: Event) {
        let unheard = match &self.events {
            Some(events) => events.send(event).err().map(|error| error.0),
            None => Some(event),
        };
        // Nobody listens any more: that is the application's choice. A channel in the event would
        // take the lock, which is held, when it is dropped.
        if let Some(Event::DataChannel(channel)) = unheard {
            channel.close_unheard(self);
        }
    }

    /// No event will come any more. The sender is to be dropped when the lock is free again.
    #[must_use]
    pub(crate) fn end_events(&mut self) -> Option<mpsc::UnboundedSender<Event>> {
        self.events.take()
    }

    /// The channel's last handle is gone.
    pub(crate) fn forget(&mut self, id: ChannelId) {
        self.slots.remove(id);
        self.engine.close_channel(crate::clock::now(), id);
    }
}

fn is_stable(event: &engine::Event) -> bool {
    matches!(
        event,
        engine::Event::SignalingStateChange(SignalingState::Stable)
    )
}
