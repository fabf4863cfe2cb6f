//! The same description read by this crate, by `sdp` and by `webrtc-sdp`. Shared with the fuzz
//! target `sdp_differential`.
//!
//! What is compared is made by [`grammar`] from the bytes, not the bytes themselves: a description
//! that RFC 8866 and the attributes' own RFCs allow, with nothing in it for which they leave a
//! choice to the reader. So each of the three must take it, and all must see the same in it. Or
//! [`faults`] breaks it at one place at which they leave none either: then nobody may take it.
//!
//! What they do with text at random is not compared. Each has its own ways there, such as to take
//! every white space for a separator, to fold the case of names or to pass over what it does not
//! know, and says nothing about the others.
//!
//! - `sdp` looks into no attribute: it has to give their text, and is not asked about broken ones.
//! - `webrtc-sdp` knows no `u=`, `e=`, `p=`, `r=`, `z=` and `k=`: it is not given descriptions with
//!   these.

mod attributes;
mod dice;
mod faults;
mod grammar;
mod with_sdp;
mod with_webrtc_sdp;

use dice::Dice;
use pc_sdp::{Formats, MediaDescription, SessionDescription};

/// Makes a description of the bytes and gives it to all three.
pub(crate) fn check(bytes: &[u8]) {
    let (head, body) = bytes.split_at(bytes.len().min(4));
    let mut dice = Dice::new(head);
    // RFC 8866 §9: a line ends with CRLF, and a reader should take LF too.
    let end = if dice.yes() { "\n" } else { "\r\n" };
    let fault = dice.byte();
    let mut draft = grammar::description(&mut Dice::new(body));
    match fault {
        0..176 => must_agree(&draft.text(end), draft.beyond_webrtc),
        176..224 => {
            let which = usize::from(fault - 176);
            faults::break_a_line(which, &mut dice, &mut draft);
            must_refuse(&draft.text(end), draft.beyond_webrtc, true);
        }
        224.. => {
            faults::break_an_attribute(dice.byte().into(), &mut draft);
            must_refuse(&draft.text(end), draft.beyond_webrtc, false);
        }
    }
}

/// Gives each of the faults, in a description of these bytes, to all three.
pub(crate) fn check_every_fault(bytes: &[u8]) {
    for which in 0..faults::LINES {
        check(&[&[0, 176 + which as u8, 0, 1], bytes].concat());
    }
    for which in 0..faults::ATTRIBUTES.len() {
        check(&[&[0, 224, which as u8, 0], bytes].concat());
    }
}

/// Neither this crate takes the text nor an oracle that knows all else in it; `sdp` may, where it
/// looks at nothing.
fn must_refuse(text: &str, beyond_webrtc: bool, sdp_looks: bool) {
    assert!(SessionDescription::parse(text).is_err(), "{text}");
    assert_ne!(with_sdp::takes(text), sdp_looks, "sdp:\n{text}");
    let taken = !beyond_webrtc && with_webrtc_sdp::takes(text);
    assert!(!taken, "webrtc-sdp:\n{text}");
}

/// All take the text and see the same in it, and in what this crate writes for it.
fn must_agree(text: &str, beyond_webrtc: bool) {
    let mut ours = SessionDescription::parse(text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    let mut compare = |text: &str| {
        with_sdp::agrees(&ours, text);
        if !beyond_webrtc {
            with_webrtc_sdp::agrees(&ours, text);
        }
        ours.canonicalize();
        ours.to_string()
    };
    let written = compare(text);
    compare(&written);
}

/// What a peer once wrote: both oracles take it and see nothing else in it, in it as it was written
/// and as this crate writes it. `webrtc-sdp` may know less.
pub(crate) fn capture_agrees(text: &str) {
    let mut ours = SessionDescription::parse(text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    with_sdp::agrees(&ours, text);
    with_webrtc_sdp::has_no_more(&ours, text);
    ours.canonicalize();
    let written = ours.to_string();
    with_sdp::agrees(&ours, &written);
    with_webrtc_sdp::has_no_more(&ours, &written);
}

/// The formats as a line has them.
fn formats(media: &MediaDescription) -> String {
    match &media.head.formats {
        Formats::PayloadTypes(types) => {
            let types: Vec<_> = types.iter().map(|it| it.value()).collect();
            grammar::joined(&types, " ")
        }
        Formats::Words(words) => words.as_str().to_owned(),
    }
}
