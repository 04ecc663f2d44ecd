//! What the CPU sampler promises, on workloads whose answer is known.
//!
//! Shares are known by units of work, never by a clock: the functions run the same inner loop, a known number
//! of times each. One measurement runs at a time, so the tests may run side by side.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

mod known;
mod sessions;
mod shares;
mod stacks;
