//! Trials of what judges a report, with changes and limits planted in figures of known work: nothing of them is in
//! the program or in its settings.

use std::cell::Cell;
use std::error::Error;
use std::path::Path;

use profiling_toolkit::compare::{Better, Verdict};
use profiling_toolkit::environment::Environment;
use profiling_toolkit::memory::{MemoryOptions, measure_memory};
use profiling_toolkit::timing::Samples;

use super::Outcome;
use crate::budgets::{Budget, BudgetedCorpus, Limit, Mode, Severity};
use crate::corpus::{CorpusFacts, Source};
use crate::judgement::Judge;
use crate::report::Report;
use crate::report::figure::{self, Figure, FigureUnit, Threads};
use crate::report::head::Head;
use crate::settings::Settings;

pub(super) const SCENARIO: &str = "self_test::judged";

const MIB: usize = 1 << 20;

/// What reports of known work are judged with.
pub(super) struct Court {
    pub(super) settings: Settings,
    environment: Environment,
    corpus: CorpusFacts,
    /// Removed with the reports in it.
    _directory: tempfile::TempDir,
}

/// What is planted.
#[derive(Clone, Copy)]
pub(super) struct Planted {
    leak_bytes: usize,
    slowness: f64,
}

pub(super) const NOTHING: Planted = Planted {
    leak_bytes: 0,
    slowness: 1.0,
};

impl Court {
    fn new() -> Result<Self, Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let settings = Settings {
            directory: directory.path().to_owned(),
            ..Settings::default()
        };
        Ok(Self {
            settings,
            environment: Environment::capture(),
            corpus: CorpusFacts {
                source: Source::Generated { seed: 42 },
                n_documents: 5_000,
                content_bytes: 2_000_000,
                n_labels: [1; 4],
                sha256: "of no documents".to_owned(),
            },
            _directory: directory,
        })
    }

    pub(super) fn head(&self) -> Head<'_> {
        Head {
            settings: &self.settings,
            n_threads: 4,
            corpus: &self.corpus,
            environment: &self.environment,
        }
    }

    /// Concludes a report of known work, run for the `n_run`th time.
    pub(super) fn report(
        &self,
        n_run: u64,
        planted: Planted,
        budgets: &[Budget],
    ) -> Result<Report, Box<dyn Error>> {
        let work_time = |n_run, slowness| Figure::time("work.time", &samples(n_run, slowness));
        let (this, n_elsewhere) = (std::env::current_exe()?, Cell::new(100 * n_run));
        let measure_with = |programs: [&Path; 2]| {
            Ok(programs.map(|program| {
                n_elsewhere.set(n_elsewhere.get() + 1);
                // A slow spell of the machine, of which each program has its share.
                let spell = 1.0 + 0.5 * f64::from(n_elsewhere.get().div_ceil(2) % 3 == 0);
                let slowness = if program == this { planted.slowness } else { 1.0 };
                vec![work_time(n_elsewhere.get(), spell * slowness)]
            }))
        };
        let judge = Judge::new(self.head(), budgets, SCENARIO, &measure_with)?;
        let mut report = Report::new(SCENARIO, "known work");
        let work = || {
            (
                vec![1_u8; 4_096],
                (planted.leak_bytes > 0).then(|| vec![1_u8; planted.leak_bytes]),
            )
        };
        let (kept, memory) = measure_memory(MemoryOptions::default(), work)?;
        report.figures(figure::of_memory("work", &memory, Threads::One));
        report.figures([work_time(n_run, planted.slowness)]);
        judge.compare(&mut report);
        judge.conclude(&mut report)?;
        drop(kept);
        Ok(report)
    }
}

/// Ten blocks of five samples around a millisecond; they stray by up to 3 %, differently in each run.
fn samples(n_run: u64, slowness: f64) -> Samples {
    let stray = |n: u64| {
        let mixed = (n + n_run * 1_000).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        0.97 + 0.06 * (mixed >> 32) as f64 / f64::from(u32::MAX)
    };
    Samples {
        ns: (0..50).map(|n| 1e6 * slowness * stray(n)).collect(),
        per_block: 5,
        reference_ns: (0..10).map(|n| 2e6 * stray(n + 500)).collect(),
        memory_reference_ns: (0..10).map(|n| 1e6 * stray(n + 600)).collect(),
    }
}

fn verdict_on(report: &Report, figure: &str) -> Option<Verdict> {
    report.comparison.as_ref()?.of(figure)?.verdict
}

pub(super) fn with_baseline() -> Result<Court, Box<dyn Error>> {
    let mut court = Court::new()?;
    court.settings.save_baseline = Some("main".to_owned());
    court.report(0, NOTHING, &[])?;
    court.settings.save_baseline = None;
    court.settings.baseline = Some("main".to_owned());
    Ok(court)
}

pub(super) fn planted_leak_and_slowdown_are_found() -> Outcome {
    let planted = Planted {
        leak_bytes: MIB,
        slowness: 1.2,
    };
    let report = with_baseline()?.report(1, planted, &[])?;
    for figure in ["work.kept_bytes", "work.peak_bytes", "work.time"] {
        assert_eq!(verdict_on(&report, figure), Some(Verdict::Worse), "{figure}");
    }
    Ok(())
}

pub(super) fn ten_runs_of_the_same_find_nothing() -> Outcome {
    let court = with_baseline()?;
    for n_run in 1..=10 {
        let report = court.report(n_run, NOTHING, &[])?;
        let comparison = report.comparison.as_ref().ok_or("nothing was compared")?;
        for verdict in [Verdict::Worse, Verdict::Better, Verdict::Changed] {
            assert_eq!(
                comparison.n_of(verdict),
                0,
                "run {n_run}: {:?}",
                comparison.changes
            );
        }
    }
    Ok(())
}

const TOO_TIGHT: Budget = Budget {
    scenario: SCENARIO,
    figure: "work.kept_bytes",
    severity: Severity::Hard,
    limit: Limit::AtMost(4_000),
    corpus: BudgetedCorpus::Any,
};

/// Why a report fails, with this budget.
fn failure(court: &Court, budget: Budget) -> Result<Option<String>, Box<dyn Error>> {
    let report = court.report(0, NOTHING, &[budget])?;
    Ok(Judge::verdict(&report).err().map(|error| error.to_string()))
}

pub(super) fn budget_over_its_limit_fails_with_both_numbers() -> Outcome {
    let mut court = Court::new()?;
    let message = failure(&court, TOO_TIGHT)?.ok_or("4,096 bytes were kept of 4,000")?;
    for text in [
        "work.kept_bytes",
        "4,096 bytes",
        "4,000 bytes",
        "5,000 documents",
        "4 threads",
    ] {
        assert!(message.contains(text), "{text}: {message}");
    }
    let wide = Budget {
        limit: Limit::AtMost(4_096),
        ..TOO_TIGHT
    };
    assert_eq!(failure(&court, wide)?, None);
    let soft = Budget {
        severity: Severity::Soft,
        ..TOO_TIGHT
    };
    assert_eq!(failure(&court, soft)?, None);
    court.settings.budgets = Mode::Off;
    assert_eq!(failure(&court, TOO_TIGHT)?, None);
    Ok(())
}

pub(super) fn budget_of_what_was_not_measured_is_refused() -> Outcome {
    let court = Court::new()?;
    let unmeasured = Budget {
        figure: "work.seconds",
        ..TOO_TIGHT
    };
    let message = failure(&court, unmeasured)?.ok_or("nothing is known of it")?;
    assert!(message.contains("not checked"), "{message}");

    let no_baseline = |_: [&Path; 2]| Err("there is nothing to compare with".into());
    let judge = Judge::new(court.head(), &[TOO_TIGHT], SCENARIO, &no_baseline)?;
    let mut report = Report::new(SCENARIO, "known work");
    report.figures([Figure {
        unreliable: Some("a table of the tracker overflowed".to_owned()),
        ..Figure::exact("work.kept_bytes", 1.0, FigureUnit::Bytes, Better::Lower)
    }]);
    judge.conclude(&mut report)?;
    let refused = Judge::verdict(&report).err().ok_or("the table overflowed")?;
    assert!(refused.to_string().contains("overflowed"), "{refused}");
    Ok(())
}

pub(super) fn time_worse_than_a_baseline_is_over_budget() -> Outcome {
    let court = with_baseline()?;
    let budget = Budget {
        figure: "work.time",
        limit: Limit::NotWorseThanBaseline,
        ..TOO_TIGHT
    };
    assert!(Judge::verdict(&court.report(1, NOTHING, &[budget])?).is_ok());
    let planted = Planted {
        slowness: 1.2,
        ..NOTHING
    };
    let slow = court.report(1, planted, &[budget])?;
    assert!(Judge::verdict(&slow).is_err(), "a fifth slower");
    Ok(())
}
