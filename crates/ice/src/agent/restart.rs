//! ICE restart (RFC 8445 §9) and changes of role (§7.3.1.1).

use rand_chacha::rand_core::Rng;

use super::Agent;
use crate::{Credentials, Role, generation::Generation};

impl Agent {
    /// Replaces the generation. The one before it is kept for its path and its peer's checks; one
    /// that never had the peer's credentials has nothing worth keeping beside an older path.
    pub(super) fn begin_generation(&mut self, credentials: Credentials) {
        let number = self.current.number.wrapping_add(1);
        let old = std::mem::replace(&mut self.current, Generation::new(number, credentials));
        self.tie_breaker = self.rng.next_u64();
        let carries = |generation: u32| {
            let path = self.path.as_ref();
            path.is_some_and(|path| path.generation == generation)
        };
        let keep = self
            .retired
            .as_ref()
            .is_some_and(|retired| carries(retired.number));
        if !keep {
            self.retired = Some(old.retire());
        }
    }

    /// Takes on a role; what was computed from the old one is computed anew.
    pub(super) fn change_role(&mut self, role: Role) {
        if self.role != role {
            self.role = role;
            self.current.nominating = None;
            self.current.checklist.rank_all(role);
        }
    }
}
