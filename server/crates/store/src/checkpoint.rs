//! Copies SQLite's log into its file beside the writer, instead of in its way.
//!
//! By itself SQLite does so in the commit that makes the log too long, and everybody who writes waits for the disk
//! meanwhile. Here another connection has done nearly all of it by then.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use sqlx::{Connection, SqliteConnection};
use tokio::{sync::Notify, task::JoinHandle, time::sleep};

/// Transactions between two copies: some tens of pages each.
const TRANSACTIONS: u32 = 256;
/// The least time between two copies; each waits for the disk twice, and what is written again in between is copied once.
const PAUSE: Duration = Duration::from_millis(1500);

/// The task that copies. It ends with the last clone.
#[derive(Clone)]
pub(crate) struct Checkpointer(Arc<Shared>);

struct Shared {
    transactions: AtomicU32,
    signals: Arc<Signals>,
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Signals {
    due: Notify,
    stop: Notify,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.signals.stop.notify_one();
    }
}

impl Checkpointer {
    pub(crate) fn start(connection: SqliteConnection) -> Self {
        let signals = Arc::new(Signals::default());
        let task = tokio::spawn(copy_when_due(connection, Arc::clone(&signals)));
        Self(Arc::new(Shared { transactions: AtomicU32::new(0), signals, task: Mutex::new(Some(task)) }))
    }

    /// Counts a transaction.
    pub(crate) fn wrote(&self) {
        if self.0.transactions.fetch_add(1, Ordering::Relaxed) % TRANSACTIONS == TRANSACTIONS - 1 {
            self.0.signals.due.notify_one();
        }
    }

    /// Ends the task; its connection is closed when this returns, so that the last one of all writes the log back.
    pub(crate) async fn stop(&self) {
        self.0.signals.stop.notify_one();
        let task = self.0.task.lock().take();
        if let Some(task) = task {
            // It fails only if the task panicked, and then the connection is gone as well.
            let _ = task.await;
        }
    }
}

async fn copy_when_due(mut connection: SqliteConnection, signals: Arc<Signals>) {
    loop {
        tokio::select! {
            () = signals.stop.notified() => break,
            () = signals.due.notified() => {}
        }
        // A passive copy waits for nobody: what somebody still reads or writes is left for the next one.
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut connection).await {
            tracing::warn!(%error, "the database's log could not be copied into its file; the next writer does it");
        }
        tokio::select! {
            () = signals.stop.notified() => break,
            () = sleep(PAUSE) => {}
        }
    }
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a connection to the database did not close in order");
    }
}
