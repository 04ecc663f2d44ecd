//! `inspect`: what is in a model file, with its key or without.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use indicatif::{DecimalBytes, HumanCount};
use jiff::Timestamp;
use postroom::Error;
use postroom::document::Field;
use postroom::model_file::{self, Description, ModelFileProblem};
use postroom::pipelines::Pipeline;
use postroom::text::Language;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::Failure;
use super::key::KeyOptions;
use super::output::{counted, field_name, harmless, hex, print, print_json};
use super::thresholds::aim_name;

/// Say what is in a model file
///
/// Needs no key, and then believes what the file says; --verify checks the signature first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom inspect model.postroom\n  \
    postroom inspect model.postroom --labels\n  \
    postroom inspect model.postroom --verify --json")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub(super) struct Inspect {
    /// The model file
    #[arg(value_name = "FILE")]
    model: PathBuf,

    /// Check the signature; this needs the key
    #[arg(long)]
    verify: bool,

    /// List the labels by name
    #[arg(long)]
    labels: bool,

    /// List the vocabulary
    #[arg(long)]
    terms: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    key: KeyOptions,
}

impl Inspect {
    /// Reads the file once and prints what it says.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let io = |source| {
            Failure::model(
                &self.model,
                ModelFileProblem::Io {
                    action: "read it",
                    source,
                },
            )
        };
        let bytes = model_file::read(&self.model)
            .map_err(Error::from)?
            .ok_or_else(|| Failure::NoModel(self.model.clone()))?;
        let saved = fs::metadata(&self.model)
            .and_then(|metadata| metadata.modified())
            .map_err(io)?;
        if self.verify {
            let key = self.key.existing()?;
            model_file::from_bytes(&bytes, &key).map_err(|problem| Failure::model(&self.model, problem))?;
        }
        let description = Description::of(&bytes).map_err(|problem| Failure::model(&self.model, problem))?;
        let inspection = Inspection {
            pipeline: description.params.pipeline.name(),
            language: description.params.language.map(Language::name),
            seed: description.params.seed,
            weight_precision: weight_precision(&description.params.pipeline),
            threshold: threshold(&description.params.pipeline),
            n_label_thresholds: n_given(&description.params.pipeline),
            format_version: description.format_version,
            saved: Timestamp::try_from(saved).ok(),
            last_change: description.fingerprint.last_change,
            n_documents: description.n_documents,
            n_terms: description.terms.len(),
            n_labels: by_field(|field| description.catalog.of(field).len()),
            labels: self.labels.then(|| by_field(|field| named(&description, field))),
            terms: self.terms.then_some(&description.terms),
            bytes: bytes.len(),
            parts: description
                .parts
                .iter()
                .map(|part| (part.name.as_str(), part.bytes))
                .collect(),
            sha256: hex(&Sha256::digest(&bytes)),
            key_id: hex(&description.key_id),
            verified: self.verify,
        };
        if self.json {
            print_json(&inspection)
        } else {
            print(&inspection.text())
        }
    }
}

/// What is printed, in this order.
#[derive(Debug, Serialize)]
struct Inspection<'a> {
    pipeline: &'static str,
    language: Option<&'static str>,
    seed: u64,
    /// What the weights of networks were rounded to, as `train --weight-precision` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_precision: Option<&'static str>,
    /// What thresholds were chosen for, as `train --threshold` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<String>,
    /// Labels whose threshold was given.
    n_label_thresholds: usize,
    format_version: u32,
    /// When the file was written.
    #[serde(serialize_with = "rfc_3339")]
    saved: Option<Timestamp>,
    /// When the document that was changed last before the training was changed.
    #[serde(serialize_with = "rfc_3339")]
    last_change: Option<Timestamp>,
    n_documents: usize,
    n_terms: usize,
    n_labels: BTreeMap<&'static str, usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<BTreeMap<&'static str, Vec<NamedLabel<'a>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<&'a Vec<String>>,
    bytes: usize,
    parts: Vec<(&'a str, u64)>,
    sha256: String,
    key_id: String,
    /// Whether the signature was checked and found right.
    verified: bool,
}

#[derive(Debug, Serialize)]
struct NamedLabel<'a> {
    id: i32,
    name: &'a str,
}

impl Inspection<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            writeln!(text, "{name:<13}  {value}").expect("writing to a String doesn't fail");
        };
        line(
            "pipeline",
            &format!(
                "{}, language {}, seed {}",
                self.pipeline,
                self.language.unwrap_or("none"),
                self.seed
            ),
        );
        if let Some(precision) = self.weight_precision {
            line("weights", &format!("{precision} precision"));
        }
        if let Some(threshold) = &self.threshold {
            let given = match self.n_label_thresholds {
                0 => String::new(),
                n_given => format!(", given for {n_given} label(s)"),
            };
            line("threshold", &format!("{threshold}{given}"));
        }
        line("format", &format!("version {}", self.format_version));
        line("saved", &instant(self.saved));
        line(
            "last change",
            &format!(
                "{} (in the archive, before the training)",
                instant(self.last_change)
            ),
        );
        line("documents", &count(self.n_documents));
        line("vocabulary", &format!("{} terms", count(self.n_terms)));
        for field in Field::ALL {
            line(&field_name(field), &counted(self.n_labels[field.name()], "label"));
            for label in self.labels.iter().flat_map(|labels| &labels[field.name()]) {
                line("", &format!("{:>6}  {}", label.id, harmless(label.name)));
            }
        }
        line("size", &DecimalBytes(self.bytes as u64).to_string());
        for (name, bytes) in &self.parts {
            line("", &format!("{:>9}  {name}", DecimalBytes(*bytes).to_string()));
        }
        line("SHA-256", &self.sha256);
        line("key id", &self.key_id);
        line(
            "signature",
            if self.verified {
                "right"
            } else {
                "not checked (--verify checks it)"
            },
        );
        for (at, term) in self.terms.into_iter().flatten().enumerate() {
            line(if at == 0 { "terms" } else { "" }, &harmless(term));
        }
        text
    }
}

fn weight_precision(pipeline: &Pipeline) -> Option<&'static str> {
    match pipeline {
        Pipeline::Mlp(mlp) => Some(mlp.weight_precision.name()),
        Pipeline::Linear(_) => None,
    }
}

fn threshold(pipeline: &Pipeline) -> Option<String> {
    match pipeline {
        Pipeline::Linear(linear) => Some(aim_name(linear.threshold)),
        Pipeline::Mlp(_) => None,
    }
}

fn n_given(pipeline: &Pipeline) -> usize {
    match pipeline {
        Pipeline::Linear(linear) => linear.label_thresholds.len(),
        Pipeline::Mlp(_) => 0,
    }
}

fn by_field<T>(of: impl Fn(Field) -> T) -> BTreeMap<&'static str, T> {
    Field::ALL.map(|field| (field.name(), of(field))).into()
}

fn named(description: &Description, field: Field) -> Vec<NamedLabel<'_>> {
    let labels = description.catalog.of(field).iter();
    labels
        .map(|label| NamedLabel {
            id: label.id.0,
            name: &label.name,
        })
        .collect()
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn rfc_3339<S: Serializer>(instant: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    instant.map(|instant| instant.to_string()).serialize(serializer)
}

fn instant(instant: Option<Timestamp>) -> String {
    instant.map_or_else(
        || "unknown".to_owned(),
        |instant| instant.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

fn count(number: usize) -> String {
    HumanCount(number as u64).to_string()
}
