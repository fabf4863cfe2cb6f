use std::{
    collections::VecDeque,
    net::IpAddr,
    time::{Duration, Instant},
};

use super::{MessageView, Name, RecordType, wire::Section};

/// How many addresses are remembered.
const MAX_HEARD: usize = 128;
/// For how long at most: no host's address holds longer. RFC 6762 §10
const MAX_AGE: Duration = Duration::from_secs(120);

/// What everybody was told of late: the names of candidates, before anybody here has asked for
/// them. RFC 6762 §5.2 has every host remember that.
///
/// Names that do not look like a candidate's are nobody's business here.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The latest last.
    records: VecDeque<(Name, IpAddr, Instant)>,
}

impl Heard {
    /// Remembers what a response tells everybody, and forgets what it takes back.
    pub(super) fn listen(&mut self, now: Instant, message: &MessageView<'_>) {
        for record in message
            .records()
            .filter(|r| r.section != Section::Authority)
        {
            let Some(ip) = record.address() else { continue };
            let Some(name) = record.name.to_name().filter(Name::is_uuid) else {
                continue;
            };
            // A record that replaces others does so within its type. RFC 6762 §10.2
            self.records.retain(|(known, old, until)| {
                let same_type = RecordType::of(*old) == record.kind;
                let replaced = *known == name && same_type && (record.flush || *old == ip);
                !replaced && *until > now
            });
            if record.ttl == 0 {
                continue;
            }
            if self.records.len() >= MAX_HEARD {
                self.records.pop_front();
            }
            let age = Duration::from_secs(record.ttl.into()).min(MAX_AGE);
            self.records.push_back((name, ip, now + age));
        }
    }

    /// The address of `name`, if there is one and no other.
    pub(super) fn address_of(&self, now: Instant, name: &Name) -> Option<IpAddr> {
        let of_name = |known: &&(Name, IpAddr, Instant)| known.0 == *name && known.2 > now;
        let mut found = self.records.iter().filter(of_name);
        match (found.next(), found.next()) {
            (Some((_, ip, _)), None) => Some(*ip),
            _ => None,
        }
    }
}
