//! Why a store function failed, in terms that a caller can act on.

use sqlx::{Error, error::ErrorKind};

/// The result of a store function.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why a store function failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What was named does not exist in the actor's organisation.
    #[error("not found")]
    NotFound,
    /// A uniqueness rule forbids it; names the rule, `<table>_<columns>` (such as `tools_org_id_name`).
    #[error("conflict with existing data ({0})")]
    Conflict(String),
    /// Someone else changed it since it was read.
    #[error("changed meanwhile")]
    Stale,
    /// The database cannot be reached, is busy, full or read-only; trying later may help.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// A value is larger than the database takes.
    #[error("value too large: {0}")]
    TooLarge(String),
    /// What is stored cannot be read back.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    /// A newer server has already migrated the database.
    #[error("the database is at schema version {found}, this server knows versions up to {known}")]
    TooNew {
        /// The database's version.
        found: i64,
        /// The newest version that this server knows.
        known: i64,
    },
    /// The secrets are encrypted under another master key.
    #[error(
        "the secrets in the database are encrypted under the master key {}, and the given one is {given}; \
         give the right key (a changed key is put in place by `mneme keys rotate`)",
        expected.as_deref().unwrap_or("of an earlier version")
    )]
    WrongKey {
        /// The id of the key that is needed, where the database says so.
        expected: Option<String>,
        /// The id of the key that was given.
        given: String,
    },
    /// The database is used in a way that forbids what was asked; says how.
    #[error("the database is in use: {0}")]
    InUse(&'static str),
    /// The configuration names no usable database.
    #[error("database configuration: {0}")]
    Config(String),
    /// Anything else that the database reports.
    #[error("database error: {0}")]
    Database(#[source] Error),
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed | Error::BeginFailed => {
                Self::Unavailable(error.to_string())
            }
            Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => Self::Unavailable(error.to_string()),
            Error::ColumnDecode { .. } | Error::Decode(_) => Self::Corrupt(error.to_string()),
            Error::Configuration(_) => Self::Config(error.to_string()),
            Error::RowNotFound => Self::NotFound,
            Error::Database(report) => match report.kind() {
                ErrorKind::UniqueViolation => Self::Conflict(rule_of(report.as_ref())),
                // Every foreign key leads to a row of the same organisation.
                ErrorKind::ForeignKeyViolation => Self::NotFound,
                _ => match verdict(report.code().as_deref()) {
                    Verdict::Unavailable => Self::Unavailable(report.to_string()),
                    Verdict::TooLarge => Self::TooLarge(report.to_string()),
                    Verdict::Corrupt => Self::Corrupt(report.to_string()),
                    Verdict::Other => Self::Database(Error::Database(report)),
                },
            },
            other => Self::Database(other),
        }
    }
}

/// The name of a broken uniqueness rule, the same on both engines.
///
/// PostgreSQL reports the rule's name, which the migrations choose; SQLite reports `table.column, table.column`.
fn rule_of(report: &dyn sqlx::error::DatabaseError) -> String {
    if let Some(name) = report.constraint() {
        return name.to_owned();
    }
    let message = report.message();
    let columns = message.rsplit_once("failed: ").map_or(message, |(_, columns)| columns);
    let mut rule = String::new();
    for column in columns.split(", ") {
        match column.split_once('.') {
            Some((table, column)) if rule.is_empty() => rule = format!("{table}_{column}"),
            Some((_, column)) => rule = format!("{rule}_{column}"),
            None => return columns.to_owned(),
        }
    }
    rule
}

/// What an engine's error code means to a caller.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Unavailable,
    TooLarge,
    Corrupt,
    Other,
}

/// Judges an error code: a number from SQLite, five characters of SQLSTATE from PostgreSQL.
fn verdict(code: Option<&str>) -> Verdict {
    let Some(code) = code else {
        return Verdict::Other;
    };
    if code.len() == 5 {
        return match (code.get(..2).unwrap_or_default(), code) {
            // Connection lost, server shutting down, out of resources, read-only, lock or statement timeout,
            // or a transaction that lost against another: all pass with time.
            ("08" | "53" | "57", _) | (_, "25006" | "25P03" | "40001" | "40P01" | "55P03" | "58030") => {
                Verdict::Unavailable
            }
            ("54", _) => Verdict::TooLarge,
            ("XX", _) => Verdict::Corrupt,
            _ => Verdict::Other,
        };
    }
    // SQLite's extended codes keep the primary one in the low byte.
    match code.parse::<u32>().map(|code| code & 0xff) {
        // BUSY, LOCKED, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN
        Ok(5 | 6 | 8 | 9 | 10 | 13 | 14) => Verdict::Unavailable,
        // TOOBIG
        Ok(18) => Verdict::TooLarge,
        // CORRUPT, NOTADB
        Ok(11 | 26) => Verdict::Corrupt,
        _ => Verdict::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_with_time_is_unavailable() {
        for code in
            ["5", "261", "517", "6", "8", "13", "14", "08006", "57P01", "57014", "53300", "40P01", "25006", "25P03"]
        {
            assert_eq!(verdict(Some(code)), Verdict::Unavailable, "{code}");
        }
        for code in ["1", "19", "42601", "22021", "x", "aéé"] {
            assert_eq!(verdict(Some(code)), Verdict::Other, "{code}");
        }
        assert_eq!(verdict(Some("18")), Verdict::TooLarge);
        assert_eq!(verdict(Some("54000")), Verdict::TooLarge);
        assert_eq!(verdict(Some("11")), Verdict::Corrupt);
        assert_eq!(verdict(None), Verdict::Other);
    }
}
