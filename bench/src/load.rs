//! A closed-loop load generator: each worker sends its next request when the last one is answered.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures::future::try_join_all;

use crate::failure::Result;

/// When a run ends: whichever comes first.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// No operation begins after this.
    pub time: Duration,
    /// This many operations over all workers.
    pub count: u64,
}

/// One simulated client.
pub trait Worker {
    /// Does one operation and returns how long it took.
    async fn once(&mut self) -> Result<Duration>;
}

/// What a run measured.
#[derive(Debug, Default)]
pub struct Sample {
    /// How long each operation took, shortest first.
    latencies: Vec<Duration>,
    /// From the first operation's start to the last one's end.
    pub elapsed: Duration,
}

/// Lets all workers work until the limit; the first failure ends the run.
pub async fn run<W: Worker>(workers: &mut [W], limit: Limit) -> Result<Sample> {
    let begun = Instant::now();
    let left = Cell::new(limit.count);
    let left = &left;
    let all = workers.iter_mut().map(|worker| async move {
        let mut latencies = Vec::new();
        while left.get() > 0 && begun.elapsed() < limit.time {
            left.set(left.get() - 1);
            latencies.push(worker.once().await?);
        }
        Ok(latencies)
    });
    let latencies = try_join_all(all).await?.concat();
    Ok(Sample::new(latencies, begun.elapsed()))
}

impl Sample {
    /// A sample of latencies in any order.
    pub fn new(mut latencies: Vec<Duration>, elapsed: Duration) -> Self {
        latencies.sort_unstable();
        Self { latencies, elapsed }
    }

    /// Operations.
    pub fn count(&self) -> usize {
        self.latencies.len()
    }

    /// Operations a second.
    pub fn rate(&self) -> f64 {
        self.count() as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency in milliseconds that this share (0 to 1) of the operations did not exceed: the nearest rank.
    pub fn percentile(&self, share: f64) -> f64 {
        let rank = (share * self.count() as f64).ceil() as usize;
        self.latencies.get(rank.max(1) - 1).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    struct Sleeper {
        done: u64,
        breaks_after: u64,
    }

    impl Worker for Sleeper {
        async fn once(&mut self) -> Result<Duration> {
            if self.done == self.breaks_after {
                return Err(Failure::Broken("worn out".into()));
            }
            self.done += 1;
            tokio::task::yield_now().await;
            Ok(Duration::from_millis(self.done))
        }
    }

    fn sleepers(breaks_after: u64) -> Vec<Sleeper> {
        (0..4).map(|_| Sleeper { done: 0, breaks_after }).collect()
    }

    #[tokio::test]
    async fn the_count_bounds_all_workers_together() {
        let limit = Limit { time: Duration::from_secs(60), count: 42 };
        let mut workers = sleepers(u64::MAX);
        let sample = run(&mut workers, limit).await.expect("nothing breaks");
        assert_eq!(sample.count(), 42);
        assert_eq!(workers.iter().map(|worker| worker.done).sum::<u64>(), 42);
        assert!(workers.iter().all(|worker| worker.done >= 10));
    }

    #[tokio::test]
    async fn time_ends_a_run_and_a_failure_too() {
        let limit = Limit { time: Duration::from_millis(20), count: u64::MAX };
        let sample = run(&mut sleepers(u64::MAX), limit).await.expect("nothing breaks");
        assert!(sample.elapsed >= limit.time && sample.elapsed < Duration::from_secs(10));
        let failure = run(&mut sleepers(3), limit).await.expect_err("it breaks");
        assert_eq!(failure, Failure::Broken("worn out".into()));
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let milliseconds = (1..=200).rev().map(Duration::from_millis).collect();
        let sample = Sample::new(milliseconds, Duration::from_secs(2));
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| sample.percentile(share)), [1.0, 100.0, 198.0, 200.0]);
        assert_eq!(sample.rate(), 100.0);
        assert_eq!(Sample::default().percentile(0.5), 0.0);
    }
}
