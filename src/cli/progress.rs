//! What a long piece of work is at: a bar a stage where somebody watches, else a line a stage.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use postroom::document::Field;
use postroom::status::{Status, StatusCallback};

use super::terminal::Terminal;
use super::{Failure, interrupt, output};

/// How often a bar moves that can't know how far it is.
const TICK: Duration = Duration::from_millis(120);

/// Does `work`, showing its progress; Ctrl-C cancels it.
pub(super) fn watch<T>(
    terminal: &Terminal,
    work: impl FnOnce(StatusCallback<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let bars = terminal.bars().map(|bars| Mutex::new(Bars::new(bars.clone())));
    let shown = bars.as_ref().map_or(Shown::Lines, Shown::Bars);
    interrupt::begin_work();
    let result = work(&|status| {
        if interrupt::received() {
            return ControlFlow::Break(());
        }
        shown.show(status);
        ControlFlow::Continue(())
    });
    shown.finish();
    match (result, interrupt::end_work()) {
        (Ok(_), true) => Err(Failure::Cancelled),
        (result, _) => result,
    }
}

enum Shown<'a> {
    Bars(&'a Mutex<Bars>),
    Lines,
}

impl Shown<'_> {
    fn show(&self, status: &Status) {
        match self {
            Self::Bars(bars) => bars.lock().unwrap_or_else(PoisonError::into_inner).show(status),
            Self::Lines => match status {
                Status::Read { .. } | Status::Epoch { .. } | Status::Pass { .. } => {
                    tracing::debug!("{status}");
                }
                status => tracing::info!("{status}"),
            },
        }
    }

    fn finish(&self) {
        if let Self::Bars(bars) = self {
            bars.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

/// One bar a stage, top to bottom in the order in which they begin.
struct Bars {
    all: MultiProgress,
    fold: Option<ProgressBar>,
    documents: Option<ProgressBar>,
    vectorizing: Option<ProgressBar>,
    fields: [Option<ProgressBar>; 4],
    other: Option<ProgressBar>,
}

impl Bars {
    fn new(all: MultiProgress) -> Self {
        Self {
            all,
            fold: None,
            documents: None,
            vectorizing: None,
            fields: [const { None }; 4],
            other: None,
        }
    }

    fn show(&mut self, status: &Status) {
        match *status {
            Status::Gathering { n_documents } => {
                let bar = self.all.add(ProgressBar::new(n_documents as u64));
                bar.set_style(style("{prefix:14} [{wide_bar}] {human_pos} of {human_len}"));
                bar.set_prefix("documents");
                self.documents = Some(bar);
            }
            Status::Read { n_read, .. } => {
                if let Some(bar) = &self.documents {
                    bar.set_position(n_read as u64);
                }
            }
            Status::Vectorizing => self.vectorizing = Some(self.begin("vectorizing", "")),
            Status::Training { field, n_labels } => {
                if let Some(bar) = &self.vectorizing {
                    bar.finish();
                }
                let bar = self.begin(&output::field_name(field), &format!("{n_labels} label(s)"));
                self.fields[field.index()] = Some(bar);
            }
            Status::Epoch { field, number, loss } => {
                self.tell(field, format!("epoch {number}, loss {loss:.4}"));
            }
            Status::Pass {
                field,
                number,
                n_labels_left,
            } => self.tell(field, format!("pass {number}, {n_labels_left} label(s) left")),
            Status::Fold { number, n_folds } => {
                self.clear();
                self.fold = Some(self.begin("part", &format!("{number} of {n_folds}")));
            }
            ref status => {
                let text = status.to_string();
                match &self.other {
                    Some(bar) => bar.set_message(text),
                    None => self.other = Some(self.begin("", &text)),
                }
            }
        }
    }

    fn tell(&self, field: Field, message: String) {
        if let Some(bar) = &self.fields[field.index()] {
            bar.set_message(message);
        }
    }

    fn begin(&self, prefix: &str, message: &str) -> ProgressBar {
        let bar = self.all.add(ProgressBar::no_length());
        bar.set_style(style("{prefix:14} {spinner} {wide_msg}"));
        bar.set_prefix(prefix.to_owned());
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(TICK);
        bar
    }

    /// Takes all bars away; what is left to say is said on standard output.
    fn clear(&mut self) {
        let fields = self.fields.iter_mut().filter_map(Option::take);
        let others = [
            &mut self.fold,
            &mut self.documents,
            &mut self.vectorizing,
            &mut self.other,
        ];
        for bar in fields.chain(others.into_iter().filter_map(Option::take)) {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are those above")
}
