//! `docs/w3c-coverage.md`.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    CRATE, MAPPING,
    coverage::{Coverage, Covered, Verdict},
    idl::Member,
};

/// The whole document.
pub(crate) fn write(coverage: &Coverage) -> String {
    let mut text = format!(
        "# W3C coverage\n\n\
         Written by `cargo xtask w3c` from the W3C's IDL, what rustdoc says of the crate `{CRATE}`, and\n\
         `{MAPPING}`; the check of it fails when something of the IDL has neither an item nor a\n\
         reason, when an item is not there, and when something said to be absent is. It holds that an item\n\
         exists, not that it behaves: that is for the tests. Paths are those of the crate `{CRATE}`.\n\n"
    );
    summary(&mut text, coverage);
    reasons(&mut text, coverage);
    for spec in specifications(coverage) {
        let _ = write!(text, "\n## {spec}\n");
        let of_spec = coverage.definitions.iter();
        for covered in of_spec.filter(|it| it.definition.spec == spec) {
            definition(&mut text, covered);
        }
    }
    text
}

/// One line: how much of it all is carried.
pub(crate) fn counts(coverage: &Coverage) -> String {
    let all = entries(coverage);
    let [carried, refused, absent] = tally(all.iter().map(|(_, verdict)| *verdict));
    format!(
        "{} definitions and members: {carried} carried, {refused} refused, {absent} absent",
        all.len()
    )
}

fn summary(text: &mut String, coverage: &Coverage) {
    text.push_str("| specification | definitions and members | carried | refused | absent |\n");
    text.push_str("|---|--:|--:|--:|--:|\n");
    let all = entries(coverage);
    let mut row = |name: &str, spec: Option<&str>| {
        let of_spec = all.iter().filter(|(of, _)| spec.is_none_or(|it| it == *of));
        let counts = tally(of_spec.map(|(_, verdict)| *verdict));
        let total: usize = counts.iter().sum();
        let [carried, refused, absent] = counts;
        let _ = writeln!(
            text,
            "| {name} | {total} | {carried} | {refused} | {absent} |"
        );
    };
    for spec in specifications(coverage) {
        row(spec, Some(spec));
    }
    row("all", None);
}

/// Carried, refused, absent.
fn tally<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> [usize; 3] {
    let mut counts = [0; 3];
    for verdict in verdicts {
        counts[match verdict {
            Verdict::Carried(_) => 0,
            Verdict::Refused(..) => 1,
            Verdict::Absent(_) | Verdict::Unknown => 2,
        }] += 1;
    }
    counts
}

fn reasons(text: &mut String, coverage: &Coverage) {
    let mut counted: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (_, verdict) in entries(coverage) {
        let because = match verdict {
            Verdict::Absent(reason) => ("absent", reason.as_str()),
            Verdict::Refused(_, reason) => ("refused", reason.as_str()),
            Verdict::Carried(_) | Verdict::Unknown => continue,
        };
        *counted.entry(because).or_default() += 1;
    }
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_by_key(|(because, count)| (std::cmp::Reverse(*count), *because));
    text.push_str("\n| | because | |\n|---|---|--:|\n");
    for ((what, reason), count) in counted {
        let _ = writeln!(text, "| {what} | {reason} | {count} |");
    }
}

fn definition(text: &mut String, covered: &Covered) {
    let Covered {
        definition,
        verdict,
        members,
    } = covered;
    let _ = write!(
        text,
        "\n### {}\n\n{}: {}\n",
        definition.name,
        definition.kind,
        told(verdict)
    );
    if members.is_empty() {
        return;
    }
    text.push_str("\n| member | | Rust |\n|---|---|---|\n");
    let all = || definition.members.iter().zip(members);
    for (member, verdict) in all().filter(|(_, it)| has_item(it)) {
        let name = named(member, &definition.spec);
        let _ = writeln!(
            text,
            "| {name} | {} | {} |",
            member.kind.noun(),
            told(verdict)
        );
    }
    let mut absent: Vec<(&Verdict, Vec<String>)> = Vec::new();
    for (member, verdict) in all().filter(|(_, it)| !has_item(it)) {
        let name = named(member, &definition.spec);
        match absent.iter_mut().find(|(it, _)| *it == verdict) {
            Some((_, names)) => names.push(name),
            None => absent.push((verdict, vec![name])),
        }
    }
    for (verdict, names) in absent {
        let _ = writeln!(text, "| {} | | {} |", names.join(", "), told(verdict));
    }
}

fn told(verdict: &Verdict) -> String {
    let code = |paths: &[String]| {
        let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        paths.join(", ")
    };
    match verdict {
        Verdict::Carried(paths) => code(paths),
        Verdict::Refused(paths, reason) => format!("{}; *refused: {reason}*", code(paths)),
        Verdict::Absent(reason) => format!("*{reason}*"),
        Verdict::Unknown => "?".into(),
    }
}

/// A member that another specification adds says so.
fn named(member: &Member, spec: &str) -> String {
    let name = format!("`{}`", member.name);
    if member.spec == spec {
        return name;
    }
    format!("{name} ({})", member.spec)
}

fn has_item(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Carried(_) | Verdict::Refused(..))
}

/// Every definition and member: the specification that it comes from, and its verdict.
fn entries(coverage: &Coverage) -> Vec<(&str, &Verdict)> {
    let each = coverage.definitions.iter().flat_map(|covered| {
        let members = covered.definition.members.iter().zip(&covered.members);
        let members = members.map(|(member, verdict)| (member.spec.as_str(), verdict));
        std::iter::once((covered.definition.spec.as_str(), &covered.verdict)).chain(members)
    });
    each.collect()
}

/// In the order in which they come.
fn specifications(coverage: &Coverage) -> Vec<&str> {
    let mut found = Vec::new();
    for (spec, _) in entries(coverage) {
        if !found.contains(&spec) {
            found.push(spec);
        }
    }
    found
}
