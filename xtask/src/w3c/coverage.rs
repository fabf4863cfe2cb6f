//! The judgement: an item or a reason for everything, and neither where it is not true.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    idl::{Definition, Kind, Member},
    mapping::{Because, Items, Mapping, most_precise},
    surface::{RustType, Surface},
};

/// What is carried by what, and all that does not hold.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    pub(crate) definitions: Vec<Covered>,
    pub(crate) problems: Vec<String>,
}

/// A definition with the verdict on it and on each of its members.
#[derive(Debug)]
pub(crate) struct Covered {
    pub(crate) definition: Definition,
    pub(crate) verdict: Verdict,
    pub(crate) members: Vec<Verdict>,
}

/// What stands for something of the IDL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// These items of the crate, by their paths.
    Carried(Vec<String>),
    /// These items are there, and refuse it by name for this reason.
    Refused(Vec<String>, String),
    /// None, for this reason.
    Absent(String),
    /// Neither: a problem says so.
    Unknown,
}

impl Coverage {
    /// Judges all of `idl`.
    pub(crate) fn judge(idl: &[Definition], surface: &Surface, mapping: &Mapping) -> Self {
        let mut judge = Judge {
            surface,
            mapping,
            problems: Vec::new(),
            absent: BTreeSet::new(),
            refused: BTreeSet::new(),
        };
        let definitions = idl.iter().map(|it| judge.definition(it)).collect();
        judge.mapping_matches(idl);
        Self {
            definitions,
            problems: judge.problems,
        }
    }
}

struct Judge<'a> {
    surface: &'a Surface,
    mapping: &'a Mapping,
    problems: Vec<String>,
    /// The entries of each list that say why of something.
    absent: BTreeSet<(usize, usize)>,
    refused: BTreeSet<(usize, usize)>,
}

impl Judge<'_> {
    fn definition(&mut self, definition: &Definition) -> Covered {
        let name = &definition.name;
        let named = self.mapping.types.get(name).map(|it| it.paths().to_vec());
        let found = self.type_by_name(name);
        let types = named.clone().or_else(|| found.clone().map(|it| vec![it]));
        let verdict = self.verdict(name, named, found.into_iter().collect(), (name, None));
        let types = types.unwrap_or_default();
        let members = definition.members.iter();
        let members = members.map(|it| self.member(name, it, &types)).collect();
        Covered {
            definition: definition.clone(),
            verdict,
            members,
        }
    }

    fn member(&mut self, of: &str, member: &Member, types: &[String]) -> Verdict {
        let key = format!("{of}.{}", member.name);
        let named = self.mapping.members.get(&key).map(|it| it.paths().to_vec());
        let found = self.by_name(of, member, types);
        self.verdict(&key, named, found, (of, Some(&member.name)))
    }

    /// An item that is named counts before a reason, and a reason before an item of the same name:
    /// but then the reason is no longer true.
    fn verdict(
        &mut self,
        key: &str,
        named: Option<Vec<String>>,
        found: Vec<String>,
        (definition, member): (&str, Option<&str>),
    ) -> Verdict {
        if let Some(paths) = named {
            for path in paths.iter().filter(|path| !self.surface.has(path)) {
                self.problems.push(format!("{key}: there is no `{path}`"));
            }
            return self.carried(paths, (definition, member));
        }
        if let Some(entry) = most_precise(&self.mapping.absent, definition, member) {
            self.absent.insert(entry);
            let reason = &self.mapping.absent[entry.0].reason;
            if !found.is_empty() {
                let found = found.join("`, `");
                self.problems.push(format!(
                    "{key}: absent (\"{reason}\"), but there is `{found}`"
                ));
            }
            return Verdict::Absent(reason.clone());
        }
        if found.is_empty() {
            self.problems.push(format!("{key}: no item and no reason"));
            return Verdict::Unknown;
        }
        self.carried(found, (definition, member))
    }

    fn carried(
        &mut self,
        paths: Vec<String>,
        (definition, member): (&str, Option<&str>),
    ) -> Verdict {
        let Some(entry) = most_precise(&self.mapping.refused, definition, member) else {
            return Verdict::Carried(paths);
        };
        self.refused.insert(entry);
        Verdict::Refused(paths, self.mapping.refused[entry.0].reason.clone())
    }

    /// `RTCIceRole` is `IceRole`, and `RTCRtpCodec` is `RtpCodec` or else `Codec`; in the root, or else
    /// in a module that the mapping names.
    fn type_by_name(&self, name: &str) -> Option<String> {
        let bare = ["RTC", "RTCRtp"].map(|prefix| name.strip_prefix(prefix));
        let spelled = [Some(name)].into_iter().chain(bare).flatten().map(letters);
        let modules: Vec<&str> = [""]
            .into_iter()
            .chain(self.mapping.modules.iter().map(String::as_str))
            .collect();
        let mut candidates =
            spelled.flat_map(|name| modules.iter().map(move |it| (*it, name.clone())));
        candidates.find_map(|(module, name)| {
            let is_it = |path: &&str| {
                let (within, last) = path.rsplit_once("::").unwrap_or(("", path));
                within == module && letters(last) == name
            };
            self.surface.type_paths().find(is_it).map(str::to_owned)
        })
    }

    /// The items of the member's name, one or two in each of `types`; none when one type has none.
    fn by_name(&self, of: &str, member: &Member, types: &[String]) -> Vec<String> {
        // Which of them a method of this name stands for cannot be told.
        if member.overloaded {
            return Vec::new();
        }
        let of_types = |types: &[String], look: &dyn Fn(&RustType) -> Option<Vec<String>>| {
            let each = types.iter().map(|path| {
                let found = self.surface.rust_type(path).and_then(look)?;
                Some(
                    found
                        .into_iter()
                        .map(|name| format!("{path}::{name}"))
                        .collect(),
                )
            });
            let all: Option<Vec<Vec<String>>> = each.collect();
            all.unwrap_or_default().concat()
        };
        let name = match member.name.as_str() {
            // A keyword.
            "type" => "kind",
            name => name,
        };
        match member.kind {
            Kind::Attribute if member.writable => of_types(types, &|it| writable(it, name)),
            Kind::Attribute | Kind::Field => of_types(types, &|it| readable(it, name)),
            Kind::Method => of_types(types, &|it| method(it, name)),
            Kind::Constructor => of_types(types, &|it| one(&it.methods, "new")),
            Kind::Value => of_types(types, &|it| one(&it.variants, name)),
            Kind::Constant => of_types(types, &|it| one(&it.constants, name)),
            Kind::Protocol => Vec::new(),
            Kind::Event => {
                let events = self.events_of(of, types);
                let event = name.strip_prefix("on").unwrap_or(name);
                of_types(&events, &|it| one(&it.variants, event))
            }
        }
    }

    /// The events of `DataChannel` are `DataChannelEvent`, unless the mapping says otherwise.
    fn events_of(&self, of: &str, types: &[String]) -> Vec<String> {
        match self.mapping.events.get(of) {
            Some(named) => named.paths().to_vec(),
            None => types.iter().map(|path| format!("{path}Event")).collect(),
        }
    }

    fn mapping_matches(&mut self, idl: &[Definition]) {
        let definitions: BTreeMap<&str, BTreeSet<String>> = idl
            .iter()
            .map(|it| {
                (
                    it.name.as_str(),
                    it.members.iter().map(|m| m.name.clone()).collect(),
                )
            })
            .collect();
        let Mapping {
            types,
            events,
            members,
            absent,
            refused,
            ..
        } = self.mapping;
        for name in types.keys().chain(events.keys()) {
            if !definitions.contains_key(name.as_str()) {
                self.problems
                    .push(format!("the mapping's {name} is in no IDL"));
            }
        }
        for key in members.keys() {
            let known = key.split_once('.').is_some_and(|(of, member)| {
                definitions.get(of).is_some_and(|it| it.contains(member))
            });
            if !known {
                self.problems
                    .push(format!("the mapping's {key} is in no IDL"));
            }
        }
        for path in events.values().flat_map(Items::paths) {
            if self.surface.rust_type(path).is_none() {
                self.problems
                    .push(format!("the mapping's events: there is no `{path}`"));
            }
        }
        self.problems.extend(unused(absent, &self.absent));
        self.problems.extend(unused(refused, &self.refused));
    }
}

fn unused(list: &[Because], used: &BTreeSet<(usize, usize)>) -> Vec<String> {
    let entries = list.iter().enumerate().flat_map(|(reason, entry)| {
        let patterns = entry.of.iter().enumerate();
        patterns.map(move |(at, pattern)| ((reason, at), pattern, &entry.reason))
    });
    entries
        .filter(|(at, ..)| !used.contains(at))
        .map(|(_, pattern, reason)| {
            format!("the mapping's {pattern} (\"{reason}\") is the reason of nothing")
        })
        .collect()
}

/// W3C and Rust spell the same name with the same letters and digits.
fn letters(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn find(names: &BTreeSet<String>, name: &str) -> Option<String> {
    let wanted = letters(name);
    names.iter().find(|it| letters(it) == wanted).cloned()
}

fn one(names: &BTreeSet<String>, name: &str) -> Option<Vec<String>> {
    find(names, name).map(|it| vec![it])
}

fn readable(of: &RustType, name: &str) -> Option<Vec<String>> {
    one(&of.fields, name).or_else(|| one(&of.methods, name))
}

/// A public field, or a method that reads and one that writes.
fn writable(of: &RustType, name: &str) -> Option<Vec<String>> {
    let set = || find(&of.methods, &format!("set_{name}"));
    one(&of.fields, name).or_else(|| Some(vec![find(&of.methods, name)?, set()?]))
}

/// Rust's getters have no `get_`.
fn method(of: &RustType, name: &str) -> Option<Vec<String>> {
    let bare = name
        .strip_prefix("get")
        .filter(|rest| rest.starts_with(char::is_uppercase));
    one(&of.methods, name).or_else(|| one(&of.methods, bare?))
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
