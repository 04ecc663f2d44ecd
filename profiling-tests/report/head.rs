//! What every report begins with: what was measured, by what, on what, and what spoils it.

use postroom::document::Field;
use profiling_toolkit::cpu::CpuOptions;
use profiling_toolkit::environment::Environment;
use serde::Serialize;

use super::text::{fact_lines, rule, warning_lines};
use super::units::{bytes, count, digits, percent};
use crate::corpus::{CorpusFacts, Source};
use crate::settings::Settings;

/// The circumstances of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Head<'run> {
    /// What was asked for.
    pub(crate) settings: &'run Settings,
    /// Threads that train.
    pub(crate) n_threads: usize,
    /// The documents.
    pub(crate) corpus: &'run CorpusFacts,
    /// Compiler, machine and instruments.
    pub(crate) environment: &'run Environment,
}

impl Head<'_> {
    /// Warnings, then the circumstances.
    pub(crate) fn text(&self) -> String {
        let mut lines = vec![
            rule('═'),
            "PROFILE OF TRAINING AND PREDICTION".to_owned(),
            rule('═'),
        ];
        lines.extend(
            self.environment
                .warnings()
                .iter()
                .flat_map(|warning| warning_lines(warning)),
        );
        lines.extend(fact_lines(&self.facts()));
        lines.join("\n") + "\n"
    }

    /// The circumstances, named.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("corpus", self.corpus_line()),
            ("labels", self.labels_line()),
            ("build", self.build_line()),
            ("flags", self.flags_line()),
            ("machine", self.machine_line()),
            ("load", self.load_line()),
            ("tracker", self.tracker_line()),
            ("sampler", self.sampler_line()),
        ];
        if self.settings.brief {
            facts.push((
                "brief",
                "fewer samples than in a whole run (PROFILING_BRIEF)".to_owned(),
            ));
        }
        facts
    }

    fn corpus_line(&self) -> String {
        let source = match &self.corpus.source {
            Source::Generated { seed } => format!("generated from seed {seed}"),
            Source::Archive { file } => format!("from the archive {file}"),
        };
        let (n_documents, text) = (count(self.corpus.n_documents), bytes(self.corpus.content_bytes));
        format!(
            "{n_documents} documents, {text} of text, {source}; SHA-256 {}",
            self.corpus.sha256
        )
    }

    fn labels_line(&self) -> String {
        let labels = Field::ALL.into_iter().zip(self.corpus.n_labels);
        let labels: Vec<String> = labels
            .map(|(field, n_labels)| format!("{field} {n_labels}"))
            .collect();
        format!("{} to learn", labels.join(", "))
    }

    fn build_line(&self) -> String {
        let build = self.environment;
        let on_off = |on| if on { "on" } else { "off" };
        format!(
            "{}, {}, opt-level {}, debug assertions {}, overflow checks {}, debug info {}",
            build.rustc,
            build.target,
            build.opt_level,
            on_off(build.debug_assertions),
            build.overflow_checks.map_or("unknown", on_off),
            build.debug_info
        )
    }

    fn flags_line(&self) -> String {
        let found = |found| if found { "found" } else { "missing" };
        let flags = self.environment.rustflags.join(" ");
        format!(
            "{}; frame pointers {} in this binary, {} in the standard library",
            if flags.is_empty() { "none" } else { &flags },
            found(self.environment.frame_pointers.own_code),
            found(self.environment.frame_pointers.standard_library)
        )
    }

    fn machine_line(&self) -> String {
        let machine = &self.environment.machine;
        let mut cores = vec![format!(
            "{} logical cores",
            machine.cores.unwrap_or(self.environment.logical_cores)
        )];
        cores.extend(machine.restrictions());
        format!(
            "{}, {}; {} threads train; {}",
            self.environment.cpu.as_deref().unwrap_or("unknown processor"),
            cores.join(", "),
            self.n_threads,
            self.environment.operating_system
        )
    }

    fn load_line(&self) -> String {
        let load = self.environment.machine.load_average;
        load.map_or_else(
            || "unknown".to_owned(),
            |load| {
                format!(
                    "{} threads running or waiting for a core, on average over the minute before",
                    digits(load)
                )
            },
        )
    }

    fn tracker_line(&self) -> String {
        let Some(cost) = self.environment.tracker_cost else {
            return "what it costs could not be measured".to_owned();
        };
        format!(
            "{} ns for an allocation and its release in a memory region, {} ns outside one, {} ns without it",
            digits(cost.switched_on_ns),
            digits(cost.switched_off_ns),
            digits(cost.system_ns)
        )
    }

    /// Tried out before anything was measured; each profile says the same of itself.
    fn sampler_line(&self) -> String {
        let Some(cost) = self.environment.sampler_cost else {
            return "CPU time can't be sampled here".to_owned();
        };
        format!(
            "{} ns a sample, {} of a busy thread at {} a second, held to {} %; {} samples a second, {} dropped, {} truncated",
            count(cost.sample_ns as u64),
            percent(cost.share),
            cost.rate_asked_hz,
            CpuOptions::default().most_cost_percent,
            digits(cost.rate_reached_hz),
            count(cost.dropped),
            count(cost.truncated)
        )
    }
}
