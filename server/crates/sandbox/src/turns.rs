//! Who computes: guests that write to much of their memory take turns.
//!
//! A page that a guest writes to for the first time is copied, and the other cores on which this process runs are interrupted to
//! forget what they knew of it; giving the memory back does the same. Two guests of a language runtime, which write to some 500
//! pages each in a few milliseconds, keep interrupting each other: on two virtual cores they get less done together
//! (130 calls a second) than one after the other (210 on a single core).

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::ready,
};

use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;

/// So many compute at the same time.
pub struct Turns(Arc<Semaphore>);

impl Turns {
    /// One guest for every two cores.
    pub fn for_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((cores / 2).max(1))))
    }

    /// Runs guest code, which has a turn only while it computes: not while it waits for the host, and for one tick at most before
    /// the next one in the row gets its turn.
    pub async fn take<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let mut turns = PollSemaphore::new(Arc::clone(&self.0));
        poll_fn(move |context| {
            let _turn = ready!(turns.poll_acquire(context));
            work.as_mut().poll(context)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_computes_while_others_wait_for_the_host() {
        let turns = Arc::new(Turns(Arc::new(Semaphore::new(1))));
        let (computing, waiting) = (Arc::new(AtomicUsize::new(0)), Arc::new(tokio::sync::Barrier::new(8)));
        let call = |_| {
            let (turns, computing, waiting) = (Arc::clone(&turns), Arc::clone(&computing), Arc::clone(&waiting));
            tokio::spawn(async move {
                turns
                    .take(async {
                        for _ in 0..50 {
                            assert_eq!(computing.fetch_add(1, Ordering::SeqCst), 0, "two compute at once");
                            std::thread::yield_now();
                            computing.fetch_sub(1, Ordering::SeqCst);
                            tokio::task::yield_now().await;
                        }
                        // All eight get here only if nobody keeps its turn while it waits.
                        waiting.wait().await;
                    })
                    .await;
            })
        };
        for call in (0..8).map(call).collect::<Vec<_>>() {
            call.await.expect("a call");
        }
    }
}
