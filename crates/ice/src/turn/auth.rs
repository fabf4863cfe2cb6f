//! Long-term credentials, [RFC 8489 §9.2](https://www.rfc-editor.org/rfc/rfc8489#section-9.2).

use std::fmt;

use pc_stun::{
    Attribute, AttributeType, IntegrityAlgorithm, IntegrityError, IntegrityKey, MessageBuilder,
    MessageView, PasswordAlgorithm, userhash,
};

use super::Credentials;
use crate::{ErrorResponse, ServerError};

/// The longest realm and nonce (RFC 8489 §14.9–14.10).
const MAX_TEXT: usize = 763;

/// The longest list of password algorithms that is repeated to the server. Two are defined.
const MAX_LIST: usize = 128;

/// What a nonce begins with when security features follow (RFC 8489 §9.2).
const NONCE_COOKIE: &str = "obMatJos2";

/// What the server has asked for, and the credentials that answer it.
#[derive(Clone)]
pub(super) struct Auth {
    credentials: Credentials,
    challenge: Option<Challenge>,
}

/// What a 401 or 438 has told.
#[derive(Clone)]
struct Challenge {
    realm: Box<str>,
    nonce: Box<str>,
    algorithms: Option<Algorithms>,
    /// In the stead of the user name.
    userhash: Option<[u8; 32]>,
    key: IntegrityKey,
}

/// PASSWORD-ALGORITHMS (RFC 8489 §14.11).
#[derive(Clone)]
struct Algorithms {
    /// The list as it came.
    list: Box<[u8]>,
    /// The first of them that is known here.
    chosen: PasswordAlgorithm,
}

/// With what a request was signed, so that its answer can be checked.
#[derive(Clone)]
pub(super) struct Proof {
    key: IntegrityKey,
    algorithm: IntegrityAlgorithm,
}

impl Proof {
    /// Whether the answer is signed as its request was: an answer signed with the weaker HMAC proves
    /// nothing where the stronger one was agreed (RFC 8489 §9.2.5).
    pub(super) fn verify(&self, answer: &MessageView<'_>) -> Result<(), IntegrityError> {
        answer.verify_integrity_with(&self.key, self.algorithm)
    }
}

impl Auth {
    pub(super) const fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            challenge: None,
        }
    }

    /// Signs a request, as the server has asked for it; the first one goes without
    /// (RFC 8489 §9.2.3).
    pub(super) fn sign(&self, request: &mut MessageBuilder<'_>) -> Option<Proof> {
        let challenge = self.challenge.as_ref()?;
        match &challenge.userhash {
            Some(hash) => request.attribute(Attribute::UserHash(hash)),
            None => request.attribute(Attribute::Username(&self.credentials.username)),
        };
        request
            .attribute(Attribute::Realm(&challenge.realm))
            .attribute(Attribute::Nonce(&challenge.nonce));
        let key = challenge.key.clone();
        let Some(Algorithms { list, chosen }) = &challenge.algorithms else {
            request.integrity(&key);
            let algorithm = IntegrityAlgorithm::Sha1;
            return Some(Proof { key, algorithm });
        };
        // The list goes back as it came: who has changed it on the way here is found out.
        request
            .attribute(Attribute::Unknown {
                kind: AttributeType::PASSWORD_ALGORITHMS,
                value: list,
            })
            .attribute(Attribute::PasswordAlgorithm((*chosen).into()))
            .integrity_sha256(&key);
        let algorithm = IntegrityAlgorithm::Sha256;
        Some(Proof { key, algorithm })
    }

    /// Learns from a 401 or 438 what the next request is to say (RFC 8489 §9.2.5).
    ///
    /// `signed` says whether the request that was refused had credentials.
    ///
    /// # Errors
    ///
    /// Another request would not do better.
    pub(super) fn challenged(
        &mut self,
        answer: &MessageView<'_>,
        error: ErrorResponse,
        signed: bool,
    ) -> Result<(), ServerError> {
        let nonce = text(answer.nonce(), "NONCE")?;
        let features = SecurityFeatures::of(nonce);
        let algorithms = offered_algorithms(answer)?;
        if features.password_algorithms && algorithms.is_none() {
            return Err(ServerError::BidDown);
        }
        match (&mut self.challenge, error.code) {
            // The credentials stand, and what was agreed for them: only the nonce is old. So a
            // forged 438 cannot talk anybody into the weaker HMAC either.
            (Some(known), 438) if signed => {
                match algorithms {
                    None => known.nonce = nonce.into(),
                    Some(_) => {
                        let realm = known.realm.clone();
                        self.answer_to(&realm, nonce, algorithms, features);
                    }
                }
                Ok(())
            }
            (_, 438) => Err(ServerError::Refused(error)),
            (known, _) => {
                let realm = text(answer.realm(), "REALM")?;
                // RFC 8489 §9.2.5: not again with the same credentials.
                if signed && known.as_ref().is_some_and(|known| *known.realm == *realm) {
                    return Err(ServerError::Refused(error));
                }
                self.answer_to(realm, nonce, algorithms, features);
                Ok(())
            }
        }
    }

    fn answer_to(
        &mut self,
        realm: &str,
        nonce: &str,
        algorithms: Option<Algorithms>,
        features: SecurityFeatures,
    ) {
        let Credentials { username, password } = &self.credentials;
        let algorithm = match &algorithms {
            Some(offered) => offered.chosen,
            // RFC 8489 §9.2.2: MD5 where no algorithm is named.
            None => PasswordAlgorithm::Md5,
        };
        self.challenge = Some(Challenge {
            key: IntegrityKey::long_term(username, realm, password, algorithm),
            userhash: features
                .username_anonymity
                .then(|| userhash(username, realm)),
            realm: realm.into(),
            nonce: nonce.into(),
            algorithms,
        });
    }
}

impl fmt::Debug for Auth {
    /// Without password and key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let challenge = self.challenge.as_ref();
        f.debug_struct("Auth")
            .field("credentials", &self.credentials)
            .field("realm", &challenge.map(|challenge| &challenge.realm))
            .field("nonce", &challenge.map(|challenge| &challenge.nonce))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof({:?})", self.algorithm)
    }
}

/// Whether a nonce promises a list of password algorithms that the message does not have: somebody
/// has taken it out (RFC 8489 §9.2.5).
pub(super) fn is_bid_down(message: &MessageView<'_>) -> bool {
    let nonce = message.nonce().unwrap_or_default();
    SecurityFeatures::of(nonce).password_algorithms
        && message
            .attribute(AttributeType::PASSWORD_ALGORITHMS)
            .is_none()
}

fn text<'a>(text: Option<&'a str>, what: &'static str) -> Result<&'a str, ServerError> {
    text.filter(|text| text.len() <= MAX_TEXT)
        .ok_or(ServerError::BadResponse(what))
}

fn offered_algorithms(answer: &MessageView<'_>) -> Result<Option<Algorithms>, ServerError> {
    let kind = AttributeType::PASSWORD_ALGORITHMS;
    let Some(Attribute::PasswordAlgorithms(list)) = answer.attribute(kind) else {
        return Ok(None);
    };
    let wire = answer.value(kind).unwrap_or_default();
    if wire.len() > MAX_LIST {
        return Err(ServerError::BadResponse("PASSWORD-ALGORITHMS"));
    }
    let known = list.iter().find_map(|entry| entry.algorithm());
    Ok(Some(Algorithms {
        list: wire.into(),
        chosen: known.ok_or(ServerError::NoPasswordAlgorithm)?,
    }))
}

/// The STUN Security Features in a nonce (RFC 8489 §9.2, §18.1): 24 bits in base64.
///
/// The registry counts the bits from the left, while the nonce of appendix B.1, "obMatJos2AAAC…" of a
/// request with USERHASH, counts them from the right. Servers of both kinds exist, and no other bit
/// is assigned, so a bit is taken from either side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct SecurityFeatures {
    /// Bit 0.
    password_algorithms: bool,
    /// Bit 1.
    username_anonymity: bool,
}

impl SecurityFeatures {
    fn of(nonce: &str) -> Self {
        let bits = nonce
            .strip_prefix(NONCE_COOKIE)
            .and_then(|rest| rest.as_bytes().first_chunk::<4>())
            .and_then(|digits| {
                let add = |sum: u32, digit: &u8| Some(sum << 6 | base64_digit(*digit)?);
                digits.iter().try_fold(0, add)
            })
            .unwrap_or(0);
        Self {
            password_algorithms: bits & 0x80_0001 != 0,
            username_anonymity: bits & 0x40_0002 != 0,
        }
    }
}

/// RFC 4648 §4
fn base64_digit(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_from_either_side() {
        let of = |nonce| {
            let features = SecurityFeatures::of(nonce);
            (features.password_algorithms, features.username_anonymity)
        };
        // RFC 8489 §18.1: bit 0 is the leftmost.
        assert_eq!(of("obMatJos2gAAAnonce"), (true, false));
        assert_eq!(of("obMatJos2QAAAnonce"), (false, true));
        assert_eq!(of("obMatJos2wAAAnonce"), (true, true));
        // RFC 8489 appendix B.1
        let sample = "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA";
        assert_eq!(of(sample), (false, true));
        assert_eq!(of("obMatJos2AAAB"), (true, false));
        for plain in [
            "",
            "obMatJos2",
            "obMatJos2AA",
            "obMatJos2AA=C",
            "xobMatJos2gAAA",
        ] {
            assert_eq!(of(plain), (false, false), "{plain:?}");
        }
    }

    #[test]
    fn debug_keeps_the_password() {
        let mut auth = Auth::new(Credentials::new("user", "verysecret"));
        let features = SecurityFeatures::default();
        auth.answer_to("realm", "nonce", None, features);
        let mut bytes = [0; 200];
        let id = pc_stun::TransactionId([0; 12]);
        let class = pc_stun::Class::Request;
        let method = pc_stun::Method::REFRESH;
        let mut request = MessageBuilder::new(&mut bytes, class, method, id);
        let proof = auth.sign(&mut request).unwrap();
        let shown = format!("{auth:?} {proof:?}");
        assert!(shown.contains("user") && shown.contains("nonce"));
        assert!(!shown.contains("verysecret"));
    }
}
