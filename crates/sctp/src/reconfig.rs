//! Stream resets, [RFC 6525](https://www.rfc-editor.org/rfc/rfc6525), between the wire and the carrier.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pc_proto::{ParseError, Reader, Serial32};

use crate::wire::{Chunk, push_param, read_param};

/// RFC 6525 §4.1.
const OUTGOING_RESET_REQUEST: u16 = 13;
/// RFC 6525 §4.4.
const RESPONSE: u16 = 16;
/// RFC 6525 §4.4: "Success - Performed".
const PERFORMED: u32 = 1;
/// RFC 6525 §4.4: "In progress".
const IN_PROGRESS: u32 = 6;

/// Streams in one RE-CONFIG: keeps it within the MTU (RFC 6525 §4.1: two bytes each).
const MAX_RESETS: usize = 256;

/// An Outgoing SSN Reset Request, RFC 6525 §4.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) sequence: u32,
    response: u32,
    last_tsn: u32,
    pub(crate) streams: Vec<u16>,
}

impl Request {
    fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(value);
        let mut request = Self {
            sequence: reader.u32("request sequence number")?,
            response: reader.u32("response sequence number")?,
            last_tsn: reader.u32("sender's last TSN")?,
            streams: Vec::with_capacity(reader.remaining() / 2),
        };
        while !reader.is_empty() {
            request.streams.push(reader.u16("stream number")?);
        }
        Ok(request)
    }

    /// The last TSN that the peer had assigned.
    pub(crate) const fn last_tsn(&self) -> Serial32 {
        Serial32(self.last_tsn)
    }

    /// The value of a RE-CONFIG chunk.
    pub(crate) fn value(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(12 + 2 * self.streams.len());
        value.extend(self.sequence.to_be_bytes());
        value.extend(self.response.to_be_bytes());
        value.extend(self.last_tsn.to_be_bytes());
        value.extend(self.streams.iter().flat_map(|stream| stream.to_be_bytes()));
        let mut chunk = Vec::with_capacity(value.len() + 4);
        push_param(&mut chunk, OUTGOING_RESET_REQUEST, &value);
        chunk
    }
}

/// The value of a RE-CONFIG chunk with a response.
fn response(sequence: u32, result: u32) -> Vec<u8> {
    let mut value = [0; 8];
    let (number, code) = value.split_at_mut(4);
    number.copy_from_slice(&sequence.to_be_bytes());
    code.copy_from_slice(&result.to_be_bytes());
    let mut chunk = Vec::with_capacity(12);
    push_param(&mut chunk, RESPONSE, &value);
    chunk
}

/// "In progress", for a request that is kept waiting.
pub(crate) fn in_progress(request: &Request) -> Vec<u8> {
    response(request.sequence, IN_PROGRESS)
}

/// What to do with a RE-CONFIG chunk of the carrier.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// Send a chunk of this value.
    Send(Vec<u8>),
    /// Send nothing; give the carrier a chunk of this value as if the peer had answered.
    Answer(Vec<u8>),
}

#[derive(Debug)]
struct Sent {
    /// The sequence number as the carrier counts.
    carrier: u32,
    /// The same as the peer counts.
    wire: u32,
    streams: Vec<u16>,
    answered: bool,
}

/// The resets of one stream's outgoing side that the carrier is going to ask for.
#[derive(Debug, Default)]
struct Owed {
    /// For each, in order, whether another did its work.
    superfluous: VecDeque<bool>,
    /// One was asked for since the peer's last reset.
    done: bool,
    /// The last one is ours and has not left.
    ours: bool,
}

/// Keeps the carrier from resetting a stream twice.
///
/// When the peer resets its side of a stream, the carrier resets ours too (RFC 8831 §6.7), even if
/// it has done so before. By then the peer may use the stream anew and would see its new channel
/// closed. Such a request is answered here and does not leave; the sequence numbers of later ones
/// are translated, as the peer wants them without gaps (RFC 6525 §5.2.1).
#[derive(Debug)]
pub(crate) struct Reconfig {
    owed: BTreeMap<u16, Owed>,
    skipped: u32,
    sent: Option<Sent>,
    /// No request of the carrier ever has this number.
    nobody: u32,
    /// Given to the carrier and not yet in a request.
    pub(crate) unsent: BTreeSet<u16>,
    /// The peer's request that waits for our queues, RFC 8831 §6.7.
    pub(crate) held: Option<Request>,
    /// The number of the peer's last request that was passed on.
    pub(crate) passed: Option<u32>,
    /// The streams of that request whose end the carrier has yet to report.
    pub(crate) passing: BTreeSet<u16>,
}

impl Reconfig {
    /// The first request has the number of the first TSN, RFC 6525 §4.1.
    pub(crate) const fn new(first: u32) -> Self {
        Self {
            owed: BTreeMap::new(),
            skipped: 0,
            sent: None,
            nobody: first.wrapping_sub(1),
            unsent: BTreeSet::new(),
            held: None,
            passed: None,
            passing: BTreeSet::new(),
        }
    }

    /// The carrier was told to reset `stream`.
    pub(crate) fn on_reset(&mut self, stream: u16) {
        self.unsent.insert(stream);
        let owed = self.owed.entry(stream).or_default();
        owed.superfluous.push_back(owed.done);
        (owed.done, owed.ours) = (true, true);
    }

    /// The carrier has performed the peer's reset of `stream` and resets our side in turn. If it
    /// has not sent a reset of ours yet, it sends that one alone.
    pub(crate) fn on_finished(&mut self, stream: u16) {
        self.passing.remove(&stream);
        let owed = self.owed.entry(stream).or_default();
        if !owed.ours {
            owed.superfluous.push_back(owed.done);
        }
        (owed.done, owed.ours) = (false, false);
    }

    /// A reset of `stream` leaves; whether it has to.
    fn leaves(&mut self, stream: u16) -> bool {
        self.unsent.remove(&stream);
        let Some(owed) = self.owed.get_mut(&stream) else {
            return true;
        };
        let superfluous = owed.superfluous.pop_front().unwrap_or(false);
        owed.ours &= !owed.superfluous.is_empty();
        if owed.superfluous.is_empty() && !owed.done {
            self.owed.remove(&stream);
        }
        !superfluous
    }

    /// Whether one more stream fits into the carrier's next request.
    pub(crate) fn has_room(&self) -> bool {
        self.unsent.len() < MAX_RESETS
    }

    /// Whether the carrier's last request is answered and has left nobody behind.
    pub(crate) fn is_idle(&self) -> bool {
        self.unsent.is_empty() && self.sent.as_ref().is_none_or(|sent| sent.answered)
    }

    /// Whether a RE-CONFIG chunk of the carrier says that the peer's request, as it was passed on
    /// last, is performed.
    pub(crate) fn is_performed(&self, chunk: &Chunk<'_>) -> bool {
        self.passed
            .is_some_and(|passed| chunk.value == response(passed, PERFORMED))
    }

    /// A RE-CONFIG chunk that the carrier wants to send.
    pub(crate) fn outgoing(&mut self, chunk: &Chunk<'_>) -> Outgoing {
        let mut reader = Reader::new(chunk.value);
        let request = match read_param(&mut reader) {
            Ok((OUTGOING_RESET_REQUEST, value)) => Request::parse(value),
            _ => return Outgoing::Send(chunk.value.to_vec()),
        };
        let Ok(mut request) = request else {
            return Outgoing::Send(chunk.value.to_vec());
        };
        if let Some(sent) = self
            .sent
            .as_ref()
            .filter(|it| it.carrier == request.sequence)
        {
            request.sequence = sent.wire;
            request.streams.clone_from(&sent.streams);
            return Outgoing::Send(request.value());
        }
        let all = request.streams.is_empty();
        request.streams.retain(|stream| self.leaves(*stream));
        let carrier = request.sequence;
        if request.streams.is_empty() && !all {
            self.skipped = self.skipped.wrapping_add(1);
            return Outgoing::Answer(response(carrier, PERFORMED));
        }
        request.sequence = carrier.wrapping_sub(self.skipped);
        self.sent = Some(Sent {
            carrier,
            wire: request.sequence,
            streams: request.streams.clone(),
            answered: false,
        });
        Outgoing::Send(request.value())
    }

    /// A RE-CONFIG chunk of the peer: the response in it as the carrier counts, and the request.
    /// Other requests (RFC 6525 §4.2, §4.3, §4.5, §4.6) are not supported by WebRTC.
    pub(crate) fn incoming(
        &mut self,
        chunk: &Chunk<'_>,
    ) -> Result<(Option<Vec<u8>>, Option<Request>), ParseError> {
        let mut reader = Reader::new(chunk.value);
        let (mut answer, mut request) = (None, None);
        while !reader.is_empty() {
            match read_param(&mut reader)? {
                (OUTGOING_RESET_REQUEST, value) => {
                    let mut found = Request::parse(value)?;
                    // It may name our request before it is performed; the response is what counts.
                    found.response = self.nobody;
                    request = Some(found);
                }
                (RESPONSE, value) => answer = self.translate(value)?,
                _ => {}
            }
        }
        Ok((answer, request))
    }

    fn translate(&mut self, value: &[u8]) -> Result<Option<Vec<u8>>, ParseError> {
        let mut reader = Reader::new(value);
        let number = reader.u32("response sequence number")?;
        let result = reader.u32("result")?;
        let Some(sent) = self.sent.as_mut().filter(|sent| sent.wire == number) else {
            return Ok(None);
        };
        if result > IN_PROGRESS {
            return Err(reader.error("result"));
        }
        sent.answered |= result != IN_PROGRESS;
        Ok(Some(response(sent.carrier, result)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(sequence: u32, streams: &[u16]) -> Request {
        Request {
            sequence,
            response: 0,
            last_tsn: 7,
            streams: streams.to_vec(),
        }
    }

    fn outgoing(reconfig: &mut Reconfig, request: &Request) -> Outgoing {
        let value = request.value();
        reconfig.outgoing(&Chunk {
            kind: 130,
            flags: 0,
            value: &value,
        })
    }

    #[test]
    fn a_second_reset_of_an_unused_stream_does_not_leave() {
        let mut reconfig = Reconfig::new(100);
        reconfig.on_reset(1);
        reconfig.on_reset(2);
        let first = request(100, &[1, 2]);
        assert_eq!(
            outgoing(&mut reconfig, &first),
            Outgoing::Send(first.value())
        );
        // The peer closed 2 as well, and the carrier answers that.
        reconfig.on_finished(2);
        let again = request(101, &[2]);
        let answer = response(101, PERFORMED);
        assert_eq!(outgoing(&mut reconfig, &again), Outgoing::Answer(answer));
        // The next one has the number that the peer waits for; its repetition too.
        reconfig.on_finished(1);
        reconfig.on_finished(3);
        let next = request(102, &[1, 3]);
        let on_wire = request(101, &[3]);
        for _ in 0..2 {
            assert_eq!(
                outgoing(&mut reconfig, &next),
                Outgoing::Send(on_wire.value())
            );
        }
        assert!(reconfig.owed.is_empty());
        // Used anew, and closed by the peer alone.
        reconfig.on_finished(2);
        let used = request(103, &[2]);
        let on_wire = request(102, &[2]);
        assert_eq!(
            outgoing(&mut reconfig, &used),
            Outgoing::Send(on_wire.value())
        );
    }

    #[test]
    fn a_reset_that_has_not_left_serves_as_the_answer_too() {
        let mut reconfig = Reconfig::new(100);
        reconfig.on_reset(1);
        reconfig.on_finished(1);
        let only = request(100, &[1]);
        assert_eq!(outgoing(&mut reconfig, &only), Outgoing::Send(only.value()));
        assert!(reconfig.owed.is_empty() && reconfig.unsent.is_empty());
    }

    #[test]
    fn responses_are_translated_and_strange_ones_ignored() {
        let mut reconfig = Reconfig::new(100);
        reconfig.on_reset(1);
        outgoing(&mut reconfig, &request(100, &[1]));
        reconfig.on_finished(1);
        outgoing(&mut reconfig, &request(101, &[1]));
        outgoing(&mut reconfig, &request(102, &[5]));
        let mut incoming = |value: Vec<u8>| {
            reconfig.incoming(&Chunk {
                kind: 130,
                flags: 0,
                value: &value,
            })
        };
        assert_eq!(incoming(response(100, 1)), Ok((None, None)));
        let expected = response(102, 1);
        assert_eq!(incoming(response(101, 1)), Ok((Some(expected), None)));
        assert!(incoming(response(101, 7)).is_err());
        let (_, found) = incoming(request(9, &[4, 4]).value()).unwrap();
        assert_eq!(
            found.map(|it| (it.sequence, it.response, it.streams)),
            Some((9, 99, vec![4, 4]))
        );
    }
}
