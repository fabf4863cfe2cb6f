//! How many bits a second each encoding of a sender may use.

use pc_jsep::EncodingParameters;

/// What a sender begins with before the network has been heard of.
const START_BITRATE: u64 = 1_000_000;

/// What a picture of this many pixels is worth at 30 frames a second: a tenth of a bit a pixel, which
/// is what encoders in real time need for a picture that moves.
fn wanted(pixels: u64) -> u64 {
    (pixels * 3).clamp(100_000, 4_000_000)
}

/// Shares what the network takes among encodings of these sizes: in proportion to what they are worth,
/// and none beyond its `maxBitrate`. 0 for one that is not active.
pub(super) fn share(
    network: Option<u64>,
    encodings: &[EncodingParameters],
    pixels: impl Fn(usize) -> u64,
) -> Vec<u64> {
    let wishes: Vec<u64> = encodings
        .iter()
        .enumerate()
        .map(|(index, encoding)| match encoding.active {
            true => wanted(pixels(index)).min(encoding.max_bitrate.unwrap_or(u64::MAX)),
            false => 0,
        })
        .collect();
    let total: u64 = wishes.iter().sum();
    let limit = network.unwrap_or(START_BITRATE.max(total));
    let scaled = |wish: u64| match total > limit {
        true => {
            u64::try_from(u128::from(wish) * u128::from(limit) / u128::from(total)).unwrap_or(wish)
        }
        false => wish,
    };
    wishes.into_iter().map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(active: bool, max_bitrate: Option<u64>) -> EncodingParameters {
        EncodingParameters {
            active,
            max_bitrate,
            ..Default::default()
        }
    }

    #[test]
    fn the_network_is_shared_and_limits_hold() {
        let all = [
            encoding(true, None),
            encoding(false, None),
            encoding(true, Some(150_000)),
        ];
        let pixels = |index: usize| [640 * 360, 640 * 360, 320 * 180][index];
        assert_eq!(share(None, &all, pixels), [691_200, 0, 150_000]);
        let shared = share(Some(400_000), &all, pixels);
        assert_eq!(shared[1], 0);
        assert!(shared.iter().sum::<u64>() <= 400_000);
        assert!(shared[2] > 60_000 && shared[2] < 80_000, "{shared:?}");
    }
}
