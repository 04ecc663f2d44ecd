//! What an experiment is: an archive, who is asked, the figures that come of it, and where they ought to be.

use std::path::Path;

use postroom::Result;

use crate::corpora::Corpus;
use crate::ours::Figures;

/// Figures that one process of ours and one of the peer's find out, on the same archive.
pub(crate) struct Experiment {
    pub(crate) name: &'static str,
    pub(crate) corpus: Corpus,
    pub(crate) ours: fn(&Path) -> Result<Figures>,
    /// What the peers' scripts are asked for.
    pub(crate) peers: &'static [Peer],
    pub(crate) rows: &'static [Row],
}

/// A script, and what it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The script that `POSTROOM_PEER` names, and how often it trains.
    Training { pipeline: &'static str, repeat: usize },
    /// `benches/peer.py`.
    Further(&'static str),
}

/// A line of the table.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) ours: &'static str,
    /// The peer's figure of the same thing, if there is one.
    pub(crate) peer: Option<&'static str>,
    pub(crate) unit: Unit,
    pub(crate) aims: &'static [Aim],
}

/// What a figure is in, and how it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Kept in seconds.
    Milliseconds,
    /// Kept in seconds.
    Microseconds,
    Seconds,
    /// 1,048,576 bytes.
    MiB,
    /// Kept in bytes; a million of them.
    Megabytes,
    PerSecond,
}

/// Where a figure ought to be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    /// In the row's unit.
    AtMost(f64),
    /// In the row's unit.
    AtLeast(f64),
    /// The peer's figure in units of ours.
    Times(f64),
}
