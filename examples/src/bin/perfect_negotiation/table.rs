//! Two sides as text: their states, what they have counted, and their m-lines side by side.

use std::fmt::Write;

use crate::view::{Section, View, arrow};

/// What stands above the columns.
pub(crate) struct Names {
    pub(crate) here: &'static str,
    pub(crate) there: &'static str,
}

/// A screen of it. Directions are arrows from here to there: what was agreed, and in brackets what
/// is wished for where that is another.
pub(crate) fn table(names: &Names, here: &View, there: &View) -> String {
    let mut text = String::new();
    let side = |view: &View| {
        let manners = if view.polite { "polite" } else { "impolite" };
        format!("{manners}, {}", view.signaling_state)
    };
    let count = |name: &str, of: fn(&View) -> u64| {
        format!("  {name:<13} {:>18}  {:>18}\n", of(here), of(there))
    };
    let _ = writeln!(text, "  {:<13} {:>18}  {:>18}", "", names.here, names.there);
    let _ = writeln!(text, "  {:<13} {:>18}  {:>18}", "", side(here), side(there));
    text += &count("offers", |it| it.counts.offers);
    text += &count("answers", |it| it.counts.answers);
    text += &count("collisions", |it| it.counts.collisions);
    text += &count("  ignored", |it| it.counts.ignored);
    text += &count("rollbacks", |it| it.counts.rollbacks);
    text += &count("ICE restarts", |it| it.counts.ice_restarts);
    let _ = writeln!(text);
    let _ = writeln!(
        text,
        "  {:<4} {:<8} {:<12} {:<8} {:<8}",
        "m=", "mid", "kind", names.here, names.there
    );
    for (index, section) in here.sections.iter().enumerate() {
        let is_same = |it: &&Section| it.mid == section.mid;
        let other = there.sections.get(index).filter(is_same);
        let _ = writeln!(
            text,
            "  {index:<4} {:<8} {:<12} {:<8} {:<8}",
            printable(&section.mid),
            printable(&section.kind),
            cell(Some(section), false),
            cell(other, true),
        );
    }
    text
}

fn cell(section: Option<&Section>, is_mirrored: bool) -> String {
    let Some(section) = section else {
        return "?".to_owned();
    };
    if section.rejected {
        return "stopped".to_owned();
    }
    let seen = |direction: &Option<String>| match (arrow(direction.as_deref()), is_mirrored) {
        ("→", true) => "←",
        ("←", true) => "→",
        (arrow, _) => arrow,
    };
    let (wanted, agreed) = (seen(&section.direction), seen(&section.current_direction));
    if wanted == agreed {
        agreed.to_owned()
    } else {
        format!("{agreed} ({wanted})")
    }
}

/// The other side chooses these words; a terminal must not obey them.
fn printable(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(direction: &str, current: &str) -> Section {
        Section {
            mid: "m\x1b[2J".into(),
            kind: "video".into(),
            direction: Some(direction.into()),
            current_direction: Some(current.into()),
            rejected: false,
        }
    }

    #[test]
    fn arrows_point_the_same_way_on_both_sides() {
        let here = View {
            sections: vec![section("sendrecv", "sendonly")],
            ..View::default()
        };
        let there = View {
            sections: vec![section("recvonly", "recvonly")],
            polite: true,
            ..View::default()
        };
        let names = Names {
            here: "A",
            there: "B",
        };
        let text = table(&names, &here, &there);
        let line = text.lines().last().unwrap();
        assert!(
            line.contains("→ (⇄)") && line.ends_with("→       "),
            "{line:?}"
        );
        assert!(!text.contains('\x1b'));
        assert!(text.contains("impolite") && text.lines().count() < 24);
    }
}
