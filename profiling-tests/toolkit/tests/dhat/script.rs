//! What is allocated, and when: the same for whoever watches.

use std::hint::black_box;

/// Larger than anything that the runtime has for a moment before `main`.
pub(crate) const ONE_BLOCK: usize = 1 << 20;

/// As good as nothing: the peak is what else is live, and this.
pub(crate) fn one_block() {
    drop(black_box(Vec::<u8>::with_capacity(ONE_BLOCK)));
}

/// Grows, frees and keeps blocks of many sizes; the peak is in the middle.
pub(crate) fn run() {
    let mut kept: Vec<Vec<u8>> = Vec::with_capacity(100);
    let mut random = 1_u64;
    for round in 0..4_000_u64 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let size = 1 + (random >> 45) as usize % 20_000;
        // More rounds that keep than free at first, the other way round later.
        let keeps = (random >> 20) % 4_000 > round;
        if keeps && kept.len() < kept.capacity() {
            kept.push(black_box(Vec::with_capacity(size)));
        } else if let Some(mut block) = kept.pop()
            && round % 3 == 0
        {
            block.reserve_exact(size);
            kept.push(black_box(block));
        }
    }
    // A block that is resized in both directions while the others live.
    let mut resized: Vec<u8> = black_box(vec![1; 300_000]);
    resized.reserve_exact(100_000);
    resized.shrink_to_fit();
    drop(black_box((resized, kept)));
}
