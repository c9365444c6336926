//! Who serves from a database. A server holds a shared lock for as long as it lives; what must not happen under a
//! running server takes the lock for itself. The system and PostgreSQL drop the locks of a process that dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use mneme_macros::boxed;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    Conn, Engine, Result, Store, StoreError,
    sql::{args, statements},
};

/// The lock's number, in the database at hand.
const SERVING: i64 = 5_120_331_894_627_104_777;
/// How often a server looks whether PostgreSQL still holds its lock: the server may have been restarted.
const LOOK: Duration = Duration::from_secs(20);

statements! {
    ALONE: "select pg_try_advisory_xact_lock($1)", sqlite: "select $1 is not null";
}

/// A server's lock; dropping it gives it back.
#[derive(Debug)]
pub struct Presence {
    _file: Option<File>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn in_use(what: &'static str) -> StoreError {
    StoreError::InUse(what)
}

const CHANGING: &str = "its master key is being changed";
const SERVED: &str = "a server is running on it; stop every server of this database first";

#[boxed]
impl Store {
    /// Says that this process serves from the database, until the answer is dropped.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while its master key is being changed.
    pub async fn announce(&self) -> Result<Presence> {
        if let Some(path) = self.lock_file() {
            let file = open(&path)?;
            return match file.try_lock_shared() {
                Ok(()) => Ok(Presence { _file: Some(file), task: None }),
                Err(TryLockError::WouldBlock) => Err(in_use(CHANGING)),
                Err(TryLockError::Error(error)) => {
                    tracing::warn!(%error, "the file system has no locks: stop this server before `mneme keys rotate`");
                    Ok(Presence { _file: None, task: None })
                }
            };
        }
        let Some(pool) = self.postgres() else { return Ok(Presence { _file: None, task: None }) };
        let mut held = hold(&pool).await?;
        let task = tokio::spawn(async move {
            loop {
                sleep(LOOK).await;
                while held.ping().await.is_err() {
                    match hold(&pool).await {
                        Ok(again) => held = again,
                        Err(error) => {
                            tracing::warn!(%error, "this server's lock on the database is lost");
                            sleep(LOOK).await;
                        }
                    }
                }
            }
        });
        Ok(Presence { _file: None, task: Some(task) })
    }

    /// Keeps servers from starting on a SQLite file until the answer is dropped.
    pub(crate) fn alone(&self) -> Result<Option<File>> {
        let Some(path) = self.lock_file() else { return Ok(None) };
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Err(in_use(SERVED)),
            Err(TryLockError::Error(error)) => {
                Err(StoreError::Unavailable(format!("{} cannot be locked: {error}", path.display())))
            }
        }
    }

    /// Keeps servers from starting on a PostgreSQL database until the transaction ends.
    pub(crate) async fn alone_in(&self, c: &mut Conn) -> Result<()> {
        let alone: Option<(bool,)> = c.one(&ALONE, args![SERVING]).await?;
        match alone == Some((true,)) || c.engine() == Engine::Sqlite {
            true => Ok(()),
            false => Err(in_use(SERVED)),
        }
    }
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(path)?)
}

/// The file beside a database's own that is locked.
pub(crate) fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-serving");
    PathBuf::from(name)
}

/// A connection of its own that holds the lock for as long as it is there.
async fn hold(pool: &PgPool) -> Result<PgConnection> {
    let mut connection = pool.acquire().await?.detach();
    let (held,): (bool,) =
        sqlx::query_as("select pg_try_advisory_lock_shared($1)").bind(SERVING).fetch_one(&mut connection).await?;
    match held {
        true => Ok(connection),
        false => Err(in_use(CHANGING)),
    }
}
