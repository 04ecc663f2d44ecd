//! The command as its users call it: verb by verb, and what goes wrong.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod archives;
mod common;
mod explain;
#[cfg(all(unix, feature = "postgres", feature = "mariadb"))]
#[path = "../fences/mod.rs"]
mod fences;
#[cfg(unix)]
mod interrupt;
mod key;
mod names;
mod output;
mod page;
mod predict;
#[cfg(all(unix, feature = "postgres", feature = "mariadb"))]
#[path = "../server_common/mod.rs"]
mod server_common;
#[cfg(all(unix, feature = "postgres", feature = "mariadb"))]
mod servers;
#[cfg(unix)]
#[path = "../signals/mod.rs"]
mod signals;
mod thresholds;
mod train;
