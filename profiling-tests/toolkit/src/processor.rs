//! Keeping a thread on one processor for a while.
//!
//! Processors of one machine differ from moment to moment: what runs beside a virtual one, on the same core, is nobody's
//! to know. A call that takes 8 µs on one of them takes 13 µs on another, and half a minute later the other way round.

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The calling thread is on one processor until this is dropped.
#[derive(Debug)]
pub(crate) struct Pinned {
    #[cfg(target_os = "linux")]
    before: CpuSet,
}

impl Pinned {
    /// To one of the processors that the thread may run on, which are counted round and round. None where the system
    /// doesn't let it.
    #[cfg(target_os = "linux")]
    pub(crate) fn to_nth(n: usize) -> Option<Self> {
        let before = sched_getaffinity(None).ok()?;
        let n_allowed = before.count() as usize;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|&processor| before.is_set(processor));
        let mut one = CpuSet::new();
        one.set(allowed.nth(n % n_allowed.max(1))?);
        sched_setaffinity(None, &one).ok()?;
        Some(Self { before })
    }

    /// None: the system has no such call.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn to_nth(_n: usize) -> Option<Self> {
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pinned {
    fn drop(&mut self) {
        // A processor may have gone meanwhile; the system has then put the thread elsewhere itself.
        let _refused = sched_setaffinity(None, &self.before);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_on_one_processor_and_then_on_all_as_before() {
        let before = sched_getaffinity(None).unwrap();
        let n_allowed = before.count() as usize;
        for n in [0, 1, n_allowed] {
            let pinned = Pinned::to_nth(n).unwrap();
            let now = sched_getaffinity(None).unwrap();
            assert_eq!(now.count(), 1);
            assert!((0..CpuSet::MAX_CPU).all(|processor| !now.is_set(processor) || before.is_set(processor)));
            drop(pinned);
            assert!(sched_getaffinity(None).unwrap() == before);
        }
    }
}
