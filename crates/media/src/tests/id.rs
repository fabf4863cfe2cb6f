use proptest::prelude::*;

use crate::uuid_v4;

#[test]
fn the_example_of_the_rfc() {
    // RFC 9562 §A.3, whose version and variant bits are here set to what they must not stay.
    let mut random = 0x919108f7_52d1_4320_9bac_f847db4148a8_u128;
    random ^= 0xf000_c000_0000_0000_0000;
    assert_eq!(
        uuid_v4(random.to_be_bytes()),
        "919108f7-52d1-4320-9bac-f847db4148a8"
    );
}

proptest! {
    #[test]
    fn every_id_is_a_version_4_uuid(random: [u8; 16]) {
        let id = uuid_v4(random);
        let groups: Vec<_> = id.split('-').collect();
        let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
        prop_assert_eq!(lengths, [8, 4, 4, 4, 12]);
        prop_assert!(id.chars().all(|it| matches!(it, '0'..='9' | 'a'..='f' | '-')));
        prop_assert!(groups[2].starts_with('4'));
        prop_assert!(groups[3].starts_with(['8', '9', 'a', 'b']));
    }

    #[test]
    fn no_other_bit_is_lost(random: [u8; 16], bit in 0_usize..128) {
        let fixed = matches!(bit, 48..=51 | 64..=65);
        let mut other = random;
        other[bit / 8] ^= 0x80 >> (bit % 8);
        prop_assert_eq!(uuid_v4(random) == uuid_v4(other), fixed);
    }
}
