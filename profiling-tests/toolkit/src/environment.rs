//! What a measurement was taken on: compiler, flags, machine, and whether the instruments work here.
//!
//! Nothing comes in; out comes an [`Environment`] for the head of a report, and the warnings that a reader
//! must see before the figures. What can be tried is tried: the allocator by allocating, frame pointers by
//! walking, symbols by looking one up, overflow checks by overflowing.

#![expect(unsafe_code, reason = "asks the system for its name")]

use std::hint::black_box;
use std::panic::{self, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::cpu::{SamplerCost, measure_sampler_cost};
use crate::machine::Machine;
use crate::memory::{
    FramePointers, TrackerCost, Unwinder, allocator_installed, frame_pointers, measure_tracker_cost,
};
use crate::symbols::Symbolizer;

/// How this binary was built, what it runs on, and what its instruments can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// `rustc --version` of the compiler that built the toolkit.
    pub rustc: String,
    /// Target triple.
    pub target: String,
    /// `opt-level` of the toolkit's cargo profile, the same as the measured code's unless that overrides it.
    pub opt_level: String,
    /// `debug` or `release`: the cargo profile, or the one that it inherits from.
    pub cargo_profile: String,
    /// `true` or `false`: whether the cargo profile asks for debug information, of whatever detail.
    pub debug_info: String,
    /// Whether `debug_assert!` checks.
    pub debug_assertions: bool,
    /// Whether arithmetic overflow panics; `None` if it aborts or can't be tried.
    pub overflow_checks: Option<bool>,
    /// Flags given to the compiler beside those of the profile.
    pub rustflags: Vec<String>,
    /// Whether stacks can be walked by frame pointers.
    pub frame_pointers: FramePointers,
    /// How allocation stacks are found, therefore.
    pub unwinder: Unwinder,
    /// Whether memory can be measured.
    pub allocator_installed: bool,
    /// Whether addresses have names.
    pub symbols: Symbols,
    /// Cost of observing allocations; `None` where they can't be observed now.
    pub tracker_cost: Option<TrackerCost>,
    /// Cost and quality of sampling CPU time; `None` where it can't be sampled.
    #[serde(default)]
    pub sampler_cost: Option<SamplerCost>,
    /// Model of the processor, where the system tells.
    pub cpu: Option<String>,
    /// Threads of this process that can run at once.
    pub logical_cores: usize,
    /// What there is besides, and what it was busy with before the measurement.
    #[serde(default)]
    pub machine: Machine,
    /// System, release and architecture: `Linux 6.18.4 x86_64`.
    pub operating_system: String,
}

/// What the debug information of this binary holds, by looking up a known function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbols {
    /// Names of functions.
    pub functions: bool,
    /// Source files and lines.
    pub lines: bool,
}

impl Environment {
    /// Tries everything out. Takes a fifth of a second, most of it for the sampler; not for within a measurement.
    pub fn capture() -> Self {
        let frame_pointers = frame_pointers();
        // First: what follows is load of our own.
        let machine = Machine::look();
        Self {
            rustc: env!("TOOLKIT_RUSTC").to_owned(),
            target: env!("TOOLKIT_TARGET").to_owned(),
            opt_level: env!("TOOLKIT_OPT_LEVEL").to_owned(),
            cargo_profile: env!("TOOLKIT_PROFILE").to_owned(),
            debug_info: env!("TOOLKIT_DEBUG_INFO").to_owned(),
            debug_assertions: cfg!(debug_assertions),
            overflow_checks: overflow_checks(),
            rustflags: rustflags(),
            frame_pointers,
            unwinder: frame_pointers.unwinder(),
            allocator_installed: allocator_installed(),
            symbols: Symbols::of_this_binary(),
            tracker_cost: measure_tracker_cost().ok(),
            sampler_cost: measure_sampler_cost().ok(),
            cpu: cpu_model(),
            logical_cores: thread::available_parallelism().map_or(1, usize::from),
            machine,
            operating_system: operating_system(),
        }
    }

    /// One line for each circumstance that makes figures wrong, slow to get, or hard to read.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.allocator_installed {
            warnings.push(
                "memory can't be measured: the global allocator of this binary isn't ProfilingAllocator"
                    .to_owned(),
            );
        }
        if self.unwinder == Unwinder::UnwindTables {
            warnings.push(self.without_frame_pointers());
        }
        if !self.symbols.functions {
            warnings.push(
                "functions have no names: the binary is stripped; build with strip = false and debug = 1"
                    .into(),
            );
        } else if !self.symbols.lines {
            warnings.push("functions have no files and lines: build with debug = 1".to_owned());
        }
        if self.opt_level == "0" {
            warnings.push(
                "not optimised (opt-level 0): times say nothing about a release, allocations little".into(),
            );
        }
        if self.debug_assertions {
            warnings.push("debug assertions are on: times hold their cost".to_owned());
        }
        if self.overflow_checks == Some(true) {
            warnings.push("overflow checks are on: times hold their cost".to_owned());
        }
        if let Some(load) = self.machine.overload() {
            warnings.push(format!(
                "others use this machine: its load average was {load:.1} on {} cores before the measurement; \
                 times hold their share, allocations don't",
                self.machine.cores.unwrap_or_default()
            ));
        }
        warnings
    }

    fn without_frame_pointers(&self) -> String {
        let lacking = if self.frame_pointers.own_code {
            "the standard library"
        } else {
            "this binary"
        };
        format!(
            "{lacking} has no frame pointers: each allocation in a memory region takes microseconds, not \
             nanoseconds; build with -C force-frame-pointers=yes (RUSTFLAGS in the environment replaces the \
             flags of .cargo/config.toml; in force: {:?})",
            self.rustflags.join(" ")
        )
    }
}

impl Symbols {
    fn of_this_binary() -> Self {
        let mut symbolizer = Symbolizer::new();
        let frames = symbolizer.frames(Environment::capture as *const () as usize);
        // The two ways of mangling write `Environment::capture` and `<Environment>::capture`.
        let is_known = |name: &str| name.contains("Environment") && name.ends_with("::capture");
        let known = frames.iter().find(|frame| is_known(&frame.function));
        Self {
            functions: known.is_some(),
            lines: known.is_some_and(|frame| frame.file.is_some() && frame.line.is_some()),
        }
    }
}

fn rustflags() -> Vec<String> {
    // Separated as cargo separates them, by the ASCII unit separator.
    env!("TOOLKIT_RUSTFLAGS")
        .split('\u{1f}')
        .filter(|flag| !flag.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Overflows once per process, with this thread's panic message held back.
fn overflow_checks() -> Option<bool> {
    static FOUND: OnceLock<Option<bool>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        if !cfg!(panic = "unwind") || thread::panicking() {
            return None;
        }
        let before: Arc<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync> = panic::take_hook().into();
        let (of_others, overflowing_thread) = (Arc::clone(&before), thread::current().id());
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() != overflowing_thread {
                of_others(info);
            }
        }));
        let overflowed = catch_unwind(|| black_box(black_box(u8::MAX) + black_box(1)));
        panic::set_hook(Box::new(move |info| before(info)));
        Some(overflowed.is_err())
    })
}

#[cfg(target_os = "linux")]
fn cpu_model() -> Option<String> {
    let described = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = described.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(target_vendor = "apple")]
fn cpu_model() -> Option<String> {
    let mut model = [0_u8; 256];
    let mut size = model.len();
    // SAFETY: the name ends in NUL, `model` has room for `size` bytes, and nothing is set.
    let status = unsafe {
        libc::sysctlbyname(
            c"machdep.cpu.brand_string".as_ptr(),
            model.as_mut_ptr().cast(),
            &raw mut size,
            std::ptr::null_mut(),
            0,
        )
    };
    let text = std::ffi::CStr::from_bytes_until_nul(&model).ok()?;
    (status == 0).then(|| text.to_string_lossy().into_owned())
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn cpu_model() -> Option<String> {
    None
}

#[cfg(unix)]
fn operating_system() -> String {
    let mut name = std::mem::MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: `name` has room for what is written.
    unsafe { libc::uname(name.as_mut_ptr()) };
    // SAFETY: all fields are arrays of characters, for which zeroes are a value.
    let name = unsafe { name.assume_init() };
    let text = |field: &[libc::c_char]| -> String {
        field
            .iter()
            .take_while(|&&c| c != 0)
            .map(|&c| char::from(c as u8))
            .collect()
    };
    format!(
        "{} {} {}",
        text(&name.sysname),
        text(&name.release),
        text(&name.machine)
    )
}

#[cfg(not(unix))]
fn operating_system() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Environment {
        Environment {
            rustc: "rustc 1.95.0".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            opt_level: "3".to_owned(),
            cargo_profile: "debug".to_owned(),
            debug_info: "1".to_owned(),
            debug_assertions: false,
            overflow_checks: Some(false),
            rustflags: vec!["-C".to_owned(), "force-frame-pointers=yes".to_owned()],
            frame_pointers: FramePointers {
                own_code: true,
                standard_library: true,
            },
            unwinder: Unwinder::FramePointers,
            allocator_installed: true,
            symbols: Symbols {
                functions: true,
                lines: true,
            },
            tracker_cost: None,
            sampler_cost: None,
            cpu: None,
            logical_cores: 4,
            machine: Machine::default(),
            operating_system: "Linux".to_owned(),
        }
    }

    fn assert_one_warning(environment: &Environment, about: &str) {
        let warnings = environment.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(about), "{warnings:?}");
    }

    #[test]
    fn sound_environment_has_no_warnings() {
        assert_eq!(sound().warnings(), [""; 0]);
    }

    #[test]
    fn missing_allocator_is_warned_of() {
        assert_one_warning(
            &Environment {
                allocator_installed: false,
                ..sound()
            },
            "memory can't be measured",
        );
    }

    #[test]
    fn missing_frame_pointers_are_warned_of_with_the_flags_in_force() {
        let frame_pointers = FramePointers {
            own_code: false,
            standard_library: true,
        };
        let rustflags = vec!["-Dwarnings".to_owned()];
        let unwinder = frame_pointers.unwinder();
        let environment = Environment {
            rustflags,
            frame_pointers,
            unwinder,
            ..sound()
        };
        assert_one_warning(&environment, "force-frame-pointers=yes");
        assert_one_warning(&environment, "-Dwarnings");
    }

    #[test]
    fn stripped_binary_is_warned_of() {
        let symbols = Symbols {
            functions: false,
            lines: false,
        };
        assert_one_warning(&Environment { symbols, ..sound() }, "stripped");
    }

    #[test]
    fn missing_lines_are_warned_of() {
        let symbols = Symbols {
            functions: true,
            lines: false,
        };
        assert_one_warning(&Environment { symbols, ..sound() }, "no files and lines");
    }

    #[test]
    fn unoptimised_build_is_warned_of() {
        assert_one_warning(
            &Environment {
                opt_level: "0".to_owned(),
                ..sound()
            },
            "opt-level 0",
        );
    }

    #[test]
    fn checks_are_warned_of() {
        assert_one_warning(
            &Environment {
                debug_assertions: true,
                ..sound()
            },
            "debug assertions",
        );
        assert_one_warning(
            &Environment {
                overflow_checks: Some(true),
                ..sound()
            },
            "overflow checks",
        );
    }

    #[test]
    fn shared_machine_is_warned_of() {
        let machine = Machine {
            cores: Some(4),
            load_average: Some(6.25),
            ..Machine::default()
        };
        assert_one_warning(
            &Environment { machine, ..sound() },
            "load average was 6.2 on 4 cores",
        );
    }

    #[test]
    fn captured_environment_is_that_of_this_build() {
        let captured = Environment::capture();
        assert!(captured.rustc.starts_with("rustc "), "{captured:?}");
        assert_eq!(captured.debug_assertions, cfg!(debug_assertions));
        assert!(captured.symbols.functions, "{captured:?}");
        assert!(captured.logical_cores >= 1);
        assert!(!captured.allocator_installed);
        assert_eq!(captured.tracker_cost, None);
    }

    #[test]
    fn overflow_checks_are_those_of_the_profile() {
        // The profiles switch both on or both off.
        assert_eq!(overflow_checks(), Some(cfg!(debug_assertions)));
    }
}
