//! Order statistics and the bootstrap: samples come in, numbers go out, the same samples give the same numbers.

/// Resamplings of the bootstrap; the 2.5 % at either end are then 50 values.
const N_RESAMPLINGS: usize = 2_000;

/// The median absolute deviation of a normal distribution times this is its standard deviation.
const MAD_TO_STANDARD_DEVIATION: f64 = 1.482_6;

/// The values in ascending order.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The value below which `share` of the sorted values lie, interpolated between neighbours (Hyndman & Fan
/// 1996, definition 7); 0 without values.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let position = share * last as f64;
    let below = position.floor();
    let (low, high) = (sorted[below as usize], sorted[position.ceil() as usize]);
    low + (high - low) * (position - below)
}

/// The middle value, 0 without values.
pub fn median(values: &[f64]) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// Median of the distances from the median, not scaled to a standard deviation.
pub(crate) fn median_deviation(values: &[f64]) -> f64 {
    let middle = median(values);
    let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    median(&distances)
}

/// How far the medians of the blocks lie apart: their standard deviation as a share of their median, estimated from
/// the middle half of them, so that one disturbed block doesn't count as noise of all.
pub(crate) fn spread_between_blocks(samples: &[f64], per_block: usize) -> f64 {
    let medians: Vec<f64> = samples.chunks(per_block.max(1)).map(median).collect();
    let middle = median(&medians);
    if middle > 0.0 {
        MAD_TO_STANDARD_DEVIATION * median_deviation(&medians) / middle
    } else {
        0.0
    }
}

/// 95 % confidence interval of the median; both ends 0 without samples.
pub(crate) fn median_interval_95(samples: &[f64], per_block: usize) -> [f64; 2] {
    let mut random = SplitMix64(42);
    let medians = resampled_medians(samples, per_block, &mut random);
    ends_95(&medians)
}

/// 95 % confidence interval of the second median over the first.
pub(crate) fn ratio_interval_95(before: (&[f64], usize), now: (&[f64], usize)) -> [f64; 2] {
    let mut random = SplitMix64(42);
    let before = resampled_medians(before.0, before.1, &mut random);
    let now = resampled_medians(now.0, now.1, &mut random);
    let ratios: Vec<f64> = now
        .iter()
        .zip(&before)
        .map(|(now, before)| now / before)
        .collect();
    ends_95(&ratios)
}

/// Percentile bootstrap (Efron 1979) that draws whole blocks (Davison & Hinkley 1997, section 3.8): samples of one
/// block are alike, and drawing them one by one would take them for independent and the interval for too narrow. The
/// random numbers begin alike every time.
fn resampled_medians(samples: &[f64], per_block: usize, random: &mut SplitMix64) -> Vec<f64> {
    if samples.is_empty() {
        return vec![0.0];
    }
    let blocks: Vec<&[f64]> = samples.chunks(per_block.max(1)).collect();
    let mut drawn = Vec::with_capacity(samples.len());
    let resampling = |_| {
        drawn.clear();
        for _ in 0..blocks.len() {
            drawn.extend_from_slice(blocks[random.below(blocks.len())]);
        }
        drawn.sort_unstable_by(f64::total_cmp);
        quantile(&drawn, 0.5)
    };
    (0..N_RESAMPLINGS).map(resampling).collect()
}

fn ends_95(values: &[f64]) -> [f64; 2] {
    let sorted = sorted(values);
    [quantile(&sorted, 0.025), quantile(&sorted, 0.975)]
}

/// Steele, Lea & Flood, "Fast splittable pseudorandom number generators" (2014).
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; for the bounds here the bias is below 10⁻¹⁵.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
    }

    #[test]
    fn median_of_an_even_number_lies_between_the_middle_two() {
        assert_close(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn quantile_is_interpolated() {
        // Position 0.95 × 6 = 5.7 between 6 and 9.
        assert_close(quantile(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0], 0.95), 8.1);
    }

    #[test]
    fn one_disturbed_block_of_five_leaves_the_spread() {
        let quiet = [10.0, 10.1, 9.9, 10.05, 10.0];
        let disturbed = [10.0, 10.1, 9.9, 10.05, 90.0];
        assert!(spread_between_blocks(&disturbed, 1) < spread_between_blocks(&quiet, 1) * 2.0 + 1e-9);
    }

    #[test]
    fn equal_samples_leave_no_doubt_about_the_median() {
        let [low, high] = median_interval_95(&[5.0; 20], 4);
        assert_close(low, 5.0);
        assert_close(high, 5.0);
    }

    #[test]
    fn interval_of_the_median_agrees_with_order_statistics() {
        // For 100 samples the exact 95 % interval goes from the 40th to the 61st value (binomial).
        let samples: Vec<f64> = (1..=100).map(f64::from).collect();
        let [low, high] = median_interval_95(&samples, 1);
        assert!(
            (39.0..=42.0).contains(&low) && (59.0..=62.0).contains(&high),
            "{low} {high}"
        );
    }

    #[test]
    fn drift_between_blocks_widens_the_interval() {
        // Five blocks of twenty samples that hardly differ within a block.
        let drifting: Vec<f64> = (0..100)
            .map(|n| f64::from(n / 20) + f64::from(n % 20) / 1e3)
            .collect();
        let width = |per_block| {
            let [low, high] = median_interval_95(&drifting, per_block);
            high - low
        };
        assert!(width(20) > 1.5 * width(1), "{} {}", width(20), width(1));
    }

    #[test]
    fn no_samples_give_zeros() {
        assert_close(median_interval_95(&[], 1)[1], 0.0);
        assert_close(spread_between_blocks(&[], 1), 0.0);
    }

    #[test]
    fn splitmix_gives_the_published_sequence() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }
}
