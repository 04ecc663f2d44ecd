//! Which stretch of memory a stack lies in, as the kernel lists them.

use std::fs;
use std::ops::Range;

/// The mappings of this process.
#[derive(Debug)]
pub(super) struct Mappings {
    readable: Vec<Range<usize>>,
}

impl Mappings {
    /// As they are now; none when the kernel doesn't tell. Takes some 100 µs.
    pub(super) fn now() -> Self {
        let listed = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        Self {
            readable: listed.lines().filter_map(readable_range).collect(),
        }
    }

    /// The mapping that holds `address`.
    pub(super) fn around(&self, address: usize) -> Option<Range<usize>> {
        let mut mappings = self.readable.iter();
        mappings.find(|mapping| mapping.contains(&address)).cloned()
    }
}

/// `7ffd1c9a2000-7ffd1c9c3000 rw-p 00000000 00:00 0   [stack]`
fn readable_range(line: &str) -> Option<Range<usize>> {
    let mut columns = line.split(' ');
    let (start, end) = columns.next()?.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    columns
        .next()?
        .starts_with('r')
        .then_some(address(start)?..address(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_variable_lies_in_a_mapping() {
        let local = 7_u8;
        let address = &raw const local as usize;
        let stack = Mappings::now().around(address).unwrap();
        assert!(stack.contains(&address));
    }

    #[test]
    fn mapping_that_cannot_be_read_is_left_out() {
        assert_eq!(readable_range("1000-2000 ---p 00000000 00:00 0"), None);
        assert_eq!(
            readable_range("1000-2000 rw-p 00000000 00:00 0"),
            Some(0x1000..0x2000)
        );
    }
}
