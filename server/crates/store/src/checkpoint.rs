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

use sqlx::SqliteConnection;
use tokio::{sync::Notify, task::JoinHandle, time::sleep};

/// Transactions between two copies: some tens of pages each.
const TRANSACTIONS: u32 = 256;
/// The least time between two copies; each waits for the disk twice, and what is written again in between is copied once.
const PAUSE: Duration = Duration::from_millis(500);

/// The task that copies. It ends with the last clone.
#[derive(Clone)]
pub(crate) struct Checkpointer(Arc<Shared>);

struct Shared {
    transactions: AtomicU32,
    due: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Checkpointer {
    pub(crate) fn start(connection: SqliteConnection) -> Self {
        let due = Arc::new(Notify::new());
        let task = tokio::spawn(copy_when_due(connection, Arc::clone(&due)));
        Self(Arc::new(Shared { transactions: AtomicU32::new(0), due, task }))
    }

    /// Counts a transaction.
    pub(crate) fn wrote(&self) {
        if self.0.transactions.fetch_add(1, Ordering::Relaxed) % TRANSACTIONS == TRANSACTIONS - 1 {
            self.0.due.notify_one();
        }
    }

    /// Ends the task and gives its connection up.
    pub(crate) fn stop(&self) {
        self.0.task.abort();
    }
}

async fn copy_when_due(mut connection: SqliteConnection, due: Arc<Notify>) {
    loop {
        due.notified().await;
        // A passive copy waits for nobody: what somebody still reads or writes is left for the next one.
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut connection).await {
            tracing::warn!(%error, "the database's log could not be copied into its file; the next writer does it");
        }
        sleep(PAUSE).await;
    }
}
