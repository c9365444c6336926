//! When a failed call is tried again, and how long to wait before.

use std::time::Duration;

use rand::Rng;

use crate::error::{LlmError, Phase, classify::Upstream};

/// How failed calls are repeated. Only calls that have not delivered anything yet are ever repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Tries in total, the first included; 1 switches retries off.
    pub max_attempts: u32,
    /// Wait before the second try; doubled for each further one, and jittered.
    pub base_delay: Duration,
    /// Longest wait between two tries. A `Retry-After` beyond it is cut for failures of the server, and makes a rate
    /// limit surface at once.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 3, base_delay: Duration::from_millis(500), max_delay: Duration::from_secs(20) }
    }
}

/// A failed attempt: the error and what the provider said about trying again.
#[derive(Debug)]
pub(crate) struct Failure {
    pub error: LlmError,
    /// `Retry-After` or its relatives.
    pub retry_after: Option<Duration>,
    /// The HTTP status was good and the answer broke off before it delivered anything.
    pub cut_off: bool,
    /// The status and wording, for the repair of requests.
    pub upstream: Option<Box<Upstream>>,
}

impl From<LlmError> for Failure {
    fn from(error: LlmError) -> Self {
        let retry_after = error.retry_after();
        Self { error, retry_after, cut_off: false, upstream: None }
    }
}

impl RetryPolicy {
    /// How long to wait before another try after attempt number `attempt` (from 1) failed; `None` to give up.
    pub(crate) fn delay(&self, attempt: u32, failure: &Failure) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        match &failure.error {
            LlmError::RateLimit { .. } => {
                // A client is better served by an honest 429 than by a server that waits and hammers on.
                let wait = failure.retry_after.filter(|wait| attempt == 1 && *wait <= self.max_delay)?;
                Some(wait)
            }
            LlmError::Connection { .. }
            | LlmError::Timeout { phase: Phase::Connect }
            | LlmError::Overloaded { .. }
            | LlmError::Server { .. } => Some(self.wait(attempt, failure)),
            LlmError::BadRequest { status: Some(408 | 409), .. } => Some(self.wait(attempt, failure)),
            LlmError::Malformed { .. } if failure.cut_off => Some(self.wait(attempt, failure)),
            LlmError::Timeout { .. }
            | LlmError::Malformed { .. }
            | LlmError::Authentication { .. }
            | LlmError::ContextOverflow { .. }
            | LlmError::BadRequest { .. }
            | LlmError::ContentPolicy { .. }
            | LlmError::NotFound { .. } => None,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "spreads clients apart; the bounds are what matters")]
    fn wait(&self, attempt: u32, failure: &Failure) -> Duration {
        if let Some(wait) = failure.retry_after {
            return wait.min(self.max_delay);
        }
        let ceiling = self.base_delay.saturating_mul(1 << (attempt - 1).min(16)).min(self.max_delay);
        // Between half and all of it, so that clients that failed together do not come back together.
        ceiling.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

/// Reads how long to wait from the headers: `retry-after-ms`, or `retry-after` in seconds or as a date.
pub(crate) fn retry_after(
    headers: &reqwest::header::HeaderMap,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<Duration> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(ms) = header("retry-after-ms").and_then(|v| v.trim().parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let value = header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    Some((date.with_timezone(&chrono::Utc) - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(error: LlmError, retry_after: Option<u64>) -> Failure {
        Failure { retry_after: retry_after.map(Duration::from_secs), ..error.into() }
    }

    fn server() -> LlmError {
        LlmError::Server { message: "m".into(), status: 500 }
    }

    fn limited() -> LlmError {
        LlmError::RateLimit { message: "m".into(), retry_after: None }
    }

    #[test]
    fn waits_grow_stay_jittered_and_end() {
        let policy = RetryPolicy { max_attempts: 4, ..RetryPolicy::default() };
        for (attempt, low, high) in [(1, 250, 500), (2, 500, 1000), (3, 1000, 2000)] {
            let wait = policy.delay(attempt, &failure(server(), None)).expect("another try").as_millis();
            assert!((low..=high).contains(&wait), "attempt {attempt}: {wait}");
        }
        assert_eq!(policy.delay(4, &failure(server(), None)), None);
    }

    #[test]
    fn retry_after_is_honoured_up_to_the_cap() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(1, &failure(server(), Some(3))), Some(Duration::from_secs(3)));
        assert_eq!(policy.delay(1, &failure(server(), Some(300))), Some(Duration::from_secs(20)));
    }

    #[test]
    fn a_rate_limit_is_retried_once_and_only_after_a_short_wait() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(1, &failure(limited(), Some(2))), Some(Duration::from_secs(2)));
        assert_eq!(policy.delay(2, &failure(limited(), Some(2))), None);
        assert_eq!(policy.delay(1, &failure(limited(), Some(60))), None);
        assert_eq!(policy.delay(1, &failure(limited(), None)), None);
    }

    #[test]
    fn faults_of_the_request_are_never_retried() {
        let message = || "m".to_owned();
        for error in [
            LlmError::BadRequest { message: message(), status: Some(400) },
            LlmError::Authentication { message: message(), status: Some(401) },
            LlmError::Authentication { message: message(), status: Some(403) },
            LlmError::NotFound { message: message(), model: "m".into(), status: Some(404) },
            LlmError::ContextOverflow { message: message(), status: Some(400) },
            LlmError::ContentPolicy { message: message(), status: Some(400) },
            LlmError::malformed("m"),
            LlmError::Timeout { phase: Phase::FirstByte },
        ] {
            assert_eq!(RetryPolicy::default().delay(1, &failure(error.clone(), None)), None, "{error:?}");
        }
        for status in [408, 409] {
            let error = LlmError::BadRequest { message: message(), status: Some(status) };
            assert!(RetryPolicy::default().delay(1, &failure(error, None)).is_some(), "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_in_all_three_notations() {
        let now = chrono::DateTime::parse_from_rfc3339("2025-03-01T10:00:00Z").expect("date").to_utc();
        for (name, value, expected) in [
            ("retry-after", "7", Some(7000)),
            ("retry-after", "1.5", Some(1500)),
            ("retry-after-ms", "250", Some(250)),
            ("retry-after", "Sat, 01 Mar 2025 10:00:30 GMT", Some(30_000)),
            ("retry-after", "Sat, 01 Mar 2025 09:00:00 GMT", Some(0)),
            ("retry-after", "soon", None),
            ("retry-after", "-4", None),
        ] {
            let mut headers = reqwest::header::HeaderMap::new();
            headers.insert(name, value.parse().expect("header"));
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_millis), "{name}: {value}");
        }
    }
}
