//! Opening pools of connections as a URL says.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    str::FromStr,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, PgPool, Postgres,
    pool::PoolOptions,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{Result, StoreConfig, StoreError, checkpoint::Checkpointer, store::Pools};

/// Statements kept prepared per connection; well above what the crate has.
const STATEMENTS: usize = 512;
/// Pages that a SQLite log may have before the writer itself copies what is left of them into the file, 188 MiB. Every writer
/// waits for the disk then, some 60 ms however little is left, so it should come seldom: the busiest fill it in two seconds.
const LOG_PAGES: &str = "48000";
/// What is left of a SQLite log on the disk once it begins anew, 256 MiB: one huge transaction, as an import is, need not
/// take its place for good.
const LOG_BYTES: &str = "268435456";
/// KiB of pages that the writer keeps, negative as SQLite wants it.
const WRITER_CACHE: &str = "-8000";
/// Between two tries of opening a SQLite file that another server holds for a moment.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// A pooled connection that rested longer is asked for a sign of life before it is used.
const IDLE_BEFORE_PING: Duration = Duration::from_secs(2);

/// Opens the pools for a URL; a database in memory comes with its temporary directory.
pub(crate) async fn pools(config: &StoreConfig) -> Result<(Pools, Option<TempDir>)> {
    let Some((scheme, rest)) = config.url.split_once(':') else {
        return Err(StoreError::Config("the URL has no scheme".into()));
    };
    // SQLAlchemy names its driver after a plus sign.
    match scheme.split('+').next().unwrap_or_default() {
        "sqlite" if matches!(rest.trim_start_matches('/'), ":memory:" | "") => {
            let directory = tempfile::Builder::new().prefix("mneme-").tempdir()?;
            let pools =
                sqlite(SqliteConnectOptions::new().filename(directory.path().join("memory.db")), config).await?;
            Ok((pools, Some(directory)))
        }
        "sqlite" => Ok((sqlite(SqliteConnectOptions::from_str(&format!("sqlite:{rest}"))?, config).await?, None)),
        "postgres" | "postgresql" => Ok((postgres(&postgres_url(rest)?, config).await?, None)),
        other => Err(StoreError::Config(format!("unknown database {other:?}; use sqlite:// or postgres://"))),
    }
}

/// The file of a SQLite database.
pub(crate) fn sqlite_file(url: &str) -> Result<Option<PathBuf>> {
    match url.split_once(':') {
        Some((scheme, rest)) if scheme.split('+').next() == Some("sqlite") => {
            let options = SqliteConnectOptions::from_str(&format!("sqlite:{rest}"))?;
            Ok(Some(options.get_filename().to_owned()))
        }
        _ => Ok(None),
    }
}

/// The URL in the form that the driver reads: other drivers call `sslmode` just `ssl`.
fn postgres_url(rest: &str) -> Result<String> {
    let url = format!("postgres:{rest}");
    let mut url = url::Url::parse(&url).map_err(|error| StoreError::Config(error.to_string()))?;
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(|(key, value)| {
            match (key.as_str(), value.as_str()) {
                ("ssl", "true") => ("sslmode".to_owned(), "require".to_owned()),
                ("ssl", "false") => ("sslmode".to_owned(), "disable".to_owned()),
                ("ssl", _) => ("sslmode".to_owned(), value),
                _ => (key, value),
            }
        }));
    }
    Ok(url.into())
}

/// Makes the file, readable to nobody else; SQLite gives its log the same rights.
fn create_private(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn sqlite(options: SqliteConnectOptions, config: &StoreConfig) -> Result<Pools> {
    create_private(options.get_filename())?;
    let options = options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(config.acquire_timeout)
        .statement_cache_capacity(STATEMENTS)
        .pragma("wal_autocheckpoint", LOG_PAGES)
        .pragma("journal_size_limit", LOG_BYTES)
        .pragma("temp_store", "memory");
    let pool = || {
        PoolOptions::new()
            .acquire_timeout(config.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            // A file does not hang up.
            .test_before_acquire(false)
    };
    let deadline = Instant::now() + config.acquire_timeout;
    let connect = async |most: u32, options: SqliteConnectOptions| loop {
        match pool().max_connections(most).connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && Instant::now() < deadline => sleep(BUSY_PAUSE).await,
            result => return result,
        }
    };
    let writer = connect(1, options.clone().pragma("cache_size", WRITER_CACHE)).await?;
    let checkpointer = Checkpointer::start(options.connect().await?);
    let readers = connect(config.max_connections.max(1), options.pragma("query_only", "on")).await?;
    Ok(Pools::Sqlite { writer, readers, checkpointer })
}

/// Whether somebody else holds the file. Turning a new file's log on fails at once, without SQLite's own waiting,
/// when two servers start together; so does reading it in the moment when the last other server leaves.
fn is_busy(error: &sqlx::Error) -> bool {
    // The low byte of an extended code is the plain one: 5 is SQLITE_BUSY, 6 is SQLITE_LOCKED.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

async fn postgres(url: &str, config: &StoreConfig) -> Result<Pools> {
    let options = PgConnectOptions::from_str(url)?.application_name("mneme").statement_cache_capacity(STATEMENTS);
    let milliseconds = config.statement_timeout.as_millis().to_string();
    // A server that stands still in the middle of a transaction (stopped, or its machine gone to sleep) must not hold others up
    // until their own statements run out of time: half as long, and PostgreSQL ends its session.
    let idle = (config.statement_timeout / 2).as_millis().to_string();
    let pool: PgPool = PoolOptions::<Postgres>::new()
        .max_connections(config.max_connections.max(1))
        .acquire_timeout(config.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, rest| {
            Box::pin(async move {
                if rest.idle_for > IDLE_BEFORE_PING {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let (milliseconds, idle) = (milliseconds.clone(), idle.clone());
            Box::pin(async move {
                // Our statements are short: compiling them costs more than it saves. The last two are pgvector's: how
                // far it looks around, and that it goes on when what it found does not pass the tests.
                let settings = "select set_config('statement_timeout', $1, false), set_config('jit', 'off', false),
                    set_config('idle_in_transaction_session_timeout', $2, false),
                    set_config('hnsw.ef_search', '200', false), set_config('hnsw.iterative_scan', 'relaxed_order', false)";
                sqlx::query(settings).bind(milliseconds).bind(idle).execute(connection).await.map(drop)
            })
        })
        .connect_with(options)
        .await?;
    Ok(Pools::Postgres(pool))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_other_drivers_are_understood() {
        assert_eq!(postgres_url("//u:p%40@h:5/d").unwrap(), "postgres://u:p%40@h:5/d");
        assert_eq!(
            postgres_url("//h/d?ssl=require&application_name=x").unwrap(),
            "postgres://h/d?sslmode=require&application_name=x"
        );
        assert_eq!(postgres_url("//h/d?ssl=false").unwrap(), "postgres://h/d?sslmode=disable");
    }
}
