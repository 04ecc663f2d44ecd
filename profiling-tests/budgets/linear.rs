//! Budgets of the linear pipeline's scenarios, made as the others are.

use super::{Budget, FULL, Limit, SMALL, at_most, hard, time};

const TRAIN_MEMORY: &str = "linear::train_memory";
const TRAIN_CPU: &str = "linear::train_cpu";
const FILE: &str = "linear::save_load_roundtrip";
const ASK_MEMORY: &str = "linear::predict_all_four_memory";
const ASK_CPU: &str = "linear::predict_all_four_cpu";

// Of a training, by the number of threads that train.
const FULL_ALLOCATIONS: Limit = Limit::AtMostByThreads(&[
    (1, 59_900),
    (2, 61_300),
    (4, 63_300),
    (8, 66_100),
    (16, 70_900),
    (32, 79_300),
]);
const FULL_TOTAL: Limit = Limit::AtMostByThreads(&[
    (1, 102_500_000),
    (2, 107_900_000),
    (4, 115_800_000),
    (8, 131_300_000),
    (16, 161_400_000),
    (32, 219_100_000),
]);
const FULL_PEAK_BYTES: Limit = Limit::AtMostByThreads(&[
    (1, 38_100_000),
    (2, 38_100_000),
    (4, 39_800_000),
    (8, 55_400_000),
    (16, 82_400_000),
    (32, 136_000_000),
]);
const SMALL_ALLOCATIONS: Limit = Limit::AtMostByThreads(&[
    (1, 9_380),
    (2, 9_960),
    (4, 10_970),
    (8, 12_700),
    (16, 15_230),
    (32, 18_500),
]);
const SMALL_TOTAL: Limit = Limit::AtMostByThreads(&[
    (1, 28_600_000),
    (2, 30_000_000),
    (4, 32_000_000),
    (8, 36_600_000),
    (16, 44_100_000),
    (32, 60_300_000),
]);
const SMALL_PEAK_BYTES: Limit = Limit::AtMostByThreads(&[
    (1, 13_400_000),
    (2, 13_400_000),
    (4, 13_500_000),
    (8, 15_000_000),
    (16, 21_400_000),
    (32, 34_900_000),
]);

/// All of them.
pub(super) static BUDGETS: [Budget; 31] = [
    hard(TRAIN_MEMORY, FULL, "train.allocations", FULL_ALLOCATIONS),
    hard(TRAIN_MEMORY, FULL, "train.allocated_bytes", FULL_TOTAL),
    hard(TRAIN_MEMORY, FULL, "train.peak_bytes", FULL_PEAK_BYTES),
    hard(TRAIN_MEMORY, FULL, "train.kept_bytes", at_most(37_900_000)),
    hard(FILE, FULL, "file.bytes", at_most(5_790_000)),
    hard(FILE, FULL, "save.peak_bytes", at_most(14_900_000)),
    hard(FILE, FULL, "save.kept_bytes", at_most(0)),
    hard(FILE, FULL, "load.peak_bytes", at_most(38_300_000)),
    hard(FILE, FULL, "load.allocations", at_most(255)),
    hard(ASK_MEMORY, FULL, "four_new.allocations", at_most(5)),
    hard(ASK_MEMORY, FULL, "four_new.allocated_bytes", at_most(2_960)),
    hard(ASK_MEMORY, FULL, "four_known.allocations", at_most(0)),
    hard(ASK_MEMORY, FULL, "once_known.allocations", at_most(0)),
    hard(TRAIN_MEMORY, SMALL, "train.allocations", SMALL_ALLOCATIONS),
    hard(TRAIN_MEMORY, SMALL, "train.allocated_bytes", SMALL_TOTAL),
    hard(TRAIN_MEMORY, SMALL, "train.peak_bytes", SMALL_PEAK_BYTES),
    hard(TRAIN_MEMORY, SMALL, "train.kept_bytes", at_most(13_300_000)),
    hard(FILE, SMALL, "file.bytes", at_most(2_330_000)),
    hard(FILE, SMALL, "save.peak_bytes", at_most(6_930_000)),
    hard(FILE, SMALL, "save.kept_bytes", at_most(0)),
    hard(FILE, SMALL, "load.peak_bytes", at_most(13_400_000)),
    hard(FILE, SMALL, "load.allocations", at_most(255)),
    hard(ASK_MEMORY, SMALL, "four_new.allocations", at_most(5)),
    hard(ASK_MEMORY, SMALL, "four_new.allocated_bytes", at_most(2_870)),
    hard(ASK_MEMORY, SMALL, "four_known.allocations", at_most(0)),
    hard(ASK_MEMORY, SMALL, "once_known.allocations", at_most(0)),
    time(TRAIN_CPU, "train.time"),
    time(TRAIN_CPU, "train.cpu_time"),
    time(FILE, "load.time"),
    time(ASK_CPU, "four_new.time"),
    time(ASK_CPU, "four_known.time"),
];
