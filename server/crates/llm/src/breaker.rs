//! Leaves a provider alone for a while that fails one call after another, so that agents get an answer at once instead
//! of waiting for it in turn, and a server that is coming back is not run over.
//!
//! Failures are counted by provider and key, and by model: a router with one broken model still serves the others.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    error::{LlmError, Phase},
    provider::Provider,
};

/// More circuits than any installation has; beyond it those that are closed are forgotten.
const MAX_CIRCUITS: usize = 4096;

/// When a provider is left alone, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Calls that fail in a row, each with its retries, before it is; 0 never.
    pub failures: u32,
    /// How long at first. Then one call is let through, and its failure doubles the time.
    pub pause: Duration,
    /// How long at most.
    pub longest: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self { failures: 5, pause: Duration::from_secs(10), longest: Duration::from_secs(120) }
    }
}

#[derive(Debug)]
struct Circuit {
    failures: u32,
    /// Calls are refused until then.
    until: Option<Instant>,
    pause: Duration,
}

/// The circuits, shared by the clones of a client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Breaker {
    policy: BreakerPolicy,
    circuits: Arc<Mutex<HashMap<u64, Circuit>>>,
}

impl Breaker {
    pub fn new(policy: BreakerPolicy) -> Self {
        Self { policy, circuits: Arc::default() }
    }

    /// Whether the provider may be asked for this model now.
    pub fn admit(&self, provider: &Provider, model: &str) -> Result<(), LlmError> {
        self.admit_at(provider, model, Instant::now())
    }

    fn admit_at(&self, provider: &Provider, model: &str, now: Instant) -> Result<(), LlmError> {
        let mut circuits = self.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        for key in [key(provider, None), key(provider, Some(model))] {
            let Some(circuit) = circuits.get_mut(&key) else { continue };
            let Some(until) = circuit.until else { continue };
            if let Some(left) = until.checked_duration_since(now).filter(|left| !left.is_zero()) {
                return Err(LlmError::Overloaded {
                    message: format!(
                        "the provider '{}' failed {} times in a row and is left alone for another {} s",
                        provider.name(),
                        circuit.failures,
                        left.as_secs() + 1
                    ),
                    status: None,
                });
            }
            // This call finds out whether it is back; the others wait for the outcome, but not for ever.
            circuit.until = Some(now + circuit.pause);
        }
        Ok(())
    }

    /// Takes note of how a call ended.
    pub fn note(&self, provider: &Provider, model: &str, outcome: Result<(), &LlmError>) {
        self.note_at(provider, model, outcome, Instant::now());
    }

    fn note_at(&self, provider: &Provider, model: &str, outcome: Result<(), &LlmError>, now: Instant) {
        if self.policy.failures == 0 {
            return;
        }
        let mut circuits = self.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = match outcome {
            Err(LlmError::Connection { .. } | LlmError::Timeout { phase: Phase::Connect }) => key(provider, None),
            Err(
                LlmError::Server { .. } | LlmError::Overloaded { .. } | LlmError::Timeout { phase: Phase::FirstByte },
            ) => key(provider, Some(model)),
            // Nonsense may come from something in between; it says nothing either way.
            Err(LlmError::Malformed { .. } | LlmError::Timeout { .. }) => return,
            // Whoever refuses a request is there.
            Ok(()) | Err(_) => {
                circuits.remove(&key(provider, None));
                circuits.remove(&key(provider, Some(model)));
                return;
            }
        };
        if circuits.len() >= MAX_CIRCUITS {
            circuits.retain(|_, circuit| circuit.until.is_some());
            if circuits.len() >= MAX_CIRCUITS {
                return;
            }
        }
        let pause = self.policy.pause;
        let circuit = circuits.entry(failed).or_insert(Circuit { failures: 0, until: None, pause });
        circuit.failures = circuit.failures.saturating_add(1);
        if circuit.failures < self.policy.failures {
            return;
        }
        if circuit.until.is_some() {
            circuit.pause = circuit.pause.saturating_mul(2).min(self.policy.longest);
        }
        circuit.until = Some(now + circuit.pause);
        if circuit.failures == self.policy.failures {
            let seconds = circuit.pause.as_secs();
            tracing::warn!(provider = provider.name(), model, seconds, "the provider keeps failing and is left alone");
        }
    }
}

fn key(provider: &Provider, model: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (provider.identity(), model).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::ProviderKind;

    fn provider(key: &str) -> Provider {
        let url = "http://a.example/v1".parse().expect("url");
        Provider::new("p", ProviderKind::OpenAiCompatible, url, Some(key.to_owned().into()))
    }

    fn server() -> LlmError {
        LlmError::Server { message: "m".into(), status: 500 }
    }

    /// A breaker with a clock that the test moves.
    struct Trial {
        breaker: Breaker,
        now: Instant,
    }

    impl Trial {
        fn new(policy: BreakerPolicy) -> Self {
            Self { breaker: Breaker::new(policy), now: Instant::now() }
        }

        fn fail(&self, provider: &Provider, error: &LlmError, times: u32) {
            (0..times).for_each(|_| self.breaker.note_at(provider, "m", Err(error), self.now));
        }

        fn admit(&self, provider: &Provider, model: &str) -> Result<(), String> {
            self.breaker.admit_at(provider, model, self.now).map_err(|error| error.to_string())
        }
    }

    #[test]
    fn a_failing_model_is_left_alone_then_tried_and_left_alone_for_longer() {
        let mut trial = Trial::new(BreakerPolicy::default());
        let one = provider("key-one");
        trial.fail(&one, &server(), 4);
        assert_eq!(trial.admit(&one, "m"), Ok(()));
        trial.fail(&one, &server(), 1);
        let refusal = trial.admit(&one, "m").expect_err("left alone");
        assert!(refusal.contains("failed 5 times") && refusal.contains("11 s"), "{refusal}");
        assert_eq!(trial.admit(&one, "another"), Ok(()), "its other models are served");
        assert_eq!(trial.admit(&provider("key-two"), "m"), Ok(()), "another key is another circuit");
        trial.now += Duration::from_secs(10);
        assert_eq!(trial.admit(&one, "m"), Ok(()), "one call is let through");
        assert!(trial.admit(&one, "m").is_err(), "and no other before it has ended");
        trial.fail(&one, &server(), 1);
        trial.now += Duration::from_secs(19);
        assert!(trial.admit(&one, "m").is_err(), "the pause is twice as long");
        trial.now += Duration::from_secs(1);
        assert_eq!(trial.admit(&one, "m"), Ok(()));
        trial.breaker.note_at(&one, "m", Ok(()), trial.now);
        assert_eq!(trial.admit(&one, "m"), Ok(()));
        trial.fail(&one, &server(), 4);
        assert_eq!(trial.admit(&one, "m"), Ok(()), "a success begins the count anew");
    }

    #[test]
    fn a_server_that_is_gone_is_gone_for_all_its_models_and_refusals_are_signs_of_life() {
        let trial = Trial::new(BreakerPolicy::default());
        let one = provider("key-one");
        let gone = LlmError::Connection { message: "m".into() };
        trial.fail(&one, &gone, 4);
        trial.fail(&one, &LlmError::malformed("m"), 1);
        assert_eq!(trial.admit(&one, "another"), Ok(()), "nonsense says nothing either way");
        trial.fail(&one, &gone, 1);
        assert!(trial.admit(&one, "another").is_err());
        trial.fail(&one, &LlmError::BadRequest { message: "m".into(), status: Some(400) }, 1);
        assert_eq!(trial.admit(&one, "another"), Ok(()));
        let off = Trial::new(BreakerPolicy { failures: 0, ..BreakerPolicy::default() });
        off.fail(&one, &gone, 100);
        assert_eq!(off.admit(&one, "m"), Ok(()));
    }
}
