//! Any bytes as a profile's report, its stacks and its flame graph: compared with or refused, and there is a page.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use postroom_fuzz::reports::Reports;

static REPORTS: LazyLock<Reports> = LazyLock::new(|| Reports::new().expect("there is room"));

fuzz_target!(|files: &[u8]| {
    REPORTS.read(files).expect("there is room");
});
