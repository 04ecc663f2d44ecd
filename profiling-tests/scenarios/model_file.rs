//! The scenario of a trained model's file.

use std::hint::black_box;

use postroom::classifier::{DocumentClassifier, Loading};
use postroom::model_file::SecretKey;
use profiling_toolkit::compare::Better;
use profiling_toolkit::memory::{MemoryOptions, measure_memory};
use profiling_toolkit::timing::{TimedCalls, TimingOptions};

use super::{Outcome, Profiled};
use crate::corpus::HeldOut;
use crate::report::figure::{self, Figure, FigureUnit, Threads};
use crate::report::memory::GraphNames;
use crate::report::timing::Timings;
use crate::report::{self, Report, units};
use crate::scratch::ScratchDirectory;
use crate::session::Subject;

/// Documents whose predictions must be the same after loading.
const N_COMPARED: usize = 500;

/// Files written and read in a block.
const FILES_PER_BLOCK: u32 = 3;

pub(super) fn save_load_roundtrip(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let classifier = subject.classifier()?;
    let directory = ScratchDirectory::create()?;
    let path = directory.path().join("model");
    let key = SecretKey::new("only for this measurement");
    let load = || {
        let mut loaded = subject.untrained();
        loaded.load(&path, &key).map(|loading| (loading, loaded))
    };

    let (saved, save_memory) = measure_memory(MemoryOptions::default(), || classifier.save(&path, &key))?;
    saved?;
    let file_bytes = std::fs::metadata(&path)?.len();
    let (loaded, load_memory) = measure_memory(MemoryOptions::default(), load)?;
    let (loading, loaded) = loaded?;
    assert_eq!(loading, Loading::Loaded, "the model that was just saved");
    let n_compared = assert_equal_predictions(classifier, &loaded, subject.corpus()?.held_out())?;
    let same = format!("equal for {} documents", units::count(n_compared));
    report.facts(
        "The file",
        vec![("size", units::bytes(file_bytes)), ("predictions", same)],
    );
    report.measurement("file_bytes", &file_bytes);
    report.measurement("n_compared", &n_compared);

    report.figures([Figure::exact(
        "file.bytes",
        file_bytes as f64,
        FigureUnit::Bytes,
        Better::Lower,
    )]);

    let mut calls = TimedCalls::new(TimingOptions {
        samples_per_block: FILES_PER_BLOCK,
        ..subject.timing()
    });
    calls.call(|| {
        let _ = black_box(classifier.save(&path, &key));
    });
    calls.call(|| {
        let _ = black_box(load());
    });
    calls.measure_first_half();
    let profiled = Profiled {
        name: "round_trip_cpu",
        done: "save() and load()",
        graph: "Saving and loading a model: CPU time",
        suffix: "",
    };
    let profile = profiled.measure(&subject.sampling(), || (classifier.save(&path, &key), load()))?;
    calls.measure_rest();
    let timings = calls.finish();
    let [save_time, load_time] = &timings[..] else {
        unreachable!("two calls were timed");
    };
    report.headline = format!(
        "{}; save {}, load {}; same answers",
        units::bytes(file_bytes),
        units::duration(save_time.median_ns),
        units::duration(load_time.median_ns)
    );
    let mut table = Timings::new();
    table.add(report, "save", "save()", save_time);
    table.add(report, "load", "load()", load_time);
    table.finish(report, "Saving, which waits for the disk, and loading");

    report::memory::add(report, "save_memory", "save()", &save_memory);
    report::memory::add(report, "load_memory", "load()", &load_memory);
    report.figures(figure::of_memory("save", &save_memory, Threads::One));
    report.figures(figure::of_memory("load", &load_memory, Threads::One));
    profile.add(report);
    let saving = GraphNames {
        title: "Saving a model",
        at_peak: "save_peak",
        total: "save_total",
    };
    let loading = GraphNames {
        title: "Loading a model",
        at_peak: "load_peak",
        total: "load_total",
    };
    report::memory::add_graphs(report, &saving, &save_memory);
    report::memory::add_graphs(report, &loading, &load_memory);
    Ok(())
}

fn assert_equal_predictions(
    before: &DocumentClassifier,
    after: &DocumentClassifier,
    documents: &[HeldOut],
) -> postroom::Result<usize> {
    let compared = &documents[..documents.len().min(N_COMPARED)];
    for document in compared {
        let (expected, found) = (
            before.predict(&document.content)?,
            after.predict(&document.content)?,
        );
        assert_eq!(
            found, expected,
            "the loaded model files a document differently: {}",
            document.content
        );
    }
    Ok(compared.len())
}
