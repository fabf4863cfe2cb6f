//! What one viewer gets: the layer it has chosen, each layer for itself as a preview, the sound, and
//! news of them all.

use std::time::Duration;

use anyhow::Result;
use peerconnection::{
    DataChannel, DataChannelEvent, Forwarder, MediaKind, Message, RtpPacket, RtpPackets,
    RtpReceiver, RtpTransceiver,
};
use tokio::sync::watch;

use crate::{
    control::{LayerNews, News, Wish},
    server::{Room, Source},
};

/// The layers of the sample, in the order in which viewers have their previews.
const RIDS: [&str; 3] = ["f", "h", "q"];

/// The task of one viewer.
pub(crate) struct View {
    room: Room,
    /// Of the first picture that the viewer wants.
    chosen: Option<Forwarder>,
    /// Of the others.
    previews: Vec<Forwarder>,
    sound: Option<Forwarder>,
    selected: &'static str,
    control: watch::Receiver<Option<DataChannel>>,
}

/// What the source gives at the moment.
#[derive(Default)]
struct Streams {
    video: Option<RtpPackets>,
    audio: Option<RtpPackets>,
    /// What the layers are known from.
    receiver: Option<RtpReceiver>,
}

impl View {
    pub(crate) fn new(
        room: Room,
        wanted: &[RtpTransceiver],
        control: watch::Receiver<Option<DataChannel>>,
    ) -> Result<Self> {
        let (mut pictures, mut sound) = (Vec::new(), None);
        for transceiver in wanted {
            let forwarder = Forwarder::new(&transceiver.sender())?;
            match transceiver.kind() {
                MediaKind::Audio => sound = Some(forwarder),
                MediaKind::Video => pictures.push(forwarder),
            }
        }
        let mut pictures = pictures.into_iter();
        Ok(Self {
            room,
            chosen: pictures.next(),
            previews: pictures.take(RIDS.len()).collect(),
            sound,
            selected: RIDS[0],
            control,
        })
    }

    pub(crate) async fn run(mut self) {
        let mut source = self.room.source();
        let mut streams = self.follow(source.borrow_and_update().as_ref());
        let mut news = tokio::time::interval(Duration::from_millis(500));
        let control = self.control.clone();
        loop {
            tokio::select! {
                biased;
                changed = source.changed() => match changed {
                    Ok(()) => streams = self.follow(source.borrow_and_update().as_ref()),
                    Err(_) => return,
                },
                wish = next_wish(control.clone()) => self.grant(wish, &streams),
                packet = next(&mut streams.video) => self.send_picture(&packet),
                packet = next(&mut streams.audio) => self.send_sound(&packet),
                _ = news.tick() => {
                    self.fall_back(&streams);
                    self.tell(&streams);
                }
            }
        }
    }

    /// Another source, or none.
    fn follow(&mut self, source: Option<&Source>) -> Streams {
        let Some(source) = source else {
            let all = self.chosen.iter_mut().chain(&mut self.previews);
            all.chain(&mut self.sound).for_each(Forwarder::pause);
            return Streams::default();
        };
        if let Some(chosen) = &mut self.chosen {
            chosen.select(&source.video, Some(self.selected));
        }
        for (preview, rid) in self.previews.iter_mut().zip(RIDS) {
            preview.select(&source.video, Some(rid));
        }
        if let (Some(sound), Some(audio)) = (&mut self.sound, &source.audio) {
            sound.select(audio, None);
        }
        Streams {
            video: Some(source.video.packets()),
            audio: source.audio.as_ref().map(RtpReceiver::packets),
            receiver: Some(source.video.clone()),
        }
    }

    fn grant(&mut self, Wish::Select(wanted): Wish, streams: &Streams) {
        let Some(rid) = RIDS.into_iter().find(|rid| *rid == wanted) else {
            return;
        };
        self.selected = rid;
        self.fall_back(streams);
    }

    /// Has the chosen layer sent on, or while that does not come, a smaller one; if there is none, a larger
    /// one. Browsers begin with the smallest, and leave out the largest when the network takes no more.
    fn fall_back(&mut self, streams: &Streams) {
        let (Some(chosen), Some(receiver)) = (&mut self.chosen, &streams.receiver) else {
            return;
        };
        let layers = receiver.layers();
        let comes = |rid: &&str| {
            let mut layers = layers.iter();
            layers.any(|it| it.rid.as_deref() == Some(rid) && it.is_active)
        };
        let place = RIDS.iter().position(|rid| *rid == self.selected);
        let (larger, smaller) = RIDS.split_at(place.unwrap_or(0));
        let mut candidates = smaller.iter().chain(larger.iter().rev()).copied();
        let rid = candidates.find(comes).unwrap_or(self.selected);
        if chosen.selected() != Some(rid) {
            chosen.select(receiver, Some(rid));
        }
    }

    fn send_picture(&mut self, packet: &RtpPacket) {
        for forwarder in self.chosen.iter_mut().chain(&mut self.previews) {
            // Most are of another layer.
            let _ = forwarder.forward(packet);
        }
    }

    fn send_sound(&mut self, packet: &RtpPacket) {
        if let Some(sound) = &mut self.sound {
            let _ = sound.forward(packet);
        }
    }

    /// Tells the viewer how things stand.
    fn tell(&self, streams: &Streams) {
        let layers = streams.receiver.as_ref().map(RtpReceiver::layers);
        let mut layers: Vec<_> = layers.iter().flatten().filter_map(LayerNews::of).collect();
        layers.sort_by_key(|it| RIDS.iter().position(|rid| *rid == it.rid));
        let forwarded = self.chosen.as_ref().and_then(Forwarder::current);
        let news = News {
            layers,
            selected: Some(self.selected.to_owned()),
            forwarded: forwarded.map(str::to_owned),
            viewers: self.room.viewers(),
        };
        let channel = self.control.borrow().clone();
        if let (Some(channel), Ok(text)) = (channel, serde_json::to_string(&news)) {
            // One that is not open yet gets the next.
            let _ = channel.send_text(&text);
        }
    }
}

/// The next packet; never, while there is no source.
async fn next(packets: &mut Option<RtpPackets>) -> RtpPacket {
    if let Some(own) = packets {
        if let Some(packet) = own.next().await {
            return packet;
        }
        // It has left; the room will say so.
        *packets = None;
    }
    std::future::pending().await
}

/// The next wish of the viewer's.
async fn next_wish(mut control: watch::Receiver<Option<DataChannel>>) -> Wish {
    let channel = control.wait_for(Option::is_some).await;
    let channel = channel.ok().and_then(|it| it.clone());
    if let Some(channel) = channel {
        while let Some(event) = channel.next().await {
            if let DataChannelEvent::Message(Message::Text(text)) = event
                && let Ok(wish) = serde_json::from_str(&text)
            {
                return wish;
            }
        }
    }
    std::future::pending().await
}
