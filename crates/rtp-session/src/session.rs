//! The session: what is composed of the two halves, and the contract.

use crate::{
    Config, Event, Frame, InboundStats, Input, OutboundStats, OutgoingPacket, Received,
    ReceivedLayer, ReceiverId, ReceiverParameters, Rejected, SendError, SenderId, SenderParameters,
    Source, clock::WallClock, feedback::Arrivals, receive::Receivers, rtcp::Rtcp, send::Senders,
};
use pc_proto::{Protocol, Serial32, TransmitBuf};
use pc_rtp::{PacketView, PayloadType, Ssrc, dtmf, is_rtcp};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use std::time::{Duration, Instant};

/// Everything that is sent and received over one transport: senders, receivers and their reports.
///
/// It sees RTP and RTCP in the clear: SRTP runs around it.
#[derive(Debug)]
pub struct Session {
    senders: Senders,
    receivers: Receivers,
    rtcp: Rtcp,
    arrivals: Arrivals,
    /// The last time that timers ran. What was due then waits for `poll_transmit`, not for a timer: who
    /// cannot transmit yet, as there is no path or no key, is not woken for it again and again.
    timers_ran: Option<Instant>,
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Session>();
};

impl Session {
    /// A session that sends and receives nothing yet.
    pub fn new(now: Instant, config: Config) -> Self {
        let mut rng = ChaCha12Rng::from_seed(config.seed);
        let clock = WallClock::new(now, config.unix_time);
        Self {
            senders: Senders::new(seed(&mut rng), clock, &config),
            receivers: Receivers::new(seed(&mut rng)),
            rtcp: Rtcp::new(seed(&mut rng), clock, config.cname, config.mtu),
            arrivals: Arrivals::new(),
            timers_ran: None,
        }
    }

    /// Adds a sender, or changes one: an encoding keeps its SSRCs, numbers and history while there
    /// is one of its index. Those that are gone say good-bye (RFC 3550 §6.6).
    pub fn set_sender(&mut self, now: Instant, id: SenderId, parameters: SenderParameters) {
        self.senders.set(now, id, parameters);
        self.restart_reports(now);
    }

    /// Takes a sender away; what waits of it does not leave, and its streams say good-bye.
    pub fn remove_sender(&mut self, now: Instant, id: SenderId) {
        self.senders.remove(now, id);
        self.restart_reports(now);
    }

    /// Adds a receiver, or changes one.
    pub fn set_receiver(&mut self, now: Instant, id: ReceiverId, parameters: ReceiverParameters) {
        self.arrivals.set_receiver(id, &parameters);
        self.rtcp.set_receiver(id, &parameters);
        self.receivers.set(now, id, parameters);
        self.restart_reports(now);
    }

    /// Takes a receiver away, with all its streams.
    pub fn remove_receiver(&mut self, now: Instant, id: ReceiverId) {
        self.arrivals.remove_receiver(id);
        self.rtcp.remove_receiver(id);
        self.receivers.remove(now, id);
        self.restart_reports(now);
    }

    /// The SSRCs of a sender's encodings, in their order: media, and retransmissions where
    /// negotiated.
    pub fn ssrcs(&self, id: SenderId) -> impl Iterator<Item = (Ssrc, Option<Ssrc>)> {
        self.senders.ssrcs(id)
    }

    /// Sends a frame: it is cut into packets here, once, and leaves with
    /// [`poll_transmit`](Protocol::poll_transmit), sound before pictures, pictures in pace.
    ///
    /// # Errors
    ///
    /// [`SendError`]: nothing of it is sent.
    pub fn send_frame(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        frame: Frame<'_>,
    ) -> Result<(), SendError> {
        self.senders.send_frame(now, id, encoding, &frame)
    }

    /// Sends on a packet that was received.
    ///
    /// # Errors
    ///
    /// [`SendError`]: it is not sent.
    pub fn send_packet(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        packet: OutgoingPacket<'_>,
    ) -> Result<(), SendError> {
        self.senders.send_packet(now, id, encoding, &packet)
    }

    /// The timestamp that media sampled now have in the stream of an encoding; `None` if there is none.
    /// `clock_rate` counts while none has been sent.
    pub fn media_timestamp(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        clock_rate: u32,
    ) -> Option<Serial32> {
        self.senders.media_timestamp(now, id, encoding, clock_rate)
    }

    /// The payload type that media of an encoding were sent with last.
    pub fn sent_payload_type(&self, id: SenderId, encoding: usize) -> Option<PayloadType> {
        self.senders.sent_payload_type(id, encoding)
    }

    /// Sends a telephone event (RFC 4733) in the stream of an encoding, under the timestamp that
    /// [`media_timestamp`](Self::media_timestamp) had when it began.
    ///
    /// # Errors
    ///
    /// [`SendError`]: it is not sent.
    pub fn send_telephone_event(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        payload_type: PayloadType,
        event: &dtmf::Packet,
    ) -> Result<(), SendError> {
        (self.senders).send_telephone_event(now, id, encoding, payload_type, event)
    }

    /// Takes back what waits to leave of a sender, whose track has been replaced by none or whose
    /// direction no longer sends. It keeps its SSRCs and goes on with the next frame.
    pub fn stop_sending(&mut self, _now: Instant, id: SenderId) {
        self.senders.stop(id);
    }

    /// The next thing of a receiver that is due at `now`, in order.
    pub fn poll_frame(&mut self, now: Instant, id: ReceiverId) -> Option<Received<'_>> {
        self.receivers.poll_frame(now, id)
    }

    /// Asks the peer for a key frame of this receiver: by PLI, or FIR where only that was
    /// negotiated, once a second and stream at most.
    pub fn request_key_frame(&mut self, now: Instant, id: ReceiverId) {
        self.receivers.request_key_frame(now, id);
    }

    /// The same of one layer of simulcast, by its restriction identifier.
    pub fn request_layer_key_frame(&mut self, now: Instant, id: ReceiverId, rid: &str) {
        self.receivers.request_layer_key_frame(now, id, rid);
    }

    /// Whether the frames of a layer of simulcast are wanted. Of one that is paused nothing is kept, no
    /// packet is asked for again and no key frame either; its packets are still given as they
    /// [arrive](crate::Arrived), and counted. It goes on with a key frame, which is asked for. The peer is not
    /// told.
    pub fn set_layer_paused(&mut self, now: Instant, id: ReceiverId, rid: &str, is_paused: bool) {
        self.receivers.set_layer_paused(now, id, rid, is_paused);
    }

    /// The streams of a receiver, the one that is known longest first: the layers of simulcast, or the
    /// only one.
    pub fn received_layers(
        &self,
        now: Instant,
        id: ReceiverId,
    ) -> impl Iterator<Item = ReceivedLayer> {
        self.receivers.layers(now, id)
    }

    /// How long the jitter buffer holds frames at least (`jitterBufferTarget`); `None` leaves it to
    /// the network's jitter.
    pub fn set_jitter_buffer_target(&mut self, id: ReceiverId, target: Option<Duration>) {
        self.receivers.set_jitter_buffer_target(id, target);
    }

    /// The contributing sources of what a receiver played in the last 10 seconds (webrtc-pc §5.3).
    pub fn contributing_sources(
        &self,
        now: Instant,
        id: ReceiverId,
    ) -> impl Iterator<Item = Source> {
        self.receivers.contributing_sources(now, id)
    }

    /// The synchronization sources of what a receiver played in the last 10 seconds (webrtc-pc §5.3).
    pub fn synchronization_sources(
        &self,
        now: Instant,
        id: ReceiverId,
    ) -> impl Iterator<Item = Source> {
        self.receivers.synchronization_sources(now, id)
    }

    /// What is counted about each encoding of a sender.
    pub fn outbound_stats(&self, id: SenderId) -> impl Iterator<Item = OutboundStats> {
        self.senders.stats(id)
    }

    /// What is counted about each stream of a receiver.
    pub fn inbound_stats(&self, id: ReceiverId) -> impl Iterator<Item = InboundStats> {
        self.receivers.stats(id)
    }

    /// Tells that a sender has a use for so many bits a second, 0 for none beyond what it sends. What
    /// the network is believed to carry grows that far without proof, as long as nothing is lost: else
    /// an encoding for which there is not enough would never get its chance.
    pub fn set_wanted_bitrate(&mut self, id: SenderId, bits_per_second: u64) {
        self.senders.set_wanted_bitrate(id, bits_per_second);
    }

    /// What the network is believed to carry of all that is sent, in bits a second
    /// (`availableOutgoingBitrate`).
    pub fn target_bitrate(&self, now: Instant) -> u64 {
        self.senders.target_bitrate(now)
    }

    /// The last measured round-trip time, from whichever stream.
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.senders.round_trip_time()
    }

    fn restart_reports(&mut self, now: Instant) {
        let is_idle = self.senders.is_empty() && !self.rtcp.has_receivers();
        self.rtcp.restart(now, is_idle, self.has_video());
    }

    fn has_video(&self) -> bool {
        self.senders.has_video() || self.rtcp.receives_video()
    }
}

impl Protocol for Session {
    type Route = ();
    type Payload<'d> = Input<'d>;
    type Event = Event;
    type Rejected = Rejected;

    fn handle_input<'d>(
        &mut self,
        now: Instant,
        (): (),
        datagram: &'d mut [u8],
    ) -> Result<Input<'d>, Rejected> {
        let datagram: &'d [u8] = datagram;
        if is_rtcp(datagram) {
            self.rtcp
                .handle(now, datagram, &mut self.senders, &mut self.receivers)?;
            return Ok(Input::Rtcp);
        }
        let packet = PacketView::parse(datagram)?;
        if self.senders.is_own(packet.ssrc()) {
            return Err(Rejected::Looped(packet.ssrc()));
        }
        let arrived = self.receivers.handle_rtp(now, packet)?;
        self.arrivals.on_packet(now, arrived.receiver, &packet);
        Ok(Input::Rtp(arrived))
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.timers_ran = Some(now);
        self.senders.handle_timeout(now);
        self.receivers.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<()> {
        let before = out.len();
        if self.senders.take_new_stream() {
            self.rtcp.report_at_once(now);
        }
        let has_video = self.has_video();
        self.rtcp.write(
            now,
            has_video,
            &mut self.senders,
            &mut self.receivers,
            &mut self.arrivals,
            out,
        );
        self.senders.write_packets(now, out);
        (out.len() > before).then_some(())
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.senders
            .poll_event()
            .or_else(|| self.receivers.poll_event())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let all = [
            self.senders.poll_timeout(),
            self.receivers.poll_timeout(),
            self.rtcp.poll_timeout(),
            self.arrivals.poll_timeout(),
        ];
        let is_ahead = |at: &Instant| self.timers_ran.is_none_or(|ran| *at > ran);
        all.into_iter().flatten().filter(is_ahead).min()
    }
}

/// A seed of its own for a part of the session.
fn seed(rng: &mut ChaCha12Rng) -> [u8; 32] {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}
