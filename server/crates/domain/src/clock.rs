//! Time and randomness as injected services, so that tests decide both.

use std::sync::Arc;

use chrono::{DurationRound, TimeDelta, Utc};
use uuid::Uuid;

use crate::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, rounded to microseconds: the precision that both databases keep.
    fn now(&self) -> Timestamp;
}

/// Makes fresh UUIDs.
pub trait IdSource: Send + Sync {
    /// A fresh version 4 UUID.
    fn uuid(&self) -> Uuid;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the time is read")]
    fn now(&self) -> Timestamp {
        truncate(Utc::now())
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "the one place where identifiers are made")]
    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// Cuts a time to whole microseconds.
pub fn truncate(time: Timestamp) -> Timestamp {
    time.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(time)
}

/// Microseconds since 1970, as the databases store times.
pub fn to_micros(time: Timestamp) -> i64 {
    time.timestamp_micros()
}

/// The time of a stored number of microseconds since 1970; out-of-range numbers become 1970.
pub fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap_or_default()
}

/// The services that every layer shares.
#[derive(Clone)]
pub struct Env {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers.
    pub ids: Arc<dyn IdSource>,
}

impl Env {
    /// The real clock and real randomness.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(RandomIds) }
    }

    /// Now, in whole microseconds.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh UUID.
    pub fn uuid(&self) -> Uuid {
        self.ids.uuid()
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}
