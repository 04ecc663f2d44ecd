//! Starting a server: in a directory of its own, on a free port of the loopback address, for as long as this process.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, thread};

use super::{Admin, Kind, PASSWORD};

/// A server that isn't up by then won't be.
const PATIENCE: Duration = Duration::from_mins(3);

/// Runs the server that its arguments name until standard input ends, which it does with the process of the tests,
/// however that ends. Then nothing is left of it.
const KEEPER: &str = r#"
directory=$1; signal=$2; shift 2
cd / || exit
"$@" >"$directory/log" 2>&1 &
read -r _
kill -s "$signal" $!
wait $! 2>/dev/null
rm -rf "$directory"
"#;

/// A server that runs.
pub(crate) struct Started {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    _keeper: Child,
    _until_closed: ChildStdin,
}

impl Started {
    /// The server of that kind, started when it is first asked for; none where its program isn't installed.
    pub(crate) fn get(kind: Kind) -> Option<&'static Self> {
        static SERVERS: [OnceLock<Option<Started>>; 2] = [OnceLock::new(), OnceLock::new()];
        let server = SERVERS[kind as usize].get_or_init(|| Self::start(kind)).as_ref();
        if server.is_none() {
            // Written past the runner, which keeps to itself what a passing test prints.
            let _ = writeln!(
                std::io::stderr(),
                "not present, nothing tested: a {kind:?} server"
            );
        }
        server
    }

    /// The admin's connection to a database, or to none in particular.
    pub(crate) fn admin(&self, database: Option<&str>) -> Admin {
        self.connect(self.kind.choose("admin", "root"), database)
    }

    pub(crate) fn connect(&self, user: &str, database: Option<&str>) -> Admin {
        Admin::connect(self.kind, self.port, user, database).unwrap()
    }

    fn start(kind: Kind) -> Option<Self> {
        let Some(programs) = Programs::find(kind) else {
            assert!(env::var_os("CI").is_none(), "CI has no {kind:?} server");
            return None;
        };
        // Another program may take the port between the asking and the starting: then there is a next one.
        for _ in 0..5 {
            let directory = tempfile::tempdir().unwrap().keep();
            give_away(&directory);
            programs.prepare(&directory);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            if let Some(server) = programs.run(&directory, port) {
                return Some(server);
            }
        }
        panic!("no port was free for a {kind:?} server");
    }
}

/// Where a server's programs are.
struct Programs {
    kind: Kind,
    server: PathBuf,
    install: PathBuf,
}

impl Programs {
    fn find(kind: Kind) -> Option<Self> {
        let (server, install) = kind.choose(("postgres", "initdb"), ("mariadbd", "mariadb-install-db"));
        Some(Self {
            kind,
            server: program(server)?,
            install: program(install)?,
        })
    }

    /// Makes the files of a server that has no database yet.
    fn prepare(&self, directory: &Path) {
        let data = directory.join("data");
        let mut command = as_a_user_of_no_account(&self.install);
        match self.kind {
            Kind::Postgres => {
                let password = directory.join("password");
                fs::write(&password, PASSWORD).unwrap();
                command
                    .args([
                        "-U",
                        "admin",
                        "-A",
                        "scram-sha-256",
                        "-E",
                        "UTF8",
                        "--locale=C",
                        "--no-sync",
                    ])
                    .arg("--pwfile")
                    .arg(password)
                    .arg("-D")
                    .arg(data);
            }
            Kind::Mariadb => {
                let first = format!("ALTER USER root@localhost IDENTIFIED BY '{PASSWORD}';\n");
                fs::write(directory.join("first.sql"), first).unwrap();
                command
                    .args([
                        "--no-defaults",
                        "--skip-test-db",
                        "--auth-root-authentication-method=normal",
                    ])
                    .arg(format!("--datadir={}", data.display()));
            }
        }
        let output = command.current_dir("/").stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Starts the server and waits until it answers; none if the port is taken.
    fn run(&self, directory: &Path, port: u16) -> Option<Started> {
        let data = directory.join("data");
        let mut command = as_a_user_of_no_account(Path::new("sh"));
        command
            .args(["-c", KEEPER, "keeper"])
            .arg(directory)
            .arg(self.kind.choose("QUIT", "KILL"))
            .arg(&self.server);
        match self.kind {
            Kind::Postgres => {
                command.arg("-D").arg(data).arg("-p").arg(port.to_string());
                for setting in [
                    "listen_addresses=127.0.0.1",
                    "unix_socket_directories=",
                    "fsync=off",
                ] {
                    command.args(["-c", setting]);
                }
            }
            Kind::Mariadb => {
                command
                    .args([
                        "--no-defaults",
                        "--bind-address=127.0.0.1",
                        "--character-set-server=utf8mb4",
                        "--innodb-flush-log-at-trx-commit=0",
                    ])
                    .arg(format!("--datadir={}", data.display()))
                    .arg(format!("--socket={}", directory.join("socket").display()))
                    .arg(format!("--pid-file={}", directory.join("pid").display()))
                    .arg(format!("--init-file={}", directory.join("first.sql").display()))
                    .arg(format!("--port={port}"));
            }
        }
        let mut keeper = command.stdin(Stdio::piped()).spawn().unwrap();
        let until_closed = keeper.stdin.take().unwrap();
        let log = directory.join("log");
        let began = Instant::now();
        while let Err(error) = Admin::connect(self.kind, port, self.kind.choose("admin", "root"), None) {
            let said = fs::read_to_string(&log).unwrap_or_default();
            if said.to_lowercase().contains("address already in use") {
                drop(until_closed);
                keeper.wait().unwrap();
                return None;
            }
            assert!(began.elapsed() < PATIENCE, "no answer ({error}): {said}");
            thread::sleep(Duration::from_millis(50));
        }
        Some(Started {
            kind: self.kind,
            port,
            _keeper: keeper,
            _until_closed: until_closed,
        })
    }
}

/// The path of a program: Debian keeps some where no user's PATH leads.
fn program(name: &str) -> Option<PathBuf> {
    let mut directories: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    directories.push("/usr/sbin".into());
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    directories.extend(versions.map(|version| version.unwrap().path().join("bin")));
    directories
        .into_iter()
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// Servers refuse to run as root.
fn as_a_user_of_no_account(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "nobody", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;

    File::open("/proc/self").unwrap().metadata().unwrap().uid() == 0
}

fn give_away(directory: &Path) {
    if is_root() {
        let status = Command::new("chown")
            .arg("nobody")
            .arg(directory)
            .status()
            .unwrap();
        assert!(status.success(), "chown: {status}");
    }
}
