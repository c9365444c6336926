//! One connection: the only place where statements meet a database.

use std::sync::Arc;

use mneme_domain::Env;
use sqlx::{
    AssertSqlSafe, Connection, Database, FromRow, Postgres, SqlSafeStr, SqlStr, Sqlite, Transaction,
    pool::PoolConnection, postgres::PgRow, sqlite::SqliteRow,
};

use crate::{
    Engine, Result,
    query::Query,
    secrets::Secrets,
    sql::{Arg, Sql, postgres_arguments, sqlite_arguments},
};

/// A row that can be read from either database.
pub(crate) trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

/// What functions need beside the database.
pub(crate) struct Context {
    pub(crate) secrets: Secrets,
    pub(crate) env: Env,
}

/// A connection taken from a pool, or a transaction on one.
pub(crate) enum Link<DB: Database> {
    Read(PoolConnection<DB>),
    Write(Transaction<'static, DB>),
}

impl<DB: Database> Link<DB> {
    fn get(&mut self) -> &mut DB::Connection {
        match self {
            Self::Read(connection) => connection,
            Self::Write(transaction) => transaction,
        }
    }
}

pub(crate) enum Inner {
    Sqlite(Link<Sqlite>),
    Postgres(Link<Postgres>),
}

/// A connection to read with, or a transaction to write in.
pub struct Conn {
    inner: Inner,
    context: Arc<Context>,
}

/// Runs one expression on whichever connection there is, with `$args` in its own form.
macro_rules! on_either {
    ($self:ident, $args:ident, |$link:ident, $db:ident| $run:expr) => {
        match &mut $self.inner {
            Inner::Sqlite($link) => {
                type $db = Sqlite;
                let $args = sqlite_arguments($args)?;
                $run
            }
            Inner::Postgres($link) => {
                type $db = Postgres;
                let $args = postgres_arguments($args)?;
                $run
            }
        }
    };
}

impl Conn {
    pub(crate) fn new(inner: Inner, context: Arc<Context>) -> Self {
        Self { inner, context }
    }

    /// Makes the changes of a transaction last; on a reading connection there is nothing to do.
    pub async fn commit(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(Link::Write(transaction)) => transaction.commit().await?,
            Inner::Postgres(Link::Write(transaction)) => transaction.commit().await?,
            Inner::Sqlite(Link::Read(_)) | Inner::Postgres(Link::Read(_)) => {}
        }
        Ok(())
    }

    /// Which database it is.
    pub fn engine(&self) -> Engine {
        match self.inner {
            Inner::Sqlite(_) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    pub(crate) fn context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    /// A query whose text depends on what is asked for.
    pub(crate) fn query<'a>(&self, start: &'static str) -> Query<'a> {
        Query::new(self.engine(), start)
    }

    /// Every row of a statement.
    pub(crate) async fn all<R: Row>(&mut self, sql: &'static Sql, args: Vec<Arg<'_>>) -> Result<Vec<R>> {
        let text = sql.text(self.engine()).into_sql_str();
        self.fetch(text, args).await
    }

    /// The row of a statement that gives one at most.
    pub(crate) async fn one<R: Row>(&mut self, sql: &'static Sql, args: Vec<Arg<'_>>) -> Result<Option<R>> {
        let text = sql.text(self.engine()).into_sql_str();
        self.fetch_one(text, args).await
    }

    /// Runs a statement for its effect; returns how many rows it changed.
    pub(crate) async fn run(&mut self, sql: &'static Sql, args: Vec<Arg<'_>>) -> Result<u64> {
        let text = sql.text(self.engine()).into_sql_str();
        self.execute(text, args).await
    }

    /// Every row of a query.
    pub(crate) async fn query_all<R: Row>(&mut self, query: Query<'_>) -> Result<Vec<R>> {
        // A query's text is put together from literals only; values are always bound.
        let (text, args) = query.into_parts();
        self.fetch(AssertSqlSafe(text).into_sql_str(), args).await
    }

    /// The row of a query that gives one at most.
    pub(crate) async fn query_one<R: Row>(&mut self, query: Query<'_>) -> Result<Option<R>> {
        let (text, args) = query.into_parts();
        self.fetch_one(AssertSqlSafe(text).into_sql_str(), args).await
    }

    /// Runs a query for its effect; returns how many rows it changed.
    pub(crate) async fn query_run(&mut self, query: Query<'_>) -> Result<u64> {
        let (text, args) = query.into_parts();
        self.execute(AssertSqlSafe(text).into_sql_str(), args).await
    }

    /// Runs a script of several statements without binds.
    pub(crate) async fn script(&mut self, text: &'static str) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(link) => sqlx::raw_sql(text).execute(link.get()).await.map(drop)?,
            Inner::Postgres(link) => sqlx::raw_sql(text).execute(link.get()).await.map(drop)?,
        }
        Ok(())
    }

    /// Has the database check a statement without running it.
    #[cfg(test)]
    pub(crate) async fn prepare(&mut self, sql: &'static Sql) -> Result<()> {
        use sqlx::Executor;
        let text = sql.text(self.engine()).into_sql_str();
        match &mut self.inner {
            Inner::Sqlite(link) => link.get().prepare(text).await.map(drop)?,
            Inner::Postgres(link) => link.get().prepare(text).await.map(drop)?,
        }
        Ok(())
    }

    /// Asks the database for a sign of life.
    pub(crate) async fn ping(&mut self) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(link) => link.get().ping().await?,
            Inner::Postgres(link) => link.get().ping().await?,
        }
        Ok(())
    }

    async fn fetch<R: Row>(&mut self, text: SqlStr, args: Vec<Arg<'_>>) -> Result<Vec<R>> {
        Ok(on_either!(self, args, |link, Db| sqlx::query_as_with::<Db, R, _>(text, args).fetch_all(link.get()).await?))
    }

    async fn fetch_one<R: Row>(&mut self, text: SqlStr, args: Vec<Arg<'_>>) -> Result<Option<R>> {
        Ok(on_either!(self, args, |link, Db| sqlx::query_as_with::<Db, R, _>(text, args)
            .fetch_optional(link.get())
            .await?))
    }

    async fn execute(&mut self, text: SqlStr, args: Vec<Arg<'_>>) -> Result<u64> {
        Ok(on_either!(self, args, |link, Db| {
            sqlx::query_with::<Db, _>(text, args).execute(link.get()).await?.rows_affected()
        }))
    }
}
