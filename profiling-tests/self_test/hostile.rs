//! Trials of what is read of files and variables that anybody may have written: reports, baselines, settings.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::Outcome;
use super::judged::{NOTHING, SCENARIO, with_baseline};
use crate::baseline::{self, Baseline};
use crate::report::files;
use crate::report::page;
use crate::settings::{self, Settings};

const N_CHANGED: usize = 400;

/// Whatever a baseline's file is turned into: it is refused by a message that names it, or compared with.
pub(super) fn damaged_baseline_is_refused_or_compared_with() -> Outcome {
    let mut court = with_baseline()?;
    let name = court.settings.baseline.take().ok_or("the baseline has a name")?;
    let report = court.report(1, NOTHING, &[])?;
    let path = report_in(&baseline::directory_of(&court.settings.directory, &name));
    let (mut n_refused, mut n_compared) = (0, 0);
    for damaged in damaged(&fs::read(&path)?)? {
        fs::write(&path, &damaged)?;
        match Baseline::open(&name, SCENARIO, &court.head()) {
            Ok(baseline) => {
                baseline.compare(&court.head(), &report, &|_| {
                    Ok([(); 2].map(|()| report.figures.clone()))
                });
                n_compared += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains(&name), "{error}");
                n_refused += 1;
            }
        }
    }
    assert!(
        n_refused > N_CHANGED && n_compared > 0,
        "{n_refused} refused, {n_compared} compared"
    );
    Ok(())
}

/// Comparing resamples what was measured: a file that claims too much of it would take hours.
pub(super) fn baseline_of_more_samples_than_a_run_takes_is_refused() -> Outcome {
    let mut court = with_baseline()?;
    let name = court.settings.baseline.take().ok_or("the baseline has a name")?;
    let path = report_in(&baseline::directory_of(&court.settings.directory, &name));
    let mut report: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let samples = report.pointer_mut("/figures").and_then(Value::as_array_mut);
    let samples = samples
        .ok_or("no figures")?
        .iter_mut()
        .find_map(|figure| figure.pointer_mut("/samples/ns"));
    *samples.ok_or("no time")? = vec![1; 1_000_000].into();
    fs::write(&path, serde_json::to_vec(&report)?)?;
    let refused = Baseline::open(&name, SCENARIO, &court.head())
        .expect_err("it claims too much")
        .to_string();
    assert!(refused.contains("1000000 samples of work.time"), "{refused}");
    assert!(
        refused.contains("is refused") && refused.contains("save it again"),
        "{refused}"
    );
    Ok(())
}

/// Whatever a report's file is turned into: there is a page, and one that can't be read is named on it.
pub(super) fn damaged_report_spoils_no_page() -> Outcome {
    let court = with_baseline()?;
    let directory = &court.settings.directory;
    let path = report_in(&baseline::directory_of(directory, "main"));
    let whole = fs::read(&path)?;
    let read = report_in(directory);
    let file_name = format!("{}.json", files::stem(SCENARIO));
    for damaged in damaged(&whole)? {
        fs::write(&read, &damaged)?;
        let page = page::assembled(directory, &[SCENARIO])?;
        assert!(
            page.contains(SCENARIO) || page.contains(&file_name),
            "neither shown nor named"
        );
        assert!(page.trim_end().ends_with("</html>"));
    }
    Ok(())
}

fn report_in(directory: &Path) -> PathBuf {
    directory.join(format!("{}.json", files::stem(SCENARIO)))
}

/// A report cut short, with bytes changed, and with every value in turn replaced by ones of another kind or size.
fn damaged(whole: &[u8]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut damaged = vec![
        Vec::new(),
        vec![b'['; 100_000],
        b"{\"format_version\":2}".to_vec(),
    ];
    for _ in 0..N_CHANGED {
        damaged.push(whole[..rng.random_range(0..whole.len() - 2)].to_vec());
        let mut changed = whole.to_vec();
        for _ in 0..rng.random_range(1..4) {
            changed[rng.random_range(0..whole.len())] = rng.random();
        }
        damaged.push(changed);
    }
    let report: Value = serde_json::from_slice(whole)?;
    let odd = [
        json!(null),
        json!(-1),
        json!(1e308),
        json!(""),
        json!([]),
        json!({}),
        json!([[1, 2], ["\u{0}</script>"]]),
    ];
    for (at, pointer) in pointers(&report, String::new()).iter().enumerate() {
        let mut changed = report.clone();
        let value = changed.pointer_mut(pointer).ok_or("a pointer into itself")?;
        *value = odd[at % odd.len()].clone();
        damaged.push(serde_json::to_vec(&changed)?);
    }
    Ok(damaged)
}

/// The paths of all values within.
fn pointers(value: &Value, path: String) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (format!("{path}/{at}"), item))
            .collect(),
        Value::Object(fields) => {
            let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
            fields
                .iter()
                .map(|(name, field)| (format!("{path}/{}", escaped(name)), field))
                .collect()
        }
        _ => Vec::new(),
    };
    let below = inner
        .into_iter()
        .flat_map(|(path, value)| pointers(value, path))
        .collect::<Vec<_>>();
    std::iter::once(path).chain(below).collect()
}

/// Whatever a variable is set to: it is taken, or refused by a message that names it.
pub(super) fn setting_of_any_bytes_is_taken_or_named() -> Outcome {
    const VARIABLES: [&str; 11] = [
        "PROFILING_DOCS",
        "PROFILING_SEED",
        "PROFILING_DB",
        "PROFILING_THREADS",
        "PROFILING_PIPELINE",
        "PROFILING_DIR",
        "PROFILING_SAVE_BASELINE",
        "PROFILING_BASELINE",
        "PROFILING_BUDGETS",
        "PROFILING_BRIEF",
        settings::TURNS,
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut n_refused = 0;
    for n in 0..3_000 {
        let variable = VARIABLES[n % VARIABLES.len()];
        let value = any_text(&mut rng);
        let settings = Settings::read(|asked| (asked == variable).then(|| value.clone()));
        if let Err(error) = settings {
            assert!(error.to_string().contains(variable), "{error}");
            n_refused += 1;
        }
    }
    if n_refused > 1_000 {
        Ok(())
    } else {
        Err(format!("only {n_refused} of 3,000 were refused").into())
    }
}

/// Numbers at the ends of their ranges, paths, and bytes that are no text.
fn any_text(rng: &mut ChaCha8Rng) -> OsString {
    const PIECES: [&str; 14] = [
        "0",
        "-1",
        "18446744073709551616",
        "9",
        ".",
        "/",
        "..",
        "on",
        "off",
        "mlp",
        " ",
        "\u{0}",
        "\u{1f3f8}",
        "١",
    ];
    let text: String = (0..rng.random_range(0..5))
        .map(|_| PIECES[rng.random_range(0..PIECES.len())])
        .collect();
    #[cfg(unix)]
    if rng.random_bool(0.3) {
        use std::os::unix::ffi::OsStringExt as _;

        return OsString::from_vec([text.as_bytes(), &[0xff, rng.random()]].concat());
    }
    OsString::from(text)
}
