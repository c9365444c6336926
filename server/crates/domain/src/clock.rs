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
    /// A fresh UUID that says it is of version 4.
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

/// UUIDs that begin with the time and are random otherwise.
///
/// Clients of this API check that ids are of version 4, so these say so; but random ids would scatter the rows of one
/// agent over all pages of every index. These keep what was made together together: a new agent then writes a third
/// of the pages. What follows the time are 74 random bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeOrderedIds;

impl IdSource for TimeOrderedIds {
    #[expect(clippy::disallowed_methods, reason = "the one place where identifiers are made")]
    fn uuid(&self) -> Uuid {
        time_ordered(Utc::now().timestamp_millis(), Uuid::new_v4())
    }
}

/// `random` with the low 48 bits of `millis` (since 1970) in front.
fn time_ordered(millis: i64, random: Uuid) -> Uuid {
    let mut bytes = random.into_bytes();
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    Uuid::from_bytes(bytes)
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
        Self { clock: Arc::new(SystemClock), ids: Arc::new(TimeOrderedIds) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_their_time_and_say_that_they_are_of_version_4() {
        let early = time_ordered(1_800_000_000_000, Uuid::max());
        let late = time_ordered(1_800_000_000_001, Uuid::nil());
        assert!(early < late);
        let (one, other) = (TimeOrderedIds.uuid(), TimeOrderedIds.uuid());
        assert_ne!(one, other);
        assert_eq!(one.get_version_num(), 4);
        assert_eq!(one.get_variant(), uuid::Variant::RFC4122);
    }
}
