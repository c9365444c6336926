//! What goes on in the background, counted, so that a server that ends can wait for it.

use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// Work that is under way.
#[derive(Debug, Default)]
pub(crate) struct Tasks(TaskTracker);

impl Tasks {
    /// Begins a piece of work. It is put in a box: what tokio does for a task is compiled once for each kind of result.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let work: BoxFuture<'static, T> = Box::pin(work);
        self.0.spawn(work)
    }

    /// Nothing more is begun: [`Tasks::wait`] may end.
    pub fn close(&self) {
        self.0.close();
    }

    /// Ends when all work has ended and no more is to come.
    pub async fn wait(&self) {
        self.0.wait().await;
    }

    /// How much is under way.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
