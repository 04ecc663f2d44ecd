//! Runs a kernel with the widest vectors that this CPU has, and tells its cache what comes next.
//!
//! Kernels are plain loops over fixed-size arrays. Each is compiled twice, for the build's baseline and with
//! AVX2, and the faster one is picked at run time. Rust never fuses a multiplication with an addition, and every
//! kernel fixes the order of its sums by array shape, not by vector width: both versions give the same bits,
//! which a test holds them to.

#![expect(
    unsafe_code,
    reason = "calling a function compiled for a CPU feature that was just detected; telling the cache what comes next"
)]

/// Work to be compiled for several instruction sets; `run` must be `#[inline(always)]` for that to happen.
pub(crate) trait Kernel {
    /// What the work returns.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

/// Which version of the kernels runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstructionSet {
    /// What the build's baseline guarantees: SSE2 on x86-64, NEON on 64-bit ARM.
    Baseline,
    /// 256-bit vectors; the private unit means that only [`InstructionSet::detect`] can say so.
    #[cfg(target_arch = "x86_64")]
    Avx2(Detected),
}

/// Proof that the CPU was asked.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Detected(());

impl InstructionSet {
    /// The fastest version that this CPU can execute.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            return Self::Avx2(Detected(()));
        }
        Self::Baseline
    }

    /// Runs `kernel` in this version.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Baseline => kernel.run(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a `Detected` exists only where the CPU was found to have AVX2, the only feature that the
            // function is compiled for.
            Self::Avx2(Detected(())) => unsafe { with_avx2(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// Most bytes that are asked for ahead; beyond, the CPU has seen that it is read in order.
const AHEAD: usize = 512;

/// Asks for `items` to be brought near, to be there when it is read soon: speed is all that it has an effect on.
#[inline(always)]
pub(crate) fn prefetch<T: ?Sized>(items: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let first = std::ptr::from_ref(items).cast::<i8>();
        for offset in (0..size_of_val(items).min(AHEAD)).step_by(64) {
            // SAFETY: every x86-64 has the instruction; it faults on no address, and these are inside of `items`.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = items;
}
