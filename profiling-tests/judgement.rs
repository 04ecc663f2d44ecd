//! What a finished report is held against: a baseline, and its budgets. Then it is written, and saved if asked for.
//!
//! The baseline is opened before anything is measured: what can't be compared is refused at once.

use std::error::Error;

use crate::baseline::{self, Baseline, MeasureWith};
use crate::budgets::{Budget, Budgeting};
use crate::report::head::Head;
use crate::report::{Report, changes, files};

/// Against what a scenario is judged.
pub(crate) struct Judge<'run> {
    head: Head<'run>,
    budgets: &'run [Budget],
    baseline: Option<Baseline>,
    measure_with: MeasureWith<'run>,
}

impl<'run> Judge<'run> {
    /// Opens the baseline that the settings name, if they do. `measure_with` measures the scenario with its program.
    pub(crate) fn new(
        head: Head<'run>,
        budgets: &'run [Budget],
        scenario: &str,
        measure_with: MeasureWith<'run>,
    ) -> Result<Self, Box<dyn Error>> {
        let name = head.settings.baseline.as_deref();
        let baseline = name
            .map(|name| Baseline::open(name, scenario, &head))
            .transpose()?;
        Ok(Self {
            head,
            budgets,
            baseline,
            measure_with,
        })
    }

    /// Compares a report with the baseline, which may take minutes. Not one that failed: what it lacks is no change.
    pub(crate) fn compare(&self, report: &mut Report) {
        if let (Some(baseline), None) = (&self.baseline, &report.failure) {
            changes::add(report, baseline.compare(&self.head, report, self.measure_with));
        }
    }

    /// Checks, writes and saves a report that was compared. One that failed is only written: no baseline may be without
    /// what it lacks.
    pub(crate) fn conclude(&self, report: &mut Report) -> Result<(), Box<dyn Error>> {
        let (head, directory) = (&self.head, &self.head.settings.directory);
        if report.failure.is_some() {
            return files::write(directory, head, report);
        }
        changes::add_budgets(report, Budgeting::check(self.budgets, head, report));
        files::write(directory, head, report)?;
        if let Some(baseline) = &self.baseline {
            baseline.write_differences(head, report)?;
        }
        if let Some(name) = &head.settings.save_baseline {
            baseline::save(name, head, report)?;
        }
        Ok(())
    }

    /// The hard budgets that a concluded report doesn't keep.
    pub(crate) fn verdict(report: &Report) -> Result<(), Box<dyn Error>> {
        let failure = report.budgets.as_ref().and_then(Budgeting::failure);
        failure.map_or(Ok(()), |failure| Err(failure.into()))
    }
}
