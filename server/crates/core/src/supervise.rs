//! Work in the background that outlives a defect of ours: what panics fails alone, and the rest goes on.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use tokio::time::{Instant, sleep};

use crate::{CoreError, Result};

/// How long a loop rests that panicked; each time in a row twice as long.
const REST: Duration = Duration::from_secs(1);
/// The longest rest. A loop that ran for longer than this is well again.
const LONGEST: Duration = Duration::from_secs(60);

/// Does a piece of work; when it panics, that is logged and becomes its failure. Whoever calls this sees to it that what the
/// work left half done is not used any more. The work is not on the stack of its caller: it is often a whole turn.
pub(crate) fn guarded<'w, T: 'w>(
    what: &'static str,
    work: impl Future<Output = T> + Send + 'w,
) -> BoxFuture<'w, Result<T>> {
    let work = AssertUnwindSafe(work).catch_unwind();
    Box::pin(async move { work.await.map_err(|cause| panicked(what, &*cause)) })
}

/// The failure of what panicked; it is told to the log.
fn panicked(what: &'static str, cause: &(dyn Any + Send)) -> CoreError {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("of an unknown kind");
    tracing::error!(panic = text, "{what} panicked");
    CoreError::Internal(format!("{what} panicked: {text}"))
}

/// Keeps a loop going until it ends by itself: one that panics is begun again after a rest.
pub(crate) async fn kept_going<W: Future<Output = ()> + Send>(what: &'static str, begin: impl FnMut() -> W) {
    begun_again(what, REST, begin).await;
}

async fn begun_again<W: Future<Output = ()> + Send>(what: &'static str, first: Duration, mut begin: impl FnMut() -> W) {
    let mut rest = first;
    loop {
        let began = Instant::now();
        if guarded(what, begin()).await.is_ok() {
            return;
        }
        if began.elapsed() > LONGEST {
            rest = first;
        }
        tracing::warn!(?rest, "{what} is begun again after a rest");
        sleep(rest).await;
        rest = (rest * 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::panic_any,
        sync::atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn a_panic_is_the_failure_of_its_work_alone() {
        let work = async |number: u32| {
            assert_ne!(number, 2, "two is too many");
            number
        };
        let mut done = Vec::new();
        for number in 1..=3 {
            done.push(guarded("a sum", work(number)).await.map_err(|error| error.to_string()));
        }
        assert_eq!((&done[0], &done[2]), (&Ok(1), &Ok(3)));
        let told = done[1].as_ref().unwrap_err();
        assert!(told.starts_with("internal error: a sum panicked: ") && told.contains("two is too many"), "{told}");
    }

    #[tokio::test]
    async fn a_cause_without_words_is_a_failure_too() {
        async fn wordless() {
            panic_any(7_u8)
        }

        let failed = guarded("a sum", wordless()).await;
        assert_eq!(failed.unwrap_err().to_string(), "internal error: a sum panicked: of an unknown kind");
    }

    #[tokio::test]
    async fn a_loop_is_begun_again_until_it_ends_by_itself() {
        let begun = AtomicU32::new(0);
        begun_again("a loop", Duration::from_millis(1), || async {
            assert!(begun.fetch_add(1, Ordering::SeqCst) >= 3, "not yet");
        })
        .await;
        assert_eq!(begun.load(Ordering::SeqCst), 4);
    }
}
