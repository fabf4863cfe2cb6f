//! Every captured offer and answer of real peers: lossless, and every attribute typed.

use std::fs;
use std::path::{Path, PathBuf};

use pc_sdp::{Attribute, Line, SessionDescription};

fn captures() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sdp"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 44, "only {} captures", paths.len());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

fn parse(path: &Path, text: &str) -> SessionDescription {
    SessionDescription::parse(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_capture_is_written_back_byte_for_byte() {
    for (path, text) in captures() {
        let session = parse(&path, &text);
        let written = session.to_string();
        for (number, (ours, theirs)) in written.lines().zip(text.lines()).enumerate() {
            assert_eq!(ours, theirs, "{}:{}", path.display(), number + 1);
        }
        assert_eq!(written, text, "{}", path.display());
        assert_eq!(parse(&path, &written), session);
    }
}

#[test]
fn line_ends_do_not_matter() {
    for (path, text) in captures() {
        let with_lf = text.replace("\r\n", "\n");
        let unfinished = with_lf.trim_end();
        assert_eq!(parse(&path, &with_lf).to_string(), text);
        assert_eq!(parse(&path, unfinished).to_string(), text);
    }
}

#[test]
fn every_attribute_of_a_capture_is_typed() {
    for (path, text) in captures() {
        let session = parse(&path, &text);
        let sections = session.media.iter().map(|media| &media.lines);
        for lines in sections.chain([&session.lines]) {
            for attribute in lines.attributes() {
                let is_typed = !matches!(attribute, Attribute::Other { .. });
                assert!(is_typed, "{}: {attribute}", path.display());
            }
        }
    }
}

/// The canonical form means the same as what was read, whoever wrote it.
#[test]
fn the_canonical_form_of_a_capture_means_the_same() {
    for (path, text) in captures() {
        let session = parse(&path, &text);
        let mut canonical = session.clone();
        canonical.canonicalize();
        let again = parse(&path, &canonical.to_string());
        let values = |session: &SessionDescription| -> Vec<Line> {
            let sections = session.media.iter().map(|media| &media.lines);
            let lines = sections.chain([&session.lines]);
            lines.flatten().map(|line| (**line).clone()).collect()
        };
        assert_eq!(values(&again), values(&session), "{}", path.display());
        assert_eq!(again, canonical, "{}", path.display());
    }
}

/// Only lines that differ from the canonical form are held twice.
#[test]
fn few_spellings_are_kept() {
    let mut kept = std::collections::BTreeSet::new();
    for (path, text) in captures() {
        let session = parse(&path, &text);
        let sections = session.media.iter().map(|media| &media.lines);
        for line in sections.chain([&session.lines]).flatten() {
            if line.spelling().is_some() {
                let attribute = line.attribute().unwrap();
                kept.insert(attribute.name().to_owned());
            }
        }
    }
    let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    // `UDP`, `ice2,trickle`, `: WMS`.
    assert_eq!(kept, ["candidate", "ice-options", "msid-semantic"]);
}
