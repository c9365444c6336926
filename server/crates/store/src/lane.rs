//! SQLite connections that are lent and given back without a word to the database.
//!
//! The driver's own pool asks a connection for a sign of life whenever it comes back, in a task of its own: two
//! switches of threads for each use, and the next writer waits for them. A file does not hang up; so connections stay
//! here, and only those that were left in the middle of something go back through the pool's examination.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use sqlx::{Error, Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Connections to one file, as many as the pool may open. Clones share them.
#[derive(Clone)]
pub(crate) struct Lane(Arc<Shared>);

struct Shared {
    pool: SqlitePool,
    /// The one given back last is lent first: its caches are warm.
    idle: Mutex<Vec<PoolConnection<Sqlite>>>,
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Lane {
    pub(crate) fn new(pool: SqlitePool) -> Self {
        let options = pool.options();
        let most = usize::try_from(options.get_max_connections()).unwrap_or(Semaphore::MAX_PERMITS);
        let patience = options.get_acquire_timeout();
        let places = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self(Arc::new(Shared { pool, idle: Mutex::new(Vec::new()), places, patience }))
    }

    /// Lends a connection; callers are served in the order in which they came.
    ///
    /// # Errors
    /// [`Error::PoolTimedOut`] when none came free in time, [`Error::PoolClosed`] after [`Lane::close`].
    pub(crate) async fn lend(&self) -> Result<Lent, Error> {
        let place = timeout(self.0.patience, Arc::clone(&self.0.places).acquire_owned());
        let place = place.await.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?;
        let idle = self.0.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.0.pool.acquire().await?,
        };
        Ok(Lent { connection: Some(connection), doubtful: false, lane: self.clone(), _place: place })
    }

    /// Closes all connections once they are given back.
    pub(crate) async fn close(&self) {
        self.0.places.close();
        // Under the same lock a connection that comes back sees that it has to go.
        let idle = std::mem::take(&mut *self.0.idle.lock());
        drop(idle);
        self.0.pool.close().await;
    }
}

/// A connection that goes back when it is dropped.
pub(crate) struct Lent {
    connection: Option<PoolConnection<Sqlite>>,
    doubtful: bool,
    lane: Lane,
    _place: OwnedSemaphorePermit,
}

impl Lent {
    /// Says whether the connection is in the middle of something, or worse: then the pool examines it first.
    pub(crate) fn set_doubtful(&mut self, doubtful: bool) {
        self.doubtful = doubtful;
    }

    /// The connection itself; `None` after [`Lent::discard`].
    pub(crate) fn get(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.connection.as_deref_mut().ok_or(Error::WorkerCrashed)
    }

    /// Ends the connection, and with it whatever it has begun.
    pub(crate) fn discard(&mut self) {
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let mut idle = self.lane.0.idle.lock();
        if self.doubtful || self.lane.0.places.is_closed() {
            drop(idle);
            drop(connection);
        } else {
            idle.push(connection);
        }
    }
}
