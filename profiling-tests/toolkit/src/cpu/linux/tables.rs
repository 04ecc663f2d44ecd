//! The call frame information of everything that is loaded, found before the sampling and read in the handler.
//!
//! In come the program headers that the loader keeps, out go [`Tables`] that unwind without allocating. A library
//! that is loaded later isn't in them: a stack through it is left to the system's unwinder. None may be unloaded
//! while a measurement runs.
#![expect(
    unsafe_code,
    reason = "reads the program headers and unwind tables of loaded files where they lie"
)]

use std::ffi::{CStr, c_int, c_void};
use std::ops::Range;
use std::slice;

use framehop::{
    CacheNative, ExplicitModuleSectionInfo, FrameAddress, Module, MustNotAllocateDuringUnwind,
    UnwindRegsNative, Unwinder as _, UnwinderNative,
};
use libc::{dl_phdr_info, size_t};

/// Rules of the addresses that one thread was last found at, and room to work out others.
pub(super) type RuleCache = CacheNative<MustNotAllocateDuringUnwind>;

/// Unwind tables by address.
pub(super) struct Tables {
    unwinder: UnwinderNative<&'static [u8], MustNotAllocateDuringUnwind>,
    /// Files that the tables cover, by address.
    covered: Vec<Covered>,
}

/// A file with tables.
#[derive(Debug)]
struct Covered {
    code: Range<u64>,
    /// Without the directory; empty for the program itself.
    name: String,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// At the frame that has no caller.
    Complete,
    /// Where it was told to.
    Stopped,
    /// Before that: an address without a table, a rule that can't be followed, memory that isn't the stack's.
    Lost,
}

impl Tables {
    /// Those of all files that are loaded now.
    pub(super) fn of_this_process() -> Self {
        let mut tables = Self {
            unwinder: UnwinderNative::new(),
            covered: Vec::new(),
        };
        // SAFETY: the callback gets the pointer it expects, and `tables` outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(add_loaded_file), (&raw mut tables).cast()) };
        tables.covered.sort_unstable_by_key(|file| file.code.start);
        tables
    }

    /// Follows a stack outwards from `registers`, and shows each address to `visit` until that returns `false`:
    /// first the interrupted instruction, then return addresses. `stack` is what may be read. Safe inside a
    /// signal handler.
    pub(super) fn walk(
        &self,
        (instruction, registers): (usize, UnwindRegsNative),
        stack: &Range<usize>,
        cache: &mut RuleCache,
        mut visit: impl FnMut(usize) -> bool,
    ) -> Walk {
        let mut read_stack = |address| read_word(stack, address);
        let mut frames = self
            .unwinder
            .iter_frames(instruction as u64, registers, cache, &mut read_stack);
        loop {
            let address = match frames.next() {
                Ok(Some(FrameAddress::InstructionPointer(address))) => address,
                Ok(Some(FrameAddress::ReturnAddress(address))) => address.get(),
                Ok(None) => return Walk::Complete,
                Err(_) => return Walk::Lost,
            };
            // Of code that it doesn't know, the unwinder would guess that it keeps frame pointers.
            if self.covering(address).is_none() {
                return Walk::Lost;
            }
            if !visit(address as usize) {
                return Walk::Stopped;
            }
        }
    }

    /// The name of the file that `address` belongs to; empty for the program itself, `None` for one without tables.
    pub(super) fn file_of(&self, address: usize) -> Option<&str> {
        self.covering(address as u64).map(|file| file.name.as_str())
    }

    fn covering(&self, address: u64) -> Option<&Covered> {
        let after = self.covered.partition_point(|file| file.code.start <= address);
        let file = self.covered.get(after.checked_sub(1)?)?;
        (address < file.code.end).then_some(file)
    }

    fn add(&mut self, file: &LoadedFile) {
        let module = Module::new(String::new(), file.code.clone(), file.base, file.sections());
        self.unwinder.add_module(module);
        self.covered.push(Covered {
            code: file.code.clone(),
            name: file.name.clone(),
        });
    }
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tables")
            .field("covered", &self.covered)
            .finish_non_exhaustive()
    }
}

fn read_word(stack: &Range<usize>, address: u64) -> Result<u64, ()> {
    let address = address as usize;
    let end = address.checked_add(size_of::<u64>()).ok_or(())?;
    if address < stack.start || end > stack.end {
        return Err(());
    }
    // SAFETY: the whole range is mapped and readable; any alignment will do.
    Ok(unsafe { (address as *const u64).read_unaligned() })
}

/// A file as the loader has mapped it. Addresses "in the file" are as its headers state them; `base` is what is
/// added to them.
struct LoadedFile {
    name: String,
    base: u64,
    code: Range<u64>,
    /// `.eh_frame_hdr`: an index into the other.
    index: Section,
    /// `.eh_frame`, up to the end of the segment that holds it.
    tables: Section,
}

/// Where a section stands in the file, and its bytes.
struct Section {
    address: u64,
    bytes: &'static [u8],
}

impl Section {
    fn range(&self) -> Range<u64> {
        self.address..self.address + self.bytes.len() as u64
    }
}

/// In an index: where the tables are is stated relative to that statement, in four bytes with a sign.
const RELATIVE_FOUR_BYTES: u8 = 0x1b;

impl LoadedFile {
    /// `None` for a file without tables, or with an index of an unusual make.
    fn find(info: &dl_phdr_info) -> Option<Self> {
        // SAFETY: the loader states where its headers are and how many.
        let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
        let base = info.dlpi_addr;
        let segments = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
        let segments: Vec<Range<u64>> = segments
            .map(|header| header.p_vaddr..header.p_vaddr + header.p_memsz)
            .collect();
        let start = segments.iter().map(|segment| segment.start).min()?;
        let end = segments.iter().map(|segment| segment.end).max()?;
        let holding = |address: u64| segments.iter().find(|segment| segment.contains(&address));

        let index = headers
            .iter()
            .find(|header| header.p_type == libc::PT_GNU_EH_FRAME)?;
        let index_range = index.p_vaddr..index.p_vaddr + index.p_memsz;
        if holding(index_range.start)?.end < index_range.end {
            return None;
        }
        let index = section(base, index_range);
        let [_version, RELATIVE_FOUR_BYTES, _, _, a, b, c, d, ..] = *index.bytes else {
            return None;
        };
        let tables = (index.address + 4).checked_add_signed(i64::from(i32::from_le_bytes([a, b, c, d])))?;
        Some(Self {
            name: file_name(info),
            base,
            code: base + start..base + end,
            index,
            tables: section(base, tables..holding(tables)?.end),
        })
    }

    fn sections(&self) -> ExplicitModuleSectionInfo<&'static [u8]> {
        ExplicitModuleSectionInfo {
            eh_frame_svma: Some(self.tables.range()),
            eh_frame: Some(self.tables.bytes),
            eh_frame_hdr_svma: Some(self.index.range()),
            eh_frame_hdr: Some(self.index.bytes),
            ..ExplicitModuleSectionInfo::default()
        }
    }
}

fn file_name(info: &dl_phdr_info) -> String {
    if info.dlpi_name.is_null() {
        return String::new();
    }
    // SAFETY: the loader states a path that ends in NUL.
    let path = unsafe { CStr::from_ptr(info.dlpi_name) }.to_string_lossy();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// `range` lies in a loaded segment.
fn section(base: u64, range: Range<u64>) -> Section {
    let start = (base + range.start) as *const u8;
    // SAFETY: the loader has mapped the segment, readable since the unwinder of the language reads it too; it is
    // not written to after loading, and stays until the file is unloaded, which nobody may do meanwhile.
    let bytes = unsafe { slice::from_raw_parts(start, (range.end - range.start) as usize) };
    Section {
        address: range.start,
        bytes,
    }
}

unsafe extern "C" fn add_loaded_file(info: *mut dl_phdr_info, _size: size_t, tables: *mut c_void) -> c_int {
    // SAFETY: `of_this_process` hands over its tables, which nobody else holds meanwhile.
    let tables = unsafe { &mut *tables.cast::<Tables>() };
    // SAFETY: the loader passes a valid description.
    if let Some(file) = LoadedFile::find(unsafe { &*info }) {
        tables.add(&file);
    }
    0
}
