//! What a save asks of the system, in order, as strace sees it.

use std::path::Path;
use std::process::Command;

/// A save's own calls, which nothing else in the process makes, as often as a save makes them at the most.
const STEPS: [(&str, usize); 9] = [
    ("flock", 2),
    ("sync_file_range", 4),
    ("fchmod", 1),
    ("fsync", 2),
    ("rename", 1),
    ("renameat", 1),
    ("renameat2", 1),
    ("unlink", 1),
    ("unlinkat", 1),
];

/// A command that traces the calls of the one that follows into a file; none if there is no strace that may.
pub(crate) fn strace(into: &Path, options: &[&str]) -> Option<Vec<String>> {
    let works = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .output();
    if !works.is_ok_and(|output| output.status.success()) {
        return None;
    }
    // A question mark: not every processor has all of them.
    let steps = STEPS.map(|(call, _)| call).join(",?");
    let traced = format!("trace=openat,close,write,?{steps}");
    let into = into.to_str().unwrap();
    let fixed = ["strace", "-f", "-s", "0", "-e", &traced, "-o", into];
    Some(fixed.iter().chain(options).map(|&word| word.to_owned()).collect())
}

/// Options that kill the process where it would make a step, each step in turn.
pub(crate) fn kills() -> impl Iterator<Item = String> {
    let times = |(call, most): (&'static str, usize)| {
        (1..=most).map(move |n| format!("--inject=?{call}:signal=SIGKILL:when={n}"))
    };
    STEPS.into_iter().flat_map(times)
}

/// Where, from `from` on, a call of this kind stands that has these words in it.
fn find(calls: &[&str], from: usize, words: &[&str]) -> usize {
    let found = calls[from..]
        .iter()
        .position(|call| words.iter().all(|word| call.contains(word)));
    from + found.unwrap_or_else(|| panic!("no {words:?} from call {from} on in {calls:#?}"))
}

/// The number that a call returned.
fn result(call: &str) -> &str {
    call.rsplit("= ").next().unwrap().trim()
}

/// A new file, its content in pieces, `fsync`, the rename, `fsync` of the directory; and nothing is written in between.
pub(crate) fn assert_order(trace: &str, directory: &Path) {
    let calls: Vec<&str> = trace.lines().collect();
    let directory = format!("\"{}\"", directory.to_str().unwrap());
    let created = find(&calls, 0, &["openat(", ".postroom-model-", "O_EXCL"]);
    let file = result(calls[created]);
    let (write, sync) = (format!("write({file},"), format!("fsync({file})"));
    let locked = find(&calls, created, &[&format!("flock({file}, LOCK_EX")]);
    let written = find(&calls, locked, &[&write]);
    let handed_over = find(&calls, written, &[&format!("sync_file_range({file},")]);
    let signed = find(&calls, handed_over, &[&write]);
    let synced = find(&calls, signed, &[&sync]);
    let renamed = find(
        &calls,
        synced,
        &["rename", ".postroom-model-", "model.postroom\""],
    );
    let opened = find(&calls, renamed, &["openat(", &directory]);
    let named = find(&calls, opened, &[&format!("fsync({})", result(calls[opened]))]);
    for call in [synced, renamed, named] {
        assert_eq!(result(calls[call]), "0", "{}", calls[call]);
    }
    let late = calls[synced..renamed].iter().find(|call| call.contains(&write));
    assert_eq!(late, None, "written after it was brought to the disk");
}
