//! Two programs measured in turn, block by block and process by process: the surest way to tell a slower program from a
//! slower machine.
//!
//! ```text
//! pair        what the first program's process took, and what the second's did, which took turns with it
//! change      geometric mean of the pairs' ratios, second over first
//! FEW_PAIRS   where the change is within PAIRED_FLOOR, that is all; where it isn't, ALL_PAIRS are measured
//! ALL_PAIRS   changed where Student's 99.95 % interval of the logarithms lies beyond PAIRED_FLOOR, on one side
//! ```
//! Whatever slows a machine for longer than a block takes slows both programs, and leaves their ratio. What a process has of
//! its own (addresses, pages, seeds of hash tables) differs from pair to pair, and widens the interval. That the
//! interval is one of 99.95 %, looked at once, lets a run of a hundred figures pass without a false alarm.

use super::Verdict;
use crate::timing::{Samples, median};

/// Changes up to this share are never called one: the same source, laid out otherwise, differs by as much
/// (Mytkowicz et al. 2009, "Producing wrong data without doing anything obviously wrong!").
pub const PAIRED_FLOOR: f64 = 0.05;

/// Enough to see that nothing changed.
pub const FEW_PAIRS: usize = 3;

/// Enough to be sure that something did: a change of a fifth, where processes differ by a twentieth.
pub const ALL_PAIRS: usize = 9;

/// Two-sided quantiles of Student's distribution for the degrees of freedom of few pairs and of all.
const FEW_95: f64 = 4.303;
const ALL_95: f64 = 2.306;
const ALL_99_95: f64 = 5.617;

/// A time of one program against that of another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedChange {
    /// The second program's over the first's.
    pub ratio: f64,
    /// 95 % confidence interval of it.
    pub interval_95: [f64; 2],
    /// What follows.
    pub verdict: Verdict,
    /// It may have changed; only all pairs can tell.
    pub is_open: bool,
}

/// A pair of two processes that took [turns](crate::turns): nanoseconds a call of the first, in its middle block, and of
/// the second, as much slower as it was in the middle one of the blocks that were taken at the same time. None without
/// blocks.
pub fn pair_of(first: &Samples, second: &Samples) -> Option<[f64; 2]> {
    let first: Vec<f64> = first.block_medians_ns().collect();
    let ratios: Vec<f64> = first
        .iter()
        .zip(second.block_medians_ns())
        .map(|(first, second)| second / first)
        .collect();
    let middle = median(&first);
    (!ratios.is_empty()).then(|| [middle, middle * median(&ratios)])
}

/// Judges [`FEW_PAIRS`] or [`ALL_PAIRS`] of what a first and a second program took; none if there is another number of
/// them, or one isn't of positive times.
pub fn compare_pairs(pairs: &[[f64; 2]]) -> Option<PairedChange> {
    let is_usable = |pair: &[f64; 2]| pair.iter().all(|time| time.is_finite() && *time > 0.0);
    if !matches!(pairs.len(), FEW_PAIRS | ALL_PAIRS) || !pairs.iter().all(is_usable) {
        return None;
    }
    let n_pairs = pairs.len() as f64;
    let logarithms: Vec<f64> = pairs
        .iter()
        .map(|[first, second]| (second / first).ln())
        .collect();
    let mean = logarithms.iter().sum::<f64>() / n_pairs;
    let squares: f64 = logarithms.iter().map(|log| (log - mean).powi(2)).sum();
    let error = (squares / (n_pairs - 1.0) / n_pairs).sqrt();
    let interval = |quantile: f64| [mean - quantile * error, mean + quantile * error];
    let floor = PAIRED_FLOOR.ln_1p();
    let [low, high] = interval(ALL_99_95);
    let are_all = pairs.len() == ALL_PAIRS;
    let verdict = if are_all && low > floor {
        Verdict::Worse
    } else if are_all && high < -floor {
        Verdict::Better
    } else {
        Verdict::WithinNoise
    };
    Some(PairedChange {
        ratio: mean.exp(),
        interval_95: interval(if are_all { ALL_95 } else { FEW_95 }).map(f64::exp),
        verdict,
        is_open: !are_all && mean.abs() > floor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::statistics::SplitMix64;

    const N_COMPARISONS: usize = 200;

    /// Pairs on a machine that is up to twice as slow as at its best, otherwise from pair to pair, and whose processes
    /// differ by this standard deviation.
    fn pairs(random: &mut SplitMix64, slower: f64, noise: f64) -> Vec<[f64; 2]> {
        let uniform = |random: &mut SplitMix64| (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let normal = |random: &mut SplitMix64| (0..12).map(|_| uniform(random)).sum::<f64>() - 6.0;
        let pair = |_| {
            let machine = 1.0 + uniform(random);
            [1.0, slower].map(|work| 1e6 * work * machine * (noise * normal(random)).exp())
        };
        (0..ALL_PAIRS).map(pair).collect()
    }

    /// Measures all pairs where few leave it open.
    fn verdict(pairs: &[[f64; 2]]) -> Verdict {
        let few = compare_pairs(&pairs[..FEW_PAIRS]).unwrap();
        assert_eq!(few.verdict, Verdict::WithinNoise, "few can't tell");
        if few.is_open {
            compare_pairs(pairs).unwrap().verdict
        } else {
            few.verdict
        }
    }

    fn n_of(wanted: Verdict, seed: u64, slower: f64, noise: f64) -> usize {
        let mut random = SplitMix64(seed);
        let found = (0..N_COMPARISONS).map(|_| verdict(&pairs(&mut random, slower, noise)));
        found.filter(|verdict| *verdict == wanted).count()
    }

    #[test]
    fn the_same_program_is_within_noise_however_slow_the_machine() {
        for (seed, noise) in [(1, 0.01), (2, 0.03), (3, 0.10), (4, 0.50)] {
            assert_eq!(
                n_of(Verdict::WithinNoise, seed, 1.0, noise),
                N_COMPARISONS,
                "{noise}"
            );
        }
    }

    #[test]
    fn a_fifth_more_is_worse_and_a_fifth_less_is_better() {
        for (slower, wanted) in [(1.2, Verdict::Worse), (0.8, Verdict::Better)] {
            let n_found = n_of(wanted, 5, slower, 0.03);
            assert!(n_found * 100 >= N_COMPARISONS * 95, "{wanted:?}: {n_found}");
        }
    }

    #[test]
    fn noise_as_large_as_the_change_hides_it() {
        assert!(n_of(Verdict::Worse, 6, 1.2, 0.20) * 10 < N_COMPARISONS);
    }

    #[test]
    fn known_pairs_have_the_known_interval() {
        // Logarithms 0.1, 0.2, 0.3: mean 0.2, standard error 0.1 / √3, 4.303 of which are 0.2484.
        let pairs = [0.1_f64, 0.2, 0.3].map(|log| [1.0, log.exp()]);
        let change = compare_pairs(&pairs).unwrap();
        assert!((change.ratio.ln() - 0.2).abs() < 1e-9, "{change:?}");
        assert!((change.interval_95[0].ln() + 0.0484).abs() < 1e-3, "{change:?}");
        assert!((change.interval_95[1].ln() - 0.4484).abs() < 1e-3, "{change:?}");
        assert_eq!((change.verdict, change.is_open), (Verdict::WithinNoise, true));
    }

    #[test]
    fn slow_spell_that_two_processes_share_leaves_their_ratio() {
        let samples = |ns: &[f64]| Samples {
            ns: ns.to_vec(),
            per_block: 1,
            ..Samples::default()
        };
        // The second is a fifth slower; half of the time the machine is, by a factor of two; it has one block more.
        let first = samples(&[10.0, 20.0, 20.0, 10.0, 20.0]);
        let second = samples(&[12.0, 24.0, 24.0, 12.0, 90.0, 12.0]);
        let [before, now] = pair_of(&first, &second).unwrap();
        assert!(
            (before - 20.0).abs() < 1e-9 && (now - 24.0).abs() < 1e-9,
            "{before} {now}"
        );
        assert_eq!(pair_of(&first, &samples(&[])), None);
    }

    #[test]
    fn what_cannot_be_judged_is_not() {
        let good = [1.0, 1.0];
        for n_pairs in [0, FEW_PAIRS - 1, FEW_PAIRS + 1, ALL_PAIRS + 1] {
            assert_eq!(compare_pairs(&vec![good; n_pairs]), None);
        }
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(compare_pairs(&[good, good, [1.0, bad]]), None);
        }
    }
}
