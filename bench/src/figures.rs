//! What one measure found.

use serde::Serialize;

use crate::load::Sample;

/// The figures of one measure; which of them there are depends on the measure.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Operations.
    pub count: usize,
    /// How long they took together, in seconds.
    pub seconds: f64,
    /// Operations a second.
    pub rate: Option<f64>,
    /// Milliseconds that half of the operations did not exceed.
    pub p50_ms: Option<f64>,
    /// Milliseconds that 99 of 100 operations did not exceed.
    pub p99_ms: Option<f64>,
    /// The slowest operation in milliseconds.
    pub max_ms: Option<f64>,
    /// Processor time that the server used for an operation, in milliseconds.
    pub server_cpu_ms: Option<f64>,
    /// Processor time that the bench itself, client and model, used for an operation, in milliseconds.
    pub bench_cpu_ms: Option<f64>,
    /// Resident memory in MiB.
    pub mebibytes: Option<f64>,
    /// How much resident memory grew, in MiB.
    pub growth_mebibytes: Option<f64>,
    /// How many times as much the dearest case costs as the cheapest.
    pub times: Option<f64>,
    /// How much of what should be found is found, 0 to 1.
    pub recall: Option<f64>,
    /// What else there is to say.
    pub note: Option<String>,
}

impl Figures {
    /// The figures of operations that were counted over a time.
    pub fn of_load(sample: &Sample) -> Self {
        Self { rate: Some(sample.rate()), ..Self::of_latencies(sample) }
    }

    /// The figures of single durations, whose rate means nothing.
    pub fn of_latencies(sample: &Sample) -> Self {
        Self {
            count: sample.count(),
            seconds: sample.elapsed.as_secs_f64(),
            p50_ms: Some(sample.percentile(0.5)),
            p99_ms: Some(sample.percentile(0.99)),
            max_ms: Some(sample.percentile(1.0)),
            ..Self::default()
        }
    }
}
