//! Two small profiles, one of each kind, on which the formats are tested.

use crate::cpu::{CpuProfile, FunctionCost, SamplingQuality, StackCost, ThreadCost};
use crate::memory::{AllocationStack, FREED_BEFORE, MemoryProfile, NamedUsage, Unwinder, Usage};
use crate::symbols::Frame;

/// `main` calls `<T as U>::work` in `src/work.rs:7`; 30 + 60 ns sampled in 1 + 2 samples, 10 ns unsampled.
pub(crate) fn cpu() -> CpuProfile {
    let function = |name: &str, location: Option<&str>| FunctionCost {
        function: name.to_owned(),
        location: location.map(str::to_owned),
        self_ns: 0,
        self_error_ns: 0,
        self_samples: 0,
        cumulative_ns: 0,
        cumulative_error_ns: 0,
        cumulative_samples: 0,
    };
    let stack = |frames: &[u32], samples, weight_ns| StackCost {
        frames: frames.to_vec(),
        weight_ns,
        samples,
    };
    CpuProfile {
        wall_ns: 120,
        cpu_ns: 100,
        user_ns: 100,
        system_ns: 0,
        iterations: 1,
        sampling: SamplingQuality {
            rate_asked_hz: 1_000,
            sampled_ns: 90,
            unsampled_ns: 10,
            ..SamplingQuality::default()
        },
        threads: vec![ThreadCost {
            name: "main".to_owned(),
            cpu_ns: 100,
            samples: 3,
        }],
        phases: Vec::new(),
        functions: vec![
            function("<app::T as app::U>::work", Some("src/work.rs:7")),
            function("app::main", None),
        ],
        stacks: vec![stack(&[1], 1, 30), stack(&[1, 0], 2, 60)],
    }
}

/// `main` calls `app::keep`, which pushes to a vector; 100 bytes from before the region are freed in it.
pub(crate) fn memory() -> MemoryProfile {
    let frame = |function: &str, file: Option<&str>, line| Frame {
        function: function.to_owned(),
        file: file.map(str::to_owned),
        line,
    };
    let stack = |frames: &[u32], site, usage| AllocationStack {
        frames: frames.to_vec(),
        site,
        phase: 0,
        thread: 0,
        usage,
    };
    let usage = |allocations, bytes_allocated, live_at_end_bytes, live_at_peak_bytes| Usage {
        allocations,
        bytes_allocated,
        live_at_end_bytes,
        live_at_peak_bytes,
        ..Usage::default()
    };
    let named = |name: &str| {
        vec![NamedUsage {
            name: name.to_owned(),
            usage: Usage::default(),
        }]
    };
    MemoryProfile {
        live_delta_bytes: 300,
        peak_bytes: 900,
        allocations: 5,
        deallocations: 4,
        reallocations: 0,
        bytes_allocated: 1_200,
        bytes_deallocated: 900,
        largest_block_bytes: 500,
        largest_block_stack: Some(1),
        sizes: Vec::new(),
        counters_delta_bytes: 300,
        complete: true,
        tracker_bytes: 0,
        unwinder: Unwinder::FramePointers,
        truncated_stacks: 0,
        frames: vec![
            frame(FREED_BEFORE, None, None),
            frame("app::keep", Some("src/keep.rs"), Some(3)),
            frame("alloc::vec::Vec::push", None, None),
            frame("app::main", Some("src/main.rs"), Some(1)),
        ],
        threads: named("main"),
        phases: named("fit"),
        stacks: vec![
            stack(&[0], 0, usage(0, 0, -100, 0)),
            stack(&[3], 3, usage(2, 800, 0, 500)),
            stack(&[3, 1, 2], 1, usage(3, 400, 400, 400)),
        ],
    }
}
