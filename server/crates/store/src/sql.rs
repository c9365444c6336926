//! Statements and their arguments: one literal for both engines, another for SQLite only where it must differ.
//!
//! A statement is written in PostgreSQL's dialect with `$1` binds. Of its list test, `x = any($n)`, SQLite
//! gets its own form by translation; anything else that differs is written out beside it:
//!
//! ```text
//! statements! {
//!     GET: "select id from tools where org_id = $1 and id = any($2)";
//!     COUNT: "select strpos($1, $2)", sqlite: "select instr($1, $2)";
//! }
//! ```

use std::{borrow::Cow, sync::OnceLock};

use mneme_domain::{
    AgentId, ArchiveId, BatchId, BlockId, EntityId, FileId, GroupId, IdentityId, McpServerId, MessageId, OrgId,
    PassageId, ProviderId, RunId, SourceId, StepId, TemplateId, Timestamp, ToolId, TraceId, UserId, clock::to_micros,
};
use mneme_vector_math::bytes_of;
use sqlx::{Arguments, postgres::PgArguments, sqlite::SqliteArguments};

use crate::{Engine, Result, StoreError};

/// A statement of fixed text.
pub(crate) struct Sql {
    postgres: &'static str,
    sqlite: Option<&'static str>,
    translated: OnceLock<String>,
}

impl Sql {
    pub(crate) const fn new(postgres: &'static str, sqlite: Option<&'static str>) -> Self {
        Self { postgres, sqlite, translated: OnceLock::new() }
    }

    /// The text for an engine.
    pub(crate) fn text(&'static self, engine: Engine) -> &'static str {
        match (engine, self.sqlite) {
            (Engine::Postgres, _) => self.postgres,
            (Engine::Sqlite, Some(text)) => text,
            (Engine::Sqlite, None) => self.translated.get_or_init(|| for_sqlite(self.postgres)),
        }
    }
}

/// Turns `= any($n)` into a test against the items of a JSON array: SQLite binds no arrays.
fn for_sqlite(text: &str) -> String {
    let mut pieces = text.split("= any(");
    let mut translated = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (bind, rest) = piece.split_once(')').unwrap_or((piece, ""));
        translated.push_str("in (select value from json_each(");
        translated.push_str(bind);
        translated.push_str("))");
        translated.push_str(rest);
    }
    translated
}

/// Declares a module's statements, and for the tests a function `statements` that lists them.
macro_rules! statements {
    ($($name:ident: $postgres:expr $(, sqlite: $sqlite:expr)?;)+) => {
        $(static $name: $crate::sql::Sql = $crate::sql::Sql::new($postgres, statements!(@sqlite $($sqlite)?));)+

        /// This module's statements by name.
        #[cfg(test)]
        pub(crate) fn statements() -> Vec<(&'static str, &'static $crate::sql::Sql)> {
            vec![$((concat!(module_path!(), "::", stringify!($name)), &$name)),+]
        }
    };
    (@sqlite) => { None };
    (@sqlite $sqlite:expr) => { Some($sqlite) };
}
pub(crate) use statements;

/// A value for a bind. Nulls keep their type, which PostgreSQL wants to know.
#[derive(Debug, Clone)]
pub(crate) enum Arg<'a> {
    Text(Option<Cow<'a, str>>),
    Int(Option<i64>),
    Bool(Option<bool>),
    Bytes(Option<Vec<u8>>),
    /// A vector: little-endian floats in SQLite, `real[]` in PostgreSQL.
    Vector(Vec<f32>),
    /// For `= any($n)`.
    List(Vec<String>),
}

impl Arg<'static> {
    /// The texts of some identifiers.
    pub(crate) fn ids<I: EntityId>(ids: &[I]) -> Self {
        Self::List(ids.iter().map(|id| id.as_str().to_owned()).collect())
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl From<String> for Arg<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

impl<'a> From<Option<&'a str>> for Arg<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }
}

impl From<Option<String>> for Arg<'_> {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(Cow::Owned))
    }
}

impl<'a> From<&'a Option<String>> for Arg<'a> {
    fn from(text: &'a Option<String>) -> Self {
        Self::Text(text.as_deref().map(Cow::Borrowed))
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<u32> for Arg<'_> {
    fn from(number: u32) -> Self {
        Self::Int(Some(i64::from(number)))
    }
}

impl From<Option<i64>> for Arg<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Arg<'_> {
    fn from(truth: bool) -> Self {
        Self::Bool(Some(truth))
    }
}

impl From<Option<bool>> for Arg<'_> {
    fn from(truth: Option<bool>) -> Self {
        Self::Bool(truth)
    }
}

impl From<Vec<u8>> for Arg<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl From<Option<Vec<u8>>> for Arg<'_> {
    fn from(bytes: Option<Vec<u8>>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Timestamp> for Arg<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Int(Some(to_micros(time)))
    }
}

impl From<Option<Timestamp>> for Arg<'_> {
    fn from(time: Option<Timestamp>) -> Self {
        Self::Int(time.map(to_micros))
    }
}

macro_rules! id_args {
    ($($id:ident)*) => {$(
        impl<'a> From<&'a $id> for Arg<'a> {
            fn from(id: &'a $id) -> Self {
                Self::Text(Some(Cow::Borrowed(id.as_str())))
            }
        }

        impl<'a> From<&'a Option<$id>> for Arg<'a> {
            fn from(id: &'a Option<$id>) -> Self {
                Self::Text(id.as_ref().map(|id| Cow::Borrowed(id.as_str())))
            }
        }
    )*};
}
id_args!(OrgId UserId AgentId ArchiveId BatchId PassageId SourceId FileId BlockId ToolId MessageId RunId StepId TraceId ProviderId GroupId IdentityId McpServerId TemplateId);

/// The arguments of a statement, in the order of its binds.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Arg::from($value)),*] };
}
pub(crate) use args;

fn encoding(error: sqlx::error::BoxDynError) -> StoreError {
    StoreError::Database(sqlx::Error::Encode(error))
}

/// Adds arguments as SQLite takes them; a list goes as a JSON array.
pub(crate) fn add_sqlite(arguments: &mut SqliteArguments, args: Vec<Arg<'_>>) -> Result<()> {
    arguments.reserve(args.len(), 0);
    for arg in args {
        match arg {
            Arg::Text(text) => Arguments::add(arguments, text.map(Cow::into_owned)),
            Arg::Int(number) => Arguments::add(arguments, number),
            Arg::Bool(truth) => Arguments::add(arguments, truth),
            Arg::Bytes(bytes) => Arguments::add(arguments, bytes),
            Arg::Vector(numbers) => Arguments::add(arguments, bytes_of(&numbers)),
            Arg::List(items) => Arguments::add(arguments, crate::json::text(&items)?),
        }
        .map_err(encoding)?;
    }
    Ok(())
}

/// The arguments as PostgreSQL takes them; a list goes as a `text[]`.
pub(crate) fn postgres_arguments(args: Vec<Arg<'_>>) -> Result<PgArguments> {
    let mut arguments = PgArguments::default();
    for arg in args {
        match arg {
            Arg::Text(text) => arguments.add(text.as_deref()),
            Arg::Int(number) => arguments.add(number),
            Arg::Bool(truth) => arguments.add(truth),
            Arg::Bytes(bytes) => arguments.add(bytes),
            Arg::Vector(numbers) => arguments.add(numbers),
            Arg::List(items) => arguments.add(items),
        }
        .map_err(encoding)?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_test_becomes_one_over_a_json_array() {
        assert_eq!(
            for_sqlite("select 1 where a = any($2) and b = $1 and c = any($3)"),
            "select 1 where a in (select value from json_each($2)) and b = $1 and c in (select value from json_each($3))"
        );
        assert_eq!(for_sqlite("select 1"), "select 1");
    }
}
