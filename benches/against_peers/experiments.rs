//! What is measured, on which archive, against which peer, and where it ought to be.

use std::path::Path;

use postroom::Result;

use crate::corpora::Corpus;
use crate::ours::{self, Figures};
use crate::rows::Aim::{self, AtLeast, AtMost, Times};
use crate::rows::Unit::{self, Megabytes, MiB, Microseconds, Milliseconds, PerSecond, Seconds};
use crate::rows::{Experiment, Peer, Row};

/// What takes minutes is trained once.
const NETWORKS_ONCE: Peer = Peer::Training {
    pipeline: "mlp",
    repeat: 1,
};

/// All of them, the quick ones first.
pub(crate) const EXPERIMENTS: [Experiment; 13] = [
    Experiment {
        name: "networks",
        corpus: Corpus::short(5_000),
        ours: ours::networks_on_short_documents,
        peers: &[
            Peer::Training {
                pipeline: "mlp",
                repeat: 3,
            },
            Peer::Further("networks"),
        ],
        rows: &[
            row(
                "train, `Mlp`, 4 cores",
                Milliseconds,
                "train",
                Some("total"),
                &[AtMost(60.0), Times(30.0)],
            ),
            row(
                "train, `Mlp`, 1 core",
                Milliseconds,
                "train_one_core",
                Some("total"),
                &[Times(10.0)],
            ),
            row(
                "train, `Mlp`: most resident memory",
                MiB,
                "peak_mib",
                Some("peak_rss_mib"),
                &[AtMost(32.0)],
            ),
            row(
                "train again, nothing changed",
                Milliseconds,
                "second",
                Some("second"),
                &[AtMost(3.0)],
            ),
            row(
                "four `predict_*`, new document",
                Microseconds,
                "four_new",
                Some("four"),
                &[AtMost(12.0)],
            ),
            row(
                "four `predict_*`, known document",
                Microseconds,
                "four_known",
                Some("four_known"),
                &[AtMost(5.0)],
            ),
            row(
                "`predict`, new document",
                Microseconds,
                "predict_new",
                Some("four"),
                &[AtMost(9.0)],
            ),
            row(
                "`predict`, known document",
                Microseconds,
                "predict_known",
                Some("four_known"),
                &[AtMost(9.0)],
            ),
            row(
                "vectorize, new document",
                Microseconds,
                "vectorize_new",
                Some("vectorize_new"),
                &[AtMost(6.0)],
            ),
            row(
                "vectorize, known document",
                Microseconds,
                "vectorize_known",
                Some("vectorize_known"),
                &[AtMost(0.7)],
            ),
            row(
                "documents, all four fields, 4 cores",
                PerSecond,
                "documents_per_second",
                Some("documents_per_second"),
                &[AtLeast(300_000.0)],
            ),
            row("save", Milliseconds, "save", Some("save"), &[AtMost(3.0)]),
            row("save, into memory", Milliseconds, "save_without_disk", None, &[]),
            row("load", Milliseconds, "load", Some("load"), &[AtMost(2.0)]),
            row(
                "model file",
                Megabytes,
                "model_bytes",
                Some("model_bytes"),
                &[AtMost(2.7)],
            ),
            row("save, weights of 16 bits", Milliseconds, "half_save", None, &[]),
            row("load, weights of 16 bits", Milliseconds, "half_load", None, &[]),
            row(
                "model file, weights of 16 bits",
                Megabytes,
                "half_file_bytes",
                None,
                &[],
            ),
        ],
    },
    Experiment {
        name: "words",
        corpus: Corpus::short(5_000),
        ours: ours::words_of_short_documents,
        peers: &[Peer::Training {
            pipeline: "linear",
            repeat: 3,
        }],
        rows: &[
            row(
                "words only, `Linear`, 4 cores",
                Milliseconds,
                "train",
                Some("total"),
                &[AtMost(25.0)],
            ),
            row(
                "words only, `Linear`, 1 core",
                Milliseconds,
                "train_one_core",
                Some("total"),
                &[AtMost(80.0)],
            ),
        ],
    },
    Experiment {
        name: "recipe",
        corpus: Corpus::short(5_000),
        ours: ours::recipe_on_short_documents,
        peers: &[Peer::Further("recipe")],
        rows: &[
            row(
                "train, `Linear`, 4 cores",
                Milliseconds,
                "train",
                Some("recipe"),
                &[AtMost(150.0)],
            ),
            row(
                "train, `Linear`, 1 core",
                Milliseconds,
                "train_one_core",
                Some("recipe"),
                &[],
            ),
            row(
                "train, `Linear`: most resident memory",
                MiB,
                "peak_mib",
                None,
                &[],
            ),
            row("model file, `Linear`", Megabytes, "model_bytes", None, &[]),
        ],
    },
    Experiment {
        name: "unchanged-200k",
        corpus: Corpus::short(200_000),
        ours: ours::nothing_changed,
        peers: &[Peer::Further("check")],
        rows: &[row(
            "200,000 documents: train again, nothing changed",
            Milliseconds,
            "second",
            Some("second"),
            &[AtMost(60.0)],
        )],
    },
    Experiment {
        name: "networks-20k",
        corpus: Corpus::long(20_000, 327),
        ours: ours::networks_on_a_large_archive,
        peers: &[NETWORKS_ONCE],
        rows: &[
            row(
                "20,000 × 327 words: vectorize",
                Seconds,
                "vectorize",
                Some("vectorize"),
                &[Times(60.0)],
            ),
            row(
                "20,000 × 327 words: train, `Mlp`",
                Seconds,
                "train",
                Some("total"),
                &[Times(50.0)],
            ),
            row("its processor time", Seconds, "processor", None, &[]),
            row(
                "20,000 × 327 words: most resident memory",
                MiB,
                "peak_mib",
                Some("peak_rss_mib"),
                &[AtMost(200.0)],
            ),
        ],
    },
    Experiment {
        name: "tags-by-network",
        corpus: MANY_TAGS,
        ours: ours::tags_by_network,
        peers: &[NETWORKS_ONCE],
        rows: &[
            row(
                "3,085 tags on 20,000 documents, `Mlp`",
                Seconds,
                "train",
                Some("tags"),
                &[Times(15.0)],
            ),
            row("its processor time", Seconds, "processor", None, &[]),
            row(
                "3,085 tags, `Mlp`: most resident memory",
                MiB,
                "peak_mib",
                Some("peak_rss_mib"),
                &[AtMost(300.0)],
            ),
        ],
    },
    Experiment {
        name: "tags-by-words",
        corpus: MANY_TAGS,
        ours: ours::tags_by_words,
        // What the network is asked for a second time isn't measured again.
        peers: &[NETWORKS_ONCE],
        rows: &[
            row(
                "3,085 tags on 20,000 documents, words, `Linear`, beside the network",
                Seconds,
                "train",
                Some("tags"),
                &[Times(60.0)],
            ),
            row(
                "3,085 tags, words, `Linear`: most resident memory",
                MiB,
                "peak_mib",
                Some("peak_rss_mib"),
                &[AtMost(300.0)],
            ),
        ],
    },
    Experiment {
        name: "long-scans",
        corpus: Corpus::long(5_000, 3_000),
        ours: ours::networks_on_a_large_archive,
        peers: &[NETWORKS_ONCE, Peer::Further("size")],
        rows: &[
            row(
                "5,000 × 3,000 words: train, `Mlp`",
                Seconds,
                "train",
                Some("total"),
                &[Times(50.0)],
            ),
            row(
                "5,000 × 3,000 words: most resident memory",
                MiB,
                "peak_mib",
                Some("peak_rss_mib"),
                &[AtMost(400.0)],
            ),
            row(
                "5,000 × 3,000 words: model file",
                Megabytes,
                "model_bytes",
                Some("model_bytes"),
                &[AtMost(75.0)],
            ),
        ],
    },
    growth(
        "networks-words-5k",
        Corpus::long(5_000, 327),
        ours::networks_on_a_large_archive,
        &[
            row("5,000 × 327 words, `Mlp`", Seconds, "train", None, &[]),
            row("its processor time", Seconds, "processor", None, &[]),
            row("its most resident memory", MiB, "peak_mib", None, &[]),
        ],
    ),
    growth(
        "networks-words-80k",
        Corpus::long(80_000, 327),
        ours::networks_on_a_large_archive,
        &[
            row("80,000 × 327 words, `Mlp`", Seconds, "train", None, &[]),
            row("its processor time", Seconds, "processor", None, &[]),
            row("its most resident memory", MiB, "peak_mib", None, &[]),
        ],
    ),
    growth(
        "recipe-5k",
        Corpus::long(5_000, 327),
        ours::recipe_on_a_large_archive,
        &[
            row("5,000 × 327 words, `Linear`", Seconds, "train", None, &[]),
            row("its processor time", Seconds, "processor", None, &[]),
            row("its most resident memory", MiB, "peak_mib", None, &[]),
        ],
    ),
    growth(
        "recipe-20k",
        Corpus::long(20_000, 327),
        ours::recipe_on_a_large_archive,
        &[
            row("20,000 × 327 words, `Linear`", Seconds, "train", None, &[]),
            row("its processor time", Seconds, "processor", None, &[]),
            row("its most resident memory", MiB, "peak_mib", None, &[]),
        ],
    ),
    growth(
        "recipe-80k",
        Corpus::long(80_000, 327),
        ours::recipe_on_a_large_archive,
        &[
            row("80,000 × 327 words, `Linear`", Seconds, "train", None, &[]),
            row("its processor time", Seconds, "processor", None, &[]),
            row("its most resident memory", MiB, "peak_mib", None, &[]),
        ],
    ),
];

const MANY_TAGS: Corpus = Corpus {
    n_documents: 20_000,
    n_words: Some(327),
    n_tags: Some(3_085),
};

/// How cost grows; without a peer.
const fn growth(
    name: &'static str,
    corpus: Corpus,
    ours: fn(&Path) -> Result<Figures>,
    rows: &'static [Row],
) -> Experiment {
    Experiment {
        name,
        corpus,
        ours,
        peers: &[],
        rows,
    }
}

const fn row(
    what: &'static str,
    unit: Unit,
    ours: &'static str,
    peer: Option<&'static str>,
    aims: &'static [Aim],
) -> Row {
    Row {
        what,
        ours,
        peer,
        unit,
        aims,
    }
}
