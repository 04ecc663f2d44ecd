//! `train`: learns from an archive, unless nothing changed, and replaces the model whole or not at all.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{DecimalBytes, HumanCount};
use postroom::Error;
use postroom::classifier::{ClassifierParams, DocumentClassifier, Loading, Training};
use postroom::document::Field;
use postroom::model_file::{MAGIC, ModelFileProblem};
use postroom::train_report::{FieldReport, LearnerReport, TrainReport, TrainingKind};

use super::key::{KeyError, KeyOptions, SigningKey};
use super::options::{Learning, directory_of, ensure_of_kind};
use super::output::{counted, field_name, print};
use super::terminal::Terminal;
use super::thresholds::Thresholds;
use super::{Failure, interrupt, progress};

/// Learn how an archive is filed, and save the model
///
/// If nothing changed since the last training, says so and leaves the model as it is. Ctrl-C cancels; the last model
/// stays.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom train --db db.sqlite3 --model model.postroom\n  \
    postroom train --db db.sqlite3 --model model.postroom --language deu\n  \
    postroom train --db postgres://paperless@db/paperless --model model.postroom\n  \
    postroom train --db db.sqlite3 --model model.postroom \\\n    \
      --pipeline mlp --weight-precision half\n  \
    postroom train --db db.sqlite3 --model model.postroom \\\n    \
      --threshold precision:0.95 --label-threshold 'tags:Tax=0.99'\n  \
    postroom -q train --db db.sqlite3 --model model.postroom > /dev/null   # cron")]
pub(super) struct Train {
    #[command(flatten)]
    learning: Learning,

    #[command(flatten)]
    thresholds: Thresholds,

    /// The model file, replaced whole once there is a new model
    #[arg(long, value_name = "FILE")]
    model: PathBuf,

    /// Train even if nothing changed, and replace a model that can't be read
    #[arg(long)]
    full: bool,

    #[command(flatten)]
    key: KeyOptions,
}

impl Train {
    /// Trains, saves, and says what was learned.
    pub(super) fn run(&self, terminal: &Terminal) -> Result<(), Failure> {
        let began = Instant::now();
        let store = self.learning.open()?;
        self.learning.check_writable(&self.model)?;
        // Even `--full` replaces nothing but models.
        ensure_of_kind(&self.model, &MAGIC, "a model")?;
        let key = self.key.find()?;
        if matches!(&key, SigningKey::Missing(path) if place(path) == place(&self.model)) {
            return Err(Failure::IsTheKey(self.model.clone()));
        }
        let mut classifier = DocumentClassifier::new(ClassifierParams {
            training: self.thresholds.applied(self.learning.params()?, &store)?,
            ..ClassifierParams::default()
        });
        if !self.full {
            self.load_previous(&mut classifier, &key)?;
        }
        let training = progress::watch(terminal, |status| {
            self.learning.on_threads(|| classifier.train(&store, status))
        });
        let training = training.map_err(|failure| failure.about(&store))?;
        match training {
            Training::Unchanged(report) => {
                let documents = counted(report.n_documents, "document");
                print(&format!(
                    "unchanged: {documents}, filed as they were when the model was trained"
                ))
            }
            Training::Trained(report) if report.fields.is_empty() => {
                Err(Failure::NoExamples(store.location()))
            }
            Training::Trained(report) => {
                let key_file = interrupt::writing(|| self.save(&classifier, key))?;
                let took = began.elapsed();
                print(&self.summary(&Learned {
                    report: &report,
                    took,
                    key_file: key_file.as_deref(),
                }))
            }
        }
    }

    /// One that this version can't read is as good as none; one that was changed or that belongs to another key is
    /// somebody's to look at.
    fn load_previous(&self, classifier: &mut DocumentClassifier, key: &SigningKey) -> Result<(), Failure> {
        let key = match key {
            SigningKey::Found(key) => key,
            SigningKey::Missing(path) if self.model.exists() => {
                return Err(KeyError::Missing(path.clone()).into());
            }
            SigningKey::Missing(_) => return Ok(()),
        };
        match classifier.load(&self.model, key) {
            Ok(Loading::Loaded) => tracing::debug!("read the previous model"),
            Ok(Loading::NoModelYet) => tracing::debug!("there is no model yet"),
            Err(Error::ModelFile(error)) => match error.problem {
                ModelFileProblem::Incompatible { found, supported } => tracing::warn!(
                    "the previous model has format version {found}, this version reads {supported}: training anew"
                ),
                _ => return Err(Failure::PreviousModel(error)),
            },
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The key is made no earlier than there is something to sign. Returns its file if it was made.
    fn save(&self, classifier: &DocumentClassifier, key: SigningKey) -> Result<Option<PathBuf>, Failure> {
        let (key, made) = key.or_make()?;
        if let Some(path) = &made {
            tracing::info!("made a signing key, readable by you alone: {}", path.display());
        }
        classifier.save(&self.model, &key)?;
        Ok(made)
    }

    fn summary(&self, learned: &Learned<'_>) -> String {
        let report = learned.report;
        let mut text = String::new();
        let n_documents = HumanCount(report.n_documents as u64);
        let pipeline = self.learning.pipeline();
        let took = seconds(learned.took);
        let mut line = |name: &str, value: &str| {
            writeln!(text, "  {name:<15}  {value}").expect("writing to a String doesn't fail");
        };
        for field in Field::ALL {
            let fitted = report.fields.iter().find(|fitted| fitted.field == field);
            line(
                &field_name(field),
                &fitted.map_or_else(|| "nothing to learn".to_owned(), fared),
            );
        }
        line(
            "vocabulary",
            &format!("{} terms", HumanCount(report.n_terms as u64)),
        );
        let bytes = fs::metadata(&self.model).map_or(0, |metadata| metadata.len());
        line(
            "model",
            &format!("{} ({})", self.model.display(), DecimalBytes(bytes)),
        );
        if let Some(path) = learned.key_file {
            line("signing key", &format!("{} (new; keep a copy)", path.display()));
        }
        if let Some(TrainingKind::Incremental { n_changed, .. }) = report.kind {
            let changed = counted(n_changed, "document");
            line("began from", &format!("the last model: {changed} changed since"));
        }
        format!(
            "learned from {n_documents} documents in {took} ({})\n{text}",
            pipeline.name()
        )
    }
}

/// A path that is the same for the same file, though there is none yet.
fn place(path: &Path) -> Option<PathBuf> {
    Some(fs::canonicalize(directory_of(path)).ok()?.join(path.file_name()?))
}

/// What a training led to.
struct Learned<'a> {
    report: &'a TrainReport,
    took: Duration,
    key_file: Option<&'a Path>,
}

/// A duration for people.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

fn fared(field: &FieldReport) -> String {
    let labels = counted(field.n_labels, "label");
    match &field.learner {
        LearnerReport::Constant => format!("{labels}, the same for all documents"),
        LearnerReport::Mlp(fit) => format!(
            "{labels}, {} epochs, loss {:.4}",
            fit.n_epochs(),
            fit.final_loss()
        ),
        LearnerReport::Linear(report) => format!("{labels}, {} passes at most", report.fit.max_passes),
    }
}
