//! Reports of the profiling tests: a small one as a run writes it, and all that reads one back, a comparison with a
//! baseline and the page.
//!
//! What is read is three files in one, with a zero byte between: the report, its folded stacks, its flame graph.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use profiling_toolkit::compare::Better;
use profiling_toolkit::cpu::{CpuProfile, FunctionCost, SamplingQuality, StackCost};
use profiling_toolkit::environment::Environment;
use profiling_toolkit::timing::Samples;
use tempfile::TempDir;

use crate::baseline::{self, Baseline};
use crate::budgets::{Budget, BudgetedCorpus, Budgeting, Limit, Severity};
use crate::corpus::{CorpusFacts, Source};
use crate::report::figure::{Figure, FigureUnit};
use crate::report::graph::Graph;
use crate::report::head::Head;
use crate::report::table::Table;
use crate::report::{Report, changes, files, json, page, text};
use crate::settings::Settings;

const SCENARIO: &str = "fuzz::known";

const BASELINE: &str = "main";

const BUDGET: Budget = Budget {
    scenario: SCENARIO,
    figure: "work.allocations",
    severity: Severity::Soft,
    limit: Limit::AtMost(1),
    corpus: BudgetedCorpus::Any,
};

/// A directory of reports, and the circumstances that they are of: always the same.
pub struct Reports {
    settings: Settings,
    environment: Environment,
    corpus: CorpusFacts,
    /// Removed with the reports in it.
    _directory: TempDir,
}

impl Reports {
    /// An empty directory.
    ///
    /// # Errors
    /// When there can't be one.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let settings = Settings {
            directory: directory.path().to_owned(),
            ..Settings::default()
        };
        fs::create_dir_all(baseline::directory_of(&settings.directory, BASELINE))?;
        Ok(Self {
            settings,
            environment: Environment {
                // The same for the program that writes the seeds and the one that is fuzzed.
                opt_level: "3".to_owned(),
                debug_assertions: true,
                overflow_checks: Some(true),
                ..Environment::capture()
            },
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

    /// A report that was compared with itself and held to a budget, with its files.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn seed(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        let (head, mut report) = (self.head(), report());
        baseline::save(BASELINE, &head, &report)?;
        let baseline = Baseline::open(BASELINE, SCENARIO, &head)?;
        let comparison = baseline.compare(&head, &report, &|_| Ok([(); 2].map(|()| self::report().figures)));
        changes::add(&mut report, comparison);
        let budgeting = Budgeting::check(&[BUDGET], &head, &report);
        changes::add_budgets(&mut report, budgeting);
        files::write(&self.settings.directory, &head, &report)?;
        let parts = ["json", "folded", "svg"].map(|ending| fs::read(self.beside(ending)));
        let [report, folded, svg] = parts;
        Ok([report?, folded?, svg?].join(&0))
    }

    /// Compares with any bytes, and puts them on a page: each is named where it can't be read.
    ///
    /// # Errors
    /// When the files can't be written.
    pub fn read(&self, input: &[u8]) -> Result<(), Box<dyn Error>> {
        let head = self.head();
        let mut parts = input.splitn(3, |&byte| byte == 0);
        let mut part = || parts.next().unwrap_or_default();
        let [json, folded, svg] = [part(), part(), part()];
        let saved = baseline::directory_of(&self.settings.directory, BASELINE);
        fs::write(saved.join(self.name("json")), json)?;
        fs::write(saved.join(self.name("folded")), folded)?;
        fs::write(self.beside("json"), json)?;
        fs::write(self.beside("svg"), svg)?;
        for ending in ["diff.svg", "diff_before.svg"] {
            let _none = fs::remove_file(self.beside(ending));
        }
        match Baseline::open(BASELINE, SCENARIO, &head) {
            Ok(baseline) => {
                let mut report = report();
                // Stacks that can't be drawn are an error.
                let _drawn = baseline.write_differences(&head, &report);
                let comparison =
                    baseline.compare(&head, &report, &|_| Ok([(); 2].map(|()| self::report().figures)));
                changes::add(&mut report, comparison);
                assert!(text::file(&head, &report).contains(SCENARIO));
                assert!(json::file(&head, &report, SCENARIO).ends_with("}\n"));
            }
            Err(error) => assert!(error.to_string().contains(BASELINE), "{error}"),
        }
        let page = page::assembled(&self.settings.directory, &[SCENARIO])?;
        assert!(page.contains(SCENARIO) || page.contains(&self.name("json")));
        assert!(page.trim_end().ends_with("</html>"));
        Ok(())
    }

    fn head(&self) -> Head<'_> {
        Head {
            settings: &self.settings,
            n_threads: 4,
            corpus: &self.corpus,
            environment: &self.environment,
        }
    }

    fn name(&self, ending: &str) -> String {
        format!("{}.{ending}", files::stem(SCENARIO))
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.settings.directory.join(self.name(ending))
    }
}

/// One figure of each kind, a table, facts, a graph.
fn report() -> Report {
    let mut report = Report::new(SCENARIO, "known work");
    report.warnings.push("nothing was measured".to_owned());
    report.facts("facts", vec![("name", "value".to_owned())]);
    let mut table = Table::names_first(&["function", "bytes"]);
    table.row(vec!["work".to_owned(), "4,096".to_owned()]);
    report.table("functions", table);
    let samples = Samples {
        ns: [1e6, 1.01e6].repeat(5),
        per_block: 2,
        reference_ns: vec![2e6; 5],
        memory_reference_ns: vec![1e6; 5],
    };
    let bytes = Figure::exact("work.peak_bytes", 4_096.0, FigureUnit::Bytes, Better::Lower);
    report.figures([
        Figure::exact("work.allocations", 2.0, FigureUnit::Count, Better::Lower),
        Figure {
            exact: false,
            tolerance: Some(0.1),
            ..bytes
        },
        Figure::rough("work.share", 0.5, FigureUnit::Share, Better::Neither),
        Figure::time("work.time", &samples),
    ]);
    report.measurement("work", &samples);
    report.graphs.push(Graph::of_cpu("known work", &profile()));
    report
}

/// Two stacks of three functions.
fn profile() -> CpuProfile {
    let function = |name: &str| FunctionCost {
        function: name.to_owned(),
        location: None,
        self_ns: 1,
        self_error_ns: 0,
        self_samples: 1,
        cumulative_ns: 1,
        cumulative_error_ns: 0,
        cumulative_samples: 1,
    };
    let stack = |frames: [u32; 2], weight_ns| StackCost {
        frames: frames.to_vec(),
        weight_ns,
        samples: 1,
    };
    CpuProfile {
        wall_ns: 300,
        cpu_ns: 300,
        user_ns: 300,
        system_ns: 0,
        iterations: 2,
        sampling: SamplingQuality::default(),
        threads: Vec::new(),
        phases: Vec::new(),
        functions: ["app::main", "app::here", "app::there"].map(function).to_vec(),
        stacks: vec![stack([0, 1], 100), stack([0, 2], 200)],
    }
}
