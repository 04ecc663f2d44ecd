//! What MariaDB's errors mean for somebody with an archive.

use std::io::ErrorKind;

use mysql::{DriverError, Error};

use crate::error::ArchiveProblem;

/// The numbers that are told apart, from the server's list of error codes.
mod code {
    pub(super) const DATABASE_ACCESS_DENIED: u16 = 1044;
    pub(super) const ACCESS_DENIED: u16 = 1045;
    pub(super) const UNKNOWN_DATABASE: u16 = 1049;
    pub(super) const SERVER_SHUTDOWN: u16 = 1053;
    pub(super) const HOST_NOT_PRIVILEGED: u16 = 1130;
    pub(super) const TABLE_ACCESS_DENIED: u16 = 1142;
    pub(super) const COLUMN_ACCESS_DENIED: u16 = 1143;
    pub(super) const LOCK_WAIT_TIMEOUT: u16 = 1205;
    pub(super) const CONNECTION_KILLED: u16 = 1927;
    pub(super) const STATEMENT_TIMEOUT: u16 = 1969;
}

/// An error on the way to a session.
pub(super) fn classify_connecting(error: &Error) -> ArchiveProblem {
    match error {
        Error::MySqlError(told) => match told.code {
            // Also what it says to a user who has to use TLS.
            code::ACCESS_DENIED => ArchiveProblem::NotLetIn(format!(
                "{}, or without TLS, which postroom doesn't do",
                words(&told.message)
            )),
            code::DATABASE_ACCESS_DENIED | code::UNKNOWN_DATABASE => {
                ArchiveProblem::UnknownDatabase(words(&told.message))
            }
            code::HOST_NOT_PRIVILEGED => ArchiveProblem::NotAdmitted(words(&told.message)),
            _ => ArchiveProblem::Server(words(&told.message)),
        },
        Error::DriverError(DriverError::CouldNotConnect(Some((_, reason, _)))) => {
            ArchiveProblem::Unreachable(words(reason))
        }
        Error::DriverError(problem @ DriverError::UnknownAuthPlugin(_)) => {
            ArchiveProblem::NotAdmitted(words(&problem.to_string()))
        }
        other => ArchiveProblem::Unreachable(words(&other.to_string())),
    }
}

/// An error in a session.
pub(super) fn classify(error: &Error) -> ArchiveProblem {
    match error {
        Error::MySqlError(told) => match told.code {
            code::LOCK_WAIT_TIMEOUT => ArchiveProblem::Busy,
            code::STATEMENT_TIMEOUT => ArchiveProblem::TooSlow(words(&told.message)),
            code::TABLE_ACCESS_DENIED | code::COLUMN_ACCESS_DENIED => {
                ArchiveProblem::NotPermitted(words(&told.message))
            }
            code::SERVER_SHUTDOWN | code::CONNECTION_KILLED => {
                ArchiveProblem::BrokenOff(words(&told.message))
            }
            _ => ArchiveProblem::Server(words(&told.message)),
        },
        Error::IoError(problem) if matches!(problem.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            ArchiveProblem::TooSlow(words(&problem.to_string()))
        }
        Error::IoError(problem) => ArchiveProblem::BrokenOff(words(&problem.to_string())),
        other => ArchiveProblem::Server(words(&other.to_string())),
    }
}

/// In one line.
fn words(text: &str) -> String {
    text.replace('\n', " ")
}
