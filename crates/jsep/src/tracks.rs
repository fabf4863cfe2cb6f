//! The peer's tracks: what the application is told of them ([WebRTC §5.1.1], "process the addition"
//! and "process the removal of a remote track").
//!
//! [WebRTC §5.1.1]: https://www.w3.org/TR/webrtc/#processing-remote-mediastreamtracks

use crate::{
    Session, TransceiverDirection, TransceiverId, agreement::Owner, commit::Exchange,
    description::DescribedSection, event::Event, transceiver::Life,
};

/// What changes for the application, in the order in which it is told: mute, removal, addition,
/// `track`.
#[derive(Debug, Default)]
struct Told {
    muted: Vec<Event>,
    removed: Vec<Event>,
    added: Vec<Event>,
    tracks: Vec<Event>,
}

impl Told {
    /// Puts a transceiver's track into exactly these streams; whether it joins one.
    fn set_streams(&mut self, id: TransceiverId, before: &[String], now: &[String]) -> bool {
        for stream in before.iter().filter(|stream| !now.contains(stream)) {
            self.removed.push(Event::TrackRemoved {
                transceiver: id,
                stream: stream.clone(),
            });
        }
        let mut joins = false;
        for stream in now.iter().filter(|stream| !before.contains(stream)) {
            joins = true;
            self.added.push(Event::TrackAdded {
                transceiver: id,
                stream: stream.clone(),
            });
        }
        joins
    }

    fn into_events(self) -> impl Iterator<Item = Event> {
        let tracks = self.added.into_iter().chain(self.tracks);
        self.muted.into_iter().chain(self.removed).chain(tracks)
    }
}

impl Session {
    /// Whose each section is.
    pub(crate) fn owners(&self) -> Vec<Owner> {
        self.agreement.sections.iter().map(|it| it.owner).collect()
    }

    /// Compares what the peer now sends with what the application knows.
    pub(crate) fn process_tracks<'a>(
        &mut self,
        sections: impl Iterator<Item = (&'a DescribedSection, TransceiverDirection)>,
    ) {
        let owners = self.owners();
        self.process_owned_tracks(&owners, sections);
    }

    pub(crate) fn process_owned_tracks<'a>(
        &mut self,
        owners: &[Owner],
        sections: impl Iterator<Item = (&'a DescribedSection, TransceiverDirection)>,
    ) {
        let mut told = Told::default();
        for (section, direction) in sections {
            if let Some(Owner::Transceiver(id)) = owners.get(section.index) {
                self.process_track(*id, &section.streams, direction, &mut told);
            }
        }
        self.events.extend(told.into_events());
    }

    fn process_track(
        &mut self,
        id: TransceiverId,
        streams: &[String],
        direction: TransceiverDirection,
        told: &mut Told,
    ) {
        let Some(transceiver) = self.transceiver_mut(id) else {
            return;
        };
        let fired = transceiver.fired_direction;
        let was_receiving = fired.is_some_and(TransceiverDirection::receives);
        let streams = match direction.receives() {
            true => streams,
            false => &[],
        };
        let before = std::mem::replace(&mut transceiver.receiver.streams, streams.to_vec());
        transceiver.fired_direction = Some(direction);
        let joins = told.set_streams(id, &before, streams);
        if direction.receives() && (!was_receiving || joins) {
            told.tracks.push(Event::Track {
                transceiver: id,
                streams: streams.to_vec(),
            });
        }
        if !direction.receives() && was_receiving {
            told.muted.push(Event::TrackMuted(id));
        }
    }

    /// A local answer that does not receive takes away what the offer had added; one that does, after a
    /// provisional one that did not, brings it back.
    pub(crate) fn tell_of_answer(&mut self, owners: &[Owner], exchange: &Exchange<'_>) {
        let mut told = Told::default();
        let (ours, theirs) = (&exchange.local.sections, &exchange.remote.sections);
        for (local, remote) in ours.iter().zip(theirs) {
            let direction = match local.rejected || remote.rejected {
                true => TransceiverDirection::Inactive,
                false => exchange.direction(local, remote),
            };
            if let Some(Owner::Transceiver(id)) = owners.get(local.index) {
                self.process_track(*id, &remote.streams, direction, &mut told);
            }
        }
        self.events.extend(told.into_events());
    }

    /// Goes back to what the application knew before the description that is rolled back.
    pub(crate) fn restore_tracks(
        &mut self,
        restored: Vec<(TransceiverId, Vec<String>, Option<TransceiverDirection>)>,
    ) {
        let mut told = Told::default();
        for (id, streams, fired) in restored {
            let direction = fired.unwrap_or(TransceiverDirection::Inactive);
            self.process_track(id, &streams, direction, &mut told);
            if let Some(transceiver) = self.transceiver_mut(id) {
                transceiver.fired_direction = fired;
            }
        }
        self.events.extend(told.into_events());
    }

    /// The peer has rejected a transceiver's section.
    pub(crate) fn stop_by_peer(&mut self, id: TransceiverId) {
        let Some(transceiver) = self.transceiver_mut(id) else {
            return;
        };
        let life = transceiver.life;
        if life == Life::Stopped {
            return;
        }
        transceiver.become_stopped();
        if life == Life::Running {
            self.events.push_back(Event::TrackEnded(id));
        }
    }
}
