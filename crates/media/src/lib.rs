//! `MediaStreamTrack` and `MediaStream` of
//! [W3C mediacapture-streams](https://www.w3.org/TR/mediacapture-streams/), as handles that an
//! application holds and a connection works with; the frames that flow through them; and the
//! [codecs](codec) for these.
//!
//! ```
//! use pc_media::{
//!     MediaKind, MediaStream, MediaStreamTrack, MediaStreamTrackState, StreamEvent, TrackEvent, uuid_v4,
//! };
//!
//! // Whoever feeds a track has its source; everybody else has the track.
//! let (microphone, source) = MediaStreamTrack::new(MediaKind::Audio, uuid_v4([1; 16]), "desk");
//! let mut heard = microphone.events();
//! source.set_muted(true);
//! source.set_muted(true); // no change, no event
//! assert!(microphone.muted() && microphone.enabled());
//! assert_eq!(heard.try_next(), Some(TrackEvent::Mute));
//! assert_eq!(heard.try_next(), None);
//!
//! // What the W3C calls `clone()`: a track of its own, with the same source.
//! let copy = microphone.clone_track(uuid_v4([2; 16]));
//! let stream = MediaStream::new(uuid_v4([3; 16]), [microphone.clone(), copy.clone()]);
//! copy.stop(); // the application's doing: no event
//! assert!(stream.active());
//! source.end(); // the source's doing: an event
//! assert_eq!(heard.try_next(), Some(TrackEvent::Ended));
//! assert_eq!(microphone.ready_state(), MediaStreamTrackState::Ended);
//! assert!(!stream.active());
//!
//! // A stream whose tracks the far side decides: its control fires the events.
//! let (remote, control) = MediaStream::controlled("their-stream");
//! let mut changes = remote.events();
//! let (video, _receiver) = MediaStreamTrack::remote(MediaKind::Video, "their-camera");
//! control.add_track(&video);
//! assert_eq!(changes.try_next(), Some(StreamEvent::AddTrack(video)));
//! ```
//!
//! Media goes from the source to everyone who reads a track:
//!
//! ```
//! use std::time::Duration;
//! use pc_media::{AudioFrame, MediaFrame, MediaKind, MediaStreamTrack};
//!
//! let (microphone, source) = MediaStreamTrack::new(MediaKind::Audio, "mic", "desk");
//! let mut heard = microphone.frames();
//! source.write(AudioFrame::new(48_000, 1, vec![7; 480], Duration::ZERO)?)?;
//! microphone.set_enabled(false);
//! source.write(AudioFrame::new(48_000, 1, vec![7; 480], Duration::from_millis(10))?)?;
//! source.end();
//! // `next().await` in a task, `blocking_next()` on a thread of its own.
//! while let Some(MediaFrame::Audio(frame)) = heard.blocking_next() {
//!     // The track was disabled by the time that these are read.
//!     assert_eq!(frame.samples(), [0; 480]);
//! }
//! assert_eq!(heard.lost(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`MediaStreamTrack`], [`TrackEvents`] | the W3C's interface of a track, and what it fires |
//! | [`TrackSource`] | the other half of a track, for whoever feeds it: writes frames, mutes, unmutes, ends |
//! | [`TrackFrames`] | one who reads a track's frames; may [`Request`] something of the source |
//! | [`AudioFrame`], [`VideoFrame`], [`EncodedFrame`] | what flows, each in a [`MediaFrame`]; cheap to clone |
//! | [`codec`] | encoders and decoders, by their names in SDP |
//! | [`devices`] | `getUserMedia`, `enumerateDevices`; microphones, cameras; a tone, and a picture that tells the time |
//! | [`sink`] | meters of level and tone, the reader of that time, a recorder to files |
//! | [`MediaStream`], [`StreamEvents`] | the W3C's interface of a set of tracks, and what it fires |
//! | [`StreamControl`] | the other half of a peer's stream: adds and removes with events |
//! | [`uuid_v4`] | ids from randomness that the caller brings |
//!
//! # Features
//!
//! | feature | what it brings | what it needs |
//! |---|---|---|
//! | `opus`, `vp8`, `vp9` (defaults) | these codecs | nothing but cargo |
//! | `av1` | the AV1 codec | nothing but cargo, and a minute to compile |
//! | `h264` | the H.264 codec | a C++ compiler |
//! | `microphone` | microphones in [`devices`] | on Linux the headers of ALSA: `libasound2-dev`, `alsa-lib-devel` |
//! | `camera` | cameras in [`devices`], on Linux | nothing but cargo |
//!
//! # Design decision
//!
//! *No queue for a track's events.* `mute` and `unmute` alternate and `ended` is last, so a count
//! of the changes so far says everything that was ever fired. A source keeps that count, and a
//! listener how far it has read: no event is lost, however slow a listener is, and nothing grows.
//! Clones share the count of their source; one that was stopped keeps the number it had.
//!
//! A stream's events name tracks, so they do wait in a queue for each listener. It keeps all of
//! them while fewer than [`StreamEvents::LOSSLESS`] are unread; from there on an event that undoes
//! an unread one takes it away instead, so that a peer which adds and removes for ever costs no
//! more than the tracks there are.
//!
//! *A reader that is slow loses frames.* Live media is worth nothing late, and memory is finite: so
//! each reader has room for a few frames, the oldest make way, and it is told how many. What waits
//! is shared with all other readers. Encoded pictures build on each other; there a loss takes all
//! up to the next key frame, and asks for one.
//!
//! Handles are for applications, so there are locks (an engine has none). Each is held for a few
//! instructions, and never while a waker or any other code of the caller runs. Strong references
//! go from streams to tracks to sources only: nothing leaks in a cycle.
//!
//! # Specifications
//!
//! | document | here |
//! |---|---|
//! | [mediacapture-streams](https://www.w3.org/TR/mediacapture-streams/) §4.2, §4.3 | `MediaStream`, `MediaStreamTrack`, without the constrainable pattern |
//! | [mediacapture-streams](https://www.w3.org/TR/mediacapture-streams/) §9.1, §9.2, §10 | `enumerateDevices`, `getUserMedia`, its errors |
//! | [webrtc-pc](https://www.w3.org/TR/webrtc/) §5.3, §5.4, §9.2 | how a remote track begins and ends, who decides a remote stream's tracks |
//! | [mediacapture-streams](https://www.w3.org/TR/mediacapture-streams/) §4.3.1 | what muted, disabled and ended tracks give |
//! | RFC 6716, 7587; ITU-T G.711, G.722; RFC 3551 §4.5 | Opus and what SDP says of it; PCMU, PCMA; G722 |
//! | RFC 6386, 7742 §5; VP9 bitstream specification, RFC 9628; RFC 6184 §8.1 | VP8, VP9, H.264 |
//! | AV1 bitstream specification §7.5; AV1 RTP §7.2 | AV1 |
//! | RFC 6464 §3; RFC 7845; IVF, WAV, YUV4MPEG2 | levels, files |
//! | RFC 9562 §5.4 | ids |
//!
//! # Non-goals
//!
//! A codec of our own making beyond G.711 and G.722; threads of codecs: they take the time of their caller.
//! `getCapabilities`, `getConstraints`, `getSettings` and `applyConstraints` need a source that has
//! settings, `contentHint` an encoder that heeds it: they are absent, not accepted and ignored.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod codec;
pub mod devices;
mod frame;
mod id;
mod kind;
mod readers;
mod requests;
pub mod sink;
mod source;
mod stream;
mod stream_events;
mod track;
mod track_events;
mod track_frames;
mod wakers;

#[cfg(test)]
mod tests;

pub use frame::{AudioFrame, EncodedFrame, InvalidFrame, MediaFrame, Plane, Rotation, VideoFrame};
pub use id::uuid_v4;
pub use kind::{MediaKind, MediaStreamTrackState};
pub use requests::{Request, WrongKind};
pub use source::TrackSource;
pub use stream::{MediaStream, StreamControl};
pub use stream_events::{StreamEvent, StreamEvents};
pub use track::MediaStreamTrack;
pub use track_events::{TrackEvent, TrackEvents};
pub use track_frames::TrackFrames;
