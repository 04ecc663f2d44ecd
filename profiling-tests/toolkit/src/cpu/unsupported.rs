//! The sampler where there is none: every measurement is refused with the reason.

use super::options::{CpuError, CpuOptions};
use super::profile::CpuProfile;

/// A measurement that can't be started.
#[derive(Debug)]
pub(super) enum Session {}

impl Session {
    pub(super) fn start(_options: &CpuOptions) -> Result<Self, CpuError> {
        Err(CpuError::Unsupported {
            system: std::env::consts::OS,
            reason: "it needs Linux's signals to threads, on x86-64 or AArch64",
        })
    }

    pub(super) fn samples() -> u64 {
        0
    }

    pub(super) fn finish(self, _iterations: u64) -> Result<CpuProfile, CpuError> {
        match self {}
    }
}

pub(super) fn register_current_thread() {}
