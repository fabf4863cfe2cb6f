//! A forwarding unit with one viewer: the session's browser.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result};
use peerconnection::{
    Forwarder, MediaKind, NotForwarded, RtpPackets, RtpReceiver, TransceiverInit,
    rtp::TransceiverDirection,
};
use tokio::{sync::mpsc, task::JoinHandle};

use super::super::{super::scenario::Side, session::Session};

/// Forwards until it is dropped.
pub(super) struct Unit {
    choose: mpsc::UnboundedSender<&'static str>,
    task: JoinHandle<()>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    /// By the sender, which had no room for it, or because it was too long.
    refused: AtomicU64,
    /// Because this task was too slow.
    lost: AtomicU64,
}

impl Unit {
    /// Connects the viewer, which gets nothing until a layer is chosen.
    pub(super) async fn start(session: &mut Session, receiver: &RtpReceiver) -> Result<Self> {
        let init = TransceiverInit {
            direction: TransceiverDirection::SendOnly,
            ..Default::default()
        };
        match session.offerer() {
            Side::Ours => {
                session.ours.pc.add_transceiver(MediaKind::Video, init)?;
                session.exchange(Side::Ours).await?;
            }
            Side::Theirs => {
                let js = "it.addTransceiver('video', { direction: 'recvonly' })";
                session.theirs.run(js, ()).await?;
                let offer = session.describe(Side::Theirs).await?;
                session.deliver(Side::Ours, &offer).await?;
                let transceivers = session.ours.pc.transceivers();
                let transceiver = transceivers.first().context("no transceiver")?;
                transceiver.set_direction(TransceiverDirection::SendOnly)?;
                let answer = session.describe(Side::Ours).await?;
                session.deliver(Side::Theirs, &answer).await?;
            }
        }
        session.connected(1).await?;
        let transceivers = session.ours.pc.transceivers();
        let sender = transceivers.first().context("no transceiver")?.sender();
        let forwarder = Forwarder::new(&sender)?;
        let (choose, chosen) = mpsc::unbounded_channel();
        let counts: Arc<Counts> = Arc::default();
        let forwarding = forward(
            forwarder,
            receiver.clone(),
            receiver.packets(),
            chosen,
            counts.clone(),
        );
        Ok(Self {
            choose,
            task: tokio::spawn(forwarding),
            counts,
        })
    }

    pub(super) fn choose(&self, rid: &'static str) {
        let _ = self.choose.send(rid);
    }

    /// What has passed, for people.
    pub(super) fn told(&self) -> String {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts {
            sent,
            refused,
            lost,
        } = &*self.counts;
        format!(
            "{} packets sent on, {} refused, {} lost here",
            of(sent),
            of(refused),
            of(lost)
        )
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    mut forwarder: Forwarder,
    receiver: RtpReceiver,
    mut packets: RtpPackets,
    mut chosen: mpsc::UnboundedReceiver<&'static str>,
    counts: Arc<Counts>,
) {
    loop {
        tokio::select! {
            biased;
            Some(rid) = chosen.recv() => forwarder.select(&receiver, Some(rid)),
            packet = packets.next() => {
                let Some(packet) = packet else { return };
                match forwarder.forward(&packet) {
                    Ok(()) => counts.sent.fetch_add(1, Ordering::Relaxed),
                    Err(NotForwarded::Send(error)) => {
                        println!("      not forwarded: {error}");
                        counts.refused.fetch_add(1, Ordering::Relaxed)
                    }
                    Err(_) => 0,
                };
                counts.lost.store(packets.lost(), Ordering::Relaxed);
            }
        }
    }
}
