//! What several verbs are told alike: which archive, how to learn, on how many threads; which model to answer with.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command, ValueEnum, value_parser};
use postroom::classifier::{DocumentClassifier, Loading};
use postroom::document::Field;
use postroom::learners::mlp::WeightPrecision;
use postroom::model::TrainingParams;
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::LinearPipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::store::{Archive, DocumentStore as _, Location, Password};
use postroom::text::Language;

use super::Failure;
use super::key::KeyOptions;

/// An archive, and how to learn from it.
#[derive(Debug, Args)]
pub(super) struct Learning {
    /// The paperless-ngx database: the path of db.sqlite3 in its data directory, or a URL. It may be in use and is never
    /// changed
    ///
    /// On a server it is <postgres://user@host:port/database> or <mariadb://user@host:port/database>. The password is the
    /// value of the environment variable `POSTROOM_DB_PASSWORD`, or in the file that `POSTROOM_DB_PASSWORD_FILE` names.
    #[arg(long, value_name = "PATH|URL", value_parser = LocationParser)]
    db: Location,

    /// How contents become labels
    #[arg(long, value_enum, default_value_t)]
    pipeline: PipelineName,

    /// What the networks' weights are rounded to: with half, the model file takes half the room [default: single]
    ///
    /// Answers differ by less than training with another seed makes them differ; evaluate says by how much on this
    /// archive. For --pipeline mlp. Train each time with the same choice: with another one, everything is learned again.
    #[arg(long, value_enum, value_name = "PRECISION")]
    weight_precision: Option<PrecisionName>,

    /// Language of the documents: a name or code (german, de, deu+eng), or none
    #[arg(long, value_name = "LANGUAGE", default_value_t)]
    language: LanguageName,

    /// Threads to learn on, 1 to 256 [default: one a core]
    // Each has its own stack and buffers: 100,000 of them, asked for by a slip, used up a machine's memory.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

impl Learning {
    /// The archive, once it is certain to be one with something to learn.
    pub(super) fn open(&self) -> Result<Archive, Failure> {
        let store = open(&self.db)?;
        ensure_something_to_learn(&store)?;
        Ok(store)
    }

    /// How to learn.
    pub(super) fn params(&self) -> Result<TrainingParams, Failure> {
        let mut pipeline = self.pipeline();
        if let Some(precision) = self.weight_precision {
            let Pipeline::Mlp(networks) = &mut pipeline else {
                return Err(Failure::NoNetworks);
            };
            networks.weight_precision = precision.into();
        }
        Ok(TrainingParams {
            language: self.language.0,
            pipeline,
            ..TrainingParams::default()
        })
    }

    /// The pipeline, as it is without further parameters.
    pub(super) fn pipeline(&self) -> Pipeline {
        self.pipeline.into()
    }

    /// Does `work` on the threads that were asked for.
    pub(super) fn on_threads<T: Send>(
        &self,
        work: impl FnOnce() -> postroom::Result<T> + Send,
    ) -> Result<T, Failure> {
        let Some(threads) = self.threads else {
            return Ok(work()?);
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads));
        Ok(pool.build().map_err(Failure::Threads)?.install(work)?)
    }

    /// Makes sure that a file can be written at `path`, before work is done for it; leaves nothing behind.
    pub(super) fn check_writable(&self, path: &Path) -> Result<(), Failure> {
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(problem) => return Err(not_writable(path, problem)),
        };
        if let Location::File(db) = &self.db
            && fs::canonicalize(db).is_ok_and(|archive| archive == target)
        {
            return Err(Failure::IsTheArchive(path.to_owned()));
        }
        if target.is_dir() {
            return Err(not_writable(path, io::ErrorKind::IsADirectory.into()));
        }
        if target.exists() && !target.is_file() {
            // A file renamed over a device would take its place.
            return Err(not_writable(path, io::Error::other("it is a device or a pipe")));
        }
        tempfile::tempfile_in(directory_of(&target))
            .map(drop)
            .map_err(|problem| not_writable(path, problem))
    }
}

/// Makes sure that the file that is to be replaced, if there is one, begins as what takes its place does: the path may be
/// a slip.
pub(super) fn ensure_of_kind(path: &Path, beginning: &[u8], kind: &'static str) -> Result<(), Failure> {
    let mut found = Vec::new();
    match File::open(path).and_then(|file| file.take(beginning.len() as u64).read_to_end(&mut found)) {
        Ok(_) if beginning.starts_with(&found) => Ok(()),
        Ok(_) => Err(Failure::OfAnotherKind {
            path: path.to_owned(),
            kind,
        }),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(problem) => Err(not_writable(path, problem)),
    }
}

/// The directory that a file is in, or is to be made in.
pub(super) fn directory_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Opens an archive, with the password from the environment if it is on a server.
pub(super) fn open(db: &Location) -> Result<Archive, Failure> {
    let password = match db {
        Location::File(_) => None,
        Location::Server(_) => Password::from_environment()?,
    };
    Ok(Archive::open(db, password)?)
}

/// Reads `--db`. What it says doesn't repeat the value, as clap's own errors do: there may be a password in it.
#[derive(Debug, Clone)]
pub(super) struct LocationParser;

impl TypedValueParser for LocationParser {
    type Value = Location;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<Location, clap::Error> {
        let wrong = |problem: &dyn fmt::Display| {
            clap::Error::raw(ErrorKind::ValueValidation, format!("--db: {problem}\n")).with_cmd(command)
        };
        if value.is_empty() {
            return Err(wrong(
                &"expected the path of a db.sqlite3, or a URL, and nothing is given",
            ));
        }
        Location::parse(value).map_err(|problem| wrong(&problem))
    }
}

/// A model to answer with.
#[derive(Debug, Args)]
pub(super) struct TrainedModel {
    /// The model file
    #[arg(long, value_name = "FILE")]
    model: PathBuf,

    #[command(flatten)]
    key: KeyOptions,
}

impl TrainedModel {
    /// The model, ready to answer.
    pub(super) fn load(&self) -> Result<DocumentClassifier, Failure> {
        load(&self.model, &self.key)
    }
}

/// The model in a file, ready to answer.
pub(super) fn load(model: &Path, key: &KeyOptions) -> Result<DocumentClassifier, Failure> {
    // Where there is no model yet there is no key either, and the model is what to make.
    if !model.exists() {
        return Err(Failure::NoModel(model.to_owned()));
    }
    let mut classifier = DocumentClassifier::default();
    match classifier.load(model, &key.existing()?)? {
        Loading::Loaded => Ok(classifier),
        Loading::NoModelYet => Err(Failure::NoModel(model.to_owned())),
    }
}

/// Makes sure that the archive's owner wants some label to be learned.
pub(super) fn ensure_something_to_learn(store: &Archive) -> Result<(), Failure> {
    let catalog = store.snapshot()?.label_catalog()?;
    if Field::ALL.into_iter().all(|field| catalog.of(field).is_empty()) {
        return Err(Failure::NoAutoLabels(store.location()));
    }
    Ok(())
}

/// The fields by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum FieldName {
    Correspondent,
    DocumentType,
    StoragePath,
    Tags,
}

impl From<FieldName> for Field {
    fn from(name: FieldName) -> Self {
        match name {
            FieldName::Correspondent => Self::Correspondent,
            FieldName::DocumentType => Self::DocumentType,
            FieldName::StoragePath => Self::StoragePath,
            FieldName::Tags => Self::Tags,
        }
    }
}

/// The pipelines by name. The library's default is the command's.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PipelineName {
    /// Counts of words and pairs of words, four networks: as paperless-ngx does it
    Mlp,
    /// Weighted words and parts of words, linear classifiers, calibrated confidences
    Linear,
}

impl From<PipelineName> for Pipeline {
    fn from(name: PipelineName) -> Self {
        match name {
            PipelineName::Mlp => Self::Mlp(MlpPipeline::default()),
            PipelineName::Linear => Self::Linear(LinearPipeline::default()),
        }
    }
}

impl Default for PipelineName {
    fn default() -> Self {
        match Pipeline::default() {
            Pipeline::Mlp(_) => Self::Mlp,
            Pipeline::Linear(_) => Self::Linear,
        }
    }
}

/// The precisions by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PrecisionName {
    /// 32 bits a weight: as they were trained
    Single,
    /// 16 bits a weight
    Half,
}

impl From<PrecisionName> for WeightPrecision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::Single => Self::Single,
            PrecisionName::Half => Self::Half,
        }
    }
}

/// A language, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct LanguageName(pub(super) Option<Language>);

impl Default for LanguageName {
    fn default() -> Self {
        Self(TrainingParams::default().language)
    }
}

impl fmt::Display for LanguageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.map_or("none", Language::name))
    }
}

impl FromStr for LanguageName {
    type Err = postroom::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("none") {
            Ok(Self(None))
        } else {
            text.parse().map(|language| Self(Some(language)))
        }
    }
}

pub(super) fn not_writable(path: &Path, problem: io::Error) -> Failure {
    Failure::NotWritable {
        path: path.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_language_is_a_choice() {
        assert!(matches!("None".parse(), Ok(LanguageName(None))));
    }

    #[test]
    fn default_pipeline_is_the_librarys() {
        assert_eq!(Pipeline::from(PipelineName::default()), Pipeline::default());
    }
}
