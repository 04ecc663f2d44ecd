//! The stack that a signal interrupted, from the context that the kernel hands to the handler.
//!
//! Everything here runs inside the handler: no locks, no allocation. Unwinding goes by call frame information,
//! which holds at every instruction; a walk along frame pointers is wrong wherever a prologue or epilogue
//! is interrupted. glibc finds the tables without a lock (`_dl_find_object`); before 2.35 it takes the loader's
//! lock, which is recursive and isn't held while a program computes.
#![expect(
    unsafe_code,
    reason = "reads the registers and the code bytes of the interrupted instruction; unwinds unsynchronised"
)]

use std::ffi::c_void;

use libc::ucontext_t;

use crate::cpu::options::MAX_DEPTH;

/// Return addresses of an interrupted stack.
pub(super) struct Stack {
    addresses: [usize; MAX_DEPTH],
    n_frames: usize,
    pub(super) truncated: bool,
}

impl Stack {
    /// Leaf first; the leaf is the interrupted instruction plus one, so that every address minus one lies
    /// inside the instruction to look up.
    pub(super) fn addresses(&self) -> &[usize] {
        &self.addresses[..self.n_frames]
    }

    /// Unwinds from the handler's own frames outwards and keeps what lies below the interrupted instruction.
    /// When the unwinder doesn't come past it, the stack is the interrupted instruction alone.
    pub(super) fn capture(instruction: usize, max_depth: usize) -> Self {
        let mut stack = Self {
            addresses: [0; MAX_DEPTH],
            n_frames: 0,
            truncated: false,
        };
        let max_depth = max_depth.min(MAX_DEPTH);
        let visit = |frame: &backtrace::Frame| {
            let address = frame.ip() as usize;
            if address == 0 {
                return false;
            }
            if stack.n_frames == 0 && address != instruction {
                return true;
            }
            if stack.n_frames == max_depth {
                stack.truncated = true;
                return false;
            }
            stack.addresses[stack.n_frames] = address + usize::from(stack.n_frames == 0);
            stack.n_frames += 1;
            true
        };
        // SAFETY: unsynchronised tracing only forgoes the crate's own lock, which guards symbolising on
        // other systems; on Linux the walk shares no state between threads.
        unsafe { backtrace::trace_unsynchronized(visit) };
        if stack.n_frames == 0 {
            stack.addresses[0] = instruction + 1;
            stack.n_frames = 1;
        }
        stack
    }
}

/// The registers of an interrupted thread that the sampler looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interrupted {
    /// Address of the instruction that would have run next.
    pub(super) instruction: usize,
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
        return Self {
            instruction: machine.gregs[libc::REG_RIP as usize] as usize,
            result: machine.gregs[libc::REG_RAX as usize] as isize,
        };
        #[cfg(target_arch = "aarch64")]
        return Self {
            instruction: machine.pc as usize,
            result: machine.regs[0] as isize,
        };
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
