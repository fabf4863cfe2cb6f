//! The layers of simulcast that one receiver has (RFC 8853).

use std::time::Instant;

use super::{Receivers, stream::Stream};
use crate::{ReceivedLayer, ReceiverId};

impl Receivers {
    pub(crate) fn request_layer_key_frame(&mut self, now: Instant, id: ReceiverId, rid: &str) {
        let streams = self.get_mut(id).map(|it| &mut it.streams);
        let of_layer = |it: &&mut Stream| it.rid.as_deref() == Some(rid);
        if let Some(stream) = streams.into_iter().flatten().find(of_layer) {
            stream.request_key_frame(now);
        }
    }

    pub(crate) fn set_layer_paused(
        &mut self,
        now: Instant,
        id: ReceiverId,
        rid: &str,
        is_paused: bool,
    ) {
        if let Some(receiver) = self.get_mut(id) {
            receiver.set_paused(now, rid, is_paused);
        }
    }

    pub(crate) fn layers(
        &self,
        now: Instant,
        id: ReceiverId,
    ) -> impl Iterator<Item = ReceivedLayer> {
        let streams = self.get(id).into_iter().flat_map(|it| &it.streams);
        streams.map(move |it| it.layer(now))
    }
}
