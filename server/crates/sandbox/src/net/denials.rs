//! Refusals of one call, kept for whoever reads its outcome.

use std::sync::Arc;

use mneme_domain::policy::Denial;
use parking_lot::Mutex;

/// Refusals that are kept; a guest that goes on trying adds nothing new.
const KEPT: usize = 32;

/// The refusals of one call. Clones share them.
#[derive(Clone, Default)]
pub struct Denials {
    kept: Arc<Mutex<Vec<Denial>>>,
}

impl Denials {
    /// Keeps a refusal and gives the words for the guest.
    pub fn refuse(&self, capability: &str, detail: impl Into<String>) -> String {
        const SHOWN: usize = 500;
        let detail: String = detail.into().chars().take(SHOWN).collect();
        let denial = Denial { capability: capability.to_owned(), detail };
        let words = format!("denied: {} (missing capability: {capability})", denial.detail);
        let mut kept = self.kept.lock();
        if kept.len() < KEPT && !kept.contains(&denial) {
            kept.push(denial);
        }
        words
    }

    /// The refusals so far.
    pub fn list(&self) -> Vec<Denial> {
        self.kept.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_kept_once_and_not_without_end() {
        let denials = Denials::default();
        let words = denials.refuse("network", "GET http://a/");
        assert_eq!(words, "denied: GET http://a/ (missing capability: network)");
        denials.refuse("network", "GET http://a/");
        assert_eq!(denials.list().len(), 1);
        for number in 0..100 {
            denials.refuse("network", number.to_string());
        }
        assert_eq!(denials.list().len(), KEPT);
        denials.refuse("api", "x".repeat(10_000));
        assert_eq!(denials.list().len(), KEPT);
    }
}
