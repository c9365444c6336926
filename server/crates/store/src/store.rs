//! A database, and connections to it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use mneme_macros::boxed;
use parking_lot::Mutex;
use sqlx::{PgPool, SqlitePool};
use tempfile::TempDir;

use crate::{
    Conn, Result, StoreConfig, StoreError,
    checkpoint::Checkpointer,
    conn::{Context, Inner, Link, in_time},
    keys,
    lane::Lane,
    link::SqliteLink,
    migrate, open,
    passages::Crowded,
    presence,
    secrets::Secrets,
    tools::ToolCache,
    vectors::{Ledger, Shelves},
};

/// Which database is behind a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite: one file, one writer.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// The pools of a database, as they are opened.
pub(crate) enum Pools {
    Sqlite {
        /// One connection: SQLite has one writer, and waiting here is fairer than polling for its lock.
        writer: SqlitePool,
        readers: SqlitePool,
        checkpointer: Checkpointer,
    },
    Postgres(PgPool),
}

/// Where a store's connections come from.
#[derive(Clone)]
enum Source {
    Sqlite { writer: Lane, readers: Lane, checkpointer: Checkpointer },
    Postgres(PgPool),
}

impl From<Pools> for Source {
    fn from(pools: Pools) -> Self {
        match pools {
            Pools::Sqlite { writer, readers, checkpointer } => {
                Self::Sqlite { writer: Lane::new(writer), readers: Lane::new(readers), checkpointer }
            }
            Pools::Postgres(pool) => Self::Postgres(pool),
        }
    }
}

/// How much longer than PostgreSQL itself may take for a statement its answer may take.
const GRACE: Duration = Duration::from_secs(5);

/// A database. Clones share its connections.
#[derive(Clone)]
pub struct Store {
    source: Source,
    context: Arc<Context>,
    /// What servers on a SQLite file lock.
    lock_file: Option<PathBuf>,
    /// The directory of a database in "memory"; it goes with the last clone.
    _temporary: Option<Arc<TempDir>>,
}

#[boxed]
impl Store {
    /// Opens the database and makes sure that it answers. Does not migrate: see [`Store::migrate`].
    pub async fn open(config: &StoreConfig) -> Result<Self> {
        let (pools, temporary) = open::pools(config).await?;
        let context = Context {
            patience: config.statement_timeout.saturating_add(GRACE),
            secrets: Secrets::new(&config.master_key),
            env: config.env.clone(),
            tools: ToolCache::default(),
            space_memory_bytes: config.space_memory_bytes,
            shelves: Shelves::default(),
            ledger: Ledger::default(),
            frequent: Mutex::default(),
            crowded: Crowded::default(),
        };
        // Nobody else sees a database in memory.
        let file = if temporary.is_some() { None } else { open::sqlite_file(&config.url)? };
        let lock_file = file.as_deref().map(presence::beside);
        let temporary = temporary.map(Arc::new);
        Ok(Self { source: pools.into(), context: Arc::new(context), lock_file, _temporary: temporary })
    }

    /// Brings the schema up to date and makes sure that the default organisation and user exist.
    ///
    /// Several servers may do so at once: one does the work, the others wait. Fails with
    /// [`StoreError::TooNew`] when a newer server has migrated the database already, and with
    /// [`StoreError::WrongKey`] when its secrets are encrypted under another master key.
    pub async fn migrate(&self) -> Result<()> {
        let mut conn = self.write().await?;
        migrate::run(&mut conn, migrate::MIGRATIONS).await?;
        keys::check(&mut conn).await?;
        conn.commit().await
    }

    /// The schema's version; 0 of an empty database.
    pub async fn schema_version(&self) -> Result<i64> {
        migrate::version(&mut self.read().await?).await
    }

    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> Result<()> {
        self.read().await?.ping().await
    }

    /// Closes all connections once they are given back. Later calls fail with [`StoreError::Unavailable`].
    pub async fn close(&self) {
        match &self.source {
            Source::Sqlite { writer, readers, checkpointer } => {
                checkpointer.stop().await;
                readers.close().await;
                // The writer goes last, so that it writes the log back into the file.
                writer.close().await;
            }
            Source::Postgres(pool) => pool.close().await,
        }
    }

    /// What servers on a SQLite file lock.
    pub(crate) fn lock_file(&self) -> Option<PathBuf> {
        self.lock_file.clone()
    }

    /// The connections to PostgreSQL.
    pub(crate) fn postgres(&self) -> Option<PgPool> {
        match &self.source {
            Source::Sqlite { .. } => None,
            Source::Postgres(pool) => Some(pool.clone()),
        }
    }

    /// What functions need beside the database.
    pub(crate) fn context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    /// Which database it is.
    pub fn engine(&self) -> Engine {
        match self.source {
            Source::Sqlite { .. } => Engine::Sqlite,
            Source::Postgres(_) => Engine::Postgres,
        }
    }

    /// A connection to read with, outside of any transaction. On SQLite it refuses to write.
    pub fn read(&self) -> BoxFuture<'_, Result<Conn>> {
        Box::pin(async move {
            let inner = match &self.source {
                Source::Sqlite { readers, .. } => Inner::Sqlite(SqliteLink::reading(readers.lend().await?)),
                Source::Postgres(pool) => Inner::Postgres(Link::Read(pool.acquire().await?)),
            };
            Ok(Conn::new(inner, Arc::clone(&self.context)))
        })
    }

    /// A transaction: what is done lasts from [`Conn::commit`] on, and is undone when it is dropped before.
    ///
    /// On SQLite writers wait for each other here, so hold it shortly and never across a model call. After an
    /// error of the database drop it: PostgreSQL takes no more statements in it.
    pub fn write(&self) -> BoxFuture<'_, Result<Conn>> {
        Box::pin(async move {
            let inner = match &self.source {
                Source::Sqlite { writer, checkpointer, .. } => {
                    let lent = writer.lend().await?;
                    checkpointer.wrote();
                    Inner::Sqlite(SqliteLink::writing(lent))
                }
                Source::Postgres(pool) => {
                    Inner::Postgres(Link::Write(in_time(self.context.patience, pool.begin()).await?))
                }
            };
            Ok(Conn::new(inner, Arc::clone(&self.context)))
        })
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("engine", &self.engine()).finish_non_exhaustive()
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
