//! The stack that a signal interrupted, from the context that the kernel hands to the handler.
//!
//! Everything here runs inside the handler: no locks, no allocation. Unwinding goes by call frame information,
//! which holds at every instruction; a walk along frame pointers is wrong wherever a prologue or epilogue
//! is interrupted. Where the [`Tables`] don't lead to the root, the system's unwinder has to: it finds what was
//! loaded since, but takes ten times as long. glibc finds the tables for it without a lock (`_dl_find_object`);
//! before 2.35 it takes the loader's lock, which is recursive and isn't held while a program computes.
#![expect(
    unsafe_code,
    reason = "reads the registers and the code bytes of the interrupted instruction; unwinds unsynchronised"
)]

use std::ffi::c_void;
use std::ops::Range;

use framehop::UnwindRegsNative;
use libc::ucontext_t;

use super::tables::{RuleCache, Tables, Walk};
use crate::cpu::options::MAX_DEPTH;

/// Return addresses of an interrupted stack.
pub(super) struct Stack {
    addresses: [usize; MAX_DEPTH],
    n_frames: usize,
    max_depth: usize,
    pub(super) truncated: bool,
    /// The tables say that the last frame has no caller.
    pub(super) complete: bool,
}

impl Stack {
    /// Room for `max_depth` frames.
    pub(super) fn new(max_depth: usize) -> Self {
        Self {
            addresses: [0; MAX_DEPTH],
            n_frames: 0,
            max_depth: max_depth.min(MAX_DEPTH),
            truncated: false,
            complete: false,
        }
    }

    /// Leaf first; the leaf is the interrupted instruction plus one, so that every address minus one lies
    /// inside the instruction to look up.
    pub(super) fn addresses(&self) -> &[usize] {
        &self.addresses[..self.n_frames]
    }

    /// Takes the interrupted stack by the tables, reading nothing outside `readable`; `false` when that doesn't lead
    /// to the root, and then the stack isn't taken.
    pub(super) fn capture_by_tables(
        &mut self,
        interrupted: &Interrupted,
        readable: &Range<usize>,
        tables: &Tables,
        rules: &mut RuleCache,
    ) -> bool {
        let start = (interrupted.instruction, interrupted.registers);
        let walk = tables.walk(start, readable, rules, |address| self.push(address));
        if walk == Walk::Lost {
            (self.n_frames, self.truncated) = (0, false);
        }
        self.complete = walk == Walk::Complete;
        walk != Walk::Lost
    }

    /// Takes the interrupted stack by the system's unwinder: from the handler's own frames outwards, keeping what
    /// lies below the interrupted instruction. When the unwinder doesn't come past it, the stack is the interrupted
    /// instruction alone.
    pub(super) fn capture_by_system(&mut self, instruction: usize) {
        let visit = |frame: &backtrace::Frame| {
            let address = frame.ip() as usize;
            if address == 0 {
                return false;
            }
            (self.n_frames == 0 && address != instruction) || self.push(address)
        };
        // SAFETY: unsynchronised tracing only forgoes the crate's own lock, which guards symbolising on
        // other systems; on Linux the walk shares no state between threads.
        unsafe { backtrace::trace_unsynchronized(visit) };
        if self.n_frames == 0 {
            self.push(instruction);
        }
    }

    /// Adds a frame further out; `false` when there is no room for it.
    fn push(&mut self, address: usize) -> bool {
        if self.n_frames == self.max_depth {
            self.truncated = true;
            return false;
        }
        self.addresses[self.n_frames] = address + usize::from(self.n_frames == 0);
        self.n_frames += 1;
        true
    }
}

/// The registers of an interrupted thread that the sampler looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interrupted {
    /// Address of the instruction that would have run next.
    pub(super) instruction: usize,
    /// Lowest address of the stack that is in use.
    pub(super) stack_pointer: usize,
    /// What unwinding starts from.
    registers: UnwindRegsNative,
    /// Where a system call leaves its result.
    result: isize,
}

impl Interrupted {
    /// # Safety
    /// `context` is the third argument of a signal handler installed with `SA_SIGINFO`.
    pub(super) unsafe fn from_context(context: *const c_void) -> Self {
        // SAFETY: the kernel passes a valid `ucontext_t` that lives as long as the handler runs.
        let context = unsafe { &*context.cast::<ucontext_t>() };
        let machine = &context.uc_mcontext;
        #[cfg(target_arch = "x86_64")]
        {
            let register = |number: i32| machine.gregs[number as usize] as u64;
            let (instruction, stack_pointer) = (register(libc::REG_RIP), register(libc::REG_RSP));
            Self {
                instruction: instruction as usize,
                stack_pointer: stack_pointer as usize,
                registers: UnwindRegsNative::new(instruction, stack_pointer, register(libc::REG_RBP)),
                result: register(libc::REG_RAX) as isize,
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            let [frame_pointer, link] = [machine.regs[29], machine.regs[30]];
            Self {
                instruction: machine.pc as usize,
                stack_pointer: machine.sp as usize,
                registers: UnwindRegsNative::new(link, machine.sp, frame_pointer),
                result: machine.regs[0] as isize,
            }
        }
    }

    /// Was a wait cut short by the signal? The kernel then either sets the thread back to the instruction of
    /// the system call, to restart it, or makes the call answer "interrupted".
    pub(super) fn was_woken(self) -> bool {
        is_system_call(self.instruction)
            || (self.result == -(libc::EINTR as isize) && self.is_after_system_call())
    }

    /// Was the thread about to return from a system call, whether it had waited or computed there?
    pub(super) fn is_after_system_call(self) -> bool {
        let call = self.instruction.wrapping_sub(SYSTEM_CALL.len());
        // Only on the same page: the one before might not be mapped.
        call >> 12 == self.instruction >> 12 && is_system_call(call)
    }
}

#[cfg(target_arch = "x86_64")]
const SYSTEM_CALL: [u8; 2] = [0x0f, 0x05];
#[cfg(target_arch = "aarch64")]
const SYSTEM_CALL: [u8; 4] = [0x01, 0x00, 0x00, 0xd4];

/// `address` lies on a page of code that is about to run or was just run.
fn is_system_call(address: usize) -> bool {
    // An x86 instruction has at least one byte; a page of code that ends in half a call doesn't occur, but
    // reading past its end must not either.
    if address >> 12 != (address + SYSTEM_CALL.len() - 1) >> 12 {
        return false;
    }
    let code = address as *const [u8; SYSTEM_CALL.len()];
    // SAFETY: the page holds the interrupted instruction, so it is mapped and readable; any alignment will do.
    unsafe { code.read_unaligned() == SYSTEM_CALL }
}
