//! What browsers send: ICE checks captured on a loopback between two connections of one page.

use crate::{Attribute, AttributeType, Class, IntegrityKey, MessageView};

/// A file of the corpus, and the key of the side that the check was sent to.
struct Capture {
    bytes: &'static [u8],
    password: &'static str,
}

macro_rules! capture {
    ($name:literal, $password:literal) => {
        Capture {
            bytes: include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../fuzz/corpus/stun/",
                $name,
                ".stun"
            )),
            password: $password,
        }
    };
}

impl Capture {
    /// The message, once it has been verified.
    fn verified(&self) -> MessageView<'static> {
        let view = MessageView::parse(self.bytes).unwrap();
        let key = IntegrityKey::short_term(self.password);
        assert_eq!(view.verify_fingerprint(), Ok(()));
        assert_eq!(view.verify_integrity(&key), Ok(()));
        assert_eq!(view.unknown_comprehension_required().count(), 0);
        view
    }
}

#[test]
fn chromium() {
    let check = capture!("chromium-check-controlled", "6ugozulwEdXAr7T3QKJrXwqO").verified();
    assert_eq!(check.class(), Class::Request);
    assert_eq!(check.username(), Some("haBr:7AiU"));
    assert_eq!(check.priority(), Some(0x6E00_1EFF));
    assert_eq!(check.ice_controlled(), Some(0xD2D6_E2C0_2906_07A4));
    assert!(!check.use_candidate());
    let network = Attribute::GoogNetworkInfo { id: 0, cost: 999 };
    assert_eq!(
        check.attribute(AttributeType::GOOG_NETWORK_INFO),
        Some(network)
    );

    let check = capture!("chromium-check-nominating", "cxCb7LnMgkNq32xZUlaw4tpr").verified();
    assert_eq!(check.username(), Some("7AiU:haBr"));
    assert_eq!(check.ice_controlling(), Some(0x4890_2C55_57DB_9A21));
    assert!(check.use_candidate());

    let success = capture!("chromium-success", "6ugozulwEdXAr7T3QKJrXwqO").verified();
    assert_eq!(success.class(), Class::Success);
    let address = "192.0.2.2:41802".parse().unwrap();
    assert_eq!(success.xor_mapped_address(), Some(address));
}

#[test]
fn firefox() {
    let check = capture!(
        "firefox-check-controlled",
        "35b74187b434c5d75a297a6e05ab487a"
    )
    .verified();
    assert_eq!(check.username(), Some("4637e21e:6c6b8419"));
    assert_eq!(check.priority(), Some(0x6E7E_00FF));
    assert_eq!(check.ice_controlled(), Some(0xDFDD_769F_05F5_55CE));

    let check = capture!(
        "firefox-check-nominating",
        "9fe533b1b610873eb3e89fa3b47e1226"
    )
    .verified();
    assert_eq!(check.username(), Some("6c6b8419:4637e21e"));
    assert_eq!(check.ice_controlling(), Some(0x72A2_D223_DCF0_1E76));
    assert!(check.use_candidate());

    let success = capture!("firefox-success", "9fe533b1b610873eb3e89fa3b47e1226").verified();
    assert_eq!(success.class(), Class::Success);
    assert!(success.xor_mapped_address().is_some());
}
