//! What PostgreSQL's errors mean for somebody with an archive.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::error::ArchiveProblem;

/// An error on the way to a session.
pub(super) fn classify_connecting(error: &Error) -> ArchiveProblem {
    let Some(state) = error.code() else {
        return ArchiveProblem::Unreachable(words(error));
    };
    match *state {
        SqlState::INVALID_PASSWORD => ArchiveProblem::NotLetIn(words(error)),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => ArchiveProblem::NotAdmitted(words(error)),
        SqlState::INVALID_CATALOG_NAME | SqlState::INSUFFICIENT_PRIVILEGE => {
            ArchiveProblem::UnknownDatabase(words(error))
        }
        SqlState::CANNOT_CONNECT_NOW => ArchiveProblem::Unreachable(words(error)),
        _ => ArchiveProblem::Server(words(error)),
    }
}

/// An error in a session.
#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
pub(super) fn classify(error: Error) -> ArchiveProblem {
    let Some(state) = error.code() else {
        return if error.is_closed() || io(&error) {
            ArchiveProblem::BrokenOff(words(&error))
        } else {
            ArchiveProblem::Server(words(&error))
        };
    };
    match *state {
        SqlState::LOCK_NOT_AVAILABLE => ArchiveProblem::Busy,
        SqlState::QUERY_CANCELED => ArchiveProblem::TooSlow(words(&error)),
        SqlState::INSUFFICIENT_PRIVILEGE => ArchiveProblem::NotPermitted(words(&error)),
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        | SqlState::T_R_SERIALIZATION_FAILURE => ArchiveProblem::BrokenOff(words(&error)),
        _ => ArchiveProblem::Server(words(&error)),
    }
}

/// Whether the connection itself failed.
fn io(error: &Error) -> bool {
    error
        .source()
        .and_then(|source| source.downcast_ref::<std::io::Error>())
        .is_some()
}

/// The server's message, or whatever else is known, in one line.
fn words(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().replace('\n', " ");
    }
    let text = error.to_string();
    match error.source().map(ToString::to_string) {
        Some(cause) if !text.contains(&cause) => format!("{text}: {cause}"),
        _ => text,
    }
}
