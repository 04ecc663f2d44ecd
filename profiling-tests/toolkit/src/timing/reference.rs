//! Two pieces of work that never change, timed beside what is measured: how fast the machine itself is just then.
//!
//! Nothing but a number of threads comes in, nanoseconds go out. One keeps the processor busy, the other waits for
//! memory: neighbours that fill the shared cache slow a program down that a busy processor's clock says nothing of. Two
//! runs whose references differ ran on a machine that was slower once: another program on its cores, a lower clock, a
//! virtual machine's neighbours.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Instant;

use super::statistics::SplitMix64;
use crate::cpu_clock::process_cpu_ns;

/// 512 KiB of numbers, sorted in some 2 ms.
const N_NUMBERS: usize = 1 << 16;

/// 4 MiB of places, more than a core's own caches hold.
const N_PLACES: usize = 1 << 20;

/// Steps from place to place, each waiting for the one before: some 1 ms.
const N_STEPS: usize = 1 << 15;

/// What a piece of work took once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    /// Elapsed, on the slowest thread.
    pub(crate) ns: f64,
    /// CPU time of the process, all threads; none where the system has no such clock.
    pub(crate) cpu_ns: Option<f64>,
}

/// The reference of the processor: sorts the same numbers on each of `n_threads` threads at once, `n_times`; the times
/// are of once.
pub(crate) fn time_sorting(n_threads: usize, n_times: u32) -> Reference {
    time_on_threads(n_threads, n_times, sort_numbers)
}

/// The reference of the memory, likewise: goes from place to place in an order that no cache foresees.
pub(crate) fn time_walking(n_threads: usize, n_times: u32) -> Reference {
    let places = places();
    time_on_threads(n_threads, n_times, || walk(places))
}

fn time_on_threads(n_threads: usize, n_times: u32, work: impl Fn() -> f64 + Sync) -> Reference {
    let n_times = n_times.max(1);
    let repeat = || (0..n_times).map(|_| work()).sum::<f64>();
    let cpu_before = process_cpu_ns();
    let ns = match n_threads {
        0 | 1 => repeat(),
        _ => std::thread::scope(|scope| {
            let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(repeat)).collect();
            let times = threads
                .into_iter()
                .map(|thread| thread.join().expect("the reference can't panic"));
            times.fold(0.0, f64::max)
        }),
    };
    let cpu_ns = process_cpu_ns().zip(cpu_before);
    let once = |ns: f64| ns / f64::from(n_times);
    Reference {
        ns: once(ns),
        cpu_ns: cpu_ns.map(|(now, before)| once(now.saturating_sub(before) as f64)),
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

fn walk(places: &[u32]) -> f64 {
    let start = Instant::now();
    let end = (0..N_STEPS).fold(0, |place: u32, _| places[place as usize]);
    let elapsed = start.elapsed();
    black_box(end);
    elapsed.as_nanos() as f64
}

/// For each place the next, in one circle through all (Sattolo 1986).
fn places() -> &'static [u32] {
    static PLACES: OnceLock<Vec<u32>> = OnceLock::new();
    PLACES.get_or_init(|| {
        let mut random = SplitMix64(11);
        let mut places: Vec<u32> = (0..N_PLACES as u32).collect();
        for last in (1..N_PLACES).rev() {
            places.swap(last, random.below(last));
        }
        places
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_take_time_on_one_thread_and_on_two() {
        for n_threads in [1, 2] {
            assert!(time_sorting(n_threads, 1).ns > 0.0 && time_walking(n_threads, 2).ns > 0.0);
        }
    }

    #[test]
    fn the_walk_comes_through_all_places() {
        let mut place = 0;
        let n_steps = (1..=N_PLACES).find(|_| {
            place = places()[place as usize];
            place == 0
        });
        assert_eq!(n_steps, Some(N_PLACES));
    }
}
