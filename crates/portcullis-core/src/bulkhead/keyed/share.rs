//! How much of all permits one key may hold.

use super::Config;

/// Of what a key holds and what is free together, one in so many stays free, unless the key takes no more than
/// its share.
///
/// The dynamic threshold of Choudhury and Hahne ("Dynamic Queue Length Thresholds for Shared-Memory Packet
/// Switches", 1998) with a factor of 8, a power of two as they advise: a key on its own can use most of the
/// whole, and there is always something free for one that comes.
const KEPT_FREE: u64 = 9;

/// What a key may hold, whoever else there is.
pub(super) fn most(config: &Config) -> u64 {
    let overall = u64::from(config.overall);
    let alone = if config.max_queued > 0 { overall } else { below(overall) };
    alone.min(config.per_key.map_or(u64::MAX, u64::from)).max(1)
}

/// What a key may hold now, which holds `held`, beside so many others that hold any; so many are `free`.
///
/// Where calls can wait, that is what it may hold at all: who holds more gets the next permit later. Where they
/// cannot, it is its share, as if all that hold any and one more had the same, or else what the threshold
/// gives it. (A least share beside a common rest: "sharing with a minimum allocation" in Kamoun and Kleinrock,
/// "Analysis of Shared Finite Storage in a Computer Network Node Environment Under General Traffic
/// Conditions", 1980.)
pub(super) fn limit(config: &Config, held: u64, others: u64, free: u64) -> u64 {
    let most = most(config);
    if config.max_queued > 0 {
        return most;
    }
    let share = u64::from(config.overall) / (others + 2);
    share.max(below(held + free)).max(1).min(most)
}

/// So much of it that the rest is at least one in [`KEPT_FREE`].
fn below(all: u64) -> u64 {
    all - all.div_ceil(KEPT_FREE)
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    fn alone(overall: u32) -> u64 {
        let config = Config { overall, ..Config::default() };
        let most = most(&config);
        // It gets there step by step, and no further.
        for held in 0..u64::from(overall) {
            let more = limit(&config, held, 0, u64::from(overall) - held) > held;
            assert_eq!(more, held < most, "{held} of {overall}");
        }
        most
    }

    #[test]
    fn a_key_on_its_own_leaves_a_ninth() {
        assert_eq!([1, 2, 3, 8, 9, 10, 18, 200].map(alone), [1, 1, 2, 7, 8, 8, 16, 177]);
    }

    #[test]
    fn with_a_queue_or_its_own_limit_it_is_as_said() {
        let config = Config { overall: 200, per_key: Some(50), ..Config::default() };
        assert_eq!((most(&config), limit(&config, 0, 0, 200)), (50, 50));
        let config = Config { max_queued: 1, per_key: None, ..config };
        assert_eq!((most(&config), limit(&config, 199, 7, 1)), (200, 200));
    }

    #[test]
    fn what_is_scarce_is_left_to_those_who_have_less_than_their_share() {
        let config = Config { overall: 10, ..Config::default() };
        assert_eq!(limit(&config, 7, 1, 1), 7, "it was 8");
        assert_eq!(limit(&config, 2, 1, 1), 3, "a third, as if there were one more");
        assert_eq!(limit(&config, 5, 1, 3), 7);
        assert_eq!(limit(&config, 0, 50, 0), 1, "one is everybody's share");
    }
}
