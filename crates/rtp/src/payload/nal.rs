//! What H.264 and H.265 share: NAL units in a byte stream with start codes (Annex B of both), and
//! which of them travel together.

use super::buffer::FrameBuffer;
use pc_proto::{ParseError, Reader};
use std::ops::Range;

/// Annex B: `zero_byte` and `start_code_prefix_one_3bytes`. The short form is read, this one written.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// How long the length of a unit is that travels with others.
pub(super) const LENGTH_LEN: usize = 2;

/// Puts where the units of `stream` are in `out`. A unit never ends in a zero byte; those that follow
/// it belong to the stream.
pub(super) fn find(stream: &[u8], out: &mut Vec<Range<usize>>) -> Result<(), ParseError> {
    out.clear();
    let (first, mut start) = next_start_code(stream, 0).ok_or(ParseError {
        what: "no start code",
        at: 0,
    })?;
    if let Some(at) = stream.iter().take(first).position(|byte| *byte != 0) {
        let what = "bytes before the first start code";
        return Err(ParseError { what, at });
    }
    loop {
        let next = next_start_code(stream, start);
        let end = next.map_or(stream.len(), |(end, _)| end);
        let unit = stream.get(start..end).unwrap_or_default();
        if let Some(last) = unit.iter().rposition(|byte| *byte != 0) {
            out.push(start..start + last + 1);
        }
        match next {
            Some((_, after)) => start = after,
            None => return Ok(()),
        }
    }
}

/// Where the next 00 00 01 starts and ends, at `from` or later.
fn next_start_code(stream: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        // Only where the third byte is 1 can one be; above 1 none can start within these three.
        match stream.get(at..at + 3)? {
            [0, 0, 1] => return Some((at, at + 3)),
            [_, _, 2..=255] => at += 3,
            _ => at += 1,
        }
    }
}

/// How many units from the front fit in one payload behind an aggregation header; at least one, which
/// may be too long even alone.
pub(super) fn fitting(units: &[Range<usize>], header: usize, max_payload: usize) -> usize {
    let mut used = header;
    let fit = units.iter().take_while(|unit| {
        used = used.saturating_add(LENGTH_LEN + unit.len());
        used <= max_payload && unit.len() <= usize::from(u16::MAX)
    });
    fit.count().max(1)
}

/// The units of an aggregation packet, each behind its length.
pub(super) fn aggregated<'a>(
    reader: &mut Reader<'a>,
    header: usize,
) -> Result<&'a [u8], ParseError> {
    let len = usize::from(reader.u16("aggregated NAL unit's length")?);
    if len < header {
        return Err(reader.error("aggregated NAL unit's length"));
    }
    reader.bytes(len, "aggregated NAL unit")
}

/// Appends a unit, or its start, to the byte stream.
pub(super) fn append(frame: &mut FrameBuffer, parts: &[&[u8]]) -> Result<(), ParseError> {
    frame.append(&START_CODE)?;
    parts.iter().try_for_each(|part| frame.append(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(stream: &[u8]) -> Result<Vec<&[u8]>, ParseError> {
        let mut ranges = Vec::new();
        find(stream, &mut ranges)?;
        Ok(ranges.into_iter().map(|range| &stream[range]).collect())
    }

    #[test]
    fn units_are_found_between_start_codes_of_both_lengths() {
        let stream = [
            0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 0, 1, 0x65, 0, 0, 3, 0, 0,
        ];
        let expected: [&[u8]; 3] = [&[0x67, 1], &[0x68, 2], &[0x65, 0, 0, 3]];
        assert_eq!(units(&stream).unwrap(), expected);
        assert_eq!(units(&[0, 0, 1]).unwrap(), [&[]; 0]);
        assert_eq!(units(&[0, 0, 1, 0, 0, 1, 9]).unwrap(), [&[9]]);
    }

    #[test]
    fn a_stream_starts_with_a_start_code() {
        assert!(units(&[]).is_err());
        assert!(units(&[0x65, 1, 2, 3]).is_err());
        assert_eq!(units(&[0, 7, 0, 0, 1, 9]).unwrap_err().at, 1);
    }

    #[test]
    fn every_place_of_a_start_code_is_found() {
        for at in 0..40 {
            let mut stream = vec![0, 0, 1];
            stream.extend(std::iter::repeat_n(0xFF, at + 1));
            stream.extend([0, 0, 1, 7]);
            let found = units(&stream).unwrap();
            assert_eq!((found.len(), found[1]), (2, &[7][..]), "{at}");
        }
    }
}
