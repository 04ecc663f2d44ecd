//! How much of the machine the process may have, and who else wants it.
//!
//! In come files of the system, out go numbers; what a system doesn't tell is `None`. A measurement on four cores of
//! which a container may use one and a half, or for which others stand in line, is none of four cores.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Cores there are, cores that may be used, and how many would be busy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Logical cores that are switched on.
    pub cores: Option<usize>,
    /// Those of them that the process may run on.
    pub affinity: Option<usize>,
    /// CPU seconds a second that the process's control group may use.
    pub quota: Option<f64>,
    /// Threads running or waiting for a core, averaged over the last minute; this process's are among them.
    pub load_average: Option<f64>,
}

impl Machine {
    /// Asks the system.
    pub fn look() -> Self {
        Self {
            cores: read("/sys/devices/system/cpu/online").and_then(|list| count_of_list(&list)),
            affinity: status_line("Cpus_allowed_list:").and_then(|list| count_of_list(&list)),
            quota: quota(),
            load_average: read("/proc/loadavg").and_then(|loads| first_number(&loads)),
        }
    }

    /// The load, if it is more than there are cores: others have some of their time.
    pub fn overload(&self) -> Option<f64> {
        let cores = self.cores? as f64;
        self.load_average.filter(|&load| load > cores)
    }

    /// What keeps the process from using all cores, for a line in a report; empty if nothing does.
    pub fn restrictions(&self) -> Vec<String> {
        let mut restrictions = Vec::new();
        let all = self.cores.unwrap_or(usize::MAX);
        if let Some(affinity) = self.affinity.filter(|&affinity| affinity < all) {
            restrictions.push(format!("{affinity} of them allowed to this process"));
        }
        if let Some(quota) = self.quota.filter(|&quota| quota < all as f64) {
            restrictions.push(format!("{quota:.2} cores' time granted by its control group"));
        }
        restrictions
    }
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn status_line(name: &str) -> Option<String> {
    let status = read("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.to_owned())
}

/// `0-3,8` are five.
fn count_of_list(list: &str) -> Option<usize> {
    let counts = list.trim().split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        Some(last.checked_sub(first)? + 1)
    });
    counts.sum()
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The least that any control group above the process grants, in either version of the interface.
fn quota() -> Option<f64> {
    let groups = read("/proc/self/cgroup")?;
    let limits = groups.lines().filter_map(|line| {
        // `0::/path` in the second version, `4:cpu,cpuacct:/path` in the first.
        let (_, line) = line.split_once(':')?;
        let (controllers, group) = line.split_once(':')?;
        let group = group.trim_start_matches('/');
        match controllers {
            "" => least(Path::new("/sys/fs/cgroup"), group, |path| {
                read(path.join("cpu.max"))
            }),
            _ if controllers.split(',').any(|controller| controller == "cpu") => {
                least(Path::new("/sys/fs/cgroup/cpu"), group, |path| {
                    let [quota, period] =
                        ["cpu.cfs_quota_us", "cpu.cfs_period_us"].map(|name| read(path.join(name)));
                    Some(format!("{} {}", quota?.trim(), period?))
                })
            }
            _ => None,
        }
    });
    limits.reduce(f64::min)
}

/// The least limit of a group and all above it. In a container the path may be one of outside: what exists counts.
fn least(mount: &Path, group: &str, limit: impl Fn(&Path) -> Option<String>) -> Option<f64> {
    let group = mount.join(group);
    let groups = group.ancestors().take_while(|path| path.starts_with(mount));
    let limits = groups.filter_map(|path| cores_of_limit(&limit(path)?));
    limits.reduce(f64::min)
}

/// `150000 100000`, microseconds of CPU time in so many microseconds, are one and a half; `max` and -1 are no
/// limit.
fn cores_of_limit(limit: &str) -> Option<f64> {
    let (granted, period) = limit.trim().split_once(' ')?;
    let (granted, period): (f64, f64) = (granted.parse().ok()?, period.parse().ok()?);
    (period > 0.0 && granted > 0.0).then(|| granted / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine {
            cores: Some(4),
            affinity: Some(4),
            quota: None,
            load_average: Some(0.5),
        }
    }

    #[test]
    fn ranges_and_single_cores_are_counted() {
        assert_eq!(count_of_list("0-3,8\n"), Some(5));
        assert_eq!(count_of_list("\t0"), Some(1));
    }

    #[test]
    fn list_that_cannot_be_read_has_no_count() {
        for list in ["", "a-b", "3-1"] {
            assert_eq!(count_of_list(list), None, "{list:?}");
        }
    }

    #[test]
    fn limit_is_cores_time() {
        assert_eq!(cores_of_limit("150000 100000\n"), Some(1.5));
    }

    #[test]
    fn no_limit_is_none() {
        assert_eq!(cores_of_limit("max 100000\n"), None);
        assert_eq!(cores_of_limit("-1 100000\n"), None);
    }

    #[test]
    fn machine_to_oneself_has_no_restrictions() {
        assert_eq!(machine().restrictions(), [""; 0]);
        assert_eq!(machine().overload(), None);
    }

    #[test]
    fn affinity_and_quota_are_told() {
        let restricted = Machine {
            affinity: Some(2),
            quota: Some(1.5),
            ..machine()
        };
        let restrictions = restricted.restrictions().join("; ");
        assert!(
            restrictions.contains("2 of them") && restrictions.contains("1.50 cores"),
            "{restrictions}"
        );
    }

    #[test]
    fn more_load_than_cores_is_overload() {
        let shared = Machine {
            load_average: Some(4.5),
            ..machine()
        };
        assert_eq!(shared.overload(), Some(4.5));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_tells() {
        let machine = Machine::look();
        assert!(
            machine.cores >= Some(1) && machine.affinity <= machine.cores,
            "{machine:?}"
        );
        assert!(machine.load_average >= Some(0.0), "{machine:?}");
    }
}
