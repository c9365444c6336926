//! A SQLite connection under a [`crate::Conn`]: statements that travel together, and transactions.
//!
//! The driver runs each connection in a thread of its own, and every trip there and back costs more than an ordinary
//! statement does. So a transaction begins with its first statement, in one trip, and statements whose outcome
//! nobody waits for can be gathered and sent with the next one, or with the commit.

use std::fmt::Write;

use futures::TryStreamExt;
use sqlx::{
    Arguments, AssertSqlSafe, Connection, Either, Error, Executor, SqlSafeStr, SqlStr, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use tokio::runtime::Handle;

use crate::{
    Result,
    lane::Lent,
    sql::{Arg, add_sqlite},
};

const BEGIN: &str = "BEGIN IMMEDIATE;\n";
const COMMIT: &str = "COMMIT";

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// There is none: the connection only reads.
    None,
    /// The first statement will begin it.
    Ready,
    /// The database may have begun it.
    Open,
    /// A statement of several failed: nothing more may happen in it.
    Broken,
    /// It is committed.
    Done,
}

/// A connection with its transaction.
pub(crate) struct SqliteLink {
    /// Always there, until the end.
    lent: Option<Lent>,
    phase: Phase,
    gathers: bool,
    /// Statements that wait for the next one, and their arguments.
    waiting: String,
    arguments: SqliteArguments,
}

impl SqliteLink {
    /// A connection to read with.
    pub(crate) fn reading(lent: Lent) -> Self {
        Self::new(lent, Phase::None)
    }

    /// A transaction that has yet to begin.
    pub(crate) fn writing(lent: Lent) -> Self {
        Self::new(lent, Phase::Ready)
    }

    fn new(lent: Lent, phase: Phase) -> Self {
        let (waiting, arguments) = Default::default();
        Self { lent: Some(lent), phase, gathers: false, waiting, arguments }
    }

    /// Whether this is no transaction.
    pub(crate) fn reads(&self) -> bool {
        self.phase == Phase::None
    }

    /// From here on [`SqliteLink::later`] lets statements wait.
    pub(crate) fn gather(&mut self) {
        self.gathers = !self.reads();
    }

    /// Whether statements may wait.
    pub(crate) fn gathers(&self) -> bool {
        self.gathers
    }

    /// Lets a statement without a result wait for the next one.
    pub(crate) fn later(&mut self, text: &str, args: Vec<Arg<'_>>) -> Result<()> {
        push_renumbered(&mut self.waiting, text, self.arguments.len());
        self.waiting.push_str(";\n");
        add_sqlite(&mut self.arguments, args)
    }

    /// Every row of a statement.
    pub(crate) async fn rows(&mut self, text: SqlStr, args: Vec<Arg<'_>>) -> Result<Vec<SqliteRow>> {
        let query = self.compose(text, args)?;
        let answer = rows(self.set_out()?, query).await;
        self.come_back(answer)
    }

    /// The only row of a statement.
    pub(crate) async fn row(&mut self, text: SqlStr, args: Vec<Arg<'_>>) -> Result<Option<SqliteRow>> {
        let query = self.compose(text, args)?;
        let answer = self.set_out()?.fetch_optional(query).await;
        self.come_back(answer)
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) async fn execute(&mut self, text: SqlStr, args: Vec<Arg<'_>>) -> Result<u64> {
        let query = self.compose(text, args)?;
        let answer = changes(self.set_out()?, query).await;
        self.come_back(answer)
    }

    /// Runs a script without binds.
    pub(crate) async fn script(&mut self, text: &'static str) -> Result<()> {
        // A script has no place for binds, so what goes before it goes alone.
        if self.phase == Phase::Ready || !self.waiting.is_empty() {
            self.execute("select 1".into_sql_str(), Vec::new()).await?;
        }
        let answer = sqlx::raw_sql(text).execute(self.set_out()?).await;
        self.come_back(answer).map(drop)
    }

    /// Asks for a sign of life.
    pub(crate) async fn ping(&mut self) -> Result<()> {
        let answer = self.set_out()?.ping().await;
        self.come_back(answer)
    }

    /// Has the database check a statement without running it.
    #[cfg(test)]
    pub(crate) async fn prepare(&mut self, text: SqlStr) -> Result<()> {
        let answer = self.set_out()?.prepare(text).await.map(drop);
        self.come_back(answer)
    }

    /// Makes the transaction last.
    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.phase == Phase::None || (self.phase == Phase::Ready && self.waiting.is_empty()) {
            return Ok(());
        }
        self.execute(COMMIT.into_sql_str(), Vec::new()).await?;
        self.phase = Phase::Done;
        Ok(())
    }

    /// One statement with what has to go before it.
    fn compose(&mut self, text: SqlStr, args: Vec<Arg<'_>>) -> Result<Query<'static, Sqlite, SqliteArguments>> {
        if self.phase == Phase::Broken {
            return Err(Error::Protocol("the transaction has failed before".into()).into());
        }
        let begins = self.phase == Phase::Ready;
        if begins {
            self.phase = Phase::Open;
        }
        if !begins && self.waiting.is_empty() {
            let mut arguments = SqliteArguments::default();
            add_sqlite(&mut arguments, args)?;
            return Ok(sqlx::query_with(text, arguments));
        }
        let mut whole = String::with_capacity(BEGIN.len() + self.waiting.len() + text.as_str().len() + 16);
        if begins {
            whole.push_str(BEGIN);
        }
        whole.push_str(&self.waiting);
        self.waiting.clear();
        push_renumbered(&mut whole, text.as_str(), self.arguments.len());
        let mut arguments = std::mem::take(&mut self.arguments);
        add_sqlite(&mut arguments, args)?;
        // Put together from this crate's literals only; values are always bound.
        Ok(sqlx::query_with(AssertSqlSafe(whole).into_sql_str(), arguments))
    }

    /// The connection, for a trip to the database. Whoever does not wait for its end leaves it in doubt.
    fn set_out(&mut self) -> Result<&mut SqliteConnection> {
        let lent = self.lent.as_mut().ok_or(Error::WorkerCrashed)?;
        lent.set_doubtful(true);
        Ok(lent.get()?)
    }

    /// What the trip means for the connection and for the transaction.
    fn come_back<T>(&mut self, answer: Result<T, Error>) -> Result<T> {
        if let Some(lent) = &mut self.lent {
            lent.set_doubtful(!matches!(answer, Ok(_) | Err(Error::Database(_))));
        }
        if let Err(error) = &answer
            && self.phase == Phase::Open
            && (self.gathers || !breaks_a_rule(error))
        {
            self.phase = Phase::Broken;
        }
        Ok(answer?)
    }
}

/// Whether only the statement failed, by a rule of the schema. After other errors SQLite may have undone the
/// transaction or never begun it, and what came next would last by itself.
fn breaks_a_rule(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    // The low byte of an extended code is the plain one: 19 is SQLITE_CONSTRAINT.
    code.is_some_and(|code| code & 0xff == 19)
}

async fn rows(
    connection: &mut SqliteConnection,
    query: Query<'static, Sqlite, SqliteArguments>,
) -> Result<Vec<SqliteRow>, Error> {
    let mut rows = Vec::new();
    let mut answers = connection.fetch_many(query);
    while let Some(answer) = answers.try_next().await? {
        if let Either::Right(row) = answer {
            rows.push(row);
        }
    }
    Ok(rows)
}

async fn changes(
    connection: &mut SqliteConnection,
    query: Query<'static, Sqlite, SqliteArguments>,
) -> Result<u64, Error> {
    let mut changed = 0;
    let mut answers = connection.fetch_many(query);
    while let Some(answer) = answers.try_next().await? {
        // Of statements that travel together the last one is meant.
        if let Either::Left(done) = answer {
            changed = done.rows_affected();
        }
    }
    Ok(changed)
}

impl Drop for SqliteLink {
    fn drop(&mut self) {
        if !matches!(self.phase, Phase::Open | Phase::Broken) {
            return;
        }
        let Some(mut lent) = self.lent.take() else { return };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                let undone = match lent.get() {
                    Ok(connection) => sqlx::raw_sql("ROLLBACK").execute(connection).await.is_ok(),
                    Err(_) => false,
                };
                // There may be nothing to undo; but what is not known to be clean is not used again.
                if !undone {
                    lent.discard();
                }
            })),
            Err(_) => lent.discard(),
        }
    }
}

/// Appends a statement whose binds count on from `offset`.
fn push_renumbered(out: &mut String, text: &str, offset: usize) {
    if offset == 0 {
        out.push_str(text);
        return;
    }
    let mut pieces = text.split('$');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        match number.parse::<usize>() {
            // Writing to a string cannot fail.
            Ok(number) => drop(write!(out, "${}", number + offset)),
            Err(_) => out.push('$'),
        }
        out.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_of_a_later_statement_count_on() {
        let mut out = String::new();
        push_renumbered(&mut out, "insert into t values ($1, $12, $2)", 0);
        out.push(';');
        push_renumbered(&mut out, "select $1, $10 from t where a = '$' and b = $2", 12);
        assert_eq!(out, "insert into t values ($1, $12, $2);select $13, $22 from t where a = '$' and b = $14");
    }
}
