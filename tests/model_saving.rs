//! Saving under every fault that could be had: killed processes, full disks, missing permissions, several at once. The
//! model on the disk is always a whole one, and what was interrupted doesn't pile up.
//!
//! A process that is to be killed, or to have little, is this binary again, which [`Child`] tells what to do.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]
#![cfg(unix)]

#[path = "model_saving/child.rs"]
mod child;
mod small_model;
#[path = "model_saving/syscalls.rs"]
mod syscalls;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use child::{Child, Role, is_root, said};
use jiff::Timestamp;
use postroom::document::LabelId;
use postroom::model::Model;
use postroom::model_file;
use postroom::store::{MemoryStore, NewDocument};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use small_model::{archive, key, linear, model, networks, try_model};
use tempfile::TempDir;

const SIGKILL: i32 = 9;

/// A directory with the two models that are saved in turn, and the place where they are saved.
struct Place {
    directory: TempDir,
    models: [Model; 2],
}

impl Place {
    fn new() -> Self {
        Self::of([linear(), networks()].map(model))
    }

    /// With a second model that is written in several pieces.
    fn with_large_model() -> Self {
        let large = try_model(&wordy_archive(), networks()).unwrap();
        assert!(model_file::to_bytes(&large, &key()).len() > 1_000_000);
        Self::of([model(networks()), large])
    }

    /// With the first model saved.
    fn of(models: [Model; 2]) -> Self {
        let place = Self {
            directory: tempfile::tempdir().unwrap(),
            models,
        };
        for (model, name) in place.models.iter().zip(child::SOURCES) {
            let sources = place.path(child::SOURCE_FOLDER);
            fs::create_dir_all(&sources).unwrap();
            fs::write(sources.join(name), model_file::to_bytes(model, &key())).unwrap();
        }
        fs::create_dir(place.path("kept")).unwrap();
        model_file::save(&place.models[0], &place.model(), &key()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn model(&self) -> PathBuf {
        self.path("kept/model.postroom")
    }

    /// Which of the two models is there.
    fn saved(&self) -> usize {
        let saved = model_file::load(&self.model(), &key()).unwrap().unwrap();
        let known = self.models.iter().position(|model| *model == saved);
        known.expect("one of the models that were saved")
    }

    /// Files beside the model.
    fn n_beside(&self) -> usize {
        fs::read_dir(self.path("kept")).unwrap().count() - 1
    }

    fn child(&self, role: Role, test: &str) -> Child {
        Child::new(role, test, self.directory.path())
    }
}

/// The archive of small models, but a hundred words to a document, none of which another has.
fn wordy_archive() -> MemoryStore {
    let mut store = archive();
    for at in 0..12 {
        let words: Vec<String> = (0..100).map(|word| format!("word{at}and{word}")).collect();
        let document = NewDocument {
            title: "",
            content: &words.join(" "),
            modified: Timestamp::UNIX_EPOCH,
            correspondent: Some(LabelId(1)),
            document_type: None,
            storage_path: None,
        };
        store.add_documents(&[document]).unwrap();
    }
    store
}

#[test]
fn killed_at_any_moment_a_save_leaves_a_whole_model() {
    const NAME: &str = "killed_at_any_moment_a_save_leaves_a_whole_model";
    child::run_if_asked();
    let place = Place::with_large_model();
    // Where in a save the kill strikes is up to the machine; whatever it is, the model is whole.
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let (n_kills, mut n_amid) = (300, 0);
    for kill in 0..n_kills {
        let mut saving = place.child(Role::Forever, NAME).start_saving();
        std::thread::sleep(Duration::from_micros(rng.random_range(0..4_000)));
        saving.kill();
        place.saved();
        let n_beside = place.n_beside();
        assert!(n_beside <= 1, "{n_beside} files are left after kill {kill}");
        n_amid += n_beside;
    }
    eprintln!("{n_amid} of {n_kills} kills left a file that was being written");
    model_file::save(&place.models[1], &place.model(), &key()).unwrap();
    assert_eq!((place.saved(), place.n_beside()), (1, 0));
}

#[test]
fn two_processes_saving_at_once_leave_a_whole_model() {
    const NAME: &str = "two_processes_saving_at_once_leave_a_whole_model";
    child::run_if_asked();
    let place = Place::with_large_model();
    for round in 0..20 {
        let mut savers = [(); 2].map(|()| place.child(Role::Forever, NAME).start_saving());
        for _ in 0..25 {
            place.saved();
        }
        for saver in &mut savers {
            assert!(saver.is_running(), "a saver failed because of the other");
            saver.kill();
        }
        place.saved();
        let n_beside = place.n_beside();
        assert!(n_beside <= 2, "{n_beside} files are left after round {round}");
    }
    model_file::save(&place.models[1], &place.model(), &key()).unwrap();
    assert_eq!((place.saved(), place.n_beside()), (1, 0));
}

#[test]
fn threads_saving_at_once_leave_a_whole_model() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for at in 0..8 {
            let place = &place;
            scope.spawn(move || {
                for _ in 0..20 {
                    model_file::save(&place.models[at % 2], &place.model(), &key()).unwrap();
                    place.saved();
                }
            });
        }
    });
    place.saved();
    assert_eq!(place.n_beside(), 0);
}

/// The size that a file may have is the one limit of that kind that needs no privilege.
#[test]
fn where_no_more_may_be_written_the_last_model_stays() {
    const NAME: &str = "where_no_more_may_be_written_the_last_model_stays";
    child::run_if_asked();
    let place = Place::new();
    let limited = "ulimit -f 2 && trap '' XFSZ && exec \"$0\" \"$@\"";
    let output = place
        .child(Role::Once, NAME)
        .through(&["sh", "-c", limited])
        .output();
    assert_eq!(output.status.code(), Some(child::REFUSED), "{}", said(&output));
    assert!(
        said(&output).contains("cannot write beside it"),
        "{}",
        said(&output)
    );
    assert_eq!((place.saved(), place.n_beside()), (0, 0));
}

/// A file system of its own, of 64 KiB, in a namespace of its own.
#[test]
fn on_a_full_disk_the_last_model_stays() {
    const NAME: &str = "on_a_full_disk_the_last_model_stays";
    child::run_if_asked();
    let place = Place::new();
    let disk = place.path("disk");
    fs::create_dir(&disk).unwrap();
    let mount = format!(
        "mount -t tmpfs -o size=64k tmpfs '{}' || exit {}; exec \"$0\" \"$@\"",
        disk.display(),
        child::NOT_PERMITTED
    );
    let mut namespace = vec!["unshare", "--mount"];
    if !is_root() {
        namespace.extend(["--user", "--map-root-user"]);
    }
    namespace.extend(["sh", "-c", &mount]);
    let may = Command::new(namespace[0])
        .args(&namespace[1..])
        .arg("true")
        .output();
    let Some(may) = may.ok().filter(|output| output.status.success()) else {
        eprintln!("not permitted here: a file system of one's own");
        return;
    };
    drop(may);
    let output = place.child(Role::OnFullDisk, NAME).through(&namespace).output();
    assert!(output.status.success(), "{}", said(&output));
}

/// As a user who isn't allowed to: root is, so there the child becomes somebody else.
#[test]
fn without_permission_the_last_model_stays() {
    const NAME: &str = "without_permission_the_last_model_stays";
    child::run_if_asked();
    let place = Place::new();
    let kept = place.path("kept");
    for (mode, expected) in [
        (0o500, "cannot create a file beside it"),
        (0o000, "cannot find out where it lies"),
    ] {
        let nobody = place.child(Role::Once, NAME).by_nobody();
        give_away(place.directory.path(), &kept);
        fs::set_permissions(&kept, Permissions::from_mode(mode)).unwrap();
        let output = nobody.output();
        fs::set_permissions(&kept, Permissions::from_mode(0o700)).unwrap();
        assert_eq!(output.status.code(), Some(child::REFUSED), "{}", said(&output));
        assert!(said(&output).contains(expected), "{}", said(&output));
        assert_eq!((place.saved(), place.n_beside()), (0, 0));
    }
}

/// Who may write the directory may replace what is in it; the model stays as unwritable as it was.
#[test]
fn a_read_only_model_is_replaced_and_stays_read_only() {
    const NAME: &str = "a_read_only_model_is_replaced_and_stays_read_only";
    child::run_if_asked();
    let place = Place::new();
    let nobody = place.child(Role::Once, NAME).by_nobody();
    give_away(place.directory.path(), &place.path("kept"));
    fs::set_permissions(place.model(), Permissions::from_mode(0o400)).unwrap();
    let output = nobody.output();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!((place.saved(), place.n_beside()), (1, 0));
    let mode = fs::metadata(place.model()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o400);
}

/// Gives the directory, and what is in it, to whom [`Child::by_nobody`] becomes.
fn give_away(directory: &Path, kept: &Path) {
    if !is_root() {
        return;
    }
    let sources = directory.join(child::SOURCE_FOLDER);
    let mut paths = vec![directory.to_path_buf(), kept.to_path_buf(), sources.clone()];
    for folder in [kept, &sources] {
        paths.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    for path in paths {
        chown(path, Some(child::NOBODY), Some(child::NOBODY)).unwrap();
    }
}

/// Power loss can't be had in a test; what it relies on can: content before name, name before the end.
#[test]
fn content_reaches_the_disk_before_the_name_does() {
    const NAME: &str = "content_reaches_the_disk_before_the_name_does";
    child::run_if_asked();
    let place = Place::with_large_model();
    let trace = place.path("trace");
    let Some(strace) = syscalls::strace(&trace, &[]) else {
        eprintln!("not present: strace");
        return;
    };
    let strace: Vec<&str> = strace.iter().map(String::as_str).collect();
    let output = place.child(Role::Once, NAME).through(&strace).output();
    assert!(output.status.success(), "{}", said(&output));
    let trace = fs::read_to_string(&trace).unwrap();
    syscalls::assert_order(&trace, &place.path("kept"));
    assert_eq!((place.saved(), place.n_beside()), (1, 0));
}

/// The moments that matter, one after the other, whatever the machine does.
#[test]
fn killed_before_each_step_a_save_leaves_a_whole_model() {
    const NAME: &str = "killed_before_each_step_a_save_leaves_a_whole_model";
    child::run_if_asked();
    let place = Place::with_large_model();
    let mut n_kills = 0;
    for kill in syscalls::kills() {
        let Some(strace) = syscalls::strace(&place.path("trace"), &[&kill]) else {
            eprintln!("not present: strace");
            return;
        };
        let strace: Vec<&str> = strace.iter().map(String::as_str).collect();
        let output = place.child(Role::Once, NAME).through(&strace).output();
        place.saved();
        assert!(place.n_beside() <= 1, "{kill}");
        n_kills += usize::from(output.status.signal() == Some(SIGKILL));
    }
    eprintln!("killed before each of {n_kills} steps");
    assert!(n_kills >= 8, "lock, four pieces, sync, rename, sync: {n_kills}");
    model_file::save(&place.models[1], &place.model(), &key()).unwrap();
    assert_eq!((place.saved(), place.n_beside()), (1, 0));
}
