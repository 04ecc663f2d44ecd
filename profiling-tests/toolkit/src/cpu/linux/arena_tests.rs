//! The arena by itself. In a file of its own, because the arena's is compiled once more for the model checker, whose atomics
//! live within a model only.

use super::arena::{Arena, RawSample};
use crate::phase::Phase;

fn sample(frames: &[usize]) -> RawSample<'_> {
    RawSample {
        slot: 3,
        phase: Phase::from_number(7),
        tick: 1 << 40,
        weight_ns: 1_003_009,
        truncated: true,
        complete: false,
        frames,
    }
}

fn stacks(arena: &Arena) -> Vec<Vec<usize>> {
    let mut stacks = Vec::new();
    arena.for_each(|sample| stacks.push(sample.frames.to_vec()));
    stacks
}

#[test]
fn sample_comes_out_as_it_went_in() {
    let arena = Arena::with_bytes(1024);
    assert!(arena.push(sample(&[10, 20, 30])));
    let mut n_samples = 0;
    arena.for_each(|found| {
        n_samples += 1;
        assert_eq!(found, sample(&[10, 20, 30]));
    });
    assert_eq!(n_samples, 1);
}

#[test]
fn full_arena_refuses_and_keeps_what_it_has() {
    let arena = Arena::with_bytes(9 * 8);
    assert!(arena.push(sample(&[1, 2])));
    assert!(!arena.push(sample(&[3, 4, 5])));
    assert!(!arena.push(sample(&[6])));
    assert_eq!(stacks(&arena), [vec![1, 2]]);
}

#[test]
fn arena_filled_to_the_last_word_ends_there() {
    let arena = Arena::with_bytes(8 * 8);
    assert!(arena.push(sample(&[1])));
    assert!(arena.push(sample(&[2])));
    assert!(!arena.push(sample(&[3])));
    assert_eq!(stacks(&arena), [vec![1], vec![2]]);
}

#[test]
fn threads_write_side_by_side() {
    let (n_samples, n_bytes) = if cfg!(miri) {
        (10, 1 << 12)
    } else {
        (1_000, 1 << 20)
    };
    let arena = Arena::with_bytes(n_bytes);
    std::thread::scope(|scope| {
        for thread in 1..=4usize {
            let arena = &arena;
            scope.spawn(move || (0..n_samples).all(|_| arena.push(sample(&[thread; 5]))));
        }
    });
    let stacks = stacks(&arena);
    assert_eq!(stacks.len(), 4 * n_samples);
    assert!(
        stacks
            .iter()
            .all(|frames| frames.iter().all(|&frame| frame == frames[0]))
    );
}
