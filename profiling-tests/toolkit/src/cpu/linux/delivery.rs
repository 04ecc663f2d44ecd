//! What a signal costs the thread that gets it, before and after the handler: the interrupt from another
//! processor, the signal frame, the return.
//!
//! Found by looking at the clock over and over while a signal arrives that the handler ignores: the gap between
//! two readings is the whole interruption. Where other programs are busy, most gaps hold a time slice of theirs, since
//! the sender runs on the same processor; those are told by the count of switches and left out. What it costs the
//! program afterwards, in cold caches, isn't in it.

use std::hint::spin_loop;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use super::clock::{ThreadId, current_thread_cpu_ns, current_thread_switches, monotonic_ns};
use super::{handler, signal};

/// Interruptions looked at.
const N_SIGNALS: usize = 41;
/// Interruptions that are enough for a median, of those in which nobody else got the processor.
const ENOUGH_UNDISTURBED: usize = 5;
/// Between two signals the sender sleeps, as the sampler does.
const PAUSE: Duration = Duration::from_micros(50);
/// How long to wait for a signal, which may be blocked, and for all of them, where others keep the sender waiting.
const PATIENCE_NS: u64 = 250_000_000;

/// Nanoseconds per signal on this machine, measured once per process, in 5 ms or where others are busy in up to half a
/// second; 0 where the calling thread gets no signal. For while no measurement is under way.
pub(super) fn delivery_ns() -> u64 {
    static PER_SIGNAL: OnceLock<u64> = OnceLock::new();
    *PER_SIGNAL.get_or_init(|| usual_interruption_ns().unwrap_or(0))
}

fn usual_interruption_ns() -> Option<u64> {
    /// Wanted when no further signal is.
    const ENOUGH: usize = usize::MAX;
    let wanted = AtomicUsize::new(0);
    let target = ThreadId::current();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut n_sent = 0;
            loop {
                match wanted.load(SeqCst) {
                    ENOUGH => return,
                    n_wanted if n_wanted > n_sent => {
                        thread::sleep(PAUSE);
                        signal::send(target, handler::IGNORED_TOKEN);
                        n_sent += 1;
                    }
                    _ => spin_loop(),
                }
            }
        });
        let start = monotonic_ns();
        let mut gaps = Vec::new();
        for n_wanted in 1..=N_SIGNALS {
            let seen = handler::ignored();
            wanted.store(n_wanted, SeqCst);
            let Some(gap) = Gap::of_next_signal(seen) else {
                break;
            };
            gaps.push(gap);
            if monotonic_ns() > start + PATIENCE_NS {
                break;
            }
        }
        wanted.store(ENOUGH, SeqCst);
        usual(&gaps)
    })
}

/// What one signal leaves between two looks at the clock.
#[derive(Debug, Clone, Copy)]
struct Gap {
    elapsed_ns: u64,
    /// CPU time of the thread, which the kernel may state without that of interrupts.
    cpu_ns: u64,
    undisturbed: bool,
}

impl Gap {
    /// `None` when no signal comes.
    fn of_next_signal(seen: u64) -> Option<Self> {
        let n_switches = current_thread_switches();
        let start = monotonic_ns();
        let (mut before, mut cpu_before) = (start, current_thread_cpu_ns());
        while before < start + PATIENCE_NS {
            let (now, cpu_now) = (monotonic_ns(), current_thread_cpu_ns());
            if handler::ignored() != seen {
                // Read once more: the signal may have come after `now` was read.
                return Some(Self {
                    elapsed_ns: monotonic_ns() - before,
                    cpu_ns: current_thread_cpu_ns() - cpu_before,
                    undisturbed: current_thread_switches() == n_switches,
                });
            }
            (before, cpu_before) = (now, cpu_now);
        }
        None
    }
}

/// The median of the time that passed, or of the CPU time where that was nearly always another's as well.
fn usual(gaps: &[Gap]) -> Option<u64> {
    let undisturbed = gaps.iter().filter(|gap| gap.undisturbed);
    let mut costs: Vec<u64> = undisturbed.map(|gap| gap.elapsed_ns).collect();
    if costs.len() < ENOUGH_UNDISTURBED {
        costs = gaps.iter().map(|gap| gap.cpu_ns).collect();
    }
    costs.sort_unstable();
    costs.get(costs.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_takes_time() {
        handler::install().unwrap();
        assert!(delivery_ns() > 0);
    }

    #[test]
    fn time_slices_of_others_are_left_out() {
        let gap = |elapsed_ns, undisturbed| Gap {
            elapsed_ns,
            cpu_ns: 7_000,
            undisturbed,
        };
        let mostly_disturbed = [vec![gap(4_000_000, false); 36], vec![gap(9_000, true); 5]].concat();
        assert_eq!(usual(&mostly_disturbed), Some(9_000));
        assert_eq!(usual(&[gap(4_000_000, false); 41]), Some(7_000));
        assert_eq!(usual(&[]), None);
    }
}
