//! A piece of work that never changes, timed beside what is measured: how fast the machine itself is just then.
//!
//! Nothing but a number of threads comes in, nanoseconds go out. Two runs whose reference differs ran on a machine
//! that was slower once: another program on its cores, a lower clock, a virtual machine's neighbours.

use std::hint::black_box;
use std::time::Instant;

use super::cpu_clock::process_cpu_ns;
use super::statistics::SplitMix64;

/// 512 KiB of numbers: more than the first two caches hold, sorted in some 2 ms.
const N_NUMBERS: usize = 1 << 16;

/// What one sort took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    /// Elapsed, on the slowest thread.
    pub(crate) ns: f64,
    /// CPU time of the process, all threads; none where the system has no such clock.
    pub(crate) cpu_ns: Option<f64>,
}

/// Sorts the same numbers on each of `n_threads` threads at once, `n_sorts` times; the times are of one.
pub(crate) fn time_reference(n_threads: usize, n_sorts: u32) -> Reference {
    let sort = || (0..n_sorts.max(1)).map(|_| sort_numbers()).sum::<f64>();
    let cpu_before = process_cpu_ns();
    let ns = match n_threads {
        0 | 1 => sort(),
        _ => std::thread::scope(|scope| {
            let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(sort)).collect();
            let times = threads
                .into_iter()
                .map(|thread| thread.join().expect("sorting numbers can't panic"));
            times.fold(0.0, f64::max)
        }),
    };
    let cpu_ns = process_cpu_ns().zip(cpu_before);
    let n_sorts = f64::from(n_sorts.max(1));
    Reference {
        ns: ns / n_sorts,
        cpu_ns: cpu_ns.map(|(now, before)| now.saturating_sub(before) as f64 / n_sorts),
    }
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
        assert!(time_reference(1, 1).ns > 0.0 && time_reference(2, 2).ns > 0.0);
    }
}
