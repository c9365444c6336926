//! One connection: the only place where statements meet a database.

use std::{
    collections::HashMap,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use mneme_domain::Env;
use parking_lot::Mutex;
use sqlx::{
    AssertSqlSafe, Connection, FromRow, PgConnection, Postgres, SqlSafeStr, SqlStr, Transaction, pool::PoolConnection,
    postgres::PgRow, sqlite::SqliteRow,
};
use tokio::time::timeout;

use crate::{
    Engine, Result, StoreError,
    link::SqliteLink,
    passages::Crowded,
    query::Query,
    secrets::Secrets,
    sql::{Arg, Sql, args, postgres_arguments, statements},
    tools::ToolCache,
    vectors::{Ledger, Shelves},
};

statements! {
    NO_TIMEOUT: "select set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)",
        sqlite: "select 1";
    TIMEOUT: "select current_setting('statement_timeout')", sqlite: "select ''";
    SET_TIMEOUT: "select set_config('statement_timeout', $1, false)", sqlite: "select $1";
}

/// A row that can be read from either database.
pub(crate) trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

/// How often words occur.
type Counts = Arc<HashMap<String, i64>>;

/// What functions need beside the database.
pub(crate) struct Context {
    /// How long an answer of PostgreSQL is waited for. It ends its statements sooner by itself, unless it hangs or the
    /// network does.
    pub(crate) patience: Duration,
    pub(crate) secrets: Secrets,
    pub(crate) env: Env,
    pub(crate) tools: ToolCache,
    /// How much memory the vectors of one space may take, in bytes.
    pub(crate) space_memory_bytes: usize,
    /// Vectors in memory.
    pub(crate) shelves: Shelves,
    /// Vectors that came and are not in any index yet.
    pub(crate) ledger: Ledger,
    /// Words that PostgreSQL takes for common, with the passages that have them, and when it was asked.
    pub(crate) frequent: Mutex<Option<(Instant, Counts)>>,
    /// Archives and folders that were found to have very many passages.
    pub(crate) crowded: Crowded,
}

/// A connection to PostgreSQL taken from the pool, or a transaction on one.
pub(crate) enum Link {
    Read(PoolConnection<Postgres>),
    Write(Transaction<'static, Postgres>),
}

impl Link {
    fn get(&mut self) -> &mut PgConnection {
        match self {
            Self::Read(connection) => connection,
            Self::Write(transaction) => transaction,
        }
    }
}

pub(crate) enum Inner {
    Sqlite(SqliteLink),
    Postgres(Link),
}

/// What a database answered.
enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
}

/// A connection to read with, or a transaction to write in.
pub struct Conn {
    inner: Inner,
    context: Arc<Context>,
    /// How long PostgreSQL may take for one answer.
    patience: Duration,
}

/// What came of a statement, or that nothing came in time.
pub(crate) async fn in_time<T>(patience: Duration, work: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    match timeout(patience, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(StoreError::Unavailable("PostgreSQL does not answer".into())),
    }
}

impl Conn {
    pub(crate) fn new(inner: Inner, context: Arc<Context>) -> Self {
        let patience = context.patience;
        Self { inner, context, patience }
    }

    /// Lets the statements of this transaction take as long as they need.
    pub(crate) async fn unhurried(&mut self) -> Result<()> {
        self.run(&NO_TIMEOUT, args![]).await?;
        self.patience = Duration::MAX;
        Ok(())
    }

    /// Makes the changes of a transaction last; on a reading connection there is nothing to do.
    pub fn commit(self) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            match self.inner {
                Inner::Sqlite(link) => link.commit().await?,
                Inner::Postgres(Link::Write(transaction)) => in_time(self.patience, transaction.commit()).await?,
                Inner::Postgres(Link::Read(_)) => {}
            }
            Ok(())
        })
    }

    /// Lets statements that only change something wait for the next one with an answer, or for the commit, where they
    /// travel together. An error of theirs may then come from a later call, and any error ends the transaction: it
    /// can only be dropped.
    ///
    /// PostgreSQL runs everything at once all the same.
    pub fn gather(&mut self) {
        if let Inner::Sqlite(link) = &mut self.inner {
            link.gather();
        }
    }

    /// Whether this is a connection to read with and no transaction.
    pub(crate) fn reads(&self) -> bool {
        match &self.inner {
            Inner::Sqlite(link) => link.reads(),
            Inner::Postgres(link) => matches!(link, Link::Read(_)),
        }
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

    /// Runs a statement of which only the effect counts, at once or [together with a later one](Self::gather).
    pub(crate) async fn effect(&mut self, sql: &'static Sql, args: Vec<Arg<'_>>) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(link) if link.gathers() => link.later(sql.text(Engine::Sqlite), args),
            _ => self.run(sql, args).await.map(drop),
        }
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

    /// Runs a query of which only the effect counts, at once or [together with a later one](Self::gather).
    pub(crate) async fn query_effect(&mut self, query: Query<'_>) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(link) if link.gathers() => {
                let (text, args) = query.into_parts();
                link.later(&text, args)
            }
            _ => self.query_run(query).await.map(drop),
        }
    }

    /// Runs a script of several statements without binds.
    pub(crate) async fn script(&mut self, text: &'static str) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(link) => link.script(text).await,
            Inner::Postgres(link) => in_time(self.patience, sqlx::raw_sql(text).execute(link.get())).await.map(drop),
        }
    }

    /// Runs statements one by one outside of a transaction, each as long as it takes.
    pub(crate) async fn chores(mut self, statements: &[&'static str]) -> Result<()> {
        let (usual,): (String,) = self.one(&TIMEOUT, args![]).await?.unwrap_or_default();
        let patience = std::mem::replace(&mut self.patience, Duration::MAX);
        self.run(&SET_TIMEOUT, args!["0"]).await?;
        let mut done = Ok(());
        for statement in statements {
            done = done.and(self.script(statement).await);
        }
        self.patience = patience;
        done.and(self.run(&SET_TIMEOUT, args![usual]).await.map(drop))
    }

    /// Has the database check a statement without running it.
    #[cfg(test)]
    pub(crate) async fn prepare(&mut self, sql: &'static Sql) -> Result<()> {
        use sqlx::Executor;
        let text = sql.text(self.engine()).into_sql_str();
        match &mut self.inner {
            Inner::Sqlite(link) => link.prepare(text).await,
            Inner::Postgres(link) => Ok(link.get().prepare(text).await.map(drop)?),
        }
    }

    /// Asks the database for a sign of life.
    pub(crate) async fn ping(&mut self) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(link) => link.ping().await,
            Inner::Postgres(link) => in_time(self.patience, link.get().ping()).await,
        }
    }

    async fn fetch<R: Row>(&mut self, text: SqlStr, args: Vec<Arg<'_>>) -> Result<Vec<R>> {
        match self.rows(text, args).await? {
            Rows::Sqlite(rows) => Ok(rows.iter().map(R::from_row).collect::<Result<_, _>>()?),
            Rows::Postgres(rows) => Ok(rows.iter().map(R::from_row).collect::<Result<_, _>>()?),
        }
    }

    async fn fetch_one<R: Row>(&mut self, text: SqlStr, args: Vec<Arg<'_>>) -> Result<Option<R>> {
        match self.row(text, args).await? {
            Rows::Sqlite(row) => Ok(row.first().map(R::from_row).transpose()?),
            Rows::Postgres(row) => Ok(row.first().map(R::from_row).transpose()?),
        }
    }

    // The driver's futures are deep, and a future is compiled wherever it is awaited, for each type of row anew. Boxed, they
    // are compiled once, here.

    fn rows<'a>(&'a mut self, text: SqlStr, args: Vec<Arg<'a>>) -> BoxFuture<'a, Result<Rows>> {
        Box::pin(async move {
            match &mut self.inner {
                Inner::Sqlite(link) => link.rows(text, args).await.map(Rows::Sqlite),
                Inner::Postgres(link) => {
                    let query = sqlx::query_with::<Postgres, _>(text, postgres_arguments(args)?);
                    in_time(self.patience, query.fetch_all(link.get())).await.map(Rows::Postgres)
                }
            }
        })
    }

    fn row<'a>(&'a mut self, text: SqlStr, args: Vec<Arg<'a>>) -> BoxFuture<'a, Result<Rows>> {
        Box::pin(async move {
            match &mut self.inner {
                Inner::Sqlite(link) => Ok(Rows::Sqlite(link.row(text, args).await?.into_iter().collect())),
                Inner::Postgres(link) => {
                    let query = sqlx::query_with::<Postgres, _>(text, postgres_arguments(args)?);
                    let row = in_time(self.patience, query.fetch_optional(link.get())).await?;
                    Ok(Rows::Postgres(row.into_iter().collect()))
                }
            }
        })
    }

    fn execute<'a>(&'a mut self, text: SqlStr, args: Vec<Arg<'a>>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            match &mut self.inner {
                Inner::Sqlite(link) => link.execute(text, args).await,
                Inner::Postgres(link) => {
                    let query = sqlx::query_with::<Postgres, _>(text, postgres_arguments(args)?);
                    Ok(in_time(self.patience, query.execute(link.get())).await?.rows_affected())
                }
            }
        })
    }
}
