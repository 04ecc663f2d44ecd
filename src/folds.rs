//! Examples divided into parts that are alike.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The part of each example, 0 to `n_folds` − 1: parts of equal size, give or take one, in which every key is about
/// equally frequent.
///
/// Examples with the same key lie next to each other, in random order, and are dealt out like cards.
///
/// # Panics
/// If there is no fold, or more than 256.
pub(crate) fn stratified<K: Ord>(keys: &[K], n_folds: usize, seed: u64) -> Vec<u8> {
    assert!((1..=256).contains(&n_folds), "{n_folds} folds");
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    order.sort_by_key(|&at| &keys[at]);
    let mut folds = vec![0; keys.len()];
    for (dealt, at) in order.into_iter().enumerate() {
        folds[at] = (dealt % n_folds) as u8;
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_every_part_as_often_as_can_be() {
        let keys: Vec<usize> = (0..50).map(|at| at % 5).collect();
        let folds = stratified(&keys, 5, 42);
        for fold in 0..5 {
            for key in 0..5 {
                let members = folds
                    .iter()
                    .zip(&keys)
                    .filter(|&(&own, &of)| own == fold && of == key);
                assert_eq!(members.count(), 2, "fold {fold}, key {key}");
            }
        }
    }

    #[test]
    fn a_seed_deals_one_way() {
        assert_eq!(stratified(&[0; 40], 3, 7), stratified(&[0; 40], 3, 7));
        assert_ne!(stratified(&[0; 40], 3, 7), stratified(&[0; 40], 3, 8));
    }
}
