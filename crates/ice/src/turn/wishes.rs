//! What an Allocate request asks for that a server may refuse, and what is asked for then.

use pc_stun::{AddressFamily, Attribute, AttributeType, MessageBuilder, MessageView};

use super::{Config, Families};

/// ADDITIONAL-ADDRESS-FAMILY as coturn knew it before its release 4.8 of January 2026: from the draft
/// of RFC 8656, under a number that was never assigned. A server that knows neither number leaves
/// both out of account, since neither has to be understood (RFC 8489 §14).
const DRAFT_ADDITIONAL_ADDRESS_FAMILY: AttributeType = AttributeType(0x8032);

/// Which families the next request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// None: IPv4 (RFC 8656 §7.2), or whichever the server takes for granted.
    Nothing,
    /// REQUESTED-ADDRESS-FAMILY of IPv6.
    V6,
    /// ADDITIONAL-ADDRESS-FAMILY.
    Both,
}

/// What the next Allocate request asks for.
///
/// ```text
///   Named::Both ──refused()──► Named::Nothing ──440──► Named::V6
///   mobility    ──405, refused()──► none
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wishes {
    /// What is of use: the steps go no further than that.
    families: Families,
    named: Named,
    mobility: bool,
}

impl Wishes {
    pub(super) const fn new(config: &Config) -> Self {
        Self {
            families: config.families,
            named: match config.families {
                Families::V4 | Families::Any => Named::Nothing,
                Families::V6 => Named::V6,
                Families::Both => Named::Both,
            },
            mobility: config.mobility,
        }
    }

    /// RFC 8656 §7.1, RFC 8016 §3.1.1
    pub(super) fn write(self, request: &mut MessageBuilder<'_>) {
        let family = AddressFamily::V6;
        match self.named {
            Named::Nothing => {}
            Named::V6 => {
                request.attribute(Attribute::RequestedAddressFamily(family));
            }
            Named::Both => {
                request
                    .attribute(Attribute::AdditionalAddressFamily(family))
                    .attribute(Attribute::Unknown {
                        kind: DRAFT_ADDITIONAL_ADDRESS_FAMILY,
                        value: &[2, 0, 0, 0],
                    });
            }
        }
        if self.mobility {
            // An empty one asks for a ticket.
            request.attribute(Attribute::MobilityTicket(&[]));
        }
    }

    /// The server refuses with this code: asks for less, if that may help, and says so.
    pub(super) fn lessen(&mut self, code: u16, answer: &MessageView<'_>) -> bool {
        let before = *self;
        match code {
            // RFC 8016 §3.1.2
            405 => self.mobility = false,
            // RFC 8489 §6.3.1.1, though neither attribute has to be understood.
            420 => self.forget_unknown(answer),
            // RFC 8656 §7.2: the server has no address of any family that was named.
            440 => self.name_another(),
            // coturn, wherever its relayed addresses are mapped by `external-ip`, refuses to give two
            // at once: with 440 before its release 4.16, with 508 since. And whoever chokes on what
            // he does not know may well give an ordinary allocation.
            400 | 500..=599 => self.ask_nothing_special(),
            _ => {}
        }
        *self != before
    }

    fn forget_unknown(&mut self, answer: &MessageView<'_>) {
        let kind = AttributeType::UNKNOWN_ATTRIBUTES;
        let before = *self;
        if let Some(Attribute::UnknownAttributes(list)) = answer.attribute(kind) {
            for kind in list.iter() {
                match kind {
                    AttributeType::MOBILITY_TICKET => self.mobility = false,
                    AttributeType::ADDITIONAL_ADDRESS_FAMILY | DRAFT_ADDITIONAL_ADDRESS_FAMILY => {
                        self.one_family();
                    }
                    _ => {}
                }
            }
        }
        if *self == before {
            self.ask_nothing_special();
        }
    }

    fn name_another(&mut self) {
        self.named = match (self.families, self.named) {
            (Families::Both, Named::Both) => Named::Nothing,
            (Families::Both | Families::Any, Named::Nothing) => Named::V6,
            (_, named) => named,
        };
    }

    fn one_family(&mut self) {
        if self.named == Named::Both {
            self.named = Named::Nothing;
        }
    }

    fn ask_nothing_special(&mut self) {
        self.one_family();
        self.mobility = false;
    }
}
