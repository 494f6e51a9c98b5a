//! Two endpoints by lot.

/// How often a draw is thrown away before all weights are added up.
const TRIES: u32 = 8;

/// What was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Drawn by its weight: where weights alone decide, this one.
    pub first: usize,
    /// Another, drawn from the rest by its weight; none, when there is only one.
    pub second: Option<usize>,
}

/// Draws two of `count` places with chances in proportion to their `weight`s, each more than 0 and at most 1: the
/// first of all, the second of the rest. `None`, when there are none.
///
/// `lot` is asked for any 64 bits, a few times. It takes no longer for many places than for few, unless most
/// weights are far below 1.
///
/// ```
/// use portcullis_core::balance::two;
///
/// let mut lots = [u64::MAX / 2 + 1, 0, 0, 0].into_iter();
/// let choice = two(4, |_| 1.0, || lots.next().unwrap()).unwrap();
/// assert_eq!((choice.first, choice.second), (2, Some(0)));
/// ```
pub fn two(count: usize, weight: impl Fn(usize) -> f64, mut lot: impl FnMut() -> u64) -> Option<Choice> {
    let first = one(count, &weight, &mut lot)?;
    // The rest, without the place of the first.
    let place = |at: usize| if at >= first { at + 1 } else { at };
    let second = one(count - 1, &|at| weight(place(at)), &mut lot).map(place);
    Some(Choice { first, second })
}

fn one(count: usize, weight: &impl Fn(usize) -> f64, lot: &mut impl FnMut() -> u64) -> Option<usize> {
    if count < 2 {
        return count.checked_sub(1);
    }
    for _ in 0..TRIES {
        let at = below(count, lot());
        let weight = weight(at);
        if weight >= 1.0 || unit(lot()) < weight {
            return Some(at);
        }
    }
    Some(by_sum(count, weight, lot()))
}

/// The place at which the sum of the weights passes the lot.
#[cold]
fn by_sum(count: usize, weight: &impl Fn(usize) -> f64, lot: u64) -> usize {
    let total: f64 = (0..count).map(weight).sum();
    let mut left = unit(lot) * total;
    for at in 0..count {
        left -= weight(at);
        if left < 0.0 {
            return at;
        }
    }
    count - 1
}

/// A number below `count`, by the highest bits of the lot.
fn below(count: usize, lot: u64) -> usize {
    ((u128::from(lot) * count as u128) >> 64) as usize
}

/// The 53 highest bits as a share of 1.
pub(super) fn unit(lot: u64) -> f64 {
    (lot >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;
    use crate::balance::rendezvous::mixed;

    fn shares(weights: &[f64], draws: u64) -> Vec<f64> {
        let mut counts = vec![0.0; weights.len()];
        let mut next = 0;
        for _ in 0..draws {
            let lot = || {
                next += 1;
                mixed(next)
            };
            let Some(choice) = two(weights.len(), |at| weights[at], lot) else { continue };
            assert!(
                Some(choice.first) != choice.second && choice.second.is_some_and(|at| at < weights.len())
            );
            counts[choice.first] += 1.0 / draws as f64;
        }
        counts
    }

    #[test]
    fn the_first_is_drawn_by_weight() {
        for weights in
            [vec![1.0; 5], vec![1.0, 0.5, 0.25], vec![1.0, 0.01], vec![1e-6, 1e-6, 1e-6, 1.0, 3e-6]]
        {
            let total: f64 = weights.iter().sum();
            for (share, weight) in shares(&weights, 100_000).into_iter().zip(&weights) {
                assert!((share - weight / total).abs() < 0.01, "{weights:?}: {share}");
            }
        }
    }

    #[test]
    fn of_none_nothing_and_of_one_that() {
        assert_eq!(two(0, |_| 1.0, || 0), None);
        assert_eq!(two(1, |_| 0.1, || u64::MAX), Some(Choice { first: 0, second: None }));
    }

    #[test]
    fn weights_of_nothing_draw_somebody() {
        assert!(two(3, |_| 0.0, || u64::MAX).is_some_and(|choice| choice.first < 3));
    }
}
