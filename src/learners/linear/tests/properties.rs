//! What every training keeps: the same bits everywhere, an end, a way to stop it.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn large_problem() -> (FactoredMatrix, Targets) {
    problem(400, 300, 70)
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    let problem = large_problem();
    let with_threads = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| fitted(on_all_rows(&problem), &plain()))
    };
    let one = with_threads(1);
    for n_threads in [2, 4, 8] {
        assert!(with_threads(n_threads) == one, "{n_threads} threads");
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let problem = large_problem();
    let with =
        |instructions| fit_with(None, on_all_rows(&problem), &plain(), SEED, &go_on, instructions).unwrap();
    assert!(with(InstructionSet::Baseline) == with(InstructionSet::detect()));
}

#[test]
fn another_seed_gives_another_result() {
    let problem = small_problem();
    let with = |seed| fit(on_all_rows(&problem), &plain(), seed, &go_on).unwrap().model;
    assert!(with(SEED) != with(Seed { seed: 9, ..SEED }));
    assert!(with(SEED) != with(Seed { stream: 9, ..SEED }));
}

#[test]
fn passes_are_never_more_than_allowed() {
    let problem = small_problem();
    let params = LinearParams {
        max_passes: 3,
        ..exact()
    };
    let report = fitted(on_all_rows(&problem), &params).report;
    assert_eq!((report.max_passes, report.mean_passes), (3, 3.0));
    assert!(report.violation > params.tolerance);
}

#[test]
fn report_counts_what_is_stored() {
    let problem = small_problem();
    let fit = fitted(on_all_rows(&problem), &plain());
    assert_eq!(fit.report.n_stored, fit.model.weights().nnz());
    assert_eq!(fit.report.n_support_vectors, fit.dual.n_stored());
    assert!(fit.report.violation <= plain().tolerance);
}

#[test]
fn rows_drop_out_on_the_way_and_are_all_looked_at_in_the_end() {
    let (problem, passes) = (small_problem(), std::sync::Mutex::new(Vec::new()));
    let note = |pass: Pass| {
        passes.lock().unwrap().push(pass);
        ControlFlow::Continue(())
    };
    fit(on_all_rows(&problem), &exact(), SEED, &note).unwrap();
    let passes = passes.into_inner().unwrap();
    assert!(passes.iter().any(|pass| pass.n_rows < 150), "{passes:?}");
    let last = passes.last().unwrap();
    assert_eq!((last.n_rows, last.n_outputs_left), (150, 0));
    assert!((1..).zip(&passes).all(|(number, pass)| pass.number == number));
}

#[test]
fn callback_can_stop_the_training() {
    let (problem, n_passes) = (large_problem(), AtomicUsize::new(0));
    let stop = |pass: Pass| {
        n_passes.fetch_add(1, Ordering::Relaxed);
        if pass.number == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let stopped = fit(on_all_rows(&problem), &exact(), SEED, &stop);
    assert!(matches!(stopped, Err(Error::Cancelled)));
    let n_blocks = 70_usize.div_ceil(LANES);
    assert!(n_passes.into_inner() <= 2 * n_blocks);
}

#[test]
fn round_trip_through_entries_keeps_the_dual() {
    let problem = small_problem();
    let dual = fitted(on_all_rows(&problem), &plain()).dual;
    let again = Dual::new((0..dual.n_outputs()).map(|output| dual.of_output(output).collect::<Vec<_>>()));
    assert_eq!(again.unwrap(), dual);
}

#[test]
fn scaling_and_a_small_constant_feature_are_the_same_for_every_instruction_set_and_thread_count() {
    let problem = problem(150, 200, 40);
    let params = LinearParams::default();
    let with = |instructions| {
        fit_with(None, on_all_rows(&problem), &params, SEED, &go_on, instructions)
            .unwrap()
            .model
    };
    assert!(with(InstructionSet::Baseline) == with(InstructionSet::detect()));
}
