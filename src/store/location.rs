//! Where an archive is: the path of a file, or the URL of a database on a server. Never a password.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Where an archive is. Shown as it is written: a path, or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite database.
    File(PathBuf),
    /// A database on a server.
    Server(Box<ServerAddress>),
}

/// A database on a server, and the user to read it as: `postgres://user@host:port/database`, or `mariadb://…`.
///
/// ```
/// use postroom::store::{Product, ServerAddress};
///
/// let address: ServerAddress = "postgresql://paperless@db/paperless".parse()?;
/// assert_eq!((address.product(), address.port()), (Product::Postgres, 5432));
/// assert_eq!(address.to_string(), "postgres://paperless@db:5432/paperless");
/// assert!("mariadb://paperless:secret@db/paperless".parse::<ServerAddress>().is_err());
/// # Ok::<(), postroom::store::LocationProblem>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    product: Product,
    user: String,
    host: String,
    port: u16,
    database: String,
}

/// What kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// PostgreSQL.
    Postgres,
    /// MariaDB, or MySQL.
    Mariadb,
}

/// Why a text is no URL of an archive. Doesn't repeat the text: there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationProblem {
    /// There is a password in it.
    #[error(
        "the URL holds a password, which other users and the shell's history would see: leave it out, and set \
         POSTROOM_DB_PASSWORD to it, or POSTROOM_DB_PASSWORD_FILE to the path of a file that holds it"
    )]
    Password,

    /// It names another kind of database.
    #[error(
        "{scheme}:// is no archive: expected the path of a db.sqlite3, or a URL that begins with postgres:// or mariadb://"
    )]
    UnknownScheme {
        /// What it begins with.
        scheme: String,
    },

    /// A part is missing, or isn't what belongs there.
    #[error(
        "the URL has no valid {part}: expected {scheme}://user@host:port/database (the port may be left out)"
    )]
    Part {
        /// What kind of server.
        scheme: &'static str,
        /// The part.
        part: &'static str,
    },

    /// Options, as other programs take them.
    #[error("options after ? aren't taken: expected {scheme}://user@host:port/database")]
    Options {
        /// What kind of server.
        scheme: &'static str,
    },
}

impl Location {
    /// Reads the path of a file, or a URL.
    ///
    /// # Errors
    /// The text is a URL, but not one of an archive on a server.
    pub fn parse(text: &OsStr) -> Result<Self, LocationProblem> {
        match text.to_str() {
            Some(url) if scheme_of(url).is_some() => {
                url.parse().map(|address| Self::Server(Box::new(address)))
            }
            _ => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(address) => address.fmt(f),
        }
    }
}

impl<P: AsRef<Path>> From<P> for Location {
    fn from(path: P) -> Self {
        Self::File(path.as_ref().to_owned())
    }
}

impl From<&ServerAddress> for Location {
    fn from(address: &ServerAddress) -> Self {
        Self::Server(Box::new(address.clone()))
    }
}

impl ServerAddress {
    /// What kind of server it is.
    pub fn product(&self) -> Product {
        self.product
    }

    /// Name of the user, which both kinds of server call that.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Name or address of the machine.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where it listens; the kind's usual port, if the URL had none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }
}

impl FromStr for ServerAddress {
    type Err = LocationProblem;

    fn from_str(url: &str) -> Result<Self, LocationProblem> {
        let scheme = scheme_of(url).unwrap_or_default();
        let product = Product::of_scheme(scheme).ok_or_else(|| LocationProblem::UnknownScheme {
            scheme: scheme.to_owned(),
        })?;
        let part = |part| LocationProblem::Part {
            scheme: product.scheme(),
            part,
        };
        let rest = &url[scheme.len() + "://".len()..];
        // An unescaped password may hold any character, so that nothing but the last @ is certain.
        let (user, place) = rest.rsplit_once('@').ok_or_else(|| part("user"))?;
        if user.contains(':') {
            return Err(LocationProblem::Password);
        }
        if user.contains(['/', '?', '#', '@']) {
            return Err(part("user"));
        }
        if place.contains(['?', '#']) {
            return Err(LocationProblem::Options {
                scheme: product.scheme(),
            });
        }
        let (machine, database) = place.split_once('/').ok_or_else(|| part("database"))?;
        let (host, port) = host_and_port(machine);
        let port = port.map_or(Ok(product.usual_port()), |port| {
            port.parse().map_err(|_| part("port"))
        })?;
        Ok(Self {
            product,
            user: decoded(user).ok_or_else(|| part("user"))?,
            host: decoded(host).ok_or_else(|| part("host"))?,
            port,
            database: decoded(database).ok_or_else(|| part("database"))?,
        })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, host, port, .. } = self;
        let (scheme, user) = (self.product.scheme(), utf8_percent_encode(user, OUTSIDE_NAMES));
        let database = utf8_percent_encode(&self.database, OUTSIDE_NAMES);
        if host.contains(':') {
            write!(f, "{scheme}://{user}@[{host}]:{port}/{database}")
        } else {
            write!(f, "{scheme}://{user}@{host}:{port}/{database}")
        }
    }
}

impl Product {
    fn of_scheme(scheme: &str) -> Option<Self> {
        match scheme.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mariadb" | "mysql" => Some(Self::Mariadb),
            _ => None,
        }
    }

    fn scheme(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
        }
    }

    /// The feature that the library has to be built with.
    #[cfg(not(all(feature = "postgres", feature = "mariadb")))]
    pub(super) fn feature(self) -> &'static str {
        self.scheme()
    }

    fn usual_port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::Mariadb => 3306,
        }
    }
}

/// What may mean something in a URL's names.
const OUTSIDE_NAMES: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What comes before `://`, if that makes the text a URL rather than a path.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let is_name = |name: &str| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && is_name(scheme)).then_some(scheme)
}

/// The address of version 6 is in brackets, since it has colons itself.
fn host_and_port(machine: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = machine.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match machine.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (machine, None),
    }
}

/// A name that isn't empty.
fn decoded(name: &str) -> Option<String> {
    let name = percent_decode_str(name).decode_utf8().ok()?;
    (!name.is_empty() && !name.contains('\0')).then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> LocationProblem {
        Location::parse(OsStr::new(url)).unwrap_err()
    }

    fn shown(url: &str) -> String {
        Location::parse(OsStr::new(url)).unwrap().to_string()
    }

    #[test]
    fn both_names_of_each_product_and_its_usual_port_are_known() {
        assert_eq!(shown("postgresql://u@h/d"), "postgres://u@h:5432/d");
        assert_eq!(shown("MySQL://u@h/d"), "mariadb://u@h:3306/d");
        assert_eq!(shown("mariadb://u@h:13306/d"), "mariadb://u@h:13306/d");
    }

    #[test]
    fn names_may_hold_any_character() {
        let address: ServerAddress = "postgres://a%40b%3Ac@h/d%2Fe%20%C3%A4".parse().unwrap();
        assert_eq!((address.user(), address.database()), ("a@b:c", "d/e ä"));
        assert_eq!(address.to_string().parse(), Ok(address));
    }

    #[test]
    fn address_of_version_6_is_in_brackets() {
        let address: ServerAddress = "postgres://u@[::1]:99/d".parse().unwrap();
        assert_eq!((address.host(), address.port()), ("::1", 99));
        assert_eq!(address.to_string(), "postgres://u@[::1]:99/d");
    }

    #[test]
    fn password_is_refused_and_not_repeated() {
        for url in [
            "postgres://u:secret@h/d",
            "mysql://u:secret/@h:1/d?x",
            "postgres://u:secr@et@h/d",
            "postgres://u:@h/d",
        ] {
            assert_eq!(problem(url), LocationProblem::Password, "{url}");
        }
        for url in [
            "postgres://u@h/d?password=secret",
            "postgres://u@h:secret/d",
            "oracle://u:secret@h/d",
        ] {
            let problem = problem(url);
            assert!(
                !format!("{problem} {problem:?}").contains("secret"),
                "{problem:?}"
            );
        }
    }

    #[test]
    fn missing_part_is_named() {
        for (url, missing) in [
            ("postgres://h/d", "user"),
            ("postgres://@h/d", "user"),
            ("postgres://u@h/d?password=secret@x/y", "user"),
            ("postgres://u@/d", "host"),
            ("postgres://u@h", "database"),
            ("postgres://u@h/", "database"),
            ("postgres://u@h:/d", "port"),
            ("postgres://u@h:65536/d", "port"),
        ] {
            let expected = LocationProblem::Part {
                scheme: "postgres",
                part: missing,
            };
            assert_eq!(problem(url), expected, "{url}");
        }
    }

    #[test]
    fn anything_that_is_no_url_is_a_path() {
        for path in ["db.sqlite3", "./postgres://u@h/d", "/data/a:b", "", "C:\\db"] {
            let location = Location::parse(OsStr::new(path)).unwrap();
            assert_eq!(location, Location::File(path.into()));
        }
    }
}
