//! A piece of work that never changes, timed beside what is measured: how fast the machine itself is just then.
//!
//! Nothing but a number of threads comes in, nanoseconds go out. Two runs whose reference differs ran on a machine
//! that was slower once: another program on its cores, a lower clock, a virtual machine's neighbours.

use std::hint::black_box;
use std::time::Instant;

use super::statistics::SplitMix64;

/// 512 KiB of numbers: more than the first two caches hold, sorted in some 2 ms.
const N_NUMBERS: usize = 1 << 16;

/// Sorts the same numbers on each of `n_threads` threads at once and returns the elapsed nanoseconds of the slowest.
pub(crate) fn time_reference(n_threads: usize) -> f64 {
    if n_threads <= 1 {
        return sort_numbers();
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(sort_numbers)).collect();
        let times = threads
            .into_iter()
            .map(|thread| thread.join().expect("sorting numbers can't panic"));
        times.fold(0.0, f64::max)
    })
}

fn sort_numbers() -> f64 {
    let mut random = SplitMix64(7);
    let mut numbers: Vec<u64> = (0..N_NUMBERS).map(|_| random.next()).collect();
    let start = Instant::now();
    numbers.sort_unstable();
    let elapsed = start.elapsed();
    black_box(numbers);
    elapsed.as_nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_takes_time_on_one_thread_and_on_two() {
        assert!(time_reference(1) > 0.0 && time_reference(2) > 0.0);
    }
}
