//! Budgets of the linear pipeline's scenarios, made as the others are.

use super::{Budget, FULL, Limit, SMALL, at_most, hard, time};

const TRAIN_MEMORY: &str = "linear::train_memory";
const TRAIN_CPU: &str = "linear::train_cpu";
const FILE: &str = "linear::save_load_roundtrip";
const ASK_MEMORY: &str = "linear::predict_all_four_memory";
const ASK_CPU: &str = "linear::predict_all_four_cpu";

// Of a training, by the number of threads that train.
const FULL_ALLOCATIONS: Limit = Limit::AtMostByThreads(&[
    (1, 66_300),
    (2, 67_800),
    (4, 69_700),
    (8, 72_500),
    (16, 77_300),
    (32, 85_600),
]);
const FULL_TOTAL: Limit = Limit::AtMostByThreads(&[
    (1, 269_000_000),
    (2, 271_000_000),
    (4, 272_000_000),
    (8, 274_000_000),
    (16, 279_000_000),
    (32, 285_000_000),
]);
const FULL_PEAK_BYTES: Limit = Limit::AtMostByThreads(&[
    (1, 40_800_000),
    (2, 40_800_000),
    (4, 42_100_000),
    (8, 57_800_000),
    (16, 89_400_000),
    (32, 142_000_000),
]);
const SMALL_ALLOCATIONS: Limit = Limit::AtMostByThreads(&[
    (1, 10_800),
    (2, 11_400),
    (4, 12_400),
    (8, 14_100),
    (16, 16_600),
    (32, 19_800),
]);
const SMALL_TOTAL: Limit = Limit::AtMostByThreads(&[
    (1, 70_800_000),
    (2, 71_200_000),
    (4, 71_600_000),
    (8, 72_700_000),
    (16, 73_900_000),
    (32, 76_400_000),
]);
const SMALL_PEAK_BYTES: Limit = Limit::AtMostByThreads(&[
    (1, 14_400_000),
    (2, 14_400_000),
    (4, 14_400_000),
    (8, 14_400_000),
    (16, 20_900_000),
    (32, 30_400_000),
]);

/// All of them.
pub(super) static BUDGETS: [Budget; 31] = [
    hard(TRAIN_MEMORY, FULL, "train.allocations", FULL_ALLOCATIONS),
    hard(TRAIN_MEMORY, FULL, "train.allocated_bytes", FULL_TOTAL),
    hard(TRAIN_MEMORY, FULL, "train.peak_bytes", FULL_PEAK_BYTES),
    hard(TRAIN_MEMORY, FULL, "train.kept_bytes", at_most(37_900_000)),
    hard(FILE, FULL, "file.bytes", at_most(5_790_000)),
    hard(FILE, FULL, "save.peak_bytes", at_most(14_500_000)),
    hard(FILE, FULL, "save.kept_bytes", at_most(0)),
    hard(FILE, FULL, "load.peak_bytes", at_most(38_300_000)),
    hard(FILE, FULL, "load.allocations", at_most(255)),
    hard(ASK_MEMORY, FULL, "four_new.allocations", at_most(16)),
    hard(ASK_MEMORY, FULL, "four_new.allocated_bytes", at_most(5_010)),
    hard(ASK_MEMORY, FULL, "four_known.allocations", at_most(10)),
    hard(ASK_MEMORY, FULL, "four_known.allocated_bytes", at_most(596)),
    hard(TRAIN_MEMORY, SMALL, "train.allocations", SMALL_ALLOCATIONS),
    hard(TRAIN_MEMORY, SMALL, "train.allocated_bytes", SMALL_TOTAL),
    hard(TRAIN_MEMORY, SMALL, "train.peak_bytes", SMALL_PEAK_BYTES),
    hard(TRAIN_MEMORY, SMALL, "train.kept_bytes", at_most(13_400_000)),
    hard(FILE, SMALL, "file.bytes", at_most(2_330_000)),
    hard(FILE, SMALL, "save.peak_bytes", at_most(6_740_000)),
    hard(FILE, SMALL, "save.kept_bytes", at_most(0)),
    hard(FILE, SMALL, "load.peak_bytes", at_most(13_400_000)),
    hard(FILE, SMALL, "load.allocations", at_most(255)),
    hard(ASK_MEMORY, SMALL, "four_new.allocations", at_most(16)),
    hard(ASK_MEMORY, SMALL, "four_new.allocated_bytes", at_most(5_010)),
    hard(ASK_MEMORY, SMALL, "four_known.allocations", at_most(10)),
    hard(ASK_MEMORY, SMALL, "four_known.allocated_bytes", at_most(596)),
    time(TRAIN_CPU, "train.time"),
    time(TRAIN_CPU, "train.cpu_time"),
    time(FILE, "load.time"),
    time(ASK_CPU, "four_new.time"),
    time(ASK_CPU, "four_known.time"),
];
